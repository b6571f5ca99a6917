/* SPDX-License-Identifier: MIT */
/* How often in a row servers are waited for: what a client waits is round
 * trips to a server. Without hipgate it is one; hipgate adds none to that, or
 * one where the HIP record names a rendezvous server by name. */
#include "test/unit/dns/desk.h"

static struct desk k;
static struct addr sub6;
static struct addr sub4;

enum kind { PLAIN, HOST, BEHIND_AN_AGENT };

static void teardown(void)
{
	desk_close(&k);
}

/* servers: 0, the client's own is asked. */
static void begin(unsigned servers)
{
	struct endpoint at[2] = { desk_at("192.0.2.1", 53),
				  desk_at("192.0.2.2", 53) };
	struct dns_config cfg = desk_config();

	cfg.servers = at;
	cfg.servers_num = servers;
	desk_open_with(&k, &cfg);
	sub6 = desk_addr("fd00:5::5");
	sub4 = desk_addr("198.18.0.5");
}

/* What a server says to one question for h.test or its agent. */
static void serve(const struct dns_effect *ask, enum kind kind)
{
	desk_answer_to(&k, ask, 0);
	if (ask->qtype == SCAN_HIP && kind != PLAIN)
		desk_rr_hip(&k, ask->name, 300, 1,
			    kind == BEHIND_AN_AGENT ? "rvs.test" : NULL);
	else if (ask->qtype == SCAN_A)
		desk_rr_addr(&k, ask->name, 600, "192.0.2.80");
	else if (ask->qtype == SCAN_AAAA)
		desk_rr_addr(&k, ask->name, 600, "2001:db8::80");
	desk_hand_in(&k, ask, 0);
}

/* Answers what was asked between two places among the effects, the last one
 * first if `back`. Returns how many questions that were. */
static unsigned serve_all(size_t from, size_t to, enum kind kind, bool back)
{
	unsigned n = 0;

	for (size_t i = from; i < to; i++) {
		size_t at = back ? to - 1 - (i - from) : i;

		if (k.got[at].e.kind != DNS_ASK)
			continue;
		n++;
		serve(&k.got[at].e, kind);
	}
	return n;
}

static void give_if_needed(size_t from)
{
	for (size_t i = from; i < k.num; i++) {
		const struct dns_effect *e = &k.got[i].e;

		if (e->kind != DNS_NEED_ADDRESS)
			continue;
		dns_give(k.d, e->question, 0, &sub6, &sub4, NULL, 0);
		desk_drain(&k);
	}
}

/* A client's question until its reply: how often all that was asked had to
 * be answered before that came, or more could be asked. */
static unsigned rounds(uint16_t type, enum kind kind, bool back)
{
	size_t from = 0;
	unsigned n = 0;

	desk_query(&k, "h.test", type, true, 0);
	while (!desk_last(&k, DNS_REPLY)) {
		size_t to = k.num;

		n++;
		ck_assert_uint_gt(serve_all(from, to, kind, back), 0);
		give_if_needed(to);
		from = to;
	}
	return n;
}

/* Each kind of name, type, number of servers, order of answers. */
static const uint16_t types[] = { SCAN_A, SCAN_AAAA, SCAN_HTTPS };

enum { CASES = 3 * 3 * 2 * 2 };

START_TEST(a_new_name_is_one_round_and_one_more_behind_an_agent)
{
	enum kind kind = (enum kind)(_i % 3);
	uint16_t type = types[_i / 3 % 3];
	bool agent = kind == BEHIND_AN_AGENT && type != SCAN_HTTPS;

	begin(_i / 9 % 2 ? 2 : 0);
	ck_assert_uint_eq(rounds(type, kind, _i / 18), agent ? 2 : 1);
	ck_assert_int_eq(desk_last(&k, DNS_REPLY)->rcode, 0);
	ck_assert_int_eq(desk_last(&k, DNS_REPLY)->substituted,
			 kind != PLAIN && type != SCAN_HTTPS);
}
END_TEST

/* Before anybody has answered anything. */
START_TEST(hip_and_both_families_are_asked_at_once)
{
	uint16_t type = _i % 2 ? SCAN_A : SCAN_AAAA;

	begin(_i / 2 ? 2 : 0);
	desk_query(&k, "h.test", type, true, 0);
	ck_assert_ptr_nonnull(desk_ask(&k, "h.test", SCAN_HIP, false));
	ck_assert_ptr_nonnull(desk_ask(&k, "h.test", SCAN_A, false));
	ck_assert_ptr_nonnull(desk_ask(&k, "h.test", SCAN_AAAA, false));
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
}
END_TEST

/* The measure itself: with HIP unanswered nothing comes, whatever else does. */
START_TEST(a_round_is_not_over_without_the_hip_record)
{
	begin(0);
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	for (size_t i = k.num; i-- > 0;) {
		if (k.got[i].e.kind == DNS_ASK && k.got[i].e.qtype != SCAN_HIP)
			serve(&k.got[i].e, HOST);
	}
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
	ck_assert_ptr_null(desk_last(&k, DNS_NEED_ADDRESS));
}
END_TEST

Suite *test_rounds_suite(void);
Suite *test_rounds_suite(void)
{
	Suite *suite = suite_create("rounds");
	TCase *tc = tcase_create("rounds");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(
		tc, a_new_name_is_one_round_and_one_more_behind_an_agent, 0,
		CASES);
	tcase_add_loop_test(tc, hip_and_both_families_are_asked_at_once, 0, 4);
	tcase_add_test(tc, a_round_is_not_over_without_the_hip_record);
	suite_add_tcase(suite, tc);
	return suite;
}
