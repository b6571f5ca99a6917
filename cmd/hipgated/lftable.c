/* SPDX-License-Identifier: MIT */
/* A liburcu hash table that grows.
 *
 * THEORY OF OPERATION
 * liburcu can resize its tables by itself, but up to 0.13 it queues that
 * work first and notes afterwards that it is queued: when its thread is done
 * before the note is taken, the table is never resized again, and each
 * look-up walks through all there is. So the thread that adds counts here,
 * and asks for twice the buckets when there are as many nodes as buckets.
 * liburcu's callback thread does it; readers and writers go on meanwhile.
 * Tables do not shrink.
 */
#include "lftable.h"

#define SIZE_MIN 64

int lftable_init(struct lftable *t)
{
	*t = (struct lftable){ .size = SIZE_MIN };
	atomic_init(&t->growing, false);
	t->ht = cds_lfht_new(SIZE_MIN, SIZE_MIN, 0, 0, NULL);
	return t->ht ? HG_OK : HG_ENOMEM;
}

void lftable_fini(struct lftable *t)
{
	if (!t->ht)
		return;
	rcu_barrier(); /* growing, perhaps */
	(void)cds_lfht_destroy(t->ht, NULL);
	t->ht = NULL;
}

static void grow(struct rcu_head *head)
{
	struct lftable *t = caa_container_of(head, struct lftable, grow);

	cds_lfht_resize(t->ht, t->size);
	atomic_store_explicit(&t->growing, false, memory_order_release);
}

void lftable_added(struct lftable *t)
{
	t->num++;
	if (t->num <= t->size ||
	    atomic_load_explicit(&t->growing, memory_order_acquire))
		return;
	while (t->size < t->num)
		t->size *= 2;
	atomic_store_explicit(&t->growing, true, memory_order_relaxed);
	call_rcu(&t->grow, grow);
}

void lftable_removed(struct lftable *t)
{
	t->num--;
}
