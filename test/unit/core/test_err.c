/* SPDX-License-Identifier: MIT */
/* Texts of error codes. */
#include "core/err.h"

#include <check.h>
#include <limits.h>
#include <string.h>

START_TEST(every_code_has_a_text_of_its_own)
{
	for (int e = HG_EAGAIN; e <= 0; e++) {
		ck_assert_str_ne(err_text(e), "unknown error");
		for (int other = HG_EAGAIN; other < e; other++)
			ck_assert_str_ne(err_text(e), err_text(other));
	}
}
END_TEST

START_TEST(what_is_no_code_is_an_unknown_error)
{
	ck_assert_str_eq(err_text(1), "unknown error");
	ck_assert_str_eq(err_text(HG_EAGAIN - 1), "unknown error");
	ck_assert_str_eq(err_text(INT_MAX), "unknown error");
	ck_assert_str_eq(err_text(-INT_MAX), "unknown error");
}
END_TEST

Suite *test_err_suite(void)
{
	Suite *s = suite_create("err");
	TCase *t = tcase_create("all");

	tcase_add_test(t, every_code_has_a_text_of_its_own);
	tcase_add_test(t, what_is_no_code_is_an_unknown_error);
	suite_add_tcase(s, t);
	return s;
}
