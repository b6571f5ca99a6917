/* SPDX-License-Identifier: MIT */
/* Fragments as core/ip.h reads and writes them. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/ip.h"
#include "core/wire.h"

static const struct addr from4 = {
	{ [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 }
};
static const struct addr to4 = {
	{ [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18, [15] = 9 }
};
static const struct addr from6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct addr to6 = { { 0xfd, 0, 0, 9, [15] = 9 } };

/* 24 octets at offset 1480 of a packet with id 0x1234 (5678), more after
 * them. */
static size_t make4(uint8_t *pkt)
{
	size_t hdr = ip_put_header(pkt, &from4, &to4, IP_PROTO_UDP, 24, 61, 0);

	put_be16(pkt + 4, 0x1234);
	put_be16(pkt + 6, 0x2000 | 1480 / 8);
	put_be16(pkt + 10, 0);
	put_be16(pkt + 10, csum_finish(csum_add(0, pkt, IP4_HDR)));
	memset(pkt + hdr, 7, 24);
	return hdr + 24;
}

static size_t make6(uint8_t *pkt)
{
	size_t hdr =
		ip_put_header(pkt, &from6, &to6, IP_PROTO_FRAGMENT, 32, 61, 0);

	ip_put_fragment(pkt + hdr, IP_PROTO_UDP, 1480, true, 0x12345678);
	memset(pkt + hdr + 8, 7, 24);
	return hdr + 32;
}

static size_t make(bool v6, uint8_t *pkt)
{
	return v6 ? make6(pkt) : make4(pkt);
}

START_TEST(a_fragment_says_where_it_belongs)
{
	for (int v6 = 0; v6 < 2; v6++) {
		uint8_t pkt[100];
		size_t len = make(v6, pkt);
		struct ip_fragment f;
		struct ip_view v;

		ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_IP_FRAGMENT);
		ck_assert_int_eq(ip_parse_fragment(pkt, len, &f), REASON_NUM);
		ck_assert_uint_eq(f.offset, 1480);
		ck_assert(f.more);
		ck_assert_uint_eq(f.id, v6 ? 0x12345678 : 0x1234);
		ck_assert_uint_eq(f.ip.proto, IP_PROTO_UDP);
		ck_assert_uint_eq(f.ip.ttl, 61);
		ck_assert_uint_eq(f.ip.l4_len, 24);
		ck_assert_ptr_eq(f.ip.l4, pkt + len - 24);
		ck_assert(addr_eq(&f.ip.from, v6 ? &from6 : &from4));
		for (size_t n = 0; n < len; n++) {
			uint8_t *cut = malloc(n ? n : 1);

			memcpy(cut, pkt, n);
			ck_assert_int_eq(ip_parse_fragment(cut, n, &f),
					 REASON_IP_TRUNCATED);
			free(cut);
		}
	}
}
END_TEST

START_TEST(a_packet_that_is_whole_is_no_fragment)
{
	uint8_t pkt[100];
	struct ip_fragment f;
	size_t n = ip_put_header(pkt, &from4, &to4, 132, 24, 61, 0);

	ck_assert_int_eq(ip_parse_fragment(pkt, n + 24, &f),
			 REASON_IP_FRAGMENT);
	n = ip_put_header(pkt, &from6, &to6, 132, 24, 61, 0);
	ck_assert_int_eq(ip_parse_fragment(pkt, n + 24, &f),
			 REASON_IP_FRAGMENT);
}
END_TEST

/* RFC 6946: with a fragment header, but all there is. */
START_TEST(an_atomic_fragment_is_a_packet)
{
	uint8_t pkt[100];
	size_t len = make6(pkt);
	struct ip_fragment f;
	struct ip_view v;

	ip_put_fragment(pkt + IP6_HDR, IP_PROTO_UDP, 0, false, 9);
	put_be16(pkt + IP6_HDR + 8 + 4, 24);
	ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
	ck_assert_uint_eq(v.proto, IP_PROTO_UDP);
	ck_assert_uint_eq(v.l4_len, 24);
	ck_assert_int_eq(ip_parse_fragment(pkt, len, &f), REASON_IP_FRAGMENT);
	/* What may not follow a fragment header. */
	for (int next = 0; next < 45; next += 44) {
		pkt[IP6_HDR] = (uint8_t)next;
		memset(pkt + IP6_HDR + 8, 0, 24);
		pkt[IP6_HDR + 8] = IP_PROTO_NONE;
		ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_IP_EXT_HEADER);
	}
	/* Options may. */
	pkt[IP6_HDR] = IP_PROTO_DEST_OPTS;
	ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
	ck_assert_uint_eq(v.l4_len, 16);
}
END_TEST

START_TEST(a_fragment_has_a_good_header_or_is_refused)
{
	uint8_t pkt[100];
	struct ip_fragment f;
	size_t len = make4(pkt);

	pkt[11] ^= 1;
	ck_assert_int_eq(ip_parse_fragment(pkt, len, &f), REASON_IP_CHECKSUM);
	len = make6(pkt);
	pkt[8] = 0xff;
	ck_assert_int_eq(ip_parse_fragment(pkt, len, &f), REASON_IP_BAD_ADDR);
	len = make6(pkt);
	pkt[7] = 0;
	ck_assert_int_eq(ip_parse_fragment(pkt, len, &f), REASON_TTL_EXPIRED);
}
END_TEST

START_TEST(the_reserved_bits_of_a_fragment_header_are_ignored)
{
	uint8_t hdr[16] = { 17, 0xff, 0x05, 0xc8 | 0x06, 1, 2, 3, 4 };
	struct ip_fragment f = { .id = 0 };

	ck_assert_int_eq(ip_get_fragment(hdr, 16, &f), REASON_NUM);
	ck_assert_uint_eq(f.offset, 1480);
	ck_assert(!f.more);
	ck_assert_uint_eq(f.id, 0x01020304);
	ck_assert_uint_eq(f.ip.l4_len, 8);
	ck_assert_int_eq(ip_get_fragment(hdr, 7, &f), REASON_IP_TRUNCATED);
}
END_TEST

START_TEST(a_header_that_allows_cutting_says_so)
{
	uint8_t hdr[IP6_HDR];

	(void)ip_put_header(hdr, &from4, &to4, 17, 100, 61, 0);
	ck_assert_uint_eq(get_be16(hdr + 6), 0x4000);
	ip_allow_cutting(hdr, 0xbeef);
	ck_assert_uint_eq(get_be16(hdr + 6), 0);
	ck_assert_uint_eq(get_be16(hdr + 4), 0xbeef);
	ck_assert_uint_eq(csum_finish(csum_add(0, hdr, IP4_HDR)), 0);
}
END_TEST

Suite *test_fragment_suite(void)
{
	Suite *s = suite_create("fragment");
	TCase *t = tcase_create("all");

	tcase_add_test(t, a_fragment_says_where_it_belongs);
	tcase_add_test(t, a_packet_that_is_whole_is_no_fragment);
	tcase_add_test(t, an_atomic_fragment_is_a_packet);
	tcase_add_test(t, a_fragment_has_a_good_header_or_is_refused);
	tcase_add_test(t, the_reserved_bits_of_a_fragment_header_are_ignored);
	tcase_add_test(t, a_header_that_allows_cutting_says_so);
	suite_add_tcase(s, t);
	return s;
}
