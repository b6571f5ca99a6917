/* SPDX-License-Identifier: MIT */
/* ICMP errors both ways: tables, quotes, checksums, lies. */
#include "nat/icmperr.h"

#include "core/checksum.h"
#include "test/unit/nat/nat_bed.h"

static const struct ip_offload whole;

/* The 8 octets before the quote, in the words of the family. */
static size_t make_error(uint8_t *icmp, bool v6, uint8_t type, uint8_t code,
			 uint32_t param)
{
	memset(icmp, 0, ICMP_HDR);
	icmp[0] = type;
	icmp[1] = code;
	if (v6)
		put_be32(icmp + 4, param);
	else if (type == 12)
		icmp[4] = (uint8_t)param;
	else
		put_be16(icmp + 6, (uint16_t)param);
	return ICMP_HDR;
}

/* What the HIP host's answer in flow f became when we sent it to the
 * client: the whole packet virt -> client. */
static size_t to_client(struct nat_flow *f, uint8_t *pkt, size_t len)
{
	unsigned proto = f->back.proto;
	uint8_t l4[2048];
	uint8_t hdr[IP6_HDR];
	size_t n;

	if (proto == IP_PROTO_ICMP6)
		bed_l4(l4, len, proto, f->back.ext_port, 129);
	else
		bed_l4(l4, len, proto, f->back.peer_port, f->back.ext_port);
	bed_seal(l4, proto,
		 bed_hit_sum(&f->back.peer, &f->back.self, proto, l4, len));
	/* The peer's own octets, for comparing a quote with. */
	memcpy(pkt + 4096, l4, len);
	ck_assert_int_eq(
		nat_to_legacy(f, l4, len,
			      &(struct nat_arrival){ .mss = 0, .now = 1 }, hdr,
			      &n),
		REASON_NUM);
	memcpy(pkt, hdr, n);
	memcpy(pkt + n, l4, len);
	return n + len;
}

/* A client-side error about `quoted`, from `router`; whole packet. */
static size_t client_error(const struct bed *b, const char *router,
			   uint8_t *pkt, const uint8_t *head,
			   const uint8_t *quoted, size_t len)
{
	struct addr from = bed_addr(router);
	uint8_t icmp[2048];
	unsigned proto = b->v6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP;

	memcpy(icmp, head, ICMP_HDR);
	memcpy(icmp + ICMP_HDR, quoted, len);
	put_be16(icmp + 2, 0);
	bed_seal(icmp, proto,
		 bed_addr_sum(&from, &b->virt, proto, icmp, ICMP_HDR + len));
	return bed_pkt(pkt, &from, &b->virt, proto, icmp, ICMP_HDR + len);
}

static const char *router_of(bool v6)
{
	return v6 ? "2001:db8:99::1" : "203.0.113.99";
}

/* A quote that ends amid the checksum has an octet nobody can mend. */
static size_t known(unsigned proto, size_t cut)
{
	return proto == IP_PROTO_TCP && cut == 17 ? 16 : cut;
}

