/* SPDX-License-Identifier: MIT */
/* Solutions accepted once. */
#include <check.h>
#include <stddef.h>

#include "hip/spent.h"

START_TEST(what_was_added_is_known_until_it_lapses)
{
	struct spent s;
	uint64_t p;

	ck_assert_int_eq(spent_init(&s), 0);
	p = spent_print(&s, "abc", 3);
	ck_assert_uint_eq(p, spent_print(&s, "abc", 3));
	ck_assert_uint_ne(p, spent_print(&s, "abd", 3));
	ck_assert(!spent_has(&s, p, 0));
	spent_add(&s, p, 100, 0);
	ck_assert(spent_has(&s, p, 99));
	ck_assert(!spent_has(&s, p, 100));
	ck_assert(!spent_has(&s, p + SPENT_SETS, 0));
	spent_fini(&s);
}
END_TEST

START_TEST(in_a_full_set_the_one_that_lapses_first_gives_way)
{
	struct spent s;

	ck_assert_int_eq(spent_init(&s), 0);
	for (uint64_t i = 0; i <= SPENT_WAYS; i++)
		spent_add(&s, 1 + i * SPENT_SETS, 1000 + i, 0);
	ck_assert(!spent_has(&s, 1, 0));
	for (uint64_t i = 1; i <= SPENT_WAYS; i++)
		ck_assert(spent_has(&s, 1 + i * SPENT_SETS, 0));
	spent_fini(&s);
}
END_TEST

START_TEST(what_was_forgotten_is_too_old)
{
	struct spent s;

	ck_assert_int_eq(spent_init(&s), 0);
	for (uint64_t i = 0; i < SPENT_WAYS; i++)
		spent_add(&s, 1 + i * SPENT_SETS, 1000 + i, 0);
	ck_assert(!spent_too_old(&s, 1000));
	spent_add(&s, 1, 1000, 0); /* there already */
	ck_assert(!spent_too_old(&s, 1000));
	spent_add(&s, 1 + 8 * SPENT_SETS, 1008, 0);
	ck_assert(spent_too_old(&s, 1000)); /* one of them had to go */
	ck_assert(!spent_too_old(&s, 1001));
	/* One that has lapsed leaves no gap in what is known. */
	spent_add(&s, 1 + 9 * SPENT_SETS, 1009, 1001);
	ck_assert(!spent_too_old(&s, 1001));
	spent_fini(&s);
}
END_TEST

START_TEST(whatever_was_added_is_known_or_too_old)
{
	struct spent s;
	uint64_t n = 2 * SPENT_SETS * SPENT_WAYS;

	ck_assert_int_eq(spent_init(&s), 0);
	for (uint64_t i = 1; i <= n; i++)
		spent_add(&s, spent_print(&s, &i, sizeof(i)), i, 0);
	for (uint64_t i = 1; i <= n; i++)
		ck_assert(spent_too_old(&s, i) ||
			  spent_has(&s, spent_print(&s, &i, sizeof(i)), 0));
	ck_assert(!spent_too_old(&s, n + 1));
	spent_fini(&s);
}
END_TEST

Suite *test_spent_suite(void)
{
	Suite *s = suite_create("spent");
	TCase *t = tcase_create("spent");

	tcase_add_test(t, what_was_added_is_known_until_it_lapses);
	tcase_add_test(t, in_a_full_set_the_one_that_lapses_first_gives_way);
	tcase_add_test(t, what_was_forgotten_is_too_old);
	tcase_add_test(t, whatever_was_added_is_known_or_too_old);
	suite_add_tcase(s, t);
	return s;
}
