/* SPDX-License-Identifier: MIT */
/* DNS answers that are given again and again: which, to whom, for how long. */
#include "cmd/hipgated/recall.h"

#include <check.h>
#include <string.h>

#include <urcu-qsbr.h>

/* "a.b", AAAA, IN; then as much of an answer. */
static uint8_t asked[] = { 0, 1, 1,   0, 0,   1, 0, 0,	0, 0, 0,
			   0, 1, 'a', 1, 'b', 0, 0, 28, 0, 1 };
static uint8_t answer[] = { 0,	 1, 0x81, 0x80, 0, 1,  0, 1, 0, 0, 0, 0, 1,
			    'a', 1, 'b',  0,	0, 28, 0, 1, 9, 9, 9, 9 };
static struct recall *r;
static struct recall_question q;

static void setup(void)
{
	urcu_qsbr_register_thread();
	ck_assert_int_eq(recall_new(&r), HG_OK);
	asked[1] = answer[1] = 1;
	q = (struct recall_question){ .msg = asked, .len = sizeof(asked) };
	q.server.port = 53;
	q.server.addr.b[15] = 9;
}

static void teardown(void)
{
	recall_free(r);
	rcu_barrier();
	urcu_qsbr_unregister_thread();
}

static void ask(unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		recall_note(r, &q, answer, sizeof(answer));
}

static size_t got(void)
{
	uint8_t out[RECALL_ANSWER];

	return recall_get(r, &q, out);
}

START_TEST(what_is_asked_often_is_kept)
{
	uint8_t out[RECALL_ANSWER];

	ask(RECALL_HOT - 1);
	ck_assert_uint_eq(got(), 0);
	ask(1);
	asked[1] = 77; /* another one's id, and nothing else */
	ck_assert_uint_eq(recall_get(r, &q, out), sizeof(answer));
	ck_assert_uint_eq(out[1], 77);
	ck_assert_mem_eq(out + 2, answer + 2, sizeof(answer) - 2);
	asked[1] = 1;
	ask(3); /* once more makes no second one of it */
	ck_assert_uint_eq(got(), sizeof(answer));
}
END_TEST

START_TEST(another_question_is_another)
{
	ask(RECALL_HOT);
	q.server.port = 54;
	ck_assert_uint_eq(got(), 0);
	q.server.port = 53;
	q.server.addr.b[0] = 1;
	ck_assert_uint_eq(got(), 0);
	q.server.addr.b[0] = 0;
	for (size_t i = 2; i < sizeof(asked); i++) {
		asked[i] ^= 0x20; /* a flag, another case, another type */
		ck_assert_uint_eq(got(), 0);
		asked[i] ^= 0x20;
	}
	q.len--;
	ck_assert_uint_eq(got(), 0);
	q.len++;
	ck_assert_uint_eq(got(), sizeof(answer));
}
END_TEST

START_TEST(all_is_forgotten)
{
	ask(RECALL_HOT);
	recall_clear(r);
	ck_assert_uint_eq(got(), 0);
	ask(1); /* it was hot */
	ck_assert_uint_eq(got(), sizeof(answer));
	recall_clear(r);
	recall_clear(r); /* and is no more */
	ask(RECALL_HOT - 1);
	ck_assert_uint_eq(got(), 0);
	ask(1);
	ck_assert_uint_eq(got(), sizeof(answer));
	recall_clear(NULL);
}
END_TEST

/* Of two questions that one client has asked from one port. */
START_TEST(what_is_no_answer_to_it_is_not_kept)
{
	uint8_t other[sizeof(answer)];

	for (size_t i = 0; i < sizeof(asked); i++) {
		if (i >= 2 && i < 12)
			continue; /* flags and counts are the answer's own */
		memcpy(other, answer, sizeof(answer));
		other[i] ^= 1;
		for (unsigned n = 0; n < 2 * RECALL_HOT; n++)
			recall_note(r, &q, other, sizeof(other));
		ck_assert_uint_eq(got(), 0);
	}
	for (size_t len = 0; len < sizeof(asked); len++) {
		for (unsigned n = 0; n < 2 * RECALL_HOT; n++)
			recall_note(r, &q, answer, len);
		ck_assert_uint_eq(got(), 0);
	}
}
END_TEST

START_TEST(what_is_no_question_is_not_looked_for)
{
	static uint8_t long_one[RECALL_QUESTION + 1];
	static uint8_t long_answer[RECALL_ANSWER + 1];

	for (q.len = 0; q.len < sizeof(asked); q.len++) {
		ask(2 * RECALL_HOT);
		ck_assert_uint_eq(got(), 0);
	}
	memcpy(long_one, asked, sizeof(asked));
	q = (struct recall_question){ q.server, long_one, sizeof(long_one) };
	ask(2 * RECALL_HOT);
	ck_assert_uint_eq(got(), 0);
	q.len--;
	ask(2 * RECALL_HOT);
	ck_assert_uint_eq(got(), sizeof(answer));
	recall_clear(r);
	memcpy(long_answer, answer, sizeof(answer));
	for (unsigned n = 0; n < 2 * RECALL_HOT; n++)
		recall_note(r, &q, long_answer, sizeof(long_answer));
	ck_assert_uint_eq(got(), 0);
}
END_TEST

START_TEST(there_is_an_end_to_it)
{
	unsigned kept = 0;

	for (unsigned n = 0; n < 2 * RECALL_MAX; n++) {
		asked[15] = answer[15] = (uint8_t)(n >> 8);
		asked[13] = answer[13] = (uint8_t)n;
		ask(2 * RECALL_HOT);
		kept += got() != 0;
	}
	ck_assert_uint_eq(kept, RECALL_MAX);
	asked[15] = answer[15] = 'b';
	asked[13] = answer[13] = 'a';
}
END_TEST

Suite *test_recall_suite(void);
Suite *test_recall_suite(void)
{
	Suite *s = suite_create("recall");
	TCase *t = tcase_create("recall");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_is_asked_often_is_kept);
	tcase_add_test(t, another_question_is_another);
	tcase_add_test(t, all_is_forgotten);
	tcase_add_test(t, what_is_no_answer_to_it_is_not_kept);
	tcase_add_test(t, what_is_no_question_is_not_looked_for);
	tcase_add_test(t, there_is_an_end_to_it);
	suite_add_tcase(s, t);
	return s;
}
