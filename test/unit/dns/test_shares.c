/* SPDX-License-Identifier: MIT */
/* Leases that a client or a domain may bring about in a day (quota.h). */
#include "test/unit/dns/leases.h"

START_TEST(a_domain_has_its_share_and_what_it_had_stays)
{
	struct lease_config c = lease_config_of("fd00:5::/64", NULL, 8192);
	struct lease *l = open_lease(&c);
	struct lease_asker client = { .client = desk_addr("192.0.2.1"),
				      .now = 1 };
	struct lease_entry e;
	struct lease_entry kept;
	char name[32];
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 1024; i++) {
		h = nth_hit(i);
		snprintf(name, sizeof(name), "n%u.evil.example", i);
		ck_assert_int_eq(lease_ask(l, &h, name, &client, &e, &fresh),
				 0);
		ck_assert(fresh);
	}
	kept = e;
	ck_assert_int_eq(lease_ask(l, &h, name, &client, &e, &fresh), 0);
	ck_assert(!fresh);
	h = nth_hit(5000);
	ck_assert_int_eq(
		lease_ask(l, &h, "x.evil.example", &client, &e, &fresh),
		HG_EPERM);
	ck_assert(!fresh);
	ck_assert_int_eq(
		lease_ask(l, &h, "x.good.example", &client, &e, &fresh), 0);
	lease_free(l);
	/* What the journal has is not of today. */
	l = open_lease(&c);
	for (uint32_t i = 1; i <= 1024; i++) {
		kept.hit = nth_hit(i);
		kept.sub6 = addr_any6;
		ck_assert_int_eq(lease_restore(l, &kept), 0);
	}
	for (uint32_t i = 2001; i <= 3025; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(
			lease_ask(l, &h, "x.evil.example", &client, &e, &fresh),
			i == 3025 ? HG_EPERM : 0);
	}
	lease_free(l);
}
END_TEST

/* They are as many as the configuration can hold, of one domain. */
START_TEST(the_administrators_own_names_take_no_share)
{
	struct lease_config c = lease_config_of("fd00:5::/64", NULL, 8192);
	struct lease *l = open_lease(&c);
	struct lease_asker who = { .client = desk_addr("192.0.2.1"),
				   .local = true,
				   .now = 1 };
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 4100; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(
			lease_ask(l, &h, "x.corp.example", &who, &e, &fresh),
			0);
	}
	who.local = false; /* nor did they take it from others */
	for (uint32_t i = 1; i <= 1025; i++) {
		h = nth_hit(5000 + i);
		ck_assert_int_eq(
			lease_ask(l, &h, "y.corp.example", &who, &e, &fresh),
			i == 1025 ? HG_EPERM : 0);
	}
	lease_free(l);
}
END_TEST

START_TEST(a_share_is_of_a_day)
{
	struct lease_config c = lease_config_of("fd00:5::/64", NULL, 8192);
	struct lease *l = open_lease(&c);
	struct lease_entry e;

	for (uint32_t i = 1; i <= 1024; i++)
		ck_assert_int_eq(ask(l, i, 1, &e), 0);
	ck_assert_int_eq(ask(l, 2000, 86399 * SEC, &e), HG_EPERM);
	ck_assert_int_eq(ask(l, 2000, 86401 * SEC, &e), 0);
	lease_free(l);
}
END_TEST

Suite *test_shares_suite(void);
Suite *test_shares_suite(void)
{
	Suite *s = suite_create("shares");
	TCase *tc = tcase_create("shares");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_domain_has_its_share_and_what_it_had_stays);
	tcase_add_test(tc, the_administrators_own_names_take_no_share);
	tcase_add_test(tc, a_share_is_of_a_day);
	suite_add_tcase(s, tc);
	return s;
}
