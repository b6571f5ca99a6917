/* SPDX-License-Identifier: MIT */
/* Rewriting of one upper-layer header: inside the nat room only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* What a TCP, UDP or echo header becomes, and what its checksum covers
 * besides the upper layer, before and after (0 for ICMPv4). */
struct translate_change {
	uint8_t proto;	   /* IP_PROTO_TCP, _UDP, or _ICMP6 for any echo */
	uint8_t echo_type; /* ICMP type to write */
	uint16_t from_port;
	uint16_t to_port;
	uint16_t echo_id;
	uint64_t old_pseudo;
	uint64_t new_pseudo;
};

/* Rewrites ports or identifier of a header of which have (>= 8) octets are
 * there, and the complete checksum when it is among them. A UDP checksum
 * of 0 stays 0. */
void translate_header(uint8_t *l4, uint32_t have,
		      const struct translate_change *c);
