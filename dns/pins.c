/* SPDX-License-Identifier: MIT */
/* Names that were seen with a HIP record; theory in pins.h. */
#include "dns/pins.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

/* One HIT; exists while it has pins. */
struct pin_host {
	struct pin_host *next; /* in its bucket */
	struct hit hit;
	uint32_t num;
};

struct pin {
	struct pin *next; /* in its bucket */
	struct pin_host *host;
	uint8_t len;
	uint8_t wire[]; /* lower case */
};

struct pins {
	uint32_t max;
	uint32_t num;
	size_t mask;	    /* buckets - 1, of both tables */
	struct pin **names; /* both made for the first pin */
	struct pin_host **hosts;
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
};

int pins_new(uint32_t max, struct pins **out)
{
	struct pins *p = calloc(1, sizeof(*p));
	size_t buckets = 64;

	if (!p)
		return HG_ENOMEM;
	p->max = max ? max : PINS_MAX_DEFAULT;
	while (buckets < p->max)
		buckets *= 2;
	p->mask = buckets - 1;
	randombytes_buf(p->hash_key, sizeof(p->hash_key));
	*out = p;
	return HG_OK;
}

static int tables_make(struct pins *p)
{
	if (!p->names)
		p->names = calloc(p->mask + 1, sizeof(p->names[0]));
	if (!p->hosts)
		p->hosts = calloc(p->mask + 1, sizeof(p->hosts[0]));
	return p->names && p->hosts ? HG_OK : HG_ENOMEM;
}

static void free_names(struct pin *pin)
{
	struct pin *next;

	for (; pin; pin = next) {
		next = pin->next;
		free(pin);
	}
}

static void free_hosts(struct pin_host *h)
{
	struct pin_host *next;

	for (; h; h = next) {
		next = h->next;
		free(h);
	}
}

void pins_free(struct pins *p)
{
	for (size_t i = 0; p && i <= p->mask; i++) {
		if (p->names)
			free_names(p->names[i]);
		if (p->hosts)
			free_hosts(p->hosts[i]);
	}
	if (p) {
		free(p->names);
		free(p->hosts);
	}
	free(p);
}

static size_t slot_of(const struct pins *p, const uint8_t *key, size_t len)
{
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, key, len, p->hash_key);
	return get_be64(h) & p->mask;
}

/* Where the name's pin is linked, or would be. */
static struct pin **find(const struct pins *p, const struct dname *lower)
{
	struct pin **at = &p->names[slot_of(p, lower->wire, lower->len)];

	while (*at && ((*at)->len != lower->len ||
		       memcmp((*at)->wire, lower->wire, lower->len) != 0))
		at = &(*at)->next;
	return at;
}

static struct pin_host **find_host(const struct pins *p, const struct hit *hit)
{
	struct pin_host **at = &p->hosts[slot_of(p, hit->b, sizeof(hit->b))];

	while (*at && !hit_eq(&(*at)->hit, hit))
		at = &(*at)->next;
	return at;
}

/* One pin more of that HIT; NULL: no room. */
static struct pin_host *host_join(struct pins *p, const struct hit *hit)
{
	struct pin_host **at = find_host(p, hit);

	if (!*at) {
		*at = calloc(1, sizeof(**at));
		if (!*at)
			return NULL;
		(*at)->hit = *hit;
	}
	if ((*at)->num == PINS_OF_HIT)
		return NULL;
	(*at)->num++;
	return *at;
}

static void host_leave(struct pins *p, struct pin_host *h)
{
	struct pin_host **at = find_host(p, &h->hit);

	if (--h->num)
		return;
	*at = h->next;
	free(h);
}

int pins_add(struct pins *p, const struct dname *name, const struct hit *hit)
{
	struct dname lower = dname_lower(name);
	struct pin **at;
	struct pin *pin;

	if (tables_make(p))
		return HG_ENOMEM;
	at = find(p, &lower);
	if (*at)
		return HG_EEXIST;
	if (p->num == p->max)
		return HG_EFULL;
	pin = malloc(sizeof(*pin) + lower.len);
	if (!pin)
		return HG_ENOMEM;
	pin->host = host_join(p, hit);
	if (!pin->host) {
		free(pin);
		return HG_EFULL;
	}
	pin->len = lower.len;
	memcpy(pin->wire, lower.wire, lower.len);
	pin->next = *at; /* NULL: at is the end of its bucket */
	*at = pin;
	p->num++;
	return HG_OK;
}

bool pins_has(const struct pins *p, const struct dname *name)
{
	struct dname lower;

	if (p->num == 0)
		return false;
	lower = dname_lower(name);
	return *find(p, &lower);
}

bool pins_del(struct pins *p, const struct dname *name)
{
	struct dname lower;
	struct pin **at;
	struct pin *pin;

	if (p->num == 0)
		return false;
	lower = dname_lower(name);
	at = find(p, &lower);
	pin = *at;
	if (!pin)
		return false;
	*at = pin->next;
	host_leave(p, pin->host);
	free(pin);
	p->num--;
	return true;
}

size_t pins_num(const struct pins *p)
{
	return p->num;
}

enum { SOME_BUCKETS = 4096, SOME_PINS = 64 };

bool pins_some(const struct pins *p, size_t *at,
	       void (*fn)(const struct dname *name, const struct hit *hit,
			  void *arg),
	       void *arg)
{
	size_t buckets = p->names ? p->mask + 1 : 0;
	size_t end = *at + SOME_BUCKETS;
	size_t num = 0;

	for (; *at < buckets && *at < end && num < SOME_PINS; ++*at) {
		for (const struct pin *pin = p->names[*at]; pin;
		     pin = pin->next, num++) {
			struct dname name = { .len = pin->len };

			memcpy(name.wire, pin->wire, pin->len);
			fn(&name, &pin->host->hit, arg);
		}
	}
	return *at < buckets;
}
