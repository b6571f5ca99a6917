/* SPDX-License-Identifier: MIT */
/* The questions in flight; theory in question.h. */
#include "dns/question.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/real.h"

/* One client address; exists while it has questions. */
struct client {
	struct client *next; /* in its bucket */
	struct addr addr;
	uint32_t num;
	struct question *first;
};

int question_table_init(struct dns *d)
{
	size_t buckets = 64;

	while (buckets < d->questions_max)
		buckets *= 2;
	d->mask = buckets - 1;
	randombytes_buf(d->hash_key, sizeof(d->hash_key));
	d->heap = calloc(d->questions_max, sizeof(struct question *));
	d->listed = calloc(d->questions_max, sizeof(uint32_t));
	d->by_id = calloc(buckets, sizeof(struct question *));
	d->by_ask = calloc(buckets, sizeof(struct ask *));
	d->by_client = calloc(buckets, sizeof(struct client *));
	d->by_key = calloc(buckets, sizeof(struct ask *));
	d->by_follow = calloc(buckets, sizeof(struct follow *));
	if (crowd_new(d->questions_max, &d->crowd))
		return HG_ENOMEM;
	if (!d->heap || !d->listed || !d->by_id || !d->by_ask ||
	    !d->by_client || !d->by_key || !d->by_follow)
		return HG_ENOMEM;
	return HG_OK;
}

void question_table_fini(struct dns *d)
{
	while (d->num)
		question_end(d, d->heap[0]);
	free(d->heap);
	free(d->listed);
	free(d->by_id);
	free(d->by_ask);
	free(d->by_client);
	crowd_free(d->crowd);
	free(d->by_key);
	free(d->by_follow);
}

/* ---- heap of deadlines ------------------------------------------------ */

static void heap_set(struct dns *d, size_t at, struct question *q)
{
	d->heap[at] = q;
	q->heap_at = at;
}

static void heap_up(struct dns *d, struct question *q)
{
	size_t at = q->heap_at;

	while (at > 0 && d->heap[(at - 1) / 2]->deadline > q->deadline) {
		heap_set(d, at, d->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	heap_set(d, at, q);
}

static void heap_down(struct dns *d, struct question *q)
{
	size_t at = q->heap_at;
	size_t child;

	while ((child = 2 * at + 1) < d->num) {
		if (child + 1 < d->num &&
		    d->heap[child + 1]->deadline < d->heap[child]->deadline)
			child++;
		if (d->heap[child]->deadline >= q->deadline)
			break;
		heap_set(d, at, d->heap[child]);
		at = child;
	}
	heap_set(d, at, q);
}

static void heap_move(struct dns *d, struct question *q)
{
	heap_up(d, q);
	heap_down(d, q);
}

static void heap_del(struct dns *d, struct question *q)
{
	struct question *last = d->heap[--d->num];

	if (last == q)
		return;
	heap_set(d, q->heap_at, last);
	heap_move(d, last);
}

void question_arm(struct dns *d, struct question *q)
{
	q->deadline = NEVER;
	if (q->stage == STAGE_GIVING || q->stage == STAGE_MAPPING) {
		q->deadline = q->give_by;
		heap_move(d, q);
		return;
	}
	/* What is waited for beyond the grace has times of its own. */
	if (q->stage == STAGE_LOCATING && !real_waits(q))
		q->deadline = q->grace_at;
	for (enum slot i = 0; i < question_slots(q); i++) {
		const struct slot_state *s = question_slot(q, i);

		if (s->found != FOUND_WAIT)
			continue;
		if (s->resend_at < q->deadline)
			q->deadline = s->resend_at;
		if (s->fail_at < q->deadline)
			q->deadline = s->fail_at;
	}
	heap_move(d, q);
}

/* ---- clients ---------------------------------------------------------- */

static struct client **client_bucket(const struct dns *d,
				     const struct addr *addr)
{
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, addr->b, sizeof(addr->b), d->hash_key);
	return &d->by_client[get_be64(h) & d->mask];
}

static struct client *client_find(const struct dns *d, const struct addr *addr)
{
	struct client *c = *client_bucket(d, addr);

	while (c && !addr_eq(&c->addr, addr))
		c = c->next;
	return c;
}

static int client_join(struct dns *d, struct question *q)
{
	const struct addr *addr = &q->who.client.addr;
	struct client *c = client_find(d, addr);
	struct client **b;

	q->seat.q = q;
	if (crowd_join(d->crowd, addr, &q->seat))
		return HG_ENOMEM;
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c) {
			crowd_leave(d->crowd, &q->seat);
			return HG_ENOMEM;
		}
		c->addr = *addr;
		b = client_bucket(d, addr);
		c->next = *b;
		*b = c;
	}
	c->num++;
	q->client = c;
	q->client_next = c->first;
	c->first = q;
	return HG_OK;
}

