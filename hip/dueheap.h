/* SPDX-License-Identifier: MIT */
/* When is what due: a binary heap of timers embedded in their owners. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* One timer, embedded in what it wakes. Zeroed: not set. */
struct due {
	uint64_t at;   /* ns; owned by the heap while set */
	uint32_t slot; /* place in the heap + 1; 0: not set */
	uint8_t kind;  /* the owner's word for what it is embedded in */
};

struct dueheap {
	struct due **v;
	uint32_t num;
	uint32_t cap;
	uint32_t owners; /* places promised with dueheap_reserve */
};

void dueheap_fini(struct dueheap *h);
/* Room for one more timer, so that dueheap_set cannot fail. Each owner
 * reserves once at birth and calls dueheap_leave at its end. */
int dueheap_reserve(struct dueheap *h) HG_CHECK;
void dueheap_leave(struct dueheap *h, struct due *d);
/* Sets or moves; at UINT64_MAX clears. */
void dueheap_set(struct dueheap *h, struct due *d, uint64_t at);
void dueheap_clear(struct dueheap *h, struct due *d);
/* The earliest, or NULL. */
struct due *dueheap_first(const struct dueheap *h);
