/* SPDX-License-Identifier: MIT */
/* The log front: level, format, bound. */
#include "core/log.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct lines {
	unsigned num;
	enum log_sub sub;
	enum log_level level;
	char last[2048];
};

static void take(void *arg, enum log_sub sub, enum log_level level,
		 const char *line)
{
	struct lines *l = arg;

	l->num++;
	l->sub = sub;
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
	ck_assert_uint_eq(strlen(l.last), 1023);
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(each_subsystem_has_a_level_of_its_own)
{
	struct lines l = { 0 };

	log_set_sink(take, &l, LOG_LEVEL_WARN);
	log_set_level(LOG_SUB_DNS, LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_get_level(LOG_SUB_DNS), LOG_LEVEL_DEBUG);
	ck_assert_int_eq(log_get_level(LOG_SUB_HIP), LOG_LEVEL_WARN);
	ck_assert(log_wants(LOG_SUB_DNS, LOG_LEVEL_DEBUG));
	ck_assert(!log_wants(LOG_SUB_HIP, LOG_LEVEL_INFO));
	log_line(LOG_SUB_HIP, LOG_LEVEL_INFO, "no");
	ck_assert_uint_eq(l.num, 0);
	log_line(LOG_SUB_DNS, LOG_LEVEL_DEBUG, "yes");
	ck_assert_uint_eq(l.num, 1);
	ck_assert_int_eq(l.sub, LOG_SUB_DNS);
	log_error("of no other");
	ck_assert_int_eq(l.sub, LOG_SUB_CONTROL);
	log_set_sink(NULL, NULL, LOG_LEVEL_DEBUG);
	ck_assert(!log_wants(LOG_SUB_DNS, LOG_LEVEL_ERROR));
	ck_assert_int_eq(log_get_level(LOG_SUB_HIP), LOG_LEVEL_DEBUG);
}
END_TEST

START_TEST(what_strangers_say_begins_no_line)
{
	struct lines l = { 0 };

	log_set_sink(take, &l, LOG_LEVEL_INFO);
	log_info("name=%s", "a\nlevel=error\r\033[31m\x7f b");
	ck_assert_str_eq(l.last, "name=a?level=error??[31m? b");
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
}
END_TEST

START_TEST(names_are_the_tables)
{
	ck_assert_str_eq(log_level_name(LOG_LEVEL_WARN), "warn");
	ck_assert_str_eq(log_level_name(LOG_LEVEL_NUM), "?");
	ck_assert_str_eq(log_sub_name(LOG_SUB_JOURNAL), "journal");
	ck_assert_str_eq(log_sub_name(LOG_SUB_NUM), "?");
}
END_TEST

Suite *test_log_suite(void)
{
	Suite *s = suite_create("log");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_line_reaches_the_sink_formatted);
	tcase_add_test(t, a_line_above_the_level_is_not_said);
	tcase_add_test(t, a_long_line_is_cut_not_overrun);
	tcase_add_test(t, each_subsystem_has_a_level_of_its_own);
	tcase_add_test(t, what_strangers_say_begins_no_line);
	tcase_add_test(t, names_are_the_tables);
	suite_add_tcase(s, t);
	return s;
}
