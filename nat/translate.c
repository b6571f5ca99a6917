/* SPDX-License-Identifier: MIT */
/* Client packets to HIP and back: ports, checksums, MSS, echo.
 * RFC 3022 4, RFC 5382, RFC 5508 3, RFC 7915 4 and 5, RFC 7402 B.1,
 * RFC 1624.
 *
 * THEORY OF OPERATION
 * Workers call these for each packet, in place, with a flow that is
 * published and whose addresses never change. All checks come before the
 * first change. Checksums are updated from the difference, never verified
 * and recomputed: a packet that was damaged before us stays damaged after
 * us, and its receiver sees it. The one exception is a UDP checksum of 0
 * from IPv4, which HIP's IPv6 view does not allow (RFC 8200 8.1).
 */
#include "nat/translate.h"

#include "core/checksum.h"
#include "core/ip.h"
#include "core/wire.h"
#include "nat/flow.h"
#include "nat/nat.h"

enum {
	TCP_OPT_END = 0,
	TCP_OPT_NOP = 1,
	TCP_OPT_MSS = 2,
	ECHO4_REPLY = 0,
	ECHO6_REQUEST = 128,
	ECHO6_REPLY = 129,
	LEGACY_TTL = 64, /* where the outer one is not known */
	/* What an IPv6 host may send though it was told of any MTU. */
	UNCUT4_MIN = 1260,
};

/* Both words that identify the flow, as they stand. */
static uint64_t ident_sum(uint8_t proto, const uint8_t *l4)
{
	return (uint64_t)get_be16(l4) +
	       get_be16(l4 + (proto == IP_PROTO_ICMP6 ? 4 : 2));
}

void translate_header(uint8_t *l4, uint32_t have,
		      const struct translate_change *c)
{
	int off = ip_csum_offset(c->proto);
	uint64_t old_sum = c->old_pseudo + ident_sum(c->proto, l4);
	uint64_t new_sum;
	uint16_t field;

	if (c->proto == IP_PROTO_ICMP6) {
		l4[0] = c->echo_type;
		put_be16(l4 + 4, c->echo_id);
	} else {
		put_be16(l4, c->from_port);
		put_be16(l4 + 2, c->to_port);
	}
	if (have < (uint32_t)off + 2)
		return;
	field = get_be16(l4 + off);
	if (c->proto == IP_PROTO_UDP && field == 0)
		return;
	new_sum = c->new_pseudo + ident_sum(c->proto, l4);
	field = csum_update(field, old_sum, new_sum);
	if (c->proto == IP_PROTO_UDP && field == 0)
		field = 0xffff; /* RFC 768 */
	put_be16(l4 + off, field);
}

/* The value of the MSS option of a TCP header of hdr octets, or NULL. */
static uint8_t *mss_find(uint8_t *tcp, uint32_t hdr)
{
	uint32_t i = TCP_HDR;

	while (i < hdr && tcp[i] != TCP_OPT_END) {
		uint32_t n = 1;

		if (tcp[i] != TCP_OPT_NOP) {
			if (hdr - i < 2 || tcp[i + 1] < 2 ||
			    tcp[i + 1] > hdr - i)
				return NULL;
			n = tcp[i + 1];
		}
		if (tcp[i] == TCP_OPT_MSS && n == 4)
			return tcp + i + 2;
		i += n;
	}
	return NULL;
}

/* Lowers the MSS a SYN offers. The option may stand at an odd offset, so
 * the checksum takes the whole header before and after. */
static void mss_clamp(uint8_t *tcp, uint32_t len, uint16_t mss, bool partial)
{
	uint32_t hdr = ip_l4_hdr_len(IP_PROTO_TCP, tcp, len);
	uint64_t before;
	uint8_t *value;

	if (mss == 0 || !(tcp[13] & TCP_SYN))
		return;
	value = mss_find(tcp, hdr);
	if (!value || get_be16(value) <= mss)
		return;
	before = csum_add(0, tcp, hdr);
	put_be16(value, mss);
	if (!partial)
		put_be16(tcp + 16, csum_update(get_be16(tcp + 16), before,
					       csum_add(0, tcp, hdr)));
}

/* Over what the client's checksum goes besides the upper layer. */
static uint64_t legacy_pseudo(const struct nat_flow *f, bool from_client,
			      uint32_t len)
{
	const struct addr *client = &f->key.client;
	const struct addr *virt = &f->key.virt;

	if (f->key.proto == IP_PROTO_ICMP6 && addr_is4(client))
		return 0; /* RFC 792 */
	return csum_pseudo(from_client ? client : virt,
			   from_client ? virt : client, (uint8_t)f->key.proto,
			   len);
}

