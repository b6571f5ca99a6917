/* SPDX-License-Identifier: MIT */
/* What fragments may cost: time, and memory for each source and over all. */
#include "test/unit/nat/gather_bed.h"

START_TEST(a_packet_has_a_bounded_number_of_fragments)
{
	struct bed b = bed_of(_i);
	uint8_t l4[65 * 8 + 8];

	datagram(&b, l4, sizeof(l4));
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_int_eq(
			give(&b, l4, 1, (struct slice){ 8 * i, 8, true }),
			REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 512, 8, false }),
			 REASON_FRAG_MANY);
	ck_assert_uint_eq(lost_for(REASON_FRAG_MANY), 64);
	for (uint32_t i = 0; i < 64; i++)
		ck_assert_int_eq(
			give(&b, l4, 2, (struct slice){ 8 * i, 8, i < 63 }),
			REASON_NUM);
	ck_assert_ptr_nonnull(whole.l4);
}
END_TEST

START_TEST(what_does_not_come_in_time_is_given_up)
{
	struct bed b = bed_of(_i);
	uint64_t life = (b.v6 ? UINT64_C(30) : UINT64_C(2)) * SECOND;
	struct slice first = { 0, 1000, true };
	struct slice last = { 1000, 100, false };
	uint64_t born = now;
	uint8_t l4[1100];

	datagram(&b, l4, sizeof(l4));
	ck_assert_int_eq(give(&b, l4, 1, first), REASON_NUM);
	now = born + life - 1;
	ck_assert_int_eq(give(&b, l4, 1, last), REASON_NUM);
	check_whole(&b, l4, sizeof(l4));
	born = now;
	ck_assert_int_eq(give(&b, l4, 2, first), REASON_NUM);
	nat_gather_expire(g, born + life - 1);
	ck_assert_uint_eq(lost_for(REASON_FRAG_TIMEOUT), 0);
	nat_gather_expire(g, born + life);
	ck_assert_uint_eq(lost_for(REASON_FRAG_TIMEOUT), 1);
	/* A late fragment begins anew. */
	now = born + life;
	ck_assert_int_eq(give(&b, l4, 2, last), REASON_NUM);
	ck_assert_ptr_null(whole.l4);
	/* So does the memory of a spoilt one end. */
	ck_assert_int_eq(give(&b, l4, 2, (struct slice){ 1000, 96, false }),
			 REASON_FRAG_OVERLAP);
	now += life;
	ck_assert_int_eq(give(&b, l4, 2, first), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 2, last), REASON_NUM);
	check_whole(&b, l4, sizeof(l4));
}
END_TEST

START_TEST(a_source_that_floods_harms_itself)
{
	struct bed victim = bed_of(_i);
	struct bed flooder = victim;
	struct slice first = { 0, 1000, true };
	struct slice last = { 1000, 100, false };
	uint8_t l4[1100];

	flooder.client.b[_i ? 7 : 15] ^= 1;
	datagram(&victim, l4, sizeof(l4));
	ck_assert_int_eq(give(&victim, l4, 1, first), REASON_NUM);
	for (uint32_t i = 0; i < 5000; i++) {
		if (_i) /* an IPv6 /64 is one source */
			put_be32(flooder.client.b + 12, i);
		ck_assert_int_eq(give(&flooder, l4, i, first), REASON_NUM);
	}
	ck_assert_uint_eq(lost_for(REASON_FRAG_QUOTA), 5000 - 32);
	ck_assert_uint_eq(lost_for(REASON_FRAG_FULL), 0);
	ck_assert_int_eq(give(&victim, l4, 1, last), REASON_NUM);
	check_whole(&victim, l4, sizeof(l4));
}
END_TEST

START_TEST(a_source_that_sends_large_ones_is_bounded_in_octets)
{
	struct bed victim = bed_of(_i);
	struct bed flooder = victim;
	struct slice first = { 0, 1000, true };
	struct slice last = { 1000, 100, false };
	static uint8_t l4[65000];

	flooder.client.b[_i ? 7 : 15] ^= 1;
	datagram(&victim, l4, 1100);
	ck_assert_int_eq(give(&victim, l4, 1, first), REASON_NUM);
	for (uint32_t i = 0; i < 16 * 60; i++)
		ck_assert_int_eq(
			give(&flooder, l4, i % 16,
			     (struct slice){ 800 * (i / 16) + 800, 800, true }),
			REASON_NUM);
	ck_assert_uint_gt(lost_for(REASON_FRAG_QUOTA), 0);
	ck_assert_uint_eq(lost_for(REASON_FRAG_FULL), 0);
	ck_assert_int_eq(give(&victim, l4, 1, last), REASON_NUM);
	ck_assert_ptr_nonnull(whole.l4);
}
END_TEST

START_TEST(many_sources_cannot_stop_fragments_that_come_together)
{
	struct bed victim = bed_of(false);
	struct bed flooder = victim;
	uint8_t l4[1100];
	unsigned passed = 0;

	datagram(&victim, l4, sizeof(l4));
	for (uint32_t i = 0; i < 20000; i++) {
		put_be32(flooder.client.b + 12, 0x0a000000 + i);
		ck_assert_int_eq(
			give(&flooder, l4, i, (struct slice){ 0, 1000, true }),
			REASON_NUM);
		if (i % 1000 != 999)
			continue;
		ck_assert_int_eq(
			give(&victim, l4, i, (struct slice){ 0, 1000, true }),
			REASON_NUM);
		ck_assert_int_eq(give(&victim, l4, i,
				      (struct slice){ 1000, 100, false }),
				 REASON_NUM);
		passed += whole.l4 != NULL;
	}
	ck_assert_uint_eq(passed, 20);
	ck_assert_uint_eq(lost_for(REASON_FRAG_FULL),
			  20000 - 256 + 1 /* the victim's first */);
	ck_assert_uint_eq(lost_for(REASON_FRAG_QUOTA), 0);
}
END_TEST

Suite *test_gather_bounds_suite(void)
{
	Suite *s = suite_create("gather_bounds");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, a_packet_has_a_bounded_number_of_fragments, 0,
			    2);
	tcase_add_loop_test(t, what_does_not_come_in_time_is_given_up, 0, 2);
	tcase_add_loop_test(t, a_source_that_floods_harms_itself, 0, 2);
	tcase_add_loop_test(
		t, a_source_that_sends_large_ones_is_bounded_in_octets, 0, 2);
	tcase_add_test(t,
		       many_sources_cannot_stop_fragments_that_come_together);
	suite_add_tcase(s, t);
	return s;
}
