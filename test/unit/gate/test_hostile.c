/* SPDX-License-Identifier: MIT */
/* What a hostile client or HIP host can put before a worker: each ends in
 * the counter that names it, with nothing sent on. */
#include <sodium.h>

#include "test/unit/gate/loop_bed.h"

enum { HDRS = IP6_HDR + TCP_HDR, BODY = 100 };

static struct loop l;
static uint64_t before[REASON_NUM];

static void setup(void)
{
	loop_begin(&l, 0);
}

static void teardown(void)
{
	loop_end(&l);
}

static void note(void)
{
	for (unsigned r = 0; r < REASON_NUM; r++)
		before[r] = reason_get(&l.w[0].drops, r);
}

/* Since note(), this many of `why` and of nothing else. */
static void counted(enum reason why, unsigned num)
{
	for (unsigned r = 0; r < REASON_NUM; r++) {
		unsigned n =
			(unsigned)(reason_get(&l.w[0].drops, r) - before[r]);

		if (n != (r == why ? num : 0))
			ck_abort_msg("%s: %u, where %u of %s should be",
				     reason_name(r), n, num,
				     why < REASON_NUM ? reason_name(why)
						      : "nothing");
	}
}

/* How many packets worker 0 has sent to the peer. */
static uint64_t sealed(void)
{
	return atomic_load(&l.sa->out_packets);
}

/* Out of the TUN: dropped for `why`. */
static void from_tun(const uint8_t *pkt, size_t len, enum reason why)
{
	uint64_t out = sealed();

	note();
	ck_assert_int_eq(write(l.tun[0], pkt, len), (ssize_t)len);
	loop_out(&l, 0);
	counted(why, 1);
	ck_assert_uint_eq(sealed(), out);
}

/* Out of ESP, sealed with the right key: dropped for `why`, and with an
 * overlap the two before it; REASON_NUM: taken. */
static void from_peer(uint8_t next, const uint8_t *l4, size_t len,
		      enum reason why)
{
	static uint8_t out[2 * 65536];
	uint64_t seq = atomic_fetch_add(&l.sa->next_seq, 1);
	struct sockaddr_storage ss;
	socklen_t to = sockets_address(&l.at, &ss);
	size_t wire = esp_wire_len(sa_suite_find(l.sa->suite), len);

	ck_assert_int_eq(esp_seal(atomic_load(&l.sa->contexts)->seal[0], seq,
				  next, NULL, 0, l4, len, out, sizeof(out),
				  &wire),
			 REASON_NUM);
	note();
	ck_assert_int_eq(sendto(l.plane.sockets.fd[0][1], out, wire, 0,
				(struct sockaddr *)&ss, to),
			 (ssize_t)wire);
	loop_in(&l, 0);
	if (why == REASON_NUM)
		counted(why, 0);
	else
		counted(why, why == REASON_FRAG_OVERLAP ? 3 : 1);
}

static void plain(uint8_t *pkt)
{
	(void)loop_packet(pkt, IP_PROTO_TCP, LOOP_PORT, 0, BODY);
	memset(pkt, 0, TUN_VNET_HDR);
}

static void set_len(uint8_t *pkt, size_t len)
{
	put_be16(pkt + TUN_VNET_HDR + 4, (uint16_t)len);
}

START_TEST(a_packet_cut_anywhere_is_truncated)
{
	uint8_t pkt[TUN_VNET_HDR + HDRS + BODY];

	for (size_t n = 0; n < HDRS + BODY; n++) {
		plain(pkt);
		from_tun(pkt, TUN_VNET_HDR + n,
			 n ? REASON_IP_TRUNCATED : REASON_VNET_HDR);
		if (n < IP6_HDR)
			continue;
		/* The same with an IP header that knows. */
		set_len(pkt, n - IP6_HDR);
		if (n < HDRS)
			from_tun(pkt, TUN_VNET_HDR + n, REASON_L4_TRUNCATED);
	}
}
END_TEST

