/* SPDX-License-Identifier: MIT */
/* The packet quoted inside an ICMP error: inside the nat room only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ip.h"
#include "nat/nat.h"

/* A quoted packet, perhaps cut off; borrows the error message. */
struct icmperr_quote {
	bool v4;
	bool cut; /* it was the first of several IPv6 fragments */
	uint8_t tos;
	uint8_t ttl;
	uint8_t proto;	    /* IP_PROTO_TCP, _UDP, or _ICMP6 for any echo */
	uint8_t echo_type;  /* as quoted, when echo */
	uint16_t from_port; /* echo: the identifier, in both */
	uint16_t to_port;
	struct addr from; /* of HITs when v4 is false and it came by ESP */
	struct addr to;
	const uint8_t *l4;
	uint32_t have;	 /* octets at l4, >= 8 */
	uint32_t l4_len; /* what the quoted header claims */
};

/* Reads the quote of a whole ICMP message (proto IP_PROTO_ICMP or
 * IP_PROTO_ICMP6). False: nothing a flow could be found by. */
bool icmperr_read(uint8_t proto, const uint8_t *icmp, uint32_t len,
		  struct icmperr_quote *out);
/* The flow of a packet that we sent to a client (virt to client). */
bool icmperr_client_key(const struct icmperr_quote *q, struct nat_key *key);
/* The flow of a packet that we sent to a HIP host (self to peer). */
bool icmperr_peer_key(const struct icmperr_quote *q, struct nat_back *key);
