/* SPDX-License-Identifier: MIT */
/* Substitute addresses: which one denotes which HIT (patent step D).
 *
 * THEORY OF OPERATION
 * The IPv6 substitute is a function of the HIT, the site key and the pool:
 * a restart, or a twin proxy with the same key, gives the same address
 * without being told. The price is that two HITs may want one address; then
 * the newcomer is refused (product.md T9) and nobody's address moves. The
 * IPv4 pool is too small for that: a hash says where to begin, the next
 * free address is taken, and the daemon's journal remembers: what it says of
 * IPv4 stays, whatever became of the site key and the IPv6 pool. What a
 * journal that was lost had given is not known: for a while (hold4) none is
 * made.
 *
 * An address never comes to denote another HIT: entries with an IPv4
 * substitute are never deleted while the table lives. Those without, whose
 * address follows from the HIT, may end when there are lease_config.max of
 * all: the one that was not asked for the longest time, if the daemon lets it
 * go. IPv4 substitutes are for half of them, so that there are such (T8); all
 * can have one where there is no IPv6 pool, and none ends. Owner: the control
 * thread.
 */
#include "dns/dns.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/pool.h"
#include "dns/quota.h"

/* Hashes tried until one is no reserved number; with 16 host bits or more,
 * that 16 in a row are reserved does not happen. */
#define DRAWS_MAX 16
#define END_LOOK 16 /* leases in a row that may be found in use */
#define NARROW6 80
#define QUOTA_NS (86400 * UINT64_C(1000000000))

enum lease_key { KEY_HIT, KEY_SUB6, KEY_SUB4, KEY_NUM };

/* A struct lease_entry whose name takes no more than it needs: there may be
 * a million. */
struct lease_node {
	struct lease_node *next[KEY_NUM]; /* in its bucket, by key */
	struct lease_node *older, *newer; /* in its list */
	uint64_t asked;			  /* ns; 0: not since the start */
	struct hit hit;
	struct addr sub6;
	struct addr sub4;
	char name[];
};

/* By when they were asked for. */
struct lease_list {
	struct lease_node *oldest, *newest;
};

struct lease {
	struct lease_config cfg;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	struct lease_list lasting; /* with an IPv4 substitute, */
	struct lease_list passing; /*  and without */
	size_t num;
	uint64_t quota_since; /* ns */
	struct quota *quota;
	uint32_t used4;
	size_t mask; /* buckets - 1 */
	struct lease_node **buckets[KEY_NUM];
};

static_assert(sizeof(struct addr) == 16 && sizeof(struct hit) == 16,
	      "keys are 16 octets");

int lease_new(const struct lease_config *cfg, struct lease **out)
{
	struct lease *l;
	size_t buckets = 64;

	if (!pool_is_sane(&cfg->pool6, &cfg->pool4))
		return HG_EINVAL;
	l = calloc(1, sizeof(*l));
	if (!l)
		return HG_ENOMEM;
	l->cfg = *cfg;
	if (l->cfg.max == 0)
		l->cfg.max = LEASE_MAX;
	/* Where two HITs may come to one address, none is ever free again. */
	if (l->cfg.pool6.len > NARROW6)
		l->cfg.let_go = NULL;
	while (buckets < l->cfg.max)
		buckets *= 2;
	l->mask = buckets - 1;
	randombytes_buf(l->hash_key, sizeof(l->hash_key));
	if (quota_new(l->cfg.max, &l->quota))
		goto fail;
	for (unsigned k = 0; k < KEY_NUM; k++) {
		l->buckets[k] = calloc(buckets, sizeof(l->buckets[k][0]));
		if (!l->buckets[k])
			goto fail;
	}
	*out = l;
	return HG_OK;
fail:
	lease_free(l);
	return HG_ENOMEM;
}

static void list_free(struct lease_list *list)
{
	while (list->oldest) {
		struct lease_node *n = list->oldest;

		list->oldest = n->newer;
		free(n);
	}
}

