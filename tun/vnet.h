/* SPDX-License-Identifier: MIT */
/* The virtio_net_hdr before each TUN packet; only for the tun room. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "core/ip.h"
#include "tun/tun.h"

/* Reads the header of one packet that came from the kernel and holds it
 * against the packet. A packet that core/ip.h cannot parse gives an empty
 * *off: whoever parses it next names the reason. 0 or HG_EFORMAT. */
int vnet_get(const uint8_t hdr[TUN_VNET_HDR], uint8_t *pkt, size_t len,
	     struct ip_offload *off) HG_CHECK;

/* A header for a whole packet with complete checksums. */
void vnet_put_plain(uint8_t hdr[TUN_VNET_HDR]);

/* A TCP or UDP super-packet as the kernel is to see it. */
struct vnet_super {
	bool v4;
	uint8_t proto;
	bool cwr; /* CWR is set in its TCP header */
	uint16_t gso_size;
	uint16_t ip_len;   /* IP header */
	uint16_t head_len; /* TCP or UDP header, with options */
};
void vnet_put_super(uint8_t hdr[TUN_VNET_HDR], const struct vnet_super *s);
