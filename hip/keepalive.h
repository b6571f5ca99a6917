/* SPDX-License-Identifier: MIT */
/* NAT keepalives (RFC 9028 4.10, 5.3). */
#pragma once

#include "hip/statetab.h"

#define KEEPALIVE_MIN_S 15 /* RFC 9028 4.10: no shorter */

/* Are we behind a NAT, as far as is known? */
bool keepalive_behind(const struct hip *h);
/* Whether it is a keepalive that is counted, and that is all. a: from whom,
 * or NULL. */
bool keepalive_input(struct hip *h, const struct packet *p, struct assoc *a);
/* Data have come. */
void keepalive_data(struct assoc *a, uint64_t now);
/* When one is due; ENGINE_NEVER. */
uint64_t keepalive_deadline(const struct hip *h, const struct assoc *a);
/* Sends what is due. */
void keepalive_timer(struct hip *h, struct assoc *a, uint64_t now);
/* Ours is back from its job, signed or not. */
void keepalive_signed(struct hip *h, struct assoc *a,
		      const struct hip_job *job);
