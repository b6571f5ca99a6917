/* SPDX-License-Identifier: MIT */
/* Associations: the table of them by HIT pair, their life, their SPIs. */
/* THEORY OF OPERATION
 * An association exists from our first I1, or from the moment a peer's I2
 * has been verified whole; nothing an unauthenticated packet says makes
 * one. UNASSOCIATED is its absence. The table is a chained hash under a
 * random key, growing, bounded by hip_config.assoc_max.
 *
 * serial: every exchange (a new wish, new keys) takes a fresh number; a
 * job carries the number it was made under, so that what comes back too
 * late matches nothing.
 *
 * SPIs: those of all associations (of the SA that sends, of one being made,
 * of those replaced a moment ago) and those promised to jobs are in one
 * set, so that no two are ever the same in this engine.
 *
 * Owner: the engine's thread.
 */
#include "hip/assoc.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/datapath.h"
#include "hip/engine.h"
#include "hip/hipjob.h"
#include "hip/keepalive.h"
#include "hip/noassoc.h"
#include "hip/paths.h"
#include "hip/pathwatch.h"
#include "hip/rekey.h"
#include "hip/update.h"
#include "hip/wear.h"

#define BUCKETS_MIN 256u
#define SPI_SLOTS_MIN 256u
#define SPI_RESERVED 255 /* RFC 4303 2.1 */

int assoc_table_init(struct assocs *t, uint32_t max)
{
	randombytes_buf(t->key, sizeof(t->key));
	t->max = max;
	t->buckets = BUCKETS_MIN;
	t->bucket = calloc(t->buckets, sizeof(struct assoc *));
	t->spi_slots = SPI_SLOTS_MIN;
	t->spi = calloc(t->spi_slots, sizeof(uint32_t));
	return t->bucket && t->spi ? HG_OK : HG_ENOMEM;
}

static void free_assoc(struct assoc *a)
{
	assoc_keys_free(a->keys);
	rekey_free(a);
	update_reset(a);
	paths_forget(a);
	assoc_msg_drop(&a->msg);
	assoc_msg_drop(&a->keep.msg);
	sodium_memzero(a, sizeof(*a));
	free(a);
}

void assoc_table_fini(struct hip *h)
{
	struct assocs *t = &h->assocs;

	for (uint32_t i = 0; t->bucket && i < t->buckets; i++) {
		while (t->bucket[i]) {
			struct assoc *a = t->bucket[i];

			t->bucket[i] = a->next;
			dueheap_leave(&h->due, &a->due);
			free_assoc(a);
		}
	}
	free(t->bucket);
	free(t->spi);
	*t = (struct assocs){ 0 };
}

static uint32_t bucket_of(const struct assocs *t, const struct hit *self,
			  const struct hit *peer)
{
	uint8_t in[32];
	uint8_t h[crypto_shorthash_BYTES];
	uint32_t v;

	memcpy(in, self->b, 16);
	memcpy(in + 16, peer->b, 16);
	crypto_shorthash(h, in, sizeof(in), t->key);
	memcpy(&v, h, sizeof(v));
	return v & (t->buckets - 1);
}

struct assoc *assoc_find(const struct assocs *t, const struct hit *self,
			 const struct hit *peer)
{
	struct assoc *a = t->bucket[bucket_of(t, self, peer)];

	while (a && !(hit_eq(&a->peer, peer) && hit_eq(&a->self, self)))
		a = a->next;
	return a;
}

/* Twice the buckets; when memory is short, longer chains do. */
static void grow(struct assocs *t)
{
	struct assoc **old = t->bucket;
	uint32_t n = t->buckets;
	struct assoc **v;

	v = calloc((size_t)n * 2, sizeof(struct assoc *));
	if (!v)
		return;
	t->bucket = v;
	t->buckets = n * 2;
	for (uint32_t i = 0; i < n; i++) {
		while (old[i]) {
			struct assoc *a = old[i];
			uint32_t b = bucket_of(t, &a->self, &a->peer);

			old[i] = a->next;
			a->next = t->bucket[b];
			t->bucket[b] = a;
		}
	}
	free(old);
}

int assoc_add(struct hip *h, const struct hit *self, const struct hit *peer,
	      struct assoc **out)
{
	struct assocs *t = &h->assocs;
	struct assoc *a;
	uint32_t b;
	int err;

	if (t->num >= t->max)
		return HG_EFULL;
	if (!engine_identity(h, self))
		return HG_ENOENT;
	a = calloc(1, sizeof(*a));
	if (!a)
		return HG_ENOMEM;
	err = dueheap_reserve(&h->due);
	if (err) {
		free(a);
		return err;
	}
	if (t->num >= t->buckets)
		grow(t);
	a->due.kind = ENGINE_ASSOC;
	a->self = *self;
	a->peer = *peer;
	a->id = engine_identity(h, self);
	a->serial = ++t->serial;
	a->state = HIP_UNASSOCIATED;
	a->resend_at = ENGINE_NEVER;
	a->expire_at = ENGINE_NEVER;
	a->why = REASON_NUM;
	update_reset(a);
	b = bucket_of(t, self, peer);
	a->next = t->bucket[b];
	t->bucket[b] = a;
	t->num++;
	selves_use(h, self, 1);
	*out = a;
	return HG_OK;
}

