/* SPDX-License-Identifier: MIT */
/* Look-ups in the published tables, in steps.
 *
 * THEORY OF OPERATION
 * A look-up in a large table waits for memory twice: for a line of the table
 * and for what that leads to. A worker that has a row of packets takes one
 * step for all of them before it takes the next one: it begins (seek_flow and
 * its like: the hash), asks for the lines (seek_line), asks for what they
 * lead to (seek_near_*), and gets it (seek_get_*). So all of a row wait
 * together. These loops are to hold nothing else: a prefetch whose page is
 * not in the TLB holds up all that is behind it, so as many of them as
 * possible must be within the processor's sight (docs/performance.md).
 *
 * The tables are changed meanwhile, or not: what is got is what is there at
 * the end. All within one wake-up, as ever (tables.h).
 */
#pragma once

#include <string.h>

#include "tables.h"

struct seek {
	const struct linetable *table;
	uint64_t hash;
};

static inline struct seek seek_begin(const struct tables *t,
				     const struct linetable *table,
				     const void *key, size_t len)
{
	return (struct seek){ table, tables_hash(t, key, len) };
}

static inline struct seek seek_flow(const struct tables *t,
				    const struct nat_key *key)
{
	return seek_begin(t, &t->flow_key, key, sizeof(*key));
}

static inline struct seek seek_back(const struct tables *t,
				    const struct nat_back *key)
{
	return seek_begin(t, &t->flow_back, key, sizeof(*key));
}

static inline struct seek seek_in(const struct tables *t, const uint32_t *spi)
{
	return seek_begin(t, &t->sa_spi, spi, sizeof(*spi));
}

static inline struct seek seek_out(const struct tables *t,
				   const struct tables_pair *key)
{
	return seek_begin(t, &t->sa_pair, key, sizeof(*key));
}

static inline void seek_line(const struct seek *s)
{
	linetable_prefetch(s->table, s->hash);
}

/* That an address is nobody's does no harm to a prefetch. */
static inline void seek_near_flow(const struct seek *s)
{
	const char *f = linetable_guess(s->table, s->hash);

	__builtin_prefetch(f);
	__builtin_prefetch(f + 64);
}

static inline void seek_near_sa(const struct seek *s)
{
	const struct sa *sa = linetable_guess(s->table, s->hash);

	if (!sa)
		return;
	__builtin_prefetch(sa);
	__builtin_prefetch(&sa->path);
	__builtin_prefetch(&sa->next_seq);
	__builtin_prefetch(&sa->in_packets);
}

static inline bool seek_match_flow(const void *item, const void *key)
{
	const struct flow *f = item;

	return memcmp(&f->nat.key, key, sizeof(f->nat.key)) == 0;
}

static inline bool seek_match_back(const void *item, const void *key)
{
	const struct flow *f = item;

	return memcmp(&f->nat.back, key, sizeof(f->nat.back)) == 0;
}

static inline bool seek_match_in(const void *item, const void *key)
{
	const struct sa *s = item;

	return s->spi_in == *(const uint32_t *)key;
}

static inline bool seek_match_out(const void *item, const void *key)
{
	const struct sa *s = item;
	const struct tables_pair *pair = key;

	return hit_eq(&s->peer, &pair->peer) && hit_eq(&s->self, &pair->self);
}

/* key: the one it began with. */
static inline struct flow *seek_get_flow(const struct seek *s,
					 const struct nat_key *key)
{
	return linetable_find(s->table, s->hash, seek_match_flow, key);
}

static inline struct flow *seek_get_back(const struct seek *s,
					 const struct nat_back *key)
{
	return linetable_find(s->table, s->hash, seek_match_back, key);
}

static inline struct sa *seek_get_in(const struct seek *s, const uint32_t *spi)
{
	return linetable_find(s->table, s->hash, seek_match_in, spi);
}

static inline struct sa *seek_get_out(const struct seek *s,
				      const struct tables_pair *key)
{
	return linetable_find(s->table, s->hash, seek_match_out, key);
}
