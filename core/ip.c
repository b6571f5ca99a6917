/* SPDX-License-Identifier: MIT */
/* IPv4, IPv6, TCP, UDP and ICMP headers: one parser, one builder.
 * RFC 791, 8200, 9293, 768, 792, 4443; errors by RFC 7915 5.2.
 *
 * THEORY OF OPERATION
 * Stateless. ip_parse looks at a packet from the TUN, whose octets are an
 * attacker's; ip_build_* make packets from addresses we already trust. Any
 * thread calls both. A view returned by ip_parse obeys: l4 and l4_len lie
 * inside the packet, from and to are of one family, from is a unicast
 * address that is no loopback, a TCP, UDP or ICMP header is whole.
 */
#include "core/ip.h"

#include <assert.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"

enum {
	EXT_HOP_BY_HOP = 0,
	EXT_MAX = 8, /* extension headers we are willing to walk */
};

enum {
	OPT4_END = 0,
	OPT4_NOP = 1,
	OPT4_LSRR = 131,
	OPT4_SSRR = 137,
};

enum {
	ICMP6_UNREACHABLE = 1,
	ICMP6_TOO_BIG = 2,
	ICMP6_TIME_EXCEEDED = 3,
	ICMP6_REDIRECT = 137,
	ICMP4_UNREACHABLE = 3,
	ICMP4_TIME_EXCEEDED = 11,
	ICMP4_ERROR_MAX = 576,	/* RFC 1812 4.3.2.3 */
	ICMP6_ERROR_MAX = 1280, /* RFC 4443 2.4 (c) */
	OUR_TTL = 64,
};

#define IP4_MORE_FRAGMENTS 0x2000
#define IP4_DONT_FRAGMENT 0x4000
#define IP4_OFFSET_MASK 0x1fff

/* May nobody have sent from here? An ORCHID may: the host role does. */
static bool source_is_bad(const struct addr *a)
{
	return addr_is_unusable(a) && !hit_is_orchid(a->b);
}

/* An unexpired source route sends the packet elsewhere than its
 * destination field says: MUST be discarded (RFC 7915 4.1). */
static enum reason options4_check(const uint8_t *opt, size_t len)
{
	while (len > 0 && opt[0] != OPT4_END) {
		size_t n = 1;

		if (opt[0] != OPT4_NOP) {
			if (len < 2 || opt[1] < 2 || opt[1] > len)
				return REASON_IP_TRUNCATED;
			n = opt[1];
		}
		if ((opt[0] == OPT4_LSRR || opt[0] == OPT4_SSRR) &&
		    (n < 3 || opt[2] <= n))
			return REASON_IP_EXT_HEADER;
		opt += n;
		len -= n;
	}
	return REASON_NUM;
}

static enum reason parse4(uint8_t *p, size_t len, struct ip_fragment *f)
{
	struct ip_view *v = &f->ip;
	size_t hdr;
	size_t total;
	uint16_t frag;

	if (len < IP4_HDR)
		return REASON_IP_TRUNCATED;
	hdr = (size_t)(p[0] & 0x0f) * 4;
	total = get_be16(p + 2);
	if (hdr < IP4_HDR || total < hdr || total > len)
		return REASON_IP_TRUNCATED;
	if (csum_finish(csum_add(0, p, hdr)) != 0)
		return REASON_IP_CHECKSUM;
	frag = get_be16(p + 6);
	f->id = get_be16(p + 4);
	f->offset = (uint32_t)(frag & IP4_OFFSET_MASK) * 8;
	f->more = frag & IP4_MORE_FRAGMENTS;
	v->v4 = true;
	v->df = frag & IP4_DONT_FRAGMENT;
	v->tos = p[1];
	v->ttl = p[8];
	v->proto = p[9];
	v->from = addr_from4(p + 12);
	v->to = addr_from4(p + 16);
	v->l4 = p + hdr;
	v->l4_len = (uint32_t)(total - hdr);
	return options4_check(p + IP4_HDR, hdr - IP4_HDR);
}

