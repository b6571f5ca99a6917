/* SPDX-License-Identifier: MIT */
/* Tests of esp/gcm_openssl.c, against make.py. */
#include "test/unit/esp/gcm_bed.h"

START_TEST(seals_the_known_answers)
{
	gcm_bed_each(gcm_openssl(), gcm_bed_seals);
}
END_TEST

START_TEST(opens_them_and_nothing_else)
{
	gcm_bed_each(gcm_openssl(), gcm_bed_opens);
}
END_TEST

START_TEST(serves_several_threads_as_it_says)
{
	gcm_bed_each(gcm_openssl(), gcm_bed_threads);
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
	Suite *s = suite_create("gcm_openssl");
	TCase *t = tcase_create("gcm_openssl");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, seals_the_known_answers);
	tcase_add_test(t, opens_them_and_nothing_else);
	tcase_add_test(t, serves_several_threads_as_it_says);
	tcase_add_test(t, is_always_there);
	suite_add_tcase(s, t);
	return s;
}
