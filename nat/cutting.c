/* SPDX-License-Identifier: MIT */
/* Packets that are too large for where they go: cut, or sent back.
 * RFC 8200 4.5, RFC 7915 4.1 and 5.1.1, RFC 4787 REQ-13, RFC 7402 B.1.2.
 *
 * On the HIP side a fragment is what an IPv6 host behind HITs would have
 * sent: a fragment header and a piece, as payload of ESP. No fragment of an
 * outer packet is needed, and either end of an SA may be any BEET stack.
 */
#include <assert.h>

#include "nat/nat.h"

enum { MTU6_MIN = 1280 };

void nat_cut_begin(struct nat_cut *c, uint8_t proto, uint32_t len,
		   uint32_t most, uint32_t id)
{
	assert(most >= IP_FRAGMENT_HDR + 8);
	*c = (struct nat_cut){
		.len = len,
		.step = (most - IP_FRAGMENT_HDR) & ~UINT32_C(7),
		.id = id,
		.proto = proto,
	};
}

bool nat_cut_next(struct nat_cut *c, uint8_t hdr[IP_FRAGMENT_HDR], uint32_t *at,
		  uint32_t *len)
{
	uint32_t left = c->len - c->at;

	if (left == 0)
		return false;
	*at = c->at;
	*len = left < c->step ? left : c->step;
	ip_put_fragment(hdr, c->proto, c->at, *len < left, c->id);
	c->at += *len;
	return true;
}

/* What the packet, or each of its pieces, brings of the upper layer. */
static uint32_t piece_len(const struct ip_view *ip,
			  const struct ip_offload *off)
{
	uint32_t hdr = ip_l4_hdr_len(ip->proto, ip->l4, ip->l4_len);

	if (off->gso_size && hdr + off->gso_size < ip->l4_len)
		return hdr + off->gso_size;
	return ip->l4_len;
}

enum nat_fit nat_fit(const struct ip_view *ip, const struct ip_offload *off,
		     uint32_t most)
{
	uint32_t len = piece_len(ip, off);

	if (len <= most)
		return NAT_FITS;
	if (off->fragment || (ip->v4 && !ip->df))
		return NAT_CUT;
	/* Nobody sends less than 1280 for being told so (RFC 8200 5). */
	return !ip->v4 && len <= MTU6_MIN - IP6_HDR ? NAT_CUT : NAT_TOO_BIG;
}

uint32_t nat_fit_mtu(const struct ip_view *ip, uint32_t most)
{
	uint32_t mtu = most + (ip->v4 ? IP4_HDR : IP6_HDR);

	return !ip->v4 && mtu < MTU6_MIN ? MTU6_MIN : mtu;
}
