/* SPDX-License-Identifier: MIT */
/* The Initiator's part of the base exchange (RFC 7401 6.6, 6.8, 6.10). */
#pragma once

#include "hip/message.h"
#include "hip/statetab.h"

/* Ends an I1 to this peer, whose HIT may be null, with PADDING: as long as
 * its R1 may need (hip/i1credit.h). */
void initiator_pad_i1(struct msg_builder *b, const struct hit *peer);

/* Our address is gone in the middle of an exchange that we began. */
void initiator_moved(struct hip *h, struct assoc *a, uint64_t now);
void initiator_want(struct hip *h, struct event *ev);
void initiator_want_again(struct hip *h, struct event *ev);
void initiator_want_closed(struct hip *h, struct event *ev);
void initiator_want_joined(struct hip *h, struct event *ev);
void initiator_want_held(struct hip *h, struct event *ev);
void initiator_r1(struct hip *h, struct event *ev);
void initiator_r1_ok(struct hip *h, struct event *ev);
void initiator_i1_timer(struct hip *h, struct event *ev);
void initiator_i2_timer(struct hip *h, struct event *ev);
void initiator_held_timer(struct hip *h, struct event *ev);
