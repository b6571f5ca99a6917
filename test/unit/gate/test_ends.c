/* SPDX-License-Identifier: MIT */
/* Where packets go and come from: no more than the credit to an address that
 * is not verified, and news of authentic ESP from elsewhere. */
#include "loop_bed.h"

enum { LEN = 100 };

static const struct path_size size = { .l4_most = 1418, .mss = 1398 };
static struct loop l;
static struct path_ends ends;
static uint32_t sent;
static uint32_t seen;

static void setup(void)
{
	loop_begin(&l, 0);
	ends = atomic_load(&l.sa->path)->ends;
	sent = seen = 1;
}

static void teardown(void)
{
	loop_end(&l);
}

static void move(void)
{
	ck_assert_int_eq(tables_move_sa(l.sa, &ends, &size), HG_OK);
}

static void send_one(void)
{
	loop_send(&l, 0, IP_PROTO_TCP, sent, LEN);
	loop_out(&l, 0);
	sent += LEN;
}

static uint64_t drops(enum reason r)
{
	return reason_get(&l.w[0].drops, r);
}

START_TEST(what_is_not_verified_gets_its_credit_and_no_more)
{
	const size_t wire =
		esp_wire_len(sa_suite_find(l.sa->suite), TCP_HDR + LEN);

	ends.verified = false;
	move();
	send_one(); /* none yet */
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 1);
	tables_credit_sa(l.sa, 3 * wire - 1);
	seen = sent;
	for (unsigned i = 0; i < 3; i++)
		send_one();
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 2);
	ck_assert_int_eq(atomic_load(&l.sa->path)->credit, wire - 1);
	tables_credit_sa(l.sa, 1);
	sent -= LEN; /* the one that was dropped */
	send_one();
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 2);
	loop_in(&l, 0);
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent);
	ends.verified = true;
	move();
	for (unsigned i = 0; i < 100; i++)
		send_one();
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 2);
	ck_assert_uint_eq(loop_drops(&l), 2);
}
END_TEST

START_TEST(one_super_packet_stops_in_the_middle)
{
	const size_t wire =
		esp_wire_len(sa_suite_find(l.sa->suite), TCP_HDR + LOOP_MSS);

	ends.verified = false;
	move();
	tables_credit_sa(l.sa, 10 * wire);
	loop_send(&l, 0, IP_PROTO_TCP, sent, 40 * LOOP_MSS);
	loop_out(&l, 0);
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 30);
	loop_in(&l, 0);
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent + 10 * LOOP_MSS);
}
END_TEST

static struct msg *news(void)
{
	return inbox_take(&l.control);
}

START_TEST(esp_from_elsewhere_is_told_once)
{
	struct msg *m = NULL;
	unsigned strays = 0;

	for (unsigned i = 0; i < 3; i++)
		send_one();
	loop_in(&l, 0);
	ck_assert(!atomic_load(&l.sa->strayed));
	for (unsigned i = 0; i < 3; i++)
		send_one();
	ends.peer.port++; /* now it is thought to be elsewhere */
	move();
	loop_in(&l, 0);
	while ((m = news())) {
		if (m->kind == MSG_STRAY) {
			strays++;
			ck_assert(endpoint_eq(&m->from, &l.at));
			ck_assert(hit_eq(&m->back.self, &loop_self));
			ck_assert(hit_eq(&m->back.peer, &loop_peer));
		}
		free(m);
	}
	ck_assert_uint_eq(strays, 1);
	/* They are delivered all the same. */
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent);
	ck_assert_uint_eq(loop_drops(&l), 0);
}
END_TEST

Suite *test_ends_suite(void);
Suite *test_ends_suite(void)
{
	Suite *s = suite_create("ends");
	TCase *t = tcase_create("ends");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_is_not_verified_gets_its_credit_and_no_more);
	tcase_add_test(t, one_super_packet_stops_in_the_middle);
	tcase_add_test(t, esp_from_elsewhere_is_told_once);
	suite_add_tcase(s, t);
	return s;
}
