/* SPDX-License-Identifier: MIT */
/* Flows that have ended and may have to make room: inside the nat room only.
 * RFC 5382 5, RFC 7857 2. Theory in ended.c. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nat/nat.h"

struct nat;
struct nat_space;

/* Any worker: f came to CLOSED or left it, and NAT_TOLD was set by the same
 * exchange that did it. */
void ended_tell(struct nat_flow *f);

/* The rest is for the control thread. */

/* Looks at what workers have told, at most `most` flows. */
void ended_look(struct nat *n, unsigned most);
/* Takes f out of the list; true: it was there. */
bool ended_unlist(struct nat_flow *f);
/* Ends the life of a flow: GONE. False: it was so before. *told: a worker
 * has told of it, so ended_look must see it before it may be discarded. */
bool ended_gone(struct nat_flow *f, bool *told);
/* Gives up the flow of the space that ended first; false: there is none
 * that has rested. */
bool ended_evict(struct nat *n, struct nat_space *s, uint64_t now);
/* The same for any space, each in its turn. */
bool ended_evict_any(struct nat *n, uint64_t now);
