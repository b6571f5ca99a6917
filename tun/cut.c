/* SPDX-License-Identifier: MIT */
/* Cutting a super-packet into the packets its sender meant.
 *
 * THEORY OF OPERATION
 * ESP in BEET mode carries no inner IP header, so what is cut here is the
 * upper-layer packet alone and there is no IP id or length to keep. Each
 * piece gets its own copy of the TCP or UDP header, made in the cutter; the
 * payload is borrowed. The checksums are over whatever addresses the caller
 * put into `pseudo`: the HITs on the way into ESP. A packet that needs no
 * cutting comes out as one piece with an empty head; if the kernel left its
 * checksum for the device, it is completed in place.
 *
 * RFC 9293 3.1, RFC 768, RFC 3168 6.1.2 (CWR).
 */
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "tun/tun.h"

enum {
	TCP_SEQ_AT = 4,
	TCP_FLAGS_AT = 13,
	TCP_CSUM_AT = 16,
	UDP_LEN_AT = 4,
	UDP_CSUM_AT = 6,
};

/* A UDP checksum of zero would mean "none" (RFC 768). */
static void put_csum(uint8_t *field, uint8_t proto, uint64_t sum)
{
	uint16_t v = csum_finish(sum);

	if (v == 0 && proto == IP_PROTO_UDP)
		v = 0xffff;
	put_be16(field, v);
}

/* The checksum the kernel left to us, over the whole packet. ICMPv4 has no
 * pseudo-header, and the kernel never leaves that one. */
static enum reason complete(uint8_t proto, uint8_t *l4, uint32_t len,
			    uint64_t pseudo)
{
	int at = ip_csum_offset(proto);

	if (at < 0 || proto == IP_PROTO_ICMP)
		return REASON_VNET_HDR;
	if ((uint32_t)at + 2 > len)
		return REASON_L4_TRUNCATED;
	put_be16(l4 + at, 0);
	put_csum(l4 + at, proto, csum_add(pseudo + len, l4, len));
	return REASON_NUM;
}

enum reason tun_cut(struct tun_cutter *c, uint8_t proto, uint8_t *l4,
		    uint32_t len, const struct ip_offload *off, uint64_t pseudo)
{
	c->l4 = l4;
	c->l4_len = len;
	c->proto = proto;
	c->pseudo = pseudo;
	c->hdr_len = 0;
	c->done = 0;
	c->step = len;
	c->fill_csum = false;
	if (len > TUN_PACKET_MAX)
		return REASON_VNET_HDR;
	if (!off->gso_size)
		return off->csum_partial ? complete(proto, l4, len, pseudo)
					 : REASON_NUM;
	if (proto != IP_PROTO_TCP && proto != IP_PROTO_UDP)
		return REASON_VNET_HDR;
	c->hdr_len = ip_l4_hdr_len(proto, l4, len);
	if (c->hdr_len == 0 || c->hdr_len > sizeof(c->head))
		return REASON_L4_TRUNCATED;
	/* These belong to one segment; no kernel makes more of them. */
	if (proto == IP_PROTO_TCP &&
	    l4[TCP_FLAGS_AT] & (TCP_SYN | TCP_RST | TCP_URG))
		return REASON_VNET_HDR;
	/* Its pieces get new checksums, which would hide damage. */
	if (!off->csum_partial &&
	    csum_finish(csum_add(pseudo + len, l4, len)) != 0)
		return REASON_L4_CHECKSUM;
	memcpy(c->head, l4, c->hdr_len);
	c->step = off->gso_size;
	c->fill_csum = true;
	return REASON_NUM;
}

static void head_tcp(struct tun_cutter *c, bool last)
{
	const uint8_t *from = c->l4;
	uint8_t flags = from[TCP_FLAGS_AT];

	put_be32(c->head + TCP_SEQ_AT, get_be32(from + TCP_SEQ_AT) + c->done);
	if (!last)
		flags &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (c->done) /* RFC 3168 6.1.2: CWR is on the first one only */
		flags &= (uint8_t)~TCP_CWR;
	c->head[TCP_FLAGS_AT] = flags;
}

bool tun_cut_next(struct tun_cutter *c, struct tun_piece *out)
{
	uint32_t at = c->proto == IP_PROTO_TCP ? TCP_CSUM_AT : UDP_CSUM_AT;
	uint32_t left;
	uint32_t n;
	uint64_t sum;

	if (!c->l4)
		return false;
	left = c->l4_len - c->hdr_len - c->done;
	n = left < c->step ? left : c->step;
	out->head = c->head;
	out->head_len = c->hdr_len;
	out->body = c->l4 + c->hdr_len + c->done;
	out->body_len = n;
	if (c->fill_csum) {
		if (c->proto == IP_PROTO_TCP)
			head_tcp(c, n == left);
		else
			put_be16(c->head + UDP_LEN_AT,
				 (uint16_t)(c->hdr_len + n));
		put_be16(c->head + at, 0);
		/* The header is of even length, so the body may be odd. */
		sum = csum_add(c->pseudo + c->hdr_len + n, c->head, c->hdr_len);
		put_csum(c->head + at, c->proto, csum_add(sum, out->body, n));
	}
	c->done += n;
	if (n == left)
		c->l4 = NULL; /* that was the last */
	return true;
}
