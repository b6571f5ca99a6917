/* SPDX-License-Identifier: MIT */
/* When is what due: a binary heap of timers embedded in their owners. */
/* THEORY OF OPERATION
 * Each association, registration and pool has one timer that stands for
 * the earliest of all it waits for. Setting costs log n, the earliest is
 * at the top, so 100000 associations cost a tick nothing while idle.
 * Memory is promised when an owner is made (reserve), never when a timer
 * is set: setting cannot fail. Owner: the engine's thread.
 */
#include "hip/dueheap.h"

#include <assert.h>
#include <stdlib.h>

void dueheap_fini(struct dueheap *h)
{
	free(h->v);
	*h = (struct dueheap){ 0 };
}

int dueheap_reserve(struct dueheap *h)
{
	uint32_t cap;
	struct due **v;

	if (h->owners < h->cap) {
		h->owners++;
		return HG_OK;
	}
	if (h->cap > UINT32_MAX / 2)
		return HG_EFULL;
	cap = h->cap ? h->cap * 2 : 64;
	v = realloc(h->v, cap * sizeof(struct due *));
	if (!v)
		return HG_ENOMEM;
	h->v = v;
	h->cap = cap;
	h->owners++;
	return HG_OK;
}

void dueheap_leave(struct dueheap *h, struct due *d)
{
	dueheap_clear(h, d);
	assert(h->owners > 0);
	h->owners--;
}

static void place(struct dueheap *h, uint32_t i, struct due *d)
{
	h->v[i] = d;
	d->slot = i + 1;
}

static void sift_up(struct dueheap *h, uint32_t i, struct due *d)
{
	while (i > 0) {
		uint32_t up = (i - 1) / 2;

		if (h->v[up]->at <= d->at)
			break;
		place(h, i, h->v[up]);
		i = up;
	}
	place(h, i, d);
}

static void sift_down(struct dueheap *h, uint32_t i, struct due *d)
{
	for (;;) {
		uint32_t kid = 2 * i + 1;

		if (kid >= h->num)
			break;
		if (kid + 1 < h->num && h->v[kid + 1]->at < h->v[kid]->at)
			kid++;
		if (d->at <= h->v[kid]->at)
			break;
		place(h, i, h->v[kid]);
		i = kid;
	}
	place(h, i, d);
}

void dueheap_clear(struct dueheap *h, struct due *d)
{
	uint32_t i;
	struct due *last;

	if (!d->slot)
		return;
	i = d->slot - 1;
	assert(i < h->num && h->v[i] == d);
	d->slot = 0;
	last = h->v[--h->num];
	if (last == d)
		return;
	if (i > 0 && last->at < h->v[(i - 1) / 2]->at)
		sift_up(h, i, last);
	else
		sift_down(h, i, last);
}

void dueheap_set(struct dueheap *h, struct due *d, uint64_t at)
{
	if (d->slot && d->at == at)
		return;
	dueheap_clear(h, d);
	d->at = at;
	if (at == UINT64_MAX)
		return;
	assert(h->num < h->cap);
	h->num++;
	sift_up(h, h->num - 1, d);
}

struct due *dueheap_first(const struct dueheap *h)
{
	return h->num ? h->v[0] : NULL;
}