START_TEST(an_error_of_the_clients_side_quotes_what_the_hip_host_sent)
{
	bool v6 = _i / 3;
	unsigned proto = bed_protos[_i % 3];
	struct bed b = bed_of(v6);
	struct nat_ranges r = bed_ranges();
	struct prefix clients =
		bed_prefix(v6 ? "2001:db8:1::/48" : "192.0.2.0/24");
	uint8_t big[8192];
	size_t hdr = v6 ? 40 : 20;

	r.clients = &clients;
	r.clients_num = 1;
	/* Every length a router may cut the quote to. */
	for (size_t cut = 8; cut <= 300; cut++) {
		struct nat_flow f = bed_flow(&b, proto, 5000, 40001, 80);
		struct nat_packet p;
		uint8_t pkt[2048];
		uint8_t head[ICMP_HDR];
		uint8_t out[1280];
		size_t n;
		size_t len;

		to_client(&f, big, 300);
		make_error(head, v6, v6 ? 1 : 3, v6 ? 4 : 3, 0);
		n = client_error(&b, router_of(v6), pkt, head, big, hdr + cut);
		ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_ERROR);
		ck_assert_mem_eq(&p.key, &f.key, sizeof(p.key));
		ck_assert_int_eq(
			nat_error_to_hip(&f, &p, out, sizeof(out), &len),
			REASON_NUM);
		ck_assert_uint_eq(len, 8 + 40 + cut);
		ck_assert_uint_eq(out[0], 1);
		ck_assert_uint_eq(out[1], 4);
		ck_assert_uint_eq(bed_hit_sum(&b.self, &b.peer, 58, out, len),
				  0xffff);
		ck_assert_uint_eq(get_be16(out + 8 + 4), 300);
		ck_assert_uint_eq(out[8 + 6], proto);
		ck_assert_mem_eq(out + 8 + 8, b.peer.b, 16);
		ck_assert_mem_eq(out + 8 + 24, b.self.b, 16);
		/* The very octets the peer sent, checksum and all. */
		ck_assert_mem_eq(out + 48, big + 4096, known(proto, cut));
	}
}
END_TEST

START_TEST(an_error_of_the_hip_host_quotes_what_the_client_sent)
{
	bool v6 = _i / 3;
	unsigned proto = bed_protos[_i % 3];
	struct bed b = bed_of(v6);
	struct nat_ranges r = bed_ranges();
	size_t hdr = v6 ? 40 : 20;
	struct addr self6 = addr_from6(b.self.b);
	struct addr peer6 = addr_from6(b.peer.b);

	for (size_t cut = 8; cut <= 300; cut++) {
		struct nat_flow f = bed_flow(&b, proto, 5000, 40001, 80);
		struct nat_packet p;
		struct nat_back key;
		struct ip_view v;
		uint8_t sent[2048];
		uint8_t was[2048];
		uint8_t icmp[2048];
		uint8_t out[1280];
		bool error = false;
		size_t n = bed_client_pkt(&b, sent, proto, 5000, 80, 300);
		size_t len;

		memcpy(was, sent, n);
		ck_assert_int_eq(nat_classify(sent, n, &r, &p), NAT_DATA);
		ck_assert_int_eq(nat_to_hip(&f, &p, &whole, 0, 1), REASON_NUM);
		make_error(icmp, true, 1, 4, 0);
		ip_put_header(icmp + 8, &self6, &peer6, p.ip.proto, 300, 64, 0);
		memcpy(icmp + 48, p.ip.l4, cut);
		bed_seal(icmp, 58,
			 bed_hit_sum(&b.peer, &b.self, 58, icmp, 48 + cut));
		ck_assert_int_eq(nat_back_key(58, icmp, 48 + cut, &b.self,
					      &b.peer, &key, &error),
				 REASON_NUM);
		ck_assert(error);
		ck_assert_mem_eq(&key, &f.back, sizeof(key));
		ck_assert_int_eq(nat_error_to_legacy(&f, icmp, 48 + cut, out,
						     sizeof(out), &len),
				 REASON_NUM);
		ck_assert_uint_eq(len, hdr + 8 + hdr + cut);
		ck_assert_int_eq(ip_parse(out, len, &v), REASON_NUM);
		ck_assert(addr_eq(&v.from, &b.virt));
		ck_assert(addr_eq(&v.to, &b.client));
		ck_assert_uint_eq(v.l4[0], v6 ? 1 : 3);
		ck_assert_uint_eq(v.l4[1], v6 ? 4 : 3);
		ck_assert_uint_eq(
			bed_addr_sum(&v.from, &v.to, v.proto, v.l4, v.l4_len),
			0xffff);
		ck_assert_mem_eq(v.l4 + 8, was, hdr + known(proto, cut));
	}
}
END_TEST

/* One error type through the client-to-HIP side; returns the out head or
 * false when dropped. */
