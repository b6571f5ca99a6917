/* SPDX-License-Identifier: MIT */
/* Credit of source prefixes, beside a twin that forgets nothing. */
#include <check.h>
#include <sodium.h>

#include "hip/i1credit.h"

#define S UINT64_C(1000000000)

static struct addr four(uint8_t a, uint8_t b)
{
	uint8_t v[4] = { 10, 0, a, b };

	return addr_from4(v);
}

START_TEST(what_is_on_the_wire_counts)
{
	uint8_t b[16] = { 0x20, 1 };
	struct addr a4 = four(0, 1);
	struct addr a6 = addr_from6(b);

	ck_assert_uint_eq(i1credit_wire(&a4, 100), 132);
	ck_assert_uint_eq(i1credit_wire(&a6, 100), 152);
}
END_TEST

START_TEST(five_times_is_at_once_one_octet_more_is_not)
{
	struct i1credit c;
	struct addr a = four(0, 1);

	ck_assert_int_eq(i1credit_init(&c), 0);
	for (int i = 0; i < 10; i++)
		ck_assert(i1credit_pays(&c, &a, 100, 500, S));
	ck_assert(!i1credit_pays(&c, &a, 100, 501, S));
	ck_assert(i1credit_pays(&c, &a, 100, 501, S)); /* 1000: 499 stay */
	ck_assert(i1credit_pays(&c, &a, 1, 504, S));
	ck_assert(!i1credit_pays(&c, &a, 100, 501, S));
	i1credit_fini(&c);
}
END_TEST

START_TEST(credit_lapses_is_capped_and_is_the_prefixes_own)
{
	struct i1credit c;
	struct addr a = four(0, 1);
	struct addr b = four(0, 2);
	uint64_t t = 100 * S;

	ck_assert_int_eq(i1credit_init(&c), 0);
	ck_assert(!i1credit_pays(&c, &a, 100, 1000, t));
	ck_assert(!i1credit_pays(&c, &b, 100, 1000, t)); /* not a's */
	t += I1CREDIT_LAPSE_NS - 1;
	ck_assert(i1credit_pays(&c, &a, 100, 1000, t));
	ck_assert(!i1credit_pays(&c, &a, 100, 1000, t));
	t += I1CREDIT_LAPSE_NS;
	ck_assert(!i1credit_pays(&c, &a, 100, 1000, t)); /* too late */
	for (int i = 0; i < 100; i++)
		ck_assert(!i1credit_pays(&c, &a, 100, 9000, t));
	ck_assert(i1credit_pays(&c, &a, 1, 2105, t));	/* capped: */
	ck_assert(!i1credit_pays(&c, &a, 1, 6, t + 1)); /*  all spent */
	/* A clock that goes back gives nothing and loses nothing. */
	ck_assert(i1credit_pays(&c, &a, 1, 6, t - S));
	i1credit_fini(&c);
}
END_TEST

START_TEST(whatever_comes_no_prefix_gets_more_than_five_times_its_octets)
{
	enum { SOURCES = 4096 };
	static uint64_t in[SOURCES];
	static uint64_t out[SOURCES];
	struct i1credit c;
	uint32_t seed = randombytes_random();
	uint32_t x = seed;
	uint64_t t = 0;
	unsigned paid = 0;

	ck_assert_int_eq(i1credit_init(&c), 0);
	for (int i = 0; i < 200000; i++) {
		uint32_t who;
		size_t len;
		size_t want;
		struct addr a;

		x = x * 1664525 + 1013904223;
		who = (x >> 8) % SOURCES;
		if (x >> 31) /* half of it from a few */
			who %= 16;
		x = x * 1664525 + 1013904223;
		len = 76 + (x >> 16) % 200;
		want = 400 + (x >> 4) % 1500;
		t += x % (S / 100);
		a = four((uint8_t)(who >> 8), (uint8_t)who);
		in[who] += len;
		if (!i1credit_pays(&c, &a, len, want, t))
			continue;
		paid++;
		out[who] += want;
		ck_assert_msg(out[who] <= 5 * in[who], "seed %u", seed);
	}
	ck_assert_uint_gt(paid, 1000);
	i1credit_fini(&c);
}
END_TEST

Suite *test_i1credit_suite(void)
{
	Suite *s = suite_create("i1credit");
	TCase *t = tcase_create("i1credit");

	tcase_add_test(t, what_is_on_the_wire_counts);
	tcase_add_test(t, five_times_is_at_once_one_octet_more_is_not);
	tcase_add_test(t, credit_lapses_is_capped_and_is_the_prefixes_own);
	tcase_add_test(
		t,
		whatever_comes_no_prefix_gets_more_than_five_times_its_octets);
	suite_add_tcase(s, t);
	return s;
}
