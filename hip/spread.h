/* SPDX-License-Identifier: MIT */
/* Where an UPDATE goes: one path, then all of them (RFC 8046 3.2.3). */
#pragma once

#include "hip/engine.h"

/* From here on the outstanding UPDATE goes to all paths, if there could be
 * more than one. */
void spread_widen(struct hip *h, struct assoc *a);
/* A new round: every path may have it again. */
void spread_begin(struct assoc *a);
/* Is a path left in this round? */
bool spread_left(const struct hip *h, const struct assoc *a);
/* Sends the outstanding UPDATE to the next of them. */
void spread_step(struct hip *h, struct assoc *a, uint64_t now);
/* Sends it to where it acknowledges one, if that is not the next. */
void spread_answer(struct hip *h, struct assoc *a, const struct endpoint *at,
		   const struct endpoint *from, uint64_t now);
/* When the next step is due, if it was made now. */
uint64_t spread_wait(const struct hip *h, const struct assoc *a);
/* Is it to be repeated sooner than by its tries, which it does not spend? */
bool spread_hurries(const struct hip *h, const struct assoc *a);
/* Does it go to all paths? How often it is to be tried then. */
bool spread_wide(const struct assoc *a);