static bool head_to_hip(bool v6, uint8_t type, uint8_t code, uint32_t param,
			uint8_t out[1280])
{
	struct bed b = bed_of(v6);
	struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 80);
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	uint8_t big[8192];
	uint8_t pkt[2048];
	uint8_t head[ICMP_HDR];
	size_t n;
	size_t len;

	to_client(&f, big, 1000);
	make_error(head, v6, type, code, param);
	n = client_error(&b, router_of(v6), pkt, head, big, 60);
	if (nat_classify(pkt, n, &r, &p) != NAT_ERROR)
		return false;
	return nat_error_to_hip(&f, &p, out, 1280, &len) == REASON_NUM;
}

START_TEST(types_from_ipv4_follow_rfc7915_4_2)
{
	static const int unreach[16][2] = {
		{ 1, 0 }, { 1, 0 }, { 4, 1 },	{ 1, 4 }, { 2, 0 }, { 1, 0 },
		{ 1, 0 }, { 1, 0 }, { 1, 0 },	{ 1, 1 }, { 1, 1 }, { 1, 0 },
		{ 1, 0 }, { 1, 1 }, { -1, -1 }, { 1, 1 },
	};
	static const int pointers[21] = { 0,  1, 4,  4,	 -1, -1, -1,
					  -1, 7, 6,  -1, -1, 8,	 8,
					  8,  8, 24, 24, 24, 24, -1 };
	uint8_t out[1280];

	for (uint8_t code = 0; code < 16; code++) {
		bool ok = head_to_hip(false, 3, code, 1400, out);

		ck_assert_int_eq(ok, unreach[code][0] >= 0);
		if (ok) {
			ck_assert_int_eq(out[0], unreach[code][0]);
			ck_assert_int_eq(out[1], unreach[code][1]);
		}
	}
	ck_assert(!head_to_hip(false, 3, 16, 0, out));
	for (uint8_t i = 0; i < 21; i++) {
		ck_assert_int_eq(head_to_hip(false, 12, 0, i, out),
				 pointers[i] >= 0);
		if (pointers[i] >= 0)
			ck_assert_uint_eq(get_be32(out + 4), pointers[i]);
	}
	ck_assert(!head_to_hip(false, 12, 1, 0, out));
	ck_assert(head_to_hip(false, 11, 1, 0, out));
	ck_assert_uint_eq(out[0], 3);
	ck_assert_uint_eq(out[1], 1);
	ck_assert(!head_to_hip(false, 4, 0, 0, out));
	ck_assert(!head_to_hip(false, 5, 0, 0, out));
}
END_TEST

START_TEST(mtu_from_ipv4_grows_by_twenty_and_is_never_below_1280)
{
	uint8_t out[1280];

	ck_assert(head_to_hip(false, 3, 4, 1400, out));
	ck_assert_uint_eq(get_be32(out + 4), 1420);
	ck_assert(head_to_hip(false, 3, 4, 576, out));
	ck_assert_uint_eq(get_be32(out + 4), 1280);
	/* No MTU said: the plateau below 1020 is 1006, so the least. */
	ck_assert(head_to_hip(false, 3, 4, 0, out));
	ck_assert_uint_eq(get_be32(out + 4), 1280);
	ck_assert(head_to_hip(false, 3, 4, 65535, out));
	ck_assert_uint_eq(get_be32(out + 4), 65555);
}
END_TEST

START_TEST(types_from_ipv6_pass_with_their_parameter)
{
	uint8_t out[1280];

	for (uint8_t type = 1; type <= 4; type++) {
		ck_assert(head_to_hip(true, type, 1, 1400, out));
		ck_assert_uint_eq(out[0], type);
		ck_assert_uint_eq(out[1], 1);
		ck_assert_uint_eq(get_be32(out + 4),
				  type == 2 || type == 4 ? 1400 : 0);
	}
	ck_assert(head_to_hip(true, 2, 0, 68, out));
	ck_assert_uint_eq(get_be32(out + 4), 1280);
	ck_assert(!head_to_hip(true, 5, 0, 0, out));
	ck_assert(!head_to_hip(true, 100, 0, 0, out));
}
END_TEST

