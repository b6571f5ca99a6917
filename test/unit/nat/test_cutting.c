/* SPDX-License-Identifier: MIT */
/* Too large: cut into fragments, or its sender is told. */
#include "test/unit/nat/nat_bed.h"

static const struct ip_offload plain;

static struct ip_view view(bool v4, bool df, uint32_t len)
{
	static uint8_t l4[TCP_HDR] = { [12] = 0x50 };

	return (struct ip_view){ .v4 = v4,
				 .df = df,
				 .proto = IP_PROTO_TCP,
				 .l4 = l4,
				 .l4_len = len };
}

START_TEST(pieces_are_all_of_the_packet_and_fit)
{
	for (uint32_t len = 1; len < 5000; len += 7) {
		uint32_t most = 16 + len % 1400;
		struct nat_cut c;
		uint8_t hdr[8];
		uint32_t done = 0;
		uint32_t at;
		uint32_t n;

		nat_cut_begin(&c, 17, len, most, 0x01020304);
		while (nat_cut_next(&c, hdr, &at, &n)) {
			ck_assert_uint_eq(at, done);
			ck_assert_uint_gt(n, 0);
			ck_assert_uint_le(n + 8, most);
			done += n;
			ck_assert_uint_eq(hdr[0], 17);
			ck_assert_uint_eq(hdr[1], 0);
			ck_assert_uint_eq(get_be16(hdr + 2),
					  at | (done < len ? 1 : 0));
			ck_assert_uint_eq(get_be32(hdr + 4), 0x01020304);
			if (done < len)
				ck_assert_uint_eq(n % 8, 0);
		}
		ck_assert_uint_eq(done, len);
		ck_assert(!nat_cut_next(&c, hdr, &at, &n));
	}
}
END_TEST

/* RFC 4787 REQ-13, RFC 7915 4.1: DF decides; an IPv6 packet has it. */
START_TEST(who_forbids_cutting_is_told_others_are_cut)
{
	struct ip_offload pieces = { .fragment = 800 };
	struct ip_view v = view(true, true, 1380);

	ck_assert_int_eq(nat_fit(&v, &plain, 1380), NAT_FITS);
	ck_assert_int_eq(nat_fit(&v, &plain, 1379), NAT_TOO_BIG);
	ck_assert_uint_eq(nat_fit_mtu(&v, 1379), 1399);
	v.df = false;
	ck_assert_int_eq(nat_fit(&v, &plain, 1379), NAT_CUT);
	v = view(false, false, 1380);
	ck_assert_int_eq(nat_fit(&v, &plain, 1380), NAT_FITS);
	ck_assert_int_eq(nat_fit(&v, &plain, 1379), NAT_TOO_BIG);
	ck_assert_uint_eq(nat_fit_mtu(&v, 1379), 1419);
	ck_assert_int_eq(nat_fit(&v, &pieces, 1379), NAT_CUT);
}
END_TEST

/* RFC 8200 5: below 1280 an IPv6 sender cannot be sent. */
START_TEST(an_ipv6_packet_of_1280_is_cut_never_refused)
{
	struct ip_view v = view(false, false, 1240);

	ck_assert_int_eq(nat_fit(&v, &plain, 1239), NAT_CUT);
	ck_assert_uint_eq(nat_fit_mtu(&v, 1239), 1280);
	v.l4_len = 1241;
	ck_assert_int_eq(nat_fit(&v, &plain, 1239), NAT_TOO_BIG);
	/* IPv4 can be told less. */
	v = view(true, true, 1240);
	ck_assert_int_eq(nat_fit(&v, &plain, 1239), NAT_TOO_BIG);
	ck_assert_uint_eq(nat_fit_mtu(&v, 1239), 1259);
}
END_TEST

START_TEST(of_a_super_packet_the_pieces_count)
{
	struct ip_offload gso = { .csum_partial = true, .gso_size = 1340 };
	struct ip_view v = view(true, true, 40000);

	ck_assert_int_eq(nat_fit(&v, &gso, 1360), NAT_FITS);
	ck_assert_int_eq(nat_fit(&v, &gso, 1359), NAT_TOO_BIG);
	v.df = false;
	ck_assert_int_eq(nat_fit(&v, &gso, 1359), NAT_CUT);
	v = view(true, true, 1359);
	ck_assert_int_eq(nat_fit(&v, &gso, 1359), NAT_FITS);
}
END_TEST

Suite *test_cutting_suite(void)
{
	Suite *s = suite_create("cutting");
	TCase *t = tcase_create("all");

	tcase_add_test(t, pieces_are_all_of_the_packet_and_fit);
	tcase_add_test(t, who_forbids_cutting_is_told_others_are_cut);
	tcase_add_test(t, an_ipv6_packet_of_1280_is_cut_never_refused);
	tcase_add_test(t, of_a_super_packet_the_pieces_count);
	suite_add_tcase(s, t);
	return s;
}
