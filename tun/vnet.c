/* SPDX-License-Identifier: MIT */
/* The virtio_net_hdr before each TUN packet (virtio 1.2, 5.1.6).
 *
 * On a TUN fd its fields are in the byte order of the machine, unless
 * somebody asks for another with TUNSETVNETLE; hipgate does not.
 */
#include "tun/vnet.h"

#include <assert.h>
#include <linux/virtio_net.h>
#include <string.h>

/* Newer than Debian 12's headers (Linux 6.2). */
enum { GSO_UDP_L4 = 5 };

static_assert(sizeof(struct virtio_net_hdr_mrg_rxbuf) == TUN_VNET_HDR,
	      "the 12-octet header that TUNSETVNETHDRSZ asks for");

/* Does the segmentation type fit the packet it is about? */
static bool gso_fits(unsigned type, const struct ip_view *v)
{
	switch (type) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN:
		return v->v4 && v->proto == IP_PROTO_TCP;
	case VIRTIO_NET_HDR_GSO_TCPV6:
	case VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN:
		return !v->v4 && v->proto == IP_PROTO_TCP;
	case GSO_UDP_L4:
		return v->proto == IP_PROTO_UDP;
	}
	return false;
}

/* csum_start and csum_offset must name the field we would fill ourselves:
 * nothing is ever written where the header points. */
static bool csum_fits(const struct virtio_net_hdr *h, const uint8_t *pkt,
		      const struct ip_view *v)
{
	int at = ip_csum_offset(v->proto);

	return at >= 0 && h->csum_start == v->l4 - pkt &&
	       h->csum_offset == at && (uint32_t)at + 2 <= v->l4_len;
}

/* hdr_len is not looked at: the kernel gives the length of its linear
 * part there, which says nothing about where headers end. */
int vnet_get(const uint8_t hdr[TUN_VNET_HDR], uint8_t *pkt, size_t len,
	     struct ip_offload *off)
{
	struct virtio_net_hdr h;
	struct ip_view v;
	bool partial;

	memcpy(&h, hdr, sizeof(h));
	memset(off, 0, sizeof(*off));
	partial = h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	if (!partial && h.gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return 0;
	if (ip_parse(pkt, len, &v) != REASON_NUM)
		return 0;
	if (partial && !csum_fits(&h, pkt, &v))
		return HG_EFORMAT;
	if (h.gso_type != VIRTIO_NET_HDR_GSO_NONE) {
		if (!gso_fits(h.gso_type, &v) || h.gso_size == 0 ||
		    ip_l4_hdr_len(v.proto, v.l4, v.l4_len) == 0)
			return HG_EFORMAT;
		off->gso_size = h.gso_size;
	}
	off->csum_partial = partial;
	return 0;
}

void vnet_put_plain(uint8_t hdr[TUN_VNET_HDR])
{
	memset(hdr, 0, TUN_VNET_HDR);
}

static uint8_t gso_type(const struct vnet_super *s)
{
	uint8_t type =
		s->v4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;

	if (s->proto == IP_PROTO_UDP)
		return GSO_UDP_L4;
	return s->cwr ? type | VIRTIO_NET_HDR_GSO_ECN : type;
}

void vnet_put_super(uint8_t hdr[TUN_VNET_HDR], const struct vnet_super *s)
{
	struct virtio_net_hdr h = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = gso_type(s),
		.hdr_len = (uint16_t)(s->ip_len + s->head_len),
		.gso_size = s->gso_size,
		.csum_start = s->ip_len,
		.csum_offset = (uint16_t)ip_csum_offset(s->proto),
	};

	memset(hdr, 0, TUN_VNET_HDR);
	memcpy(hdr, &h, sizeof(h));
}
