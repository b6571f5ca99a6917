/* SPDX-License-Identifier: MIT */
/* ICE-HIP-UDP: candidates, connectivity checks, nomination (RFC 9028 4.2 to
 * 4.6, 4.9). */
#pragma once

#include "hip/engine.h"
#include "hip/locset.h"
#include "hip/paths.h"
#include "hip/readdress.h"
#include "hip/update.h"

#define ICE_PACE_MS 50 /* 9028 4.4: when nobody asks for more */

/* Where one of our identities could be reached, by priority: what we send
 * from, what relays see us at, and what `mapped` says (port 0: nothing).
 * spi: ours. */
void ice_candidates(const struct hip *h, const struct hit *self,
		    const struct endpoint *at, const struct endpoint *mapped,
		    uint32_t spi, struct locset *out);
/* The LOCATOR_SET inside ENCRYPTED of a verified I2, R2 or UPDATE; out->has:
 * there is one. What encrypted_open and locset_read say. */
enum reason ice_read(const struct hip *h, const struct assoc_keys *k,
		     const struct hip_msg *m,
		     struct readdress_offer *out) HG_CHECK;
/* Milliseconds between two checks: the greater of the two ends' (9028 4.4);
 * of an R1 or I2. */
uint32_t ice_pace(const struct hip_msg *m);

/* The exchange is complete, p is the peer's I2 or R2, o what it says: all
 * its candidates are to be checked. Before the first SA_SWITCH nothing may be
 * sent. */
void ice_begin(struct hip *h, struct assoc *a, const struct readdress_offer *o,
	       const struct packet *p);
/* HIP_SA_SWITCH: the SA of the association's keys sends. */
void ice_switch(struct hip *h, const struct assoc *a);
/* The path that is taken is proved. */
void ice_proved(struct hip *h, struct assoc *a);
/* An UPDATE with SEQ is about to be made: what it asks. */
void ice_prepare(struct assoc *a);
/* What an UPDATE says of checks and of relayed addresses. asks: it has a SEQ; ans: what it answers, or
 * NULL; theirs: that message. */
void ice_put(struct msg_builder *b, struct hip *h, struct assoc *a, bool asks,
	     const struct update_answer *ans, const struct hip_msg *theirs);
/* A new UPDATE of the peer's, before it is answered. */
void ice_heard(struct hip *h, struct assoc *a, const struct packet *p);
/* p has come by our relay, and its sender may not know where we are: what is to
 * be told goes back that way, whether any other leads there or not (9028 4.9). */
void ice_tell_back(struct hip *h, struct assoc *a, const struct packet *p);

/* Ours after a move, in ENCRYPTED (9028 4.9); spi: of the SA they are for. */
int ice_put_moved(struct msg_builder *b, const struct hip *h,
		  const struct assoc *a, uint32_t spi) HG_CHECK;
/* Who sent it, to us or to our relay. */
const struct endpoint *ice_from(const struct packet *p);
/* Of a candidate, listed or seen. */
uint32_t ice_priority(const struct paths_peer *q);
/* Has this come through a relay, the peer's or ours? */
bool ice_by_relay(const struct assoc *a, const struct packet *p);
/* Is there no use in asking any more? */
bool ice_spent(const struct assoc *a);
/* No path was found: tells the user and the peer. */
void ice_failed(struct hip *h, struct assoc *a, uint64_t now);
