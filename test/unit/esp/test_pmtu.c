/* SPDX-License-Identifier: MIT */
/* Tests of esp/pmtu.c: on paths that carry this and that. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp.h"

static const uint64_t second = UINT64_C(1000000000);

/* A path, seen once a second by its owner. */
struct way {
	struct esp_pmtu p;
	unsigned carries; /* octets; 0: nobody answers */
	uint64_t now;
	unsigned probes;
	unsigned late;
	uint64_t tokens;
};

static struct way way_of(unsigned route, unsigned most, unsigned carries)
{
	struct way w = { .carries = carries, .now = 1000 * second };

	esp_pmtu_begin(&w.p, route, most);
	return w;
}

/* One second; answers come at once. */
static void tick(struct way *w, bool used)
{
	w->late += esp_pmtu_late(&w->p, w->now);
	while (esp_pmtu_step(&w->p, used, w->now)) {
		w->probes++;
		if (w->p.sent == 1)
			w->p.token = ++w->tokens;
		ck_assert_uint_ge(w->p.probe, ESP_PMTU_BASE);
		ck_assert_uint_le(w->p.probe, w->p.most);
		/* One probe at a time. */
		ck_assert(!esp_pmtu_step(&w->p, used, w->now));
		if (w->p.probe > w->carries)
			break;
		ck_assert(esp_pmtu_ack(&w->p, w->p.token, w->now));
	}
	w->now += second;
}

static void ticks(struct way *w, unsigned n)
{
	while (n--)
		tick(w, true);
}

static void ck_is(const struct way *w, unsigned size, enum esp_pmtu_by by)
{
	ck_assert_uint_eq(w->p.size, size);
	ck_assert_str_eq(esp_pmtu_by_name(w->p.by), esp_pmtu_by_name(by));
}

