/* SPDX-License-Identifier: MIT */
/* DNS answers that are given again and again; see recall.h. */
/* THEORY OF OPERATION
 * A question that the engine has answered RECALL_HOT times since the last
 * recall_clear is answered by the worker that reads it, without a way through
 * control: the octets of the question, all but its id, and the server it was
 * meant for are the key. The engine's answer is a matter of these and of time
 * and settings alone: so all is forgotten once a second, in which a TTL
 * counts down by one, and when settings change; the next answer of the engine
 * is kept at once, if the one before was. Whoever looks at traces sees the
 * first RECALL_HOT, and then one of each second.
 *
 * Control adds and removes (linetable.h has one writer); what is removed is
 * freed when no worker can hold it any more. How often a question was asked is
 * counted in a table of one place for each of its hash's low bits: who shares
 * a place counts together, and another tag begins anew.
 */
#include "recall.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "linetable.h"

enum { PLACES = 4096, DNS_HEADER = 12, DNS_QTAIL = 4, LABEL_MAX = 63 };

struct item {
	_Alignas(64) struct rcu_head rcu;
	struct item *next;
	uint64_t hash;
	struct endpoint server;
	uint16_t question; /* octets behind the id, */
	uint16_t answer;   /*  and of the answer behind its id; both in */
	uint8_t octets[];
};

struct place {
	uint32_t tag;
	uint32_t num;
};

struct recall {
	struct linetable table;
	struct item *items;
	size_t num;
	struct place place[PLACES];
	uint8_t key[crypto_shorthash_KEYBYTES];
};

int recall_new(struct recall **out)
{
	struct recall *r = calloc(1, sizeof(*r));
	int err = r ? linetable_init(&r->table) : HG_ENOMEM;

	if (err) {
		free(r);
		return err;
	}
	crypto_shorthash_keygen(r->key);
	*out = r;
	return HG_OK;
}

void recall_free(struct recall *r)
{
	if (!r)
		return;
	recall_clear(r);
	linetable_fini(&r->table);
	free(r);
}

static void item_free(struct rcu_head *head)
{
	/* The head is where the item begins. */
	free(head);
}

void recall_clear(struct recall *r)
{
	if (!r)
		return;
	while (r->items) {
		struct item *i = r->items;

		r->items = i->next;
		linetable_del(&r->table, i->hash, i);
		call_rcu(&i->rcu, item_free);
	}
	r->num = 0;
	/* What was hot needs one answer more to be kept again. */
	for (size_t i = 0; i < PLACES; i++)
		r->place[i].num =
			r->place[i].num < RECALL_HOT ? 0 : RECALL_HOT - 1;
}

static bool fits(const struct recall_question *q)
{
	return q->len >= DNS_HEADER && q->len <= RECALL_QUESTION;
}

static uint64_t hash_of(const struct recall *r, const struct recall_question *q)
{
	uint8_t buf[16 + 2 + crypto_shorthash_BYTES];
	uint64_t hash;

	memcpy(buf, q->server.addr.b, 16);
	memcpy(buf + 16, &q->server.port, 2);
	crypto_shorthash(buf + 18, q->msg + 2, q->len - 2, r->key);
	crypto_shorthash((uint8_t *)&hash, buf, sizeof(buf), r->key);
	return hash;
}

static bool is_of(const void *item, const void *key)
{
	const struct recall_question *q = key;
	const struct item *i = item;

	return i->question == q->len - 2 &&
	       endpoint_eq(&i->server, &q->server) &&
	       memcmp(i->octets, q->msg + 2, i->question) == 0;
}

/* The same id, and the same name, type and class. */
static bool answers(const struct recall_question *q, const uint8_t *a,
		    size_t len)
{
	size_t at = DNS_HEADER;

	while (at < q->len && q->msg[at] && q->msg[at] <= LABEL_MAX)
		at += q->msg[at] + 1u;
	at += 1 + DNS_QTAIL;
	return at <= q->len && at <= len && memcmp(a, q->msg, 2) == 0 &&
	       memcmp(a + DNS_HEADER, q->msg + DNS_HEADER, at - DNS_HEADER) ==
		       0;
}

static bool is_hot(struct recall *r, uint64_t hash)
{
	struct place *p = &r->place[hash % PLACES];
	uint32_t tag = (uint32_t)(hash >> 32);

	if (p->tag != tag)
		*p = (struct place){ .tag = tag };
	return ++p->num >= RECALL_HOT;
}

void recall_note(struct recall *r, const struct recall_question *q,
		 const uint8_t *answer, size_t len)
{
	struct item *i;
	size_t size;
	uint64_t hash;

	if (!fits(q) || len > RECALL_ANSWER || !answers(q, answer, len))
		return;
	hash = hash_of(r, q);
	if (!is_hot(r, hash) || r->num == RECALL_MAX ||
	    linetable_find(&r->table, hash, is_of, q))
		return;
	size = (sizeof(*i) + q->len + len + 63) / 64 * 64;
	i = aligned_alloc(64, size);
	if (!i)
		return; /* it is answered as ever */
	i->hash = hash;
	i->server = q->server;
	i->question = (uint16_t)(q->len - 2);
	i->answer = (uint16_t)(len - 2);
	memcpy(i->octets, q->msg + 2, i->question);
	memcpy(i->octets + i->question, answer + 2, i->answer);
	if (linetable_add(&r->table, hash, i)) {
		free(i);
		return;
	}
	i->next = r->items;
	r->items = i;
	r->num++;
}

size_t recall_get(const struct recall *r, const struct recall_question *q,
		  uint8_t out[RECALL_ANSWER])
{
	const struct item *i;

	if (!fits(q))
		return 0;
	i = linetable_find(&r->table, hash_of(r, q), is_of, q);
	if (!i)
		return 0;
	memcpy(out, q->msg, 2);
	memcpy(out + 2, i->octets + i->question, i->answer);
	return i->answer + 2u;
}
