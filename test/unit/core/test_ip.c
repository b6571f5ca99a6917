/* SPDX-License-Identifier: MIT */
/* IP, TCP, UDP and ICMP headers: parse, build, refuse. */
#include "core/ip.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"

static const char *const ends[2][2] = {
	{ "192.0.2.1", "198.18.0.9" },
	{ "2001:db8::1", "2001:db8:ffff::9" },
};

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

/* A packet with l4_len zero octets of proto behind the header; TCP gets a
 * data offset, UDP a length. Returns its length. */
static size_t make(uint8_t *pkt, bool v6, uint8_t proto, uint32_t l4_len)
{
	struct addr from = addr_of(ends[v6][0]);
	struct addr to = addr_of(ends[v6][1]);
	size_t hdr = ip_put_header(pkt, &from, &to, proto, l4_len, 61, 0x2e);

	memset(pkt + hdr, 0, l4_len);
	if (proto == IP_PROTO_TCP && l4_len >= TCP_HDR)
		pkt[hdr + 12] = 0x50;
	if (proto == IP_PROTO_UDP && l4_len >= UDP_HDR)
		put_be16(pkt + hdr + 4, (uint16_t)l4_len);
	return hdr + l4_len;
}

static void sum4(uint8_t *pkt)
{
	size_t hdr = (size_t)(pkt[0] & 15) * 4;

	put_be16(pkt + 10, 0);
	put_be16(pkt + 10, csum_finish(csum_add(0, pkt, hdr)));
}

/* Parses an exact heap copy, so that a read beyond it is seen. */
static enum reason parse(const uint8_t *pkt, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct ip_view v;
	enum reason r;

	memcpy(copy, pkt, len);
	r = ip_parse(copy, len, &v);
	free(copy);
	return r;
}

START_TEST(a_built_header_is_parsed_back)
{
	uint8_t pkt[200];
	struct ip_view v;

	for (int v6 = 0; v6 < 2; v6++) {
		struct addr from = addr_of(ends[v6][0]);
		struct addr to = addr_of(ends[v6][1]);
		size_t len = make(pkt, v6, IP_PROTO_TCP, 33);

		ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
		ck_assert(addr_eq(&v.from, &from));
		ck_assert(addr_eq(&v.to, &to));
		ck_assert_int_eq(v.v4, !v6);
		ck_assert_uint_eq(v.proto, IP_PROTO_TCP);
		ck_assert_uint_eq(v.tos, 0x2e);
		ck_assert_uint_eq(v.ttl, 61);
		ck_assert_uint_eq(v.l4_len, 33);
		ck_assert_ptr_eq(v.l4, pkt + len - 33);
	}
}
END_TEST

START_TEST(every_cut_of_a_packet_is_truncated)
{
	uint8_t pkt[200];

	for (int v6 = 0; v6 < 2; v6++) {
		size_t len = make(pkt, v6, IP_PROTO_UDP, 20);

		ck_assert_int_eq(parse(pkt, len), REASON_NUM);
		for (size_t n = 0; n < len; n++)
			ck_assert_int_eq(parse(pkt, n), REASON_IP_TRUNCATED);
		/* Octets after the stated length are not the packet's. */
		ck_assert_int_eq(parse(pkt, len + 7), REASON_NUM);
	}
}
END_TEST