/* One error of the HIP host to a client; false when dropped. */
static enum reason head_to_legacy(bool v6, uint8_t type, uint8_t code,
				  uint32_t param, uint8_t out[8])
{
	struct bed b = bed_of(v6);
	struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 80);
	struct addr self6 = addr_from6(b.self.b);
	struct addr peer6 = addr_from6(b.peer.b);
	uint8_t icmp[48 + 20];
	uint8_t pkt[1280];
	size_t len;
	enum reason r;

	make_error(icmp, true, type, code, param);
	ip_put_header(icmp + 8, &self6, &peer6, 17, 20, 64, 0);
	bed_l4(icmp + 48, 20, 17, 40001, 80);
	bed_seal(icmp, 58,
		 bed_hit_sum(&b.peer, &b.self, 58, icmp, sizeof(icmp)));
	r = nat_error_to_legacy(&f, icmp, sizeof(icmp), pkt, sizeof(pkt), &len);
	if (r == REASON_NUM)
		memcpy(out, pkt + (v6 ? 40 : 20), 8);
	return r;
}

START_TEST(types_to_ipv4_follow_rfc7915_5_2)
{
	static const uint8_t good[][6] = {
		/* type, code, parameter; type, code, octet 4 */
		{ 1, 0, 0, 3, 1, 0 },	 { 1, 1, 0, 3, 10, 0 },
		{ 1, 2, 0, 3, 1, 0 },	 { 1, 3, 0, 3, 1, 0 },
		{ 1, 4, 0, 3, 3, 0 },	 { 3, 0, 0, 11, 0, 0 },
		{ 3, 1, 0, 11, 1, 0 },	 { 4, 1, 6, 3, 2, 0 },
		{ 4, 0, 0, 12, 0, 0 },	 { 4, 0, 1, 12, 0, 1 },
		{ 4, 0, 4, 12, 0, 2 },	 { 4, 0, 5, 12, 0, 2 },
		{ 4, 0, 6, 12, 0, 9 },	 { 4, 0, 7, 12, 0, 8 },
		{ 4, 0, 8, 12, 0, 12 },	 { 4, 0, 23, 12, 0, 12 },
		{ 4, 0, 24, 12, 0, 16 }, { 4, 0, 39, 12, 0, 16 },
	};
	static const uint8_t bad[][3] = {
		{ 1, 5, 0 },  { 4, 0, 2 }, { 4, 0, 3 },
		{ 4, 0, 40 }, { 4, 2, 0 }, { 5, 0, 0 },
	};
	uint8_t h[8];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ck_assert_int_eq(head_to_legacy(false, good[i][0], good[i][1],
						good[i][2], h),
				 REASON_NUM);
		ck_assert_uint_eq(h[0], good[i][3]);
		ck_assert_uint_eq(h[1], good[i][4]);
		ck_assert_uint_eq(h[4], good[i][5]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(head_to_legacy(false, bad[i][0], bad[i][1],
						bad[i][2], h),
				 REASON_ICMP_ERROR);
	ck_assert_int_eq(head_to_legacy(false, 2, 0, 1400, h), REASON_NUM);
	ck_assert_uint_eq(h[1], 4);
	ck_assert_uint_eq(get_be16(h + 6), 1380);
	ck_assert_int_eq(head_to_legacy(true, 2, 0, 1400, h), REASON_NUM);
	ck_assert_uint_eq(get_be32(h + 4), 1400);
}
END_TEST

START_TEST(an_error_with_a_wrong_checksum_is_dropped)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct bed b = bed_of(v6);
		struct nat_flow f = bed_flow(&b, 6, 5000, 40001, 80);
		struct nat_ranges r = bed_ranges();
		struct nat_packet p;
		uint8_t big[8192];
		uint8_t pkt[2048];
		uint8_t out[1280];
		uint8_t head[ICMP_HDR];
		size_t n;
		size_t len;

		to_client(&f, big, 100);
		make_error(head, v6, v6 ? 1 : 3, 0, 0);
		n = client_error(&b, router_of(v6), pkt, head, big, 80);
		pkt[n - 1] ^= 1;
		ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_ERROR);
		ck_assert_int_eq(
			nat_error_to_hip(&f, &p, out, sizeof(out), &len),
			REASON_L4_CHECKSUM);
		pkt[n - 1] ^= 1;
		ck_assert_int_eq(nat_error_to_hip(&f, &p, out, 55, &len),
				 REASON_TOO_BIG);
	}
}
END_TEST

