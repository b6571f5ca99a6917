/* SPDX-License-Identifier: MIT */
/* The packet path, both ways: it allocates nothing, takes no lock, does not
 * log, and does not ask for the time (style.md 32). The wake-up that calls
 * it asks once, for the whole of its batch (worker.c). */
#include "test/unit/gate/loop_bed.h"

#include <uv.h>

#include "core/log.h"
#include "test/unit/gate/quiet/quiet.h"

static struct loop l;
static unsigned did[QUIET_NUM];

/* The path itself, without what the tests do around it. */
static void both_ways(void)
{
	unsigned before[QUIET_NUM];

	memcpy(before, quiet_seen, sizeof(before));
	loop_out(&l, 0);
	batch_flush(&l.w[0]);
	loop_in(&l, 0);
	for (unsigned what = 0; what < QUIET_NUM; what++)
		did[what] += quiet_seen[what] - before[what];
}

/* Everything that a flow that is up can send, there and back. What came back
 * is read by the caller, with loud functions. */
static void all_kinds(void)
{
	static const size_t len[] = { 1,    100,	  LOOP_MSS,
				      1376, 9 * LOOP_MSS, 45 * LOOP_MSS + 1 };

	for (unsigned i = 0; i < sizeof(len) / sizeof(len[0]); i++) {
		loop_send(&l, 0, IP_PROTO_TCP, 0, len[i]);
		loop_send(&l, 0, IP_PROTO_UDP, 0, len[i]);
	}
	both_ways();
}

/* A datagram that no ESP packet carries whole: in fragments, there, and
 * whole again. */
static void in_fragments(void)
{
	static uint8_t buf[TUN_VNET_HDR + 4096];
	static const struct ip_offload off = { .fragment = 1232 };
	unsigned before[QUIET_NUM];
	size_t n = loop_packet(buf, IP_PROTO_UDP, LOOP_PORT, 0, LOOP_MSS);
	uint8_t *l4 = buf + TUN_VNET_HDR + IP6_HDR;

	put_be16(l4 + 6, 0);
	put_be16(l4 + 6, csum_finish(csum_add(
				 csum_pseudo(&loop_client, &loop_virt,
					     IP_PROTO_UDP, UDP_HDR + LOOP_MSS),
				 l4, UDP_HDR + LOOP_MSS)));
	memcpy(before, quiet_seen, sizeof(before));
	outbound_packet(&l.w[0], buf + TUN_VNET_HDR, n - TUN_VNET_HDR, &off,
			false);
	for (unsigned what = 0; what < QUIET_NUM; what++)
		did[what] += quiet_seen[what] - before[what];
	both_ways();
}

/* From strangers, for nobody: dropped as quietly. */
static void garbage(void)
{
	static const uint8_t esp[64] = { 9, 9, 9, 9 };
	static const uint8_t ip[TUN_VNET_HDR + 64] = { 0 };
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&l.at, &ss);

	ck_assert_int_eq(write(l.tun[0], ip, sizeof(ip)), sizeof(ip));
	ck_assert_int_eq(sendto(l.plane.sockets.fd[0][2], esp, sizeof(esp), 0,
				(struct sockaddr *)&ss, len),
			 sizeof(esp));
	both_ways();
}

static unsigned come_back(void)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	unsigned packets = 0;

	while (read(l.tun[0], buf, sizeof(buf)) > 0)
		packets++;
	return packets;
}

static void prepare(int how)
{
	struct worker *w = &l.w[0];
	int yes = 1;

	if (how == 1) {
		offload_init(&w->segment[0], false);
		offload_init(&w->join[TUN_JOIN_TCP], false);
		offload_init(&w->join[TUN_JOIN_UDP], false);
		inbound_flush(w);
	}
	if (how == 2)
		ck_assert_int_eq(setsockopt(l.plane.sockets.fd[0][1],
					    SOL_SOCKET, SO_NO_CHECK, &yes,
					    sizeof(yes)),
				 0);
}

/* 0: all offloads; 1: none; 2: refused by the kernel. */
START_TEST(the_packet_path_is_quiet)
{
	struct path_ends ends = { .verified = true };
	struct path_size size = { .l4_most = 1000, .mss = 900, .outer = 1100 };

	quiet_begin();
	loop_begin(&l, 0);
	prepare(_i);
	all_kinds();
	ck_assert_uint_gt(come_back(), 0);
	/* That the first packet is back is told to control, of each flow. */
	ck_assert_uint_gt(did[QUIET_HEAP], 0);
	ck_assert_uint_eq(l.control.num, 2);
	memset(did, 0, sizeof(did));
	for (unsigned i = 0; i < 20; i++) {
		all_kinds();
		ck_assert_uint_ge(come_back(), _i == 1 ? 2 * 58 : 12);
		garbage();
	}
	ck_assert_uint_eq(loop_drops(&l), 20 * 2);
	ends.peer = l.at;
	ck_assert_int_eq(tables_move_sa(l.sa, &ends, &size), HG_OK);
	in_fragments();
	ck_assert_uint_eq(l.w[0].cut, 1);
	ck_assert_uint_eq(come_back(), 2);
	ck_assert_uint_eq(loop_drops(&l), 20 * 2);
	for (unsigned what = 0; what < QUIET_NUM; what++)
		ck_assert_msg(did[what] == 0, "what %u was done %u times", what,
			      did[what]);
	loop_end(&l);
}
END_TEST

/* That the counters count. */
START_TEST(what_is_not_quiet_is_seen)
{
	static uv_mutex_t m;
	unsigned before[QUIET_NUM];
	unsigned after[QUIET_NUM];
	void *volatile p;

	quiet_begin();
	ck_assert_int_eq(uv_mutex_init(&m), 0);
	memcpy(before, quiet_seen, sizeof(before));
	p = malloc(7);
	free(p);
	uv_mutex_lock(&m);
	uv_mutex_unlock(&m);
	(void)uv_hrtime();
	log_info("heard");
	memcpy(after, quiet_seen, sizeof(after));
	ck_assert_uint_eq(after[QUIET_HEAP], before[QUIET_HEAP] + 2);
	ck_assert_uint_eq(after[QUIET_LOCK], before[QUIET_LOCK] + 1);
	ck_assert_uint_eq(after[QUIET_CLOCK], before[QUIET_CLOCK] + 1);
	ck_assert_uint_eq(after[QUIET_LOG], before[QUIET_LOG] + 1);
	uv_mutex_destroy(&m);
}
END_TEST

Suite *test_worker_suite(void);
Suite *test_worker_suite(void)
{
	Suite *s = suite_create("worker");
	TCase *tc = tcase_create("quiet");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_packet_path_is_quiet, 0, 3);
	tcase_add_test(tc, what_is_not_quiet_is_seen);
	suite_add_tcase(s, tc);
	return s;
}