START_TEST(every_flip_in_an_ipv4_header_is_seen)
{
	uint8_t pkt[64];
	size_t len = make(pkt, false, IP_PROTO_UDP, 20);

	for (size_t bit = 0; bit < IP4_HDR * 8; bit++) {
		pkt[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert_int_ne(parse(pkt, len), REASON_NUM);
		pkt[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	pkt[15] ^= 1;
	ck_assert_int_eq(parse(pkt, len), REASON_IP_CHECKSUM);
}
END_TEST

START_TEST(other_versions_are_refused)
{
	uint8_t pkt[64];
	size_t len = make(pkt, true, IP_PROTO_UDP, 20);

	for (unsigned v = 0; v < 16; v++) {
		pkt[0] = (uint8_t)(v << 4);
		if (v != 4 && v != 6)
			ck_assert_int_eq(parse(pkt, len), REASON_IP_VERSION);
	}
}
END_TEST

START_TEST(fragments_of_ipv4_are_refused_and_df_is_not_one)
{
	uint8_t pkt[64];
	size_t len = make(pkt, false, IP_PROTO_UDP, 20);

	ck_assert_uint_eq(get_be16(pkt + 6), 0x4000);
	put_be16(pkt + 6, 0x2000);
	sum4(pkt);
	ck_assert_int_eq(parse(pkt, len), REASON_IP_FRAGMENT);
	put_be16(pkt + 6, 0x0001);
	sum4(pkt);
	ck_assert_int_eq(parse(pkt, len), REASON_IP_FRAGMENT);
	put_be16(pkt + 6, 0);
	sum4(pkt);
	ck_assert_int_eq(parse(pkt, len), REASON_NUM);
}
END_TEST

START_TEST(a_ttl_of_zero_is_refused)
{
	uint8_t pkt[64];
	size_t len = make(pkt, false, IP_PROTO_UDP, 20);

	pkt[8] = 0;
	sum4(pkt);
	ck_assert_int_eq(parse(pkt, len), REASON_TTL_EXPIRED);
	len = make(pkt, true, IP_PROTO_UDP, 20);
	pkt[7] = 0;
	ck_assert_int_eq(parse(pkt, len), REASON_TTL_EXPIRED);
	pkt[7] = 1;
	ck_assert_int_eq(parse(pkt, len), REASON_NUM);
}
END_TEST

START_TEST(sources_nobody_may_have_are_refused)
{
	static const char *const bad4[] = { "0.0.0.0", "127.0.0.1", "224.0.0.5",
					    "255.255.255.255" };
	static const char *const bad6[] = { "::", "::1", "ff02::1" };
	uint8_t pkt[64];
	size_t len = make(pkt, false, IP_PROTO_UDP, 20);
	struct addr a;

	for (size_t i = 0; i < sizeof(bad4) / sizeof(bad4[0]); i++) {
		a = addr_of(bad4[i]);
		memcpy(pkt + 12, addr_four(&a), 4);
		sum4(pkt);
		ck_assert_int_eq(parse(pkt, len), REASON_IP_BAD_ADDR);
	}
	len = make(pkt, true, IP_PROTO_UDP, 20);
	for (size_t i = 0; i < sizeof(bad6) / sizeof(bad6[0]); i++) {
		a = addr_of(bad6[i]);
		memcpy(pkt + 8, a.b, 16);
		ck_assert_int_eq(parse(pkt, len), REASON_IP_BAD_ADDR);
	}
	a = addr_of("2001:20::1"); /* the host role's own */
	memcpy(pkt + 8, a.b, 16);
	ck_assert_int_eq(parse(pkt, len), REASON_NUM);
}
END_TEST

START_TEST(a_mapped_address_in_an_ipv6_header_is_refused)
{
	uint8_t pkt[64];
	struct addr four = addr_of("192.0.2.1");
	size_t len = make(pkt, true, IP_PROTO_UDP, 20);

	memcpy(pkt + 8, four.b, 16);
	ck_assert_int_eq(parse(pkt, len), REASON_IP_BAD_ADDR);
	len = make(pkt, true, IP_PROTO_UDP, 20);
	memcpy(pkt + 24, four.b, 16);
	ck_assert_int_eq(parse(pkt, len), REASON_IP_BAD_ADDR);
}
END_TEST

/* make() with `opt` octets of IPv4 options before 20 octets of UDP. */
static size_t make_options(uint8_t *pkt, const uint8_t *opt, size_t n)
{
	make(pkt, false, IP_PROTO_UDP, 20);
	memmove(pkt + IP4_HDR + n, pkt + IP4_HDR, 20);
	memcpy(pkt + IP4_HDR, opt, n);
	pkt[0] = (uint8_t)(0x45 + n / 4);
	put_be16(pkt + 2, (uint16_t)(40 + n));
	sum4(pkt);
	return 40 + n;
}

START_TEST(ipv4_options_are_skipped_but_source_routes_are_refused)
{
	static const uint8_t alert[4] = { 0x94, 4, 0, 0 };
	static const uint8_t lsrr[8] = { 1, 131, 7, 4, 1, 2, 3, 4 };
	static const uint8_t used[8] = { 1, 131, 7, 8, 1, 2, 3, 4 };
	static const uint8_t ssrr[8] = { 137, 7, 4, 1, 2, 3, 4, 0 };
	static const uint8_t lies[4] = { 0x94, 5, 0, 0 };
	static const uint8_t stuck[4] = { 0x94, 0, 0, 0 };
	static const uint8_t ends_here[4] = { 0, 131, 1, 1 };
	uint8_t pkt[100];

	ck_assert_int_eq(parse(pkt, make_options(pkt, alert, 4)), REASON_NUM);
	ck_assert_int_eq(parse(pkt, make_options(pkt, used, 8)), REASON_NUM);
	ck_assert_int_eq(parse(pkt, make_options(pkt, ends_here, 4)),
			 REASON_NUM);
	ck_assert_int_eq(parse(pkt, make_options(pkt, lsrr, 8)),
			 REASON_IP_EXT_HEADER);
	ck_assert_int_eq(parse(pkt, make_options(pkt, ssrr, 8)),
			 REASON_IP_EXT_HEADER);
	ck_assert_int_eq(parse(pkt, make_options(pkt, lies, 4)),
			 REASON_IP_TRUNCATED);
	ck_assert_int_eq(parse(pkt, make_options(pkt, stuck, 4)),
			 REASON_IP_TRUNCATED);
}
END_TEST

/* An IPv6 packet with a chain of 8-octet extension headers before UDP. */
static size_t make_ext(uint8_t *pkt, const uint8_t *kinds, size_t n)
{
	uint8_t *p = pkt + IP6_HDR;

	make(pkt, true, IP_PROTO_UDP, (uint32_t)(8 * n + 20));
	memset(p, 0, 8 * n + 20);
	pkt[6] = n ? kinds[0] : IP_PROTO_UDP;
	for (size_t i = 0; i < n; i++)
		p[8 * i] = i + 1 < n ? kinds[i + 1] : IP_PROTO_UDP;
	put_be16(p + 8 * n + 4, 20);
	return IP6_HDR + 8 * n + 20;
}

START_TEST(ipv6_options_are_skipped)
{
	static const uint8_t kinds[3] = { 0, 60, 60 };
	uint8_t pkt[200];
	struct ip_view v;
	size_t len = make_ext(pkt, kinds, 3);

	ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
	ck_assert_uint_eq(v.proto, IP_PROTO_UDP);
	ck_assert_uint_eq(v.l4_len, 20);
	ck_assert_ptr_eq(v.l4, pkt + IP6_HDR + 24);
	pkt[IP6_HDR + 17] = 9; /* the last one claims 80 octets */
	ck_assert_int_eq(parse(pkt, len), REASON_IP_TRUNCATED);
}
END_TEST

START_TEST(ipv6_routes_late_and_endless_headers_are_refused)
{
	static const uint8_t routing[2] = { 60, 43 };
	static const uint8_t late[2] = { 60, 0 };
	static const uint8_t many[8] = { 60, 60, 60, 60, 60, 60, 60, 60 };
	uint8_t pkt[200];
	size_t len = make_ext(pkt, routing, 2);

	/* RFC 7915 5.1: at its end it is skipped, on its way refused. */
	ck_assert_int_eq(parse(pkt, len), REASON_NUM);
	pkt[IP6_HDR + 8 + 3] = 1;
	ck_assert_int_eq(parse(pkt, len), REASON_IP_EXT_HEADER);
	ck_assert_int_eq(parse(pkt, make_ext(pkt, late, 2)),
			 REASON_IP_EXT_HEADER);
	ck_assert_int_eq(parse(pkt, make_ext(pkt, many, 7)), REASON_NUM);
	ck_assert_int_eq(parse(pkt, make_ext(pkt, many, 8)),
			 REASON_IP_EXT_HEADER);
}
END_TEST

START_TEST(upper_layer_headers_must_be_whole)
{
	static const struct {
		uint8_t proto;
		uint32_t need;
	} cases[] = { { IP_PROTO_TCP, 20 },
		      { IP_PROTO_UDP, 8 },
		      { IP_PROTO_ICMP, 8 },
		      { IP_PROTO_ICMP6, 8 },
		      { 132, 0 } };
	uint8_t pkt[100];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (uint32_t n = 0; n < 24; n++) {
			size_t len = make(pkt, true, cases[i].proto, n);

			ck_assert_int_eq(parse(pkt, len),
					 n < cases[i].need ? REASON_L4_TRUNCATED
							   : REASON_NUM);
		}
	}
}
END_TEST

START_TEST(tcp_data_offset_must_fit)
{
	uint8_t pkt[100];
	size_t len = make(pkt, true, IP_PROTO_TCP, 24);

	pkt[IP6_HDR + 12] = 0x40;
	ck_assert_int_eq(parse(pkt, len), REASON_L4_TRUNCATED);
	pkt[IP6_HDR + 12] = 0x60;
	ck_assert_int_eq(parse(pkt, len), REASON_NUM);
	ck_assert_uint_eq(ip_l4_hdr_len(IP_PROTO_TCP, pkt + IP6_HDR, 24), 24);
	pkt[IP6_HDR + 12] = 0x70;
	ck_assert_int_eq(parse(pkt, len), REASON_L4_TRUNCATED);
}
END_TEST

START_TEST(udp_length_trims_and_must_not_lie)
{
	uint8_t pkt[100];
	struct ip_view v;
	size_t len = make(pkt, true, IP_PROTO_UDP, 24);

	put_be16(pkt + IP6_HDR + 4, 20);
	ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
	ck_assert_uint_eq(v.l4_len, 20);
	put_be16(pkt + IP6_HDR + 4, 25);
	ck_assert_int_eq(parse(pkt, len), REASON_L4_TRUNCATED);
	put_be16(pkt + IP6_HDR + 4, 7);
	ck_assert_int_eq(parse(pkt, len), REASON_L4_TRUNCATED);
	put_be16(pkt + IP6_HDR + 4, 0);
	ck_assert_int_eq(parse(pkt, len), REASON_L4_TRUNCATED);
}
END_TEST

START_TEST(a_header_that_cannot_say_its_length_is_not_built)
{
	uint8_t out[IP6_HDR];
	struct addr a4 = addr_of("192.0.2.1");
	struct addr a6 = addr_of("2001:db8::1");

	ck_assert_uint_eq(ip_put_header(out, &a4, &a4, 6, 65515, 64, 0), 20);
	ck_assert_uint_eq(ip_put_header(out, &a4, &a4, 6, 65516, 64, 0), 0);
	ck_assert_uint_eq(ip_put_header(out, &a6, &a6, 6, 65535, 64, 0), 40);
	ck_assert_uint_eq(ip_put_header(out, &a6, &a6, 6, 65536, 64, 0), 0);
}
END_TEST

START_TEST(a_built_udp_packet_has_a_right_checksum)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct endpoint from = { addr_of(ends[v6][0]), 53 };
		struct endpoint to = { addr_of(ends[v6][1]), 4000 };
		size_t want = (v6 ? 40u : 20u) + 8 + 5;
		uint8_t pkt[64];
		struct ip_view v;
		uint64_t sum;

		ck_assert_uint_eq(
			ip_build_udp(pkt, want, &from, &to, "hello", 5), want);
		ck_assert_int_eq(ip_parse(pkt, want, &v), REASON_NUM);
		ck_assert_uint_eq(get_be16(v.l4), 53);
		ck_assert_uint_eq(get_be16(v.l4 + 2), 4000);
		ck_assert_mem_eq(v.l4 + 8, "hello", 5);
		sum = csum_pseudo(&v.from, &v.to, 17, v.l4_len);
		ck_assert_uint_eq(csum_finish(csum_add(sum, v.l4, v.l4_len)),
				  0);
		ck_assert_uint_eq(
			ip_build_udp(pkt, want - 1, &from, &to, "hello", 5), 0);
	}
}
END_TEST

