/* SPDX-License-Identifier: MIT */
/* Rendezvous server: who is registered with us (RFC 8003, 8004). */
/* THEORY OF OPERATION
 * A registration belongs to an association: its integrity keys make
 * RVS_HMAC (RFC 8004 4.2.1), its locator is where I1 goes. So it ends with
 * the association, and a new incarnation of the client registers anew. One
 * client HIT has one registration, the latest. Bounded by REGISTRAR_MAX.
 *
 * The answer to a REG_REQUEST is decided when the packet arrives, because
 * the job that verifies I2 signs the answer too; it takes effect only when
 * the job has found everything right. Owner: the engine's thread.
 */
#include "hip/registrar.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/engine.h"
#include "hip/fields.h"

#define BUCKETS 4096u

/* RFC 8003 4.1, 5: 9.5 s (10 s must be possible) to 4096 s. */
const uint8_t registrar_min = 90;
const uint8_t registrar_max = 160;

struct registrar_entry {
	struct due due;
	struct registrar_entry *next;
	struct hit client;
	struct assoc *a;
	uint64_t expires;
};

int registrar_init(struct hip *h)
{
	struct registrar *r = &h->registrar;

	randombytes_buf(r->key, sizeof(r->key));
	if (!h->cfg.rendezvous)
		return HG_OK;
	r->bucket = calloc(BUCKETS, sizeof(struct registrar_entry *));
	return r->bucket ? HG_OK : HG_ENOMEM;
}

void registrar_fini(struct hip *h)
{
	struct registrar *r = &h->registrar;

	for (size_t i = 0; r->bucket && i < BUCKETS; i++) {
		while (r->bucket[i]) {
			struct registrar_entry *e = r->bucket[i];

			r->bucket[i] = e->next;
			dueheap_leave(&h->due, &e->due);
			free(e);
		}
	}
	free(r->bucket);
	r->bucket = NULL;
}

/* The link that points, or would point, to the client's entry. */
static struct registrar_entry **link_of(const struct hip *h,
					const struct hit *client)
{
	const struct registrar *r = &h->registrar;
	uint8_t hash[crypto_shorthash_BYTES];
	struct registrar_entry **at;
	uint32_t v;

	crypto_shorthash(hash, client->b, sizeof(client->b), r->key);
	memcpy(&v, hash, sizeof(v));
	at = &r->bucket[v % BUCKETS];
	while (*at && !hit_eq(&(*at)->client, client))
		at = &(*at)->next;
	return at;
}

static struct registrar_entry *find(const struct hip *h,
				    const struct hit *client)
{
	return h->registrar.bucket ? *link_of(h, client) : NULL;
}

/* RENDEZVOUS for the lifetime of this code. */
static void decide_rendezvous(struct hip *h, const struct packet *p,
			      uint8_t code, struct registrar_answer *out)
{
	if (!h->cfg.rendezvous) {
		out->refused = true;
		out->why = FIELDS_REG_UNAVAILABLE;
	} else if (!admit_client(h, &p->m.sender, &p->from->addr)) {
		out->refused = true;
		out->why = FIELDS_REG_NO_CREDENTIALS;
	} else if (code && h->registrar.num >= REGISTRAR_MAX &&
		   !find(h, &p->m.sender)) {
		out->refused = true;
		out->why = FIELDS_REG_NO_RESOURCES;
	} else {
		/* RFC 8003 4.3: granted within our limits; 0 cancels. */
		out->granted = true;
		out->code = code;
		if (code && code < registrar_min)
			out->code = registrar_min;
		if (code > registrar_max)
			out->code = registrar_max;
	}
}

bool registrar_decide(struct hip *h, const struct packet *p,
		      struct registrar_answer *out)
{
	const struct hip_param *r = param_find(&p->m, PARAM_REG_REQUEST);
	struct field_reg req;

	memset(out, 0, sizeof(*out));
	for (; r; r = param_next(&p->m, r)) {
		if (!fields_get_reg(r, &req))
			return false;
		for (size_t i = 0; i < req.types_num; i++) {
			uint8_t type = req.types[i];

			if (type == FIELDS_REG_RENDEZVOUS)
				decide_rendezvous(h, p, req.first, out);
			else if (out->other_num < REGISTRAR_TYPES_MAX &&
				 !memchr(out->other, type, out->other_num))
				out->other[out->other_num++] = type;
		}
	}
	return true;
}

