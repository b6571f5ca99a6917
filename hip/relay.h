/* SPDX-License-Identifier: MIT */
/* The control relay: HIP packets to and from its clients (RFC 9028 4). */
#pragma once

#include "hip/engine.h"

/* A packet to a HIT that is not ours, at a rendezvous server or control
 * relay: passed on or dropped. */
void relay_pass(struct hip *h, const struct packet *p);
/* The same for one that came to the relayed address of a client, or to none
 * (RFC 9028 4.12.2). port: which one that is. */
void relay_pass_data(struct hip *h, const struct packet *p,
		     const struct datarelay_port *port);
/* Has this endpoint lately written to this client, through this port of
 * ours? */
bool relay_was_asked(const struct hip *h, const struct endpoint *who,
		     const struct hit *client, uint16_t port, uint64_t now);
