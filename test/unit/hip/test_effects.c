/* SPDX-License-Identifier: MIT */
/* The queue of effects: order, and what goes when it is full. */
#include <check.h>
#include <string.h>

#include "hip/effects.h"

START_TEST(effects_come_out_in_the_order_they_were_put)
{
	struct effects fx = { 0 };
	struct hip_effect e;

	for (unsigned i = 0; i < 100; i++) {
		uint8_t msg[3] = { (uint8_t)i, 2, 3 };

		if (i % 3 == 0)
			effects_put(&fx, HIP_DROPPED)->lifetime_s = i;
		else if (i % 3 == 1)
			effects_put(&fx, HIP_CHANGED)->lifetime_s = i;
		else
			effects_send(&fx, msg, 3)->lifetime_s = i;
	}
	for (unsigned i = 0; i < 100; i++) {
		ck_assert(effects_take(&fx, &e));
		ck_assert_uint_eq(e.lifetime_s, i);
		if (e.kind == HIP_SEND)
			ck_assert_uint_eq(e.msg[0], i);
	}
	ck_assert(!effects_take(&fx, &e));
	effects_fini(&fx);
}
END_TEST

START_TEST(too_many_traces_cost_the_oldest_trace_and_nothing_else)
{
	struct effects fx = { 0 };
	struct hip_effect e;
	unsigned traces = 0;
	unsigned sends = 0;
	uint8_t msg = 7;

	for (uint32_t i = 0; i < EFFECTS_TRACES_MAX + 10; i++) {
		if (i % 100 == 0)
			effects_send(&fx, &msg, 1);
		effects_put(&fx, i % 2 ? HIP_SEEN : HIP_DROPPED)->lifetime_s =
			i;
	}
	while (effects_take(&fx, &e)) {
		if (e.kind == HIP_SEND) {
			sends++;
			continue;
		}
		ck_assert_uint_eq(e.lifetime_s, traces + 10);
		traces++;
	}
	ck_assert_uint_eq(traces, EFFECTS_TRACES_MAX);
	ck_assert_uint_eq(sends, 11);
	effects_fini(&fx);
}
END_TEST

START_TEST(what_was_taken_stays_readable_until_the_next_is)
{
	struct effects fx = { 0 };
	struct hip_effect e;

	effects_send(&fx, (const uint8_t *)"abc", 3);
	ck_assert(effects_take(&fx, &e));
	effects_send(&fx, (const uint8_t *)"xyz", 3);
	ck_assert_mem_eq(e.msg, "abc", 3);
	effects_fini(&fx);
}
END_TEST

Suite *test_effects_suite(void)
{
	Suite *s = suite_create("effects");
	TCase *t = tcase_create("effects");

	tcase_add_test(t, effects_come_out_in_the_order_they_were_put);
	tcase_add_test(t,
		       too_many_traces_cost_the_oldest_trace_and_nothing_else);
	tcase_add_test(t, what_was_taken_stays_readable_until_the_next_is);
	suite_add_tcase(s, t);
	return s;
}
