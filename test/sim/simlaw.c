/* SPDX-License-Identifier: MIT */
/* What must hold at every step of a simulated run. */
/* THEORY OF OPERATION: see simlaw.h. */
#include "test/sim/simlaw.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/engine.h"
#include "hip/hipjob.h"
#include "hip/paths.h"
#include "test/sim/simnet.h"

/* What one call may ask for, with as few peers as there are here. */
#define EFFECTS_MAX 64
#define HEADER 40
#define TYPE_PUZZLE 257
#define TYPE_ENCRYPTED 641
#define TYPE_SIGNATURE 61697
#define TYPE_SIGNATURE_2 61633

/* ---- sets ----------------------------------------------------------------- */

static uint64_t hash(const void *p, size_t len)
{
	static const uint8_t key[crypto_shorthash_KEYBYTES] = { 1 };
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t v;

	crypto_shorthash(out, p, len, key);
	memcpy(&v, out, sizeof(v));
	return v ? v : 1;
}

static struct simlaw_row *slot_of(const struct simlaw_set *set, uint64_t key)
{
	size_t i = key & (set->slots - 1);

	while (set->row[i].key && set->row[i].key != key)
		i = (i + 1) & (set->slots - 1);
	return &set->row[i];
}

static struct simlaw_row *find(const struct simlaw_set *set, uint64_t key)
{
	struct simlaw_row *r = set->slots ? slot_of(set, key) : NULL;

	return r && r->key ? r : NULL;
}

/* The row, made when there is none. */
static struct simlaw_row *row(struct simlaw_set *set, uint64_t key)
{
	struct simlaw_set old = *set;
	struct simlaw_row *r;

	if (set->num >= set->slots / 2) {
		set->slots = set->slots ? set->slots * 2 : 256;
		set->row = calloc(set->slots, sizeof(set->row[0]));
		if (!set->row)
			abort();
		for (size_t i = 0; i < old.slots; i++) {
			if (old.row[i].key)
				*slot_of(set, old.row[i].key) = old.row[i];
		}
		free(old.row);
	}
	r = slot_of(set, key);
	set->num += !r->key;
	r->key = key;
	return r;
}

void simlaw_fini(struct simlaw *law)
{
	free(law->genuine.row);
	free(law->keys.row);
	free(law->ivs.row);
}

/* ---- what is genuine ------------------------------------------------------- */

static size_t be16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* The message as its authenticators see it; its length, or 0: it is none. */
static size_t canonical(const uint8_t *msg, size_t len, uint8_t *out)
{
	bool r1 = len > 2 && (msg[2] & 0x7f) == HIP_R1;
	bool i1 = len > 2 && (msg[2] & 0x7f) == HIP_I1;
	size_t at = HEADER;

	if (len < HEADER || len > HIP_MSG_MAX)
		return 0;
	if ((msg[1] + 1u) * 8 < len)
		len = (msg[1] + 1u) * 8; /* what follows does not count */
	memcpy(out, msg, len);
	if (!i1)
		out[1] = 0; /* VIA_RVS, RELAY_FROM, echoes may follow */
	if (r1)
		memset(out + 24, 0, 16);
	while (at + 4 <= len) {
		size_t type = be16(msg + at);
		size_t n = be16(msg + at + 2);
		size_t next = at + (4 + n + 7) / 8 * 8;

		if (next > len)
			return 0;
		memset(out + at + 4 + n, 0, next - at - 4 - n);
		if (r1 && type == TYPE_PUZZLE && n > 4)
			memset(out + at + 6, 0, n - 2);
		if (type == (r1 ? TYPE_SIGNATURE_2 : TYPE_SIGNATURE))
			return next;
		at = next;
	}
	return at == len ? len : 0;
}

static uint64_t hash_of(const uint8_t *msg, size_t len)
{
	uint8_t out[HIP_MSG_MAX];
	size_t n = canonical(msg, len, out);

	return n ? hash(out, n) : 0;
}

static void look_at_iv(struct sim *s, const uint8_t *msg, size_t len)
{
	size_t at = HEADER;

	while (at + 4 <= len) {
		size_t n = be16(msg + at + 2);
		struct simlaw_row *r;
		uint64_t h;

		if (be16(msg + at) == TYPE_ENCRYPTED && n > 20) {
			h = hash(msg + at, 4 + n);
			r = row(&s->law.ivs, hash(msg + at + 8, 16));
			if (r->value && r->value != h)
				simnet_break(s, "two ENCRYPTED with one IV");
			r->value = h;
		}
		at += (4 + n + 7) / 8 * 8;
	}
}

void simlaw_sent(struct sim *s, const uint8_t *msg, size_t len)
{
	uint64_t h = hash_of(msg, len);

	if (!h) {
		simnet_break(s, "an engine sends a malformed message");
		return;
	}
	row(&s->law.genuine, h);
	look_at_iv(s, msg, len);
}

