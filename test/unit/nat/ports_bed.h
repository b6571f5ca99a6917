/* SPDX-License-Identifier: MIT */
/* A daemon for tests of ports and ended flows: its table is a list. */
#pragma once

#include "test/unit/nat/nat_bed.h"

struct world {
	struct nat *n;
	struct nat_flow **v; /* published */
	size_t num;
	size_t cap;
	unsigned unpublished; /* by the NAT */
	unsigned discarded;
	struct nat_flow *last_out; /* unpublished */
	struct nat_flow *last_gone;
	uint64_t now;
};

static inline bool world_taken(void *arg, const struct nat_back *back)
{
	struct world *w = arg;

	for (size_t i = 0; i < w->num; i++)
		if (w->v[i]->back.ext_port == back->ext_port &&
		    memcmp(&w->v[i]->back, back, sizeof(*back)) == 0)
			return true;
	return false;
}

static inline bool world_has(const struct world *w, const struct nat_flow *f)
{
	for (size_t i = 0; i < w->num; i++)
		if (w->v[i] == f)
			return true;
	return false;
}

static inline void world_remove(struct world *w, struct nat_flow *f)
{
	for (size_t i = 0; i < w->num; i++)
		if (w->v[i] == f) {
			w->v[i] = w->v[--w->num];
			return;
		}
	ck_abort_msg("not published");
}

static inline void world_unpublish(void *arg, struct nat_flow *f)
{
	struct world *w = arg;

	world_remove(w, f);
	w->unpublished++;
	w->last_out = f;
}

static inline void world_discard(void *arg, struct nat_flow *f)
{
	struct world *w = arg;

	ck_assert(!world_has(w, f));
	ck_assert_str_eq(nat_state_name(f), "gone");
	memset(f->spare, 0xa5, sizeof(f->spare));
	w->discarded++;
	w->last_gone = f;
}

static inline void world_open(struct world *w, uint32_t flows,
			      uint32_t per_client)
{
	struct nat_config cfg = { .flows_max = flows,
				  .flows_per_client = per_client,
				  .taken = world_taken,
				  .unpublish = world_unpublish,
				  .discard = world_discard,
				  .arg = w };

	*w = (struct world){ .now = UINT64_C(1000000000000) };
	ck_assert_int_eq(nat_new(&cfg, &w->n), 0);
}

static inline void world_close(struct world *w)
{
	nat_free(w->n);
	free(w->v);
}

static inline struct nat_key key_of(const struct bed *b, unsigned proto,
				    uint16_t from, uint16_t to)
{
	return bed_flow(b, proto, from, 1, to).key;
}

static inline int world_bind_why(struct world *w, const struct bed *b,
				 const struct nat_key *k, struct nat_flow *f,
				 enum reason *why)
{
	int err = nat_bind(w->n, k, &b->self, &b->peer,
			   k->proto == IP_PROTO_TCP, w->now, f, why);

	ck_assert((err == 0) == (*why == REASON_NUM));
	if (err)
		return err;
	if (w->num == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->v = realloc(w->v, w->cap * sizeof(*w->v));
		ck_assert_ptr_nonnull(w->v);
	}
	w->v[w->num++] = f;
	return 0;
}

static inline int world_bind(struct world *w, const struct bed *b,
			     unsigned proto, uint16_t from, uint16_t to,
			     struct nat_flow *f)
{
	struct nat_key k = key_of(b, proto, from, to);
	enum reason why;

	return world_bind_why(w, b, &k, f, &why);
}

/* The daemon ends a flow by itself. */
static inline void world_end(struct world *w, struct nat_flow *f)
{
	world_remove(w, f);
	nat_release(w->n, f);
}
