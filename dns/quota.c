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

static uint64_t client_key(const struct quota *q, const struct addr *client)
{
	uint8_t who[16];

	memcpy(who, client->b, sizeof(who));
	if (!addr_is4(client))
		memset(who + 8, 0, 8);
	return hash(q, who, sizeof(who));
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

static uint64_t domain_key(const struct quota *q, const char *name)
{
	const char *top = last_labels(name, 1);
	const char *at = last_labels(name, 2);

	if (strlen(top) == 2 && (size_t)(top - at) <= REGISTRY_LABEL + 1)
		at = last_labels(name, 3);
	return hash(q, at, strnlen(at, DOMAIN_MAX));
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
		  const char *name)
{
	if (client && find(q, client_key(q, client))->num >= QUOTA_CLIENT)
		return false;
	return find(q, domain_key(q, name))->num < QUOTA_DOMAIN;
}

static void count(struct quota *q, uint64_t key)
{
	struct counter *c = find(q, key);

	c->key = key;
	c->num++;
}

void quota_count(struct quota *q, const struct addr *client, const char *name)
{
	if (client)
		count(q, client_key(q, client));
	count(q, domain_key(q, name));
}