START_TEST(a_udp_checksum_that_comes_out_zero_is_written_as_ffff)
{
	struct endpoint from = { addr_of(ends[0][0]), 53 };
	struct endpoint to = { addr_of(ends[0][1]), 4000 };
	uint8_t data[2] = { 0, 0 };
	uint8_t pkt[64];

	(void)ip_build_udp(pkt, sizeof(pkt), &from, &to, data, 2);
	/* The checksum itself as data brings the sum to zero. */
	memcpy(data, pkt + 26, 2);
	ck_assert_uint_eq(ip_build_udp(pkt, sizeof(pkt), &from, &to, data, 2),
			  30);
	ck_assert_uint_eq(get_be16(pkt + 26), 0xffff);
}
END_TEST

START_TEST(an_icmp_error_quotes_the_packet_with_a_right_checksum)
{
	uint8_t orig[1600];
	uint8_t out[2000];

	for (int v6 = 0; v6 < 2; v6++) {
		size_t hdr = v6 ? 40 : 20;
		struct addr self = addr_of(v6 ? "2001:db8::53" : "192.0.2.53");
		size_t len = make(orig, v6, IP_PROTO_UDP, 1500);
		size_t n = ip_build_icmp_error(out, sizeof(out), &self, orig,
					       len, 1, 4, 0);
		struct ip_view v;
		uint64_t sum = 0;

		ck_assert_uint_eq(n, v6 ? 1280 : 576);
		ck_assert_int_eq(ip_parse(out, n, &v), REASON_NUM);
		ck_assert(addr_eq(&v.from, &self));
		ck_assert_uint_eq(v.l4[0], v6 ? 1 : 3);
		ck_assert_uint_eq(v.l4[1], v6 ? 4 : 3);
		ck_assert_mem_eq(v.l4 + 8, orig, n - hdr - 8);
		if (v6)
			sum = csum_pseudo(&v.from, &v.to, 58, v.l4_len);
		ck_assert_uint_eq(csum_finish(csum_add(sum, v.l4, v.l4_len)),
				  0);
	}
}
END_TEST

