/* SPDX-License-Identifier: MIT */
/* Fragments become packets: in any order, from either side; what lies ends
 * in its reason. */
#include "test/unit/nat/gather_bed.h"

START_TEST(fragments_become_the_packet_in_any_order)
{
	static const uint8_t orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 },
					      { 1, 0, 2 }, { 1, 2, 0 },
					      { 2, 0, 1 }, { 2, 1, 0 } };
	static const struct slice slices[3] = { { 0, 1400, true },
						{ 1400, 1400, true },
						{ 2800, 33, false } };
	struct bed b = bed_of(_i / 6);
	uint8_t l4[2833];

	datagram(&b, l4, sizeof(l4));
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_ptr_null(i ? whole.l4 : NULL);
		ck_assert_int_eq(give(&b, l4, 7, slices[orders[_i % 6][i]]),
				 REASON_NUM);
	}
	check_whole(&b, l4, sizeof(l4));
	ck_assert_uint_eq(whole.fragment, 1400);
	ck_assert_uint_eq(whole.id, 7);
	/* It is over: the same fragment begins another packet. */
	ck_assert_int_eq(give(&b, l4, 7, slices[0]), REASON_NUM);
	ck_assert_ptr_null(whole.l4);
}
END_TEST

START_TEST(what_is_whole_is_the_clients_data)
{
	struct bed b = bed_of(_i);
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	static uint8_t pkt[2000];
	uint8_t l4[2000];
	struct slice first = { 0, 1000, true };
	size_t n;

	datagram(&b, l4, sizeof(l4));
	n = make(&b, pkt, l4, IP_PROTO_UDP, 7, &first);
	ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_FRAGMENT);
	ck_assert_int_eq(give_len(pkt, n), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 7, (struct slice){ 1000, 1000, false }),
			 REASON_NUM);
	ck_assert_int_eq(nat_classify(whole.pkt, whole.len, &r, &p), NAT_DATA);
	ck_assert_uint_eq(p.key.client_port, 1234);
	ck_assert_uint_eq(p.key.virt_port, 80);
	ck_assert_uint_eq(bed_addr_sum(&b.client, &b.virt, IP_PROTO_UDP,
				       p.ip.l4, p.ip.l4_len),
			  0xffff);
}
END_TEST

START_TEST(ids_addresses_and_protocols_do_not_mix)
{
	struct bed b = bed_of(_i);
	struct bed other = b;
	struct slice first = { 0, 800, true };
	struct slice last = { 800, 100, false };
	uint8_t l4[900];
	static uint8_t pkt[1000];

	other.client.b[15] ^= 1;
	datagram(&b, l4, sizeof(l4));
	ck_assert_int_eq(give(&b, l4, 1, first), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 2, last), REASON_NUM);
	ck_assert_ptr_null(whole.l4);
	ck_assert_int_eq(give(&other, l4, 1, last), REASON_NUM);
	ck_assert_ptr_null(whole.l4);
	/* RFC 791: for IPv4 an id is one of its protocol; RFC 8200 4.5: for
	 * IPv6 only the first fragment says the protocol. */
	ck_assert_int_eq(
		give_len(pkt, make(&b, pkt, l4, IP_PROTO_TCP, 1, &last)),
		REASON_NUM);
	ck_assert_int_eq(whole.l4 != NULL, b.v6);
	if (b.v6)
		return;
	ck_assert_int_eq(give(&b, l4, 1, last), REASON_NUM);
	check_whole(&b, l4, sizeof(l4));
}
END_TEST

