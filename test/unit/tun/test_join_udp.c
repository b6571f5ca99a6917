/* SPDX-License-Identifier: MIT */
/* Joining datagrams; test_join.c has what they share with segments. */
#include <linux/virtio_net.h>

#include "test/unit/tun/join_bed.h"

enum { HEAD_MAX = IP6_HDR + UDP_HDR };

/* One of len octets, from port 1000 + flow. */
static size_t datagram(bool v4, unsigned flow, size_t len, uint8_t *out)
{
	struct addr from;
	struct addr to;
	size_t ip;

	bed_addrs(v4, &from, &to);
	ip = ip_put_header(out, &from, &to, IP_PROTO_UDP,
			   (uint32_t)(UDP_HDR + len), 60, 0);
	put_be16(out + ip, (uint16_t)(1000 + flow));
	put_be16(out + ip + 2, 53);
	put_be16(out + ip + 4, (uint16_t)(UDP_HDR + len));
	memcpy(out + ip + UDP_HDR, payload + len, len);
	bed_resum(out, ip + UDP_HDR + len);
	return ip + UDP_HDR + len;
}

static void give(struct bed *b, bool v4, unsigned flow, size_t len)
{
	static uint8_t pkt[BED_MAX];

	bed_give(b, pkt, datagram(v4, flow, len, pkt));
}

START_TEST(datagrams_of_one_length_and_a_shorter_one_become_one)
{
	const bool v4 = _i;
	const size_t ip = v4 ? IP4_HDR : IP6_HDR;
	struct bed *b = bed_new(true);
	struct virtio_net_hdr h;

	for (unsigned i = 0; i < 4; i++)
		give(b, v4, 0, 700);
	give(b, v4, 0, 699);
	ck_assert_uint_eq(b->num_out, 1); /* the short one ends it */
	give(b, v4, 0, 700);
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 2);
	ck_assert_uint_eq(b->out[0].len,
			  TUN_VNET_HDR + ip + UDP_HDR + 4 * 700 + 699);
	memcpy(&h, b->out[0].p, sizeof(h));
	ck_assert_uint_eq(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	ck_assert_uint_eq(h.gso_type, 5);
	ck_assert_uint_eq(h.gso_size, 700);
	ck_assert_uint_eq(h.hdr_len, ip + UDP_HDR);
	ck_assert_uint_eq(h.csum_start, ip);
	ck_assert_uint_eq(h.csum_offset, 6);
	ck_assert_uint_eq(get_be16(b->out[0].p + TUN_VNET_HDR + ip + 4),
			  UDP_HDR + 4 * 700 + 699);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(datagrams_refused_as_one_are_written_one_by_one)
{
	const bool v4 = _i;
	struct bed *b = bed_new(true);

	bed_refuses = 1;
	for (unsigned i = 0; i < 4; i++)
		give(b, v4, 0, 700);
	give(b, v4, 0, 699);
	bed_flush(b);
	bed_refuses = 0;
	ck_assert_uint_eq(b->done.failed, 0);
	ck_assert_uint_eq(b->done.refused[TUN_JOIN_UDP], 1);
	ck_assert_uint_eq(b->done.refused[TUN_JOIN_TCP], 0);
	ck_assert_uint_eq(b->num_out, 5);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

/* What the second of three is changed in, so that it stays alone. */
START_TEST(a_datagram_that_differs_is_not_joined_but_keeps_its_place)
{
	enum { LONGER, PORT, CSUM, NO_CSUM, LENGTH, EMPTY, TTL, NUM };
	const int what = _i / 2;
	const bool v4 = _i % 2;
	const size_t ip = v4 ? IP4_HDR : IP6_HDR;
	struct bed *b = bed_new(true);
	uint8_t pkt[HEAD_MAX + 400];

	for (unsigned i = 0; i < 3; i++) {
		size_t octets = i == 1 && what == LONGER ? 301 : 300;
		size_t len;

		if (i == 1 && what == EMPTY)
			octets = 0;
		len = datagram(v4, i == 1 && what == PORT, octets, pkt);
		if (i == 1 && what == CSUM)
			pkt[len - 1] ^= 1;
		if (i == 1 && what == NO_CSUM)
			put_be16(pkt + ip + 6, 0);
		if (i == 1 && what == LENGTH) {
			put_be16(pkt + ip + 4, UDP_HDR + 299);
			bed_resum(pkt, len);
		}
		if (i == 1 && what == TTL)
			pkt[v4 ? 8 : 7]--;
		bed_resum_ip(pkt);
		bed_give(b, pkt, len);
	}
	bed_flush(b);
	/* Of another port: the first and the third are still one. A longer
	 * one begins a run that the third ends. */
	ck_assert_uint_eq(b->num_out, what == PORT || what == LONGER ? 2 : 3);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(a_super_packet_has_64_datagrams_at_most)
{
	struct bed *b = bed_new(true);

	for (unsigned i = 0; i < 130; i++)
		give(b, _i, 0, 1);
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 3);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(and_65535_octets)
{
	struct bed *b = bed_new(true);

	for (unsigned i = 0; i < 60; i++)
		give(b, _i, 0, 1400);
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 2);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

START_TEST(tcp_and_udp_of_the_same_ports_are_two_flows)
{
	struct bed *b = bed_new(true);
	uint8_t pkt[HEAD_MAX + 400];

	for (unsigned i = 0; i < 4; i++) {
		struct bed_tcp t = { .v4 = _i,
				     .seq = i / 2 * 100,
				     .payload = payload,
				     .len = 100 };
		uint8_t *l4 = pkt + (_i ? IP4_HDR : IP6_HDR);
		size_t len;

		if (i % 2) {
			len = bed_build(&t, pkt);
		} else {
			len = datagram(_i, 0, 100, pkt);
			put_be16(l4, 443);
			put_be16(l4 + 2, 1000);
			bed_resum(pkt, len);
		}
		bed_give(b, pkt, len);
	}
	bed_flush(b);
	ck_assert_uint_eq(b->num_out, 2);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

/* A kernel that takes TCP super-packets, but none of UDP. */
START_TEST(where_udp_is_not_joined_it_is_written_at_once)
{
	struct bed *b = bed_new(true);

	tun_joiner_free(b->j);
	ck_assert_int_eq(tun_joiner_new(b->fd[0], true, false, &b->j), 0);
	for (unsigned i = 0; i < 3; i++) {
		give(b, _i, 0, 100);
		ck_assert_uint_eq(b->num_out, i + 1);
	}
	bed_flush(b);
	check_round_trip(b);
	bed_free(b);
}
END_TEST

Suite *test_join_udp_suite(void)
{
	Suite *s = suite_create("join_udp");
	TCase *t = tcase_create("join_udp");

	tcase_add_loop_test(t, datagrams_refused_as_one_are_written_one_by_one,
			    0, 2);
	tcase_add_loop_test(
		t, datagrams_of_one_length_and_a_shorter_one_become_one, 0, 2);
	tcase_add_loop_test(
		t, a_datagram_that_differs_is_not_joined_but_keeps_its_place, 0,
		14);
	tcase_add_loop_test(t, a_super_packet_has_64_datagrams_at_most, 0, 2);
	tcase_add_loop_test(t, and_65535_octets, 0, 2);
	tcase_add_loop_test(t, tcp_and_udp_of_the_same_ports_are_two_flows, 0,
			    2);
	tcase_add_loop_test(t, where_udp_is_not_joined_it_is_written_at_once, 0,
			    2);
	suite_add_tcase(s, t);
	return s;
}
