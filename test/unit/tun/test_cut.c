/* SPDX-License-Identifier: MIT */
/* Tests of tun/cut.c: each piece is looked at as a receiver would. */
#include "test/unit/tun/tun_bed.h"

static const struct hit self = { { 0x20, 0x01, 0x00, 0x21, 1 } };
static const struct hit peer = { { 0x20, 0x01, 0x00, 0x21, 2 } };

/* A piece, put together in memory of just its size. */
static uint8_t *gather(const struct tun_piece *p, size_t *len)
{
	uint8_t *out = malloc(p->head_len + p->body_len + 1);

	memcpy(out, p->head, p->head_len);
	memcpy(out + p->head_len, p->body, p->body_len);
	*len = p->head_len + p->body_len;
	return out;
}

static void check_sum(uint8_t proto, const uint8_t *l4, size_t len)
{
	struct addr from = addr_from6(self.b);
	struct addr to = addr_from6(peer.b);

	ck_assert_uint_eq(bed_sum(&from, &to, proto, l4, len), 0xffff);
}

/* What TCP's sender would have sent by itself. */
static void check_tcp(const uint8_t *whole, const uint8_t *piece, size_t done,
		      bool last)
{
	size_t hdr = (size_t)(whole[12] >> 4) * 4;
	uint8_t flags = whole[13];

	ck_assert_mem_eq(piece, whole, 4);
	ck_assert_uint_eq(get_be32(piece + 4),
			  (uint32_t)(get_be32(whole + 4) + done));
	ck_assert_mem_eq(piece + 8, whole + 8, 5);
	if (!last)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (done)
		flags &= (uint8_t)~TCP_CWR;
	ck_assert_uint_eq(piece[13], flags);
	ck_assert_mem_eq(piece + 14, whole + 14, 2);
	ck_assert_mem_eq(piece + 18, whole + 18, hdr - 18);
}

static void check_cut(uint8_t proto, const uint8_t *whole, size_t len,
		      uint16_t gso)
{
	size_t hdr = proto == IP_PROTO_TCP ? (size_t)(whole[12] >> 4) * 4 : 8;
	struct ip_offload off = { .csum_partial = true, .gso_size = gso };
	uint8_t *l4 = malloc(len);
	struct tun_cutter c;
	struct tun_piece p;
	size_t done = 0;
	unsigned num = 0;

	memcpy(l4, whole, len);
	ck_assert_int_eq(tun_cut(&c, proto, l4, (uint32_t)len, &off,
				 csum_pseudo_hit(&self, &peer, proto, 0)),
			 REASON_NUM);
	while (tun_cut_next(&c, &p)) {
		size_t n;
		uint8_t *piece = gather(&p, &n);
		size_t want = len - hdr - done < gso ? len - hdr - done : gso;

		ck_assert_uint_eq(n, hdr + want);
		check_sum(proto, piece, n);
		if (proto == IP_PROTO_TCP) {
			check_tcp(whole, piece, done, done + want == len - hdr);
		} else {
			ck_assert_mem_eq(piece, whole, 4);
			ck_assert_uint_eq(get_be16(piece + 4), n);
			ck_assert_uint_ne(get_be16(piece + 6), 0);
		}
		ck_assert_mem_eq(piece + hdr, whole + hdr + done, want);
		done += want;
		num++;
		free(piece);
	}
	ck_assert_uint_eq(done, len - hdr);
	ck_assert_uint_eq(num, len == hdr ? 1 : (len - hdr + gso - 1) / gso);
	ck_assert(!tun_cut_next(&c, &p));
	free(l4);
}

