/* SPDX-License-Identifier: MIT */
/* Headers, records and EDNS of messages. */
#include "test/unit/dns/desk.h"

static struct desk k;

static int scan(struct scan_edns *e, size_t len)
{
	struct rd r = rd_init(k.buf, len);
	struct scan_header h;
	struct scan_question q;

	scan_header(&r, &h);
	scan_question(&r, k.buf, &q);
	return scan_edns(&r, k.buf, &h, e);
}

START_TEST(edns_is_found_and_each_length_but_one_refused)
{
	struct scan_edns e;
	size_t len;

	desk_start(&k, 1, 0x0110);
	desk_question(&k, "x.test", 1);
	desk_opt(&k, true, 3);
	len = wr_len(&k.w);
	ck_assert_int_eq(scan(&e, len), 0);
	ck_assert(e.present && e.dnssec_ok);
	ck_assert_uint_eq(e.version, 3);
	for (size_t n = 0; n < len; n++)
		ck_assert_int_eq(scan(&e, n), HG_EFORMAT);
	ck_assert_int_eq(scan(&e, len + 1), HG_EFORMAT);
}
END_TEST

START_TEST(a_cookie_has_one_of_the_lengths_there_are)
{
	struct scan_edns e;

	for (uint16_t n = 0; n < 50; n++) {
		bool good = n == 8 || (n >= 16 && n <= 40);

		desk_start(&k, 1, 0x0110);
		desk_question(&k, "x.test", 1);
		desk_opt_cookie(&k, 1400, n);
		ck_assert_int_eq(scan(&e, wr_len(&k.w)), good ? 0 : HG_EFORMAT);
		ck_assert_uint_eq(e.cookie_len, good ? n : 0);
		ck_assert_uint_eq(e.cookie[0], good ? 0xc0 : 0);
		ck_assert_uint_eq(e.udp_size, 1400);
	}
}
END_TEST

START_TEST(options_fill_their_opt)
{
	struct scan_edns e;
	uint8_t *option;

	desk_start(&k, 1, 0x0110);
	desk_question(&k, "x.test", 1);
	desk_opt_cookie(&k, 1400, 8);
	option = k.buf + wr_len(&k.w) - 12;
	ck_assert_int_eq(scan(&e, wr_len(&k.w)), 0);
	put_be16(option, 77); /* one that nobody knows */
	for (uint16_t n = 0; n < 20; n++) {
		put_be16(option + 2, n);
		/* 4: what is left looks like an option of 0xc4c5 octets */
		ck_assert_int_eq(scan(&e, wr_len(&k.w)),
				 n == 8 ? 0 : HG_EFORMAT);
	}
}
END_TEST

START_TEST(an_opt_stands_once_at_the_root_in_additional)
{
	struct scan_edns e;

	desk_start(&k, 1, 0x0110);
	desk_question(&k, "x.test", 1);
	if (_i == 0) {
		desk_opt(&k, true, 0);
		desk_opt(&k, true, 0);
	} else if (_i == 1) {
		desk_rr(&k, 3, "x", SCAN_OPT, 0, "", 0);
	} else {
		desk_rr(&k, 1, ".", SCAN_OPT, 0, "", 0);
	}
	ck_assert_int_eq(scan(&e, wr_len(&k.w)), HG_EFORMAT);
}
END_TEST

START_TEST(flags_are_read_whatever_stands_before_them)
{
	struct scan_edns e;

	desk_start(&k, 1, 0x0110);
	desk_question(&k, "x.test", 1);
	desk_opt(&k, true, 3);
	k.buf[wr_len(&k.w) - 6] = 0xf7; /* the high rcode, where a TTL has
					 * its top bit */
	ck_assert_int_eq(scan(&e, wr_len(&k.w)), 0);
	ck_assert(e.present && e.dnssec_ok);
	ck_assert_uint_eq(e.version, 3);
}
END_TEST

START_TEST(a_ttl_with_the_top_bit_is_zero)
{
	struct scan_rr rr;
	struct rd r;

	desk_start(&k, 1, 0);
	desk_rr(&k, 1, "x", 1, 0x80000005, "abcd", 4);
	desk_rr(&k, 1, "x", 1, 0x7fffffff, "abcd", 4);
	r = rd_init(k.buf + 12, wr_len(&k.w) - 12);
	scan_rr(&r, k.buf, &rr);
	ck_assert_uint_eq(rr.ttl, 0);
	scan_rr(&r, k.buf, &rr);
	ck_assert_uint_eq(rr.ttl, 0x7fffffff);
	ck_assert_uint_eq(rr.rdlen, 4);
	ck_assert_mem_eq(rr.rdata, "abcd", 4);
	ck_assert(!r.bad);
}
END_TEST

Suite *test_scan_suite(void);
Suite *test_scan_suite(void)
{
	Suite *s = suite_create("scan");
	TCase *tc = tcase_create("scan");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, edns_is_found_and_each_length_but_one_refused);
	tcase_add_test(tc, a_cookie_has_one_of_the_lengths_there_are);
	tcase_add_test(tc, options_fill_their_opt);
	tcase_add_loop_test(tc, an_opt_stands_once_at_the_root_in_additional, 0,
			    3);
	tcase_add_test(tc, flags_are_read_whatever_stands_before_them);
	tcase_add_test(tc, a_ttl_with_the_top_bit_is_zero);
	suite_add_tcase(s, tc);
	return s;
}
