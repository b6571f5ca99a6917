/* SPDX-License-Identifier: MIT */
/* Tests of esp/context.c: making and unmaking contexts. */
#include <check.h>
#include <string.h>

#include "esp/esp.h"

START_TEST(setup_may_be_called_again)
{
	ck_assert_int_eq(esp_setup(), 0);
	ck_assert_int_eq(esp_setup(), 0);
}
END_TEST

START_TEST(each_suite_of_the_table_makes_a_context_in_both_directions)
{
	static const uint16_t ids[] = { 7, 8, 9, 10, 11, 12, 13 };
	struct sa_keys keys = { .enc = { 1 }, .auth = { 2 } };
	struct esp_ctx *c;

	ck_assert_int_eq(esp_setup(), 0);
	for (int i = 0; i < 14; i++) {
		ck_assert_int_eq(esp_ctx_new(ids[i / 2], &keys, 1, i % 2, &c),
				 0);
		ck_assert_ptr_nonnull(c);
		esp_ctx_free(c);
	}
}
END_TEST

START_TEST(an_unknown_suite_is_refused)
{
	struct sa_keys keys = { 0 };
	struct esp_ctx *c = (struct esp_ctx *)&keys;

	ck_assert_int_eq(esp_setup(), 0);
	for (uint16_t id = 0; id < 20; id++) {
		if (sa_suite_find(id))
			continue;
		ck_assert_int_eq(esp_ctx_new(id, &keys, 1, true, &c),
				 HG_EUNSUPP);
		ck_assert_ptr_null(c);
	}
}
END_TEST

START_TEST(a_context_of_the_other_direction_refuses)
{
	struct sa_keys keys = { 0 };
	struct esp_replay r;
	struct esp_plain plain;
	struct esp_ctx *sealer;
	struct esp_ctx *opener;
	uint8_t out[128];
	size_t len = 0;

	ck_assert_int_eq(esp_setup(), 0);
	ck_assert_int_eq(esp_ctx_new(13, &keys, 1, true, &sealer), 0);
	ck_assert_int_eq(esp_ctx_new(13, &keys, 1, false, &opener), 0);
	esp_replay_init(&r);
	ck_assert_int_eq(esp_seal(opener, 1, 6, NULL, 0, NULL, 0, out,
				  sizeof(out), &len),
			 REASON_ESP_CRYPTO);
	ck_assert_int_eq(esp_seal(sealer, 1, 6, NULL, 0, NULL, 0, out,
				  sizeof(out), &len),
			 REASON_NUM);
	ck_assert_int_eq(esp_open(sealer, &r, out, len, &plain),
			 REASON_ESP_CRYPTO);
	ck_assert_int_eq(esp_open(opener, &r, out, len, &plain), REASON_NUM);
	esp_ctx_free(sealer);
	esp_ctx_free(opener);
	esp_ctx_free(NULL);
}
END_TEST

Suite *test_context_suite(void);
Suite *test_context_suite(void)
{
	Suite *s = suite_create("context");
	TCase *t = tcase_create("context");

	tcase_add_test(t, setup_may_be_called_again);
	tcase_add_test(
		t, each_suite_of_the_table_makes_a_context_in_both_directions);
	tcase_add_test(t, an_unknown_suite_is_refused);
	tcase_add_test(t, a_context_of_the_other_direction_refuses);
	suite_add_tcase(s, t);
	return s;
}
