/* SPDX-License-Identifier: MIT */
/* Answers to our own questions, kept; theory in cache.h. */
#include "dns/cache.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

#define BUCKETS 4096
#define NS 1000000000ULL
/* What is left of a record's time when it is asked for again: a tenth. */
#define STALE_PART 10

struct entry {
	struct entry *next; /* in its bucket */
	struct entry *newer, *older;
	struct endpoint realm;
	struct dname name; /* lower case */
	uint16_t type;
	bool told;	/* that it is stale */
	bool unsaid;	/* no answer came */
	uint64_t since; /* ns */
	uint32_t ttl;	/* s */
	size_t records_at;
	unsigned records_num;
	size_t len;
	uint8_t msg[];
};

struct cache {
	size_t max;
	size_t used; /* octets, entries included */
	size_t num;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	struct entry *newest, *oldest;
	struct entry *buckets[BUCKETS];
	uint8_t out[65535];
};

int cache_new(size_t max, struct cache **out)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (!c)
		return HG_ENOMEM;
	c->max = max ? max : CACHE_MAX_DEFAULT;
	randombytes_buf(c->hash_key, sizeof(c->hash_key));
	*out = c;
	return HG_OK;
}

/* Where the entry is linked, or would be. */
static struct entry **find(struct cache *c, const struct cache_key *key,
			   const struct dname *lower)
{
	uint8_t h[crypto_shorthash_BYTES];
	struct entry **at;

	crypto_shorthash(h, lower->wire, lower->len, c->hash_key);
	at = &c->buckets[get_be64(h) % BUCKETS];
	while (*at && ((*at)->type != key->type ||
		       !endpoint_eq(&(*at)->realm, &key->realm) ||
		       !dname_same(&(*at)->name, lower)))
		at = &(*at)->next;
	return at;
}

static void age_leave(struct cache *c, struct entry *e)
{
	*(e->newer ? &e->newer->older : &c->newest) = e->older;
	*(e->older ? &e->older->newer : &c->oldest) = e->newer;
}

