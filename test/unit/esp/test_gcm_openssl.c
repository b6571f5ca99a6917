/* SPDX-License-Identifier: MIT */
/* Tests of esp/gcm_openssl.c, against make.py. */
#include "test/unit/esp/gcm_bed.h"

START_TEST(seals_the_known_answers)
{
	gcm_bed_seals(gcm_openssl(), _i);
}
END_TEST

START_TEST(opens_them_and_nothing_else)
{
	gcm_bed_opens(gcm_openssl(), _i);
}
END_TEST

START_TEST(serves_several_threads_as_it_says)
{
	gcm_bed_threads(gcm_openssl(), _i);
}
END_TEST

START_TEST(is_always_there)
{
	ck_assert_ptr_nonnull(gcm_openssl());
	ck_assert_ptr_eq(gcm_openssl(), gcm_openssl());
}
END_TEST

Suite *test_gcm_openssl_suite(void)
{
	const int num = sizeof(known_esps) / sizeof(known_esps[0]);
	Suite *s = suite_create("gcm_openssl");
	TCase *t = tcase_create("gcm_openssl");

	tcase_add_loop_test(t, seals_the_known_answers, 0, num);
	tcase_add_loop_test(t, opens_them_and_nothing_else, 0, num);
	tcase_add_loop_test(t, serves_several_threads_as_it_says, 0, num);
	tcase_add_test(t, is_always_there);
	suite_add_tcase(s, t);
	return s;
}