START_TEST(lengths_that_lie_are_truncated)
{
	uint8_t pkt[TUN_VNET_HDR + HDRS + BODY];
	uint8_t *l4 = pkt + TUN_VNET_HDR + IP6_HDR;

	plain(pkt);
	set_len(pkt, TCP_HDR + BODY + 1);
	from_tun(pkt, sizeof(pkt), REASON_IP_TRUNCATED);
	set_len(pkt, 65535);
	from_tun(pkt, sizeof(pkt), REASON_IP_TRUNCATED);
	plain(pkt);
	l4[12] = 0x40;
	from_tun(pkt, sizeof(pkt), REASON_L4_TRUNCATED);
	l4[12] = 0xf0;
	set_len(pkt, 59);
	from_tun(pkt, TUN_VNET_HDR + IP6_HDR + 59, REASON_L4_TRUNCATED);
	(void)loop_packet(pkt, IP_PROTO_UDP, LOOP_PORT, 0, BODY);
	memset(pkt, 0, TUN_VNET_HDR);
	for (unsigned len = 0; len < UDP_HDR; len++) {
		put_be16(l4 + 4, (uint16_t)len);
		from_tun(pkt, TUN_VNET_HDR + IP6_HDR + UDP_HDR + BODY,
			 REASON_L4_TRUNCATED);
	}
	put_be16(l4 + 4, UDP_HDR + BODY + 1);
	from_tun(pkt, TUN_VNET_HDR + IP6_HDR + UDP_HDR + BODY,
		 REASON_L4_TRUNCATED);
}
END_TEST

START_TEST(segment_sizes_of_0_and_65535)
{
	static uint8_t pkt[TUN_VNET_HDR + TUN_PACKET_MAX];
	size_t n = loop_packet(pkt, IP_PROTO_TCP, LOOP_PORT, 0, 9000);
	const uint16_t most = 65535;

	memset(pkt + 4, 0, 2);
	from_tun(pkt, n, REASON_VNET_HDR);
	/* One segment of 9000 octets: more than the way carries. */
	memcpy(pkt + 4, &most, 2);
	from_tun(pkt, n, REASON_TOO_BIG);
	n = loop_packet(pkt, IP_PROTO_UDP, LOOP_PORT, 0, 9000);
	memcpy(pkt + 4, &most, 2);
	from_tun(pkt, n, REASON_TOO_BIG);
	/* One of BODY octets is one. */
	n = loop_packet(pkt, IP_PROTO_TCP, LOOP_PORT, 0, BODY);
	pkt[1] = 4;
	memcpy(pkt + 4, &most, 2);
	note();
	ck_assert_int_eq(write(l.tun[0], pkt, n), (ssize_t)n);
	loop_out(&l, 0);
	counted(REASON_NUM, 0);
	ck_assert_uint_eq(sealed(), 1);
	/* Segments of a SYN or an RST: no kernel makes them. */
	n = loop_packet(pkt, IP_PROTO_TCP, LOOP_PORT, 0, 9000);
	pkt[TUN_VNET_HDR + IP6_HDR + 13] = TCP_SYN;
	from_tun(pkt, n, REASON_VNET_HDR);
}
END_TEST

/* num headers of destination options, then what `next` says. */
static size_t chain(uint8_t *out, unsigned num, uint8_t next)
{
	for (unsigned i = 0; i < num; i++) {
		out[8 * i] = i + 1 < num ? IP_PROTO_DEST_OPTS : next;
		out[8 * i + 1] = 0;
		memcpy(out + 8 * i + 2, "\1\4\0\0\0\0", 6); /* PadN */
	}
	return 8 * (size_t)num;
}

