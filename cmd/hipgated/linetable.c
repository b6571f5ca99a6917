/* SPDX-License-Identifier: MIT */
/* A hash table whose buckets are cache lines.
 *
 * THEORY OF OPERATION
 * Among a million items a look-up costs what it waits for memory. Here it
 * waits once for a line of seven slots and once for the item: a slot has 22
 * bits of the item's hash beside its address, so others' items are not
 * looked at. Both addresses follow from the hash, so that a row of look-ups
 * can wait for all of its lines together (linetable_prefetch,
 * linetable_guess; tables.c has the rows).
 *
 * There are a quarter as many lines as items at least, and half as many at
 * most. Where seven are not enough, the line names one that goes on, out of
 * an eighth more behind the first ones. A set of lines that has become too
 * small is followed by one of twice the size; so is one that has no line left
 * to go on (by one as large as it was: of the lines that went on once, most
 * are empty again). Each adding moves some lines from the old set to the new
 * one, so none takes long; who looks up looks through both until all are
 * moved. Hashes are not needed for that: a slot has those bits that choose
 * among up to 2^28 lines. Sets do not shrink.
 *
 * One thread writes. A slot is stored when its item is complete, and what is
 * moved stays in the old set, too: who looks up sees an item from its adding
 * to its removal. Old sets and, by contract, items are freed after a grace
 * period (liburcu).
 *
 * Addresses of user space have 48 bits at most unless one asks for more
 * (x86-64 with five levels, arm64 with 52 bits): so says the assertion.
 */
#include "linetable.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	LINES_MIN = 1 << LINE_TAG_SHIFT,
	LOAD_MAX = 4,	 /* items for each of the first lines */
	MOVE_LINES = 16, /* for each that is added */
};

#define HUGE (UINT64_C(2) << 20) /* a page of that size */

static struct line_set *set_of(const struct linetable *t)
{
	return atomic_load_explicit(&((struct linetable *)t)->set,
				    memory_order_relaxed);
}

/* Zeroed memory that begins with a huge page, and is one where the kernel has
 * them; so large a set is mapped by itself, to be gone when it is freed. */
static struct line_set *map_huge(size_t size)
{
	char *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	before = HUGE - (uintptr_t)p % HUGE;
	(void)munmap(p, before);
	if (before < HUGE)
		(void)munmap(p + before + size, HUGE - before);
	(void)madvise(p + before, size, MADV_HUGEPAGE);
	return (struct line_set *)(p + before);
}

static struct line_set *set_new(uint64_t lines)
{
	uint64_t end = lines + lines / 8;
	size_t size = sizeof(struct line_set) + end * sizeof(struct line);
	struct line_set *s;

	assert(lines <= UINT64_C(1) << (LINE_TAG_BITS + LINE_TAG_SHIFT));
	if (size < HUGE) {
		s = aligned_alloc(_Alignof(struct line_set), size);
		if (s)
			memset(s, 0, size);
	} else {
		size = (size + HUGE - 1) / HUGE * HUGE;
		s = map_huge(size);
		if (s)
			s->size = size;
	}
	if (!s)
		return NULL;
	s->mask = lines - 1;
	s->end = end;
	s->spare = lines;
	return s;
}

static void set_free(struct line_set *s)
{
	if (s && s->size)
		(void)munmap(s, s->size);
	else
		free(s);
}

static void set_retire(struct rcu_head *head)
{
	set_free(caa_container_of(head, struct line_set, rcu));
}

static struct line_set *old_of(const struct line_set *s)
{
	return atomic_load_explicit(&((struct line_set *)s)->old,
				    memory_order_relaxed);
}

/* A free slot on the way of a hash, or NULL: there is no line left. */
static _Atomic uint64_t *slot_free(struct line_set *s, uint64_t hash)
{
	struct line *l = &s->line[hash & s->mask];

	for (;;) {
		uint64_t more;

		for (unsigned i = 0; i < LINE_SLOTS; i++)
			if (!atomic_load_explicit(&l->slot[i],
						  memory_order_relaxed))
				return &l->slot[i];
		more = atomic_load_explicit(&l->more, memory_order_relaxed);
		if (!more && s->spare == s->end)
			return NULL;
		if (!more) {
			more = s->spare++;
			atomic_store_explicit(&l->more, more,
					      memory_order_release);
		}
		l = &s->line[more];
	}
}

