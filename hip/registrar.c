/* SPDX-License-Identifier: MIT */
/* Who is registered with us: at a rendezvous server or control relay (RFC
 * 8003, 8004, 9028 4.1). */
/* THEORY OF OPERATION
 * A registration belongs to an association: its integrity keys make
 * RVS_HMAC or RELAY_HMAC (RFC 8004 4.2.1, 9028 5.8), its locator is where
 * packets for the client go. So it ends with the association, and a new
 * incarnation of the client registers anew. One client HIT has one
 * registration, the latest. Bounded by REGISTRAR_MAX; the table, a chained
 * hash under a random key, grows with the number.
 *
 * The first service that an association is registered for is the only one
 * it can have (RFC 9028 7.8), also after the registration has run out:
 * assoc.service says which. Who asks for both at once gets the relay. A
 * relay's client is told in each answer where we see it (REG_FROM, 4.1).
 *
 * RELAY_UDP_ESP is had beside RELAY_UDP_HIP only, in the same request or
 * later: datarelay.c.
 *
 * The answer to a REG_REQUEST is decided when the packet arrives, because
 * the job that verifies I2 signs the answer too; it takes effect only when
 * the job has found everything right. A request that is replayed is an I2 or
 * UPDATE that is replayed, and goes no further than those. Owner: the
 * engine's thread.
 */
#include "hip/registrar.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/engine.h"
#include "hip/fields.h"

#define BUCKETS_MIN 256u

/* RFC 8003 4.1, 5: 9.5 s (10 s must be possible) to 4096 s. */
const uint8_t registrar_min = 90;
const uint8_t registrar_max = 160;

struct registrar_entry {
	struct due due; /* when it expires */
	struct registrar_entry *next;
	struct hit client;
	struct assoc *a;
};

int registrar_init(struct hip *h)
{
	struct registrar *r = &h->registrar;

	randombytes_buf(r->key, sizeof(r->key));
	if (!engine_serves(h))
		return HG_OK;
	if (h->cfg.relay && spent_init(&h->budget.asked))
		return HG_ENOMEM; /* relay.c needs it */
	r->buckets = BUCKETS_MIN;
	r->bucket = calloc(r->buckets, sizeof(struct registrar_entry *));
	return r->bucket ? HG_OK : HG_ENOMEM;
}

