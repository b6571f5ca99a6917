/* SPDX-License-Identifier: MIT */
/* Who the proxy serves: its flows, summed up by client. */
#include "viewclients.h"

#include <stdlib.h>
#include <string.h>

#include "gate.h"
#include "jsonof.h"

struct sum {
	struct addr client;
	uint64_t flows, out_packets, in_packets;
	uint64_t last; /* ns */
};

/* Open addressing; never more than half full. */
struct sums {
	struct gate *g;
	struct sum *cell;
	size_t cap; /* a power of two, or 0 */
	size_t used;
	bool full; /* no memory: what is missing is missing */
};

/* The client's cell, or where it goes. */
static struct sum *find(const struct sums *s, const struct addr *client)
{
	uint64_t h = tables_hash(&s->g->plane.tables, client, sizeof(*client));

	while (s->cell[h & (s->cap - 1)].flows &&
	       !addr_eq(&s->cell[h & (s->cap - 1)].client, client))
		h++;
	return &s->cell[h & (s->cap - 1)];
}

static bool grow(struct sums *s)
{
	struct sums more = { .g = s->g, .cap = s->cap ? s->cap * 2 : 256 };

	if (s->used < s->cap / 2)
		return true;
	more.cell = calloc(more.cap, sizeof(*more.cell));
	if (!more.cell)
		return false;
	for (size_t i = 0; i < s->cap; i++) {
		if (s->cell[i].flows)
			*find(&more, &s->cell[i].client) = s->cell[i];
	}
	more.used = s->used;
	free(s->cell);
	*s = more;
	return true;
}

static void add(struct flow *f, void *arg)
{
	struct sums *s = arg;
	uint64_t last =
		atomic_load_explicit(&f->nat.last, memory_order_relaxed);
	struct sum *c;

	s->full = s->full || !grow(s);
	if (s->full)
		return;
	c = find(s, &f->nat.key.client);
	if (!c->flows++) {
		c->client = f->nat.key.client;
		s->used++;
	}
	c->out_packets +=
		atomic_load_explicit(&f->nat.out_packets, memory_order_relaxed);
	c->in_packets +=
		atomic_load_explicit(&f->nat.in_packets, memory_order_relaxed);
	if (last > c->last)
		c->last = last;
}

json_t *viewclients(struct gate *g)
{
	struct sums s = { .g = g };
	json_t *all = json_array();

	tables_each_flow(&g->plane.tables, add, &s);
	for (size_t i = 0; i < s.cap; i++) {
		const struct sum *c = &s.cell[i];

		if (!c->flows)
			continue;
		(void)json_array_append_new(
			all,
			json_pack("{s:o,s:o,s:o,s:o,s:o}", "client",
				  jsonof_addr(&c->client), "flows",
				  jsonof_number(c->flows), "out_packets",
				  jsonof_number(c->out_packets), "in_packets",
				  jsonof_number(c->in_packets), "idle_s",
				  jsonof_since(c->last)));
	}
	free(s.cell);
	return all;
}