static bool is_ext(uint8_t proto)
{
	return proto == EXT_HOP_BY_HOP || proto == IP_PROTO_ROUTING ||
	       proto == IP_PROTO_DEST_OPTS;
}

/* RFC 8200 4.1: hop-by-hop stands only first. A routing header with
 * segments left sends the packet elsewhere than its address says: it MUST
 * NOT be translated (RFC 7915 5.1). */
enum reason ip_skip_ext(uint8_t *proto, uint8_t **l4, uint32_t *len)
{
	for (unsigned i = 0; i < EXT_MAX; i++) {
		const uint8_t *ext = *l4;
		uint32_t n;

		if (!is_ext(*proto))
			return REASON_NUM;
		if (*len < 8)
			return REASON_IP_TRUNCATED;
		if ((*proto == EXT_HOP_BY_HOP && i > 0) ||
		    (*proto == IP_PROTO_ROUTING && ext[3] != 0))
			return REASON_IP_EXT_HEADER;
		n = ((uint32_t)ext[1] + 1) * 8;
		if (n > *len)
			return REASON_IP_TRUNCATED;
		*proto = ext[0];
		*l4 += n;
		*len -= n;
	}
	return REASON_IP_EXT_HEADER;
}

enum reason ip_get_fragment(uint8_t *hdr, size_t len, struct ip_fragment *out)
{
	if (len < IP_FRAGMENT_HDR)
		return REASON_IP_TRUNCATED;
	out->offset = get_be16(hdr + 2) & 0xfff8u;
	out->more = hdr[3] & 1;
	out->id = get_be32(hdr + 4);
	out->ip.v4 = false;
	out->ip.proto = hdr[0];
	out->ip.l4 = hdr + IP_FRAGMENT_HDR;
	out->ip.l4_len = (uint32_t)len - IP_FRAGMENT_HDR;
	return REASON_NUM;
}

bool ip_is_piece(const struct ip_fragment *f)
{
	return f->offset || f->more;
}

enum reason ip_walk6(struct ip_fragment *f)
{
	struct ip_view *v = &f->ip;
	enum reason r = ip_skip_ext(&v->proto, &v->l4, &v->l4_len);

	if (r != REASON_NUM || v->proto != IP_PROTO_FRAGMENT)
		return r;
	r = ip_get_fragment(v->l4, v->l4_len, f);
	if (r != REASON_NUM || ip_is_piece(f))
		return r;
	/* RFC 6946: a packet like any other. Only options may follow. */
	if (v->proto == EXT_HOP_BY_HOP)
		return REASON_IP_EXT_HEADER;
	r = ip_skip_ext(&v->proto, &v->l4, &v->l4_len);
	if (r == REASON_NUM && v->proto == IP_PROTO_FRAGMENT)
		return REASON_IP_EXT_HEADER;
	return r;
}

static enum reason parse6(uint8_t *p, size_t len, struct ip_fragment *f)
{
	struct ip_view *v = &f->ip;
	size_t payload;

	if (len < IP6_HDR)
		return REASON_IP_TRUNCATED;
	payload = get_be16(p + 4);
	if (payload > len - IP6_HDR)
		return REASON_IP_TRUNCATED;
	v->v4 = false;
	v->tos = (uint8_t)(get_be16(p) >> 4);
	v->ttl = p[7];
	v->proto = p[6];
	v->from = addr_from6(p + 8);
	v->to = addr_from6(p + 24);
	v->l4 = p + IP6_HDR;
	v->l4_len = (uint32_t)payload;
	/* A mapped address in an IPv6 header would pass for an IPv4 one. */
	if (addr_is4(&v->from) || addr_is4(&v->to))
		return REASON_IP_BAD_ADDR;
	return ip_walk6(f);
}

enum reason ip_check_l4(uint8_t proto, const uint8_t *l4, uint32_t *len)
{
	uint32_t n;

