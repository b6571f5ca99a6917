/* SPDX-License-Identifier: MIT */
/* An address of ours that peers are told no more, and how it comes back. */
#pragma once

#include "hip/engine.h"
#include "hip/paths.h"

/* A path from this address of ours has died. */
void regain_died(struct hip *h, const struct assoc *a,
		 const struct endpoint *self);
/* All paths from there are dead, while others are not: it is not told. */
bool regain_withholds(const struct assoc *a, const struct endpoint *self);
/* Is it what has died, so that it must live for a while? */
bool regain_is(const struct assoc *a, const struct endpoint *self);
/* The path by that, which the peer is asked to prefer; -1: none. */
int regain_claim(const struct hip *h, const struct assoc *a);

/* Is there something to be done by and by? alive: it is being looked at. */
bool regain_waits(const struct hip *h, const struct assoc *a, bool *alive);
/* It is time: the path to be asked; or -1, and what was withheld is told
 * again. */
int regain_due(const struct hip *h, struct assoc *a);
/* Has it lived long enough to be claimed? Then the peer is told. */
void regain_steady(const struct hip *h, struct assoc *a, uint64_t now);
