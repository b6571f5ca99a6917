/* SPDX-License-Identifier: MIT */
/* Client packets to HIP and back, against checksums computed in full. */
#include "nat/translate.h"

#include "test/unit/nat/nat_bed.h"

static const struct ip_offload whole;
static const struct ip_offload partial = { .csum_partial = true };

/* Classifies a client's packet and translates it. */
static enum reason to_hip(struct nat_flow *f, uint8_t *pkt, size_t len,
			  const struct ip_offload *off, uint16_t mss,
			  struct nat_packet *p)
{
	struct nat_ranges r = bed_ranges();

	ck_assert_int_eq(nat_classify(pkt, len, &r, p), NAT_DATA);
	ck_assert_mem_eq(&p->key, &f->key, sizeof(p->key));
	return nat_to_hip(f, p, off, mss, 7);
}

static void check_ident(unsigned proto, const uint8_t *l4, uint16_t a,
			uint16_t b)
{
	if (proto == IP_PROTO_ICMP6) {
		ck_assert_uint_eq(get_be16(l4 + 4), a);
		ck_assert_uint_eq(l4[0], b);
	} else {
		ck_assert_uint_eq(get_be16(l4), a);
		ck_assert_uint_eq(get_be16(l4 + 2), b);
	}
}

START_TEST(each_protocol_of_each_family_reaches_hip_with_a_right_checksum)
{
	bool v6 = _i / 3;
	unsigned proto = bed_protos[_i % 3];
	struct bed b = bed_of(v6);
	uint8_t pkt[2048];
	uint8_t was[2048];

	for (size_t len = 20; len < 400; len++) {
		struct nat_flow f = bed_flow(&b, proto, 5000, 40001, 10000);
		struct nat_packet p;
		size_t n = bed_client_pkt(&b, pkt, proto, 5000, 10000, len);
		size_t keep = proto == IP_PROTO_TCP ? 18 : 8;

		memcpy(was, pkt, n);
		ck_assert_int_eq(to_hip(&f, pkt, n, &whole, 0, &p), REASON_NUM);
		ck_assert_uint_eq(p.ip.proto, proto);
		ck_assert_uint_eq(p.ip.l4_len, len);
		check_ident(proto, p.ip.l4, 40001,
			    proto == IP_PROTO_ICMP6 ? 128 : 10000);
		ck_assert_uint_eq(
			bed_hit_sum(&b.self, &b.peer, proto, p.ip.l4, len),
			0xffff);
		/* Nothing else has changed. */
		ck_assert_mem_eq(p.ip.l4 + keep, was + (n - len) + keep,
				 len - keep);
		ck_assert_uint_eq(f.out_packets, 1);
		ck_assert_uint_eq(f.last, 7);
	}
}
END_TEST

START_TEST(each_protocol_comes_back_to_each_family_with_a_right_checksum)
{
	bool v6 = _i / 3;
	unsigned proto = bed_protos[_i % 3];
	struct bed b = bed_of(v6);
	uint8_t legacy = bed_legacy_proto(v6, proto);

	for (size_t len = 20; len < 400; len++) {
		struct nat_flow f = bed_flow(&b, proto, 5000, 40001, 10000);
		struct nat_back key;
		uint8_t pkt[IP6_HDR + 400];
		uint8_t l4[400];
		size_t hdr;
		bool error;
		struct ip_view v;

		if (proto == IP_PROTO_ICMP6)
			bed_l4(l4, len, proto, 40001, 129);
		else
			bed_l4(l4, len, proto, 10000, 40001);
		bed_seal(l4, proto,
			 bed_hit_sum(&b.peer, &b.self, proto, l4, len));
		ck_assert_int_eq(nat_back_key((uint8_t)proto, l4, len, &b.self,
					      &b.peer, &key, &error),
				 REASON_NUM);
		ck_assert(!error);
		ck_assert_mem_eq(&key, &f.back, sizeof(key));
		ck_assert_int_eq(nat_to_legacy(&f, l4, len,
					       &(struct nat_arrival){
						       .mss = 0, .now = 9 },
					       pkt, &hdr),
				 REASON_NUM);
		memcpy(pkt + hdr, l4, len);
		ck_assert_int_eq(ip_parse(pkt, hdr + len, &v), REASON_NUM);
		ck_assert(addr_eq(&v.from, &b.virt));
		ck_assert(addr_eq(&v.to, &b.client));
		ck_assert_uint_eq(v.proto, legacy);
		if (proto == IP_PROTO_ICMP6)
			check_ident(proto, v.l4, 5000, v6 ? 129 : 0);
		else
			check_ident(proto, v.l4, 10000, 5000);
		ck_assert_uint_eq(
			bed_addr_sum(&b.virt, &b.client, legacy, v.l4, len),
			0xffff);
		ck_assert_uint_eq(f.in_packets, 1);
	}
}
END_TEST

