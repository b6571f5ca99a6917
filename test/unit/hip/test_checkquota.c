/* SPDX-License-Identifier: MIT */
/* Questions to addresses that have not answered. */
#include <check.h>

#include "hip/checkquota.h"

#define S UINT64_C(1000000000)

static struct addr at(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

/* How many more questions there may be, all of them asked. */
static unsigned spend(struct checkquota *q, const char *text, uint64_t now)
{
	struct addr a = at(text);
	unsigned n = 0;

	for (; checkquota_left(q, &a); n++) {
		ck_assert_uint_lt(n, 100);
		checkquota_take(q, &a, now);
	}
	return n;
}

START_TEST(an_address_is_asked_so_often)
{
	struct checkquota q = { 0 };

	ck_assert_uint_eq(spend(&q, "192.0.2.1", S), CHECKQUOTA_MAX);
	ck_assert_uint_eq(spend(&q, "192.0.2.1", 9 * S), 0);
	ck_assert_uint_eq(spend(&q, "192.0.2.2", S), CHECKQUOTA_MAX);
}
END_TEST

START_TEST(an_ipv6_network_is_one)
{
	struct checkquota q = { 0 };

	ck_assert_uint_eq(spend(&q, "2001:db8::1", S), CHECKQUOTA_MAX);
	ck_assert_uint_eq(spend(&q, "2001:db8::ffff:0:0:1", S), 0);
	ck_assert_uint_eq(spend(&q, "2001:db8:0:1::1", S), CHECKQUOTA_MAX);
}
END_TEST

START_TEST(to_be_named_again_helps_after_a_while)
{
	struct checkquota q = { 0 };
	struct addr a = at("192.0.2.1");

	(void)spend(&q, "192.0.2.1", S);
	checkquota_named(&q, &a, S + CHECKQUOTA_FORGIVE_NS - 1);
	ck_assert(!checkquota_left(&q, &a));
	checkquota_named(&q, &a, S + CHECKQUOTA_FORGIVE_NS);
	ck_assert_uint_eq(spend(&q, "192.0.2.1", 9 * S), CHECKQUOTA_MAX);
	/* From the first question on, not from the last. */
	checkquota_named(&q, &a, 9 * S + CHECKQUOTA_FORGIVE_NS - 1);
	ck_assert(!checkquota_left(&q, &a));
}
END_TEST

START_TEST(what_is_paid_for_is_one_question)
{
	struct checkquota q = { 0 };
	struct addr a = at("192.0.2.1");

	checkquota_paid(&q, &a); /* who was never asked needs none */
	(void)spend(&q, "192.0.2.1", S);
	checkquota_paid(&q, &a);
	ck_assert_uint_eq(spend(&q, "192.0.2.1", S), 1);
}
END_TEST

START_TEST(to_be_seen_there_is_one_question_now_and_then)
{
	struct checkquota q = { 0 };
	struct addr a = at("192.0.2.1");

	checkquota_seen(&q, &a, S);
	(void)spend(&q, "192.0.2.1", S);
	checkquota_seen(&q, &a, S + CHECKQUOTA_FORGIVE_NS - 1);
	ck_assert(!checkquota_left(&q, &a));
	checkquota_seen(&q, &a, S + CHECKQUOTA_FORGIVE_NS);
	checkquota_seen(&q, &a, S + CHECKQUOTA_FORGIVE_NS);
	ck_assert_uint_eq(spend(&q, "192.0.2.1", 9 * S), 1);
	checkquota_seen(&q, &a, S + 2 * CHECKQUOTA_FORGIVE_NS - 1);
	ck_assert(!checkquota_left(&q, &a));
	checkquota_seen(&q, &a, S + 2 * CHECKQUOTA_FORGIVE_NS);
	ck_assert(checkquota_left(&q, &a));
}
END_TEST

START_TEST(the_oldest_gives_way_to_a_ninth)
{
	struct checkquota q = { 0 };
	char text[] = "192.0.2.1";

	for (unsigned i = 0; i < CHECKQUOTA_NUM; i++) {
		text[8] = (char)('1' + i);
		ck_assert_uint_eq(spend(&q, text, (20 - i) * S),
				  CHECKQUOTA_MAX);
	}
	ck_assert_uint_eq(spend(&q, "192.0.2.9", 30 * S), CHECKQUOTA_MAX);
	ck_assert_uint_eq(spend(&q, "192.0.2.1", 30 * S), 0);
	ck_assert_uint_eq(spend(&q, "192.0.2.8", 30 * S), CHECKQUOTA_MAX);
}
END_TEST

Suite *test_checkquota_suite(void);
Suite *test_checkquota_suite(void)
{
	Suite *s = suite_create("checkquota");
	TCase *t = tcase_create("checkquota");

	tcase_add_test(t, an_address_is_asked_so_often);
	tcase_add_test(t, an_ipv6_network_is_one);
	tcase_add_test(t, to_be_named_again_helps_after_a_while);
	tcase_add_test(t, what_is_paid_for_is_one_question);
	tcase_add_test(t, to_be_seen_there_is_one_question_now_and_then);
	tcase_add_test(t, the_oldest_gives_way_to_a_ninth);
	suite_add_tcase(s, t);
	return s;
}
