/* SPDX-License-Identifier: MIT */
/* What a worker saw, on its way to a capture; theory in tapring.h. */
#include "tapring.h"

#include <stdlib.h>
#include <string.h>

int tapring_new(uint32_t snaplen, struct tapring **out)
{
	struct tapring *r = aligned_alloc(_Alignof(struct tapring), sizeof(*r));

	if (!r)
		return HG_ENOMEM;
	memset(r, 0, offsetof(struct tapring, data));
	r->snaplen = snaplen;
	*out = r;
	return HG_OK;
}

void tapring_free(struct tapring *r)
{
	free(r);
}

static void ring_free(struct rcu_head *head)
{
	tapring_free(caa_container_of(head, struct tapring, rcu));
}

void tapring_retire(struct tapring *r)
{
	call_rcu(&r->rcu, ring_free);
}

static struct tap_record *at(struct tapring *r, uint64_t pos)
{
	return (struct tap_record *)(void *)(r->data +
					     (pos & (TAPRING_SIZE - 1)));
}

/* A record is in one piece: what is too short before the end is skipped. */
struct tap_record *tapring_put(struct tapring *r, enum tap_kind kind,
			       uint64_t when, size_t len)
{
	size_t caplen = len < r->snaplen ? len : r->snaplen;
	size_t size = (sizeof(struct tap_record) + caplen + 7) & ~(size_t)7;
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	size_t left = TAPRING_SIZE - (r->at & (TAPRING_SIZE - 1));
	size_t skip = left < size ? left : 0;
	struct tap_record *rec;

	if (skip + size > TAPRING_SIZE - (r->at - tail)) {
		atomic_fetch_add_explicit(&r->lost, 1, memory_order_relaxed);
		return NULL;
	}
	if (skip)
		at(r, r->at)->size = 0; /* 8 octets at least are there */
	rec = at(r, r->at + skip);
	memset(rec, 0, sizeof(*rec));
	rec->size = (uint32_t)size;
	rec->kind = (uint8_t)kind;
	rec->reason = REASON_NUM;
	rec->when = when;
	rec->len = (uint32_t)len;
	rec->caplen = (uint32_t)caplen;
	r->at += skip + size;
	return rec;
}

void tapring_publish(struct tapring *r)
{
	atomic_store_explicit(&r->head, r->at, memory_order_release);
}

const struct tap_record *tapring_peek(struct tapring *r)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

	while (tail != head) {
		const struct tap_record *rec = at(r, tail);

		if (rec->size && rec->kind != TAP_VOID)
			return rec;
		tail += rec->size ? rec->size
				  : TAPRING_SIZE - (tail & (TAPRING_SIZE - 1));
		atomic_store_explicit(&r->tail, tail, memory_order_release);
	}
	return NULL;
}

void tapring_done(struct tapring *r, const struct tap_record *rec)
{
	atomic_fetch_add_explicit(&r->tail, rec->size, memory_order_release);
}
