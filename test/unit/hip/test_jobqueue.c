/* SPDX-License-Identifier: MIT */
/* The queue of those who wait for a job. */
#include <check.h>
#include <stddef.h>

#include "hip/jobqueue.h"

static struct jobqueue q;
static struct jobwait w[4];

static void setup(void)
{
	jobqueue_init(&q);
	for (int i = 0; i < 4; i++)
		w[i] = (struct jobwait){ 0 };
}

/* The queue is these, in this order; -1 ends. */
static void is(const int *want)
{
	struct jobwait **at = &q.first;

	for (; *want >= 0; want++) {
		ck_assert_ptr_eq(*at, &w[*want]);
		ck_assert_ptr_eq(w[*want].at, at);
		at = &w[*want].next;
	}
	ck_assert_ptr_null(*at);
	ck_assert_ptr_eq(q.tail, at);
}

static void fill(void)
{
	for (int i = 0; i < 4; i++)
		jobqueue_add(&q, &w[i]);
}

START_TEST(the_first_to_come_is_first)
{
	is((const int[]){ -1 });
	fill();
	is((const int[]){ 0, 1, 2, 3, -1 });
	jobqueue_del(&q, q.first);
	jobqueue_add(&q, &w[0]);
	is((const int[]){ 1, 2, 3, 0, -1 });
}
END_TEST

START_TEST(who_waits_does_not_lose_its_place)
{
	fill();
	jobqueue_add(&q, &w[1]);
	jobqueue_add(&q, &w[3]);
	is((const int[]){ 0, 1, 2, 3, -1 });
}
END_TEST

START_TEST(anybody_may_leave)
{
	fill();
	jobqueue_del(&q, &w[2]);
	is((const int[]){ 0, 1, 3, -1 });
	jobqueue_del(&q, &w[3]);
	is((const int[]){ 0, 1, -1 });
	jobqueue_del(&q, &w[3]); /* who is not there, too */
	jobqueue_del(&q, &w[0]);
	jobqueue_del(&q, &w[1]);
	is((const int[]){ -1 });
	jobqueue_add(&q, &w[2]);
	is((const int[]){ 2, -1 });
}
END_TEST

Suite *test_jobqueue_suite(void);
Suite *test_jobqueue_suite(void)
{
	Suite *s = suite_create("jobqueue");
	TCase *t = tcase_create("jobqueue");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, the_first_to_come_is_first);
	tcase_add_test(t, who_waits_does_not_lose_its_place);
	tcase_add_test(t, anybody_may_leave);
	suite_add_tcase(s, t);
	return s;
}
