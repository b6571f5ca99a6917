/* SPDX-License-Identifier: MIT */
/* HIP rdata: the good one and its mutations. */
#include "test/unit/dns/desk.h"
#include "dns/hiprr.h"

static uint8_t rdata[3000];

START_TEST(a_record_with_servers_is_read)
{
	struct dname one = desk_name("rvs1.foo.com");
	size_t len = desk_hip(rdata, sizeof(rdata), 9,
			      "rvs1.foo.com rvs2.foo.com r3 r4 r5");
	struct hiprr rr;

	ck_assert_int_eq(hiprr_get(rdata, len, &rr), 0);
	ck_assert_uint_eq(rr.hit.b[15], 9);
	ck_assert_uint_eq(rr.pk_alg, 3);
	ck_assert_uint_eq(rr.pk_len, 64);
	ck_assert_ptr_eq(rr.pk, rdata + 20);
	ck_assert_uint_eq(rr.rvs_num, HIPRR_RVS_MAX);
	ck_assert(dname_eq(&rr.rvs[0], &one));
}
END_TEST

START_TEST(one_octet_less_or_more_is_truncated)
{
	size_t len = desk_hip(rdata, sizeof(rdata), 9, "rvs1.foo.com");
	struct hiprr rr;

	for (size_t n = 0; n < len; n++) {
		int want = n == len - 14 ? 0 : HG_ETRUNC;

		ck_assert_int_eq(hiprr_get(rdata, n, &rr), want);
	}
	rdata[len] = 5;
	ck_assert_int_eq(hiprr_get(rdata, len + 1, &rr), HG_ETRUNC);
	put_be16(rdata + len, 0xc000); /* compressed */
	ck_assert_int_eq(hiprr_get(rdata, len + 2, &rr), HG_ETRUNC);
}
END_TEST

START_TEST(each_field_that_lies_has_its_error)
{
	static const struct {
		size_t at;
		uint8_t value;
		int err;
	} t[] = {
		{ 0, 17, HG_EFORMAT },	 /* with one octet more */
		{ 4, 0x30, HG_EFORMAT }, /* no ORCHID */
		{ 7, 0x20, HG_EUNSUPP }, /* suite 0 */
		{ 7, 0x24, HG_EUNSUPP }, /* suite 4 */
		{ 1, 1, HG_EUNSUPP },	 /* DSA */
		{ 1, 4, HG_EUNSUPP },
		{ 1, 2, HG_EFORMAT }, /* RSA of 64 octets */
		{ 3, 63, HG_EFORMAT },
	};
	size_t len = desk_hip(rdata, sizeof(rdata), 9, NULL);
	struct hiprr rr;

	rdata[t[_i].at] = t[_i].value;
	if (_i == 0)
		rdata[len++] = 0;
	if (_i == 7)
		len--;
	ck_assert_int_eq(hiprr_get(rdata, len, &rr), t[_i].err);
}
END_TEST

/* RFC 8005 5.5, 6605: x | y, neither a curve before it nor 0x04. */
START_TEST(ecdsa_keys_are_two_coordinates_and_nothing_else)
{
	static const struct {
		uint16_t len;
		int err;
	} t[] = {
		{ 0, HG_EFORMAT },  { 40, 0 },		 { 41, HG_EFORMAT },
		{ 63, HG_EFORMAT }, { 64, 0 },		 { 65, HG_EFORMAT },
		{ 66, HG_EFORMAT }, { 67, HG_EFORMAT },	 { 95, HG_EFORMAT },
		{ 96, 0 },	    { 97, HG_EFORMAT },	 { 98, HG_EFORMAT },
		{ 99, HG_EFORMAT }, { 132, HG_EFORMAT },
	};
	struct wr w = wr_init(rdata, sizeof(rdata));
	struct hit h = desk_hit(1);
	struct hiprr rr;

	wr_u8(&w, 16);
	wr_u8(&w, 3);
	wr_be16(&w, t[_i].len);
	wr_put(&w, h.b, 16);
	wr_zero(&w, t[_i].len);
	ck_assert_int_eq(hiprr_get(rdata, wr_len(&w), &rr), t[_i].err);
}
END_TEST

START_TEST(rsa_keys_have_an_exponent_and_1024_bits)
{
	static const struct {
		unsigned exponent, modulus;
		bool wide;
		int err;
	} t[] = {
		{ 3, 128, false, 0 },  { 3, 127, false, HG_EFORMAT },
		{ 3, 512, true, 0 },   { 0, 300, true, HG_EFORMAT },
		{ 3, 1020, false, 0 }, { 3, 1021, false, HG_EFORMAT },
	};
	struct wr w = wr_init(rdata, sizeof(rdata));
	struct hit h = desk_hit(1);
	struct hiprr rr;

	h.b[3] = 0x21;
	wr_u8(&w, 16);
	wr_u8(&w, 2);
	wr_be16(&w, (uint16_t)(1 + 2 * t[_i].wide + t[_i].exponent +
			       t[_i].modulus));
	wr_put(&w, h.b, 16);
	if (t[_i].wide) {
		wr_u8(&w, 0);
		wr_be16(&w, (uint16_t)t[_i].exponent);
	} else {
		wr_u8(&w, (uint8_t)t[_i].exponent);
	}
	wr_zero(&w, t[_i].exponent + t[_i].modulus);
	ck_assert_int_eq(hiprr_get(rdata, wr_len(&w), &rr), t[_i].err);
}
END_TEST

Suite *test_hiprr_suite(void);
Suite *test_hiprr_suite(void)
{
	Suite *s = suite_create("hiprr");
	TCase *tc = tcase_create("hiprr");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_record_with_servers_is_read);
	tcase_add_test(tc, one_octet_less_or_more_is_truncated);
	tcase_add_loop_test(tc, each_field_that_lies_has_its_error, 0, 8);
	tcase_add_loop_test(tc, ecdsa_keys_are_two_coordinates_and_nothing_else,
			    0, 14);
	tcase_add_loop_test(tc, rsa_keys_have_an_exponent_and_1024_bits, 0, 6);
	suite_add_tcase(s, tc);
	return s;
}
