/* SPDX-License-Identifier: MIT */
/* Beginning without the peer's HIT, and answering that (RFC 7401 4.1.8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hip/dueheap.h"
#include "hip/hip.h"

#define OPPORTUNISTIC_MAX 16 /* addresses that are asked at a time */

struct opportunistic;

struct opportunistics {
	struct opportunistic *v[OPPORTUNISTIC_MAX];
	size_t num;
};

struct assoc;
struct packet;

void opportunistic_fini(struct hip *h);
/* Ends the wishes of an identity that goes: HIP_FAILED. */
void opportunistic_leave(struct hip *h, const struct hit *self);
/* The same for those to an address that new access rules deny. */
void opportunistic_admit(struct hip *h);
/* An I1 to no HIT: true when it is to be answered, and then by the HIT that
 * has been put into p. Else it has been dropped. */
bool opportunistic_i1(struct hip *h, struct packet *p);
/* R2 has proved that the peer is there: HIP_FOUND. */
void opportunistic_proved(struct hip *h, const struct assoc *a);
/* An R1: was it asked for this way? a: the association of its HITs or NULL.
 * True: it is in work, or has been dropped. */
bool opportunistic_r1(struct hip *h, const struct packet *p,
		      const struct assoc *a);
/* The job of such an R1 is back. */
void opportunistic_done(struct hip *h, struct hip_job *job, struct packet *p);
void opportunistic_timer(struct hip *h, struct due *d, uint64_t now);
