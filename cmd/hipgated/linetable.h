/* SPDX-License-Identifier: MIT */
/* A hash table whose buckets are cache lines; theory in linetable.c. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <urcu-qsbr.h>

#include "core/err.h"

enum { LINE_SLOTS = 7 };

/* An item's address, of which 42 bits are not 0, and 22 bits of its hash.
 * 0: free. */
struct line {
	_Alignas(64) _Atomic uint64_t slot[LINE_SLOTS];
	_Atomic uint64_t more; /* the line that goes on, or 0: none */
};

_Static_assert(sizeof(struct line) == 64, "a cache line");

struct line_set {
	_Alignas(64) uint64_t mask;	/* const: of the first lines */
	_Atomic(struct line_set *) old; /* what is not here yet, or NULL */
	size_t size;			/* const: octets, if it was mapped */
	uint64_t end;			/* const: of all lines */
	uint64_t spare; /* writer: none is in use from here on */
	uint64_t moved; /* writer: lines of `old` that are here, too */
	struct rcu_head rcu;
	struct line line[];
};

/* One thread adds and removes (`writer`); any registered one looks up. */
struct linetable {
	_Atomic(struct line_set *) set; /* writer stores */
	size_t num;			/* writer: items */
};

#define LINE_TAG_BITS 22
#define LINE_TAG_MASK ((UINT64_C(1) << LINE_TAG_BITS) - 1)
#define LINE_TAG_SHIFT 6 /* the lowest bit of the hash that is in the tag */

int linetable_init(struct linetable *t) HG_CHECK;
/* Empty, and no thread looks it up any more. */
void linetable_fini(struct linetable *t);
/* item (borrowed, aligned to 64) has this hash; it is not in the table.
 * What was written to it before is seen by who finds it. */
int linetable_add(struct linetable *t, uint64_t hash, void *item) HG_CHECK;
/* Another item in the place of old, at once. */
void linetable_replace(struct linetable *t, uint64_t hash, const void *old,
		       void *item);
/* It is there. Who has found it may use it until going offline. */
void linetable_del(struct linetable *t, uint64_t hash, const void *item);
/* Writer: the next item at *i (0: the first) or behind, which moves on, or
 * NULL. Items may be removed meanwhile, none added. Without memory to bring
 * a table that grows together, some are met twice. */
void *linetable_each(struct linetable *t, size_t *i);

/* Another one when the table has grown: who is in the middle of it then would
 * meet some twice, and miss others. */
static inline const void *linetable_place(const struct linetable *t)
{
	return atomic_load_explicit(&t->set, memory_order_relaxed);
}

static inline uint64_t linetable_tag(uint64_t hash)
{
	return (hash >> LINE_TAG_SHIFT) & LINE_TAG_MASK;
}

static inline void *linetable_item(uint64_t slot)
{
	return (void *)(uintptr_t)((slot & ~LINE_TAG_MASK) >> 16);
}

/* Where the look-up of a hash will begin comes nearer. */
static inline void linetable_prefetch(const struct linetable *t, uint64_t hash)
{
	const struct line_set *s =
		atomic_load_explicit(&t->set, memory_order_acquire);

	__builtin_prefetch(&s->line[hash & s->mask]);
}

/* What a look-up will most likely find, or NULL. */
static inline void *linetable_guess(const struct linetable *t, uint64_t hash)
{
	const struct line_set *s =
		atomic_load_explicit(&t->set, memory_order_acquire);
	const struct line *l = &s->line[hash & s->mask];
	uint64_t tag = linetable_tag(hash);

	for (unsigned i = 0; i < LINE_SLOTS; i++) {
		uint64_t v =
			atomic_load_explicit(&l->slot[i], memory_order_acquire);

		if ((v & LINE_TAG_MASK) == tag && v)
			return linetable_item(v);
	}
	return NULL;
}

static inline void *line_find(const struct line_set *s, uint64_t hash,
			      bool (*match)(const void *item, const void *key),
			      const void *key)
{
	uint64_t tag = linetable_tag(hash);
	uint64_t at = hash & s->mask;

	do {
		const struct line *l = &s->line[at];

		for (unsigned i = 0; i < LINE_SLOTS; i++) {
			uint64_t v = atomic_load_explicit(&l->slot[i],
							  memory_order_acquire);

			if ((v & LINE_TAG_MASK) == tag && v &&
			    match(linetable_item(v), key))
				return linetable_item(v);
		}
		at = atomic_load_explicit(&l->more, memory_order_acquire);
	} while (at);
	return NULL;
}

/* The item of this hash for which match says true, or NULL. */
static inline void *linetable_find(const struct linetable *t, uint64_t hash,
				   bool (*match)(const void *item,
						 const void *key),
				   const void *key)
{
	const struct line_set *s =
		atomic_load_explicit(&t->set, memory_order_acquire);
	/* Before s is looked through: what moves meanwhile is met there. */
	const struct line_set *old =
		atomic_load_explicit(&s->old, memory_order_acquire);
	void *item = line_find(s, hash, match, key);

	return item || !old ? item : line_find(old, hash, match, key);
}