START_TEST(huge_chains_of_headers_are_unusable)
{
	static uint8_t pkt[TUN_VNET_HDR + TUN_PACKET_MAX];
	uint8_t *ip = pkt + TUN_VNET_HDR;
	uint8_t l4[TCP_HDR + BODY];
	size_t n;

	plain(pkt);
	memcpy(l4, ip + IP6_HDR, sizeof(l4));
	for (unsigned num = 9; num < 8000; num *= 3) {
		n = chain(ip + IP6_HDR, num, IP_PROTO_TCP);
		memcpy(ip + IP6_HDR + n, l4, sizeof(l4));
		ip[6] = IP_PROTO_DEST_OPTS;
		set_len(pkt, n + sizeof(l4));
		from_tun(pkt, TUN_VNET_HDR + IP6_HDR + n + sizeof(l4),
			 REASON_IP_EXT_HEADER);
		from_peer(IP_PROTO_DEST_OPTS, ip + IP6_HDR, n + sizeof(l4),
			  REASON_IP_EXT_HEADER);
	}
	/* One header that says it is longer than all. */
	n = chain(ip + IP6_HDR, 1, IP_PROTO_TCP);
	ip[IP6_HDR + 1] = 255;
	set_len(pkt, n + sizeof(l4));
	from_tun(pkt, TUN_VNET_HDR + IP6_HDR + n + sizeof(l4),
		 REASON_IP_TRUNCATED);
	from_peer(IP_PROTO_DEST_OPTS, ip + IP6_HDR, n + sizeof(l4),
		  REASON_IP_TRUNCATED);
}
END_TEST

/* A fragment: its header, then len octets. */
static size_t fragment(uint8_t *out, uint32_t offset, bool more, size_t len)
{
	ip_put_fragment(out, IP_PROTO_UDP, offset, more, 77);
	memset(out + IP_FRAGMENT_HDR, 1, len);
	return IP_FRAGMENT_HDR + len;
}

START_TEST(fragments_that_overlap_end_their_packet)
{
	uint8_t pkt[TUN_VNET_HDR + IP6_HDR + 1000] = { 0 };
	uint8_t *at = pkt + TUN_VNET_HDR + IP6_HDR;
	uint64_t out = sealed();
	size_t n;

	(void)ip_put_header(pkt + TUN_VNET_HDR, &loop_client, &loop_virt,
			    IP_PROTO_FRAGMENT, 0, 64, 0);
	note();
	for (unsigned i = 0; i < 3; i++) {
		n = fragment(at, i == 2 ? 160 : i * 80, true,
			     80 + 8 * (i == 1));
		set_len(pkt, n);
		ck_assert_int_eq(
			write(l.tun[0], pkt, TUN_VNET_HDR + IP6_HDR + n),
			(ssize_t)(TUN_VNET_HDR + IP6_HDR + n));
		loop_out(&l, 0);
	}
	counted(REASON_FRAG_OVERLAP, 3);
	ck_assert_uint_eq(sealed(), out);
	n = fragment(at, 0, true, 80);
	from_peer(IP_PROTO_FRAGMENT, at, n, REASON_NUM);
	n = fragment(at, 80, true, 88);
	from_peer(IP_PROTO_FRAGMENT, at, n, REASON_NUM);
	n = fragment(at, 160, true, 80);
	from_peer(IP_PROTO_FRAGMENT, at, n, REASON_FRAG_OVERLAP);
}
END_TEST

START_TEST(what_a_peer_cuts_anywhere_is_truncated)
{
	uint8_t pkt[TUN_VNET_HDR + HDRS + BODY];
	const uint8_t *l4 = pkt + TUN_VNET_HDR + IP6_HDR;

	plain(pkt);
	for (size_t n = 0; n < TCP_HDR; n++)
		from_peer(IP_PROTO_TCP, l4, n, REASON_L4_TRUNCATED);
	for (size_t n = 0; n < UDP_HDR; n++)
		from_peer(IP_PROTO_UDP, l4, n, REASON_L4_TRUNCATED);
	for (size_t n = 0; n < ICMP_HDR; n++)
		from_peer(IP_PROTO_ICMP6, l4, n, REASON_L4_TRUNCATED);
	for (size_t n = 0; n < IP_FRAGMENT_HDR; n++)
		from_peer(IP_PROTO_FRAGMENT, l4, n, REASON_IP_TRUNCATED);
	for (unsigned proto = 0; proto < 256; proto++)
		if (proto == 47 || proto == 132 || proto == 4 || proto == 41)
			from_peer((uint8_t)proto, l4, TCP_HDR, REASON_IP_PROTO);
}
END_TEST

