/* SPDX-License-Identifier: MIT */
/* R1 packets signed ahead of time, and what proves them ours (7401 6.7.1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hip/dh.h"
#include "hip/dueheap.h"
#include "hip/hip.h"
#include "hip/puzzle.h"

#define R1POOL_IDENTITIES 8
#define R1POOL_GROUPS HIP_OFFER_MAX
/* Generations of one slot that may be answered. In the 64 s that one stays
 * so K can move 17 times at most: up 12 times, two bits a second, down 5
 * times, one bit in ten. Beside them: the offered one, one at each end, and
 * one that a used DH value asked for. */
#define R1POOL_RING 24

/* One R1: template, DH key and puzzle key go together. Owner: the engine. */
struct r1pool_entry {
	uint8_t *r1; /* NULL: empty */
	size_t len;
	struct dh_key *dh;
	uint8_t key[PUZZLE_KEY_LEN];
	uint8_t k;
	uint64_t counter;
	uint64_t made;
	uint64_t retired; /* not offered any more since; UINT64_MAX: offered */
	uint32_t edition; /* the pool's, when it was made */
	bool used;	  /* an I2 has been accepted: DH value to be replaced */
};

/* All R1 of one identity and DH group. */
struct r1pool_slot {
	struct r1pool_entry ring[R1POOL_RING];
	unsigned at;	     /* the offered one */
	bool making;	     /* a job is in flight */
	uint64_t not_before; /* for the next one */
};

struct r1pool {
	struct due due;
	struct r1pool_slot slot[R1POOL_IDENTITIES][R1POOL_GROUPS];
	uint64_t counter; /* of the last R1 made */
	uint32_t edition; /* what is to be said has changed so often */
	uint8_t k;	  /* difficulty offered now */
	uint64_t k_changed;
	uint64_t busy_since; /* crypto queue more than half full; 0: not */
};

/* How an R1 that was given out is known again by its I2. */
struct r1pool_match {
	struct r1pool_entry *entry;
	uint64_t issued; /* when that R1 was given out, up to 16 ms early */
	uint64_t until;	 /* from then on its I2 is refused */
};

/* Whose R1, and where it goes. */
struct r1pool_ask {
	size_t identity; /* index */
	const struct hit *initiator;
	const struct addr *addr;
	uint64_t now;
	bool current; /* only one that says what is right by now */
};

int r1pool_init(struct hip *h, uint64_t now) HG_CHECK;
void r1pool_fini(struct hip *h);
/* A new identity: queue the making of its R1s. */
void r1pool_fill(struct hip *h, size_t identity, uint64_t now);
/* What R1s say beside their keys has changed: new ones, soon. */
void r1pool_renew(struct hip *h, uint64_t now);
/* Writes the R1 for this Initiator to out (HIP_MSG_MAX); its length, or 0:
 * none is ready (HIP_BUSY). group: an id of ours. */
size_t r1pool_get(struct hip *h, const struct r1pool_ask *ask, uint8_t group,
		  uint8_t *out);
/* Is this SOLUTION to a puzzle of ours, in time and right? REASON_NUM: yes,
 * and *out says which. One or two hashes. */
struct hip_msg;
enum reason r1pool_check(struct hip *h, const struct r1pool_ask *ask,
			 const struct hip_msg *m,
			 struct r1pool_match *out) HG_CHECK;
/* A HIPJOB_POOL is back. */
void r1pool_done(struct hip *h, struct hip_job *job, uint64_t now);
/* Queue and clock decide on the difficulty (product: K follows the load). */
void r1pool_load(struct hip *h, uint64_t now);
void r1pool_timer(struct hip *h, uint64_t now);