void lease_free(struct lease *l)
{
	if (!l)
		return;
	list_free(&l->lasting);
	list_free(&l->passing);
	for (unsigned k = 0; k < KEY_NUM; k++)
		free(l->buckets[k]);
	quota_free(l->quota);
	sodium_memzero(l->cfg.site_key, sizeof(l->cfg.site_key));
	sodium_memzero(l->hash_key, sizeof(l->hash_key));
	free(l);
}

static void entry_of(const struct lease_node *n, struct lease_entry *out)
{
	out->hit = n->hit;
	out->sub6 = n->sub6;
	out->sub4 = n->sub4;
	memset(out->name, 0, sizeof(out->name));
	strcpy(out->name, n->name); /* add: it fits */
}

static const uint8_t *key_of(const struct lease_node *n, enum lease_key k)
{
	if (k == KEY_HIT)
		return n->hit.b;
	return k == KEY_SUB6 ? n->sub6.b : n->sub4.b;
}

static struct lease_node **bucket(const struct lease *l, enum lease_key k,
				  const uint8_t key[16])
{
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, key, 16, l->hash_key);
	return &l->buckets[k][get_be64(h) & l->mask];
}

static struct lease_node *find(const struct lease *l, enum lease_key k,
			       const uint8_t key[16])
{
	struct lease_node *n = *bucket(l, k, key);

	while (n && memcmp(key_of(n, k), key, 16) != 0)
		n = n->next[k];
	return n;
}

static void link_key(struct lease *l, struct lease_node *n, enum lease_key k)
{
	struct lease_node **b = bucket(l, k, key_of(n, k));

	n->next[k] = *b;
	*b = n;
}

static void unlink_key(struct lease *l, struct lease_node *n, enum lease_key k)
{
	struct lease_node **p = bucket(l, k, key_of(n, k));

	while (*p != n)
		p = &(*p)->next[k];
	*p = n->next[k];
}

static struct lease_list *list_of(struct lease *l, const struct lease_node *n)
{
	return addr_is_unspecified(&n->sub4) ? &l->passing : &l->lasting;
}

/* As the newest. */
static void list_join(struct lease *l, struct lease_node *n)
{
	struct lease_list *list = list_of(l, n);

	n->older = list->newest;
	n->newer = NULL;
	if (n->older)
		n->older->newer = n;
	else
		list->oldest = n;
	list->newest = n;
}

static void list_leave(struct lease *l, struct lease_node *n)
{
	struct lease_list *list = list_of(l, n);

	*(n->older ? &n->older->newer : &list->oldest) = n->newer;
	*(n->newer ? &n->newer->older : &list->newest) = n->older;
}

static void touch(struct lease *l, struct lease_node *n, uint64_t now)
{
	n->asked = now;
	list_leave(l, n);
	list_join(l, n);
}

static void keyed_hash(const struct lease *l, const char domain[8],
		       const struct hit *hit, uint8_t draw, uint8_t out[16])
{
	uint8_t in[8 + 16 + 1];

	memcpy(in, domain, 8);
	memcpy(in + 8, hit->b, 16);
	in[24] = draw;
	crypto_generichash(out, 16, in, sizeof(in), l->cfg.site_key,
			   sizeof(l->cfg.site_key));
}

static struct addr substitute6(const struct lease *l, const struct hit *hit)
{
	struct addr a = addr_any6;
	uint8_t h[16];

	if (l->cfg.pool6.len == 0)
		return a;
	for (uint8_t draw = 0; draw < DRAWS_MAX; draw++) {
		keyed_hash(l, "lease-v6", hit, draw, h);
		if (pool_put6(&l->cfg.pool6, h, &a))
			break;
	}
	return a;
}

static struct addr substitute4(const struct lease *l, const struct hit *hit)
{
	uint32_t size = pool_size4(&l->cfg.pool4);
	uint32_t most = l->cfg.pool6.len ? l->cfg.max / 2 : l->cfg.max;
	uint8_t h[16];
	uint32_t start;

	if (l->cfg.hold4 || l->used4 >= size || l->used4 >= most)
		return addr_any6;
	keyed_hash(l, "lease-v4", hit, 0, h);
	start = (uint32_t)(get_be64(h) % size);
	for (uint32_t i = 0; i < size; i++) {
		struct addr a =
			pool_nth4(&l->cfg.pool4,
				  (uint32_t)(((uint64_t)start + i) % size));

		if (!find(l, KEY_SUB4, a.b))
			return a;
	}
	return addr_any6;
}

