/* SPDX-License-Identifier: MIT */
/* Cursors: every put comes back by its get; bounds stick. */
#include "core/wire.h"

#include <check.h>
#include <string.h>

START_TEST(what_is_written_is_read_back)
{
	uint8_t buf[32];
	uint8_t back[3];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	wr_u8(&w, 0x12);
	wr_be16(&w, 0x3456);
	wr_be32(&w, 0x789abcde);
	wr_be64(&w, 0xf0debc9a78563412);
	wr_put(&w, "abc", 3);
	wr_zero(&w, 2);
	ck_assert(!w.bad);
	ck_assert_uint_eq(wr_len(&w), 20);
	ck_assert_uint_eq(wr_left(&w), 12);
	r = rd_init(buf, wr_len(&w));
	ck_assert_uint_eq(rd_u8(&r), 0x12);
	ck_assert_uint_eq(rd_be16(&r), 0x3456);
	ck_assert_uint_eq(rd_be32(&r), 0x789abcde);
	ck_assert_uint_eq(rd_be64(&r), 0xf0debc9a78563412);
	rd_copy(&r, back, 3);
	ck_assert_mem_eq(back, "abc", 3);
	ck_assert_uint_eq(rd_left(&r), 2);
	rd_skip(&r, 2);
	ck_assert(!r.bad);
	ck_assert_uint_eq(rd_left(&r), 0);
}
END_TEST

START_TEST(reading_past_the_end_sticks_and_gives_zeros)
{
	static const uint8_t buf[5] = { 1, 2, 3, 4, 5 };
	struct rd r = rd_init(buf, 3);
	uint8_t out[2] = { 9, 9 };

	ck_assert_uint_eq(rd_be32(&r), 0);
	ck_assert(r.bad);
	ck_assert_uint_eq(rd_u8(&r), 0);
	ck_assert_uint_eq(rd_left(&r), 0);
	ck_assert_ptr_null(rd_take(&r, 1));
	rd_copy(&r, out, 2);
	ck_assert_uint_eq(out[0] + out[1], 0);
}
END_TEST

START_TEST(reading_exactly_to_the_end_is_well)
{
	static const uint8_t buf[8] = { 0, 0, 0, 0, 0, 0, 0, 7 };
	struct rd r = rd_init(buf, 8);

	ck_assert_uint_eq(rd_be64(&r), 7);
	ck_assert(!r.bad);
	r = rd_init(buf, 7);
	ck_assert_uint_eq(rd_be64(&r), 0);
	ck_assert(r.bad);
}
END_TEST

START_TEST(a_take_of_nearly_everything_cannot_wrap)
{
	static const uint8_t buf[4];
	struct rd r = rd_init(buf, 4);

	(void)rd_u8(&r);
	ck_assert_ptr_null(rd_take(&r, SIZE_MAX));
	ck_assert(r.bad);
}
END_TEST

START_TEST(an_empty_buffer_is_readable_as_nothing)
{
	struct rd r = rd_init(NULL, 0);
	struct wr w = wr_init(NULL, 0);

	ck_assert_uint_eq(rd_left(&r), 0);
	rd_skip(&r, 0);
	ck_assert(!r.bad);
	wr_put(&w, NULL, 0);
	ck_assert(!w.bad);
	wr_u8(&w, 1);
	ck_assert(w.bad);
}
END_TEST

START_TEST(writing_past_the_end_sticks_and_writes_nothing)
{
	uint8_t buf[6] = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa };
	struct wr w = wr_init(buf, 4);

	wr_be16(&w, 1);
	wr_be32(&w, 0);
	ck_assert(w.bad);
	wr_u8(&w, 0);
	ck_assert_ptr_null(wr_reserve(&w, 1));
	ck_assert_uint_eq(wr_len(&w), 2);
	ck_assert_uint_eq(wr_left(&w), 0);
	ck_assert_uint_eq(buf[2], 0xaa);
	ck_assert_uint_eq(buf[4], 0xaa);
}
END_TEST

START_TEST(a_reserve_is_zeroed_and_counted)
{
	uint8_t buf[4];
	struct wr w = wr_init(buf, 4);
	uint8_t *p;

	memset(buf, 0xff, sizeof(buf));
	p = wr_reserve(&w, 3);
	ck_assert_ptr_eq(p, buf);
	ck_assert_uint_eq(buf[0] + buf[1] + buf[2], 0);
	ck_assert_uint_eq(buf[3], 0xff);
	ck_assert_uint_eq(wr_left(&w), 1);
}
END_TEST

Suite *test_wire_suite(void)
{
	Suite *s = suite_create("wire");
	TCase *t = tcase_create("all");

	tcase_add_test(t, what_is_written_is_read_back);
	tcase_add_test(t, reading_past_the_end_sticks_and_gives_zeros);
	tcase_add_test(t, reading_exactly_to_the_end_is_well);
	tcase_add_test(t, a_take_of_nearly_everything_cannot_wrap);
	tcase_add_test(t, an_empty_buffer_is_readable_as_nothing);
	tcase_add_test(t, writing_past_the_end_sticks_and_writes_nothing);
	tcase_add_test(t, a_reserve_is_zeroed_and_counted);
	suite_add_tcase(s, t);
	return s;
}
