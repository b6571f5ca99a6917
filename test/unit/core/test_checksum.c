/* SPDX-License-Identifier: MIT */
/* Checksums: published vectors, and a stupid twin on random octets. */
#include "core/checksum.h"

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "test/vectors/known_checksum.h"

/* RFC 1071 read word by word. */
static uint16_t stupid_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

START_TEST(rfc1071_example_sums_to_ddf2)
{
	static const uint8_t data[] = { 0x00, 0x01, 0xf2, 0x03,
					0xf4, 0xf5, 0xf6, 0xf7 };

	ck_assert_uint_eq(csum_fold(csum_add(0, data, 8)), 0xddf2);
	ck_assert_uint_eq(csum_finish(csum_add(0, data, 8)), 0x220d);
}
END_TEST

START_TEST(rfc7401_appendix_c)
{
	const struct known_checksum *v = &known_checksums[_i];
	uint8_t buf[256];
	size_t len;

	ck_assert_int_eq(sodium_hex2bin(buf, sizeof(buf), v->hex,
					strlen(v->hex), NULL, &len, NULL),
			 0);
	ck_assert_uint_eq(csum_finish(csum_add(0, buf, len)), v->sum);
	buf[v->pseudo_len] ^= 1;
	ck_assert_uint_ne(csum_finish(csum_add(0, buf, len)), v->sum);
}
END_TEST

/* RFC 7401 C.3. */
START_TEST(rfc7401_tcp_syn_over_hits_is_6faa)
{
	static const uint8_t syn[20] = {
		0xff, 0xdc, 0x00, 0x16, 0,    0,    0, 1, 0, 0,
		0,    0,    0x50, 0x02, 0xff, 0xff, 0, 0, 0, 0,
	};
	struct hit from;
	struct hit to;
	uint64_t sum;

	ck_assert_int_eq(hit_parse("2001:20::1", &from), 0);
	ck_assert_int_eq(hit_parse("2001:20::2", &to), 0);
	sum = csum_pseudo_hit(&from, &to, 6, sizeof(syn));
	ck_assert_uint_eq(csum_finish(csum_add(sum, syn, sizeof(syn))), 0x6faa);
	sum = csum_pseudo_hit(&from, &to, 17, sizeof(syn));
	ck_assert_uint_ne(csum_finish(csum_add(sum, syn, sizeof(syn))), 0x6faa);
}
END_TEST

START_TEST(any_length_and_alignment_agrees_with_the_stupid_twin)
{
	uint8_t buf[200];

	for (unsigned round = 0; round < 2000; round++) {
		size_t at = randombytes_uniform(8);
		size_t len = randombytes_uniform(sizeof(buf) - 8);

		randombytes_buf(buf, sizeof(buf));
		ck_assert_uint_eq(csum_fold(csum_add(0, buf + at, len)),
				  stupid_sum(0, buf + at, len));
	}
}
END_TEST

START_TEST(a_sum_in_even_chunks_is_the_sum_of_the_whole)
{
	uint8_t buf[101];
	uint64_t sum;

	for (size_t cut = 0; cut < sizeof(buf); cut += 2) {
		randombytes_buf(buf, sizeof(buf));
		sum = csum_add(0, buf, cut);
		sum = csum_add(sum, buf + cut, sizeof(buf) - cut);
		ck_assert_uint_eq(csum_fold(sum),
				  stupid_sum(0, buf, sizeof(buf)));
	}
}
END_TEST

START_TEST(the_largest_packet_of_ones_does_not_overflow)
{
	static uint8_t buf[65536];

	memset(buf, 0xff, sizeof(buf));
	ck_assert_uint_eq(csum_fold(csum_add(0, buf, sizeof(buf))), 0xffff);
	ck_assert_uint_eq(csum_fold(UINT64_MAX), 0xffff);
}
END_TEST

START_TEST(ipv4_pseudo_header_is_the_twelve_octets_of_rfc793)
{
	static const uint8_t four_a[4] = { 192, 0, 2, 1 };
	static const uint8_t four_b[4] = { 198, 51, 100, 7 };
	static const uint8_t flat[12] = { 192, 0, 2, 1, 198,  51,
					  100, 7, 0, 6, 0x12, 0x34 };
	struct addr a = addr_from4(four_a);
	struct addr b = addr_from4(four_b);

	ck_assert_uint_eq(csum_fold(csum_pseudo(&a, &b, 6, 0x1234)),
			  stupid_sum(0, flat, sizeof(flat)));
}
END_TEST

