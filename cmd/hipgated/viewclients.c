/* SPDX-License-Identifier: MIT */
/* Who the proxy serves: its flows, summed up by client.
 *
 * THEORY OF OPERATION
 * There may be a million flows, and nearly as many clients. So a list is
 * worked out in two walks, some items at a time: over the flows, each of which
 * is added to its client's sum, and then over the sums, each of which is a
 * row. Sums are found by a table of the same kind as the flows'. When that of
 * the flows has grown meanwhile, its order is another: the first walk begins
 * anew, so that nothing is counted twice. The sums are kept until the list has
 * been read, which takes as long as its reader likes: there are VIEWCLIENTS_MAX
 * such lists at most. Control thread only.
 */
#include "viewclients.h"

#include <stdlib.h>

#include "gate.h"
#include "jsonof.h"

struct sum {
	_Alignas(64) struct addr client;
	uint64_t flows, out_packets, in_packets;
	uint64_t last;		  /* ns */
	union linepool_link link; /* the pool's; no sum goes alone */
};

struct viewclients {
	struct gate *g;
	struct linetable by_client;
	struct linepool pool;
	const void *place; /* of the flows, when the first walk began */
	bool summed;	   /* it has ended */
};

static bool begin(struct viewclients *v, struct gate *g)
{
	v->g = g;
	g->client_lists++;
	linepool_init(&v->pool, sizeof(struct sum), offsetof(struct sum, link),
		      false);
	v->place = linetable_place(&g->plane.tables.flow_key);
	return linetable_init(&v->by_client) == HG_OK;
}

static void end(struct viewclients *v)
{
	v->g->client_lists--;
	linetable_fini(&v->by_client);
	linepool_fini(&v->pool);
}

void viewclients_free(struct viewclients *v)
{
	if (v)
		end(v);
	free(v);
}

static bool is_client(const void *item, const void *key)
{
	return addr_eq(&((const struct sum *)item)->client, key);
}

/* The client's sum, or NULL: no memory. */
static struct sum *sum_of(struct viewclients *v, const struct gate *g,
			  const struct addr *client)
{
	uint64_t hash = tables_hash(&g->plane.tables, client, sizeof(*client));
	struct sum *s = linetable_find(&v->by_client, hash, is_client, client);

	if (s)
		return s;
	s = linepool_take(&v->pool);
	if (!s)
		return NULL;
	s->client = *client;
	if (linetable_add(&v->by_client, hash, s) == HG_OK)
		return s;
	linepool_give(&v->pool, s);
	return NULL;
}

/* Without memory for it, it is missing in the list. */
static void add(struct viewclients *v, const struct gate *g, struct flow *f)
{
	uint64_t last =
		atomic_load_explicit(&f->nat.last, memory_order_relaxed);
	struct sum *s = sum_of(v, g, &f->nat.key.client);

	if (!s)
		return;
	s->flows++;
	s->out_packets +=
		atomic_load_explicit(&f->nat.out_packets, memory_order_relaxed);
	s->in_packets +=
		atomic_load_explicit(&f->nat.in_packets, memory_order_relaxed);
	if (last > s->last)
		s->last = last;
}

/* True: all flows are in the sums. */
static bool sum_some(struct viewclients *v, struct gate *g, size_t *at)
{
	struct linetable *flows = &g->plane.tables.flow_key;

	for (unsigned n = 0; n < VIEWS_SEEN; n++) {
		struct flow *f = linetable_each(flows, at);

		if (!f)
			return true;
		add(v, g, f);
	}
	return false;
}

static bool show_some(struct viewclients *v, size_t *at, json_t *rows)
{
	for (unsigned n = 0; n < VIEWS_ROWS; n++) {
		const struct sum *s = linetable_each(&v->by_client, at);

		if (!s)
			return false;
		(void)json_array_append_new(
			rows,
			json_pack("{s:o,s:o,s:o,s:o,s:o}", "client",
				  jsonof_addr(&s->client), "flows",
				  jsonof_number(s->flows), "out_packets",
				  jsonof_number(s->out_packets), "in_packets",
				  jsonof_number(s->in_packets), "idle_s",
				  jsonof_since(s->last)));
	}
	return true;
}

/* False: w->why, or there is no memory. */
static bool start(struct gate *g, struct views_walk *w)
{
	struct viewclients *v;

	if (g->client_lists == VIEWCLIENTS_MAX) {
		w->why = "four others have asked for this list and read it "
			 "still; ask again when one of them has";
		return false;
	}
	v = calloc(1, sizeof(*v));
	w->sums = v;
	if (v && begin(v, g))
		return true;
	w->why = "there is no memory for the answer";
	return false;
}

bool viewclients_more(struct gate *g, struct views_walk *w, json_t *rows)
{
	struct viewclients *v = w->sums;

	if (v && v->summed)
		return show_some(v, &w->at, rows);
	if (v && v->place != linetable_place(&g->plane.tables.flow_key))
		views_give_up(w);
	if (!w->sums && !start(g, w))
		return false;
	v = w->sums;
	v->summed = sum_some(v, g, &w->at);
	if (!v->summed)
		return true;
	w->at = 0;
	return show_some(v, &w->at, rows);
}