START_TEST(random_super_packets_come_out_as_a_receiver_wants_them)
{
	unsigned seed = randombytes_random();
	static uint8_t whole[65535];

	printf("cut seed %u\n", seed);
	srand(seed);
	for (int i = 0; i < 1500; i++) {
		uint8_t proto = rand() % 3 ? IP_PROTO_TCP : IP_PROTO_UDP;
		size_t hdr = 8;
		size_t len = (size_t)rand() % (rand() % 4 ? 9000 : 65400);
		uint16_t gso = (uint16_t)(1 + rand() % 3000);

		for (size_t k = 0; k < 200; k++)
			whole[k] = (uint8_t)rand();
		for (size_t k = 200; k < sizeof(whole); k += 97)
			whole[k] = (uint8_t)rand();
		if (proto == IP_PROTO_TCP) {
			hdr = TCP_HDR + (size_t)(rand() % 11) * 4;
			whole[12] = (uint8_t)(hdr / 4 << 4 | (rand() & 15));
			whole[13] &=
				TCP_FIN | TCP_PSH | TCP_ACK | TCP_ECE | TCP_CWR;
		}
		if (len / gso > 2000)
			gso = 500;
		check_cut(proto, whole, hdr + len, gso);
	}
}
END_TEST

START_TEST(a_udp_checksum_of_zero_is_sent_as_ffff)
{
	uint8_t l4[12] = { 0, 1, 0, 2, 0, 12, 0, 0, 0, 0, 0, 0 };
	struct ip_offload off = { .csum_partial = true };
	uint64_t pseudo = csum_pseudo_hit(&self, &peer, IP_PROTO_UDP, 0);
	struct tun_cutter c;
	struct tun_piece p;

	/* Two octets that bring the sum to 0xffff. */
	put_be16(l4 + 8, csum_finish(csum_add(pseudo + 12, l4, 12)));
	ck_assert_int_eq(tun_cut(&c, IP_PROTO_UDP, l4, 12, &off, pseudo),
			 REASON_NUM);
	ck_assert_uint_eq(get_be16(l4 + 6), 0xffff);
	off.gso_size = 100;
	ck_assert_int_eq(tun_cut(&c, IP_PROTO_UDP, l4, 12, &off, pseudo),
			 REASON_NUM);
	ck_assert(tun_cut_next(&c, &p));
	ck_assert_uint_eq(get_be16(p.head + 6), 0xffff);
	check_sum(IP_PROTO_UDP, l4, 12);
}
END_TEST

START_TEST(a_whole_packet_passes_untouched)
{
	static const uint8_t protos[] = { 6, 17, 1, 58, 132 };
	struct ip_offload off = { .gso_size = 0 };
	uint8_t l4[40];
	uint8_t before[40];
	struct tun_cutter c;
	struct tun_piece p;

	randombytes_buf(l4, sizeof(l4));
	memcpy(before, l4, sizeof(l4));
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(tun_cut(&c, protos[i], l4, 40, &off, 1),
				 REASON_NUM);
		ck_assert(tun_cut_next(&c, &p));
		ck_assert_uint_eq(p.head_len, 0);
		ck_assert_ptr_eq(p.body, l4);
		ck_assert_uint_eq(p.body_len, 40);
		ck_assert(!tun_cut_next(&c, &p));
		ck_assert_mem_eq(l4, before, 40);
	}
}
END_TEST

START_TEST(a_checksum_left_to_us_is_completed_in_place)
{
	static const uint8_t protos[] = { 6, 17, 58 };
	struct ip_offload off = { .csum_partial = true };
	struct tun_cutter c;
	struct tun_piece p;
	uint8_t l4[41];

	for (int i = 0; i < 3; i++) {
		uint64_t pseudo = csum_pseudo_hit(&self, &peer, protos[i], 0);

		randombytes_buf(l4, sizeof(l4));
		ck_assert_int_eq(tun_cut(&c, protos[i], l4, 41, &off, pseudo),
				 REASON_NUM);
		ck_assert(tun_cut_next(&c, &p));
		ck_assert_uint_eq(p.head_len, 0);
		check_sum(protos[i], p.body, p.body_len);
		ck_assert(!tun_cut_next(&c, &p));
	}
}
END_TEST

static enum reason cut_reason(uint8_t proto, const uint8_t *l4, uint32_t len,
			      struct ip_offload off)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct tun_cutter c;
	enum reason why;

	memcpy(copy, l4, len);
	why = tun_cut(&c, proto, copy, len, &off, 0);
	free(copy);
	return why;
}

