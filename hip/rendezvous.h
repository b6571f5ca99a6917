/* SPDX-License-Identifier: MIT */
/* I1 and UPDATE through a rendezvous server, at the server and at its client
 * (8004, 8046 3.2.3). */
#pragma once

#include "hip/engine.h"

/* Server: an I1 or UPDATE to a HIT that is not ours. Relays or drops it. */
void rendezvous_relay(struct hip *h, const struct packet *p);
/* Client: checks FROM and RVS_HMAC, fills in has_from. REASON_NUM: well,
 * also when there is no FROM at all. */
enum reason rendezvous_check(struct hip *h, struct packet *p) HG_CHECK;
/* Client: the same for an UPDATE. One that a server has passed on comes from
 * where FROM says, and is answered there (RFC 8046 3.2.3): p->from becomes
 * `source`, which is the caller's. false: dropped. */
bool rendezvous_update(struct hip *h, struct packet *p,
		       struct endpoint *source) HG_CHECK;
/* The peer was met through the server at `via`. VIA_RVS is under no
 * signature: only a place that we were told of counts. */
void rendezvous_met(struct assoc *a, const struct addr *via);