START_TEST(fragments_out_of_esp_become_the_packet)
{
	struct bed b = bed_of(true);
	struct nat_back sa = { .self = b.self, .peer = b.peer };
	struct nat_back other = { .self = b.self, .peer = b.peer };
	struct nat_arrival in = { .now = now, .tos = 0x2a, .ttl = 55 };
	uint8_t l4[3000];
	uint8_t piece[1500];
	uint8_t hdr[8];
	struct nat_cut cut;
	uint32_t at;
	uint32_t len;
	unsigned num = 0;

	other.peer.b[15] ^= 1;
	datagram(&b, l4, sizeof(l4));
	nat_cut_begin(&cut, IP_PROTO_UDP, sizeof(l4), 1388, 99);
	while (nat_cut_next(&cut, hdr, &at, &len)) {
		ck_assert_uint_le(len + 8, 1388);
		memcpy(piece, hdr, 8);
		memcpy(piece + 8, l4 + at, len);
		ck_assert_int_eq(
			nat_gather_esp(g, &other, &in, piece, len + 8, &whole),
			REASON_NUM);
		if (num++ == 0)
			ck_assert_ptr_null(whole.l4);
		other.peer.b[14]++; /* another peer each time */
		ck_assert_int_eq(
			nat_gather_esp(g, &sa, &in, piece, len + 8, &whole),
			REASON_NUM);
	}
	ck_assert_uint_eq(num, 3);
	ck_assert_uint_eq(whole.l4_len, sizeof(l4));
	ck_assert_mem_eq(whole.l4, l4, sizeof(l4));
	ck_assert_uint_eq(whole.proto, IP_PROTO_UDP);
	ck_assert_uint_eq(whole.tos, 0x2a);
	ck_assert_uint_eq(whole.ttl, 55);
	ck_assert_uint_eq(whole.id, 99);
	ck_assert_uint_eq(whole.fragment, 1376);
	memset(whole.l4 - NAT_WHOLE_ROOM, 0, NAT_WHOLE_ROOM);
	ck_assert_int_eq(nat_gather_esp(g, &sa, &in, piece, 7, &whole),
			 REASON_IP_TRUNCATED);
	ip_put_fragment(piece, IP_PROTO_UDP, 0, false, 99);
	ck_assert_int_eq(nat_gather_esp(g, &sa, &in, piece, 100, &whole),
			 REASON_IP_FRAGMENT);
}
END_TEST

START_TEST(fragments_that_overlap_end_their_packet_for_good)
{
	struct bed b = bed_of(_i);
	uint8_t l4[4000];
	uint8_t forged[4000];
	static const struct slice bad[] = {
		{ 1000, 1000, true }, /* the same place, other octets */
		{ 992, 1000, true },  /* over its start */
		{ 1008, 1000, true }, /* over its end */
		{ 1008, 8, true },    /* inside */
		{ 0, 4000, true },    /* around */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint32_t id = 50 + (uint32_t)i;

		datagram(&b, l4, sizeof(l4));
		datagram(&b, forged, sizeof(forged));
		ck_assert_int_eq(
			give(&b, l4, id, (struct slice){ 0, 800, true }),
			REASON_NUM);
		ck_assert_int_eq(
			give(&b, l4, id, (struct slice){ 1000, 1000, true }),
			REASON_NUM);
		ck_assert_int_eq(give(&b, forged, id, bad[i]),
				 REASON_FRAG_OVERLAP);
		ck_assert_uint_eq(lost_for(REASON_FRAG_OVERLAP), 2 * (i + 1));
		/* RFC 5722 4: what is still to come goes too. */
		ck_assert_int_eq(
			give(&b, l4, id, (struct slice){ 800, 200, true }),
			REASON_FRAG_OVERLAP);
		ck_assert_int_eq(
			give(&b, l4, id, (struct slice){ 2000, 2000, false }),
			REASON_FRAG_OVERLAP);
		ck_assert_ptr_null(whole.l4);
	}
}
END_TEST