static void udp_fill_checksum(uint8_t *udp, uint32_t len, uint64_t pseudo)
{
	uint16_t field = csum_finish(csum_add(pseudo, udp, len));

	put_be16(udp + 6, field ? field : 0xffff);
}

enum reason nat_to_hip(struct nat_flow *f, struct nat_packet *p,
		       const struct ip_offload *off, uint16_t mss, uint64_t now)
{
	uint8_t proto = (uint8_t)f->back.proto;
	uint8_t *l4 = p->ip.l4;
	uint32_t len = p->ip.l4_len;
	struct translate_change c = {
		.proto = proto,
		.echo_type = ECHO6_REQUEST,
		.from_port = f->back.ext_port,
		.to_port = f->back.peer_port,
		.echo_id = f->back.ext_port,
		.old_pseudo = legacy_pseudo(f, true, len),
		.new_pseudo = csum_pseudo_hit(&f->back.self, &f->back.peer,
					      proto, len),
	};
	bool udp_zero = proto == IP_PROTO_UDP && !off->csum_partial &&
			get_be16(l4 + 6) == 0;

	if (udp_zero && !p->ip.v4)
		return REASON_L4_CHECKSUM; /* RFC 8200 8.1 */
	flow_touch(f, true, l4, now);
	if (proto == IP_PROTO_TCP)
		mss_clamp(l4, len, mss, off->csum_partial);
	translate_header(l4, len, &c);
	if (off->csum_partial)
		put_be16(l4 + ip_csum_offset(proto), csum_fold(c.new_pseudo));
	else if (udp_zero)
		udp_fill_checksum(l4, len, c.new_pseudo);
	p->ip.proto = proto;
	return REASON_NUM;
}

/* What must hold of a packet from ESP before it may change. */
static enum reason legacy_check(const struct nat_flow *f, const uint8_t *l4,
				size_t len)
{
	uint8_t proto = (uint8_t)f->back.proto;

	if (len > 65535 - (addr_is4(&f->key.client) ? IP4_HDR : 0))
		return REASON_TOO_BIG;
	if (!ip_l4_hdr_len(proto, l4, (uint32_t)len))
		return REASON_L4_TRUNCATED;
	if (proto == IP_PROTO_ICMP6 && l4[0] != ECHO6_REPLY)
		return REASON_IP_PROTO;
	if (proto != IP_PROTO_UDP)
		return REASON_NUM;
	if (get_be16(l4 + 4) != len)
		return REASON_L4_TRUNCATED;
	return get_be16(l4 + 6) == 0 ? REASON_L4_CHECKSUM : REASON_NUM;
}

/* The IP header for the client. RFC 7402 B.1.4: type of service, ECN and
 * hop limit are the outer header's; DF by RFC 7915 5.1 and 5.1.1. */
static size_t legacy_header(const struct nat_flow *f, uint8_t proto,
			    uint32_t len, const struct nat_arrival *in,
			    uint8_t hdr[IP6_HDR])
{
	bool v4 = addr_is4(&f->key.client);
	uint8_t ttl = in->ttl ? in->ttl : LEGACY_TTL;
	size_t n;

	if (proto == IP_PROTO_ICMP6 && v4)
		proto = IP_PROTO_ICMP;
	n = ip_put_header(hdr, &f->key.virt, &f->key.client, proto, len, ttl,
			  in->tos);
	if (v4 && (in->fragment || len <= UNCUT4_MIN - IP4_HDR))
		ip_allow_cutting(hdr, in->id);
	return n;
}

enum reason nat_to_legacy(struct nat_flow *f, uint8_t *l4, size_t len,
			  const struct nat_arrival *in, uint8_t hdr[IP6_HDR],
			  size_t *hdr_len)
{
	bool v4 = addr_is4(&f->key.client);
	uint8_t proto = (uint8_t)f->back.proto;
	uint32_t n = (uint32_t)len;
	enum reason r = legacy_check(f, l4, len);
	struct translate_change c = {
		.proto = proto,
		.echo_type = v4 ? ECHO4_REPLY : ECHO6_REPLY,
		.from_port = f->key.virt_port,
		.to_port = f->key.client_port,
		.echo_id = f->key.client_port,
	};

	if (r != REASON_NUM)
		return r;
	c.old_pseudo = csum_pseudo_hit(&f->back.peer, &f->back.self, proto, n);
	c.new_pseudo = legacy_pseudo(f, false, n);
	flow_touch(f, false, l4, in->now);
	if (proto == IP_PROTO_TCP)
		mss_clamp(l4, n, in->mss, false);
	translate_header(l4, n, &c);
	*hdr_len = legacy_header(f, proto, n, in, hdr);
	return REASON_NUM;
}
