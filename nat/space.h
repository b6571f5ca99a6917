/* SPDX-License-Identifier: MIT */
/* What ports.c and ended.c share: inside the nat room only. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "nat/nat.h"
#include "nat/portset.h"
#include "nat/tally.h"

/* All flows of one (self, peer, proto). Owner: control; `nat` is const, and
 * a worker may follow it as long as it may see a flow of the space. */
struct nat_space {
	struct nat *nat;
	uint64_t id;	     /* never used twice */
	struct portset used; /* external ports */
	/* Mappings of each port beside its first; NULL: no port was ever
	 * shared here. */
	uint16_t *extra;
	struct nat_flow *oldest, *newest;	 /* that have ended */
	struct nat_space *ring_prev, *ring_next; /* with such flows */
};

/* Zeroed padding: hashed as octets. */
struct space_key {
	struct hit self;
	struct hit peer;
	uint64_t proto;
};

_Static_assert(sizeof(struct space_key) == 40, "no holes");

struct nat {
	struct nat_config cfg;
	struct tally spaces;	/* struct space_key; value: the space */
	struct tally clients;	/* struct addr; flows that have not ended */
	struct nat_flow **cell; /* flows by mapping; see ports.c */
	size_t cells;		/* a power of 2 */
	size_t cursor;		/* of the sweep */
	size_t left;		/* cells of this part of the sweep */
	uint8_t secret[16];	/* of the cells' hash */
	uint64_t next_id;
	uint32_t flows;
	struct nat_space *ring; /* one of those with ended flows, or NULL */
	_Atomic(struct nat_flow *) told; /* any worker pushes, control takes */
	struct nat_flow *looks;		 /* taken, not yet looked at */
	uint16_t draw[32];
	uint32_t draws; /* of them not used yet */
};

/* ports.c: gives back all that the flow holds; it is not in any list of
 * ended.c any more. ended: its client's quota has been given back. */
void ports_leave(struct nat *n, struct nat_flow *f, bool ended);
/* ports.c: the flow is looked at by nobody in this room any more. */
void ports_discard(struct nat *n, struct nat_flow *f);
/* ports.c: may the client have one more flow? */
bool ports_quota(const struct nat *n, const struct addr *client);