/* Where that value is: an item may be here by two hashes. */
static _Atomic uint64_t *slot_of(const struct line_set *s, uint64_t hash,
				 uint64_t value)
{
	uint64_t at = hash & s->mask;

	do {
		const struct line *l = &s->line[at];

		for (unsigned i = 0; i < LINE_SLOTS; i++) {
			uint64_t v = atomic_load_explicit(&l->slot[i],
							  memory_order_relaxed);

			if (v == value)
				return (_Atomic uint64_t *)&l->slot[i];
		}
		at = atomic_load_explicit(&l->more, memory_order_relaxed);
	} while (at);
	return NULL;
}

/* What is known of the hash of what began at line `first`. */
static uint64_t hash_of(uint64_t v, uint64_t first)
{
	return (v & LINE_TAG_MASK) << LINE_TAG_SHIFT |
	       (first & (LINES_MIN - 1));
}

/* One item; false: `to` has no line left. */
static bool copy_slot(struct line_set *to, uint64_t v, uint64_t first)
{
	_Atomic uint64_t *slot = slot_free(to, hash_of(v, first));

	if (slot)
		atomic_store_explicit(slot, v, memory_order_release);
	return slot;
}

/* What was copied of a line before that slot goes again. */
static void drop_copies(const struct line_set *from, uint64_t first,
			const struct line_set *to, const _Atomic uint64_t *end)
{
	const struct line *l = &from->line[first];
	unsigned i = 0;

	while (&l->slot[i] != end) {
		uint64_t v =
			atomic_load_explicit(&l->slot[i], memory_order_relaxed);

		if (v)
			atomic_store_explicit(slot_of(to, hash_of(v, first), v),
					      0, memory_order_release);
		if (++i < LINE_SLOTS)
			continue;
		i = 0;
		l = &from->line[atomic_load_explicit(&l->more,
						     memory_order_relaxed)];
	}
}

/* All that begins at one line; false: `to` has no line left, and then has
 * none of it. */
static bool copy_line(const struct line_set *from, uint64_t first,
		      struct line_set *to)
{
	uint64_t at = first;

	do {
		const struct line *l = &from->line[at];

		for (unsigned i = 0; i < LINE_SLOTS; i++) {
			uint64_t v = atomic_load_explicit(&l->slot[i],
							  memory_order_relaxed);

			if (!v || copy_slot(to, v, first))
				continue;
			drop_copies(from, first, to, &l->slot[i]);
			return false;
		}
		at = atomic_load_explicit(&l->more, memory_order_relaxed);
	} while (at);
	return true;
}

/* All from line `first` on. */
static bool copy_all(const struct line_set *from, uint64_t first,
		     struct line_set *to)
{
	while (first <= from->mask && copy_line(from, first, to))
		first++;
	return first > from->mask;
}

/* Both sets become one, at once. */
static int join(struct linetable *t, uint64_t lines)
{
	struct line_set *s = set_of(t);
	struct line_set *old = old_of(s);
	struct line_set *next = set_new(lines);

	if (!next)
		return HG_ENOMEM;
	if (!copy_all(s, 0, next) || (old && !copy_all(old, s->moved, next))) {
		set_free(next);
		return join(t, 2 * lines);
	}
	atomic_store_explicit(&t->set, next, memory_order_release);
	call_rcu(&s->rcu, set_retire);
	if (old)
		call_rcu(&old->rcu, set_retire);
	return HG_OK;
}

