/* SPDX-License-Identifier: MIT */
/* What a worker has just looked up.
 *
 * THEORY OF OPERATION
 * Packets come in rows: a receive batch is mostly one SA's and one flow's.
 * So the last find of each kind is tried first, and hashing (SipHash over
 * 40 octets, and a walk) is for the first of a row. Pointers from a table
 * are good until the worker goes offline: recent_clear at each wake-up.
 * What control changes meanwhile is seen one wake-up later, as it is by a
 * worker that had looked it up just before.
 */
#pragma once

#include <string.h>

#include "tables.h"

struct recent {
	struct flow *flow; /* by its key */
	struct flow *back; /* by its HIP key */
	struct sa *in;
	struct sa *out;
};

static inline void recent_clear(struct recent *r)
{
	*r = (struct recent){ 0 };
}

static inline struct flow *recent_flow(struct recent *r, struct tables *t,
				       const struct nat_key *key)
{
	if (!r->flow || memcmp(&r->flow->nat.key, key, sizeof(*key)) != 0)
		r->flow = tables_flow(t, key);
	return r->flow;
}

static inline struct flow *recent_back(struct recent *r, struct tables *t,
				       const struct nat_back *key)
{
	if (!r->back || memcmp(&r->back->nat.back, key, sizeof(*key)) != 0)
		r->back = tables_flow_back(t, key);
	return r->back;
}

static inline struct sa *recent_in(struct recent *r, struct tables *t,
				   uint32_t spi)
{
	if (!r->in || r->in->spi_in != spi)
		r->in = tables_sa_in(t, spi);
	return r->in;
}

static inline struct sa *recent_out(struct recent *r, struct tables *t,
				    const struct hit *self,
				    const struct hit *peer)
{
	if (!r->out || !hit_eq(&r->out->peer, peer) ||
	    !hit_eq(&r->out->self, self))
		r->out = tables_sa_out(t, self, peer);
	return r->out;
}
