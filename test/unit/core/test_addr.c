/* SPDX-License-Identifier: MIT */
/* Addresses, HITs, endpoints, prefixes: texts both ways, kinds, order. */
#include "core/addr.h"

#include <arpa/inet.h>
#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a) == 0, "%s", text);
	return a;
}

START_TEST(texts_that_rfc5952_likes_come_back_unchanged)
{
	static const char *const good[] = {
		"0.0.0.0",     "192.0.2.1", "255.255.255.255",	    "::", "::1",
		"2001:db8::1", "fe80::1:2", "2001:db8:1:2:3:4:5:6",
	};
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct addr a = addr_of(good[i]);

		ck_assert_str_eq(addr_print(&a, text), good[i]);
		ck_assert_int_eq(addr_is4(&a), strchr(good[i], ':') == NULL);
	}
}
END_TEST

/* The C library is the twin. */
START_TEST(addresses_are_printed_as_the_library_does)
{
	uint32_t seed = randombytes_random();
	char ours[ADDR_TEXT_MAX];
	char theirs[ADDR_TEXT_MAX];
	struct hit h;

	printf("addresses_are_printed_as_the_library_does: seed %u\n", seed);
	srandom(seed);
	for (unsigned n = 0; n < 20000; n++) {
		struct addr a;
		uint16_t zeros = (uint16_t)random();
		bool six;

		/* Many groups are zero, some octets are small. */
		for (unsigned i = 0; i < 16; i++) {
			a.b[i] = (uint8_t)(random() >> (n & 4 ? 6 : 0));
			if (zeros >> (i / 2) & 1)
				a.b[i] = n & 8 && i / 2 == 5 ? 0xff : 0;
		}
		six = !addr_is4(&a);
		ck_assert_ptr_nonnull(inet_ntop(six ? AF_INET6 : AF_INET,
						six ? a.b : a.b + 12, theirs,
						sizeof(theirs)));
		ck_assert_str_eq(addr_print(&a, ours), theirs);
		memcpy(h.b, a.b, sizeof(h.b));
		ck_assert_ptr_nonnull(
			inet_ntop(AF_INET6, h.b, theirs, sizeof(theirs)));
		ck_assert_str_eq(hit_print(&h, ours), theirs);
	}
}
END_TEST

START_TEST(bad_texts_are_refused_and_leave_the_output_alone)
{
	static const char *const bad[] = {
		"",	   "1.2.3",  "1.2.3.4.5",    "256.1.1.1",
		"1::2::3", ":::",    "g::",	     "1.2.3.4 ",
		" ::1",	   "::1/64", "fe80::1%eth0",
	};
	struct addr was = addr_of("192.0.2.9");
	struct addr a = was;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(addr_parse(bad[i], &a), HG_EFORMAT);
	ck_assert(addr_eq(&a, &was));
}
END_TEST

START_TEST(an_ipv4_address_is_the_mapped_form)
{
	static const uint8_t four[4] = { 192, 0, 2, 33 };
	struct addr a = addr_from4(four);
	struct addr b = addr_of("192.0.2.33");
	struct addr c = addr_of("::ffff:192.0.2.33");

	ck_assert(addr_eq(&a, &b));
	ck_assert(addr_eq(&a, &c));
	ck_assert_mem_eq(addr_four(&a), four, 4);
}
END_TEST

START_TEST(unusable_addresses_are_no_place_to_send_to)
{
	static const char *const bad[] = {
		"0.0.0.0",   "0.1.2.3",	  "127.0.0.1",	     "127.255.255.254",
		"224.0.0.1", "240.0.0.1", "255.255.255.255", "::",
		"::1",	     "ff02::1",	  "2001:20::1",	     "2001:2f:ffff::",
	};
	static const char *const good[] = {
		"1.0.0.1", "126.255.255.255", "128.0.0.1",  "223.255.255.255",
		"::2",	   "2001:1f::1",      "2001:30::1", "fe80::1",
		"fdff::1",
	};
	struct addr a;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		a = addr_of(bad[i]);
		ck_assert_msg(addr_is_unusable(&a), "%s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		a = addr_of(good[i]);
		ck_assert_msg(!addr_is_unusable(&a), "%s", good[i]);
	}
}
END_TEST

