/* SPDX-License-Identifier: MIT */
/* room: hip */
/* An engine's associations, and whether a packet has changed them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "hip/hip.h"

#define ASSOC_LIMIT 3

/* What may not change by a stranger's packet. */
struct view {
	struct hip_peer peer[ASSOC_LIMIT];
	size_t num;
};

/* Not assert: optimised builds leave that out. */
static inline void must(bool ok)
{
	if (!ok)
		abort();
}

static inline void look(const struct hip_peer *p, void *arg)
{
	struct view *v = arg;

	must(v->num < ASSOC_LIMIT);
	v->peer[v->num] = *p;
	v->peer[v->num++].since = 0;
}

static inline struct view view_of(const struct hip *h)
{
	struct view v = { .num = 0 };

	hip_each_peer(h, look, &v);
	return v;
}

/* An R1's puzzle is not under its signature, so one that has been changed
 * there may be answered; it may do no more than that. */
static inline bool answered_r1(const struct hip_peer *was,
			       const struct hip_peer *is)
{
	return is->state == HIP_I2_SENT && is->spi_out == 0 &&
	       hit_eq(&was->peer, &is->peer) && hit_eq(&was->self, &is->self);
}

static inline void unchanged(const struct view *was, const struct view *is,
			     uint8_t type)
{
	must(was->num == is->num);
	for (size_t n = 0; n < was->num; n++) {
		const struct hip_peer *a = &was->peer[n];
		const struct hip_peer *b = &is->peer[n];

		if (type == HIP_R1 && answered_r1(a, b))
			continue;
		must(hit_eq(&a->self, &b->self) && hit_eq(&a->peer, &b->peer));
		must(a->state == b->state && a->initiator == b->initiator);
		must(endpoint_eq(&a->peer_at, &b->peer_at));
		must(a->spi_in == b->spi_in && a->spi_out == b->spi_out);
	}
}
