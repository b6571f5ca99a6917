/* SPDX-License-Identifier: MIT */
/* ESP suites: what RFC 7402 and the cipher RFCs say of each. */
#include "core/sa.h"

#include <check.h>
#include <string.h>

START_TEST(the_suites_have_the_lengths_of_their_rfcs)
{
	const struct sa_suite *s = sa_suite_find(SA_AES128_CBC_SHA256);

	ck_assert_uint_eq(sa_enc_len(s), 16);
	ck_assert_uint_eq(s->auth_len, 32);
	ck_assert_uint_eq(s->iv_len, 16);
	ck_assert_uint_eq(s->icv_len, 16); /* RFC 4868: half of 256 bits */
	ck_assert_uint_eq(s->block, 16);
	s = sa_suite_find(SA_AES256_CBC_SHA256);
	ck_assert_uint_eq(sa_enc_len(s), 32);
	s = sa_suite_find(SA_AES128_GCM8);
	ck_assert_uint_eq(sa_enc_len(s), 20); /* RFC 4106 8.1 */
	ck_assert_uint_eq(s->icv_len, 8);
	s = sa_suite_find(SA_AES128_GCM16);
	ck_assert_uint_eq(sa_enc_len(s), 20);
	ck_assert_uint_eq(s->auth_len, 0);
	ck_assert_uint_eq(s->iv_len, 8);
	ck_assert_uint_eq(s->icv_len, 16);
	ck_assert_uint_eq(s->block, 4);
	s = sa_suite_find(SA_AES128_CCM8);
	ck_assert_uint_eq(sa_enc_len(s), 19); /* RFC 4309 7.1 */
	ck_assert_uint_eq(s->auth_len, 0);
	ck_assert_uint_eq(s->iv_len, 8);
	ck_assert_uint_eq(s->icv_len, 8);
	ck_assert_uint_eq(s->block, 4);
	s = sa_suite_find(SA_AES128_CCM16);
	ck_assert_uint_eq(sa_enc_len(s), 19);
	ck_assert_uint_eq(s->icv_len, 16);
	s = sa_suite_find(SA_NULL_SHA256);
	ck_assert_uint_eq(sa_enc_len(s), 0);
	ck_assert_uint_eq(s->auth_len, 32);
	ck_assert_uint_eq(s->iv_len, 0);
	ck_assert_uint_eq(s->icv_len, 16);
	ck_assert_uint_eq(s->block, 4); /* RFC 4303 2.4 */
}
END_TEST

START_TEST(unknown_suites_are_not_found_and_known_ones_fit_the_keys)
{
	unsigned found = 0;

	for (unsigned id = 0; id <= 65535; id++) {
		const struct sa_suite *s = sa_suite_find((uint16_t)id);

		if (!s)
			continue;
		found++;
		ck_assert_uint_eq(s->id, id);
		ck_assert_uint_le(sa_enc_len(s), SA_ENC_MAX);
		ck_assert_uint_le(s->auth_len, SA_AUTH_MAX);
	}
	ck_assert_uint_eq(found, 7);
	ck_assert_ptr_null(sa_suite_find(0));
}
END_TEST

START_TEST(a_wiped_pair_holds_nothing)
{
	struct sa_pair p;
	struct sa_pair zero;

	memset(&p, 0x5a, sizeof(p));
	memset(&zero, 0, sizeof(zero));
	sa_wipe(&p);
	ck_assert_mem_eq(&p, &zero, sizeof(p));
}
END_TEST

Suite *test_sa_suite(void)
{
	Suite *s = suite_create("sa");
	TCase *t = tcase_create("all");

	tcase_add_test(t, the_suites_have_the_lengths_of_their_rfcs);
	tcase_add_test(
		t, unknown_suites_are_not_found_and_known_ones_fit_the_keys);
	tcase_add_test(t, a_wiped_pair_holds_nothing);
	suite_add_tcase(s, t);
	return s;
}
