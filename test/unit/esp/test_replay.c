/* SPDX-License-Identifier: MIT */
/* Tests of esp/replay.c, against a twin that remembers every number. */
#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "esp/esp.h"

/* The stupid twin: a list of all numbers ever accepted. */
struct twin {
	uint64_t base; /* numbers are base .. base + TWIN_SPAN - 1 */
	uint64_t top;
	uint8_t *seen;
};
enum { TWIN_SPAN = 1 << 20 };

static bool twin_check(const struct twin *t, uint64_t seq)
{
	if (seq == 0 || (seq <= t->top && t->top - seq >= ESP_WINDOW))
		return false;
	return !t->seen[seq - t->base];
}

static void twin_commit(struct twin *t, uint64_t seq)
{
	t->seen[seq - t->base] = 1;
	if (seq > t->top)
		t->top = seq;
}

/* Steps of all sizes: mostly near the top, now and then far ahead, and old
 * ones from every part of the window and just beside it. */
static uint64_t next_seq(const struct twin *t)
{
	static const uint32_t reach[] = {
		2, 64, 130, ESP_WINDOW - 1, ESP_WINDOW + 130, 3 * ESP_WINDOW
	};
	uint32_t span = reach[rand() % 6];
	uint32_t step = (uint32_t)rand() % (span + 1);
	bool back = rand() % 3 != 0;

	if (span == 3 * ESP_WINDOW && rand() % 20)
		step %= 5;
	if (!back)
		return t->top + step;
	return t->top - t->base > step ? t->top - step : t->base + 1;
}

static void against_twin(uint64_t base)
{
	struct esp_replay r;
	struct twin t = { .base = base, .top = base };
	unsigned seed = randombytes_random();
	unsigned taken = 0;

	t.seen = calloc(1, TWIN_SPAN);
	ck_assert_ptr_nonnull(t.seen);
	printf("replay seed %u\n", seed);
	srand(seed);
	esp_replay_init(&r);
	if (base)
		esp_replay_commit(&r, base);
	t.seen[0] = base != 0;
	for (int i = 0; i < 100000; i++) {
		uint64_t seq = next_seq(&t);
		bool want;

		if (seq - base >= TWIN_SPAN)
			break;
		want = twin_check(&t, seq);
		ck_assert_msg(esp_replay_check(&r, seq) == want,
			      "seed %u step %d seq %llu top %llu", seed, i,
			      (unsigned long long)seq,
			      (unsigned long long)t.top);
		/* Within reach of the window the low half is enough. */
		ck_assert_uint_eq(esp_replay_infer(&r, (uint32_t)seq),
				  t.top < ESP_WINDOW || seq + ESP_WINDOW > t.top
					  ? seq
					  : seq + ((uint64_t)1 << 32));
		if (want && rand() % 8) {
			esp_replay_commit(&r, seq);
			twin_commit(&t, seq);
			taken++;
		}
		ck_assert_uint_eq(r.top, t.top);
	}
	ck_assert_uint_gt(taken, 1000);
	free(t.seen);
}

START_TEST(equals_the_twin_from_the_start)
{
	against_twin(0);
}
END_TEST

START_TEST(equals_the_twin_across_the_wrap_of_the_low_half)
{
	against_twin(((uint64_t)1 << 32) - 40000);
}
END_TEST

START_TEST(rejects_zero_and_the_same_sequence_twice)
{
	struct esp_replay r;

	esp_replay_init(&r);
	ck_assert(!esp_replay_check(&r, 0));
	ck_assert(esp_replay_check(&r, 1));
	ck_assert(esp_replay_check(&r, 1)); /* checking changes nothing */
	esp_replay_commit(&r, 1);
	ck_assert(!esp_replay_check(&r, 1));
	ck_assert(esp_replay_check(&r, 2));
}
END_TEST

START_TEST(window_is_8192_wide_to_the_number)
{
	struct esp_replay r;

	ck_assert_int_eq(ESP_WINDOW, 8192);
	for (uint64_t top = 100000; top < 100130; top++) {
		esp_replay_init(&r);
		esp_replay_commit(&r, top);
		ck_assert(esp_replay_check(&r, top - 8191));
		ck_assert(!esp_replay_check(&r, top - 8192));
		esp_replay_commit(&r, top - 8191);
		ck_assert(!esp_replay_check(&r, top - 8191));
		ck_assert(esp_replay_check(&r, top - 8190));
		/* too old to be stored: must not mark a newer number */
		esp_replay_commit(&r, top - 8192 - 64);
		ck_assert(esp_replay_check(&r, top - 8190));
		ck_assert(esp_replay_check(&r, top + 1));
	}
}
END_TEST

