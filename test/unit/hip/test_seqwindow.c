/* SPDX-License-Identifier: MIT */
#include "hip/seqwindow.h"

#include <check.h>

static struct assoc_update fresh(void)
{
	return (struct assoc_update){ .in_high = UINT32_MAX };
}

/* Their first id is 0, and so many may have been lost before it. */
START_TEST(the_first_ids)
{
	struct assoc_update up = fresh();

	ck_assert_int_eq(seqwindow_place(&up, UINT32_MAX), SEQWINDOW_OUTSIDE);
	ck_assert_int_eq(seqwindow_place(&up, UINT32_MAX - 5),
			 SEQWINDOW_OUTSIDE);
	ck_assert_int_eq(seqwindow_place(&up, 0), SEQWINDOW_NEW);
	ck_assert_int_eq(seqwindow_place(&up, 15), SEQWINDOW_NEW);
	ck_assert_int_eq(seqwindow_place(&up, 16), SEQWINDOW_OUTSIDE);
	seqwindow_mark(&up, 3);
	ck_assert_int_eq(seqwindow_place(&up, 3), SEQWINDOW_KNOWN);
	ck_assert_int_eq(seqwindow_place(&up, 0), SEQWINDOW_NEW);
	ck_assert_int_eq(seqwindow_place(&up, UINT32_MAX), SEQWINDOW_OUTSIDE);
	ck_assert_int_eq(seqwindow_place(&up, 19), SEQWINDOW_NEW);
	ck_assert_int_eq(seqwindow_place(&up, 20), SEQWINDOW_OUTSIDE);
}
END_TEST

START_TEST(late_ones_are_new_once)
{
	struct assoc_update up = fresh();

	for (uint32_t id = 0; id < 40; id += 2)
		seqwindow_mark(&up, id);
	ck_assert_int_eq(seqwindow_place(&up, 37), SEQWINDOW_NEW);
	seqwindow_mark(&up, 37);
	ck_assert_int_eq(seqwindow_place(&up, 37), SEQWINDOW_KNOWN);
	ck_assert_int_eq(seqwindow_place(&up, 7), SEQWINDOW_NEW);
	ck_assert_int_eq(seqwindow_place(&up, 6), SEQWINDOW_OUTSIDE);
	/* What is outside is not marked. */
	seqwindow_mark(&up, 6);
	seqwindow_mark(&up, 1000);
	ck_assert_uint_eq(up.in_high, 38);
}
END_TEST

START_TEST(ids_go_round)
{
	struct assoc_update up = fresh();

	up.in_high = UINT32_MAX - 1;
	up.in_seen = 1;
	up.in_far = true;
	ck_assert_int_eq(seqwindow_place(&up, 1), SEQWINDOW_NEW);
	seqwindow_mark(&up, 1);
	ck_assert_int_eq(seqwindow_place(&up, UINT32_MAX - 1), SEQWINDOW_KNOWN);
	ck_assert_int_eq(seqwindow_place(&up, UINT32_MAX), SEQWINDOW_NEW);
	ck_assert_int_eq(seqwindow_place(&up, 0), SEQWINDOW_NEW);
}
END_TEST

Suite *test_seqwindow_suite(void);
Suite *test_seqwindow_suite(void)
{
	Suite *s = suite_create("seqwindow");
	TCase *tc = tcase_create("seqwindow");

	tcase_add_test(tc, the_first_ids);
	tcase_add_test(tc, late_ones_are_new_once);
	tcase_add_test(tc, ids_go_round);
	suite_add_tcase(s, tc);
	return s;
}