void registrar_put(struct msg_builder *b, const struct registrar_answer *ans)
{
	const uint8_t type = FIELDS_REG_RENDEZVOUS;
	struct field_reg reg = { .types = &type, .types_num = 1 };

	if (ans->granted) {
		reg.first = ans->code;
		fields_put_reg(b, PARAM_REG_RESPONSE, &reg);
	}
	if (ans->refused) {
		reg.first = ans->why;
		fields_put_reg(b, PARAM_REG_FAILED, &reg);
	}
	if (ans->other_num) {
		reg.first = FIELDS_REG_UNAVAILABLE;
		reg.types = ans->other;
		reg.types_num = ans->other_num;
		fields_put_reg(b, PARAM_REG_FAILED, &reg);
	}
}

static void tell(struct hip *h, const struct assoc *a, uint64_t ms)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_REGISTRAR);

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = a->peer_at;
	e->lifetime_s = ms && ms < 1000 ? 1 : (uint32_t)(ms / 1000);
}

static void del(struct hip *h, struct registrar_entry **at)
{
	struct registrar_entry *e = *at;

	tell(h, e->a, 0);
	*at = e->next;
	h->registrar.num--;
	dueheap_leave(&h->due, &e->due);
	free(e);
}

static struct registrar_entry *add(struct hip *h, struct registrar_entry **at,
				   const struct hit *client)
{
	struct registrar_entry *e;

	if (h->registrar.num >= REGISTRAR_MAX)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	if (dueheap_reserve(&h->due)) {
		free(e);
		return NULL;
	}
	e->due.kind = ENGINE_REGISTRAR;
	e->client = *client;
	*at = e;
	h->registrar.num++;
	return e;
}

void registrar_commit(struct hip *h, struct assoc *a,
		      const struct registrar_answer *ans, uint64_t now)
{
	struct registrar_entry **at;
	struct registrar_entry *e;
	uint64_t ms;

	if (!ans->granted || !h->registrar.bucket)
		return;
	at = link_of(h, &a->peer);
	if (ans->code && !admit_client(h, &a->peer, &a->peer_at.addr))
		return; /* denied since; likewise */
	if (ans->code == 0) {
		if (*at)
			del(h, at);
		return;
	}
	e = *at ? *at : add(h, at, &a->peer);
	if (!e)
		return; /* full since; the client's refresh will tell it */
	ms = fields_lifetime_ms(ans->code);
	e->a = a;
	e->expires = now + ms * ENGINE_MS;
	dueheap_set(&h->due, &e->due, e->expires);
	tell(h, a, ms);
}

void registrar_drop(struct hip *h, struct assoc *a)
{
	struct registrar_entry **at;

	if (!h->registrar.bucket)
		return;
	at = link_of(h, &a->peer);
	if (*at && (*at)->a == a)
		del(h, at);
}

struct assoc *registrar_find(const struct hip *h, const struct hit *client)
{
	const struct registrar_entry *e = find(h, client);

	return e ? e->a : NULL;
}

bool registrar_holds(const struct hip *h, const struct assoc *a)
{
	return registrar_find(h, &a->peer) == a;
}

void registrar_timer(struct hip *h, struct due *d, uint64_t now)
{
	struct registrar_entry *e =
		(struct registrar_entry *)((char *)d -
					   offsetof(struct registrar_entry,
						    due));

	if (now < e->expires)
		dueheap_set(&h->due, &e->due, e->expires);
	else
		del(h, link_of(h, &e->client));
}

void hip_each_registration(const struct hip *h,
			   void (*fn)(const struct hip_registration *r,
				      void *arg),
			   void *arg)
{
	const struct registrar *r = &h->registrar;

	for (size_t i = 0; r->bucket && i < BUCKETS; i++) {
		for (const struct registrar_entry *e = r->bucket[i]; e;
		     e = e->next) {
			struct hip_registration out = {
				.client = e->client,
				.at = e->a->peer_at,
				.expires = e->expires,
			};

			fn(&out, arg);
		}
	}
}
