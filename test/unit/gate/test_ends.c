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

/* Packets that went to control instead, the last one's length. */
static unsigned punted(size_t *len)
{
	struct msg *m;
	unsigned n = 0;

	while ((m = inbox_take(&l.control))) {
		if (m->kind == MSG_TUN) {
			*len = m->len;
			n++;
		}
		free(m);
	}
	return n;
}

START_TEST(what_is_not_verified_gets_its_credit_and_no_more)
{
	const size_t wire =
		esp_wire_len(sa_suite_find(l.sa->suite), TCP_HDR + LEN);
	const size_t most = path_wire_most(IP6_HDR + TCP_HDR + LEN, 0);
	size_t len = 0;

	ck_assert_uint_ge(most, wire);
	ends.verified = false;
	move();
	send_one(); /* none yet: it waits, as it came */
	ck_assert_uint_eq(punted(&len), 1);
	ck_assert_uint_eq(len, IP6_HDR + TCP_HDR + LEN);
	tables_credit_sa(l.sa, 2 * wire + most - 1);
	seen = sent;
	for (unsigned i = 0; i < 3; i++)
		send_one();
	ck_assert_uint_eq(punted(&len), 1);
	ck_assert_int_eq(atomic_load(&l.sa->path)->credit, most - 1);
	tables_credit_sa(l.sa, 1);
	sent -= LEN; /* the one that waits */
	send_one();
	ck_assert_uint_eq(punted(&len), 0);
	loop_in(&l, 0);
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent);
	ends.verified = true;
	move();
	for (unsigned i = 0; i < 100; i++)
		send_one();
	ck_assert_uint_eq(punted(&len), 0);
	ck_assert_uint_eq(loop_drops(&l), 0);
}
END_TEST

START_TEST(one_super_packet_goes_as_a_whole_or_waits)
{
	const size_t all =
		path_wire_most(IP6_HDR + TCP_HDR + 40 * LOOP_MSS, LOOP_MSS);
	size_t len = 0;

	ends.verified = false;
	move();
	tables_credit_sa(l.sa, all - 1);
	loop_send(&l, 0, IP_PROTO_TCP, sent, 40 * LOOP_MSS);
	loop_out(&l, 0);
	ck_assert_uint_eq(punted(&len), 1);
	ck_assert_uint_eq(len, IP6_HDR + TCP_HDR + 40 * LOOP_MSS);
	ck_assert_int_eq(atomic_load(&l.sa->path)->credit, all - 1);
	tables_credit_sa(l.sa, 1);
	loop_send(&l, 0, IP_PROTO_TCP, sent, 40 * LOOP_MSS);
	loop_out(&l, 0);
	ck_assert_uint_eq(punted(&len), 0);
	loop_in(&l, 0);
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent + 40 * LOOP_MSS);
	ck_assert_uint_eq(loop_drops(&l), 0);
}
END_TEST

START_TEST(nothing_leaves_when_no_address_leads_there)
{
	size_t len = 0;

	ends.stranded = true;
	move();
	tables_credit_sa(l.sa, 100000); /* is no way either */
	send_one();
	ck_assert_uint_eq(punted(&len), 1);
	/* Not from control again, either, and no probe. */
	outbound_answer(&l.w[0], l.sa, 7);
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 1);
	ends.stranded = false;
	move();
	seen = sent;
	send_one();
	ck_assert_uint_eq(punted(&len), 0);
	loop_in(&l, 0);
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent);
}
END_TEST

/* Our address has gone, and control does not know yet. */
START_TEST(what_the_kernel_refuses_for_its_source_is_sent_again_once)
{
	struct msg *m;

	ends.from.self = addr_from4((const uint8_t[4]){ 192, 0, 2, 77 });
	move();
	loop_send(&l, 0, IP_PROTO_TCP, sent, 40 * LOOP_MSS);
	loop_out(&l, 0);
	m = inbox_take(&l.control);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(m->kind, MSG_SEALED);
	ck_assert(hit_eq(&m->back.self, &loop_self));
	ck_assert(hit_eq(&m->back.peer, &loop_peer));
	ck_assert(addr_eq(&m->at.addr, &ends.from.self));
	ck_assert_ptr_null(inbox_take(&l.control));
	/* Still in vain: counted, and not kept again. */
	batch_again(&l.w[0], m);
	ck_assert_ptr_null(inbox_take(&l.control));
	ck_assert_uint_eq(drops(REASON_SEND_FAILED), 40);
	/* By the way there is now, within its credit. */
	ends.from.self = addr_any6;
	ends.verified = false;
	move();
	tables_credit_sa(l.sa, m->len - 1);
	batch_again(&l.w[0], m);
	ck_assert_uint_eq(drops(REASON_PATH_CREDIT), 1);
	tables_credit_sa(l.sa, 1);
	batch_again(&l.w[0], m);
	ck_assert_int_eq(atomic_load(&l.sa->path)->credit, 0);
	loop_in(&l, 0);
	loop_receive(&l, 0, &seen);
	ck_assert_uint_eq(seen, sent + 40 * LOOP_MSS);
	/* An SA that is gone. */
	m->back.peer.b[3]++;
	batch_again(&l.w[0], m);
	ck_assert_uint_eq(drops(REASON_NO_SA), 1);
	ck_assert_uint_eq(loop_drops(&l), 42);
	free(m);
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
	tcase_add_test(t, one_super_packet_goes_as_a_whole_or_waits);
	tcase_add_test(t, nothing_leaves_when_no_address_leads_there);
	tcase_add_test(
		t, what_the_kernel_refuses_for_its_source_is_sent_again_once);
	tcase_add_test(t, esp_from_elsewhere_is_told_once);
	suite_add_tcase(s, t);
	return s;
}
