/* SPDX-License-Identifier: MIT */
/* Budgets: all there or an error, and nothing is lost on the way. */
#include <check.h>
#include <string.h>

#include "hip/budget.h"
#include "test/unit/hip/alloc.h"

START_TEST(short_memory_is_an_error_and_leaks_nothing)
{
	struct budgets b;
	int err = HG_ENOMEM;
	long n = 0;

	for (; err; n++) { /* leaks are the sanitizer's to see */
		memset(&b, 0, sizeof(b));
		alloc_left = n;
		err = budget_init(&b, 0);
		alloc_left = -1;
		ck_assert(err == HG_OK || err == HG_ENOMEM);
		budget_fini(&b);
		ck_assert_int_lt(n, 20);
	}
	ck_assert_int_eq(n, 8 + 1); /* each table failed once */
}
END_TEST

START_TEST(a_source_never_has_more_than_all)
{
	struct budgets b = { .i1 = { .bucket = NULL } };
	const struct srcrate *v[] = { &b.i1, &b.relay, &b.i2, &b.notify_in,
				      &b.notify_out };

	ck_assert_int_eq(budget_init(&b, 0), HG_OK);
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		ck_assert_uint_ge(v[i]->limits.burst, v[i]->limits.per_s);
		ck_assert_uint_gt(v[i]->limits.all_per_s, v[i]->limits.per_s);
		ck_assert_uint_gt(v[i]->limits.all_burst, v[i]->limits.burst);
	}
	budget_fini(&b);
}
END_TEST

Suite *test_budget_suite(void)
{
	Suite *s = suite_create("budget");
	TCase *t = tcase_create("budget");

	tcase_add_test(t, short_memory_is_an_error_and_leaks_nothing);
	tcase_add_test(t, a_source_never_has_more_than_all);
	suite_add_tcase(s, t);
	return s;
}
