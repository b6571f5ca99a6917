/* SPDX-License-Identifier: MIT */
/* Which server is asked, and which rests. */
#include "test/unit/dns/desk.h"

#include "dns/upstream.h"

static struct upstream u;
static struct endpoint meant;
static struct endpoint s[3];

static void setup(void)
{
	memset(&u, 0, sizeof(u));
	meant = desk_at("10.0.0.53", 53);
	u.num = 3;
	for (uint8_t i = 0; i < 3; i++) {
		s[i] = desk_at("192.0.2.0", 53);
		s[i].addr.b[15] = i;
		u.servers[i].at = s[i];
	}
}

/* The last octet of where the n-th try goes. */
static unsigned pick(unsigned n, uint64_t now)
{
	return upstream_pick(&u, &meant, n, now).addr.b[15];
}

START_TEST(without_a_list_the_clients_server_is_asked)
{
	struct endpoint realm;

	u.num = 0;
	ck_assert_uint_eq(pick(0, 0), 53);
	ck_assert_uint_eq(pick(1, 0), 53);
	realm = upstream_realm(&u, &meant);
	ck_assert(endpoint_eq(&realm, &meant));
	ck_assert(upstream_trusts(&u, &meant));
}
END_TEST

START_TEST(each_try_goes_to_the_next)
{
	struct endpoint realm = upstream_realm(&u, &meant);

	for (unsigned n = 0; n < 7; n++)
		ck_assert_uint_eq(pick(n, 0), n % 3);
	ck_assert_uint_eq(realm.port, 0);
	ck_assert(!upstream_trusts(&u, &meant));
	ck_assert(upstream_trusts(&u, &s[1]));
}
END_TEST

START_TEST(the_silent_one_rests_and_comes_back)
{
	ck_assert(!upstream_silent(&u, &s[0], 0));
	ck_assert_uint_eq(pick(0, 0), 0); /* once is nothing */
	ck_assert(upstream_silent(&u, &s[0], 1));
	ck_assert_uint_eq(pick(0, 1), 1);
	ck_assert_uint_eq(pick(1, 1), 2);
	ck_assert_uint_eq(pick(2, 1), 1);
	upstream_silent(&u, &s[0], 2); /* of before: counts no more */
	ck_assert_uint_eq(pick(0, 5 * SEC), 1);
	ck_assert_uint_eq(pick(0, 5 * SEC + 1), 0);
	upstream_silent(&u, &s[0], 5 * SEC + 1); /* longer now */
	ck_assert_uint_eq(pick(0, 15 * SEC), 1);
	ck_assert_uint_eq(pick(0, 15 * SEC + 1), 0);
	upstream_answered(&u, &s[0]);
	upstream_silent(&u, &s[0], 20 * SEC);
	ck_assert_uint_eq(pick(0, 20 * SEC), 0);
	upstream_silent(&u, &meant, 20 * SEC); /* none of ours */
	upstream_answered(&u, &meant);
}
END_TEST

START_TEST(who_asks_us_is_not_asked)
{
	upstream_looped(&u, &s[0], 0);
	upstream_looped(&u, &meant, 0); /* none of ours */
	ck_assert_uint_eq(pick(0, 1), 1);
	ck_assert_uint_eq(pick(1, 1), 2);
	upstream_silent(&u, &s[1], 1);
	upstream_silent(&u, &s[1], 1);
	upstream_silent(&u, &s[2], 1);
	upstream_silent(&u, &s[2], 1);
	ck_assert_uint_eq(pick(0, 2), 1); /* rather one that rests */
	ck_assert(!upstream_loops(&u, 2));
	upstream_looped(&u, &s[1], 2);
	upstream_looped(&u, &s[2], 2);
	ck_assert(upstream_loops(&u, 3));
	ck_assert_uint_eq(upstream_pick(&u, &meant, 0, 3).port, 0);
	ck_assert(!upstream_loops(&u, UPSTREAM_LOOP_NS));
	ck_assert_uint_eq(pick(0, UPSTREAM_LOOP_NS), 0);
}
END_TEST

START_TEST(when_all_rest_all_are_asked)
{
	for (unsigned i = 0; i < 3; i++) {
		upstream_silent(&u, &s[i], 0);
		upstream_silent(&u, &s[i], 0);
	}
	ck_assert_uint_eq(pick(0, 1), 0);
	ck_assert_uint_eq(pick(1, 1), 1);
	upstream_answered(&u, &s[2]);
	ck_assert_uint_eq(pick(0, 1), 2);
	ck_assert_uint_eq(pick(1, 1), 2);
}
END_TEST

START_TEST(no_rest_is_longer_than_eighty_seconds)
{
	uint64_t now = 0;

	for (unsigned i = 0; i < 100; i++) {
		upstream_silent(&u, &s[0], now);
		ck_assert_uint_le(u.servers[0].rests_until, now + 80 * SEC);
		if (u.servers[0].rests_until > now)
			now = u.servers[0].rests_until;
	}
	ck_assert_uint_eq(u.servers[0].silent, 100);
}
END_TEST

Suite *test_upstream_suite(void);
Suite *test_upstream_suite(void)
{
	Suite *suite = suite_create("upstream");
	TCase *tc = tcase_create("upstream");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, without_a_list_the_clients_server_is_asked);
	tcase_add_test(tc, each_try_goes_to_the_next);
	tcase_add_test(tc, the_silent_one_rests_and_comes_back);
	tcase_add_test(tc, who_asks_us_is_not_asked);
	tcase_add_test(tc, when_all_rest_all_are_asked);
	tcase_add_test(tc, no_rest_is_longer_than_eighty_seconds);
	suite_add_tcase(suite, tc);
	return suite;
}
