/* SPDX-License-Identifier: MIT */
/* Which paths live: addresses proved, questions, answers, choice (8046 5.4,
 * 5.5). */
#pragma once

#include "hip/engine.h"

/* Asks path n, by an UPDATE of its own or a copy of the outstanding one.
 * seen: because the peer was seen there. -1: nobody. */
void reach_ask(struct hip *h, struct assoc *a, int n, bool seen, uint64_t now);
/* The peer has acknowledged our UPDATE: which path has answered? */
void reach_acked(struct hip *h, struct assoc *a, const struct packet *p);
/* The path that was asked has not answered, but another one, and this is
 * what it would say: nonce and all. */
bool reach_awaits(const struct hip *h, const struct assoc *a,
		  const struct packet *p);
/* So it is. */
void reach_late(struct hip *h, struct assoc *a, const struct packet *p);
/* The peer was seen there; false: nothing to be done. */
bool reach_candidate(struct hip *h, struct assoc *a,
		     const struct endpoint *from, const struct endpoint *at,
		     uint64_t now);
/* It was asked as often as it may be, and has never answered. */
bool reach_spent(const struct assoc *a, const struct endpoint *at);
/* Something of the peer's came from there, or paid for it: when all is spent,
 * one question more. Port 0: it came through a relay. */
void reach_heard(struct hip *h, struct assoc *a, const struct endpoint *at,
		 uint64_t now);

/* ---- paths ---------------------------------------------------------------- */

/* Takes the best path that lives, asks one that should be better. */
void reach_choose(struct hip *h, struct assoc *a, uint64_t now);
/* The path in use is relayed: is there one by now that is not? */
void reach_look(struct hip *h, struct assoc *a, uint64_t now);
/* Lifetimes; a better path is asked again. */
void reach_timer(struct hip *h, struct assoc *a, uint64_t now);