static void client_leave(struct dns *d, struct question *q)
{
	struct client *c = q->client;
	struct question **p;
	struct client **b;

	if (!c)
		return;
	crowd_leave(d->crowd, &q->seat);
	for (p = &c->first; *p != q; p = &(*p)->client_next)
		;
	*p = q->client_next;
	if (--c->num)
		return;
	for (b = client_bucket(d, &c->addr); *b != c; b = &(*b)->next)
		;
	*b = c->next;
	free(c);
}

bool question_is_repeated(const struct dns *d, const struct dns_asker *who,
			  uint16_t id, const struct scan_question *asked)
{
	const struct client *c = client_find(d, &who->client.addr);
	const struct question *q = c ? c->first : NULL;

	for (; q; q = q->client_next) {
		if (q->header.id == id && q->who.tcp == who->tcp &&
		    endpoint_eq(&q->who.client, &who->client) &&
		    endpoint_eq(&q->who.server, &who->server) &&
		    q->asked.type == asked->type &&
		    q->asked.class == asked->class &&
		    dname_same(&q->asked.name, &asked->name))
			return true;
	}
	return false;
}

bool dns_waits(const struct dns *d, const struct dns_asker *who)
{
	const struct client *c = client_find(d, &who->client.addr);
	const struct question *q = c ? c->first : NULL;

	while (q && (q->who.tcp != who->tcp || q->who.token != who->token ||
		     !endpoint_eq(&q->who.client, &who->client)))
		q = q->client_next;
	return q != NULL;
}

/* ---- questions -------------------------------------------------------- */

int question_add(struct dns *d, const struct dns_asker *who,
		 struct question **out)
{
	const struct client *c = who ? client_find(d, &who->client.addr) : NULL;
	struct question *q;
	int err;

	if (c && c->num >= d->client_max)
		return HG_EFULL;
	if (d->num >= d->questions_max)
		return HG_EAGAIN;
	q = calloc(1, sizeof(*q));
	if (!q)
		return HG_ENOMEM;
	if (who) {
		q->who = *who;
		err = client_join(d, q);
		if (err) {
			free(q);
			return err;
		}
	}
	do {
		q->id = ++d->last_id;
	} while (q->id == 0 || question_find(d, q->id));
	q->next = d->by_id[q->id & d->mask];
	d->by_id[q->id & d->mask] = q;
	q->deadline = NEVER;
	q->grace_at = NEVER;
	d->num++;
	heap_set(d, d->num - 1, q);
	*out = q;
	return HG_OK;
}

void question_end(struct dns *d, struct question *q)
{
	struct question **p = &d->by_id[q->id & d->mask];
	struct ask *next;

	for (enum slot s = 0; s < question_slots(q); s++)
		question_unfollow(d, q, s);
	for (struct ask *a = q->asks; a; a = next) {
		next = a->next_own;
		question_ask_done(d, a);
		free(a);
	}
	while (*p != q)
		p = &(*p)->next;
	*p = q->next;
	heap_del(d, q);
	client_leave(d, q);
	d->deaf.trials -= q->kind == QUESTION_TRIAL;
	d->held -= q->own_len;
	free(q->own);
	free(q->query);
	free(q->place);
	free(q);
}

struct question *question_find(const struct dns *d, uint32_t id)
{
	struct question *q = d->by_id[id & d->mask];

	while (q && q->id != id)
		q = q->next;
	return q;
}

