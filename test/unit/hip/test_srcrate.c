/* SPDX-License-Identifier: MIT */
/* Token buckets per source prefix. */
#include <check.h>

#include "hip/srcrate.h"

#define S UINT64_C(1000000000)

static const struct srcrate_limits limits = { 10, 30, 1000, 3000 };

static struct addr six(uint8_t net, uint8_t sub, uint8_t host)
{
	uint8_t b[16] = { 0x20, 1, 0xd, 0xb8, 0, 0, net, sub };

	b[15] = host;
	return addr_from6(b);
}

static unsigned burst(struct srcrate *r, struct addr a, uint64_t now)
{
	unsigned n = 0;

	while (n < 1000 && srcrate_allow(r, &a, now))
		n++;
	return n;
}

START_TEST(a_burst_then_so_many_a_second)
{
	struct srcrate r;
	struct addr a = six(1, 0, 1);

	ck_assert_int_eq(srcrate_init(&r, &limits, 5 * S), 0);
	ck_assert_uint_eq(burst(&r, a, 5 * S), 30);
	ck_assert_uint_eq(burst(&r, a, 5 * S), 0);
	ck_assert_uint_eq(burst(&r, a, 5 * S + S / 10), 1);
	ck_assert_uint_eq(burst(&r, a, 6 * S + S / 10), 10);
	ck_assert_uint_eq(burst(&r, a, 1000 * S), 30);
	/* A clock that stands still or jumps back gives nothing. */
	ck_assert_uint_eq(burst(&r, a, 999 * S), 0);
	srcrate_fini(&r);
}
END_TEST

START_TEST(small_steps_of_time_add_up)
{
	struct srcrate r;
	struct addr a = six(1, 0, 1);
	unsigned n = 0;

	ck_assert_int_eq(srcrate_init(&r, &limits, 0), 0);
	burst(&r, a, 0);
	for (uint64_t t = 0; t < 10 * S; t += S / 10000)
		n += srcrate_allow(&r, &a, t);
	ck_assert_uint_ge(n, 98);
	ck_assert_uint_le(n, 100);
	srcrate_fini(&r);
}
END_TEST

START_TEST(a_prefix_is_one_source_and_others_are_not)
{
	struct srcrate r;
	uint8_t four[4] = { 192, 0, 2, 1 };
	uint8_t five[4] = { 192, 0, 2, 2 };
	unsigned n;

	ck_assert_int_eq(srcrate_init(&r, &limits, 0), 0);
	ck_assert_uint_eq(burst(&r, six(1, 2, 1), 0), 30);
	ck_assert_uint_eq(burst(&r, six(1, 9, 77), 0), 0); /* same /56 */
	n = burst(&r, six(2, 0, 1), 0) + burst(&r, addr_from4(four), 0) +
	    burst(&r, addr_from4(five), 0);
	/* Two of them share a bucket once in a thousand runs. */
	ck_assert_uint_ge(n, 60);
	srcrate_fini(&r);
}
END_TEST

START_TEST(all_sources_together_are_bounded)
{
	struct srcrate r;
	unsigned n = 0;

	ck_assert_int_eq(srcrate_init(&r, &limits, 0), 0);
	for (unsigned i = 0; i < 10000; i++) {
		uint8_t b[4] = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i };
		struct addr a = addr_from4(b);

		n += srcrate_allow(&r, &a, 0);
	}
	ck_assert_uint_eq(n, 3000);
	srcrate_fini(&r);
}
END_TEST

START_TEST(the_largest_limits_are_counted_right)
{
	const struct srcrate_limits most = { SRCRATE_MAX, SRCRATE_MAX,
					     SRCRATE_MAX, SRCRATE_MAX };
	struct srcrate r;
	struct addr a = six(1, 0, 1);
	unsigned n = 0;

	ck_assert_int_eq(srcrate_init(&r, &most, 0), 0);
	for (unsigned i = 0; i < 2 * SRCRATE_MAX; i++)
		n += srcrate_allow(&r, &a, 0);
	ck_assert_uint_eq(n, SRCRATE_MAX);
	ck_assert_uint_eq(burst(&r, a, S / 1000), SRCRATE_MAX / 1000);
	ck_assert_uint_eq(burst(&r, a, 100000 * S), 1000);
	srcrate_fini(&r);
}
END_TEST

START_TEST(a_prefix_is_cut_at_32_and_56)
{
	uint8_t four[4] = { 192, 0, 2, 1 };
	struct addr a4 = addr_from4(four);
	struct addr a6 = six(1, 2, 3);
	struct addr p = srcrate_prefix(&a4);

	ck_assert(addr_eq(&p, &a4));
	p = srcrate_prefix(&a6);
	a6 = six(1, 0, 0);
	ck_assert(addr_eq(&p, &a6));
}
END_TEST

Suite *test_srcrate_suite(void)
{
	Suite *s = suite_create("srcrate");
	TCase *t = tcase_create("srcrate");

	tcase_add_test(t, a_burst_then_so_many_a_second);
	tcase_add_test(t, small_steps_of_time_add_up);
	tcase_add_test(t, a_prefix_is_one_source_and_others_are_not);
	tcase_add_test(t, all_sources_together_are_bounded);
	tcase_add_test(t, the_largest_limits_are_counted_right);
	tcase_add_test(t, a_prefix_is_cut_at_32_and_56);
	suite_add_tcase(s, t);
	return s;
}
