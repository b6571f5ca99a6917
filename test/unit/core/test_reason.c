/* SPDX-License-Identifier: MIT */
/* Drop reasons: stable, distinct names; counters count. */
#include "core/reason.h"

#include <check.h>
#include <string.h>

START_TEST(every_reason_has_a_name_of_its_own_and_a_sentence)
{
	for (int i = 0; i < REASON_NUM; i++) {
		const char *name = reason_name((enum reason)i);

		ck_assert_uint_gt(strlen(name), 1);
		ck_assert_uint_eq(strspn(name,
					 "abcdefghijklmnopqrstuvwxyz0123456789"
					 "-"),
				  strlen(name));
		ck_assert_uint_gt(strlen(reason_why((enum reason)i)), 4);
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(name, reason_name((enum reason)k));
	}
}
END_TEST

START_TEST(no_reason_has_no_name)
{
	ck_assert_str_eq(reason_name(REASON_NUM), "?");
	ck_assert_str_eq(reason_why((enum reason) - 1), "?");
	ck_assert_str_eq(reason_name(REASON_ESP_REPLAY), "esp-replay");
}
END_TEST

START_TEST(a_count_raises_its_own_counter_only)
{
	static struct reasons k;

	reason_count(&k, REASON_LOOP);
	reason_count(&k, REASON_LOOP);
	reason_count(&k, REASON_NO_SA);
	for (int i = 0; i < REASON_NUM; i++) {
		unsigned want = i == REASON_LOOP ? 2 : i == REASON_NO_SA;

		ck_assert_uint_eq(reason_get(&k, (enum reason)i), want);
	}
}
END_TEST

START_TEST(each_stage_has_its_reasons_and_they_stand_together)
{
	enum reason_stage last = REASON_STAGE_IP;
	unsigned num[REASON_STAGE_NUM] = { 0 };

	for (int i = 0; i < REASON_NUM; i++) {
		enum reason_stage s = reason_stage((enum reason)i);
		const char *name = reason_name((enum reason)i);

		ck_assert(s == last || s == last + 1);
		last = s;
		num[s]++;
		ck_assert_int_eq(s == REASON_STAGE_DNS,
				 strncmp(name, "dns-", 4) == 0);
		ck_assert_int_eq(s == REASON_STAGE_HIP ||
					 s == REASON_STAGE_MOVE,
				 strncmp(name, "hip-", 4) == 0);
		if (strncmp(name, "esp-", 4) == 0)
			ck_assert_int_eq(s, REASON_STAGE_ESP);
		if (strncmp(name, "hip-locator", 11) == 0)
			ck_assert_int_eq(s, REASON_STAGE_MOVE);
	}
	for (int s = 0; s < REASON_STAGE_NUM; s++)
		ck_assert_uint_gt(num[s], 4);
	ck_assert_int_eq(reason_stage(REASON_NO_MAPPING), REASON_STAGE_NAT);
	ck_assert_str_eq(reason_stage_name(REASON_STAGE_MOVE), "move");
	ck_assert_str_eq(reason_stage_name(REASON_STAGE_NUM), "?");
}
END_TEST

Suite *test_reason_suite(void)
{
	Suite *s = suite_create("reason");
	TCase *t = tcase_create("all");

	tcase_add_test(t, every_reason_has_a_name_of_its_own_and_a_sentence);
	tcase_add_test(t, no_reason_has_no_name);
	tcase_add_test(t, a_count_raises_its_own_counter_only);
	tcase_add_test(t, each_stage_has_its_reasons_and_they_stand_together);
	suite_add_tcase(s, t);
	return s;
}
