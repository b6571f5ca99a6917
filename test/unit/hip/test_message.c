/* SPDX-License-Identifier: MIT */
/* The message builder: exact octets, order, bounds, resuming. */
#include <check.h>

#include "core/checksum.h"
#include "hip/message.h"
#include "test/unit/hip/hex.h"

static struct hit hit_of(const char *text)
{
	struct hit h;

	ck_assert_int_eq(hit_parse(text, &h), 0);
	return h;
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

/* RFC 7401 C.1 and C.2: the checksums show that each octet is in place. */
START_TEST(i1_of_appendix_c)
{
	struct hit a = hit_of("2001:20::1");
	struct hit b = hit_of("2001:20::2");
	struct addr a6 = addr_of("2001:db8::1");
	struct addr b6 = addr_of("2001:db8::2");
	struct addr a4 = addr_of("192.0.2.1");
	struct addr b4 = addr_of("192.0.2.2");
	struct msg_builder m;
	uint64_t sum;

	message_begin(&m, HIP_I1, &a, &b);
	message_put(&m, PARAM_DH_GROUP_LIST, "\x03\x04\x08", 3);
	ck_assert_int_eq(message_finish(&m), 0);
	ck_assert_uint_eq(m.len, 48);
	ck_assert(hex_eq(m.buf, 8, "3b05012100000000"));
	ck_assert(hex_eq(m.buf + 40, 8, "01ff000303040800"));
	sum = csum_add(csum_pseudo(&a6, &b6, 139, 48), m.buf, 48);
	ck_assert_uint_eq(csum_finish(sum), 0x1a5e);
	sum = csum_add(csum_pseudo(&a4, &b4, 139, 48), m.buf, 48);
	ck_assert_uint_eq(csum_finish(sum), 0xf1ce);
}
END_TEST

START_TEST(pads_every_length)
{
	struct hit a = hit_of("2001:20::1");
	uint8_t fill[32];

	memset(fill, 0xff, sizeof(fill));
	for (size_t len = 0; len <= sizeof(fill); len++) {
		size_t padded = (len + 4 + 7) / 8 * 8;
		struct msg_builder m;

		message_begin(&m, HIP_UPDATE, &a, NULL);
		message_put(&m, PARAM_ECHO_REQUEST_SIGNED, fill, len);
		ck_assert_uint_eq(m.len, 40 + padded);
		ck_assert_uint_eq(param_tlv_len(len), padded);
		ck_assert_uint_eq(m.buf[1], m.len / 8 - 1);
		for (size_t i = 44 + len; i < m.len; i++)
			ck_assert_uint_eq(m.buf[i], 0);
		for (size_t i = 24; i < 40; i++) /* no receiver */
			ck_assert_uint_eq(m.buf[i], 0);
	}
}
END_TEST

START_TEST(error_is_sticky_and_bound_exact)
{
	static const uint8_t big[2004];
	struct hit a = hit_of("2001:20::1");
	struct msg_builder m;

	message_begin(&m, HIP_UPDATE, &a, &a);
	message_put(&m, PARAM_ECHO_REQUEST_SIGNED, big, 2004);
	ck_assert_int_eq(message_finish(&m), 0);
	ck_assert_uint_eq(m.len, HIP_MSG_MAX);
	ck_assert_uint_eq(m.buf[1], 255);
	message_put(&m, PARAM_HIP_MAC, NULL, 0);
	ck_assert_int_eq(message_finish(&m), HG_EFULL);
	message_begin(&m, HIP_UPDATE, &a, &a);
	message_put(&m, PARAM_ECHO_REQUEST_SIGNED, big, 1996);
	ck_assert_ptr_null(message_reserve(&m, PARAM_HIP_MAC, 48));
	ck_assert_ptr_null(message_reserve(&m, PARAM_HIP_MAC, 0));
	ck_assert_int_eq(message_finish(&m), HG_EFULL);
}
END_TEST

START_TEST(resumes_before_what_must_come_later)
{
	struct hit a = hit_of("2001:20::1");
	struct msg_builder m;
	struct msg_builder r;

	message_begin(&m, HIP_I1, &a, &a);
	message_put(&m, PARAM_DH_GROUP_LIST, "\x07", 1);
	message_put(&m, PARAM_FROM, "0123456789abcdef", 16);
	message_put(&m, PARAM_RVS_HMAC, "0123456789abcdef0123", 20);
	message_resume(&r, m.buf, m.len, PARAM_FROM);
	ck_assert_uint_eq(r.len, 40 + 8 + 24);
	ck_assert_uint_eq(r.buf[1], r.len / 8 - 1);
	ck_assert_mem_eq(r.buf + 2, m.buf + 2, r.len - 2);
	message_put(&r, PARAM_FROM, "fedcba9876543210", 16);
	ck_assert_int_eq(message_finish(&r), 0);
	message_resume(&r, m.buf, m.len, PARAM_VIA_RVS);
	ck_assert_uint_eq(r.len, m.len);
	ck_assert_mem_eq(r.buf, m.buf, m.len);
	message_resume(&r, m.buf, m.len, PARAM_ESP_INFO);
	ck_assert_uint_eq(r.len, 40);
	ck_assert_uint_eq(r.buf[1], 4);
}
END_TEST

START_TEST(aiming_needs_a_fitting_puzzle)
{
	struct hit a = hit_of("2001:20::1");
	struct hit b = hit_of("2001:20::2");
	struct msg_builder m;
	uint8_t i[48];

	memset(i, 0x77, sizeof(i));
	message_begin(&m, HIP_R1, &a, NULL);
	ck_assert_int_eq(message_aim_r1(m.buf, m.len, &b, 1, i, 48),
			 HG_EFORMAT);
	message_reserve(&m, PARAM_PUZZLE, 4 + 48);
	ck_assert_int_eq(message_aim_r1(m.buf, m.len, &b, 1, i, 32),
			 HG_EFORMAT);
	ck_assert_int_eq(message_aim_r1(m.buf, m.len - 1, &b, 1, i, 48),
			 HG_EFORMAT);
	ck_assert_int_eq(message_aim_r1(m.buf, m.len, &b, 0x0102, i, 48), 0);
	ck_assert_mem_eq(m.buf + 24, b.b, 16);
	ck_assert(hex_eq(m.buf + 40, 8, "0101003400000102"));
	ck_assert_mem_eq(m.buf + 48, i, 48);
}
END_TEST

Suite *test_message_suite(void);
Suite *test_message_suite(void)
{
	Suite *s = suite_create("hip/message");
	TCase *tc = tcase_create("message");

	tcase_add_test(tc, i1_of_appendix_c);
	tcase_add_test(tc, pads_every_length);
	tcase_add_test(tc, error_is_sticky_and_bound_exact);
	tcase_add_test(tc, resumes_before_what_must_come_later);
	tcase_add_test(tc, aiming_needs_a_fitting_puzzle);
	suite_add_tcase(s, tc);
	return s;
}
