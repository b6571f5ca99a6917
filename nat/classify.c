/* SPDX-License-Identifier: MIT */
/* What a packet is, and by which key its flow is found, on both sides.
 *
 * THEORY OF OPERATION
 * Workers call nat_classify first for each packet of the TUN, and
 * nat_back_key first for each that came out of ESP. Both only read. The
 * order of the checks is the policy: what claims to come from a substitute
 * address is forged, whatever it says (but a packet to `near` is matched to
 * its listener, which may have any address, by nat_redirect_out); what goes to one must come from a
 * client; and nothing else is let in but DNS and the host role's own
 * packets. An ICMP error is judged by the packet it quotes: the router that
 * sends it need not be a client, the host that it speaks for must be. A
 * fragment is judged by its addresses; the whole it becomes comes here again.
 */
#include <string.h>

#include "core/wire.h"
#include "nat/icmperr.h"
#include "nat/nat.h"

enum {
	DNS_PORT = 53,
	HIP_PORT = 10500, /* RFC 9028 */
	ECHO4_REQUEST = 8,
	ECHO6_REQUEST = 128,
	ECHO6_REPLY = 129,
	BEET_PSEUDO_HDR = 94, /* RFC 7402 B.1.7 */
};

static bool in_prefix(const struct prefix *p, const struct addr *a)
{
	return p->len != 0 && prefix_has(p, a);
}

static bool in_pool(const struct nat_ranges *r, const struct addr *a)
{
	return in_prefix(&r->pool6, a) || in_prefix(&r->pool4, a);
}

static bool is_client(const struct nat_ranges *r, const struct addr *a)
{
	if (r->clients_num == 0)
		return true;
	for (size_t i = 0; i < r->clients_num; i++)
		if (prefix_has(&r->clients[i], a))
			return true;
	return false;
}

/* Our own half of a steered TCP connection (nat_redirect_out). */
static bool is_near(const struct nat_ranges *r, const struct ip_view *ip)
{
	return ip->proto == IP_PROTO_TCP &&
	       (in_prefix(&r->near6, &ip->to) || in_prefix(&r->near4, &ip->to));
}

static enum nat_class drop(struct nat_packet *out, enum reason r)
{
	out->reason = r;
	return NAT_DROP;
}

static bool is_icmp(const struct ip_view *ip)
{
	return ip->proto == (ip->v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6);
}

static enum nat_class classify_error(const struct nat_ranges *r,
				     struct nat_packet *out)
{
	struct icmperr_quote q;

	/* RFC 5508 REQ-4: the error goes where the packet came from. */
	if (!icmperr_read(out->ip.proto, out->ip.l4, out->ip.l4_len, &q) ||
	    !icmperr_client_key(&q, &out->key) ||
	    !addr_eq(&out->key.virt, &out->ip.to))
		return drop(out, REASON_ICMP_ERROR);
	if (!is_client(r, &out->key.client))
		return drop(out, REASON_NOT_A_CLIENT);
	return NAT_ERROR;
}

static enum nat_class classify_pool(const struct nat_ranges *r,
				    struct nat_packet *out)
{
	const struct ip_view *ip = &out->ip;
	struct nat_key k = { .client = ip->from, .virt = ip->to };

	if (is_icmp(ip) && ip_icmp_is_error(ip->proto, ip->l4[0]))
		return classify_error(r, out);
	if (!is_client(r, &ip->from))
		return drop(out, REASON_NOT_A_CLIENT);
	if (ip->proto == IP_PROTO_TCP || ip->proto == IP_PROTO_UDP) {
		k.proto = ip->proto;
		k.client_port = get_be16(ip->l4);
		k.virt_port = get_be16(ip->l4 + 2);
	} else if (is_icmp(ip) &&
		   ip->l4[0] == (ip->v4 ? ECHO4_REQUEST : ECHO6_REQUEST)) {
		k.proto = IP_PROTO_ICMP6;
		k.client_port = get_be16(ip->l4 + 4);
	} else {
		return drop(out, REASON_IP_PROTO);
	}
	out->key = k;
	return NAT_DATA;
}

/* To neither a substitute address nor a HIT. */
static enum nat_class classify_other(const struct nat_ranges *r,
				     struct nat_packet *out)
{
	const struct ip_view *ip = &out->ip;
	bool udp = ip->proto == IP_PROTO_UDP;

	if (udp &&
	    (get_be16(ip->l4) == HIP_PORT || get_be16(ip->l4 + 2) == HIP_PORT))
		return drop(out, REASON_LOOP);
	if (!is_client(r, &ip->from))
		return drop(out, REASON_NOT_A_CLIENT);
	if ((udp || ip->proto == IP_PROTO_TCP) &&
	    get_be16(ip->l4 + 2) == DNS_PORT && !addr_is_unusable(&ip->to))
		return NAT_DNS;
	return drop(out, REASON_IP_BAD_ADDR);
}

/* The class of a packet by its addresses alone: NAT_CLASS_NUM: to neither a
 * HIT nor a substitute. */
static enum nat_class classify_ends(const struct nat_ranges *r,
				    struct nat_packet *out)
{
	const struct ip_view *ip = &out->ip;
	bool hit_from = hit_is_orchid(ip->from.b);
	bool hit_to = hit_is_orchid(ip->to.b);

	if (in_pool(r, &ip->from))
		return drop(out, REASON_IP_BAD_ADDR);
	if (hit_from && hit_to)
		return NAT_HIT;
	if (hit_from || hit_to)
		return drop(out, REASON_IP_BAD_ADDR);
	return in_pool(r, &ip->to) ? NAT_DATA : NAT_CLASS_NUM;
}