static void age_join(struct cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

static void drop(struct cache *c, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	age_leave(c, e);
	c->used -= sizeof(*e) + e->len;
	c->num--;
	free(e);
}

static void drop_oldest(struct cache *c)
{
	struct entry *e = c->oldest;
	struct cache_key key = { e->realm, &e->name, e->type };

	drop(c, find(c, &key, &e->name));
}

void cache_free(struct cache *c)
{
	while (c && c->oldest)
		drop_oldest(c);
	free(c);
}

size_t cache_num(const struct cache *c)
{
	return c->num;
}

/* RFC 2308 5: the lesser of the SOA's own TTL and its last number. */
static uint32_t soa_ttl(const struct scan_rr *rr)
{
	uint32_t least;

	if (rr->rdlen < 4)
		return 0;
	least = get_be32(rr->rdata + rr->rdlen - 4);
	return least < rr->ttl ? least : rr->ttl;
}

static uint64_t age_of(const struct entry *e, uint64_t now)
{
	return now > e->since ? (now - e->since) / NS : 0;
}

static bool is_stale(const struct entry *e, uint64_t age)
{
	if (e->unsaid)
		return age >= CACHE_UNSAID_OLD;
	return e->ttl - age <= e->ttl / STALE_PART;
}

/* How long the answer may be kept; 0: not at all. */
static uint32_t time_of(const struct cache_key *key,
			const struct chain_answer *a)
{
	struct rd r = rd_init(a->msg + a->records_at, a->len - a->records_at);
	unsigned authority = get_be16(a->msg + 8);
	uint32_t ttl = CACHE_TTL_MAX;
	uint32_t no = 0;
	bool found = false;
	struct scan_rr rr;

	for (unsigned i = 0; i < a->records_num + authority; i++) {
		scan_rr(&r, a->msg, &rr);
		if (r.bad)
			return 0;
		if (i < a->records_num) {
			found = found || rr.type == key->type;
			ttl = rr.ttl < ttl ? rr.ttl : ttl;
		} else if (rr.type == SCAN_SOA) {
			no = soa_ttl(&rr);
		}
	}
	return found || ttl < no ? ttl : no;
}

static void keep(struct cache *c, const struct cache_key *key,
		 const struct chain_answer *a, uint32_t ttl, uint64_t now)
{
	struct dname lower = dname_lower(key->name);
	struct entry **at = find(c, key, &lower);
	struct entry *e;

	if (*at)
		drop(c, at);
	if (ttl == 0 || a->len > sizeof(c->out) ||
	    sizeof(*e) + a->len > c->max / 16)
		return;
	while (c->used > c->max - sizeof(*e) - a->len)
		drop_oldest(c);
	e = calloc(1, sizeof(*e) + a->len);
	if (!e)
		return; /* it is asked again */
	e->realm = key->realm;
	e->name = lower;
	e->type = key->type;
	e->since = now;
	e->ttl = ttl;
	e->records_at = a->records_at;
	e->records_num = a->records_num;
	e->unsaid = a->unsaid;
	e->len = a->len;
	memcpy(e->msg, a->msg, a->len);
	at = find(c, key, &lower); /* others may have gone before it */
	*at = e;
	age_join(c, e);
	c->used += sizeof(*e) + e->len;
	c->num++;
}

void cache_put(struct cache *c, const struct cache_key *key,
	       const struct chain_answer *a, unsigned rcode, uint64_t now)
{
	bool says = rcode == SCAN_NOERROR || rcode == SCAN_NXDOMAIN;

	keep(c, key, a, says ? time_of(key, a) : 0, now);
}

void cache_put_unsaid(struct cache *c, const struct cache_key *key,
		      uint64_t now)
{
	static const uint8_t none[SCAN_HEADER] = { [3] = SCAN_SERVFAIL };
	struct chain_answer a = {
		.msg = none,
		.len = sizeof(none),
		.records_at = sizeof(none),
		.unsaid = true,
	};
	struct dname lower = dname_lower(key->name);
	const struct entry *e = *find(c, key, &lower);

	if (!e || e->unsaid || age_of(e, now) >= e->ttl)
		keep(c, key, &a, CACHE_UNSAID, now);
}

void cache_drop_unsaid(struct cache *c, const struct cache_key *key)
{
	struct dname lower = dname_lower(key->name);
	struct entry **at = find(c, key, &lower);

	if (*at && (*at)->unsaid)
		drop(c, at);
}

void cache_drop_realm(struct cache *c, const struct endpoint *realm)
{
	struct entry *older;

	for (struct entry *e = c->newest; e; e = older) {
		struct cache_key key = { e->realm, &e->name, e->type };

		older = e->older;
		if (endpoint_eq(&e->realm, realm))
			drop(c, find(c, &key, &e->name));
	}
}

/* The records of the answer, with what is left of their time. */
static void age_records(uint8_t *msg, const struct entry *e, uint32_t age)
{
	struct rd r = rd_init(msg + e->records_at, e->len - e->records_at);
	struct scan_rr rr;

	for (unsigned i = 0; i < e->records_num; i++) {
		scan_rr(&r, msg, &rr);
		if (r.bad)
			return;
		/* TTL and length stand before the data. */
		put_be32(msg + (rr.rdata - msg) - 6,
			 rr.ttl > age ? rr.ttl - age : 0);
	}
}

bool cache_get(struct cache *c, const struct cache_key *key, uint64_t now,
	       struct chain_answer *out, bool *stale)
{
	struct dname lower = dname_lower(key->name);
	struct entry **at = find(c, key, &lower);
	struct entry *e = *at;
	uint64_t age;

	*stale = false;
	if (!e)
		return false;
	age = age_of(e, now);
	if (age >= e->ttl) {
		drop(c, at);
		return false;
	}
	if (!e->told && is_stale(e, age)) {
		e->told = true;
		*stale = true;
	}
	age_leave(c, e);
	age_join(c, e);
	memcpy(c->out, e->msg, e->len);
	age_records(c->out, e, (uint32_t)age);
	out->msg = c->out;
	out->len = e->len;
	out->records_at = e->records_at;
	out->records_num = e->records_num;
	out->unsaid = e->unsaid;
	return true;
}
