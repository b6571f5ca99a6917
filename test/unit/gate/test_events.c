/* SPDX-License-Identifier: MIT */
/* The event ring: JSON lines, oldest first, the newest EVENTS_KEPT. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "cmd/hipgated/events.h"
#include "core/log.h"

static struct events ev;

struct seen {
	unsigned num;
	json_int_t first, last;
};

static void on_line(void *arg, const char *line)
{
	struct seen *s = arg;
	json_t *o = json_loads(line, 0, NULL);
	json_int_t n = json_integer_value(json_object_get(o, "n"));

	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(line[strlen(line) - 1], '\n');
	if (!s->num++)
		s->first = n;
	s->last = n;
	json_decref(o);
}

START_TEST(event_carries_step_name_fields_and_text)
{
	json_t *o;

	events_init(&ev, "proxy");
	events_add(&ev, uv_hrtime(), "H.1", "mapping-locator",
		   json_pack("{s:s}", "hit", "2001:22::1"), "a \"%s\"", "b");
	o = json_loads(ev.line[0], 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(o, "step")), "H.1");
	ck_assert_str_eq(json_string_value(json_object_get(o, "role")),
			 "proxy");
	ck_assert_str_eq(json_string_value(json_object_get(o, "hit")),
			 "2001:22::1");
	ck_assert_str_eq(json_string_value(json_object_get(o, "text")),
			 "a \"b\"");
	ck_assert(json_real_value(json_object_get(o, "t")) > 1.7e9);
	json_decref(o);
	events_fini(&ev);
}
END_TEST

START_TEST(ring_keeps_the_newest_in_order_and_tells_followers)
{
	struct seen all = { 0 };
	struct seen told = { 0 };
	json_int_t total = EVENTS_KEPT + 10;

	events_init(&ev, "proxy");
	ev.follow = on_line;
	ev.follow_arg = &told;
	for (json_int_t n = 0; n < total; n++)
		events_add(&ev, uv_hrtime(), "", "x",
			   json_pack("{s:I}", "n", n), "x");
	events_each(&ev, on_line, &all);
	ck_assert_uint_eq(all.num, EVENTS_KEPT);
	ck_assert_int_eq(all.first, 10);
	ck_assert_int_eq(all.last, total - 1);
	ck_assert_uint_eq(told.num, (unsigned)total);
	events_fini(&ev);
}
END_TEST

/* Clients could write over all else in the ring. */
START_TEST(a_second_has_room_for_so_many_events_of_dns)
{
	unsigned made = 0;
	uint64_t now = 5000000000;

	events_init(&ev, "proxy");
	for (unsigned n = 0; n < 2 * EVENTS_DNS; n++)
		events_add(&ev, now + n, "A", "dns-query",
			   (made++, json_object()), "x");
	ck_assert_uint_eq(made, EVENTS_DNS);
	ck_assert_uint_eq(ev.next, EVENTS_DNS);
	events_add(&ev, now, "D", "mapping", (made++, json_object()), "x");
	ck_assert_uint_eq(made, EVENTS_DNS);
	/* others are not of them, and the next second has room again */
	events_add(&ev, now, "G", "hip-send", NULL, "x");
	events_add(&ev, now, "H.1", "mapping-locator", NULL, "x");
	events_add(&ev, now + 1000000000, "E", "dns-reply", NULL, "x");
	ck_assert_uint_eq(ev.next, EVENTS_DNS + 2);
	events_add(&ev, now + 1000000001, "E", "dns-reply", NULL, "x");
	ck_assert_uint_eq(ev.next, EVENTS_DNS + 3);
	events_fini(&ev);
}
END_TEST

struct said {
	unsigned num;
	enum log_sub sub;
	enum log_level level;
	char line[1024];
};

static void hear(void *arg, enum log_sub sub, enum log_level level,
		 const char *line)
{
	struct said *s = arg;

	s->num++;
	s->sub = sub;
	s->level = level;
	(void)snprintf(s->line, sizeof(s->line), "%s", line);
}

START_TEST(an_event_is_one_line_of_the_log_at_its_level)
{
	struct said s = { 0 };

	events_init(&ev, "proxy");
	log_set_sink(hear, &s, LOG_LEVEL_INFO);
	events_add(&ev, uv_hrtime(), "", "hip-failed",
		   json_pack("{s:s,s:i,s:b,s:[s],s:s}", "peer", "2001:22::1",
			     "n", 7, "yes", 1, "list", "x", "empty", ""),
		   "says \"%s\"", "no");
	ck_assert_uint_eq(s.num, 1);
	ck_assert_int_eq(s.sub, LOG_SUB_HIP);
	ck_assert_int_eq(s.level, LOG_LEVEL_WARN);
	ck_assert_str_eq(s.line, "event=hip-failed peer=2001:22::1 n=7 yes=yes "
				 "text=\"says \\\"no\\\"\"");
	events_add(&ev, uv_hrtime(), "A", "dns-query", NULL, "quiet");
	ck_assert_uint_eq(s.num, 1);
	log_set_level(LOG_SUB_DNS, LOG_LEVEL_DEBUG);
	events_add(&ev, uv_hrtime(), "A", "dns-query", NULL, "loud");
	ck_assert_uint_eq(s.num, 2);
	ck_assert_int_eq(s.sub, LOG_SUB_DNS);
	ck_assert_int_eq(s.level, LOG_LEVEL_DEBUG);
	ck_assert_str_eq(s.line, "event=dns-query step=A text=loud");
	log_set_sink(NULL, NULL, LOG_LEVEL_INFO);
	events_fini(&ev);
}
END_TEST

Suite *test_events_suite(void);
Suite *test_events_suite(void)
{
	Suite *s = suite_create("events");
	TCase *tc = tcase_create("events");

	tcase_add_test(tc, event_carries_step_name_fields_and_text);
	tcase_add_test(tc, ring_keeps_the_newest_in_order_and_tells_followers);
	tcase_add_test(tc, a_second_has_room_for_so_many_events_of_dns);
	tcase_add_test(tc, an_event_is_one_line_of_the_log_at_its_level);
	suite_add_tcase(s, tc);
	return s;
}
