/* SPDX-License-Identifier: MIT */
/* A thread is held to the waker's CPU for one wake-up, and no longer. */
#include "cmd/hipgated/handoff.h"

#include <check.h>
#include <limits.h>
#include <pthread.h>

static struct handoff h;
static cpu_set_t all;

static unsigned cpus(void)
{
	cpu_set_t now;

	ck_assert_int_eq(sched_getaffinity(0, sizeof(now), &now), 0);
	return (unsigned)CPU_COUNT(&now);
}

static void *here(void *arg)
{
	(void)arg;
	handoff_here(&h);
	return NULL;
}

/* From another thread, to its end. */
static void hand_over(void)
{
	pthread_t t;

	ck_assert_int_eq(pthread_create(&t, NULL, here, NULL), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
}

/* Somebody else holds this thread to one CPU. */
static void narrow(void)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
}

static void setup(void)
{
	h = (struct handoff){ .state = HANDOFF_OFF };
	ck_assert_int_eq(sched_getaffinity(0, sizeof(all), &all), 0);
}

static void teardown(void)
{
	ck_assert_int_eq(sched_setaffinity(0, sizeof(all), &all), 0);
}

START_TEST(who_sleeps_is_held_to_one_cpu_until_it_wakes)
{
	unsigned many = cpus();

	handoff_init(&h);
	handoff_sleeps(&h);
	hand_over();
	ck_assert_uint_eq(cpus(), 1);
	handoff_wakes(&h);
	ck_assert_uint_eq(cpus(), many);
	/* And that is all: the next wake-up leaves it as it is. */
	narrow();
	handoff_sleeps(&h);
	handoff_wakes(&h);
	ck_assert_uint_eq(cpus(), 1);
}
END_TEST

/* For years. */
START_TEST(sleeps_are_counted_round)
{
	unsigned many = cpus();

	handoff_init(&h);
	h.sleeps = UINT_MAX / HANDOFF_SLEEP - 2;
	for (unsigned i = 0; i < 6; i++) {
		handoff_sleeps(&h);
		hand_over();
		ck_assert_uint_eq(cpus(), 1);
		handoff_wakes(&h);
		ck_assert_uint_eq(cpus(), many);
	}
}
END_TEST

START_TEST(who_is_awake_is_left_alone)
{
	unsigned many = cpus();

	handoff_init(&h);
	hand_over();
	ck_assert_uint_eq(cpus(), many);
	handoff_sleeps(&h);
	handoff_wakes(&h);
	hand_over();
	ck_assert_uint_eq(cpus(), many);
}
END_TEST

static void *end(void *arg)
{
	handoff_end(&h, *(const unsigned *)arg);
	return NULL;
}

/* It has woken meanwhile; it sleeps again; another one is about to wake it. */
START_TEST(what_comes_too_late_undoes_itself)
{
	unsigned many = cpus();
	unsigned begun;
	unsigned other = 0;
	pthread_t t;

	handoff_init(&h);
	handoff_sleeps(&h);
	begun = handoff_begin(&h);
	ck_assert_uint_ne(begun, 0);
	ck_assert_uint_eq(handoff_begin(&h), 0); /* one is enough */
	handoff_wakes(&h);
	ck_assert_uint_eq(handoff_begin(&h), 0);
	if (_i > 0)
		handoff_sleeps(&h);
	if (_i > 1) {
		other = handoff_begin(&h);
		ck_assert_uint_ne(other, 0);
		ck_assert_uint_ne(other, begun);
	}
	ck_assert_int_eq(pthread_create(&t, NULL, end, &begun), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_uint_eq(cpus(), many);
	if (!other)
		return;
	ck_assert_int_eq(pthread_create(&t, NULL, end, &other), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	ck_assert_uint_eq(cpus(), 1);
	handoff_wakes(&h);
	ck_assert_uint_eq(cpus(), many);
}
END_TEST

/* It may run on one CPU only, as whoever started it said. */
START_TEST(where_there_is_no_choice_there_is_nothing_to_do)
{
	cpu_set_t one;
	cpu_set_t after;

	CPU_ZERO(&one);
	for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &all))
			CPU_SET(cpu, &one);
	ck_assert_int_eq(sched_setaffinity(0, sizeof(one), &one), 0);
	handoff_init(&h);
	ck_assert_uint_eq(atomic_load(&h.state), HANDOFF_OFF);
	handoff_sleeps(&h);
	hand_over();
	handoff_wakes(&h);
	ck_assert_uint_eq(atomic_load(&h.state), HANDOFF_OFF);
	ck_assert_int_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	ck_assert(CPU_EQUAL(&one, &after));
}
END_TEST

Suite *test_handoff_suite(void);
Suite *test_handoff_suite(void)
{
	Suite *s = suite_create("handoff");
	TCase *tc = tcase_create("handoff");
	cpu_set_t now;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, where_there_is_no_choice_there_is_nothing_to_do);
	/* The others need two. */
	if (sched_getaffinity(0, sizeof(now), &now) == 0 &&
	    CPU_COUNT(&now) > 1) {
		tcase_add_test(tc,
			       who_sleeps_is_held_to_one_cpu_until_it_wakes);
		tcase_add_test(tc, sleeps_are_counted_round);
		tcase_add_test(tc, who_is_awake_is_left_alone);
		tcase_add_loop_test(tc, what_comes_too_late_undoes_itself, 0,
				    3);
	}
	suite_add_tcase(s, tc);
	return s;
}