START_TEST(an_exact_copy_is_dropped_alone)
{
	struct bed b = bed_of(_i);
	struct slice first = { 0, 1000, true };
	struct slice last = { 1800, 200, false };
	struct slice mid = { 1000, 800, true };
	uint8_t l4[2000];

	datagram(&b, l4, sizeof(l4));
	ck_assert_int_eq(give(&b, l4, 9, first), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 9, first), REASON_FRAG_DUPLICATE);
	ck_assert_int_eq(give(&b, l4, 9, last), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 9, last), REASON_FRAG_DUPLICATE);
	ck_assert_int_eq(give(&b, l4, 9, mid), REASON_NUM);
	check_whole(&b, l4, sizeof(l4));
	/* The same octets that claim that more, or none, will follow. */
	ck_assert_int_eq(give(&b, l4, 10, last), REASON_NUM);
	last.more = true;
	ck_assert_int_eq(give(&b, l4, 10, last), REASON_FRAG_OVERLAP);
	ck_assert_int_eq(give(&b, l4, 11, mid), REASON_NUM);
	mid.more = false;
	ck_assert_int_eq(give(&b, l4, 11, mid), REASON_FRAG_OVERLAP);
}
END_TEST

START_TEST(ends_that_contradict_each_other_end_the_packet)
{
	struct bed b = bed_of(_i);
	uint8_t l4[4000];
	struct slice last = { 2000, 100, false };

	datagram(&b, l4, sizeof(l4));
	/* Beyond the end, before or after it was known. */
	ck_assert_int_eq(give(&b, l4, 1, last), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 2400, 800, true }),
			 REASON_FRAG_MISFIT);
	ck_assert_int_eq(give(&b, l4, 2, (struct slice){ 2400, 800, true }),
			 REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 2, last), REASON_FRAG_MISFIT);
	/* Two ends. */
	ck_assert_int_eq(give(&b, l4, 3, last), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 3, (struct slice){ 1000, 100, false }),
			 REASON_FRAG_MISFIT);
	ck_assert_uint_eq(lost_for(REASON_FRAG_MISFIT), 3);
	ck_assert_int_eq(give(&b, l4, 3, (struct slice){ 0, 1000, true }),
			 REASON_FRAG_MISFIT);
}
END_TEST

START_TEST(lengths_that_cannot_be_are_refused)
{
	struct bed b = bed_of(_i);
	uint32_t most = b.v6 ? 65535 : 65515;
	static uint8_t l4[66000];
	struct slice end = { 65512, most - 65512, false };

	datagram(&b, l4, 65000);
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 0, 0, true }),
			 REASON_FRAG_LENGTH);
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 800, 0, false }),
			 REASON_FRAG_LENGTH);
	for (uint32_t n = 801; n < 808; n++)
		ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 0, n, true }),
				 REASON_FRAG_LENGTH);
	/* The ping of death: an end beyond what a packet may have. */
	ck_assert_int_eq(give(&b, l4, 2, end), REASON_NUM);
	end.len++;
	ck_assert_int_eq(give(&b, l4, 3, end), REASON_FRAG_LENGTH);
	ck_assert_int_eq(give(&b, l4, 3, (struct slice){ 65528, 400, false }),
			 REASON_FRAG_LENGTH);
	/* The refused ones left nothing: the packets can still be. */
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 0, 800, true }),
			 REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 800, 9, false }),
			 REASON_NUM);
	ck_assert_ptr_nonnull(whole.l4);
}
END_TEST

START_TEST(the_largest_packet_there_is_passes)
{
	struct bed b = bed_of(_i);
	uint32_t most = b.v6 ? 65535 : 65515;
	static uint8_t l4[65535];

	datagram(&b, l4, most);
	for (uint32_t at = 0; at < most; at += 1232) {
		uint32_t n = most - at < 1232 ? most - at : 1232;

		ck_assert_int_eq(
			give(&b, l4, 1, (struct slice){ at, n, at + n < most }),
			REASON_NUM);
	}
	check_whole(&b, l4, most);
}
END_TEST

