/* SPDX-License-Identifier: MIT */
/* Tests of tun/join.c: what was written is read from a socket pair, cut
 * again with tun/cut.c, and must be what came in. */
#include <errno.h>
#include <linux/virtio_net.h>
#include <signal.h>

#include "test/unit/tun/join_bed.h"

unsigned bed_refuses;

ssize_t __real_writev(int fd, const struct iovec *iov, int num);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int num);
ssize_t __wrap_writev(int fd, const struct iovec *iov, int num)
{
	static unsigned supers;
	const uint8_t *hdr = iov->iov_base;

	if (bed_refuses && hdr[1] != VIRTIO_NET_HDR_GSO_NONE &&
	    ++supers % bed_refuses == 0) {
		errno = EINVAL;
		return -1;
	}
	return __real_writev(fd, iov, num);
}

/* Two segments that can be joined. */
static struct bed_tcp segment(bool v4, unsigned i)
{
	struct bed_tcp t = { .v4 = v4,
			     .seq = UINT32_MAX - 150 + i * 100,
			     .ack = 77,
			     .payload = payload + i * 100,
			     .len = 100,
			     .opts = { 1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 },
			     .opt_len = 12 };

	return t;
}

START_TEST(consecutive_segments_become_one_super_packet)
{
	const bool v4 = _i;
	const size_t ip = v4 ? IP4_HDR : IP6_HDR;
	struct bed *b = bed_new(true);
	struct virtio_net_hdr h;
	uint8_t *pkt;

	for (unsigned i = 0; i < 5; i++) {
		struct bed_tcp t = segment(v4, i); /* wraps at 2^32 */

		if (i == 0)
			t.flags = TCP_ACK | TCP_CWR | TCP_ECE;
		else
			t.flags = TCP_ACK | TCP_ECE;
		if (i == 4) {
			t.flags |= TCP_PSH | TCP_FIN;
			t.len = 60;
		}
		bed_tcp(b, &t);
		/* the end closes the run without a flush */
		ck_assert_uint_eq(b->num_out, i == 4);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 1);
	ck_assert_uint_eq(b->out[0].len, TUN_VNET_HDR + ip + 32 + 460);
	memcpy(&h, b->out[0].p, sizeof(h));
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(h.gso_type, v4 ? 0x81 : 0x84);
	ck_assert_uint_eq(h.gso_size, 100);
	ck_assert_uint_eq(h.hdr_len, ip + 32);
	ck_assert_uint_eq(h.csum_start, ip);
	ck_assert_uint_eq(h.csum_offset, 16);
	pkt = b->out[0].p + TUN_VNET_HDR;
	ck_assert_uint_eq(pkt[ip + 13],
			  TCP_ACK | TCP_CWR | TCP_ECE | TCP_PSH | TCP_FIN);
	ck_assert_mem_eq(pkt + ip + 32, payload, 460);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

/* What the second packet is changed in, so that it may not be joined. */
enum change {
	SEQ_GAP,
	SEQ_BACK,
	ACK,
	WINDOW,
	TTL,
	TOS,
	OPTION,
	OPTION_LEN,
	CWR,
	ECE,
	LONGER,
	FLAG_SYN,
	FLAG_RST,
	FLAG_URG,
	FLAG_NO_ACK,
	EMPTY,
	BAD_CSUM,
	OTHER_PORT,
	OTHER_FAMILY,
	NO_DF,
	FRAGMENT,
	IP_OPTION,
	FLOW_LABEL,
	URGENT_FIELD,
	AE_BIT,
	BAD_OFFSET,
	CHANGE_NUM
};

static void change_fields(struct bed_tcp *t, enum change what)
{
	static const uint8_t flags[CHANGE_NUM] = {
		[CWR] = TCP_ACK | TCP_CWR,	[ECE] = TCP_ACK | TCP_ECE,
		[FLAG_SYN] = TCP_ACK | TCP_SYN, [FLAG_RST] = TCP_ACK | TCP_RST,
		[FLAG_URG] = TCP_ACK | TCP_URG, [FLAG_NO_ACK] = TCP_PSH,
	};

	t->flags = flags[what];
	t->seq += what == SEQ_GAP;
	t->seq -= what == SEQ_BACK;
	t->ack += what == ACK;
	t->window = what == WINDOW ? 501 : 0;
	t->ttl = what == TTL ? 61 : 0;
	t->tos = what == TOS ? 1 : 0;
	t->opts[11] += what == OPTION;
	t->opt_len += what == OPTION_LEN ? 4 : 0;
	t->len += what == LONGER;
	t->flow += what == OTHER_PORT;
	if (what == OTHER_FAMILY)
		t->v4 = !t->v4;
	if (what == EMPTY)
		t->len = 0;
}

/* Changes that are none of struct bed_tcp. */
static size_t change_octets(uint8_t *pkt, size_t len, enum change what)
{
	bool v4 = pkt[0] >> 4 == 4;
	size_t ip = v4 ? IP4_HDR : IP6_HDR;

	if (what == BAD_CSUM)
		pkt[len - 1] ^= 0x40;
	if (what == NO_DF && v4)
		pkt[6] = 0;
	if (what == FRAGMENT && v4)
		pkt[7] = 1;
	if (what == FLOW_LABEL && !v4)
		pkt[3] ^= 1;
	if (what == URGENT_FIELD)
		pkt[ip + 19] = 1;
	if (what == AE_BIT)
		pkt[ip + 12] |= 1;
	if (what == BAD_OFFSET)
		pkt[ip + 12] = 0x40;
	if (what == IP_OPTION && v4) {
		memmove(pkt + ip + 4, pkt + ip, len - ip);
		memset(pkt + ip, 1, 4);
		pkt[0] = 0x46;
		len += 4;
		put_be16(pkt + 2, (uint16_t)len);
	}
	bed_resum_ip(pkt);
	if (what == URGENT_FIELD || what == AE_BIT || what == BAD_OFFSET)
		bed_resum(pkt, len);
	return len;
}

/* Is it a change at all, for that family? */
static bool applies(enum change what, bool v4)
{
	if (what == NO_DF || what == FRAGMENT || what == IP_OPTION)
		return v4;
	return what != FLOW_LABEL || !v4;
}

START_TEST(a_segment_that_differs_is_not_joined_but_keeps_its_place)
{
	const enum change what = _i / 2;
	const bool v4 = _i % 2;
	struct bed *b;
	uint8_t pkt[400];

	if (!applies(what, v4))
		return;
	b = bed_new(true);
	for (unsigned i = 0; i < 3; i++) {
		struct bed_tcp t = segment(v4, i);
		size_t len;

		if (i == 1)
			change_fields(&t, what);
		len = bed_build(&t, pkt);
		if (i == 1)
			len = change_octets(pkt, len, what);
		bed_give(b, pkt, len);
	}
	bed_flush(b);
	/* None of the three belongs to another; but the one with CWR may
	 * be the first of a new run. */
	ck_assert_msg(b->num_out == (what == CWR ? 2 : 3),
		      "change %d: %u writes", what, b->num_out);
	ck_assert(sodium_is_zero(b->out[0].p, TUN_VNET_HDR));
	check_round_trip(b);
	bed_free(b);
}
END_TEST

/* Their ids have a meaning, and the kernel makes them one after another. */
START_TEST(segments_without_df_are_joined_when_their_ids_count_up)
{
	static const struct {
		uint16_t id[4];
		unsigned writes;
	} v[] = {
		{ { 65534, 65535, 0, 1 }, 1 }, { { 7, 7, 7, 7 }, 4 },
		{ { 7, 9, 10, 11 }, 2 },       { { 7, 8, 8, 9 }, 2 },
		{ { 8, 7, 6, 5 }, 4 },
	};
	struct bed *b = bed_new(true);
	uint8_t pkt[400];

	for (unsigned i = 0; i < 4; i++) {
		struct bed_tcp t = segment(true, i);
		size_t len = bed_build(&t, pkt);

		put_be16(pkt + 4, v[_i].id[i]);
		bed_give(b, pkt, change_octets(pkt, len, NO_DF));
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, v[_i].writes);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(a_segment_with_a_wrong_checksum_never_starts_a_run)
{
	struct bed *b = bed_new(true);
	uint8_t pkt[400];

	for (unsigned i = 0; i < 2; i++) {
		struct bed_tcp t = segment(_i, i);
		size_t len = bed_build(&t, pkt);

		pkt[len - 1] ^= i == 0;
		bed_give(b, pkt, len);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 2);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(push_fin_and_a_short_segment_end_a_run)
{
	for (int how = 0; how < 3; how++) {
		struct bed *b = bed_new(true);

		for (unsigned i = 0; i < 4; i++) {
			struct bed_tcp t = segment(true, i);

			t.seq -= how == 2 && i > 1 ? 1 : 0;
			if (i == 1 && how == 2)
				t.len--;
			else if (i == 1)
				t.flags = TCP_ACK | (how ? TCP_PSH : TCP_FIN);
			bed_tcp(b, &t);
		}
		bed_flush(b);
		ck_assert_uint_eq(b->num_out, 2); /* 0+1 and 2+3 */
		check_round_trip(b);
		bed_free(b);
	}
}
END_TEST

START_TEST(without_offload_all_is_written_at_once)
{
	struct bed *b = bed_new(false);

	for (unsigned i = 0; i < 5; i++) {
		struct bed_tcp t = segment(true, i);

		bed_tcp(b, &t);
		ck_assert_uint_eq(b->num_out, i + 1);
	}
	bed_flush(b);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(a_super_packet_never_exceeds_65535_octets)
{
	struct bed *b = bed_new(true);
	const size_t head = (_i ? IP4_HDR : IP6_HDR) + TCP_HDR;
	const size_t fit = (TUN_PACKET_MAX - head) / 1400;

	for (unsigned i = 0; i < 60; i++) {
		struct bed_tcp t = { .v4 = _i,
				     .seq = i * 1400,
				     .payload = payload,
				     .len = 1400 };

		bed_tcp(b, &t);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 2);
	ck_assert_uint_eq(b->out[0].len, TUN_VNET_HDR + head + fit * 1400);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(the_number_of_parts_is_bounded)
{
	struct bed *b = bed_new(true);

	for (unsigned i = 0; i < 300; i++) {
		struct bed_tcp t = { .seq = i, .payload = payload, .len = 1 };

		bed_tcp(b, &t);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 3);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(a_ninth_flow_pushes_out_the_oldest_run)
{
	struct bed *b = bed_new(true);

	for (unsigned i = 0; i < 9; i++) {
		struct bed_tcp t = segment(true, 0);

		t.flow = (uint8_t)i;
		bed_tcp(b, &t);
		ck_assert_uint_eq(b->num_out, i / 8);
	}
	ck_assert_uint_eq(flow_of(b->out[0].p + TUN_VNET_HDR),
			  flow_of(b->in[0].p));
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 9);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(other_protocols_and_runts_go_straight_through)
{
	static const uint8_t protos[] = { 17, 1, 58, 132 };
	struct bed *b = bed_new(true);
	struct bed_tcp t = segment(true, 0);
	uint8_t pkt[400];
	size_t len = bed_build(&t, pkt);

	for (unsigned i = 0; i < 4; i++) {
		pkt[9] = protos[i];
		bed_resum_ip(pkt);
		bed_give(b, pkt, len);
		ck_assert_uint_eq(b->num_out, i + 1);
	}
	pkt[9] = IP_PROTO_TCP;
	for (size_t n = 4; n < TCP_HDR; n++) {
		put_be16(pkt + 2, (uint16_t)(IP4_HDR + n));
		bed_resum_ip(pkt);
		bed_give(b, pkt, IP4_HDR + n);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 4 + 16);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_counted_in_packets)
{
	struct bed *b = bed_new(true);
	struct tun_joined done;

	signal(SIGPIPE, SIG_IGN);
	close(b->fd[1]);
	b->fd[1] = -1;
	for (unsigned i = 0; i < 3; i++) {
		struct bed_tcp t = segment(true, i);

		bed_tcp(b, &t);
	}
	tun_join_flush(b->j, &done);
	ck_assert_uint_eq(done.packets, 3);
	ck_assert_uint_eq(done.writes, 1);
	ck_assert_uint_eq(done.failed, 3);
	ck_assert_uint_eq(done.taken[TUN_JOIN_TCP], 0);
	ck_assert_uint_eq(done.refused[TUN_JOIN_TCP], 0);
	bed_free(b);
}
END_TEST

START_TEST(a_super_packet_refused_as_invalid_is_written_in_parts)
{
	const bool v4 = _i;
	struct bed *b = bed_new(true);

	bed_refuses = 1;
	for (unsigned i = 0; i < 5; i++) {
		struct bed_tcp t = segment(v4, i);

		bed_tcp(b, &t);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->done.failed, 0);
	ck_assert_uint_eq(b->done.taken[TUN_JOIN_TCP], 0);
	ck_assert_uint_eq(b->done.refused[TUN_JOIN_TCP], 1);
	ck_assert_uint_eq(b->done.refused[TUN_JOIN_UDP], 0);
	ck_assert_uint_eq(b->num_out, 5);
	check_round_trip(b);
	bed_reset(b);
	/* What is one packet only has nothing to refuse. */
	bed_tcp(b, &(struct bed_tcp){ .v4 = v4, .payload = payload, .len = 9 });
	bed_flush(b);
	ck_assert_uint_eq(b->done.refused[TUN_JOIN_TCP], 0);
	check_round_trip(b);
	bed_reset(b);
	bed_refuses = 0;
	for (unsigned i = 0; i < 5; i++) {
		struct bed_tcp t = segment(v4, i);

		bed_tcp(b, &t);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->done.taken[TUN_JOIN_TCP], 1);
	ck_assert_uint_eq(b->num_out, 1);
	bed_reset(b);
	tun_join_use(b->j, false, true);
	for (unsigned i = 0; i < 5; i++) {
		struct bed_tcp t = segment(v4, i);

		bed_tcp(b, &t);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 5);
	bed_free(b);
}
END_TEST

/* One step of a flow: mostly the next segment, sometimes anything else. */
static void random_step(struct bed *b, struct bed_tcp *t)
{
	static uint8_t pkt[BED_MAX];
	struct bed_tcp now;
	size_t len;

	if (rand() % 20 == 0)
		t->ack++;
	if (rand() % 30 == 0)
		t->window = (uint16_t)(400 + rand() % 3);
	if (rand() % 30 == 0)
		t->seq += (uint32_t)rand();
	now = *t;
	now.payload = payload + rand() % 1000;
	now.flags = TCP_ACK;
	if (rand() % 10 == 0)
		now.flags = (uint8_t)(rand() & 0xff);
	if (rand() % 15 == 0)
		now.len = (size_t)rand() % (t->len + 20);
	len = bed_build(&now, pkt);
	if (rand() % 40 == 0)
		pkt[len - 1 - (size_t)rand() % 20] ^= 1;
	if (rand() % 40 == 0 && now.v4)
		pkt[9] = IP_PROTO_UDP;
	bed_resum_ip(pkt);
	bed_give(b, pkt, len);
	t->seq += (uint32_t)now.len;
}

START_TEST(random_batches_come_back_as_they_went_in)
{
	unsigned seed = randombytes_random();
	struct bed *b = bed_new(true);
	struct bed_tcp flows[12] = { 0 };
	unsigned refused = 0;
	unsigned in = 0;
	unsigned out = 0;

	printf("join seed %u\n", seed);
	bed_refuses = _i ? 3 : 0;
	srand(seed);
	for (unsigned i = 0; i < 12; i++) {
		flows[i].flow = (uint8_t)i;
		flows[i].v4 = i & 1;
		flows[i].len = 1 + (size_t)rand() % 1460;
		flows[i].opt_len = (size_t)(rand() % 11) * 4;
		flows[i].seq = (uint32_t)rand() * 3;
	}
	for (int batch = 0; batch < 400; batch++) {
		unsigned some = 1 + (unsigned)rand() % 12;
		unsigned now = (unsigned)rand() % some;

		for (int i = rand() % 60; i >= 0; i--) {
			random_step(b, &flows[now]);
			if (rand() % 4 == 0)
				now = (unsigned)rand() % some;
		}
		bed_flush(b);
		ck_assert_uint_eq(b->done.failed, 0);
		in += b->num_in;
		out += b->num_out;
		refused += b->done.refused[TUN_JOIN_TCP];
		check_round_trip(b);
		bed_reset(b);
	}
	if (!_i)
		ck_assert_uint_lt(out * 3, in * 2); /* it does join */
	ck_assert_int_eq(refused > 100, _i);
	bed_refuses = 0;
	bed_free(b);
}
END_TEST

Suite *test_join_suite(void);
Suite *test_join_suite(void)
{
	Suite *s = suite_create("join");
	TCase *t = tcase_create("join");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, consecutive_segments_become_one_super_packet, 0,
			    2);
	tcase_add_loop_test(
		t, a_segment_that_differs_is_not_joined_but_keeps_its_place, 0,
		2 * CHANGE_NUM);
	tcase_add_loop_test(
		t, segments_without_df_are_joined_when_their_ids_count_up, 0,
		5);
	tcase_add_loop_test(
		t, a_segment_with_a_wrong_checksum_never_starts_a_run, 0, 2);
	tcase_add_test(t, push_fin_and_a_short_segment_end_a_run);
	tcase_add_test(t, without_offload_all_is_written_at_once);
	tcase_add_loop_test(t, a_super_packet_never_exceeds_65535_octets, 0, 2);
	tcase_add_test(t, the_number_of_parts_is_bounded);
	tcase_add_test(t, a_ninth_flow_pushes_out_the_oldest_run);
	tcase_add_test(t, other_protocols_and_runts_go_straight_through);
	tcase_add_test(t, what_the_kernel_refuses_is_counted_in_packets);
	tcase_add_loop_test(
		t, a_super_packet_refused_as_invalid_is_written_in_parts, 0, 2);
	tcase_add_loop_test(t, random_batches_come_back_as_they_went_in, 0, 2);
	suite_add_tcase(s, t);
	return s;
}
