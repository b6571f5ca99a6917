/* SPDX-License-Identifier: MIT */
/* Which Update IDs of a peer are new (RFC 7401 6.12). */
#include "hip/seqwindow.h"

#define BITS 32 /* of in_seen */

/* Ids are circular. */
enum seqwindow_place seqwindow_place(const struct assoc_update *up,
				     uint32_t seq)
{
	uint32_t ahead = seq - up->in_high;
	uint32_t behind = up->in_high - seq;

	if (ahead >= 1 && ahead <= SEQWINDOW_AHEAD)
		return SEQWINDOW_NEW;
	if (behind >= BITS)
		return SEQWINDOW_OUTSIDE;
	/* Their first id is 0: none comes before it. */
	if (!up->in_far && (up->in_high == UINT32_MAX || seq > up->in_high))
		return SEQWINDOW_OUTSIDE;
	return up->in_seen & (UINT32_C(1) << behind) ? SEQWINDOW_KNOWN
						     : SEQWINDOW_NEW;
}

void seqwindow_mark(struct assoc_update *up, uint32_t seq)
{
	uint32_t ahead = seq - up->in_high;

	if (ahead >= 1 && ahead <= SEQWINDOW_AHEAD) {
		up->in_seen = up->in_seen << ahead | 1;
		up->in_high = seq;
		up->in_far = up->in_far || seq >= BITS;
	} else if (up->in_high - seq < BITS) {
		up->in_seen |= UINT32_C(1) << (up->in_high - seq);
	}
}

bool seqwindow_newest_set(struct assoc_update *up, uint32_t seq)
{
	if (up->in_has_set && (int32_t)(seq - up->in_set) < 0)
		return false;
	up->in_has_set = true;
	up->in_set = seq;
	return true;
}
