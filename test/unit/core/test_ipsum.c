/* SPDX-License-Identifier: MIT */
/* A checksum that is wrong is seen, in each protocol of each family. */
#include <check.h>
#include <string.h>

#include "core/checksum.h"
#include "core/ip.h"
#include "core/wire.h"

static const struct addr from6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct addr to6 = { { 0xfd, 0, 0, 9, [15] = 9 } };
static const struct addr from4 = {
	{ [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 }
};
static const struct addr to4 = {
	{ [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18, [15] = 9 }
};

START_TEST(each_flip_makes_a_checksum_wrong)
{
	static const uint8_t protos[] = { IP_PROTO_TCP, IP_PROTO_UDP,
					  IP_PROTO_ICMP, IP_PROTO_ICMP6 };
	const struct ip_offload complete = { .gso_size = 0 };
	const struct ip_offload partial = { .csum_partial = true };
	bool v4 = _i % 2;
	uint8_t l4[33];
	struct ip_view v = { .from = v4 ? from4 : from6,
			     .to = v4 ? to4 : to6,
			     .v4 = v4,
			     .proto = protos[_i / 2],
			     .l4 = l4,
			     .l4_len = sizeof(l4) };
	int at = ip_csum_offset(v.proto);
	uint64_t sum = 0;

	memset(l4, 0x5a, sizeof(l4));
	put_be16(l4 + at, 0);
	if (v.proto != IP_PROTO_ICMP)
		sum = csum_pseudo(&v.from, &v.to, v.proto, sizeof(l4));
	put_be16(l4 + at, csum_finish(csum_add(sum, l4, sizeof(l4))));
	ck_assert(ip_checksum_ok(&v, &complete));
	for (size_t bit = 0; bit < sizeof(l4) * 8; bit++) {
		l4[bit / 8] ^= (uint8_t)(1u << bit % 8);
		ck_assert(!ip_checksum_ok(&v, &complete));
		ck_assert(ip_checksum_ok(&v, &partial));
		l4[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}
END_TEST

START_TEST(udp_without_a_checksum_is_right_over_ipv4_only)
{
	const struct ip_offload complete = { .gso_size = 0 };
	uint8_t l4[UDP_HDR] = { 1, 2, 3, 4, 0, 8 };
	struct ip_view v = { .from = from4,
			     .to = to4,
			     .v4 = true,
			     .proto = IP_PROTO_UDP,
			     .l4 = l4,
			     .l4_len = UDP_HDR };

	ck_assert(ip_checksum_ok(&v, &complete));
	v.from = from6;
	v.to = to6;
	v.v4 = false;
	ck_assert(!ip_checksum_ok(&v, &complete));
	v.proto = 132; /* no checksum that we know */
	ck_assert(ip_checksum_ok(&v, &complete));
}
END_TEST

Suite *test_ipsum_suite(void)
{
	Suite *s = suite_create("ipsum");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, each_flip_makes_a_checksum_wrong, 0, 8);
	tcase_add_test(t, udp_without_a_checksum_is_right_over_ipv4_only);
	suite_add_tcase(s, t);
	return s;
}
