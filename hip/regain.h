/* SPDX-License-Identifier: MIT */
/* An address of ours that peers are told no more, and how it comes back. */
#pragma once

#include "hip/engine.h"
#include "hip/paths.h"

/* A path from this address of ours has died that did live; if it was the last
 * one, the address is not told. */
void regain_died(const struct hip *h, struct assoc *a,
		 const struct endpoint *self, uint64_t now);
/* What was asked, or told to be asked, has not answered: longer next time. */
void regain_vain(struct paths *p, bool told);
/* We send from another one, since the peer has withdrawn where this led. */
void regain_left(const struct hip *h, struct assoc *a,
		 const struct endpoint *self);
/* All paths from there are dead: it is not told. */
bool regain_withholds(const struct assoc *a, const struct endpoint *self);
/* Is it what was lost so, and must live for a while before it counts? */
bool regain_is(const struct assoc *a, const struct endpoint *self);
/* The path by that, which the peer is asked to prefer; -1: none. */
int regain_claim(const struct hip *h, const struct assoc *a);

/* Is there something to be done by and by? alive: to look whether it lives on. */
bool regain_waits(const struct hip *h, const struct assoc *a, bool *alive);
/* It is time: the path to be asked, or -1; what was left out is told again. */
int regain_due(const struct hip *h, struct assoc *a);
/* Has it lived long enough to be claimed? Then the peer is told. */
void regain_steady(const struct hip *h, struct assoc *a, uint64_t now);