struct place *question_place(struct question *q)
{
	if (!q->place)
		q->place = calloc(1, sizeof(*q->place));
	return q->place;
}

void question_name(const struct question *q, char out[DNS_NAME_MAX])
{
	if (dname_print(&q->asked.name, out))
		out[0] = '\0';
}

bool question_trusts(const struct dns *d, const struct question *q)
{
	return q->who.here || upstream_trusts(&d->upstream, &q->who.server);
}

/* ---- asks ------------------------------------------------------------- */

/* Asks for the same thing stand in one bucket, and so do their followers. */
static size_t key_place(const struct dns *d, const struct cache_key *key)
{
	struct dname lower = dname_lower(key->name);
	uint8_t h[crypto_shorthash_BYTES];

	crypto_shorthash(h, lower.wire, lower.len, d->hash_key);
	return (get_be64(h) + key->type) & d->mask;
}

static struct ask **key_bucket(const struct dns *d, const struct cache_key *key)
{
	return &d->by_key[key_place(d, key)];
}

static void key_join(struct dns *d, struct ask *a)
{
	struct cache_key key = question_key(d, a->q, a->slot);
	struct ask **b = key_bucket(d, &key);

	a->next_key = *b;
	*b = a;
}

static void key_leave(struct dns *d, struct ask *a)
{
	struct cache_key key = question_key(d, a->q, a->slot);
	struct ask **p = key_bucket(d, &key);

	while (*p != a)
		p = &(*p)->next_key;
	*p = a->next_key;
}

struct ask *question_find_ask(const struct dns *d, uint32_t id)
{
	struct ask *a = d->by_ask[id & d->mask];

	while (a && a->id != id)
		a = a->next;
	return a;
}

uint16_t question_slot_type(const struct question *q, enum slot slot)
{
	switch (slot) {
	case SLOT_OWN:
		return q->asked.type;
	case SLOT_HIP:
		return SCAN_HIP;
	case SLOT_A:
		return SCAN_A;
	case SLOT_AAAA:
		return SCAN_AAAA;
	default:
		return (slot - SLOT_RVS) % 2 ? SCAN_AAAA : SCAN_A;
	}
}

const struct dname *question_slot_name(const struct question *q, enum slot slot)
{
	if (slot == SLOT_HIP && q->aside)
		return &q->host;
	return slot < SLOT_RVS ? &q->asked.name
			       : &q->place->rvs[(slot - SLOT_RVS) / 2];
}

struct endpoint question_server(const struct dns *d, const struct question *q,
				enum slot slot, uint64_t now)
{
	unsigned tries = question_slot(q, slot)->tries;
	struct endpoint first;
	struct endpoint at;

	if ((slot == SLOT_OWN && !q->who.here) || q->kind == QUESTION_TRIAL)
		return q->who.server;
	if (q->who.here && d->upstream.num == 0)
		return (struct endpoint){ .port = 0 };
	first = upstream_pick(&d->upstream, &q->who.server, tries, now);
	at = first;
	for (unsigned i = 1; slot == SLOT_HIP && i < d->upstream.num; i++) {
		if (!deaf_is(d, &at))
			return at;
		at = upstream_pick(&d->upstream, &q->who.server, tries + i,
				   now);
	}
	return deaf_is(d, &at) ? first : at;
}

struct cache_key question_key(const struct dns *d, const struct question *q,
			      enum slot slot)
{
	struct cache_key key = {
		.realm = upstream_realm(&d->upstream, &q->who.server),
		.name = question_slot_name(q, slot),
		.type = question_slot_type(q, slot),
	};

	return key;
}

static bool key_eq(const struct cache_key *a, const struct cache_key *b)
{
	return a->type == b->type && endpoint_eq(&a->realm, &b->realm) &&
	       dname_eq(a->name, b->name);
}

struct ask *question_asked(const struct dns *d, const struct dname *name,
			   uint16_t type, const struct ask *after)
{
	struct cache_key key = { .name = name, .type = type };
	struct ask *a = after ? after->next_key : *key_bucket(d, &key);

	while (a && (question_slot_type(a->q, a->slot) != type ||
		     !dname_eq(question_slot_name(a->q, a->slot), name)))
		a = a->next_key;
	return a;
}