START_TEST(a_first_fragment_has_all_headers)
{
	struct bed b = bed_of(_i / 2);
	unsigned proto = _i % 2 ? IP_PROTO_ICMP6 : IP_PROTO_TCP;
	static uint8_t pkt[200];
	uint8_t l4[100];
	uint32_t id = 0;

	bed_l4(l4, sizeof(l4), proto, 1, 2);
	if (proto == IP_PROTO_TCP)
		l4[12] = 0xa0; /* 40 octets with options */
	for (uint32_t n = 8; n < 56; n += 8) {
		struct slice s = { 0, n, true };
		uint32_t need = proto == IP_PROTO_TCP ? 40 : 8;

		ck_assert_int_eq(
			give_len(pkt, make(&b, pkt, l4, proto, ++id, &s)),
			n < need ? REASON_FRAG_TINY : REASON_NUM);
	}
}
END_TEST

START_TEST(options_after_the_fragment_header_belong_to_the_first)
{
	struct bed b = bed_of(true);
	static uint8_t pkt[200];
	uint8_t l4[100];
	struct slice first = { 0, 24, true };
	struct ip_view v;
	size_t n;

	datagram(&b, l4, sizeof(l4));
	memmove(l4 + 8, l4, sizeof(l4) - 8);
	put_be16(l4 + 8 + 4, sizeof(l4) - 8);
	memset(l4, 0, 8);
	l4[0] = IP_PROTO_UDP;
	n = make(&b, pkt, l4, IP_PROTO_UDP, 1, &first);
	pkt[IP6_HDR] = IP_PROTO_DEST_OPTS;
	ck_assert_int_eq(give_len(pkt, n), REASON_NUM);
	ck_assert_int_eq(give(&b, l4, 1, (struct slice){ 24, 76, false }),
			 REASON_NUM);
	ck_assert_int_eq(ip_parse(whole.pkt, whole.len, &v), REASON_NUM);
	ck_assert_uint_eq(v.l4_len, 92);
	/* Cut inside them; of a kind that is never cut. */
	l4[1] = 3;
	n = make(&b, pkt, l4, IP_PROTO_UDP, 2, &first);
	pkt[IP6_HDR] = IP_PROTO_DEST_OPTS;
	ck_assert_int_eq(give_len(pkt, n), REASON_FRAG_TINY);
	for (int i = 0; i < 2; i++) {
		n = make(&b, pkt, l4, IP_PROTO_UDP, 3 + (uint32_t)i, &first);
		pkt[IP6_HDR] = i ? IP_PROTO_FRAGMENT : 0;
		ck_assert_int_eq(give_len(pkt, n), REASON_IP_EXT_HEADER);
	}
}
END_TEST

START_TEST(congestion_seen_by_one_is_seen_by_all)
{
	/* The ECN fields of two fragments; of the whole, or not at all. */
	static const struct {
		uint8_t a, b, both;
		enum reason why;
	} rows[] = {
		{ 0, 0, 0, REASON_NUM },
		{ 1, 1, 1, REASON_NUM },
		{ 2, 2, 2, REASON_NUM },
		{ 3, 3, 3, REASON_NUM },
		{ 2, 3, 3, REASON_NUM },
		{ 3, 1, 3, REASON_NUM },
		{ 0, 3, 0, REASON_FRAG_MISFIT },
		{ 2, 0, 0, REASON_FRAG_MISFIT },
	};
	struct bed b = bed_of(true);
	static uint8_t pkt[1000];
	uint8_t l4[900];

	datagram(&b, l4, sizeof(l4));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice s = { 0, 800, true };
		size_t n = make(&b, pkt, l4, IP_PROTO_UDP, (uint32_t)i, &s);

		put_be32(pkt, 0x60000000u | (0x28u | rows[i].a) << 20);
		ck_assert_int_eq(give_len(pkt, n), REASON_NUM);
		s = (struct slice){ 800, 100, false };
		n = make(&b, pkt, l4, IP_PROTO_UDP, (uint32_t)i, &s);
		put_be32(pkt, 0x60000000u | (0x70u | rows[i].b) << 20);
		ck_assert_int_eq(give_len(pkt, n), rows[i].why);
		if (rows[i].why == REASON_NUM)
			ck_assert_uint_eq(whole.tos, 0x28 | rows[i].both);
	}
}
END_TEST