/* Out of the TUN and back, with one bit wrong and the checksum complete: it
 * arrives, as wrong as it was, alone and unchanged. */
START_TEST(a_wrong_checksum_is_not_made_good)
{
	static uint8_t back[TUN_VNET_HDR + TUN_PACKET_MAX];
	uint8_t proto = _i ? IP_PROTO_UDP : IP_PROTO_TCP;
	size_t hdr = _i ? UDP_HDR : TCP_HDR;
	uint8_t pkt[TUN_VNET_HDR + HDRS + BODY];
	uint8_t *l4 = pkt + TUN_VNET_HDR + IP6_HDR;
	size_t n = loop_packet(pkt, proto, LOOP_PORT, 0, BODY);
	size_t len = n - TUN_VNET_HDR - IP6_HDR;
	uint16_t sum;

	memset(pkt, 0, TUN_VNET_HDR);
	put_be16(l4 + ip_csum_offset(proto), 0);
	put_be16(l4 + ip_csum_offset(proto),
		 csum_finish(csum_add(csum_pseudo(&loop_client, &loop_virt,
						  proto, (uint32_t)len),
				      l4, len)));
	for (size_t bit = 0; bit < 8 * BODY; bit++) {
		l4[hdr + bit / 8] ^= (uint8_t)(1 << bit % 8);
		for (unsigned i = 0; i < 2; i++) /* two that could be joined */
			ck_assert_int_eq(write(l.tun[0], pkt, n), (ssize_t)n);
		loop_out(&l, 0);
		loop_in(&l, 0);
		for (unsigned i = 0; i < 2; i++) {
			ck_assert_int_eq(read(l.tun[0], back, sizeof(back)),
					 (ssize_t)n);
			ck_assert(sodium_is_zero(back, TUN_VNET_HDR));
			ck_assert_mem_eq(back + n - BODY, pkt + n - BODY, BODY);
			sum = csum_finish(
				csum_add(csum_pseudo(&loop_virt, &loop_client,
						     proto, (uint32_t)len),
					 back + TUN_VNET_HDR + IP6_HDR, len));
			ck_assert_uint_ne(sum, 0);
		}
		l4[hdr + bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}
END_TEST

/* To be cut it would need new checksums. */
START_TEST(a_damaged_super_packet_is_dropped)
{
	static uint8_t pkt[TUN_VNET_HDR + TUN_PACKET_MAX];
	size_t n = loop_packet(pkt, IP_PROTO_TCP, LOOP_PORT, 0, 9000);

	pkt[0] = 0; /* its checksum is said to be complete, and is not */
	from_tun(pkt, n, REASON_L4_CHECKSUM);
}
END_TEST

Suite *test_hostile_suite(void);
Suite *test_hostile_suite(void)
{
	Suite *s = suite_create("hostile");
	TCase *tc = tcase_create("hostile");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_packet_cut_anywhere_is_truncated);
	tcase_add_test(tc, lengths_that_lie_are_truncated);
	tcase_add_test(tc, segment_sizes_of_0_and_65535);
	tcase_add_test(tc, huge_chains_of_headers_are_unusable);
	tcase_add_test(tc, fragments_that_overlap_end_their_packet);
	tcase_add_test(tc, what_a_peer_cuts_anywhere_is_truncated);
	tcase_add_loop_test(tc, a_wrong_checksum_is_not_made_good, 0, 2);
	tcase_add_test(tc, a_damaged_super_packet_is_dropped);
	suite_add_tcase(s, tc);
	return s;
}