bool question_is_asked(const struct dns *d, const struct question *q,
		       enum slot slot)
{
	struct cache_key key = question_key(d, q, slot);
	const struct ask *a = *key_bucket(d, &key);

	for (; a; a = a->next_key) {
		struct cache_key has = question_key(d, a->q, a->slot);

		if (a->q != q && a->slot != SLOT_OWN &&
		    a->q->kind != QUESTION_TRIAL && key_eq(&key, &has))
			return true;
	}
	return false;
}

void question_follow(struct dns *d, struct question *q, enum slot slot)
{
	struct cache_key key = question_key(d, q, slot);
	struct follow **b = &d->by_follow[key_place(d, &key)];
	struct follow *f = &question_slot(q, slot)->follow;

	*f = (struct follow){ .q = q, .next = *b, .slot = slot };
	*b = f;
}

void question_unfollow(struct dns *d, struct question *q, enum slot slot)
{
	struct follow *f = &question_slot(q, slot)->follow;
	struct cache_key key;
	struct follow **p;

	if (!f->q)
		return;
	key = question_key(d, q, slot);
	for (p = &d->by_follow[key_place(d, &key)]; *p != f; p = &(*p)->next)
		;
	*p = f->next;
	f->q = NULL;
}

struct follow *question_follower(const struct dns *d,
				 const struct cache_key *key,
				 const struct follow *after)
{
	struct follow *f =
		after ? after->next : d->by_follow[key_place(d, key)];

	for (; f; f = f->next) {
		struct cache_key has = question_key(d, f->q, f->slot);

		if (key_eq(key, &has))
			break;
	}
	return f;
}

bool question_is_judged(const struct dns *d, const struct question *q,
			enum slot slot)
{
	return slot == SLOT_HIP && d->dnssec != DNS_DNSSEC_OFF &&
	       q->kind != QUESTION_TRIAL;
}

int question_ask(struct dns *d, struct question *q, enum slot slot,
		 const struct endpoint *server, const uint8_t *msg, size_t len)
{
	bool validate = question_is_judged(d, q, slot);
	struct ask *a;
	struct dns_effect e = {
		.kind = validate ? DNS_VALIDATE : DNS_ASK,
		.question = q->id,
		.server = *server,
		.tcp = question_slot(q, slot)->tcp,
		.qtype = question_slot_type(q, slot),
		.msg = msg,
		.msg_len = len,
	};

	if (q->asks_num == ASKS_MAX || len < 2)
		return HG_EFULL;
	do {
		e.ask = ++d->last_ask;
	} while (e.ask == 0 || question_find_ask(d, e.ask));
	/* Only for traces: a name too long to print is asked all the same. */
	if (dname_print(question_slot_name(q, slot), e.name))
		e.name[0] = '\0';
	a = calloc(1, sizeof(*a));
	if (!a || outbox_put(&d->outbox, &e)) {
		free(a);
		return HG_ENOMEM;
	}
	a->id = e.ask;
	a->q = q;
	a->msg_id = get_be16(msg);
	a->slot = slot;
	a->server = *server;
	a->validate = validate;
	a->tcp = e.tcp;
	a->live = true;
	a->next = d->by_ask[a->id & d->mask];
	d->by_ask[a->id & d->mask] = a;
	key_join(d, a);
	a->next_own = q->asks;
	q->asks = a;
	q->asks_num++;
	return HG_OK;
}

void question_ask_done(struct dns *d, struct ask *a)
{
	struct ask **p = &d->by_ask[a->id & d->mask];
	struct dns_effect e = {
		.kind = DNS_ASK_DONE,
		.ask = a->id,
		.question = a->q->id,
		.server = a->server,
		.tcp = a->tcp,
	};

	if (!a->live)
		return;
	while (*p != a)
		p = &(*p)->next;
	*p = a->next;
	key_leave(d, a);
	a->live = false;
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

void question_close(struct dns *d, struct question *q, enum slot slot)
{
	for (struct ask *a = q->asks; a; a = a->next_own) {
		if (a->slot == slot)
			question_ask_done(d, a);
	}
}