	switch (proto) {
	case IP_PROTO_UDP:
		if (*len < UDP_HDR)
			return REASON_L4_TRUNCATED;
		n = get_be16(l4 + 4);
		if (n < UDP_HDR || n > *len)
			return REASON_L4_TRUNCATED;
		*len = n;
		return REASON_NUM;
	case IP_PROTO_TCP:
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		if (!ip_l4_hdr_len(proto, l4, *len))
			return REASON_L4_TRUNCATED;
		return REASON_NUM;
	default:
		return REASON_NUM;
	}
}

/* All but the upper layer, of packets and pieces. */
static enum reason parse_ip(uint8_t *pkt, size_t len, struct ip_fragment *f)
{
	enum reason r;

	if (len == 0)
		return REASON_IP_TRUNCATED;
	if (pkt[0] >> 4 == 4)
		r = parse4(pkt, len, f);
	else if (pkt[0] >> 4 == 6)
		r = parse6(pkt, len, f);
	else
		r = REASON_IP_VERSION;
	if (r != REASON_NUM)
		return r;
	if (f->ip.ttl == 0)
		return REASON_TTL_EXPIRED;
	return source_is_bad(&f->ip.from) ? REASON_IP_BAD_ADDR : REASON_NUM;
}

enum reason ip_parse(uint8_t *pkt, size_t len, struct ip_view *out)
{
	struct ip_fragment f = { .id = 0 };
	enum reason r = parse_ip(pkt, len, &f);

	if (r != REASON_NUM)
		return r;
	if (ip_is_piece(&f))
		return REASON_IP_FRAGMENT;
	r = ip_check_l4(f.ip.proto, f.ip.l4, &f.ip.l4_len);
	if (r == REASON_NUM)
		*out = f.ip;
	return r;
}

enum reason ip_parse_fragment(uint8_t *pkt, size_t len, struct ip_fragment *out)
{
	struct ip_fragment f = { .id = 0 };
	enum reason r = parse_ip(pkt, len, &f);

	if (r != REASON_NUM)
		return r;
	if (!ip_is_piece(&f))
		return REASON_IP_FRAGMENT;
	*out = f;
	return REASON_NUM;
}

uint32_t ip_l4_hdr_len(uint8_t proto, const uint8_t *l4, uint32_t len)
{
	uint32_t n;

	switch (proto) {
	case IP_PROTO_TCP:
		if (len < TCP_HDR)
			return 0;
		n = (uint32_t)(l4[12] >> 4) * 4;
		return n >= TCP_HDR && n <= len ? n : 0;
	case IP_PROTO_UDP:
		return len >= UDP_HDR ? UDP_HDR : 0;
	default:
		return len >= ICMP_HDR ? ICMP_HDR : 0;
	}
}

int ip_csum_offset(uint8_t proto)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return 16;
	case IP_PROTO_UDP:
		return 6;
	case IP_PROTO_ICMP:
	case IP_PROTO_ICMP6:
		return 2;
	default:
		return -1;
	}
}

bool ip_checksum_ok(const struct ip_view *v, const struct ip_offload *off)
{
	uint64_t sum = 0;

	if (off->csum_partial || ip_csum_offset(v->proto) < 0)
		return true;
	if (v->proto == IP_PROTO_UDP && get_be16(v->l4 + 6) == 0)
		return v->v4;
	if (v->proto != IP_PROTO_ICMP)
		sum = csum_pseudo(&v->from, &v->to, v->proto, v->l4_len);
	return csum_finish(csum_add(sum, v->l4, v->l4_len)) == 0;
}