/* Whoever finishes a partial checksum adds the segment to the field. */
START_TEST(a_partial_checksum_becomes_the_pseudo_header_sum_over_hits)
{
	bool v6 = _i / 2;
	unsigned proto = bed_protos[_i % 2];
	struct bed b = bed_of(v6);
	struct nat_flow f = bed_flow(&b, proto, 5000, 40001, 10000);
	struct nat_packet p;
	uint8_t pkt[2048];
	uint8_t *field;
	size_t n = bed_client_pkt(&b, pkt, proto, 5000, 10000, 1001);

	/* As the kernel leaves it: not complemented, segment not added. */
	put_be16(pkt + n - 1001 + bed_sum_at(proto),
		 bed_addr_sum(&b.client, &b.virt, proto, pkt, 0));
	ck_assert_int_eq(to_hip(&f, pkt, n, &partial, 0, &p), REASON_NUM);
	field = p.ip.l4 + bed_sum_at(proto);
	bed_seal(p.ip.l4, proto, bed_sum(NULL, NULL, 0, 0, p.ip.l4, 1001));
	ck_assert_uint_eq(bed_hit_sum(&b.self, &b.peer, proto, p.ip.l4, 1001),
			  0xffff);
	ck_assert_uint_ne(get_be16(field), 0);
}
END_TEST

START_TEST(a_damaged_packet_stays_damaged)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct bed b = bed_of(v6);
		struct nat_flow f = bed_flow(&b, 6, 5000, 40001, 10000);
		struct nat_packet p;
		uint8_t pkt[2048];
		size_t n = bed_client_pkt(&b, pkt, 6, 5000, 10000, 100);

		pkt[n - 1] ^= 0x10;
		ck_assert_int_eq(to_hip(&f, pkt, n, &whole, 0, &p), REASON_NUM);
		ck_assert_uint_ne(
			bed_hit_sum(&b.self, &b.peer, 6, p.ip.l4, 100), 0xffff);
	}
}
END_TEST

START_TEST(a_udp_checksum_of_zero_is_computed_for_ipv4_and_refused_for_ipv6)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct bed b = bed_of(v6);
		struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 10000);
		struct nat_packet p;
		uint8_t pkt[2048];
		size_t n = bed_client_pkt(&b, pkt, 17, 5000, 10000, 77);

		put_be16(pkt + n - 77 + 6, 0);
		if (v6) {
			ck_assert_int_eq(to_hip(&f, pkt, n, &whole, 0, &p),
					 REASON_L4_CHECKSUM);
			ck_assert_uint_eq(get_be16(p.ip.l4), 5000);
			ck_assert_uint_eq(f.out_packets, 0);
			continue;
		}
		ck_assert_int_eq(to_hip(&f, pkt, n, &whole, 0, &p), REASON_NUM);
		ck_assert_uint_ne(get_be16(p.ip.l4 + 6), 0);
		ck_assert_uint_eq(
			bed_hit_sum(&b.self, &b.peer, 17, p.ip.l4, 77), 0xffff);
	}
}
END_TEST