/* Moves so many lines of the old set, if there is one. */
static int move(struct linetable *t, uint64_t lines)
{
	struct line_set *s = set_of(t);
	struct line_set *old = old_of(s);

	if (!old)
		return HG_OK;
	for (; lines && s->moved <= old->mask; lines--, s->moved++)
		if (!copy_line(old, s->moved, s))
			return join(t, 2 * (s->mask + 1));
	if (s->moved <= old->mask)
		return HG_OK;
	atomic_store_explicit(&s->old, NULL, memory_order_release);
	call_rcu(&old->rcu, set_retire);
	return HG_OK;
}

/* A set of so many lines follows. */
static int follow(struct linetable *t, uint64_t lines)
{
	struct line_set *s;
	int err = move(t, UINT64_MAX); /* of an older one there is nothing */

	if (err)
		return err;
	s = set_new(lines);
	if (!s)
		return HG_ENOMEM;
	atomic_init(&s->old, set_of(t));
	atomic_store_explicit(&t->set, s, memory_order_release);
	return HG_OK;
}

int linetable_init(struct linetable *t)
{
	*t = (struct linetable){ .num = 0 };
	atomic_init(&t->set, set_new(LINES_MIN));
	return set_of(t) ? HG_OK : HG_ENOMEM;
}

void linetable_fini(struct linetable *t)
{
	struct line_set *s = set_of(t);

	if (s)
		set_free(old_of(s));
	set_free(s);
	atomic_store_explicit(&t->set, NULL, memory_order_relaxed);
}

static uint64_t slot_value(uint64_t hash, const void *item)
{
	uint64_t p = (uintptr_t)item;

	assert(p && !(p & 63) && !(p >> 48));
	return p << 16 | linetable_tag(hash);
}

int linetable_add(struct linetable *t, uint64_t hash, void *item)
{
	uint64_t lines = set_of(t)->mask + 1;
	_Atomic uint64_t *slot;

	/* Without memory for more it goes on as long as there is a slot. */
	(void)!move(t, MOVE_LINES);
	if (t->num >= lines * LOAD_MAX)
		(void)!follow(t, 2 * lines);
	slot = slot_free(set_of(t), hash);
	/* The lines that went on and are empty, or more of them. */
	for (unsigned i = 0; !slot && i < 2; i++) {
		if (follow(t, (set_of(t)->mask + 1) << i))
			break;
		slot = slot_free(set_of(t), hash);
	}
	if (!slot)
		return HG_ENOMEM;
	atomic_store_explicit(slot, slot_value(hash, item),
			      memory_order_release);
	t->num++;
	return HG_OK;
}

/* In both sets, if it is. */
static void store(struct linetable *t, uint64_t hash, const void *item,
		  uint64_t value)
{
	uint64_t is = slot_value(hash, item);
	bool found = false;

	for (struct line_set *s = set_of(t); s; s = old_of(s)) {
		_Atomic uint64_t *slot = slot_of(s, hash, is);

		found = found || slot;
		if (slot)
			atomic_store_explicit(slot, value,
					      memory_order_release);
	}
	assert(found);
}

void linetable_replace(struct linetable *t, uint64_t hash, const void *old,
		       void *item)
{
	store(t, hash, old, slot_value(hash, item));
}

void linetable_del(struct linetable *t, uint64_t hash, const void *item)
{
	store(t, hash, item, 0);
	t->num--;
}

/* The next item in the slots of a set, which begin at number `first`. */
static void *next_in(const struct line_set *s, size_t *i, size_t first)
{
	while (*i - first < s->spare * LINE_SLOTS) {
		size_t n = (*i)++ - first;
		uint64_t v = atomic_load_explicit(
			&s->line[n / LINE_SLOTS].slot[n % LINE_SLOTS],
			memory_order_relaxed);

		if (v)
			return linetable_item(v);
	}
	return NULL;
}

void *linetable_each(struct linetable *t, size_t *i)
{
	const struct line_set *s;
	const struct line_set *old;
	void *item;

	if (*i == 0)
		(void)!move(t, UINT64_MAX); /* without memory: two sets */
	s = set_of(t);
	old = old_of(s);
	item = next_in(s, i, 0);
	return item || !old ? item : next_in(old, i, s->spare * LINE_SLOTS);
}
