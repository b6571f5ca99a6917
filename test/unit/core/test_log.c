/* SPDX-License-Identifier: MIT */
/* The log front: level, format, bound. */
#include "core/log.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct lines {
	unsigned num;
	enum log_level level;
	char last[1024];
};

static void take(void *arg, enum log_level level, const char *line)
{
	struct lines *l = arg;

	l->num++;
	l->level = level;
	snprintf(l->last, sizeof(l->last), "%s", line);
}

START_TEST(a_line_reaches_the_sink_formatted)
{
	struct lines l = { 0 };

	log_set_sink(take, &l, LOG_LEVEL_INFO);
	log_warn("%s is %d", "answer", 42);
	ck_assert_uint_eq(l.num, 1);
	ck_assert_int_eq(l.level, LOG_LEVEL_WARN);
	ck_assert_str_eq(l.last, "answer is 42");
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(a_line_above_the_level_is_not_said)
{
	struct lines l = { 0 };

	log_set_sink(take, &l, LOG_LEVEL_WARN);
	log_info("no");
	log_debug("no");
	ck_assert_uint_eq(l.num, 0);
	log_error("yes");
	log_warn("yes");
	ck_assert_uint_eq(l.num, 2);
	log_set_sink(NULL, NULL, LOG_LEVEL_DEBUG);
	log_error("to nobody");
	ck_assert_uint_eq(l.num, 2);
}
END_TEST

START_TEST(a_long_line_is_cut_not_overrun)
{
	struct lines l = { 0 };
	char big[2000];

	memset(big, 'x', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	log_set_sink(take, &l, LOG_LEVEL_DEBUG);
	log_debug("%s", big);
	ck_assert_uint_eq(strlen(l.last), 511);
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
}
END_TEST

Suite *test_log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_line_reaches_the_sink_formatted);
	tcase_add_test(t, a_line_above_the_level_is_not_said);
	tcase_add_test(t, a_long_line_is_cut_not_overrun);
	suite_add_tcase(s, t);
	return s;
}