START_TEST(a_udp_checksum_that_comes_out_zero_is_written_as_ffff)
{
	struct bed b = bed_of(true);
	struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 10000);
	struct nat_packet p;
	uint8_t pkt[100];
	uint8_t *l4 = pkt + IP6_HDR;
	uint16_t sum;
	size_t n = bed_client_pkt(&b, pkt, 17, 5000, 10000, 10);

	/* Data so that after translation all but the field sums to ffff. */
	put_be16(l4, 40001);
	put_be16(l4 + 6, 0);
	put_be16(l4 + 8, 0);
	sum = bed_hit_sum(&b.self, &b.peer, 17, l4, 10);
	put_be16(l4 + 8, (uint16_t)~sum);
	put_be16(l4, 5000);
	bed_seal(l4, 17, bed_addr_sum(&b.client, &b.virt, 17, l4, 10));
	ck_assert_int_eq(to_hip(&f, pkt, n, &whole, 0, &p), REASON_NUM);
	ck_assert_uint_eq(get_be16(l4 + 6), 0xffff);
}
END_TEST

/* A SYN with these options; returns the packet's length. */
static size_t make_syn(const struct bed *b, uint8_t *pkt, const uint8_t *opt,
		       size_t n)
{
	uint8_t l4[60];

	bed_l4(l4, 20 + n, 6, 5000, 10000);
	l4[12] = (uint8_t)((5 + n / 4) << 4);
	l4[13] = TCP_SYN;
	memcpy(l4 + 20, opt, n);
	bed_seal(l4, 6, bed_addr_sum(&b->client, &b->virt, 6, l4, 20 + n));
	return bed_pkt(pkt, &b->client, &b->virt, 6, l4, 20 + n);
}

static uint16_t mss_after(const uint8_t *opt, size_t n, size_t at, uint16_t mss)
{
	struct bed b = bed_of(false);
	struct nat_flow f = bed_flow(&b, 6, 5000, 40001, 10000);
	struct nat_packet p;
	uint8_t pkt[100];
	size_t len = make_syn(&b, pkt, opt, n);

	ck_assert_int_eq(to_hip(&f, pkt, len, &whole, mss, &p), REASON_NUM);
	ck_assert_uint_eq(bed_hit_sum(&b.self, &b.peer, 6, p.ip.l4, 20 + n),
			  0xffff);
	return get_be16(p.ip.l4 + 20 + at);
}

START_TEST(the_mss_of_a_syn_is_lowered_never_raised)
{
	static const uint8_t plain[4] = { 2, 4, 0x05, 0xb4 };
	static const uint8_t odd[8] = { 1, 2, 4, 0x05, 0xb4, 3, 3, 7 };

	ck_assert_uint_eq(mss_after(plain, 4, 2, 1360), 1360);
	ck_assert_uint_eq(mss_after(plain, 4, 2, 1460), 1460);
	ck_assert_uint_eq(mss_after(plain, 4, 2, 1459), 1459);
	ck_assert_uint_eq(mss_after(plain, 4, 2, 9000), 1460);
	ck_assert_uint_eq(mss_after(plain, 4, 2, 0), 1460);
	ck_assert_uint_eq(mss_after(odd, 8, 3, 1360), 1360);
}
END_TEST

START_TEST(options_that_lie_leave_the_syn_as_it_is)
{
	static const uint8_t cut[4] = { 1, 1, 2, 4 };
	static const uint8_t zero[8] = { 8, 0, 2, 4, 0x05, 0xb4, 0, 0 };
	static const uint8_t ended[8] = { 0, 1, 2, 4, 0x05, 0xb4, 0, 0 };
	static const uint8_t shape[8] = { 2, 3, 0x05, 0xb4, 1, 1, 1, 1 };
	static const uint8_t last[4] = { 1, 1, 1, 2 };

	(void)mss_after(cut, 4, 0, 500);
	(void)mss_after(last, 4, 0, 500);
	ck_assert_uint_eq(mss_after(zero, 8, 4, 500), 1460);
	ck_assert_uint_eq(mss_after(ended, 8, 4, 500), 1460);
	ck_assert_uint_eq(mss_after(shape, 8, 2, 500), 1460);
}
END_TEST

