/* SPDX-License-Identifier: MIT */
/* Memory of flows.
 *
 * THEORY OF OPERATION
 * A flow is three cache lines, and there may be a million: malloc would add
 * a fifth to that and break the alignment. So flows are cut from chunks of
 * 2 MiB, for which huge pages are asked: a look-up among many flows costs
 * most by what it misses in the TLB.
 *
 * The control thread takes; a flow comes back after its grace period, in
 * liburcu's thread, which pushes it on `returned`: others only push, control
 * only takes all of it, so a compare-and-swap does. Chunks are kept until
 * the end: the pool stays as large as the most flows there were.
 */
#include "flowpool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK (UINT64_C(2) << 20)

/* Stands in the place of a chunk's first flow. Chunks are aligned to their
 * size, so a flow leads to it. */
struct flow_chunk {
	struct flow_chunk *next;
	struct flow_pool *pool;
};

enum { PER_CHUNK = CHUNK / sizeof(struct flow) - 1 };

_Static_assert(sizeof(struct flow_chunk) <= sizeof(struct flow), "fits");

static struct flow_pool *pool_of(const struct flow *f)
{
	const struct flow_chunk *c =
		(void *)((uintptr_t)f & ~(uintptr_t)(CHUNK - 1));

	return c->pool;
}

static bool grow(struct flow_pool *p)
{
	struct flow *f = aligned_alloc(CHUNK, CHUNK);
	struct flow_chunk *c = (struct flow_chunk *)f;

	if (!f)
		return false;
	(void)madvise(f, CHUNK, MADV_HUGEPAGE); /* it works without, too */
	c->next = p->chunks;
	c->pool = p;
	p->chunks = c;
	for (size_t i = PER_CHUNK; i > 0; i--) {
		f[i].next_free = p->free;
		p->free = &f[i];
	}
	return true;
}

struct flow *flowpool_take(struct flow_pool *p)
{
	struct flow *f;

	if (!p->free)
		p->free = atomic_exchange_explicit(&p->returned, NULL,
						   memory_order_acquire);
	if (!p->free && !grow(p))
		return NULL;
	f = p->free;
	p->free = f->next_free;
	return memset(f, 0, sizeof(*f));
}

void flowpool_give(struct flow_pool *p, struct flow *f)
{
	f->next_free = p->free;
	p->free = f;
}

static void give_back(struct rcu_head *head)
{
	struct flow *f = caa_container_of(head, struct flow, rcu);
	struct flow_pool *p = pool_of(f);

	f->next_free = atomic_load_explicit(&p->returned, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&p->returned, &f->next_free, f, memory_order_release,
		memory_order_relaxed))
		;
}

void flowpool_retire(struct flow *f)
{
	call_rcu(&f->rcu, give_back);
}

void flowpool_fini(struct flow_pool *p)
{
	while (p->chunks) {
		struct flow_chunk *c = p->chunks;

		p->chunks = c->next;
		free(c);
	}
	*p = (struct flow_pool){ 0 };
}