START_TEST(a_jump_of_any_size_forgets_only_what_left_the_window)
{
	for (uint64_t jump = 1; jump < 40000; jump += 61) {
		struct esp_replay r;

		esp_replay_init(&r);
		for (uint64_t s = 1; s <= 8192; s++)
			esp_replay_commit(&r, s);
		esp_replay_commit(&r, 8192 + jump);
		for (uint64_t s = 8192 + jump - 8191; s < 8192 + jump; s++)
			ck_assert(esp_replay_check(&r, s) == (s > 8192));
	}
}
END_TEST

/* RFC 4303 A2.2 by hand. */
START_TEST(infers_the_high_half_on_both_sides_of_a_wrap)
{
	const uint64_t wrap = (uint64_t)1 << 32;
	struct esp_replay r;

	esp_replay_init(&r);
	ck_assert_uint_eq(esp_replay_infer(&r, 1), 1);
	ck_assert_uint_eq(esp_replay_infer(&r, UINT32_MAX), UINT32_MAX);

	esp_replay_commit(&r, 5 * wrap - 10); /* case A, just before */
	ck_assert_uint_eq(esp_replay_infer(&r, 3), 5 * wrap + 3);
	ck_assert_uint_eq(esp_replay_infer(&r, UINT32_MAX), 5 * wrap - 1);
	ck_assert_uint_eq(esp_replay_infer(&r, (uint32_t)(0 - 10 - 8191)),
			  5 * wrap - 10 - 8191);
	ck_assert_uint_eq(esp_replay_infer(&r, (uint32_t)(0 - 10 - 8192)),
			  6 * wrap - 10 - 8192);

	esp_replay_commit(&r, 5 * wrap + 10); /* case B, just after */
	ck_assert_uint_eq(esp_replay_infer(&r, UINT32_MAX), 5 * wrap - 1);
	ck_assert_uint_eq(esp_replay_infer(&r, (uint32_t)(10 - 8191)),
			  5 * wrap + 10 - 8191);
	ck_assert_uint_eq(esp_replay_infer(&r, (uint32_t)(10 - 8192)),
			  6 * wrap + 10 - 8192);
	ck_assert_uint_eq(esp_replay_infer(&r, 11), 5 * wrap + 11);

	esp_replay_commit(&r, 5 * wrap + 8190); /* last of case B */
	ck_assert_uint_eq(esp_replay_infer(&r, UINT32_MAX), 5 * wrap - 1);
	esp_replay_commit(&r, 5 * wrap + 8191); /* first of case A */
	ck_assert_uint_eq(esp_replay_infer(&r, UINT32_MAX), 6 * wrap - 1);
	ck_assert_uint_eq(esp_replay_infer(&r, 0), 5 * wrap);
}
END_TEST

START_TEST(nothing_is_accepted_past_the_end_of_the_sequence_space)
{
	struct esp_replay r;

	esp_replay_init(&r);
	esp_replay_commit(&r, UINT64_MAX - 5);
	ck_assert(esp_replay_check(&r, UINT64_MAX));
	esp_replay_commit(&r, UINT64_MAX);
	ck_assert(!esp_replay_check(&r, esp_replay_infer(&r, 0)));
	ck_assert(!esp_replay_check(&r, esp_replay_infer(&r, 7)));
	ck_assert(esp_replay_check(&r, UINT64_MAX - 4));
}
END_TEST

Suite *test_replay_suite(void);
Suite *test_replay_suite(void)
{
	Suite *s = suite_create("replay");
	TCase *t = tcase_create("replay");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, equals_the_twin_from_the_start);
	tcase_add_test(t, equals_the_twin_across_the_wrap_of_the_low_half);
	tcase_add_test(t, rejects_zero_and_the_same_sequence_twice);
	tcase_add_test(t, window_is_8192_wide_to_the_number);
	tcase_add_test(t, a_jump_of_any_size_forgets_only_what_left_the_window);
	tcase_add_test(t, infers_the_high_half_on_both_sides_of_a_wrap);
	tcase_add_test(t,
		       nothing_is_accepted_past_the_end_of_the_sequence_space);
	suite_add_tcase(s, t);
	return s;
}
