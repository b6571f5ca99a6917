/* SPDX-License-Identifier: MIT */
/* An answer that is near is waited for awake; one that is not is not. */
#include "cmd/hipgated/vigil.h"

#include <check.h>
#include <unistd.h>

static struct vigil v;
static int ends[2];

static void setup(void)
{
	v = (struct vigil){ 0 };
	ck_assert_int_eq(pipe(ends), 0);
}

static void teardown(void)
{
	close(ends[0]);
	close(ends[1]);
}

static bool keep(void)
{
	struct pollfd p = { .fd = ends[0], .events = POLLIN };

	return vigil_keep(&v, &p);
}

static void answer(void)
{
	ck_assert_int_eq(write(ends[1], "a", 1), 1);
}

static void hear(void)
{
	char c;

	ck_assert_int_eq(read(ends[0], &c, 1), 1);
}

/* Questions that have no vigil before the next that has one. */
static unsigned passed(void)
{
	unsigned n = 0;

	for (vigil_want(&v); !v.wanted; vigil_want(&v))
		n++;
	return n;
}

START_TEST(without_a_question_there_is_none)
{
	answer();
	ck_assert(!keep());
	ck_assert_uint_eq(v.lost, 0);
}
END_TEST

START_TEST(what_is_there_is_seen_and_each_question_has_one)
{
	for (unsigned i = 0; i < 5; i++) {
		ck_assert_uint_eq(passed(), 0);
		answer();
		ck_assert(keep());
		vigil_answered(&v);
		hear();
		ck_assert(!keep()); /* one for each question */
	}
}
END_TEST

START_TEST(lost_ones_become_rare_and_no_rarer_than_that)
{
	static const unsigned want[] = { 0,  1,	  3,   7,   15,	  31,
					 63, 127, 255, 511, 1023, 1023 };

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_uint_eq(passed(), want[i]);
		ck_assert(!keep());
	}
}
END_TEST

START_TEST(one_that_was_worth_it_makes_up_for_all)
{
	for (unsigned i = 0; i < 4; i++) {
		(void)passed();
		ck_assert(!keep());
	}
	ck_assert_uint_eq(passed(), 15);
	answer();
	ck_assert(keep());
	vigil_answered(&v);
	ck_assert_uint_eq(passed(), 0);
}
END_TEST

/* A busy loop has always something: that is no near server. */
START_TEST(one_that_something_else_ended_is_lost)
{
	answer();
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_uint_eq(passed(), (1U << i) - 1);
		ck_assert(keep());
	}
	vigil_want(&v);
	ck_assert_uint_eq(v.lost, 3);
	vigil_answered(&v); /* long after */
	ck_assert_uint_eq(v.lost, 3);
}
END_TEST

Suite *test_vigil_suite(void)
{
	Suite *s = suite_create("vigil");
	TCase *tc = tcase_create("vigil");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, without_a_question_there_is_none);
	tcase_add_test(tc, what_is_there_is_seen_and_each_question_has_one);
	tcase_add_test(tc, lost_ones_become_rare_and_no_rarer_than_that);
	tcase_add_test(tc, one_that_was_worth_it_makes_up_for_all);
	tcase_add_test(tc, one_that_something_else_ended_is_lost);
	suite_add_tcase(s, tc);
	return s;
}
