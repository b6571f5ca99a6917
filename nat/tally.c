/* SPDX-License-Identifier: MIT */
/* A counted map: how many live users a key has.
 *
 * THEORY OF OPERATION
 * The port allocator's only structure; control thread only. Open addressing
 * with linear probing; a drop closes the gap by moving later cells of the
 * same run back, so there are no tombstones and a table that stays bounded
 * in use stays fast. Keys come from clients, so the hash is keyed
 * (SipHash): nobody can aim at one run. The tally does not bound itself: its
 * owner stops adding. Growing is a step of its own (tally_reserve), so that
 * an operation on several tallies can fail before it has changed any.
 */
#include "nat/tally.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define CAP_MIN 64

static struct tally_cell *cell_at(const struct tally *t, size_t i)
{
	return (struct tally_cell *)(t->cells + i * t->step);
}

static uint8_t *key_at(const struct tally *t, size_t i)
{
	return t->cells + i * t->step + sizeof(struct tally_cell);
}

static size_t home(const struct tally *t, const void *key)
{
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t v;

	crypto_shorthash(h, key, t->key_len, t->secret);
	memcpy(&v, h, sizeof(v));
	return (size_t)v & (t->cap - 1);
}

void tally_init(struct tally *t, size_t key_len)
{
	_Static_assert(crypto_shorthash_KEYBYTES == sizeof(t->secret),
		       "SipHash key");
	assert(key_len % 8 == 0 && key_len <= TALLY_KEY_MAX);
	*t = (struct tally){ .key_len = key_len };
	t->step = sizeof(struct tally_cell) + key_len;
	randombytes_buf(t->secret, sizeof(t->secret));
}

void tally_fini(struct tally *t)
{
	free(t->cells);
	sodium_memzero(t, sizeof(*t));
}

/* Where the key is, or the free cell where it would be. */
static size_t probe(const struct tally *t, const void *key)
{
	size_t i = home(t, key);

	while (cell_at(t, i)->count &&
	       memcmp(key_at(t, i), key, t->key_len) != 0)
		i = (i + 1) & (t->cap - 1);
	return i;
}

static int grow(struct tally *t, size_t cap)
{
	struct tally bigger = *t;

	bigger.cells = calloc(cap, t->step);
	if (!bigger.cells)
		return HG_ENOMEM;
	bigger.cap = cap;
	for (size_t i = 0; i < t->cap; i++)
		if (cell_at(t, i)->count)
			memcpy(cell_at(&bigger, probe(&bigger, key_at(t, i))),
			       cell_at(t, i), t->step);
	free(t->cells);
	*t = bigger;
	return HG_OK;
}

int tally_reserve(struct tally *t, size_t n)
{
	size_t cap = t->cap ? t->cap : CAP_MIN;

	while (t->used + n > cap / 4 * 3)
		cap *= 2;
	return cap == t->cap ? HG_OK : grow(t, cap);
}

struct tally_cell *tally_find(const struct tally *t, const void *key)
{
	struct tally_cell *cell;

	if (t->cap == 0)
		return NULL;
	cell = cell_at(t, probe(t, key));
	return cell->count ? cell : NULL;
}

struct tally_cell *tally_add(struct tally *t, const void *key)
{
	size_t i = probe(t, key);
	struct tally_cell *cell = cell_at(t, i);

	if (cell->count == 0) {
		assert(t->used < t->cap / 4 * 3);
		memcpy(key_at(t, i), key, t->key_len);
		cell->value = 0;
		t->used++;
	}
	cell->count++;
	return cell;
}

const struct tally_cell *tally_each(const struct tally *t, size_t *i)
{
	while (*i < t->cap) {
		const struct tally_cell *cell = cell_at(t, (*i)++);

		if (cell->count)
			return cell;
	}
	return NULL;
}

/* Moves each later cell of the run that may not be found past the hole at
 * `gap` into it. */
static void close_gap(struct tally *t, size_t gap)
{
	size_t mask = t->cap - 1;
	size_t i = (gap + 1) & mask;

	for (; cell_at(t, i)->count; i = (i + 1) & mask) {
		size_t want = home(t, key_at(t, i));

		/* Is `want` cyclically in (gap, i]? Then i stays. */
		if (((i - want) & mask) < ((i - gap) & mask))
			continue;
		memcpy(cell_at(t, gap), cell_at(t, i), t->step);
		cell_at(t, i)->count = 0;
		gap = i;
	}
}

void tally_drop(struct tally *t, const void *key)
{
	struct tally_cell *cell;
	size_t i;

	assert(t->cap);
	i = probe(t, key);
	cell = cell_at(t, i);
	assert(cell->count);
	if (--cell->count)
		return;
	t->used--;
	close_gap(t, i);
}