START_TEST(link_local_and_unspecified_are_told_in_both_families)
{
	struct addr a = addr_of("169.254.1.1");

	ck_assert(addr_is_linklocal(&a));
	a = addr_of("169.253.1.1");
	ck_assert(!addr_is_linklocal(&a));
	a = addr_of("febf::1");
	ck_assert(addr_is_linklocal(&a));
	a = addr_of("fec0::1");
	ck_assert(!addr_is_linklocal(&a));
	a = addr_of("0.0.0.0");
	ck_assert(addr_is_unspecified(&a));
	ck_assert(addr_is_unspecified(&addr_any6));
	a = addr_of("0.0.0.1");
	ck_assert(!addr_is_unspecified(&a));
}
END_TEST

START_TEST(a_hit_is_an_orchid_and_nothing_else)
{
	struct hit h;
	char text[ADDR_TEXT_MAX];

	ck_assert_int_eq(hit_parse("2001:21:1::2", &h), 0);
	ck_assert_uint_eq(hit_suite(&h), 1);
	ck_assert_str_eq(hit_print(&h, text), "2001:21:1::2");
	ck_assert_int_eq(hit_parse("2001:2f::", &h), 0);
	ck_assert_uint_eq(hit_suite(&h), 15);
	ck_assert_int_eq(hit_parse("2001:10::1", &h), HG_EFORMAT);
	ck_assert_int_eq(hit_parse("2001:30::1", &h), HG_EFORMAT);
	ck_assert_int_eq(hit_parse("192.0.2.1", &h), HG_EFORMAT);
	ck_assert_int_eq(hit_parse("", &h), HG_EFORMAT);
}
END_TEST

START_TEST(hits_are_ordered_as_unsigned_numbers)
{
	struct hit low = { { 0x20, 0x01, 0x00, 0x21, 0x7f } };
	struct hit high = { { 0x20, 0x01, 0x00, 0x21, 0x80 } };

	ck_assert_int_lt(hit_cmp(&low, &high), 0);
	ck_assert_int_gt(hit_cmp(&high, &low), 0);
	ck_assert_int_eq(hit_cmp(&low, &low), 0);
	ck_assert(hit_eq(&low, &low));
	ck_assert(!hit_eq(&low, &high));
	ck_assert(hit_is_null(&hit_null));
	ck_assert(!hit_is_null(&low));
}
END_TEST

static void check_endpoint(const char *text, const char *addr, unsigned port)
{
	struct endpoint e;
	struct addr want = addr_of(addr);

	ck_assert_msg(endpoint_parse(text, 53, &e) == 0, "%s", text);
	ck_assert_msg(addr_eq(&e.addr, &want), "%s", text);
	ck_assert_uint_eq(e.port, port);
}

START_TEST(endpoints_take_a_port_or_the_default)
{
	struct endpoint a;
	struct endpoint b;
	char text[ENDPOINT_TEXT_MAX];

	check_endpoint("192.0.2.1", "192.0.2.1", 53);
	check_endpoint("192.0.2.1:5353", "192.0.2.1", 5353);
	check_endpoint("2001:db8::1", "2001:db8::1", 53);
	check_endpoint("[2001:db8::1]", "2001:db8::1", 53);
	check_endpoint("[2001:db8::1]:65535", "2001:db8::1", 65535);
	ck_assert_int_eq(endpoint_parse("[2001:db8::1]:99", 53, &a), 0);
	ck_assert_str_eq(endpoint_print(&a, text), "[2001:db8::1]:99");
	ck_assert_int_eq(endpoint_parse("192.0.2.1:99", 53, &b), 0);
	ck_assert_str_eq(endpoint_print(&b, text), "192.0.2.1:99");
	ck_assert(!endpoint_eq(&a, &b));
	a = b;
	ck_assert(endpoint_eq(&a, &b));
	a.port++;
	ck_assert(!endpoint_eq(&a, &b));
}
END_TEST

