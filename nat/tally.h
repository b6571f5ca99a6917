/* SPDX-License-Identifier: MIT */
/* A counted map of fixed-size keys: inside the nat room only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define TALLY_KEY_MAX 48

/* How often a key was added and not dropped, and a value of its own. */
struct tally_cell {
	uint64_t value;
	uint32_t count; /* 0: the cell is free */
};

struct tally {
	uint8_t *cells; /* cap times (struct tally_cell, key) */
	size_t cap;	/* a power of two, or 0 */
	size_t used;	/* cells with a count; at most 3/4 of cap */
	size_t key_len;
	size_t step;	    /* octets of one cell with its key */
	uint8_t secret[16]; /* of the hash: clients choose the keys */
};

/* key_len: a multiple of 8, at most TALLY_KEY_MAX. */
void tally_init(struct tally *t, size_t key_len);
void tally_fini(struct tally *t);
/* After it the next n tally_add of new keys cannot fail. */
int tally_reserve(struct tally *t, size_t n) HG_CHECK;
/* The cell of a key, or NULL. Valid until the next add or drop. */
struct tally_cell *tally_find(const struct tally *t, const void *key);
/* Counts a key up; a new key has value 0. Needs a reserve before. */
struct tally_cell *tally_add(struct tally *t, const void *key);
/* The next cell in use, at *i or behind, which moves on; NULL: no more. */
const struct tally_cell *tally_each(const struct tally *t, size_t *i);
static inline const void *tally_key(const struct tally_cell *cell)
{
	return cell + 1;
}
/* Counts a key that is there down; the cell goes with the last. */
void tally_drop(struct tally *t, const void *key);
