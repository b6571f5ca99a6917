/* SPDX-License-Identifier: MIT */
/* Rules: the longest match decides. */
#include "test/unit/dns/desk.h"
#include "dns/policy.h"

START_TEST(the_longest_rule_that_matches_decides)
{
	static const struct dns_rule rules[] = {
		{ "*", DNS_OFF },
		{ "*.corp.example", DNS_REQUIRE },
		{ "*.lab.corp.example.", DNS_PREFER },
		{ "www.corp.example", DNS_OFF },
		{ "www.corp.example", DNS_REQUIRE },
		{ "Corp.Example", DNS_PREFER },
	};
	static const struct {
		const char *name;
		enum dns_mode mode;
	} t[] = {
		{ "x.org", DNS_OFF },
		{ ".", DNS_OFF },
		{ "a.corp.example", DNS_REQUIRE },
		{ "A.B.CORP.EXAMPLE", DNS_REQUIRE },
		{ "corp.example", DNS_PREFER },
		{ "lab.corp.example", DNS_REQUIRE },
		{ "x.lab.corp.example", DNS_PREFER },
		{ "www.corp.example", DNS_OFF },
		{ "x.www.corp.example", DNS_REQUIRE },
		{ "xcorp.example", DNS_OFF },
		{ "a\\.corp.example", DNS_OFF },
		{ "\\000.corp.example", DNS_REQUIRE },
	};
	struct dname n = desk_name(t[_i].name);
	struct policy *p;

	ck_assert_int_eq(policy_new(rules, 6, &p), 0);
	ck_assert_int_eq(policy_mode(p, &n), t[_i].mode);
	policy_free(p);
}
END_TEST

START_TEST(no_rule_means_prefer_and_a_bad_one_is_refused)
{
	struct dns_rule bad = { "a..b", DNS_OFF };
	struct dname n = desk_name("x");
	struct policy *p;

	ck_assert_int_eq(policy_new(NULL, 0, &p), 0);
	ck_assert_int_eq(policy_mode(p, &n), DNS_PREFER);
	policy_free(p);
	ck_assert_int_eq(policy_new(&bad, 1, &p), HG_EINVAL);
	strcpy(bad.pattern, "a");
	bad.mode = DNS_MODE_NUM;
	ck_assert_int_eq(policy_new(&bad, 1, &p), HG_EINVAL);
	memset(bad.pattern, 'a', sizeof(bad.pattern));
	bad.mode = DNS_OFF;
	ck_assert_int_eq(policy_new(&bad, 1, &p), HG_EINVAL);
}
END_TEST

START_TEST(the_rule_that_decides_can_be_told_and_all_can_be_changed)
{
	static const struct dns_rule one[] = { { "*.a.example", DNS_OFF },
					       { "b.example", DNS_REQUIRE } };
	static const struct dns_rule bad[] = { { "a..b", DNS_OFF } };
	struct dns_config cfg = { .rules = one, .rules_num = 2 };
	struct dns *d;

	ck_assert_int_eq(dns_new(&cfg, &d), 0);
	ck_assert_uint_eq(dns_rule_of(d, "x.a.example"), 0);
	ck_assert_uint_eq(dns_rule_of(d, "B.example."), 1);
	ck_assert_uint_eq(dns_rule_of(d, "x\\.a.example"), 2); /* no rule */
	ck_assert_uint_gt(dns_rule_of(d, "a..b"), 2);
	ck_assert_int_eq(dns_set_rules(d, bad, 1), HG_EINVAL);
	ck_assert_uint_eq(dns_rule_of(d, "b.example"), 1);
	ck_assert_int_eq(dns_set_rules(d, one + 1, 1), 0);
	ck_assert_uint_eq(dns_rule_of(d, "b.example"), 0);
	ck_assert_uint_eq(dns_rule_of(d, "x.a.example"), 1);
	dns_free(d);
}
END_TEST

Suite *test_policy_suite(void);
Suite *test_policy_suite(void)
{
	Suite *s = suite_create("policy");
	TCase *tc = tcase_create("policy");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, the_longest_rule_that_matches_decides, 0, 12);
	tcase_add_test(tc, no_rule_means_prefer_and_a_bad_one_is_refused);
	tcase_add_test(
		tc, the_rule_that_decides_can_be_told_and_all_can_be_changed);
	suite_add_tcase(s, tc);
	return s;
}