START_TEST(what_cannot_be_cut_is_refused_with_its_reason)
{
	const struct ip_offload gso = { .csum_partial = true, .gso_size = 10 };
	const struct ip_offload sum = { .csum_partial = true };
	uint8_t l4[64] = { 0 };

	l4[12] = 0x60; /* 24 octets of header */
	for (uint32_t n = 0; n < 24; n++)
		ck_assert_int_eq(cut_reason(IP_PROTO_TCP, l4, n, gso),
				 REASON_L4_TRUNCATED);
	ck_assert_int_eq(cut_reason(IP_PROTO_TCP, l4, 24, gso), REASON_NUM);
	l4[12] = 0x40;
	ck_assert_int_eq(cut_reason(IP_PROTO_TCP, l4, 64, gso),
			 REASON_L4_TRUNCATED);
	l4[12] = 0x50;
	for (int bit = 0; bit < 8; bit++) {
		l4[13] = (uint8_t)(1 << bit);
		ck_assert_int_eq(cut_reason(IP_PROTO_TCP, l4, 64, gso),
				 l4[13] & (TCP_SYN | TCP_RST | TCP_URG)
					 ? REASON_VNET_HDR
					 : REASON_NUM);
	}
	for (uint32_t n = 0; n < 18; n++) {
		ck_assert_int_eq(cut_reason(IP_PROTO_TCP, l4, n, sum),
				 REASON_L4_TRUNCATED);
		ck_assert_int_eq(cut_reason(IP_PROTO_UDP, l4, n, sum),
				 n < 8 ? REASON_L4_TRUNCATED : REASON_NUM);
		ck_assert_int_eq(cut_reason(IP_PROTO_UDP, l4, n, gso),
				 n < 8 ? REASON_L4_TRUNCATED : REASON_NUM);
	}
	ck_assert_int_eq(cut_reason(IP_PROTO_ICMP, l4, 64, sum),
			 REASON_VNET_HDR);
	ck_assert_int_eq(cut_reason(IP_PROTO_ICMP6, l4, 64, gso),
			 REASON_VNET_HDR);
	ck_assert_int_eq(cut_reason(132, l4, 64, sum), REASON_VNET_HDR);
}
END_TEST

/* Cutting makes new checksums: what came with a complete one is held to it,
 * so that no damage is made good. */
START_TEST(a_super_packet_that_is_damaged_is_not_cut)
{
	const struct ip_offload off = { .gso_size = 10 };
	struct tun_cutter c;
	uint8_t l4[TCP_HDR + 30] = { 0 };

	l4[12] = 0x50;
	l4[13] = TCP_ACK;
	l4[40] = 7;
	put_be16(l4 + 16,
		 csum_finish(csum_add(0x1234 + sizeof(l4), l4, sizeof(l4))));
	ck_assert_int_eq(
		tun_cut(&c, IP_PROTO_TCP, l4, sizeof(l4), &off, 0x1234),
		REASON_NUM);
	for (size_t i = 0; i < sizeof(l4); i++) {
		if (i == 12 || i == 13)
			continue; /* other reasons come first */
		l4[i] ^= 1;
		ck_assert_int_eq(
			tun_cut(&c, IP_PROTO_TCP, l4, sizeof(l4), &off, 0x1234),
			REASON_L4_CHECKSUM);
		l4[i] ^= 1;
	}
}
END_TEST

Suite *test_cut_suite(void);
Suite *test_cut_suite(void)
{
	Suite *s = suite_create("cut");
	TCase *t = tcase_create("cut");

	tcase_set_timeout(t, 60);
	tcase_add_test(t,
		       random_super_packets_come_out_as_a_receiver_wants_them);
	tcase_add_test(t, a_udp_checksum_of_zero_is_sent_as_ffff);
	tcase_add_test(t, a_whole_packet_passes_untouched);
	tcase_add_test(t, a_checksum_left_to_us_is_completed_in_place);
	tcase_add_test(t, what_cannot_be_cut_is_refused_with_its_reason);
	tcase_add_test(t, a_super_packet_that_is_damaged_is_not_cut);
	suite_add_tcase(s, t);
	return s;
}
