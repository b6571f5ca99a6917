/* SPDX-License-Identifier: MIT */
/* The door: configuration, ends, many at once. */
#include "test/unit/dns/desk.h"

static struct desk k;

START_TEST(a_bad_rule_is_refused)
{
	struct dns_rule bad = { "a..b", DNS_OFF };
	struct dns_config cfg = { .rules = &bad, .rules_num = 1 };

	ck_assert_int_eq(dns_new(&cfg, &k.d), HG_EINVAL);
	dns_free(NULL);
}
END_TEST

START_TEST(free_with_questions_in_flight_leaks_nothing)
{
	desk_open(&k);
	for (uint16_t i = 0; i < 3; i++)
		desk_query(&k, i ? "x.test" : "y.test", (uint16_t)(15 + i),
			   true, 0);
	ck_assert_uint_eq(dns_pending(k.d), 3);
	desk_addr_answer(&k, &k.got[0].e, "y.test", "192.0.2.1", 0);
	dns_query(k.d, &k.who, k.buf, 5, 0);
	desk_close(&k);
}
END_TEST

START_TEST(nothing_to_do_means_no_deadline)
{
	struct dns_effect e;

	desk_open(&k);
	ck_assert_uint_eq(dns_deadline(k.d), UINT64_MAX);
	dns_tick(k.d, 5);
	dns_give(k.d, 5, 0, NULL, NULL, NULL, 0);
	dns_ask_failed(k.d, 5, 0);
	ck_assert(!dns_effect(k.d, &e));
	desk_close(&k);
}
END_TEST

START_TEST(a_thousand_questions_all_end_in_time)
{
	struct dns_config cfg = desk_config();
	uint64_t now = 0;
	unsigned turns = 0;
	char name[32];

	cfg.client_max = 2000;
	desk_open_with(&k, &cfg);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%u.require.test", i);
		desk_query(&k, name, SCAN_A, true, i * MSEC);
		desk_forget(&k);
	}
	ck_assert_uint_eq(dns_pending(k.d), 1000);
	while (dns_pending(k.d)) {
		ck_assert_uint_gt(dns_deadline(k.d), now);
		now = dns_deadline(k.d);
		dns_tick(k.d, now);
		desk_drain(&k);
		desk_forget(&k);
		ck_assert_uint_lt(++turns, 20000);
	}
	ck_assert_uint_le(now, 7 * SEC);
	desk_close(&k);
}
END_TEST

Suite *test_dns_suite(void);
Suite *test_dns_suite(void)
{
	Suite *s = suite_create("dns");
	TCase *tc = tcase_create("dns");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_bad_rule_is_refused);
	tcase_add_test(tc, free_with_questions_in_flight_leaks_nothing);
	tcase_add_test(tc, nothing_to_do_means_no_deadline);
	tcase_add_test(tc, a_thousand_questions_all_end_in_time);
	suite_add_tcase(s, tc);
	return s;
}