/* Classifies an IPv4 error about `big` cut to len, after one change. */
static enum reason misquote(const struct bed *b, const uint8_t *big, size_t len,
			    const struct prefix *clients)
{
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	uint8_t pkt[2048];
	uint8_t head[ICMP_HDR];
	size_t n;

	r.clients = clients;
	r.clients_num = clients != NULL;
	make_error(head, false, 3, 3, 0);
	n = client_error(b, router_of(false), pkt, head, big, len);
	return nat_classify(pkt, n, &r, &p) == NAT_ERROR ? REASON_NUM
							 : p.reason;
}

START_TEST(quotes_that_name_no_flow_of_ours_are_dropped)
{
	struct bed b = bed_of(false);
	struct prefix others = bed_prefix("192.0.3.0/24");
	struct nat_flow f = bed_flow(&b, 6, 5000, 40001, 80);
	uint8_t big[8192];

	to_client(&f, big, 100);
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_NUM);
	ck_assert_int_eq(misquote(&b, big, 28, &others), REASON_NOT_A_CLIENT);
	for (size_t n = 0; n < 28; n++)
		ck_assert_int_eq(misquote(&b, big, n, NULL), REASON_ICMP_ERROR);
	big[15] ^= 1; /* quoted from another substitute than it is sent to */
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_ICMP_ERROR);
	big[15] ^= 1;
	big[9] = 132;
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_ICMP_ERROR);
	big[9] = 6;
	big[7] = 1; /* a later fragment */
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_ICMP_ERROR);
	big[7] = 0;
	big[0] = 0x65;
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_ICMP_ERROR);
	big[0] = 0x4f;
	ck_assert_int_eq(misquote(&b, big, 60, NULL), REASON_ICMP_ERROR);
	/* An echo request: not what we send to clients. */
	f = bed_flow(&b, 58, 5000, 40001, 0);
	to_client(&f, big, 100);
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_NUM);
	big[20] = 8;
	ck_assert_int_eq(misquote(&b, big, 28, NULL), REASON_ICMP_ERROR);
}
END_TEST

START_TEST(an_error_through_one_sa_about_another_is_dropped)
{
	struct bed b = bed_of(false);
	struct addr self6 = addr_from6(b.self.b);
	struct addr peer6 = addr_from6(b.peer.b);
	struct nat_back key;
	uint8_t icmp[56];
	bool error;

	make_error(icmp, true, 1, 4, 0);
	bed_l4(icmp + 48, 8, 17, 40001, 80);
	ip_put_header(icmp + 8, &self6, &peer6, 17, 8, 64, 0);
	ck_assert_int_eq(
		nat_back_key(58, icmp, 56, &b.self, &b.peer, &key, &error),
		REASON_NUM);
	ck_assert_int_eq(
		nat_back_key(58, icmp, 55, &b.self, &b.peer, &key, &error),
		REASON_ICMP_ERROR);
	icmp[8 + 39] ^= 1;
	ck_assert_int_eq(
		nat_back_key(58, icmp, 56, &b.self, &b.peer, &key, &error),
		REASON_ICMP_ERROR);
	ip_put_header(icmp + 8, &peer6, &self6, 17, 8, 64, 0);
	ck_assert_int_eq(
		nat_back_key(58, icmp, 56, &b.self, &b.peer, &key, &error),
		REASON_ICMP_ERROR);
}
END_TEST