void registrar_fini(struct hip *h)
{
	struct registrar *r = &h->registrar;

	for (size_t i = 0; r->bucket && i < r->buckets; i++) {
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

static struct registrar_entry **bucket_of(const struct registrar *r,
					  const struct hit *client)
{
	uint8_t hash[crypto_shorthash_BYTES];
	uint32_t v;

	crypto_shorthash(hash, client->b, sizeof(client->b), r->key);
	memcpy(&v, hash, sizeof(v));
	return &r->bucket[v & (r->buckets - 1)];
}

/* The link that points, or would point, to the client's entry. */
static struct registrar_entry **link_of(const struct hip *h,
					const struct hit *client)
{
	struct registrar_entry **at = bucket_of(&h->registrar, client);

	while (*at && !hit_eq(&(*at)->client, client))
		at = &(*at)->next;
	return at;
}

static struct registrar_entry *find(const struct hip *h,
				    const struct hit *client)
{
	return h->registrar.bucket ? *link_of(h, client) : NULL;
}

/* Twice the buckets; when memory is short, longer chains do. */
static void grow(struct registrar *r)
{
	struct registrar_entry **old = r->bucket;
	uint32_t n = r->buckets;
	struct registrar_entry **v;

	v = calloc((size_t)n * 2, sizeof(struct registrar_entry *));
	if (!v)
		return;
	r->bucket = v;
	r->buckets = n * 2;
	for (uint32_t i = 0; i < n; i++) {
		while (old[i]) {
			struct registrar_entry *e = old[i];
			struct registrar_entry **at = bucket_of(r, &e->client);

			old[i] = e->next;
			e->next = *at;
			*at = e;
		}
	}
	free(old);
}

/* ---- deciding ---------------------------------------------------------- */

static void fail(struct registrar_answer *out, uint8_t type, uint8_t why)
{
	if (out->failed_num >= REGISTRAR_TYPES_MAX ||
	    memchr(out->failed, type, out->failed_num))
		return;
	out->failed[out->failed_num] = type;
	out->why[out->failed_num++] = why;
}

/* RFC 8003 4.3: granted within our limits; 0 cancels. */
static uint8_t limited(uint8_t code)
{
	if (code && code < registrar_min)
		return registrar_min;
	return code > registrar_max ? registrar_max : code;
}

static bool offered(const struct hip *h, uint8_t type)
{
	return type == FIELDS_REG_RENDEZVOUS ? h->cfg.rendezvous : h->cfg.relay;
}

/* A service we know, for the lifetime of this code. held: the one its
 * association has chosen; 0: none yet. */
static void decide(struct hip *h, const struct packet *p, uint8_t type,
		   uint8_t code, uint8_t held, struct registrar_answer *out)
{
	if (!offered(h, type)) {
		fail(out, type, FIELDS_REG_UNAVAILABLE);
	} else if ((held && held != type) ||
		   (out->granted && out->granted != type)) {
		fail(out, type, FIELDS_REG_EITHER); /* RFC 9028 7.8 */
	} else if (!admit_client(h, &p->m.sender, &p->from->addr)) {
		reason_count(&h->reasons, REASON_HIP_DENIED);
		fail(out, type, FIELDS_REG_NO_CREDENTIALS);
	} else if (code && h->registrar.num >= REGISTRAR_MAX &&
		   !find(h, &p->m.sender)) {
		fail(out, type, FIELDS_REG_NO_RESOURCES);
	} else {
		out->granted = type;
		out->code = limited(code);
	}
}

/* RFC 9028 4.1: the data relay. held: as above. */
static void decide_data(struct hip *h, const struct packet *p, uint8_t code,
			uint8_t held, struct registrar_answer *out)
{
	bool relay = out->granted == FIELDS_REG_RELAY_UDP_HIP
			     ? out->code != 0
			     : held == FIELDS_REG_RELAY_UDP_HIP;

	if (!h->data.num || (code && !relay)) {
		fail(out, FIELDS_REG_RELAY_UDP_ESP, FIELDS_REG_UNAVAILABLE);
	} else if (!admit_client(h, &p->m.sender, &p->from->addr)) {
		fail(out, FIELDS_REG_RELAY_UDP_ESP, FIELDS_REG_NO_CREDENTIALS);
	} else if (code && !datarelay_promise(h, p, out)) {
		fail(out, FIELDS_REG_RELAY_UDP_ESP, FIELDS_REG_NO_RESOURCES);
	} else {
		out->data = true;
		out->data_code = limited(code);
	}
}

/* The service an UPDATE's association has chosen; an I2 makes a new one. */
static uint8_t held_by(const struct hip *h, const struct packet *p)
{
	const struct assoc *a;

	if (p->m.type != HIP_UPDATE)
		return 0;
	a = assoc_find(&h->assocs, &p->m.receiver, &p->m.sender);
	return a ? a->service : 0;
}

/* All requests for this service; the last one counts. */
static bool decide_all(struct hip *h, const struct packet *p, uint8_t type,
		       uint8_t held, struct registrar_answer *out)
{
	const struct hip_param *r = param_find(&p->m, PARAM_REG_REQUEST);
	struct field_reg req;

	for (; r; r = param_next(&p->m, r)) {
		if (!fields_get_reg(r, &req))
			return false;
		if (!req.types_num || !memchr(req.types, type, req.types_num))
			continue;
		if (type == FIELDS_REG_RELAY_UDP_ESP)
			decide_data(h, p, req.first, held, out);
		else
			decide(h, p, type, req.first, held, out);
	}
	return true;
}

static bool decide_packet(struct hip *h, const struct packet *p,
			  struct registrar_answer *out)
{
	const struct hip_param *r = param_find(&p->m, PARAM_REG_REQUEST);
	uint8_t held = held_by(h, p);
	struct field_reg req;

	/* The relay before RENDEZVOUS (RFC 9028 7.8). */
	if (!decide_all(h, p, FIELDS_REG_RELAY_UDP_HIP, held, out) ||
	    !decide_all(h, p, FIELDS_REG_RENDEZVOUS, held, out) ||
	    !decide_all(h, p, FIELDS_REG_RELAY_UDP_ESP, held, out))
		return false;
	for (; r; r = param_next(&p->m, r)) {
		if (!fields_get_reg(r, &req))
			return false;
		for (size_t i = 0; i < req.types_num; i++) {
			if (req.types[i] < FIELDS_REG_RENDEZVOUS ||
			    req.types[i] > FIELDS_REG_RELAY_UDP_ESP)
				fail(out, req.types[i], FIELDS_REG_UNAVAILABLE);
		}
	}
	if (out->granted == FIELDS_REG_RELAY_UDP_HIP ||
	    held == FIELDS_REG_RELAY_UDP_HIP)
		out->seen_at = *p->from; /* RFC 9028 4.1 */
	return true;
}

bool registrar_decide(struct hip *h, const struct packet *p,
		      struct registrar_answer *out)
{
	bool well;

	memset(out, 0, sizeof(*out));
	well = decide_packet(h, p, out);
	if (!well)
		memset(out, 0, sizeof(*out));
	return well;
}

void registrar_put(struct msg_builder *b, const struct registrar_answer *ans)
{
	const uint8_t data = FIELDS_REG_RELAY_UDP_ESP;
	struct field_reg reg = { .types = &ans->granted, .types_num = 1 };

	if (ans->granted) {
		reg.first = ans->code;
		fields_put_reg(b, PARAM_REG_RESPONSE, &reg);
	}
	if (ans->data) {
		reg.first = ans->data_code;
		reg.types = &data;
		fields_put_reg(b, PARAM_REG_RESPONSE, &reg);
	}
	for (size_t i = 0; i < ans->failed_num;) {
		size_t n = i + 1;

		/* Those that failed alike, in one. */
		while (n < ans->failed_num && ans->why[n] == ans->why[i])
			n++;
		reg.first = ans->why[i];
		reg.types = ans->failed + i;
		reg.types_num = n - i;
		fields_put_reg(b, PARAM_REG_FAILED, &reg);
		i = n;
	}
	if (ans->seen_at.port)
		fields_put_udp_at(b, PARAM_REG_FROM, &ans->seen_at);
}

void registrar_put_relayed(struct msg_builder *b,
			   const struct registrar_answer *ans)
{
	if (ans->data && ans->data_code)
		fields_put_udp_at(b, PARAM_RELAYED_ADDRESS, &ans->relayed_at);
}

/* ---- carrying out ------------------------------------------------------ */

static void tell(struct hip *h, const struct assoc *a, uint64_t ms)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_REGISTRAR);

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = a->peer_at;
	e->relay = a->service == FIELDS_REG_RELAY_UDP_HIP;
	e->lifetime_s = ms && ms < 1000 ? 1 : (uint32_t)(ms / 1000);
}

