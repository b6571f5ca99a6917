/* SPDX-License-Identifier: MIT */
/* The table of HIP_CIPHERs. */
#include <check.h>

#include "hip/ciphers.h"

/* RFC 7401 5.2.8: 2 and 4; 1 only where a debug build has asked for it, and
 * then with nothing to draw from KEYMAT. */
START_TEST(null_is_for_debug_builds_only)
{
	const struct suite_cipher *none = suite_cipher_find(SUITE_NULL);

	ck_assert_uint_le(ciphers_num, CIPHERS_MAX);
	ck_assert_uint_eq(ciphers_num, none ? 3 : 2);
	ck_assert_ptr_nonnull(suite_cipher_find(SUITE_AES128_CBC));
	ck_assert_ptr_nonnull(suite_cipher_find(SUITE_AES256_CBC));
	if (none)
		ck_assert_uint_eq(none->key_len + none->iv_len, 0);
	for (size_t i = 0; i < ciphers_num; i++) {
		ck_assert_uint_le(ciphers[i].key_len, SUITE_KEY_MAX);
		for (size_t k = 0; k < i; k++)
			ck_assert_uint_ne(ciphers[i].id, ciphers[k].id);
	}
	ck_assert_ptr_null(suite_cipher_find(0));
	ck_assert_ptr_null(suite_cipher_find(3));
}
END_TEST

Suite *test_ciphers_suite(void);
Suite *test_ciphers_suite(void)
{
	Suite *s = suite_create("hip/ciphers");
	TCase *tc = tcase_create("ciphers");

	tcase_add_test(tc, null_is_for_debug_builds_only);
	suite_add_tcase(s, tc);
	return s;
}
