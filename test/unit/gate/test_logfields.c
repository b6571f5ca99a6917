/* SPDX-License-Identifier: MIT */
/* Lines of the log as fields, and back; how often one may be said. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "cmd/hipgated/logfields.h"
#include "cmd/hipgated/loglimit.h"

#define S UINT64_C(1000000000)

START_TEST(what_is_added_is_read_again)
{
	static const char *const values[] = {
		"2001:22::1", "",	    "two words",
		"a=b",	      "say \"no\"", "back\\slash",
	};
	struct logfield f;

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		char line[256] = "event=x";
		const char *at = line;

		logfields_add(line, sizeof(line), "peer", values[i]);
		logfields_add(line, sizeof(line), "last", "1");
		ck_assert(logfields_next(&at, &f));
		ck_assert_str_eq(f.key, "event");
		ck_assert(logfields_next(&at, &f));
		ck_assert_str_eq(f.key, "peer");
		ck_assert_str_eq(f.value, values[i]);
		ck_assert(logfields_next(&at, &f));
		ck_assert_str_eq(f.value, "1");
		ck_assert(!logfields_next(&at, &f));
	}
}
END_TEST

/* However small the room, the line stays one, and a value is no field. */
START_TEST(what_does_not_fit_is_cut)
{
	char line[64];

	for (size_t cap = 8; cap < 40; cap++) {
		const char *at = line;
		struct logfield f;
		unsigned num = 0;

		strcpy(line, "event=x");
		logfields_add(line, cap, "name", "a\" peer=b \\ \"c");
		ck_assert_uint_lt(strlen(line), cap);
		while (logfields_next(&at, &f)) {
			num++;
			ck_assert_str_ne(f.key, "peer");
		}
		ck_assert_uint_ge(num, 1);
	}
}
END_TEST

START_TEST(words_that_are_no_fields_are_passed_over)
{
	const char *at = "no =x Key=1 a=\"open b=2";
	struct logfield f;

	ck_assert(logfields_next(&at, &f));
	ck_assert_str_eq(f.key, "a");
	ck_assert_str_eq(f.value, "open b=2"); /* its quote never ends */
	ck_assert(!logfields_next(&at, &f));
}
END_TEST

START_TEST(a_line_has_a_name)
{
	char name[12];

	logfields_event("event=hip-failed peer=x", name, sizeof(name));
	ck_assert_str_eq(name, "hip-failed");
	logfields_event("event=far-too-long-for-it", name, sizeof(name));
	ck_assert_str_eq(name, "far-too-lon");
	logfields_event("disk: 7 left", name, sizeof(name));
	ck_assert_str_eq(name, "disk");
}
END_TEST

static bool pass(struct loglimit *l, const char *event, enum log_level level,
		 uint64_t now, uint64_t *held)
{
	return loglimit_pass(l, event, LOG_SUB_DNS, level, now, held);
}

START_TEST(a_burst_passes_then_one_at_a_time_and_the_rest_is_counted)
{
	static struct loglimit l;
	uint64_t now = 100 * S;
	uint64_t held;

	memset(&l, 0, sizeof(l));
	for (unsigned i = 0; i < LOGLIMIT_BURST; i++)
		ck_assert(pass(&l, "a", LOG_LEVEL_WARN, now, &held));
	for (unsigned i = 0; i < 7; i++)
		ck_assert(!pass(&l, "a", LOG_LEVEL_WARN, now, &held));
	ck_assert(pass(&l, "b", LOG_LEVEL_WARN, now, &held)); /* another */
	ck_assert(!pass(&l, "a", LOG_LEVEL_WARN, now + LOGLIMIT_EACH_NS - 1,
			&held));
	ck_assert(pass(&l, "a", LOG_LEVEL_WARN, now + LOGLIMIT_EACH_NS, &held));
	ck_assert_uint_eq(held, 8);
	ck_assert(
		!pass(&l, "a", LOG_LEVEL_WARN, now + LOGLIMIT_EACH_NS, &held));
	/* who is asked for detail gives it, in a bucket of its own */
	for (unsigned i = 0; i < LOGLIMIT_DEBUG; i++)
		ck_assert(pass(&l, "a", LOG_LEVEL_DEBUG, now, &held));
	ck_assert(!pass(&l, "a", LOG_LEVEL_DEBUG, now, &held));
}
END_TEST

START_TEST(what_was_held_is_told_even_if_nothing_comes)
{
	static struct loglimit l;
	uint64_t held = 0;
	const struct loglimit_bucket *b;

	memset(&l, 0, sizeof(l));
	for (unsigned i = 0; i < LOGLIMIT_BURST + 3; i++)
		(void)pass(&l, "a", LOG_LEVEL_WARN, S, &held);
	ck_assert_ptr_null(loglimit_due(&l, 2 * S, &held));
	b = loglimit_due(&l, S + LOGLIMIT_EACH_NS, &held);
	ck_assert_ptr_nonnull(b);
	ck_assert_str_eq(b->event, "a");
	ck_assert_uint_eq(held, 3);
	ck_assert_ptr_null(loglimit_due(&l, UINT64_MAX, &held));
}
END_TEST

START_TEST(more_names_than_there_is_room_for_share_the_last)
{
	static struct loglimit l;
	uint64_t held;
	char name[16];
	unsigned passed = 0;

	memset(&l, 0, sizeof(l));
	for (unsigned i = 0; i < 10 * LOGLIMIT_EVENTS; i++) {
		(void)snprintf(name, sizeof(name), "e%u", i);
		passed += pass(&l, name, LOG_LEVEL_WARN, S, &held);
	}
	ck_assert_uint_eq(l.num, LOGLIMIT_EVENTS);
	ck_assert_uint_eq(passed, LOGLIMIT_EVENTS - 1 + LOGLIMIT_BURST);
}
END_TEST

Suite *test_logfields_suite(void);
Suite *test_logfields_suite(void)
{
	Suite *s = suite_create("logfields");
	TCase *t = tcase_create("all");

	tcase_add_test(t, what_is_added_is_read_again);
	tcase_add_test(t, what_does_not_fit_is_cut);
	tcase_add_test(t, words_that_are_no_fields_are_passed_over);
	tcase_add_test(t, a_line_has_a_name);
	tcase_add_test(
		t, a_burst_passes_then_one_at_a_time_and_the_rest_is_counted);
	tcase_add_test(t, what_was_held_is_told_even_if_nothing_comes);
	tcase_add_test(t, more_names_than_there_is_room_for_share_the_last);
	suite_add_tcase(s, t);
	return s;
}