/* Only who could have sent the whole packet may make us keep a piece. */
static enum nat_class classify_fragment(uint8_t *pkt, size_t len,
					const struct nat_ranges *ranges,
					struct nat_packet *out)
{
	struct ip_fragment f;
	enum reason r = ip_parse_fragment(pkt, len, &f);
	enum nat_class class;

	if (r != REASON_NUM)
		return drop(out, r);
	out->ip = f.ip;
	class = classify_ends(ranges, out);
	if (class == NAT_HIT) {
		out->ip.l4 -= IP_FRAGMENT_HDR;
		out->ip.l4_len += IP_FRAGMENT_HDR;
		out->ip.proto = IP_PROTO_FRAGMENT;
	}
	if (class == NAT_CLASS_NUM)
		return drop(out, REASON_IP_FRAGMENT);
	if (class != NAT_DATA)
		return class;
	if (!is_client(ranges, &f.ip.from))
		return drop(out, REASON_NOT_A_CLIENT);
	return NAT_FRAGMENT;
}

enum nat_class nat_classify(uint8_t *pkt, size_t len,
			    const struct nat_ranges *ranges,
			    struct nat_packet *out)
{
	enum nat_class class;
	enum reason r;

	memset(out, 0, sizeof(*out));
	out->reason = REASON_NUM;
	r = ip_parse(pkt, len, &out->ip);
	if (r == REASON_IP_FRAGMENT)
		return classify_fragment(pkt, len, ranges, out);
	if (r != REASON_NUM)
		return drop(out, r);
	if (is_near(ranges, &out->ip))
		return NAT_DNS;
	class = classify_ends(ranges, out);
	if (class == NAT_DATA)
		return classify_pool(ranges, out);
	return class == NAT_CLASS_NUM ? classify_other(ranges, out) : class;
}

static enum reason back_error(const uint8_t *l4, size_t len,
			      const struct hit *self, const struct hit *peer,
			      struct nat_back *key)
{
	struct icmperr_quote q;

	if (len > 65535 ||
	    !icmperr_read(IP_PROTO_ICMP6, l4, (uint32_t)len, &q) ||
	    !icmperr_peer_key(&q, key))
		return REASON_ICMP_ERROR;
	/* Only about what we sent through this very SA. */
	if (!hit_eq(&key->self, self) || !hit_eq(&key->peer, peer))
		return REASON_ICMP_ERROR;
	return REASON_NUM;
}

/* RFC 7402 B.1.7: next header, length without its first 8 octets, padding
 * length, reserved; then padding and options, which RFC 7915 4.1 has us
 * ignore: addresses that are HITs have no IPv4 options. */
static enum reason unwrap_options4(struct ip_view *v)
{
	uint32_t n;

	if (v->l4_len < 8)
		return REASON_IP_TRUNCATED;
	n = ((uint32_t)v->l4[1] + 1) * 8;
	if (n > v->l4_len)
		return REASON_IP_TRUNCATED;
	if (v->l4[2] != 0 && v->l4[2] != 4)
		return REASON_IP_EXT_HEADER;
	v->proto = v->l4[0];
	v->l4 += n;
	v->l4_len -= n;
	return v->proto == BEET_PSEUDO_HDR ? REASON_IP_EXT_HEADER : REASON_NUM;
}

enum reason nat_unwrap(uint8_t *proto, uint8_t **l4, size_t *len)
{
	struct ip_fragment f = {
		.ip = { .proto = *proto, .l4 = *l4, .l4_len = (uint32_t)*len },
	};
	enum reason r = REASON_NUM;

	if (*len > 65535)
		return REASON_TOO_BIG;
	if (f.ip.proto == BEET_PSEUDO_HDR)
		r = unwrap_options4(&f.ip);
	if (r == REASON_NUM)
		r = ip_walk6(&f);
	if (r != REASON_NUM)
		return r;
	*proto = f.ip.proto;
	*l4 = f.ip.l4;
	*len = f.ip.l4_len;
	if (!ip_is_piece(&f))
		return REASON_NUM;
	*proto = IP_PROTO_FRAGMENT;
	*l4 -= IP_FRAGMENT_HDR;
	*len += IP_FRAGMENT_HDR;
	return REASON_NUM;
}

enum reason nat_back_key(uint8_t next_header, const uint8_t *l4, size_t len,
			 const struct hit *self, const struct hit *peer,
			 struct nat_back *key, bool *error)
{
	struct nat_back k = {
		.self = *self,
		.peer = *peer,
		.proto = next_header,
	};

	*error = false;
	if (next_header != IP_PROTO_TCP && next_header != IP_PROTO_UDP &&
	    next_header != IP_PROTO_ICMP6)
		return REASON_IP_PROTO;
	if (len > 65535)
		return REASON_TOO_BIG;
	if (!ip_l4_hdr_len(next_header, l4, (uint32_t)len))
		return REASON_L4_TRUNCATED;
	if (next_header != IP_PROTO_ICMP6) {
		k.peer_port = get_be16(l4);
		k.ext_port = get_be16(l4 + 2);
	} else if (ip_icmp_is_error(next_header, l4[0])) {
		*error = true;
		return back_error(l4, len, self, peer, key);
	} else if (l4[0] == ECHO6_REPLY) {
		k.ext_port = get_be16(l4 + 4);
	} else if (l4[0] == ECHO6_REQUEST) {
		return REASON_NO_FLOW; /* no legacy host asked for it */
	} else {
		return REASON_IP_PROTO;
	}
	*key = k;
	return REASON_NUM;
}