static struct hip_effect *put(struct hip *h, const struct assoc *a,
			      enum hip_effect_kind kind)
{
	struct hip_effect *e = effects_put(&h->fx, kind);

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = a->peer_at;
	e->initiator = a->initiator;
	datapath_fill(h, e);
	return e;
}

void assoc_enter(struct hip *h, struct assoc *a, enum hip_state s, uint64_t now)
{
	struct hip_effect *e;

	a->state = s;
	a->since = now;
	e = put(h, a, HIP_CHANGED);
	e->state = s;
	registration_state(h, a, s, now);
}

void assoc_del(struct hip *h, struct assoc *a, uint64_t now)
{
	struct assocs *t = &h->assocs;
	struct assoc **at = &t->bucket[bucket_of(t, &a->self, &a->peer)];

	assoc_new_serial(h, a);
	assoc_set_keys(h, a, NULL);
	if (a->state != HIP_UNASSOCIATED)
		assoc_enter(h, a, HIP_UNASSOCIATED, now);
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	t->num--;
	selves_use(h, &a->self, -1);
	dueheap_leave(&h->due, &a->due);
	free_assoc(a);
}

struct hip_effect *assoc_sa_effect(struct hip *h, const struct assoc *a,
				   enum hip_effect_kind kind)
{
	struct hip_effect *e = put(h, a, kind);

	e->sa.self = a->self;
	e->sa.peer = a->peer;
	return e;
}

void assoc_sa_up(struct hip *h, struct assoc *a, uint64_t now)
{
	struct hip_effect *e = assoc_sa_effect(h, a, HIP_SA_UP);
	struct sa_pair *sa = &a->keys->sa;

	e->sa = *sa;
	e->standby = a->ice; /* RFC 9028 4.6: no path is checked yet */
	a->sa_up = true;
	a->rekeys = 0;
	a->spi_out_before = 0;
	wear_begin(h, a, now);
	sodium_memzero(&sa->in, sizeof(sa->in));
	sodium_memzero(&sa->out, sizeof(sa->out));
}

void assoc_sa_standby(struct hip *h, struct assoc *a, const struct sa_pair *sa,
		      uint64_t now)
{
	struct hip_effect *e = assoc_sa_effect(h, a, HIP_SA_UP);

	e->sa = *sa;
	e->standby = true;
	datapath_permit(h, a, sa, now); /* before the peer may use it */
}

void assoc_sa_down(struct hip *h, struct assoc *a)
{
	struct hip_effect *e;

	rekey_drop(h, a); /* RFC 7402 6.7 */
	if (!a->sa_up)
		return;
	a->sa_up = false;
	e = assoc_sa_effect(h, a, HIP_SA_DOWN);
	e->sa.suite = a->keys->sa.suite;
	e->sa.spi_in = a->keys->sa.spi_in;
	e->sa.spi_out = a->keys->sa.spi_out;
}

struct hip_effect *assoc_locator(struct hip *h, const struct assoc *a,
				 bool committed)
{
	struct hip_effect *e = put(h, a, HIP_LOCATOR);

	e->committed = committed;
	e->verified = !a->unproved;
	return e;
}

void assoc_set_keys(struct hip *h, struct assoc *a, struct assoc_keys *keys)
{
	registrar_drop(h, a); /* made with the keys that were */
	assoc_sa_down(h, a);  /* RFC 7402 6.5, 6.7 */
	if (a->keys) {
		assoc_spi_give(&h->assocs, a->keys->sa.spi_in);
		assoc_keys_free(a->keys);
	}
	a->keys = keys;
	a->service = 0; /* it is another association (RFC 9028 7.8) */
}

void assoc_new_serial(struct hip *h, struct assoc *a)
{
	for (struct hip_job *j = h->jobs; j; j = j->next) {
		if (j->serial == a->serial)
			atomic_store(&j->cancel, true);
	}
	a->serial = ++h->assocs.serial;
	a->r1_jobs = 0;
	a->check_jobs = 0;
	a->signing = false;
	jobqueue_del(&h->closes, &a->closing);
	jobqueue_del(&h->updates, &a->updating);
}

static uint64_t earlier(uint64_t x, uint64_t y)
{
	return x < y ? x : y;
}

