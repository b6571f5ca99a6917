/* SPDX-License-Identifier: MIT */
/* HIP hosts that the administrator names: found before any server is asked. */
#include "dns/local.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

static_assert(DNS_RECORD_RVS < HIPRR_RVS_MAX,
	      "with its own name, for addresses of servers");

struct entry {
	struct entry *next; /* in its bucket */
	struct dname name;  /* lower case */
	struct dname rvs[DNS_RECORD_RVS];
	const struct dns_record *r;
};

struct local {
	uint8_t hash_key[crypto_shorthash_KEYBYTES];
	size_t num;
	size_t mask; /* buckets - 1 */
	struct entry **buckets;
	struct entry *entries;
	struct dns_record *records;
};

static struct entry **bucket(const struct local *l, const struct dname *lower)
{
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, lower->wire, lower->len, l->hash_key);
	return &l->buckets[get_be64(h) & l->mask];
}

static const struct entry *find(const struct local *l, const struct dname *name)
{
	struct dname lower = dname_lower(name);
	const struct entry *e = l ? *bucket(l, &lower) : NULL;

	while (e && !dname_same(&e->name, &lower))
		e = e->next;
	return e;
}

static int add(struct local *l, struct entry *e, const struct dns_record *r)
{
	struct dname name;
	struct entry **b;

	e->r = r;
	if (dname_parse(r->name, &name))
		return HG_EINVAL;
	for (size_t i = 0; i < r->rvs_num; i++) {
		if (dname_parse(r->rvs[i], &e->rvs[i]))
			return HG_EINVAL;
	}
	if (find(l, &name))
		return HG_EEXIST;
	e->name = dname_lower(&name);
	b = bucket(l, &e->name);
	e->next = *b;
	*b = e;
	return HG_OK;
}

int local_new(const struct dns_record *records, size_t num, struct local **out)
{
	struct local *l = calloc(1, sizeof(*l));
	size_t buckets = 16;
	int err = HG_OK;

	if (!l)
		return HG_ENOMEM;
	while (buckets < num)
		buckets *= 2;
	l->num = num;
	l->mask = buckets - 1;
	randombytes_buf(l->hash_key, sizeof(l->hash_key));
	l->buckets = calloc(buckets, sizeof(l->buckets[0]));
	l->entries = calloc(num + 1, sizeof(l->entries[0]));
	l->records = calloc(num + 1, sizeof(l->records[0]));
	if (!l->buckets || !l->entries || !l->records)
		err = HG_ENOMEM;
	for (size_t i = 0; !err && i < num; i++) {
		l->records[i] = records[i];
		err = add(l, &l->entries[i], &l->records[i]);
	}
	if (err) {
		local_free(l);
		return err;
	}
	*out = l;
	return HG_OK;
}

void local_free(struct local *l)
{
	if (!l)
		return;
	free(l->buckets);
	free(l->entries);
	free(l->records);
	free(l);
}

bool local_has(const struct local *l, const struct dname *name)
{
	return find(l, name);
}

static void put_address(struct question *q, const struct addr *a, uint32_t ttl)
{
	struct slot_state *s = &q->slots[addr_is4(a) ? SLOT_A : SLOT_AAAA];

	s->ttl = ttl;
	if (s->num < DNS_LOCATORS_MAX)
		s->addrs[s->num++] = *a;
}

/* The servers that are named are looked up; those with an address stand for
 * the name itself, as in a record that lists its owner. */
static void put_servers(struct place *p, const struct entry *e)
{
	p->rvs_num = 0;
	if (e->r->at_num && e->r->rvs_num)
		p->rvs[p->rvs_num++] = p->owner;
	for (size_t i = 0; i < e->r->rvs_num; i++)
		p->rvs[p->rvs_num++] = e->rvs[i];
}

size_t local_record(const struct local *l, const struct dname *name,
		    uint8_t *out, size_t cap)
{
	const struct entry *e = find(l, name);
	struct hiprr rr = { .pk_len = 0 };

	if (!e || !e->r->pk_len)
		return 0;
	rr.hit = e->r->hit;
	rr.pk_alg = e->r->pk_alg;
	rr.pk = e->r->pk;
	rr.pk_len = e->r->pk_len;
	/* As in put_servers: servers with an address stand for the name. */
	if (e->r->via_rvs && e->r->at_num)
		rr.rvs[rr.rvs_num++] = *name;
	for (size_t i = 0; i < e->r->rvs_num; i++)
		rr.rvs[rr.rvs_num++] = e->rvs[i];
	return hiprr_put(&rr, out, cap);
}

void local_answer(const struct local *l, struct question *q,
		  const struct dname *name, uint32_t ttl)
{
	const struct entry *e = find(l, name);
	const struct dns_record *r;
	struct dns_host *h;

	if (!e)
		return;
	r = e->r;
	q->local = true;
	q->hip_seen = true;
	q->hip = HIP_BAD;
	q->slots[SLOT_HIP].found = FOUND_ANSWERED;
	if (!question_place(q))
		return;
	q->hip = HIP_GOOD;
	h = &q->place->host;
	question_name(q, h->name);
	h->hit = r->hit;
	h->pk_alg = r->pk_alg;
	memcpy(h->pk, r->pk, r->pk_len);
	h->pk_len = r->pk_len;
	h->via_rvs = r->via_rvs;
	h->local = true;
	h->ttl = ttl;
	q->place->owner = *name;
	put_servers(q->place, e);
	if (r->at_num) {
		q->located = true;
		q->slots[SLOT_A].num = 0;
		q->slots[SLOT_AAAA].num = 0;
		for (size_t i = 0; i < r->at_num; i++)
			put_address(q, &r->at[i], ttl);
		q->slots[SLOT_A].found = FOUND_ANSWERED;
		q->slots[SLOT_AAAA].found = FOUND_ANSWERED;
	}
}