START_TEST(the_mss_of_the_answer_is_lowered_too_but_only_in_a_syn)
{
	struct bed b = bed_of(false);
	uint8_t hdr[IP6_HDR];
	uint8_t l4[24];
	size_t n;

	for (int syn = 0; syn < 2; syn++) {
		struct nat_flow f = bed_flow(&b, 6, 5000, 40001, 10000);

		bed_l4(l4, 24, 6, 10000, 40001);
		l4[12] = 0x60;
		l4[13] = syn ? TCP_SYN | TCP_ACK : TCP_ACK;
		memcpy(l4 + 20, (uint8_t[]){ 2, 4, 0x23, 0x28 }, 4);
		bed_seal(l4, 6, bed_hit_sum(&b.peer, &b.self, 6, l4, 24));
		ck_assert_int_eq(nat_to_legacy(&f, l4, 24,
					       &(struct nat_arrival){
						       .mss = 1380, .now = 0 },
					       hdr, &n),
				 REASON_NUM);
		ck_assert_uint_eq(get_be16(l4 + 22), syn ? 1380 : 9000);
		ck_assert_uint_eq(bed_addr_sum(&b.virt, &b.client, 6, l4, 24),
				  0xffff);
	}
}
END_TEST

START_TEST(what_esp_brings_must_be_whole)
{
	struct bed b = bed_of(false);
	struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 10000);
	uint8_t hdr[IP6_HDR];
	uint8_t l4[40];
	size_t n;

	bed_l4(l4, 30, 17, 10000, 40001);
	bed_seal(l4, 17, bed_hit_sum(&b.peer, &b.self, 17, l4, 30));
	ck_assert_int_eq(
		nat_to_legacy(&f, l4, 29,
			      &(struct nat_arrival){ .mss = 0, .now = 0 }, hdr,
			      &n),
		REASON_L4_TRUNCATED);
	ck_assert_int_eq(
		nat_to_legacy(&f, l4, 31,
			      &(struct nat_arrival){ .mss = 0, .now = 0 }, hdr,
			      &n),
		REASON_L4_TRUNCATED);
	ck_assert_int_eq(
		nat_to_legacy(&f, l4, 7,
			      &(struct nat_arrival){ .mss = 0, .now = 0 }, hdr,
			      &n),
		REASON_L4_TRUNCATED);
	ck_assert_int_eq(
		nat_to_legacy(&f, l4, 65516,
			      &(struct nat_arrival){ .mss = 0, .now = 0 }, hdr,
			      &n),
		REASON_TOO_BIG);
	put_be16(l4 + 6, 0);
	ck_assert_int_eq(
		nat_to_legacy(&f, l4, 30,
			      &(struct nat_arrival){ .mss = 0, .now = 0 }, hdr,
			      &n),
		REASON_L4_CHECKSUM);
	ck_assert_uint_eq(get_be16(l4 + 2), 40001);
	f = bed_flow(&b, 6, 5000, 40001, 10000);
	bed_l4(l4, 30, 6, 10000, 40001);
	l4[12] = 0x80;
	ck_assert_int_eq(
		nat_to_legacy(&f, l4, 30,
			      &(struct nat_arrival){ .mss = 0, .now = 0 }, hdr,
			      &n),
		REASON_L4_TRUNCATED);
	ck_assert_uint_eq(f.in_packets, 0);
}
END_TEST

/* The patent's step K: LH1 and LH2 with the same source port, one pair of
 * HITs; the answers find each their host. */
