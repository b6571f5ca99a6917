/* SPDX-License-Identifier: MIT */
/* An association that one side has lost (RFC 7401 5.4.4). */
#pragma once

#include "hip/engine.h"

/* This packet is about an association that we do not have: its sender is told,
 * if that can be of use. */
void noassoc_tell(struct hip *h, const struct packet *p);
/* Is it such news, of the peer of a (or NULL)? Then it is dealt with. */
bool noassoc_input(struct hip *h, const struct packet *p, struct assoc *a);
/* When the peer is to be asked whether it is so; UINT64_MAX: no. */
uint64_t noassoc_deadline(const struct assoc *a);
void noassoc_timer(struct hip *h, struct assoc *a, uint64_t now);