START_TEST(bad_endpoints_are_refused)
{
	static const char *const bad[] = {
		"",
		"192.0.2.1:",
		"192.0.2.1:0",
		"192.0.2.1:65536",
		"192.0.2.1:-1",
		"192.0.2.1: 1",
		"192.0.2.1:1x",
		"[2001:db8::1",
		"[2001:db8::1]x",
		"[2001:db8::1]:",
		"name:53",
	};
	struct endpoint e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(endpoint_parse(bad[i], 53, &e) == HG_EFORMAT,
			      "%s", bad[i]);
}
END_TEST

START_TEST(a_prefix_has_its_addresses_and_no_others)
{
	struct prefix p;
	struct addr a;
	char text[PREFIX_TEXT_MAX];

	ck_assert_int_eq(prefix_parse("198.18.0.0/15", &p), 0);
	ck_assert_uint_eq(p.len, 111);
	ck_assert(prefix_is4(&p));
	ck_assert_str_eq(prefix_print(&p, text), "198.18.0.0/15");
	a = addr_of("198.19.255.255");
	ck_assert(prefix_has(&p, &a));
	a = addr_of("198.20.0.0");
	ck_assert(!prefix_has(&p, &a));
	a = addr_of("198.17.255.255");
	ck_assert(!prefix_has(&p, &a));
	ck_assert_int_eq(prefix_parse("2001:db8:8000::/33", &p), 0);
	ck_assert(!prefix_is4(&p));
	a = addr_of("2001:db8:8000::1");
	ck_assert(prefix_has(&p, &a));
	a = addr_of("2001:db8:7fff::1");
	ck_assert(!prefix_has(&p, &a));
	ck_assert_int_eq(prefix_parse("0.0.0.0/0", &p), 0);
	ck_assert(prefix_has(&p, addr_is4(&a) ? &a : &p.addr));
	ck_assert(!prefix_has(&p, &a));
	ck_assert_int_eq(prefix_parse("192.0.2.7", &p), 0);
	ck_assert_uint_eq(p.len, 128);
}
END_TEST

START_TEST(bad_prefixes_are_refused)
{
	static const char *const bad[] = {
		"",
		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.1/24",
		"192.0.2.0/-1",
		"192.0.2.0/2 4",
		"2001:db8::/129",
		"2001:db8::1/64",
		"/24",
		"192.0.2.0/24/1",
	};
	struct prefix p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(prefix_parse(bad[i], &p) == HG_EFORMAT, "%s",
			      bad[i]);
}
END_TEST

Suite *test_addr_suite(void)
{
	Suite *s = suite_create("addr");
	TCase *t = tcase_create("all");

	tcase_add_test(t, texts_that_rfc5952_likes_come_back_unchanged);
	tcase_add_test(t, addresses_are_printed_as_the_library_does);
	tcase_add_test(t, bad_texts_are_refused_and_leave_the_output_alone);
	tcase_add_test(t, an_ipv4_address_is_the_mapped_form);
	tcase_add_test(t, unusable_addresses_are_no_place_to_send_to);
	tcase_add_test(t, link_local_and_unspecified_are_told_in_both_families);
	tcase_add_test(t, a_hit_is_an_orchid_and_nothing_else);
	tcase_add_test(t, hits_are_ordered_as_unsigned_numbers);
	tcase_add_test(t, endpoints_take_a_port_or_the_default);
	tcase_add_test(t, bad_endpoints_are_refused);
	tcase_add_test(t, a_prefix_has_its_addresses_and_no_others);
	tcase_add_test(t, bad_prefixes_are_refused);
	suite_add_tcase(s, t);
	return s;
}
