/* SPDX-License-Identifier: MIT */
/* The heap of timers against a stupid twin. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hip/dueheap.h"

#define N 200

static uint64_t earliest(const struct due *d)
{
	uint64_t at = UINT64_MAX;

	for (int i = 0; i < N; i++) {
		if (d[i].slot && d[i].at < at)
			at = d[i].at;
	}
	return at;
}

START_TEST(the_first_is_always_the_earliest)
{
	struct dueheap h = { 0 };
	static struct due d[N];
	uint64_t set[N];
	unsigned seed = (unsigned)time(NULL);

	printf("dueheap: seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < N; i++) {
		d[i] = (struct due){ 0 };
		set[i] = UINT64_MAX;
		ck_assert_int_eq(dueheap_reserve(&h), 0);
	}
	for (int n = 0; n < 20000; n++) {
		int i = rand() % N;

		if (rand() % 3 == 0) {
			dueheap_clear(&h, &d[i]);
			set[i] = UINT64_MAX;
		} else {
			set[i] = (uint64_t)(rand() % 1000);
			dueheap_set(&h, &d[i], set[i]);
		}
		ck_assert_int_eq(d[i].slot != 0, set[i] != UINT64_MAX);
		ck_assert_uint_eq(dueheap_first(&h) ? dueheap_first(&h)->at
						    : UINT64_MAX,
				  earliest(d));
	}
	for (int i = 0; i < N; i++)
		dueheap_leave(&h, &d[i]);
	ck_assert_ptr_null(dueheap_first(&h));
	dueheap_fini(&h);
}
END_TEST

START_TEST(never_is_not_set)
{
	struct dueheap h = { 0 };
	struct due d = { 0 };

	ck_assert_int_eq(dueheap_reserve(&h), 0);
	dueheap_set(&h, &d, 5);
	dueheap_set(&h, &d, UINT64_MAX);
	ck_assert_ptr_null(dueheap_first(&h));
	dueheap_leave(&h, &d);
	dueheap_fini(&h);
}
END_TEST

Suite *test_dueheap_suite(void)
{
	Suite *s = suite_create("dueheap");
	TCase *t = tcase_create("dueheap");

	tcase_add_test(t, the_first_is_always_the_earliest);
	tcase_add_test(t, never_is_not_set);
	suite_add_tcase(s, t);
	return s;
}