START_TEST(lh1_and_lh2_from_port_5000_to_10000_both_get_their_answers)
{
	static const char *const hosts[2] = { "192.0.2.101", "192.0.2.102" };
	static const struct nat_config cfg;
	struct nat_flow f[2];
	struct nat *nat;
	enum reason why;

	ck_assert_int_eq(nat_new(&cfg, &nat), 0);
	for (int i = 0; i < 2; i++) {
		struct bed b = bed_of(false);
		struct nat_ranges r = bed_ranges();
		struct nat_packet p;
		uint8_t pkt[200];
		size_t n;

		b.client = bed_addr(hosts[i]);
		n = bed_client_pkt(&b, pkt, 17, 5000, 10000, 60);
		ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_DATA);
		ck_assert_int_eq(nat_bind(nat, &p.key, &b.self, &b.peer, false,
					  1, &f[i], &why),
				 0);
		ck_assert_int_eq(nat_to_hip(&f[i], &p, &whole, 0, 1),
				 REASON_NUM);
		ck_assert_uint_eq(get_be16(p.ip.l4), f[i].back.ext_port);
		ck_assert_uint_eq(get_be16(p.ip.l4 + 2), 10000);
	}
	ck_assert_uint_ne(f[0].back.ext_port, f[1].back.ext_port);
	for (int i = 0; i < 2; i++) {
		struct bed b = bed_of(false);
		struct nat_back key;
		uint8_t hdr[IP6_HDR];
		uint8_t l4[60];
		bool error;
		size_t n;

		bed_l4(l4, 60, 17, 10000, f[i].back.ext_port);
		bed_seal(l4, 17, bed_hit_sum(&b.peer, &b.self, 17, l4, 60));
		ck_assert_int_eq(nat_back_key(17, l4, 60, &b.self, &b.peer,
					      &key, &error),
				 REASON_NUM);
		ck_assert_mem_eq(&key, &f[i].back, sizeof(key));
		ck_assert_mem_ne(&key, &f[!i].back, sizeof(key));
		ck_assert_int_eq(nat_to_legacy(&f[i], l4, 60,
					       &(struct nat_arrival){
						       .mss = 0, .now = 2 },
					       hdr, &n),
				 REASON_NUM);
		b.client = bed_addr(hosts[i]);
		ck_assert_mem_eq(hdr + 16, addr_four(&b.client), 4);
		ck_assert_mem_eq(hdr + 12, addr_four(&b.virt), 4);
		ck_assert_uint_eq(get_be16(l4), 10000);
		ck_assert_uint_eq(get_be16(l4 + 2), 5000);
	}
	nat_free(nat);
}
END_TEST

Suite *test_translate_suite(void)
{
	Suite *s = suite_create("translate");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(
		t,
		each_protocol_of_each_family_reaches_hip_with_a_right_checksum,
		0, 6);
	tcase_add_loop_test(
		t,
		each_protocol_comes_back_to_each_family_with_a_right_checksum,
		0, 6);
	tcase_add_loop_test(
		t, a_partial_checksum_becomes_the_pseudo_header_sum_over_hits,
		0, 4);
	tcase_add_test(t, a_damaged_packet_stays_damaged);
	tcase_add_test(
		t,
		a_udp_checksum_of_zero_is_computed_for_ipv4_and_refused_for_ipv6);
	tcase_add_test(t,
		       a_udp_checksum_that_comes_out_zero_is_written_as_ffff);
	tcase_add_test(t, the_mss_of_a_syn_is_lowered_never_raised);
	tcase_add_test(t, options_that_lie_leave_the_syn_as_it_is);
	tcase_add_test(t,
		       the_mss_of_the_answer_is_lowered_too_but_only_in_a_syn);
	tcase_add_test(t, what_esp_brings_must_be_whole);
	tcase_add_test(
		t, lh1_and_lh2_from_port_5000_to_10000_both_get_their_answers);
	suite_add_tcase(s, t);
	return s;
}