/* ---- prints of associations ------------------------------------------------ */

static uint64_t print_msg(const struct assoc_msg *m)
{
	return m->p ? hash(m->p, m->len) : 0;
}

static uint64_t print_assoc(const struct assoc *a, bool sign)
{
	struct assoc c;
	uint64_t part[6];

	/* As octets, so that padding and fields to come are covered. */
	memcpy(&c, a, sizeof(c));
	memset(&c.due, 0, sizeof(c.due));
	c.next = NULL;
	c.r1_jobs = 0;
	c.check_jobs = 0;
	memset(&c.keep, 0, sizeof(c.keep)); /* keepalives are not verified */
	memset(&c.why, 0, sizeof(c.why));
	c.up.reacked = 0;
	c.up.reacks = 0;
	/* What paces repeated answers, and who waits for a job to CLOSE. */
	c.reanswered = 0;
	memset(&c.closing, 0, sizeof(c.closing));
	memset(&c.updating, 0, sizeof(c.updating));
	c.signing = 0;
	if (c.state == HIP_R2_SENT)
		c.expire_at = 0;
	if (!sign)
		c.last_in = 0;
	part[0] = hash(&c, sizeof(c));
	part[1] = a->keys ? hash(a->keys, sizeof(*a->keys)) : 0;
	part[2] = print_msg(&a->msg);
	part[3] = print_msg(&a->up.sent);
	part[4] = print_msg(&a->up.ack);
	part[5] = a->paths ? hash(a->paths, sizeof(*a->paths)) : 0;
	return hash(part, sizeof(part));
}

static void print_registration(const struct hip_registration *r, void *arg)
{
	uint64_t *sum = arg;

	*sum += hash(&r->client, sizeof(r->client)) ^
		hash(&r->at, sizeof(r->at)) ^
		hash(&r->expires, sizeof(r->expires));
}

static void look(const struct hip *h, struct simlaw_look *l)
{
	size_t at = 0;

	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (const struct assoc *a = h->assocs.bucket[i]; a;
		     a = a->next) {
			l->print += print_assoc(a, false);
			l->sign += print_assoc(a, true);
			l->waiting |= a->up.waiting;
			l->awaits |= a->paths && a->paths->await;
			l->place += hash(&a->self_at, sizeof(a->self_at)) ^
				    hash(&a->peer_at, sizeof(a->peer_at)) ^
				    (uint64_t)a->state;
		}
	}
	while (hip_some_registrations(h, &at, print_registration, &l->print))
		;
	for (size_t i = 0; i < h->registrations.num; i++)
		l->print += hash(&h->registrations.v[i]->granted,
				 sizeof(h->registrations.v[i]->granted)) *
			    (i + 1);
}

static uint64_t drops(const struct hip *h)
{
	uint64_t n = 0;

	for (int r = 0; r < REASON_NUM; r++)
		n += reason_get(hip_reasons(h), (enum reason)r);
	return n;
}

struct simlaw_look simlaw_before(struct sim *s, unsigned i,
				 const struct hip_job *job)
{
	const struct hip *h = s->host[i].h;
	struct simlaw_look l = { .drops = drops(h) };

	look(h, &l);
	/* A signature's `in` was judged when it was checked. */
	if (job && job->in_len && job->kind != HIPJOB_SIGN) {
		l.genuine = hash_of(job->in, job->in_len);
		l.type = job->in[2] & 0x7f;
	}
	return l;
}

/* ---- steps ------------------------------------------------------------------ */

struct tally {
	uint32_t assocs;
	uint32_t spis;
	uint32_t rekeys; /* under way: each may hold one SPI more */
	uint32_t up;	 /* associations with SAs up */
	uint32_t waits;	 /*  of these, without a path yet */
	uint32_t data;	 /* associations in a state that carries data */
};

static struct tally tally(const struct hip *h)
{
	struct tally t = { 0 };

	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (const struct assoc *a = h->assocs.bucket[i]; a;
		     a = a->next) {
			t.assocs++;
			t.up += a->sa_up;
			t.waits += a->sa_up && a->ice_waits;
			t.data += a->state == HIP_R2_SENT ||
				  a->state == HIP_ESTABLISHED;
			t.rekeys += a->rekey != NULL;
			t.spis += a->keys && a->keys->sa.spi_in;
			for (int n = 0; n < ASSOC_OLD_MAX; n++)
				t.spis += a->old[n].spi_in != 0;
		}
	}
	for (const struct hip_job *j = h->jobs; j; j = j->next) {
		t.spis += j->kind == HIPJOB_R1 && j->u.r1.spi;
		t.spis += j->kind == HIPJOB_I2 && j->u.i2.spi;
	}
	return t;
}

void simlaw_after_input(struct sim *s, unsigned i,
			const struct simlaw_look *was)
{
	struct simlaw_look is = { 0 };

	look(s->host[i].h, &is);
	if (is.print != was->print || is.sign != was->sign)
		simnet_break(s, "a packet not verified changes an association");
}

