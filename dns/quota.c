/* SPDX-License-Identifier: MIT */
/* How many leases one client, or one domain, has; theory in quota.h. */
#include "dns/quota.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

#define DOMAIN_MAX 255
/* "co.uk", "com.au": a second label as short as that under two letters. */
#define REGISTRY_LABEL 3

struct counter {
	uint64_t key; /* 0: unused */
	uint32_t num;
};

struct quota {
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	size_t mask; /* counters - 1 */
	size_t used;
	struct counter counters[];
};

int quota_new(uint32_t leases, struct quota **out)
{
	size_t num = 64;
	struct quota *q;

	/* Two counters a lease at most, and as many unused ones. */
	while (num < 4 * (size_t)leases)
		num *= 2;
	q = calloc(1, sizeof(*q) + num * sizeof(q->counters[0]));
	if (!q)
		return HG_ENOMEM;
	q->mask = num - 1;
	randombytes_buf(q->hash_key, sizeof(q->hash_key));
	*out = q;
	return HG_OK;
}

void quota_free(struct quota *q)
{
	free(q);
}

static uint64_t hash(const struct quota *q, const void *data, size_t len)
{
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, data, len, q->hash_key);
	return get_be64(h) | 1; /* never that of an unused one */
}

/* An IPv6 client with all of its /64. */
static struct addr network(const struct addr *client)
{
	struct addr a = *client;

	if (!addr_is4(client))
		memset(a.b + 8, 0, 8);
	return a;
}

static uint64_t client_key(const struct quota *q, const struct addr *client)
{
	struct addr who = network(client);

	return hash(q, who.b, sizeof(who.b));
}

/* Where the last n labels begin. */
static const char *last_labels(const char *name, unsigned n)
{
	const char *at = name + strlen(name);

	while (at > name) {
		if (at[-1] == '.' && --n == 0)
			return at;
		at--;
	}
	return name;
}

/* Whose it is, and the domain. of NULL: everybody's. */
static uint64_t domain_key(const struct quota *q, const char *name,
			   const struct addr *of)
{
	const char *top = last_labels(name, 1);
	const char *at = last_labels(name, 2);
	struct addr who = of ? network(of) : addr_any6;
	uint8_t in[sizeof(who.b) + DOMAIN_MAX];
	size_t len;

	if (strlen(top) == 2 && (size_t)(top - at) <= REGISTRY_LABEL + 1)
		at = last_labels(name, 3);
	len = strnlen(at, DOMAIN_MAX);
	memcpy(in, who.b, sizeof(who.b));
	memcpy(in + sizeof(who.b), at, len);
	return hash(q, in, sizeof(who.b) + len);
}

/* The counter, or where it would be. */
static struct counter *find(const struct quota *q, uint64_t key)
{
	size_t i = key & q->mask;

	while (q->counters[i].key && q->counters[i].key != key)
		i = (i + 1) & q->mask;
	return (struct counter *)&q->counters[i];
}

bool quota_allows(const struct quota *q, const struct addr *client,
		  const char *name, bool theirs)
{
	const struct addr *of = theirs ? client : NULL;

	if (find(q, client_key(q, client))->num >= QUOTA_CLIENT)
		return false;
	return find(q, domain_key(q, name, of))->num < QUOTA_DOMAIN;
}

static void count(struct quota *q, uint64_t key)
{
	struct counter *c = find(q, key);

	q->used += !c->key;
	c->key = key;
	c->num++;
}

void quota_count(struct quota *q, const struct addr *client, const char *name,
		 bool theirs)
{
	const struct addr *of = theirs ? client : NULL;

	if (q->used > q->mask / 2)
		quota_clear(q);
	count(q, client_key(q, client));
	count(q, domain_key(q, name, of));
}

void quota_clear(struct quota *q)
{
	memset(q->counters, 0, (q->mask + 1) * sizeof(q->counters[0]));
	q->used = 0;
}