static void set6(struct lease *l, struct lease_node *n, const struct addr *a)
{
	if (addr_is_unspecified(a))
		return;
	n->sub6 = *a;
	link_key(l, n, KEY_SUB6);
}

static void set4(struct lease *l, struct lease_node *n, const struct addr *a)
{
	if (addr_is_unspecified(a))
		return;
	n->sub4 = *a;
	link_key(l, n, KEY_SUB4);
	l->used4++;
}

/* To one that is in a list: it lasts from now on. */
static void give4(struct lease *l, struct lease_node *n, const struct addr *a)
{
	list_leave(l, n);
	set4(l, n, a);
	list_join(l, n);
}

static int add(struct lease *l, const struct lease_entry *e)
{
	struct lease_node *n = calloc(1, sizeof(*n) + strlen(e->name) + 1);

	if (!n)
		return HG_ENOMEM;
	n->hit = e->hit;
	strcpy(n->name, e->name);
	link_key(l, n, KEY_HIT);
	set6(l, n, &e->sub6);
	set4(l, n, &e->sub4);
	list_join(l, n);
	l->num++;
	return HG_OK;
}

/* An entry kept from when there was no pool, or no room in it, gets what
 * is missing. */
static int complete(struct lease *l, struct lease_node *n, bool *fresh)
{
	struct addr a;

	*fresh = false;
	if (l->cfg.pool6.len && addr_is_unspecified(&n->sub6)) {
		a = substitute6(l, &n->hit);
		if (find(l, KEY_SUB6, a.b))
			return HG_EEXIST;
		set6(l, n, &a);
		*fresh = true;
	}
	if (addr_is_unspecified(&n->sub4)) {
		a = substitute4(l, &n->hit);
		give4(l, n, &a);
		*fresh = *fresh || !addr_is_unspecified(&a);
	}
	return HG_OK;
}

int lease_get(struct lease *l, const struct hit *hit, const char *name,
	      struct lease_entry *out, bool *fresh)
{
	struct lease_node *n = find(l, KEY_HIT, hit->b);
	struct lease_entry e = { .hit = *hit };
	int err;

	*fresh = false;
	if (n) {
		err = complete(l, n, fresh);
		entry_of(n, out);
		return err;
	}
	if (!hit_is_orchid(hit->b) || strlen(name) >= sizeof(e.name))
		return HG_EINVAL;
	if (l->num >= l->cfg.max)
		return HG_EFULL;
	strcpy(e.name, name);
	e.sub6 = substitute6(l, hit);
	if (l->cfg.pool6.len && find(l, KEY_SUB6, e.sub6.b))
		return HG_EEXIST;
	e.sub4 = substitute4(l, hit);
	err = add(l, &e);
	if (err)
		return err;
	*out = e;
	*fresh = true;
	return HG_OK;
}

static void drop(struct lease *l, struct lease_node *n)
{
	unlink_key(l, n, KEY_HIT);
	if (!addr_is_unspecified(&n->sub6))
		unlink_key(l, n, KEY_SUB6);
	list_leave(l, n);
	l->num--;
	free(n);
}

/* One ends, if there is none too many and one that may. What is found in use
 * is looked at again when all others have been. */
static void make_room(struct lease *l, uint64_t now)
{
	for (unsigned i = 0; i < END_LOOK && l->num >= l->cfg.max; i++) {
		struct lease_node *n = l->passing.oldest;

		if (!n || !l->cfg.let_go ||
		    (n->asked && now - n->asked < l->cfg.keep))
			return;
		if (!n->asked) { /* restored: somebody may still have it */
			touch(l, n, now);
			continue;
		}
		if (l->cfg.let_go(l->cfg.arg, &n->hit))
			drop(l, n);
		else
			touch(l, n, now);
	}
}