static void del(struct hip *h, struct registrar_entry **at)
{
	struct registrar_entry *e = *at;

	datarelay_drop(h, e->a);
	tell(h, e->a, 0);
	*at = e->next;
	h->registrar.num--;
	dueheap_leave(&h->due, &e->due);
	free(e);
}

static struct registrar_entry *add(struct hip *h, struct assoc *a)
{
	struct registrar *r = &h->registrar;
	struct registrar_entry **at;
	struct registrar_entry *e;

	if (r->num >= REGISTRAR_MAX)
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	if (dueheap_reserve(&h->due)) {
		free(e);
		return NULL;
	}
	if (r->num >= r->buckets)
		grow(r);
	e->due.kind = ENGINE_REGISTRAR;
	e->client = a->peer;
	at = bucket_of(r, &a->peer);
	e->next = *at;
	*at = e;
	r->num++;
	return e;
}

static void commit(struct hip *h, struct assoc *a,
		   const struct registrar_answer *ans, uint64_t now)
{
	struct registrar_entry **at = link_of(h, &a->peer);
	struct registrar_entry *e;
	uint64_t ms;

	if (ans->code && !admit_client(h, &a->peer, &a->peer_at.addr))
		return; /* denied since */
	if (ans->code == 0) {
		if (*at)
			del(h, at);
		return;
	}
	e = *at ? *at : add(h, a);
	if (!e)
		return; /* full since; the client's refresh will tell it */
	ms = fields_lifetime_ms(ans->code);
	a->service = ans->granted;
	if (e->a && e->a != a)
		datarelay_drop(h, e->a);
	e->a = a;
	dueheap_set(&h->due, &e->due, now + ms * ENGINE_MS);
	tell(h, a, ms);
}

void registrar_commit(struct hip *h, struct assoc *a,
		      const struct registrar_answer *ans, uint64_t now)
{
	if (!h->registrar.bucket)
		return;
	if (ans->granted)
		commit(h, a, ans, now);
	datarelay_commit(h, a, ans, now);
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

	if (now < d->at)
		dueheap_set(&h->due, d, d->at);
	else
		del(h, link_of(h, &e->client));
}

/* ---- looking in -------------------------------------------------------- */

enum { SOME_REGISTRATIONS = 64 };

static void show(const struct hip *h, const struct registrar_entry *e,
		 void (*fn)(const struct hip_registration *r, void *arg),
		 void *arg)
{
	struct hip_registration out = {
		.client = e->client,
		.at = e->a->peer_at,
		.relay = e->a->service == FIELDS_REG_RELAY_UDP_HIP,
		.expires = e->due.at,
	};
	const struct datarelay_port *port = datarelay_of(h, e->a);

	if (port) {
		out.relayed_at = port->at;
		out.permits = port->num;
	}
	fn(&out, arg);
}

bool hip_some_registrations(const struct hip *h, size_t *at,
			    void (*fn)(const struct hip_registration *r,
				       void *arg),
			    void *arg)
{
	const struct registrar *r = &h->registrar;
	size_t buckets = r->bucket ? r->buckets : 0;
	size_t end = *at + SOME_REGISTRATIONS;
	size_t num = 0;

	for (; *at < buckets && *at < end && num < SOME_REGISTRATIONS; ++*at) {
		for (const struct registrar_entry *e = r->bucket[*at]; e;
		     e = e->next, num++)
			show(h, e, fn, arg);
	}
	return *at < buckets;
}

size_t hip_registrations(const struct hip *h)
{
	return h->registrar.num;
}
