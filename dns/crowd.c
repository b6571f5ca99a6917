/* SPDX-License-Identifier: MIT */
/* How many questions each network has in flight; theory in crowd.h. */
#include "dns/crowd.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

struct crowd_net {
	struct crowd_net *next;		  /* in its bucket */
	struct crowd_net *before, *after; /* of its size, the first one first */
	struct addr addr;
	size_t num;
	struct crowd_seat *oldest, *newest;
};

struct size_list {
	struct crowd_net *first, *last;
};

struct crowd {
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	size_t most; /* the largest size there is */
	size_t mask; /* buckets - 1 */
	struct crowd_net **buckets;
	struct size_list sizes[]; /* max + 1 */
};

int crowd_new(size_t max, struct crowd **out)
{
	struct crowd *c = calloc(1, sizeof(*c) + (max + 1) * sizeof(*c->sizes));
	size_t buckets = 64;

	if (!c)
		return HG_ENOMEM;
	while (buckets < max)
		buckets *= 2;
	c->mask = buckets - 1;
	randombytes_buf(c->hash_key, sizeof(c->hash_key));
	c->buckets = calloc(buckets, sizeof(struct crowd_net *));
	if (!c->buckets) {
		free(c);
		return HG_ENOMEM;
	}
	*out = c;
	return HG_OK;
}

void crowd_free(struct crowd *c)
{
	if (c)
		free(c->buckets);
	free(c);
}

static struct addr network(const struct addr *client)
{
	struct addr a = *client;

	if (addr_is4(client))
		a.b[15] = 0;
	else
		memset(a.b + 8, 0, 8);
	return a;
}

static struct crowd_net **bucket(const struct crowd *c, const struct addr *net)
{
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, net->b, sizeof(net->b), c->hash_key);
	return &c->buckets[get_be64(h) & c->mask];
}

static void list_join(struct crowd *c, struct crowd_net *n)
{
	struct size_list *list = &c->sizes[n->num];

	n->before = list->last;
	n->after = NULL;
	*(n->before ? &n->before->after : &list->first) = n;
	list->last = n;
}

static void list_leave(struct crowd *c, struct crowd_net *n)
{
	struct size_list *list = &c->sizes[n->num];

	*(n->before ? &n->before->after : &list->first) = n->after;
	*(n->after ? &n->after->before : &list->last) = n->before;
}

static struct crowd_net *net_get(struct crowd *c, const struct addr *client)
{
	struct addr addr = network(client);
	struct crowd_net **b = bucket(c, &addr);
	struct crowd_net *n = *b;

	while (n && !addr_eq(&n->addr, &addr))
		n = n->next;
	if (n)
		return n;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	n->addr = addr;
	n->next = *b;
	*b = n;
	list_join(c, n);
	return n;
}

static void net_end(struct crowd *c, struct crowd_net *n)
{
	struct crowd_net **b = bucket(c, &n->addr);

	while (*b != n)
		b = &(*b)->next;
	*b = n->next;
	list_leave(c, n);
	free(n);
}

int crowd_join(struct crowd *c, const struct addr *client,
	       struct crowd_seat *seat)
{
	struct crowd_net *n = net_get(c, client);

	if (!n)
		return HG_ENOMEM;
	seat->net = n;
	seat->older = n->newest;
	seat->newer = NULL;
	*(seat->older ? &seat->older->newer : &n->oldest) = seat;
	n->newest = seat;
	list_leave(c, n);
	n->num++;
	list_join(c, n);
	if (n->num > c->most)
		c->most = n->num;
	return HG_OK;
}

void crowd_leave(struct crowd *c, struct crowd_seat *seat)
{
	struct crowd_net *n = seat->net;

	if (!n)
		return;
	*(seat->older ? &seat->older->newer : &n->oldest) = seat->newer;
	*(seat->newer ? &seat->newer->older : &n->newest) = seat->older;
	seat->net = NULL;
	list_leave(c, n);
	n->num--;
	list_join(c, n);
	/* It has gone to the size below, if no other is as large. */
	if (!c->sizes[c->most].first)
		c->most--;
	if (n->num == 0)
		net_end(c, n);
}

size_t crowd_most(const struct crowd *c)
{
	return c->most;
}

struct question *crowd_oldest(const struct crowd *c)
{
	return c->most ? c->sizes[c->most].first->oldest->q : NULL;
}
