/* SPDX-License-Identifier: MIT */
/* Tests of esp/sizes.c: what fits into a link. */
#include <check.h>

#include "esp/esp.h"

static const uint16_t suites[] = { 7, 8, 9, 10, 11, 12, 13 };

enum { LINK = 1500, OUTER4 = 20 + 8, OUTER6 = 40 + 8 };

/* The figures the product promises for a 1500-octet link. */
START_TEST(a_1500_octet_link_carries_what_the_product_page_says)
{
	const struct sa_suite *gcm = sa_suite_find(SA_AES128_GCM16);
	const struct sa_suite *cbc = sa_suite_find(SA_AES128_CBC_SHA256);

	ck_assert_uint_eq(esp_plain_max(gcm, LINK - OUTER4), 1438);
	ck_assert_uint_eq(esp_plain_max(gcm, LINK - OUTER6), 1418);
	ck_assert_uint_eq(esp_plain_max(cbc, LINK - OUTER4), 1422);
	ck_assert_uint_eq(esp_plain_max(cbc, LINK - OUTER6), 1406);
}
END_TEST

START_TEST(plain_max_is_the_inverse_of_wire_len)
{
	const struct sa_suite *s = sa_suite_find(suites[_i]);
	size_t least = esp_wire_len(s, 1);

	for (size_t wire = 0; wire < 4000; wire++) {
		size_t max = esp_plain_max(s, wire);

		if (wire < least) {
			ck_assert_uint_eq(max, 0);
			continue;
		}
		ck_assert_uint_gt(max, 0);
		ck_assert_uint_le(esp_wire_len(s, max), wire);
		ck_assert_uint_gt(esp_wire_len(s, max + 1), wire);
	}
}
END_TEST

START_TEST(overhead_never_exceeds_its_stated_bound)
{
	const struct sa_suite *s = sa_suite_find(suites[_i]);

	for (size_t plain = 0; plain < 2000; plain++) {
		size_t wire = esp_wire_len(s, plain);
		size_t text = wire - ESP_HDR - s->iv_len - s->icv_len;

		ck_assert_uint_le(wire - plain, ESP_OVERHEAD_MAX);
		ck_assert_uint_eq(text % s->block, 0);
		ck_assert_uint_ge(text, plain + 2);
		ck_assert_uint_lt(text, plain + 2 + s->block);
	}
}
END_TEST

Suite *test_sizes_suite(void);
Suite *test_sizes_suite(void)
{
	Suite *s = suite_create("sizes");
	TCase *t = tcase_create("sizes");

	tcase_add_test(t, a_1500_octet_link_carries_what_the_product_page_says);
	tcase_add_loop_test(t, plain_max_is_the_inverse_of_wire_len, 0, 7);
	tcase_add_loop_test(t, overhead_never_exceeds_its_stated_bound, 0, 7);
	suite_add_tcase(s, t);
	return s;
}
