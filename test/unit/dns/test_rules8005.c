/* SPDX-License-Identifier: MIT */
/* Rules of RFC 8005 about the look-up of a HIP host (docs/conformance.md). */
#include "test/unit/dns/desk.h"

static struct desk k;

static void setup(void)
{
	desk_open(&k);
}

static void teardown(void)
{
	desk_close(&k);
}

static const struct dns_effect *ask(const char *name, uint16_t type)
{
	const struct dns_effect *e = desk_ask(&k, name, type, false);

	ck_assert_msg(e, "%s %u was not asked", name, type);
	return e;
}

/* RFC 8005 3: no such name means no further questions about it. */
START_TEST(a_name_that_does_not_exist_is_not_asked_about_again)
{
	size_t asks;

	desk_query(&k, "h.test", SCAN_A, true, 0);
	asks = desk_count(&k, DNS_ASK);
	desk_nothing(&k, ask("h.test", SCAN_HIP), 3, 0);
	/* The client's own question is the only one left. */
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), asks - 1);
	dns_tick(k.d, SEC / 2);
	desk_drain(&k);
	desk_nothing(&k, ask("h.test", SCAN_A), 3, SEC / 2);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), asks);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, 3);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(a_look_up_of_ours_ends_where_there_is_no_such_name)
{
	ck_assert_int_eq(dns_resolve(k.d, "h.test", NULL, &k.who.server, 99, 0),
			 0);
	desk_drain(&k);
	desk_nothing(&k, ask("h.test", SCAN_HIP), 3, 0);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_UNRESOLVED));
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 3);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 3);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

/* One answer with this TTL of the record, an alias before it or not. */
static void answer_hip(uint32_t alias_ttl, uint32_t ttl, const char *rvs)
{
	desk_answer_to(&k, ask("h.test", SCAN_HIP), 0);
	if (alias_ttl)
		desk_rr_cname(&k, "h.test", alias_ttl, "real.test");
	desk_rr_hip(&k, alias_ttl ? "real.test" : "h.test", ttl, 1, rvs);
	desk_hand_in(&k, ask("h.test", SCAN_HIP), 0);
}

static void answer_addr(const char *name, const char *addr, uint32_t ttl)
{
	uint16_t type = strchr(addr, ':') ? SCAN_AAAA : SCAN_A;

	desk_answer_to(&k, ask(name, type), 0);
	desk_rr_addr(&k, name, ttl, addr);
	desk_hand_in(&k, ask(name, type), 0);
}

/* RFC 8005 4.2: nothing outlives the first of its records to expire. */
START_TEST(an_answer_lives_no_longer_than_any_record_behind_it)
{
	static const struct {
		uint32_t alias, hip, a, aaaa, want;
	} t[] = {
		{ 0, 40, 50, 60, 40 },	  { 0, 50, 40, 60, 40 },
		{ 0, 60, 50, 40, 40 },	  { 40, 60, 60, 60, 40 },
		{ 0, 900, 900, 900, 60 }, /* ttl_max */
		{ 0, 0, 50, 60, 0 },
	};
	struct addr six = desk_addr("fd00:5::aaaa:5");
	struct desk_reply p;

	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	answer_hip(t[_i].alias, t[_i].hip, NULL);
	answer_addr("h.test", "192.0.2.1", t[_i].a);
	answer_addr("h.test", "2001:db8::1", t[_i].aaaa);
	dns_give(k.d, desk_last(&k, DNS_NEED_ADDRESS)->question, 0, &six,
		 &addr_any6, NULL, 0);
	desk_drain(&k);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.rr.ttl, t[_i].want);
	if (t[_i].want < 60)
		ck_assert_uint_eq(desk_last(&k, DNS_NEED_ADDRESS)->host->ttl,
				  t[_i].want);
}
END_TEST

/* RFC 8005 4.2, 5.6: the rendezvous servers of the record whose HI it is,
 * and no others. */
START_TEST(each_record_has_its_own_rendezvous_servers)
{
	uint8_t bad[200];
	size_t len = desk_hip(bad, sizeof(bad), 9, "rvs0.test");
	const struct dns_host *host;

	bad[1] = 1; /* DSA: unusable, and so are its servers */
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_answer_to(&k, ask("h.test", SCAN_HIP), 0);
	desk_rr(&k, 1, "h.test", SCAN_HIP, 60, bad, len);
	desk_rr_hip(&k, "h.test", 60, 2, "rvs1.test");
	desk_rr_hip(&k, "h.test", 60, 3, "rvs2.test");
	desk_hand_in(&k, ask("h.test", SCAN_HIP), 0);
	ck_assert_ptr_null(desk_ask(&k, "rvs0.test", SCAN_AAAA, false));
	ck_assert_ptr_null(desk_ask(&k, "rvs2.test", SCAN_AAAA, false));
	answer_addr("rvs1.test", "2001:db8::11", 60);
	desk_nothing(&k, ask("rvs1.test", SCAN_A), 0, 0);
	host = desk_last(&k, DNS_NEED_ADDRESS)->host;
	ck_assert_uint_eq(host->hit.b[15], 2);
	ck_assert(host->via_rvs);
	ck_assert_uint_eq(host->locators_num, 1);
}
END_TEST

/* RFC 8005 5.6: the first is preferred, whichever answer comes first. */
START_TEST(rendezvous_servers_keep_the_order_of_their_record)
{
	static const char *const addr[] = { "2001:db8::11", "2001:db8::22",
					    "2001:db8::33" };
	static const char *const name[] = { "r1.test", "r2.test", "r3.test" };
	static const int order[6][3] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 },
		{ 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
	};
	const struct dns_host *host;

	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	answer_hip(0, 60, "r1.test r2.test r3.test");
	for (int i = 0; i < 3; i++)
		desk_nothing(&k, ask(name[i], SCAN_A), 0, 0);
	for (int i = 0; i < 3; i++)
		answer_addr(name[order[_i][i]], addr[order[_i][i]], 60);
	host = desk_last(&k, DNS_NEED_ADDRESS)->host;
	ck_assert_uint_eq(host->locators_num, 3);
	for (int i = 0; i < 3; i++) {
		struct addr want = desk_addr(addr[i]);

		ck_assert(addr_eq(&host->locators[i], &want));
	}
}
END_TEST

Suite *test_rules8005_suite(void);
Suite *test_rules8005_suite(void)
{
	Suite *s = suite_create("rules8005");
	TCase *tc = tcase_create("rules8005");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_name_that_does_not_exist_is_not_asked_about_again);
	tcase_add_test(tc, a_look_up_of_ours_ends_where_there_is_no_such_name);
	tcase_add_loop_test(
		tc, an_answer_lives_no_longer_than_any_record_behind_it, 0, 6);
	tcase_add_test(tc, each_record_has_its_own_rendezvous_servers);
	tcase_add_loop_test(
		tc, rendezvous_servers_keep_the_order_of_their_record, 0, 6);
	suite_add_tcase(s, tc);
	return s;
}
