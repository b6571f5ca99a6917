/* SPDX-License-Identifier: MIT */
/* How many questions each network has in flight, and which has most. */
#pragma once

#include <stddef.h>

#include "core/addr.h"
#include "core/err.h"

/* THEORY OF OPERATION
 * A client is an address, and one network has many: an IPv6 /64, an IPv4 /24,
 * or whoever forges sources within it. The bound of one client does not keep them
 * from the whole table; so when that is full, the network that has most pays
 * for the next question, with its oldest. Networks of one size stand in one
 * list, so that joining, leaving and finding the largest cost the same
 * however many there are: a network that changes goes to the next list, and
 * the largest size changes by one. Of several that are as large the one that
 * came to that size first pays. Bounds: max seats, and as many networks.
 * Owner: the control thread.
 */
#define CROWD_SHARE 256 /* who has less than this part has not filled it */

struct question;
struct crowd;
struct crowd_net;

/* A question's, in it. */
struct crowd_seat {
	struct question *q;
	struct crowd_net *net; /* NULL: it has none */
	struct crowd_seat *older, *newer;
};

int crowd_new(size_t max, struct crowd **out) HG_CHECK;
/* Each seat has left. */
void crowd_free(struct crowd *c);
int crowd_join(struct crowd *c, const struct addr *client,
	       struct crowd_seat *seat) HG_CHECK;
/* Nothing for one that has no network. */
void crowd_leave(struct crowd *c, struct crowd_seat *seat);
/* How many the largest network has. */
size_t crowd_most(const struct crowd *c);
/* The oldest of the largest network; NULL: nobody has a seat. */
struct question *crowd_oldest(const struct crowd *c);