START_TEST(an_ordinary_path_takes_one_probe)
{
	struct way w = way_of(1500, 1544, 1500);

	ck_is(&w, 1500, ESP_PMTU_BY_ROUTE);
	ticks(&w, 1);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
	ticks(&w, 59);
	ck_assert_uint_eq(w.probes, 1);
	/* And one more every minute. */
	for (unsigned i = 2; i < 30; i++) {
		ticks(&w, 60);
		ck_assert_uint_eq(w.probes, i);
	}
	ck_assert_uint_eq(w.late, 0);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(a_path_nobody_uses_is_left_alone)
{
	struct way w = way_of(1500, 1544, 1500);

	for (unsigned i = 0; i < 2000; i++)
		tick(&w, false);
	ck_assert_uint_eq(w.probes, 0);
	ticks(&w, 1);
	for (unsigned i = 0; i < 2000; i++)
		tick(&w, false);
	ck_assert_uint_eq(w.probes, 1);
}
END_TEST

/* The base works after three seconds; the end is near what the path has. */
START_TEST(a_black_hole_is_found_and_measured)
{
	struct way w = way_of(1500, 1544, (unsigned)_i);

	ticks(&w, 4);
	ck_assert_int_eq(w.p.by, ESP_PMTU_BY_PROBE);
	ck_assert_uint_ge(w.p.size, 1280);
	ticks(&w, 40);
	ck_assert_int_eq(w.p.by, ESP_PMTU_BY_PROBE);
	ck_assert_uint_le(w.p.size, (unsigned)_i);
	ck_assert_uint_gt(w.p.size + 8, (unsigned)_i);
	ck_assert_uint_eq(w.p.probe, 0);
}
END_TEST

START_TEST(what_a_router_says_is_tried_next_and_found_exactly)
{
	struct way w = way_of(1500, 1544, 1500);

	ticks(&w, 10);
	w.carries = 1296;
	esp_pmtu_route(&w.p, 1296, w.now);
	ticks(&w, 3);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
	ticks(&w, 1);
	ck_is(&w, 1296, ESP_PMTU_BY_PROBE);
	ticks(&w, 60);
	ck_is(&w, 1296, ESP_PMTU_BY_PROBE);
}
END_TEST

/* Without a word of anybody. */
START_TEST(a_path_that_narrows_in_silence_is_found_in_a_minute)
{
	struct way w = way_of(1500, 1544, 1500);

	ticks(&w, 10);
	w.carries = 1400;
	ticks(&w, 60);
	ck_assert_uint_le(w.p.size, 1400);
	ck_assert_int_eq(w.p.by, ESP_PMTU_BY_PROBE);
	/* And no larger one is tried each minute. */
	ticks(&w, 40);
	w.late = 0;
	ticks(&w, 400);
	ck_assert_uint_eq(w.late, 0);
}
END_TEST

/* product.md: underlay ICMP triggers a probe and never sets the value. */
START_TEST(a_forged_size_changes_nothing_that_was_probed)
{
	struct way w = way_of(1500, 1544, 1500);

	ticks(&w, 10);
	for (unsigned mtu = 0; mtu < 1500; mtu += 50) {
		esp_pmtu_route(&w.p, mtu, w.now);
		ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
		ticks(&w, 5);
		ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
	}
	ck_assert_uint_eq(w.late, 0);
}
END_TEST

START_TEST(a_size_forged_before_the_first_probe_is_outgrown)
{
	struct way w = way_of(576, 1544, 1500);

	ck_is(&w, 1280, ESP_PMTU_BY_ROUTE);
	ticks(&w, 1);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(a_peer_that_never_answers_keeps_the_routes_size)
{
	struct way w = way_of(1400, 1544, 0);

	ticks(&w, 6);
	ck_is(&w, 1400, ESP_PMTU_BY_ROUTE);
	ck_assert_uint_eq(w.probes, 6);
	ticks(&w, 590);
	ck_assert_uint_eq(w.probes, 6);
	ck_assert_uint_eq(w.late, 6);
	esp_pmtu_doubt(&w.p, w.now);
	ticks(&w, 1);
	ck_assert_uint_eq(w.probes, 6);
	/* The kernel's word is all there is. */
	esp_pmtu_route(&w.p, 1300, w.now);
	ck_is(&w, 1300, ESP_PMTU_BY_ROUTE);
	ticks(&w, 10);
	ck_is(&w, 1300, ESP_PMTU_BY_ROUTE);
	w.carries = 1500;
	ticks(&w, 1200);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(less_than_the_base_is_the_floor_until_it_is_more)
{
	struct way w = way_of(1500, 1544, 1500);

	ticks(&w, 10);
	w.carries = 1000;
	esp_pmtu_doubt(&w.p, w.now);
	ticks(&w, 6);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
	ticks(&w, 1);
	ck_is(&w, 1280, ESP_PMTU_BY_FLOOR);
	ticks(&w, 100);
	ck_is(&w, 1280, ESP_PMTU_BY_FLOOR);
	w.carries = 1500;
	ticks(&w, 40);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(one_lost_probe_is_no_news)
{
	struct way w = way_of(1500, 1544, 1500);

	ticks(&w, 10);
	for (unsigned lost = 1; lost <= 2; lost++) {
		w.carries = 0;
		esp_pmtu_doubt(&w.p, w.now);
		ticks(&w, lost);
		w.carries = 1500;
		ticks(&w, 10);
		ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
		ck_assert_uint_eq(w.p.bad, UINT16_MAX);
	}
	ck_assert_uint_eq(w.late, 3);
}
END_TEST

START_TEST(a_path_that_widens_is_used_after_ten_minutes)
{
	struct way w = way_of(1500, 1544, 1296);

	ticks(&w, 100);
	ck_assert_uint_le(w.p.size, 1296);
	w.carries = 1500;
	esp_pmtu_doubt(&w.p, w.now); /* confirms, and no more */
	ticks(&w, 10);
	ck_assert_uint_le(w.p.size, 1296);
	ticks(&w, 510);
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(a_route_that_widens_is_used_at_once)
{
	struct way w = way_of(1296, 1544, 1296);

	ticks(&w, 100);
	ck_is(&w, 1296, ESP_PMTU_BY_PROBE);
	w.carries = 1400;
	esp_pmtu_route(&w.p, 1400, w.now);
	ticks(&w, 1);
	ck_is(&w, 1400, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(nothing_is_tried_above_what_will_be_sent)
{
	struct way w = way_of(9000, 1544, 9000);

	ticks(&w, 10);
	ck_is(&w, 1544, ESP_PMTU_BY_PROBE);
	w = way_of(1500, 1444, 1500);
	ticks(&w, 10);
	ck_is(&w, 1444, ESP_PMTU_BY_PROBE);
	w = way_of(1500, 100, 1500);
	ticks(&w, 10);
	ck_is(&w, 1280, ESP_PMTU_BY_PROBE);
}
END_TEST

START_TEST(an_answer_nobody_waits_for_changes_nothing)
{
	struct way w = way_of(1500, 1544, 0);
	struct esp_pmtu before = w.p;

	ck_assert(!esp_pmtu_ack(&w.p, 0, w.now)); /* none was sent */
	ck_assert_mem_eq(&before, &w.p, sizeof(before));
	tick(&w, true);
	before = w.p;
	ck_assert(!esp_pmtu_ack(&w.p, w.p.token + 1, w.now));
	ck_assert(!esp_pmtu_ack(&w.p, 0, w.now));
	ck_assert_mem_eq(&before, &w.p, sizeof(before));
	/* The same token for all tries: a slow answer counts, once. */
	tick(&w, true);
	ck_assert_uint_eq(w.p.sent, 2);
	ck_assert(esp_pmtu_ack(&w.p, before.token, w.now));
	ck_is(&w, 1500, ESP_PMTU_BY_PROBE);
	ck_assert(!esp_pmtu_ack(&w.p, before.token, w.now));
}
END_TEST

/* Whatever happens: bounds hold, what a probe said is never above what a
 * path carried since the last look, and on a path that stays as it is the
 * search ends near it. */
START_TEST(any_history_ends_well)
{
	unsigned seed = (unsigned)_i + 1;

	srand(seed);
	for (unsigned run = 0; run < 200; run++) {
		struct way w = way_of(1200 + rand() % 400, 1300 + rand() % 300,
				      1280 + rand() % 300);
		unsigned end;

		for (unsigned i = 0; i < 60; i++) {
			switch (rand() % 6) {
			case 0:
				w.carries =
					rand() % 4 ? 1280 + rand() % 300 : 0;
				break;
			case 1:
				esp_pmtu_route(&w.p, rand() % 1600, w.now);
				break;
			case 2:
				esp_pmtu_doubt(&w.p, w.now);
				break;
			default:
				ticks(&w, rand() % 20);
			}
			ck_assert_uint_ge(w.p.size, ESP_PMTU_BASE);
			ck_assert_uint_le(w.p.size, w.p.most);
		}
		w.carries = 1280 + rand() % 300;
		ticks(&w, 1400);
		end = w.p.route > 1500 ? w.p.route : 1500;
		end = end < w.carries ? end : w.carries;
		end = end < w.p.most ? end : w.p.most;
		ck_assert_int_eq(w.p.by, ESP_PMTU_BY_PROBE);
		ck_assert_msg(w.p.size <= w.carries && w.p.size + 8u >= end,
			      "seed %u run %u: %u on %u", seed, run, w.p.size,
			      w.carries);
	}
}
END_TEST

Suite *test_pmtu_suite(void);
Suite *test_pmtu_suite(void)
{
	Suite *s = suite_create("pmtu");
	TCase *tc = tcase_create("pmtu");

	tcase_add_test(tc, an_ordinary_path_takes_one_probe);
	tcase_add_test(tc, a_path_nobody_uses_is_left_alone);
	tcase_add_loop_test(tc, a_black_hole_is_found_and_measured, 1280, 1500);
	tcase_add_test(tc, what_a_router_says_is_tried_next_and_found_exactly);
	tcase_add_test(tc, a_path_that_narrows_in_silence_is_found_in_a_minute);
	tcase_add_test(tc, a_forged_size_changes_nothing_that_was_probed);
	tcase_add_test(tc, a_size_forged_before_the_first_probe_is_outgrown);
	tcase_add_test(tc, a_peer_that_never_answers_keeps_the_routes_size);
	tcase_add_test(tc, less_than_the_base_is_the_floor_until_it_is_more);
	tcase_add_test(tc, one_lost_probe_is_no_news);
	tcase_add_test(tc, a_path_that_widens_is_used_after_ten_minutes);
	tcase_add_test(tc, a_route_that_widens_is_used_at_once);
	tcase_add_test(tc, nothing_is_tried_above_what_will_be_sent);
	tcase_add_test(tc, an_answer_nobody_waits_for_changes_nothing);
	tcase_add_loop_test(tc, any_history_ends_well, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