START_TEST(extensions_after_the_quote_are_left_behind)
{
	struct bed b = bed_of(false);
	struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 80);
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	uint8_t big[8192];
	uint8_t pkt[2048];
	uint8_t head[ICMP_HDR];
	uint8_t out[1280];
	size_t n;
	size_t len;

	to_client(&f, big, 300);
	make_error(head, false, 11, 0, 0);
	head[5] = 32; /* RFC 4884: 128 octets are quote */
	n = client_error(&b, router_of(false), pkt, head, big, 148);
	ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_ERROR);
	ck_assert_int_eq(nat_error_to_hip(&f, &p, out, sizeof(out), &len),
			 REASON_NUM);
	ck_assert_uint_eq(len, 8 + 40 + 108);
	ck_assert_uint_eq(get_be32(out + 4), 0);
}
END_TEST

START_TEST(octets_beyond_the_quoted_length_are_left_behind)
{
	struct bed b = bed_of(false);
	struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 80);
	struct nat_ranges r = bed_ranges();
	struct nat_packet p;
	uint8_t big[8192];
	uint8_t pkt[2048];
	uint8_t head[ICMP_HDR];
	uint8_t out[1280];
	size_t n;
	size_t len;

	to_client(&f, big, 40);
	make_error(head, false, 3, 3, 0);
	n = client_error(&b, router_of(false), pkt, head, big, 90);
	ck_assert_int_eq(nat_classify(pkt, n, &r, &p), NAT_ERROR);
	ck_assert_int_eq(nat_error_to_hip(&f, &p, out, sizeof(out), &len),
			 REASON_NUM);
	ck_assert_uint_eq(len, 8 + 40 + 40);
}
END_TEST

START_TEST(an_error_is_never_larger_than_its_family_allows)
{
	for (int v6 = 0; v6 < 2; v6++) {
		struct bed b = bed_of(v6);
		struct nat_flow f = bed_flow(&b, 17, 5000, 40001, 80);
		struct addr self6 = addr_from6(b.self.b);
		struct addr peer6 = addr_from6(b.peer.b);
		uint8_t icmp[1500];
		uint8_t out[2000];
		size_t len;

		make_error(icmp, true, 1, 4, 0);
		ip_put_header(icmp + 8, &self6, &peer6, 17, 1452, 64, 0);
		bed_l4(icmp + 48, 1452, 17, 40001, 80);
		bed_seal(icmp, 58,
			 bed_hit_sum(&b.peer, &b.self, 58, icmp, sizeof(icmp)));
		ck_assert_int_eq(nat_error_to_legacy(&f, icmp, sizeof(icmp),
						     out, sizeof(out), &len),
				 REASON_NUM);
		ck_assert_uint_eq(len, v6 ? 1280 : 576);
		icmp[60] ^= 1;
		ck_assert_int_eq(nat_error_to_legacy(&f, icmp, sizeof(icmp),
						     out, sizeof(out), &len),
				 REASON_L4_CHECKSUM);
	}
}
END_TEST

Suite *test_icmperr_suite(void)
{
	Suite *s = suite_create("icmperr");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(
		t, an_error_of_the_clients_side_quotes_what_the_hip_host_sent,
		0, 6);
	tcase_add_loop_test(
		t, an_error_of_the_hip_host_quotes_what_the_client_sent, 0, 6);
	tcase_add_test(t, types_from_ipv4_follow_rfc7915_4_2);
	tcase_add_test(t,
		       mtu_from_ipv4_grows_by_twenty_and_is_never_below_1280);
	tcase_add_test(t, types_from_ipv6_pass_with_their_parameter);
	tcase_add_test(t, types_to_ipv4_follow_rfc7915_5_2);
	tcase_add_test(t, an_error_with_a_wrong_checksum_is_dropped);
	tcase_add_test(t, quotes_that_name_no_flow_of_ours_are_dropped);
	tcase_add_test(t, an_error_through_one_sa_about_another_is_dropped);
	tcase_add_test(t, extensions_after_the_quote_are_left_behind);
	tcase_add_test(t, octets_beyond_the_quoted_length_are_left_behind);
	tcase_add_test(t, an_error_is_never_larger_than_its_family_allows);
	suite_add_tcase(s, t);
	return s;
}