int lease_ask(struct lease *l, const struct hit *hit, const char *name,
	      const struct lease_asker *who, struct lease_entry *out,
	      bool *fresh)
{
	bool had = find(l, KEY_HIT, hit->b);
	int err;

	*fresh = false;
	if (l->quota_since && who->now - l->quota_since >= QUOTA_NS) {
		quota_clear(l->quota);
		l->quota_since = 0;
	}
	if (!l->quota_since)
		l->quota_since = who->now;
	if (who->now >= l->cfg.hold4)
		l->cfg.hold4 = 0;
	if (!had && !who->local &&
	    !quota_allows(l->quota, &who->client, name, who->theirs))
		return HG_EPERM;
	if (!had)
		make_room(l, who->now);
	err = lease_get(l, hit, name, out, fresh);
	if (err)
		return err;
	touch(l, find(l, KEY_HIT, hit->b), who->now);
	if (!had && !who->local)
		quota_count(l->quota, &who->client, name, who->theirs);
	return HG_OK;
}

/* What cannot be any more is left out: an IPv6 substitute of another site key
 * or prefix, an IPv4 one outside of the pool. The other one stays. */
static void restore_trim(const struct lease *l, struct lease_entry *e)
{
	struct addr own6 = substitute6(l, &e->hit);

	if (!addr_eq(&e->sub6, &own6))
		e->sub6 = addr_any6;
	if (!pool_has4(&l->cfg.pool4, &e->sub4))
		e->sub4 = addr_any6;
}

static bool is_anothers(const struct lease *l, enum lease_key k,
			const struct addr *a, const struct hit *hit)
{
	const struct lease_node *n =
		addr_is_unspecified(a) ? NULL : find(l, k, a->b);

	return n && !hit_eq(&n->hit, hit);
}

/* The journal has a later line for a HIT: it may add what was missing, it
 * may not move what was given. */
static int restore_more(struct lease *l, struct lease_node *n,
			const struct lease_entry *e)
{
	bool new6 = addr_is_unspecified(&n->sub6);
	bool new4 = addr_is_unspecified(&n->sub4);

	if (!new4 && !addr_is_unspecified(&e->sub4) &&
	    !addr_eq(&n->sub4, &e->sub4))
		return HG_EEXIST;
	if (new6)
		set6(l, n, &e->sub6);
	if (new4)
		give4(l, n, &e->sub4);
	return HG_OK;
}

int lease_restore(struct lease *l, struct lease_entry *e)
{
	struct lease_node *n;
	int err;

	if (!hit_is_orchid(e->hit.b) || !memchr(e->name, '\0', sizeof(e->name)))
		return HG_EFORMAT;
	restore_trim(l, e);
	if (is_anothers(l, KEY_SUB6, &e->sub6, &e->hit) ||
	    is_anothers(l, KEY_SUB4, &e->sub4, &e->hit))
		return HG_EEXIST;
	n = find(l, KEY_HIT, e->hit.b);
	if (n)
		err = restore_more(l, n, e);
	/* Nor beyond the bound may an IPv4 substitute be forgotten. */
	else if (l->num >= l->cfg.max && addr_is_unspecified(&e->sub4))
		err = HG_EFULL;
	else
		err = add(l, e);
	if (!err)
		entry_of(find(l, KEY_HIT, e->hit.b), e);
	return err;
}

void lease_hold4(struct lease *l, uint64_t until)
{
	if (until > l->cfg.hold4)
		l->cfg.hold4 = until;
}

bool lease_find(const struct lease *l, const struct addr *sub,
		struct lease_entry *out)
{
	const struct lease_node *n;

	if (addr_is_unspecified(sub))
		return false;
	n = find(l, addr_is4(sub) ? KEY_SUB4 : KEY_SUB6, sub->b);
	if (n)
		entry_of(n, out);
	return n;
}

size_t lease_num(const struct lease *l)
{
	return l->num;
}

void lease_each(const struct lease *l,
		void (*fn)(const struct lease_entry *e, void *arg), void *arg)
{
	struct lease_entry e;

	for (const struct lease_node *n = l->lasting.oldest; n; n = n->newer) {
		entry_of(n, &e);
		fn(&e, arg);
	}
	for (const struct lease_node *n = l->passing.oldest; n; n = n->newer) {
		entry_of(n, &e);
		fn(&e, arg);
	}
}