START_TEST(icmp_errors_in_ipv4_follow_rfc7915)
{
	static const uint8_t want[][4] = {
		/* type, code, IPv4 type, IPv4 code */
		{ 1, 0, 3, 1 },	 { 1, 1, 3, 10 }, { 1, 3, 3, 1 },
		{ 1, 4, 3, 3 },	 { 2, 0, 3, 4 },  { 3, 0, 11, 0 },
		{ 3, 1, 11, 1 },
	};
	struct addr self = addr_of("192.0.2.53");
	uint8_t orig[100];
	uint8_t out[600];
	size_t len = make(orig, false, IP_PROTO_UDP, 20);

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		ck_assert_uint_eq(ip_build_icmp_error(out, sizeof(out), &self,
						      orig, len, want[i][0],
						      want[i][1], 1400),
				  20 + 8 + 40);
		ck_assert_uint_eq(out[20], want[i][2]);
		ck_assert_uint_eq(out[21], want[i][3]);
		ck_assert_uint_eq(get_be16(out + 26),
				  want[i][0] == 2 ? 1400 : 0);
	}
	ck_assert_uint_eq(ip_build_icmp_error(out, sizeof(out), &self, orig,
					      len, 4, 0, 0),
			  0);
}
END_TEST

START_TEST(icmp_errors_are_not_sent_about_errors_multicast_or_nobody)
{
	struct addr self4 = addr_of("192.0.2.53");
	struct addr self6 = addr_of("2001:db8::53");
	uint8_t orig[100];
	uint8_t out[1300];
	size_t len;

	for (unsigned type = 0; type < 256; type++) {
		bool error = type == 3 || type == 4 || type == 5 ||
			     type == 11 || type == 12;

		len = make(orig, false, IP_PROTO_ICMP, 20);
		orig[20] = (uint8_t)type;
		ck_assert_int_eq(ip_build_icmp_error(out, sizeof(out), &self4,
						     orig, len, 1, 0, 0) == 0,
				 error);
		len = make(orig, true, IP_PROTO_ICMP6, 20);
		orig[40] = (uint8_t)type;
		ck_assert_int_eq(ip_build_icmp_error(out, sizeof(out), &self6,
						     orig, len, 1, 0, 0) == 0,
				 type < 128 || type == 137);
	}
	len = make(orig, true, IP_PROTO_UDP, 20);
	orig[24] = 0xff;
	ck_assert_uint_eq(ip_build_icmp_error(out, sizeof(out), &self6, orig,
					      len, 1, 0, 0),
			  0);
	len = make(orig, true, IP_PROTO_UDP, 20);
	ck_assert_uint_eq(ip_build_icmp_error(out, sizeof(out), &self4, orig,
					      len, 1, 0, 0),
			  0);
	ck_assert_uint_eq(ip_build_icmp_error(out, sizeof(out), &self6, orig,
					      len - 1, 1, 0, 0),
			  0);
	ck_assert_uint_eq(
		ip_build_icmp_error(out, 60, &self6, orig, len, 1, 0, 0), 0);
}
END_TEST