START_TEST(ipv6_pseudo_header_is_the_forty_octets_of_rfc8200)
{
	uint8_t flat[40];
	struct addr a;
	struct addr b;

	randombytes_buf(flat, sizeof(flat));
	put_be32(flat + 32, 0x00012345);
	put_be32(flat + 36, 17);
	flat[0] = 0x20;
	a = addr_from6(flat);
	b = addr_from6(flat + 16);
	ck_assert_uint_eq(csum_fold(csum_pseudo(&a, &b, 17, 0x12345)),
			  stupid_sum(0, flat, sizeof(flat)));
}
END_TEST

START_TEST(an_updated_field_equals_a_computed_one)
{
	uint8_t buf[40];

	for (unsigned round = 0; round < 20000; round++) {
		uint8_t was[8];
		uint16_t field;

		randombytes_buf(buf, sizeof(buf));
		buf[39] |= 1; /* never all zero: RFC 1624 3 */
		put_be16(buf + 10, 0);
		field = csum_finish(csum_add(0, buf, sizeof(buf)));
		memcpy(was, buf + 20, 8);
		randombytes_buf(buf + 20, 8);
		field = csum_update(field, csum_add(0, was, 8),
				    csum_add(0, buf + 20, 8));
		ck_assert_uint_eq(field,
				  csum_finish(csum_add(0, buf, sizeof(buf))));
	}
}
END_TEST

/* RFC 1624 4: the case eqn 2 gets wrong. */
START_TEST(rfc1624_example_gives_zero_not_ffff)
{
	ck_assert_uint_eq(csum_update(0xdd2f, 0x5555, 0x3285), 0x0000);
}
END_TEST

/* _i & 1: all ones, where lanes carry most. */
START_TEST(every_length_and_alignment_agrees)
{
	static uint8_t buf[2100];

	if (_i)
		memset(buf, 0xff, sizeof(buf));
	else
		randombytes_buf(buf, sizeof(buf));
	for (size_t at = 0; at < 36; at++)
		for (size_t len = 0; len < 2050; len += len < 300 ? 1 : 13)
			ck_assert_uint_eq(csum_fold(csum_add(7, buf + at, len)),
					  stupid_sum(7, buf + at, len));
}
END_TEST

START_TEST(millions_of_octets_do_not_overflow)
{
	size_t len = 5000001;
	uint8_t *buf = malloc(len);

	ck_assert_ptr_nonnull(buf);
	memset(buf, 0xff, len);
	buf[77] = 0x12;
	ck_assert_uint_eq(csum_fold(csum_add(0, buf, len)),
			  stupid_sum(0, buf, len));
	free(buf);
}
END_TEST

Suite *test_checksum_suite(void)
{
	Suite *s = suite_create("checksum");
	TCase *t = tcase_create("all");

	tcase_add_test(t, rfc1071_example_sums_to_ddf2);
	tcase_add_loop_test(t, rfc7401_appendix_c, 0, 3);
	tcase_add_test(t, rfc7401_tcp_syn_over_hits_is_6faa);
	tcase_add_test(t, any_length_and_alignment_agrees_with_the_stupid_twin);
	tcase_add_test(t, a_sum_in_even_chunks_is_the_sum_of_the_whole);
	tcase_add_test(t, the_largest_packet_of_ones_does_not_overflow);
	tcase_add_test(t, ipv4_pseudo_header_is_the_twelve_octets_of_rfc793);
	tcase_add_test(t, ipv6_pseudo_header_is_the_forty_octets_of_rfc8200);
	tcase_add_test(t, an_updated_field_equals_a_computed_one);
	tcase_add_test(t, rfc1624_example_gives_zero_not_ffff);
	tcase_add_loop_test(t, every_length_and_alignment_agrees, 0, 2);
	tcase_add_test(t, millions_of_octets_do_not_overflow);
	suite_add_tcase(s, t);
	return s;
}