static size_t put4(uint8_t out[IP4_HDR], const struct ip_view *v)
{
	memset(out, 0, IP4_HDR);
	out[0] = 0x45;
	out[1] = v->tos;
	put_be16(out + 2, (uint16_t)(IP4_HDR + v->l4_len));
	/* An atomic datagram: its id means nothing (RFC 6864 4.1). */
	put_be16(out + 6, IP4_DONT_FRAGMENT);
	out[8] = v->ttl;
	out[9] = v->proto;
	memcpy(out + 12, addr_four(&v->from), 4);
	memcpy(out + 16, addr_four(&v->to), 4);
	put_be16(out + 10, csum_finish(csum_add(0, out, IP4_HDR)));
	return IP4_HDR;
}

static size_t put6(uint8_t out[IP6_HDR], const struct ip_view *v)
{
	put_be32(out, 0x60000000u | ((uint32_t)v->tos << 20));
	put_be16(out + 4, (uint16_t)v->l4_len);
	out[6] = v->proto;
	out[7] = v->ttl;
	memcpy(out + 8, v->from.b, 16);
	memcpy(out + 24, v->to.b, 16);
	return IP6_HDR;
}

size_t ip_put_header(uint8_t out[IP6_HDR], const struct addr *from,
		     const struct addr *to, uint8_t proto, uint32_t l4_len,
		     uint8_t ttl, uint8_t tos)
{
	struct ip_view v = {
		.from = *from,
		.to = *to,
		.proto = proto,
		.l4_len = l4_len,
		.ttl = ttl,
		.tos = tos,
	};

	assert(addr_is4(from) == addr_is4(to));
	if (addr_is4(from))
		return l4_len <= 65535 - IP4_HDR ? put4(out, &v) : 0;
	return l4_len <= 65535 ? put6(out, &v) : 0;
}

void ip_allow_cutting(uint8_t hdr[IP4_HDR], uint16_t id)
{
	put_be16(hdr + 4, id);
	put_be16(hdr + 6, 0);
	put_be16(hdr + 10, 0);
	put_be16(hdr + 10, csum_finish(csum_add(0, hdr, IP4_HDR)));
}

void ip_put_fragment(uint8_t out[IP_FRAGMENT_HDR], uint8_t proto,
		     uint32_t offset, bool more, uint32_t id)
{
	out[0] = proto;
	out[1] = 0;
	put_be16(out + 2, (uint16_t)(offset | (more ? 1 : 0)));
	put_be32(out + 4, id);
}

size_t ip_build_udp(uint8_t *out, size_t cap, const struct endpoint *from,
		    const struct endpoint *to, const void *data, size_t len)
{
	size_t hdr = addr_is4(&from->addr) ? IP4_HDR : IP6_HDR;
	size_t most = 65535 - UDP_HDR - (hdr == IP4_HDR ? IP4_HDR : 0);
	uint32_t l4_len;
	uint8_t *udp;
	uint64_t sum;
	uint16_t field;

	if (addr_is4(&from->addr) != addr_is4(&to->addr) || len > most ||
	    cap < hdr + UDP_HDR || len > cap - hdr - UDP_HDR)
		return 0;
	l4_len = (uint32_t)len + UDP_HDR;
	udp = out + ip_put_header(out, &from->addr, &to->addr, IP_PROTO_UDP,
				  l4_len, OUR_TTL, 0);
	put_be16(udp, from->port);
	put_be16(udp + 2, to->port);
	put_be16(udp + 4, (uint16_t)l4_len);
	put_be16(udp + 6, 0);
	if (len)
		memcpy(udp + UDP_HDR, data, len);
	sum = csum_pseudo(&from->addr, &to->addr, IP_PROTO_UDP, l4_len);
	field = csum_finish(csum_add(sum, udp, l4_len));
	put_be16(udp + 6, field ? field : 0xffff); /* RFC 768: 0 is "none" */
	return hdr + l4_len;
}

bool ip_icmp_is_error(uint8_t proto, uint8_t type)
{
	if (proto == IP_PROTO_ICMP6)
		return type < 128; /* RFC 4443 2.1 */
	/* Unreachable, source quench, redirect, time, parameter (RFC 1122). */
	return proto == IP_PROTO_ICMP && (type == 3 || type == 4 || type == 5 ||
					  type == 11 || type == 12);
}

