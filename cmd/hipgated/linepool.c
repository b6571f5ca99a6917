/* SPDX-License-Identifier: MIT */
/* Memory of small items that are whole cache lines.
 *
 * THEORY OF OPERATION
 * There may be a million flows of three cache lines each, or mappings of
 * one: malloc would add a fifth to the former and more than double the
 * latter, since it keeps 16 octets before each aligned piece. So items are
 * cut from chunks. Those of a pool that asks for it are huge pages: a look-up
 * among many items costs most by what it misses in the TLB.
 *
 * The control thread takes: what came back, else what no one had yet. An
 * item comes back after its grace period, in liburcu's thread, which pushes
 * it on `returned`: others only push, control only takes all of it, so a
 * compare-and-swap does. Chunks are kept until the end: the pool stays as
 * large as the most items there were, and whoever uses it has the bound.
 *
 * What nobody has is poisoned for AddressSanitizer, but for its link.
 */
#include "linepool.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <sanitizer/asan_interface.h> /* nothing without it */

enum { SMALL = 64 << 10, HUGE = 2 << 20 }; /* octets of a chunk */

/* Stands in the place of a chunk's first item. Chunks are aligned to their
 * size, so an item leads to it. */
struct linepool_chunk {
	struct linepool_chunk *next;
	struct linepool *pool;
};

void linepool_init(struct linepool *p, size_t item, size_t link, bool huge)
{
	assert(item % 64 == 0 && item >= sizeof(struct linepool_chunk));
	assert(link % 8 == 0 && link + sizeof(union linepool_link) <= item);
	*p = (struct linepool){ .item = item,
				.link = link,
				.chunk = huge ? HUGE : SMALL };
}

static union linepool_link *link_of(const struct linepool *p, void *item)
{
	return (union linepool_link *)((char *)item + p->link);
}

static void *item_of(const struct linepool *p, union linepool_link *l)
{
	return (char *)l - p->link;
}

/* Nobody may look at it, but for its link. */
static void poison(const struct linepool *p, void *item)
{
	size_t behind = p->link + sizeof(union linepool_link);

	ASAN_POISON_MEMORY_REGION(item, p->link);
	ASAN_POISON_MEMORY_REGION((char *)item + behind, p->item - behind);
}

static bool grow(struct linepool *p)
{
	struct linepool_chunk *c = aligned_alloc(p->chunk, p->chunk);

	if (!c)
		return false;
	if (p->chunk == HUGE) /* it works without, too */
		(void)madvise(c, p->chunk, MADV_HUGEPAGE);
	c->next = p->chunks;
	c->pool = p;
	p->chunks = c;
	p->fresh = (char *)c + p->item;
	p->fresh_num = p->chunk / p->item - 1;
	ASAN_POISON_MEMORY_REGION(p->fresh, p->fresh_num * p->item);
	return true;
}

static void *take_fresh(struct linepool *p)
{
	void *item;

	if (!p->fresh_num && !grow(p))
		return NULL;
	item = p->fresh;
	p->fresh += p->item;
	p->fresh_num--;
	return item;
}

void *linepool_take(struct linepool *p)
{
	void *item;

	if (!p->free)
		p->free = atomic_exchange_explicit(&p->returned, NULL,
						   memory_order_acquire);
	if (p->free) {
		item = item_of(p, p->free);
		p->free = p->free->next_free;
	} else {
		item = take_fresh(p);
	}
	if (!item)
		return NULL;
	ASAN_UNPOISON_MEMORY_REGION(item, p->item);
	return memset(item, 0, p->item);
}

void linepool_give(struct linepool *p, void *item)
{
	union linepool_link *l = link_of(p, item);

	poison(p, item);
	l->next_free = p->free;
	p->free = l;
}

static void push(struct linepool *p, union linepool_link *l)
{
	poison(p, item_of(p, l));
	l->next_free = atomic_load_explicit(&p->returned, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&p->returned, &l->next_free, l, memory_order_release,
		memory_order_relaxed))
		;
}

/* The link's chunk, of so many octets, knows its pool. */
static void give_back(struct rcu_head *head, uintptr_t chunk)
{
	const struct linepool_chunk *c =
		(const void *)((uintptr_t)head & ~(chunk - 1));

	push(c->pool, caa_container_of(head, union linepool_link, rcu));
}

static void give_back_huge(struct rcu_head *head)
{
	give_back(head, HUGE);
}

static void give_back_small(struct rcu_head *head)
{
	give_back(head, SMALL);
}

void linepool_retire(struct linepool *p, void *item)
{
	call_rcu(&link_of(p, item)->rcu,
		 p->chunk == HUGE ? give_back_huge : give_back_small);
}

void linepool_fini(struct linepool *p)
{
	while (p->chunks) {
		struct linepool_chunk *c = p->chunks;

		p->chunks = c->next;
		free(c);
	}
	linepool_init(p, p->item, p->link, p->chunk == HUGE);
}