void simlaw_after_job(struct sim *s, unsigned i, const struct simlaw_look *was)
{
	struct sim_host *host = &s->host[i];
	uint8_t bit = (uint8_t)(1u << i);
	struct simlaw_look is = { 0 };
	struct simlaw_row *r;

	look(host->h, &is);
	if (!was->type || (is.print == was->print && is.sign == was->sign))
		return;
	r = find(&s->law.genuine, was->genuine);
	if (!r) {
		simnet_break(s, "a forged packet changes an association");
		return;
	}
	if (is.print == was->print || was->type == HIP_R1)
		return;
	/* Any UPDATE may let go one of ours that waits to be signed. */
	if (was->type == HIP_UPDATE && was->waiting)
		return;
	/* A copy by another path proves another address. */
	if (was->type == HIP_UPDATE && was->awaits)
		return;
	/* A NOTIFY has no number, and a keepalive is the same each time. One
	 * from elsewhere may have the peer asked; it does no more. */
	if (was->type == HIP_NOTIFY) {
		if (is.place != was->place)
			simnet_break(s, "a NOTIFY moves an association");
		return;
	}
	if (r->a & bit)
		simnet_break(s, "a packet changes associations twice");
	/* Turned away half-done, or answered when keys have been made: the
	 * peer repeats it. */
	if (drops(host->h) == was->drops && !tally(host->h).rekeys)
		r->a |= bit;
}

static unsigned sealing(const struct sim_host *host)
{
	unsigned n = 0;

	for (unsigned k = 0; k < SIM_SAS; k++)
		n += host->sa[k].out;
	return n;
}

void simlaw_bounds(struct sim *s, unsigned i, unsigned effects)
{
	const struct hip *h = s->host[i].h;
	struct tally t = tally(h);

	if (effects > EFFECTS_MAX)
		simnet_break(s, "too many effects of one call");
	if (t.up != t.data || t.up - t.waits != sealing(&s->host[i]))
		simnet_break(s, "SAs and states do not agree");

	if (h->assocs.num != t.assocs || t.assocs > h->assocs.max)
		simnet_break(s, "associations beyond their bound");
	if (h->job_num != s->host[i].jobs || h->job_num > h->cfg.jobs_max)
		simnet_break(s, "jobs beyond their bound, or lost");
	if (h->assocs.spi_num < t.spis || h->assocs.spi_num > t.spis + t.rekeys)
		simnet_break(s, "an SPI leaks");
	if (h->fx.head || h->fx.traces || h->fx.lost)
		simnet_break(s, "effects remain, or are lost");
	if (h->registrar.num > REGISTRAR_MAX ||
	    h->registrations.num > REGISTRATION_MAX)
		simnet_break(s, "registrations beyond their bound");
	if (h->due.num > h->due.owners)
		simnet_break(s, "more timers than owners");
}

/* ---- keys -------------------------------------------------------------------- */

uint64_t simlaw_key(uint16_t suite, const struct sa_keys *k)
{
	struct {
		struct sa_keys k;
		uint64_t suite;
	} in;

	memset(&in, 0, sizeof(in));
	in.k = *k;
	in.suite = suite;
	return hash(&in, sizeof(in));
}

void simlaw_sa_up(struct sim *s, unsigned i, const struct sa_pair *sa,
		  bool initiator)
{
	uint8_t me = (uint8_t)(i + 1);
	struct simlaw_row *r =
		row(&s->law.keys, simlaw_key(sa->suite, &sa->in));

	s->count.sas++;
	if (r->b || r->a == me)
		simnet_break(s, "an inbound key is used again");
	if (r->value && r->value != sa->spi_in)
		simnet_break(s, "the two ends have other SPIs");
	if (initiator && !r->a)
		simnet_break(s, "Initiator's keys are not the Responder's");
	r->b = me;
	r->value = sa->spi_in;
	r = row(&s->law.keys, simlaw_key(sa->suite, &sa->out));
	if (r->a || r->b == me)
		simnet_break(s, "an outbound key is used again");
	if (r->value && r->value != sa->spi_out)
		simnet_break(s, "the two ends have other SPIs");
	if (initiator && !r->b)
		simnet_break(s, "Initiator's keys are not the Responder's");
	r->a = me;
	r->value = sa->spi_out;
}

void simlaw_seal(struct sim *s, unsigned i, uint64_t key, uint64_t seq)
{
	struct simlaw_row *r = row(&s->law.keys, key);
	struct simlaw_row *n = row(&s->law.keys, hash(&key, sizeof(key)));

	if (r->a != i + 1)
		simnet_break(s, "sealed with a key that is not installed");
	if (seq <= n->value)
		simnet_break(s, "a nonce is used twice under one key");
	n->value = seq;
}
