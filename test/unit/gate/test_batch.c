/* SPDX-License-Identifier: MIT */
/* The send batch: one send or one by one, what the kernel refuses, order.
 *
 * A refusal is a real one: a socket that sends no UDP checksums takes no
 * UDP_SEGMENT (EINVAL), and single datagrams as ever. */
#include "test/unit/gate/loop_bed.h"

#include <errno.h>

enum { NO_CHECK6_TX = 101, NO_CHECK6_RX = 102, SUPER = 40 * LOOP_MSS };

static struct loop l;
static uint32_t sent; /* of the stream */
static uint32_t got;

static void start(unsigned fam)
{
	loop_begin(&l, fam);
	sent = got = 1000;
}

/* No checksum: no segments. */
static void refuse(unsigned fam, int yes)
{
	int fd = l.plane.sockets.fd[fam][1];

	ck_assert_int_eq(
		setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &yes, sizeof(yes)), 0);
	for (int o = NO_CHECK6_TX; fam && o <= NO_CHECK6_RX; o++)
		ck_assert_int_eq(
			setsockopt(fd, IPPROTO_UDP, o, &yes, sizeof(yes)), 0);
}

/* A super-packet there and back, all of it. How many sends it took. */
static uint64_t round_trip(void)
{
	uint64_t before = l.w[0].udp_sends;

	loop_send(&l, 0, IP_PROTO_TCP, sent, SUPER);
	sent += SUPER;
	loop_out(&l, 0);
	before = l.w[0].udp_sends - before;
	loop_in(&l, 0);
	(void)loop_receive(&l, 0, &got);
	ck_assert_uint_eq(got, sent);
	ck_assert_uint_eq(loop_drops(&l), 0);
	return before;
}

START_TEST(a_super_packet_leaves_with_one_send)
{
	start(_i);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(round_trip(), 1);
	ck_assert_uint_eq(l.w[0].segment[_i].refused, 0);
	loop_end(&l);
}
END_TEST

START_TEST(what_is_refused_as_segments_leaves_one_by_one_at_once)
{
	start(_i);
	refuse(_i, 1);
	ck_assert_uint_eq(round_trip(), 2); /* sendmsg, sendmmsg */
	ck_assert_uint_eq(l.w[0].segment[_i].refused, 1);
	refuse(_i, 0);
	ck_assert_uint_eq(round_trip(), 1);
	loop_end(&l);
}
END_TEST

/* Worker 0's socket becomes one of UDP-Lite, which has no segments: EIO, as
 * from a device that cannot checksum, or IPsec below. False: the kernel has
 * no UDP-Lite. */
static bool use_lite(unsigned fam)
{
	struct path_ends to = { .peer = l.at, .verified = true };
	struct path_size size = { .l4_most = 1418, .mss = 1398, .outer = 1500 };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(fam ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK,
			IPPROTO_UDPLITE);
	int room = 4 << 20;

	if (fd < 0)
		return false;
	to.peer.port = 0;
	len = sockets_address(&to.peer, &ss);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	to.peer = sockets_endpoint((struct sockaddr *)&ss);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	close(l.plane.sockets.fd[fam][1]);
	l.plane.sockets.fd[fam][1] = fd;
	ck_assert_int_eq(tables_move_sa(l.sa, &to, &size), HG_OK);
	return true;
}

START_TEST(what_has_no_checksum_offload_leaves_one_by_one_at_once)
{
	struct offload *o = &l.w[0].segment[_i];

	start(_i);
	if (!use_lite(_i)) {
		ck_assert_int_eq(errno, EPROTONOSUPPORT);
		loop_end(&l);
		return;
	}
	for (unsigned i = 1; i <= OFFLOAD_ROW; i++) {
		ck_assert_uint_eq(round_trip(), 2); /* sendmsg, sendmmsg */
		ck_assert_uint_eq(o->refused, i);
	}
	ck_assert_uint_eq(round_trip(), 1);
	ck_assert_uint_eq(o->refused, OFFLOAD_ROW);
	ck_assert(!atomic_load(&atomic_load(&l.sa->path)->refused));
	loop_end(&l);
}
END_TEST

START_TEST(after_three_in_a_row_it_rests_for_a_minute)
{
	struct offload *o = &l.w[0].segment[_i];

	start(_i);
	refuse(_i, 1);
	for (unsigned i = 0; i < OFFLOAD_ROW; i++)
		ck_assert_uint_eq(round_trip(), 2);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(round_trip(), 1); /* sendmmsg */
	ck_assert_uint_eq(o->refused, OFFLOAD_ROW);
	l.w[0].now += OFFLOAD_REST_NS - 1;
	ck_assert_uint_eq(round_trip(), 1);
	ck_assert_uint_eq(o->refused, OFFLOAD_ROW);
	l.w[0].now++;
	ck_assert_uint_eq(round_trip(), 2);
	ck_assert_uint_eq(o->refused, OFFLOAD_ROW + 1);
	refuse(_i, 0);
	ck_assert_uint_eq(round_trip(), 1);
	ck_assert_uint_eq(o->row, 0);
	loop_end(&l);
}
END_TEST