/* Against a stupid twin: every packet is cut anew, its pieces shuffled,
 * mixed with those of others and now and then repeated or lost. Nothing may
 * come out that did not go in. */
START_TEST(random_fragments_give_back_what_was_cut)
{
	enum { FLOWS = 12, LEN = 6000 };
	static uint8_t l4[FLOWS][LEN];
	uint32_t len[FLOWS];
	struct slice slices[FLOWS * 64];
	uint32_t owner[FLOWS * 64];
	uint32_t num = 0;
	uint32_t seed = randombytes_random();
	uint64_t s = seed;
	unsigned whole_ones = 0;

	printf("gather seed %u\n", seed);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct bed b = bed_of(i % 2);

		s = s * 6364136223846793005u + 1442695040888963407u;
		len[i] = 1600 + (uint32_t)(s >> 33) % (LEN - 1600);
		datagram(&b, l4[i], len[i]);
		for (uint32_t at = 0; at < len[i];) {
			uint32_t n;

			s = s * 6364136223846793005u + 1442695040888963407u;
			n = 104 + (uint32_t)(s >> 33) % 1400 / 8 * 8;
			n = n < len[i] - at ? n : len[i] - at;
			slices[num] = (struct slice){ at, n, at + n < len[i] };
			owner[num++] = i;
			at += n;
		}
	}
	for (uint32_t i = num; i-- > 1;) {
		struct slice t = slices[i];
		uint32_t o = owner[i];
		uint32_t j;

		s = s * 6364136223846793005u + 1442695040888963407u;
		j = (uint32_t)(s >> 33) % (i + 1);
		slices[i] = slices[j];
		owner[i] = owner[j];
		slices[j] = t;
		owner[j] = o;
	}
	for (uint32_t i = 0; i < num; i++) {
		uint32_t o = owner[i];
		struct bed b = bed_of(o % 2);

		ck_assert_int_eq(give(&b, l4[o], o, slices[i]), REASON_NUM);
		if (!whole.l4)
			ck_assert_int_eq(give(&b, l4[o], o, slices[i]),
					 REASON_FRAG_DUPLICATE);
		if (!whole.l4)
			continue;
		check_whole(&b, l4[o], len[o]);
		whole_ones++;
	}
	ck_assert_uint_eq(whole_ones, FLOWS);
}
END_TEST

Suite *test_gather_suite(void)
{
	Suite *s = suite_create("gather");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, fragments_become_the_packet_in_any_order, 0, 12);
	tcase_add_loop_test(t, what_is_whole_is_the_clients_data, 0, 2);
	tcase_add_loop_test(t, ids_addresses_and_protocols_do_not_mix, 0, 2);
	tcase_add_test(t, fragments_out_of_esp_become_the_packet);
	tcase_add_loop_test(t, fragments_that_overlap_end_their_packet_for_good,
			    0, 2);
	tcase_add_loop_test(t, an_exact_copy_is_dropped_alone, 0, 2);
	tcase_add_loop_test(t, ends_that_contradict_each_other_end_the_packet,
			    0, 2);
	tcase_add_loop_test(t, lengths_that_cannot_be_are_refused, 0, 2);
	tcase_add_loop_test(t, the_largest_packet_there_is_passes, 0, 2);
	tcase_add_loop_test(t, a_first_fragment_has_all_headers, 0, 4);
	tcase_add_test(t,
		       options_after_the_fragment_header_belong_to_the_first);
	tcase_add_test(t, congestion_seen_by_one_is_seen_by_all);
	tcase_add_test(t, random_fragments_give_back_what_was_cut);
	suite_add_tcase(s, t);
	return s;
}
