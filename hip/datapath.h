/* SPDX-License-Identifier: MIT */
/* Paths through our data relay, at its client (RFC 9028 4.12). */
#pragma once

#include "hip/engine.h"
#include "hip/paths.h"

/* ---- where we have one ------------------------------------------------------ */

/* Our association with the relay that has given one of our identities this
 * relayed address, or NULL. */
const struct assoc *datapath_relay(const struct hip *h,
				   const struct endpoint *at);
/* Is it a relayed address of ours? */
bool datapath_is_port(const struct hip *h, const struct endpoint *at);
/* Is it ours: where we are, as far as we know, or a relayed address? */
bool datapath_lives(const struct hip *h, const struct endpoint *at);
/* Is one of our relays there? */
bool datapath_is_relay(const struct hip *h, const struct hit *self,
		       const struct endpoint *at);
/* Where an effect that goes from e->self_at to e->peer_at really does. */
void datapath_fill(const struct hip *h, struct hip_effect *e);
/* Is the way that is used through a data relay, ours or the peer's? Its
 * port there, or NULL. */
const struct endpoint *datapath_by(const struct hip *h, const struct assoc *a);

/* For people: p, of this association, by which relay, and how we get there. */
void datapath_view(const struct hip *h, const struct assoc *a,
		   struct hip_peer *p);

/* What the relay answers to our registration: a relayed address, or none. */
void datapath_answer(struct hip *h, struct registration *r,
		     const struct hip_msg *m, bool final, uint64_t now);
/* Candidates of r's identity are others from now on: its peers are told. */
void datapath_tell(struct hip *h, struct registration *r, uint64_t now);
/* The registration is lost, and so is the address. */
void datapath_lost(struct hip *h, struct registration *r, uint64_t now);

/* ---- packets ------------------------------------------------------------------ */

/* RELAY_TO of what our relay has passed on says that it came to our relayed
 * address: then that is where it came to, from whom RELAY_FROM says. */
void datapath_check(const struct hip *h, struct packet *p,
		    const struct hit *relay);
/* Sends m from our relayed address `self`; false: it is none. */
bool datapath_send(struct hip *h, const struct assoc *a,
		   const struct assoc_msg *m, const struct endpoint *self,
		   const struct endpoint *to);

/* ---- permissions, and the way without ------------------------------------------ */

/* PEER_PERMISSION for what is wanted at this relay. */
void datapath_put(struct msg_builder *b, struct hip *h, const struct assoc *a);
/* It has acknowledged an UPDATE of ours. */
void datapath_acked(struct hip *h, struct assoc *a, uint64_t now);
/* The peer has written to our relayed address, or is about to use other SPIs:
 * those of sa must be permitted. */
void datapath_permit(struct hip *h, struct assoc *a, const struct sa_pair *sa,
		     uint64_t now);
/* Is data by the path in use to wait for the relay's word on this SPI? */
bool datapath_waits(const struct hip *h, const struct assoc *a,
		    uint32_t spi_in);
/* The peer has answered at q: is it permitted there still? */
void datapath_heard(struct hip *h, struct assoc *a, struct paths_peer *q,
		    uint64_t now);
/* Nothing comes by the path: does our relay live, and know us? */
void datapath_suspect(struct hip *h, struct assoc *a, uint64_t now);
/* We send to the relay by another way: what goes through it does so, too. */
void datapath_follow(struct hip *h, struct assoc *a, uint64_t now);

/* A path is taken: if it is relayed, another one is looked for. */
void datapath_taken(struct hip *h, struct assoc *a, uint64_t now);
/* When datapath_timer has something to do; ENGINE_NEVER. */
uint64_t datapath_deadline(const struct assoc *a);
/* Permissions are renewed, a way without relay is looked for. */
void datapath_timer(struct hip *h, struct assoc *a, uint64_t now);