START_TEST(checksum_offsets_are_those_of_the_protocols)
{
	ck_assert_int_eq(ip_csum_offset(IP_PROTO_TCP), 16);
	ck_assert_int_eq(ip_csum_offset(IP_PROTO_UDP), 6);
	ck_assert_int_eq(ip_csum_offset(IP_PROTO_ICMP), 2);
	ck_assert_int_eq(ip_csum_offset(IP_PROTO_ICMP6), 2);
	ck_assert_int_eq(ip_csum_offset(47), -1);
}
END_TEST

Suite *test_ip_suite(void)
{
	Suite *s = suite_create("ip");
	TCase *t = tcase_create("parse");
	TCase *b = tcase_create("build");

	tcase_add_test(t, a_built_header_is_parsed_back);
	tcase_add_test(t, every_cut_of_a_packet_is_truncated);
	tcase_add_test(t, every_flip_in_an_ipv4_header_is_seen);
	tcase_add_test(t, other_versions_are_refused);
	tcase_add_test(t, fragments_of_ipv4_are_refused_and_df_is_not_one);
	tcase_add_test(t, a_ttl_of_zero_is_refused);
	tcase_add_test(t, sources_nobody_may_have_are_refused);
	tcase_add_test(t, a_mapped_address_in_an_ipv6_header_is_refused);
	tcase_add_test(t,
		       ipv4_options_are_skipped_but_source_routes_are_refused);
	tcase_add_test(t, ipv6_options_are_skipped);
	tcase_add_test(t, ipv6_routes_late_and_endless_headers_are_refused);
	tcase_add_test(t, upper_layer_headers_must_be_whole);
	tcase_add_test(t, tcp_data_offset_must_fit);
	tcase_add_test(t, udp_length_trims_and_must_not_lie);
	tcase_add_test(b, a_header_that_cannot_say_its_length_is_not_built);
	tcase_add_test(b, a_built_udp_packet_has_a_right_checksum);
	tcase_add_test(b,
		       a_udp_checksum_that_comes_out_zero_is_written_as_ffff);
	tcase_add_test(b,
		       an_icmp_error_quotes_the_packet_with_a_right_checksum);
	tcase_add_test(b, icmp_errors_in_ipv4_follow_rfc7915);
	tcase_add_test(
		b, icmp_errors_are_not_sent_about_errors_multicast_or_nobody);
	tcase_add_test(b, checksum_offsets_are_those_of_the_protocols);
	suite_add_tcase(s, t);
	suite_add_tcase(s, b);
	return s;
}
