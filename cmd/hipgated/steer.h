/* SPDX-License-Identifier: MIT */
/* What a packet from the TUN is, when the daemon's part is added to the NAT's.
 *
 * THEORY OF OPERATION
 * The NAT knows clients, pools and port 53 elsewhere (nat_classify). Three
 * things are added here. DNS at the prefix's own address (lease_dns) is DNS.
 * Real addresses of HIP hosts (`transparent`) are like those of a pool: the
 * packet is looked at again as if the prefix were one. And this machine's
 * own programs, whose packets to the prefix leave from the TUN's address,
 * are clients: no other way would lead a resolver here to the prefix.
 * Constant once the threads run; any thread.
 */
#pragma once

#include "cmd/config/config.h"
#include "nat/nat.h"
#include "sockets.h"

struct steer {
	struct nat_ranges pools;
	struct addr dns[SOCKETS_FAMILIES]; /* unspecified: none */
	struct addr own[SOCKETS_FAMILIES]; /* the TUN's; unspecified: none */
	struct nat_ranges real[DNS_REAL_MAX];
	size_t real_num;
};

/* c is borrowed. pools.near4 and .near6 are set later. */
void steer_init(struct steer *s, const struct config *c);
/* As nat_classify. */
enum nat_class steer_classify(const struct steer *s, uint8_t *pkt, size_t len,
			      struct nat_packet *out);
/* Is that where the prefix answers DNS? */
bool steer_is_dns(const struct steer *s, const struct addr *a);