void assoc_arm(struct hip *h, struct assoc *a)
{
	uint64_t at = earlier(a->resend_at, a->expire_at);

	if (a->state == HIP_ESTABLISHED || a->state == HIP_R2_SENT) {
		uint64_t used =
			a->last_in > a->last_out ? a->last_in : a->last_out;

		at = earlier(at, a->up.resend_at);
		at = earlier(at, rekey_deadline(a));
		at = earlier(at, keepalive_deadline(h, a));
		at = earlier(at, noassoc_deadline(a));
		at = earlier(at, pathwatch_deadline(h, a));
		/* The idle time is looked at when it may have run out, not
		 * moved with every packet. */
		at = earlier(at, used + engine_times.ual);
	}
	dueheap_set(&h->due, &a->due, at);
}

void assoc_send_from(struct hip *h, const struct assoc *a,
		     const struct assoc_msg *m, const struct endpoint *self,
		     const struct endpoint *to)
{
	struct hip_effect *e;

	if (!m->p || datapath_send(h, a, m, self, to))
		return;
	e = effects_send(&h->fx, m->p, m->len);
	e->self = a->self;
	e->peer = a->peer;
	e->self_at = *self;
	/* An address that cannot be sent from, or not to there. */
	if (!here_lives(&h->here, self) ||
	    addr_is4(&self->addr) != addr_is4(&to->addr))
		e->self_at = here_towards(&h->here, to);
	e->peer_at = *to;
	e->type = m->p[2] & 0x7f;
}

void assoc_send(struct hip *h, const struct assoc *a, const struct assoc_msg *m,
		const struct endpoint *to)
{
	assoc_send_from(h, a, m, &a->self_at, to);
}

int assoc_msg_keep(struct assoc_msg *m, const uint8_t *p, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);

	if (!copy)
		return HG_ENOMEM;
	memcpy(copy, p, len);
	free(m->p);
	m->p = copy;
	m->len = len;
	return HG_OK;
}

void assoc_msg_drop(struct assoc_msg *m)
{
	free(m->p);
	*m = (struct assoc_msg){ 0 };
}

void assoc_keys_free(struct assoc_keys *k)
{
	if (!k)
		return;
	free(k->host_id);
	free(k->peer_public);
	dh_free(k->dh);
	sodium_memzero(k, sizeof(*k));
	free(k);
}

/* ---- SPIs ------------------------------------------------------------ */

/* Where this SPI is, or the empty place where it would be. */
static uint32_t spi_slot(const uint32_t *v, uint32_t slots, uint32_t spi)
{
	uint32_t i = spi & (slots - 1);

	while (v[i] && v[i] != spi)
		i = (i + 1) & (slots - 1);
	return i;
}

static bool spi_grow(struct assocs *t)
{
	uint32_t slots = t->spi_slots * 2;
	uint32_t *v = calloc(slots, sizeof(uint32_t));

	if (!v)
		return false;
	for (uint32_t i = 0; i < t->spi_slots; i++) {
		if (t->spi[i])
			v[spi_slot(v, slots, t->spi[i])] = t->spi[i];
	}
	free(t->spi);
	t->spi = v;
	t->spi_slots = slots;
	return true;
}

uint32_t assoc_spi_take(struct assocs *t)
{
	return assoc_spi_take_like(t, 0, 1);
}

uint32_t assoc_spi_take_like(struct assocs *t, uint32_t like, uint32_t mod)
{
	if (t->spi_num >= t->spi_slots / 2 && !spi_grow(t) &&
	    t->spi_num + 1 >= t->spi_slots)
		return 0;
	/* More than half is free: 32 misses in a row do not happen. */
	for (int n = 0; n < 32; n++) {
		uint32_t spi = randombytes_random();
		uint32_t i;

		/* Random but for the remainder; near 2^32 it may wrap, and
		 * is then drawn again. */
		if (mod > 1)
			spi = spi - spi % mod + like % mod;
		if (mod > 1 && spi % mod != like % mod)
			continue;
		if (spi <= SPI_RESERVED)
			continue;
		i = spi_slot(t->spi, t->spi_slots, spi);
		if (t->spi[i])
			continue;
		t->spi[i] = spi;
		t->spi_num++;
		return spi;
	}
	return 0;
}

void assoc_spi_give(struct assocs *t, uint32_t spi)
{
	uint32_t mask = t->spi_slots - 1;
	uint32_t i;
	uint32_t j;

	if (!spi)
		return;
	i = spi_slot(t->spi, t->spi_slots, spi);
	if (!t->spi[i])
		return;
	t->spi_num--;
	/* Close the gap: whatever probed past i moves up. */
	for (j = (i + 1) & mask; t->spi[j]; j = (j + 1) & mask) {
		uint32_t home = t->spi[j] & mask;

		if (((j - home) & mask) >= ((j - i) & mask)) {
			t->spi[i] = t->spi[j];
			i = j;
		}
	}
	t->spi[i] = 0;
}