/* RFC 4443 2.4 (e), RFC 1122 3.2.2: what must never be answered. */
static bool error_is_due(const struct ip_view *v)
{
	bool multicast =
		v->v4 ? addr_four(&v->to)[0] >= 224 : v->to.b[0] == 0xff;

	if (multicast)
		return false;
	if (v->proto == IP_PROTO_ICMP6 && v->l4[0] == ICMP6_REDIRECT)
		return false;
	return (v->proto != IP_PROTO_ICMP && v->proto != IP_PROTO_ICMP6) ||
	       !ip_icmp_is_error(v->proto, v->l4[0]);
}

/* The ICMPv6 type, code and parameter at icmp, in IPv4's terms. */
static bool error_to4(uint8_t icmp[ICMP_HDR], uint8_t type, uint8_t code,
		      uint32_t param)
{
	/* RFC 7915 5.2: no route, prohibited, -, address, port. */
	static const uint8_t unreachable[] = { 1, 10, 1, 1, 3 };

	memset(icmp, 0, ICMP_HDR);
	switch (type) {
	case ICMP6_UNREACHABLE:
		if (code >= sizeof(unreachable))
			return false;
		icmp[0] = ICMP4_UNREACHABLE;
		icmp[1] = unreachable[code];
		return true;
	case ICMP6_TOO_BIG:
		icmp[0] = ICMP4_UNREACHABLE;
		icmp[1] = 4;
		put_be16(icmp + 6, param > 65535 ? 65535 : (uint16_t)param);
		return true;
	case ICMP6_TIME_EXCEEDED:
		icmp[0] = ICMP4_TIME_EXCEEDED;
		icmp[1] = code;
		return true;
	default:
		return false;
	}
}

size_t ip_build_icmp_error(uint8_t *out, size_t cap, const struct addr *from,
			   const uint8_t *orig, size_t orig_len, uint8_t type,
			   uint8_t code, uint32_t param)
{
	struct ip_view v;
	uint8_t *icmp;
	size_t hdr;
	size_t quote;
	uint64_t sum = 0;

	/* ip_parse only reads; the view's l4 is not written here either. */
	if (ip_parse((uint8_t *)orig, orig_len, &v) != REASON_NUM ||
	    addr_is4(from) != v.v4 || !error_is_due(&v))
		return 0;
	hdr = v.v4 ? IP4_HDR : IP6_HDR;
	if (cap > (v.v4 ? ICMP4_ERROR_MAX : ICMP6_ERROR_MAX))
		cap = v.v4 ? ICMP4_ERROR_MAX : ICMP6_ERROR_MAX;
	quote = (size_t)(v.l4 - orig) + v.l4_len;
	/* Less than the quoted header and ports helps nobody. */
	if (cap < hdr + ICMP_HDR + IP_HDR_MAX + 8)
		return 0;
	if (quote > cap - hdr - ICMP_HDR)
		quote = cap - hdr - ICMP_HDR;
	icmp = out + hdr;
	if (v.v4) {
		if (!error_to4(icmp, type, code, param))
			return 0;
	} else {
		icmp[0] = type;
		icmp[1] = code;
		put_be16(icmp + 2, 0);
		put_be32(icmp + 4, type == ICMP6_TOO_BIG ? param : 0);
	}
	memcpy(icmp + ICMP_HDR, orig, quote);
	if (!v.v4)
		sum = csum_pseudo(from, &v.from, IP_PROTO_ICMP6,
				  (uint32_t)(ICMP_HDR + quote));
	put_be16(icmp + 2, csum_finish(csum_add(sum, icmp, ICMP_HDR + quote)));
	(void)ip_put_header(out, from, &v.from,
			    v.v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
			    (uint32_t)(ICMP_HDR + quote), OUR_TTL, 0);
	return hdr + ICMP_HDR + quote;
}
