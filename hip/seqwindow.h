/* SPDX-License-Identifier: MIT */
/* Which Update IDs of a peer are new (RFC 7401 6.12). */
#pragma once

#include "hip/assoc.h"

/* How far ahead a new one may be. */
#define SEQWINDOW_AHEAD 16

enum seqwindow_place {
	SEQWINDOW_NEW,
	SEQWINDOW_KNOWN,
	SEQWINDOW_OUTSIDE,
	SEQWINDOW_NUM
};

/* Where an Update ID stands. */
enum seqwindow_place seqwindow_place(const struct assoc_update *up,
				     uint32_t seq);
/* It has been processed. */
void seqwindow_mark(struct assoc_update *up, uint32_t seq);
/* UPDATEs are processed in the order in which they come (7401 6.12), and their
 * jobs may end in yet another one; but where the peer is, its newest set says.
 * Is the LOCATOR_SET of this one not older than all that were? Remembers it. */
bool seqwindow_newest_set(struct assoc_update *up, uint32_t seq);