START_TEST(without_the_offload_nothing_is_tried)
{
	start(_i);
	refuse(_i, 1);
	offload_init(&l.w[0].segment[_i], false);
	for (unsigned i = 0; i < 5; i++)
		ck_assert_uint_eq(round_trip(), 1);
	ck_assert_uint_eq(l.w[0].segment[_i].refused, 0);
	loop_end(&l);
}
END_TEST

START_TEST(what_cannot_be_sent_at_all_is_counted)
{
	struct path_size size = { .l4_most = 1418 };
	struct path_ends nowhere = { .verified = true };

	start(0);
	ck_assert_int_eq(endpoint_parse("255.255.255.255", 9, &nowhere.peer),
			 HG_OK);
	ck_assert_int_eq(tables_move_sa(l.sa, &nowhere, &size), HG_OK);
	loop_send(&l, 0, IP_PROTO_TCP, sent, SUPER);
	loop_out(&l, 0);
	ck_assert_uint_eq(reason_get(&l.w[0].drops, REASON_SEND_FAILED), 40);
	ck_assert_uint_eq(loop_drops(&l), 40);
	loop_end(&l);
}
END_TEST

/* ---- order ---------------------------------------------------------------- */

/* Reads what arrived at worker 0's socket as a receiver with a window of 64
 * would: how many it would drop. *num, *back: datagrams, and how far the
 * hindmost was behind. */
static unsigned window64(unsigned *num, uint32_t *back)
{
	uint8_t buf[2048];
	uint32_t top = 0;
	unsigned lost = 0;

	*num = 0;
	*back = 0;
	while (recv(l.plane.sockets.fd[0][1], buf, sizeof(buf), 0) > 8) {
		uint32_t seq = get_be32(buf + 4);

		++*num;
		if (seq > top) {
			top = seq;
			continue;
		}
		lost += top - seq >= 64;
		*back = top - seq > *back ? top - seq : *back;
	}
	return lost;
}

START_TEST(the_numbers_of_one_worker_leave_in_order)
{
	unsigned num;
	uint32_t back;

	start(0);
	for (unsigned i = 0; i < 12; i++)
		loop_send(&l, 0, i % 3 ? IP_PROTO_UDP : IP_PROTO_TCP, sent,
			  i % 3 == 2 ? 5 * LOOP_MSS : 100 + i * 77 % 3);
	for (unsigned i = 0; i < 12; i++)
		loop_out(&l, 0);
	ck_assert_uint_eq(window64(&num, &back), 0);
	ck_assert_uint_eq(num, 8 + 4 * 5);
	ck_assert_uint_eq(back, 0);
	loop_end(&l);
}
END_TEST

/* Two workers have packets for one SA and take turns, each seals one packet
 * and then the other one does; both batches are as large as may be. */
START_TEST(two_workers_never_fall_out_of_a_window_of_64)
{
	static uint8_t buf[2][TUN_VNET_HDR + 2000];
	unsigned num;
	uint32_t back;

	start(0);
	for (unsigned i = 0; i < 100; i++) {
		for (unsigned k = 0; k < 2; k++) {
			static const struct ip_offload off = { .csum_partial =
								       true };
			/* now and then one of them has more to do */
			unsigned row = i % 10 == k ? 9 : 1;

			while (row--) {
				size_t n = loop_packet(buf[k], IP_PROTO_UDP,
						       LOOP_PORT, 0, 100);

				outbound_packet(&l.w[k], buf[k] + TUN_VNET_HDR,
						n - TUN_VNET_HDR, &off, false);
			}
		}
	}
	batch_flush(&l.w[1]);
	batch_flush(&l.w[0]);
	ck_assert_uint_eq(window64(&num, &back), 0);
	ck_assert_uint_eq(num, 200 + 20 * 8);
	ck_assert_uint_gt(back, 0); /* they did get in each other's way */
	ck_assert_uint_eq(loop_drops(&l), 0);
	loop_end(&l);
}
END_TEST

Suite *test_batch_suite(void);
Suite *test_batch_suite(void)
{
	Suite *s = suite_create("batch");
	TCase *tc = tcase_create("batch");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_super_packet_leaves_with_one_send, 0, 2);
	tcase_add_loop_test(
		tc, what_is_refused_as_segments_leaves_one_by_one_at_once, 0,
		2);
	tcase_add_loop_test(
		tc, what_has_no_checksum_offload_leaves_one_by_one_at_once, 0,
		2);
	tcase_add_loop_test(tc, after_three_in_a_row_it_rests_for_a_minute, 0,
			    2);
	tcase_add_loop_test(tc, without_the_offload_nothing_is_tried, 0, 2);
	tcase_add_test(tc, what_cannot_be_sent_at_all_is_counted);
	tcase_add_test(tc, the_numbers_of_one_worker_leave_in_order);
	tcase_add_test(tc, two_workers_never_fall_out_of_a_window_of_64);
	suite_add_tcase(s, tc);
	return s;
}
