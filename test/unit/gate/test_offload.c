/* SPDX-License-Identifier: MIT */
/* Which offloads a setting wants, and when one that was refused rests. */
#include <check.h>

#include "cmd/hipgated/offload.h"

START_TEST(each_setting_wants_what_the_table_says)
{
	static const bool want[CONFIG_OFFLOAD_NUM][OFFLOAD_NUM] = {
		[CONFIG_OFFLOAD_OFF] = { false, false, false, false },
		[CONFIG_OFFLOAD_SAFE] = { true, false, false, false },
		[CONFIG_OFFLOAD_AUTO] = { true, true, true, true },
	};

	for (unsigned s = 0; s < CONFIG_OFFLOAD_NUM; s++)
		for (unsigned k = 0; k < OFFLOAD_NUM; k++)
			ck_assert_int_eq(offload_wanted(s, k), want[s][k]);
	ck_assert_str_eq(offload_name(OFFLOAD_UDP_SEGMENT), "udp-segment");
}
END_TEST

START_TEST(what_there_is_not_is_never_on)
{
	struct offload o;

	offload_init(&o, false);
	ck_assert(!offload_on(&o, 0));
	offload_took(&o);
	ck_assert(!offload_on(&o, UINT64_MAX));
}
END_TEST

START_TEST(a_success_between_begins_the_row_anew)
{
	struct offload o;

	offload_init(&o, true);
	for (unsigned i = 0; i < 10 * OFFLOAD_ROW; i++) {
		ck_assert(offload_on(&o, 5));
		offload_refused(&o, 5);
		if (i % 2)
			offload_took(&o);
	}
	ck_assert(offload_on(&o, 5));
	ck_assert_uint_eq(o.refused, 10 * OFFLOAD_ROW);
}
END_TEST

START_TEST(a_row_of_refusals_lets_it_rest)
{
	struct offload o;

	offload_init(&o, true);
	for (unsigned round = 0; round < 3; round++) {
		uint64_t now = 7 + round * OFFLOAD_REST_NS;

		for (unsigned i = 0; i < OFFLOAD_ROW; i++) {
			ck_assert(offload_on(&o, now));
			offload_refused(&o, now);
		}
		ck_assert(!offload_on(&o, now));
		ck_assert(!offload_on(&o, now + OFFLOAD_REST_NS - 1));
	}
	ck_assert(offload_on(&o, 7 + 3 * OFFLOAD_REST_NS));
	ck_assert_uint_eq(o.until, 0);
}
END_TEST

Suite *test_offload_suite(void);
Suite *test_offload_suite(void)
{
	Suite *s = suite_create("offload");
	TCase *tc = tcase_create("offload");

	tcase_add_test(tc, each_setting_wants_what_the_table_says);
	tcase_add_test(tc, what_there_is_not_is_never_on);
	tcase_add_test(tc, a_success_between_begins_the_row_anew);
	tcase_add_test(tc, a_row_of_refusals_lets_it_rest);
	suite_add_tcase(s, tc);
	return s;
}
