/* SPDX-License-Identifier: MIT */
/* R1 packets signed ahead of time, and what proves them ours (7401 6.7.1). */
/* THEORY OF OPERATION
 * For each of our identities and DH groups one R1 is on offer, made and
 * signed by a job before anybody asks. Answering an I1 is then: copy, fill
 * in HIT-I, #I and Opaque (which HIP_SIGNATURE_2 leaves out), send. Nothing
 * is kept about who asked.
 *
 * #I is a keyed hash of who asked from where; the key belongs to the entry
 * and dies with it. Opaque is the age of the entry in units of 16 ms when
 * the R1 was given out, and goes into the key, so it cannot be changed: an
 * I2 therefore shows when its R1 was made, and an I2 that was under way
 * while a newer exchange was finished can be told from a peer that has
 * really begun again (responder.c).
 *
 * Generations: an entry whose DH value an accepted I2 has used is replaced
 * after a minute at the earliest, any entry after 15 minutes (7401 5.3.2,
 * 6.7.1), and when the difficulty, or what is said of NATs, changes. Retired entries are answered
 * for 64 s more, twice the puzzle's lifetime, then wiped (Delta S). An R1
 * itself is answered for 64 s after it was given out, no matter how long
 * its entry lives: that is how long an accepted I2 has to be remembered
 * (spent.c). The R1 counter rises by the clock, so a restart does not take
 * it back.
 *
 * Difficulty: two more bits for each second the crypto queue stays more
 * than half full, up to 20; one bit less after each ten quiet seconds.
 */
#include "hip/r1pool.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/hipjob.h"

#define AGE_UNIT (16 * ENGINE_MS)
#define AGE_USED (60 * ENGINE_S)
#define AGE_MAX (900 * ENGINE_S)
#define AGE_SAID (UINT16_MAX * AGE_UNIT)
#define GRACE (64 * ENGINE_S)
#define K_LOAD_MAX 20

int r1pool_init(struct hip *h, uint64_t now)
{
	struct r1pool *p = &h->pool;

	p->due.kind = ENGINE_POOL;
	p->k = h->cfg.puzzle_k;
	p->k_changed = now;
	p->counter = h->cfg.r1_counter;
	return dueheap_reserve(&h->due);
}

static void wipe(struct r1pool_entry *e)
{
	free(e->r1);
	dh_free(e->dh);
	sodium_memzero(e, sizeof(*e));
}

void r1pool_fini(struct hip *h)
{
	for (size_t i = 0; i < R1POOL_IDENTITIES; i++) {
		for (size_t g = 0; g < R1POOL_GROUPS; g++) {
			for (size_t n = 0; n < R1POOL_RING; n++)
				wipe(&h->pool.slot[i][g].ring[n]);
		}
	}
}

static uint64_t next_counter(struct r1pool *p, uint64_t now)
{
	uint64_t by_clock = (now >> 30) + 1;

	p->counter = p->counter + 1 > by_clock ? p->counter + 1 : by_clock;
	return p->counter;
}

static void make(struct hip *h, size_t identity, size_t slot, uint64_t now)
{
	struct r1pool_slot *s = &h->pool.slot[identity][slot];
	struct endpoint seen_at;
	struct hip_job *job;
	bool nat;

	if (now < s->not_before)
		return;
	/* Also when it fails or is still out: the timer looks once a second. */
	s->not_before = now + ENGINE_S;
	if (s->making)
		return;
	job = hipjob_new(h, HIPJOB_POOL, h->id[identity]);
	if (!job)
		return;
	nat = registration_reflexive(h, &job->self, &seen_at);
	job->u.pool = (struct hipjob_pool){
		.identity = identity,
		.slot = slot,
		.group = dh_group_find(h->offer.dh[slot]),
		.k = h->pool.k,
		.rendezvous = h->cfg.rendezvous,
		.relay = h->cfg.relay,
		.data = h->cfg.relay && h->data.num,
		.nat = nat || h->cfg.relay, /* RFC 9028 4.3, 4.5 */
		.client = nat,
		.reflexive = seen_at,
		.edition = h->pool.edition,
		.counter = next_counter(&h->pool, now),
	};
	s->making = hipjob_start(h, job);
}

void r1pool_fill(struct hip *h, size_t identity, uint64_t now)
{
	for (size_t g = 0; g < h->offer.dh_num; g++)
		make(h, identity, g, now);
}

/* Delta S (RFC 7401 6.7.1): until when its R1s may be answered. */
static uint64_t answerable(const struct r1pool_entry *e)
{
	return e->retired == ENGINE_NEVER ? ENGINE_NEVER : e->retired + GRACE;
}

/* When this entry is to be replaced or wiped. */
static uint64_t due_of(const struct r1pool *p, const struct r1pool_slot *s,
		       const struct r1pool_entry *e)
{
	uint64_t t = e->edition == p->edition ? e->made + AGE_MAX : e->made;

	if (e->retired != ENGINE_NEVER)
		return e->retired + GRACE;
	return t < s->not_before ? s->not_before : t;
}

/* Sets the timer to the first of them. */
static void arm(struct hip *h)
{
	uint64_t at = ENGINE_NEVER;

	for (size_t i = 0; i < h->id_num; i++) {
		for (size_t g = 0; g < h->offer.dh_num; g++) {
			const struct r1pool_slot *s = &h->pool.slot[i][g];

			for (size_t n = 0; n < R1POOL_RING; n++) {
				const struct r1pool_entry *e = &s->ring[n];
				uint64_t t = due_of(&h->pool, s, e);

				if (e->r1 && t < at)
					at = t;
			}
		}
	}
	dueheap_set(&h->due, &h->pool.due, at);
}

static void look_after(struct hip *h, size_t identity, size_t g, uint64_t now)
{
	struct r1pool_slot *s = &h->pool.slot[identity][g];

	for (size_t n = 0; n < R1POOL_RING; n++) {
		struct r1pool_entry *e = &s->ring[n];

		if (!e->r1)
			continue;
		if (e->retired != ENGINE_NEVER) {
			if (now >= answerable(e))
				wipe(e);
		} else if (now - e->made >= AGE_MAX ||
			   e->edition != h->pool.edition) {
			make(h, identity, g, now);
		}
	}
}

void r1pool_renew(struct hip *h, uint64_t now)
{
	h->pool.edition++;
	for (size_t i = 0; i < h->id_num; i++)
		r1pool_fill(h, i, now);
	arm(h);
}

void r1pool_timer(struct hip *h, uint64_t now)
{
	for (size_t i = 0; i < h->id_num; i++) {
		for (size_t g = 0; g < h->offer.dh_num; g++)
			look_after(h, i, g, now);
	}
	r1pool_load(h, now);
	arm(h);
}

void r1pool_done(struct hip *h, struct hip_job *job, uint64_t now)
{
	const struct hipjob_pool *u = &job->u.pool;
	struct r1pool_slot *s = &h->pool.slot[u->identity][u->slot];
	struct r1pool_entry *old = &s->ring[s->at];
	struct r1pool_entry *e =
		old->r1 ? &s->ring[(s->at + 1) % R1POOL_RING] : old;
	uint8_t *r1;

	s->making = false;
	if (job->reason != REASON_NUM)
		return;
	if (e->r1 && now < answerable(e))
		return; /* all generations still in use: the old one stays */
	r1 = malloc(job->out.len);
	if (!r1)
		return;
	memcpy(r1, job->out.buf, job->out.len);
	wipe(e);
	if (old != e)
		old->retired = now;
	*e = (struct r1pool_entry){ .r1 = r1,
				    .len = job->out.len,
				    .dh = dh_ref(u->dh),
				    .k = u->k,
				    .edition = u->edition,
				    .counter = u->counter,
				    .made = now,
				    .retired = ENGINE_NEVER };
	puzzle_key(e->key);
	s->at = (unsigned)(e - s->ring);
	arm(h);
}

/* The key of #I for this entry and Opaque. */
static void sub_key(const struct r1pool_entry *e, uint16_t opaque,
		    uint8_t out[PUZZLE_KEY_LEN])
{
	uint8_t in[2] = { (uint8_t)(opaque >> 8), (uint8_t)opaque };

	crypto_generichash(out, PUZZLE_KEY_LEN, in, sizeof(in), e->key,
			   sizeof(e->key));
}

static uint16_t age_of(const struct r1pool_entry *e, uint64_t now)
{
	/* Rounded down: an R1 given out before an exchange ended must not
	 * look newer than that end (responder.c). */
	return (uint16_t)((now - e->made) / AGE_UNIT);
}

size_t r1pool_get(struct hip *h, const struct r1pool_ask *ask, uint8_t group,
		  uint8_t *out)
{
	const struct suite *rhash = identity_suite(h->id[ask->identity]);
	struct puzzle_ends ends = {
		.hit_i = ask->initiator,
		.hit_r = hip_identity_hit(h->id[ask->identity]),
		.initiator = ask->addr,
	};
	uint8_t i[SUITE_HASH_MAX];
	uint8_t key[PUZZLE_KEY_LEN];
	struct r1pool_entry *e;
	uint16_t opaque;
	size_t g = 0;

	while (g < h->offer.dh_num && h->offer.dh[g] != group)
		g++;
	if (g == h->offer.dh_num)
		return 0;
	e = &h->pool.slot[ask->identity][g]
		     .ring[h->pool.slot[ask->identity][g].at];
	if (!e->r1 || e->k != h->pool.k || e->edition != h->pool.edition ||
	    ask->now - e->made >= AGE_MAX ||
	    (e->used && ask->now - e->made >= AGE_USED))
		make(h, ask->identity, g, ask->now);
	/* An age that Opaque cannot say would be no proof. */
	if (!e->r1 || (ask->current && e->edition != h->pool.edition) ||
	    ask->now - e->made > AGE_SAID)
		return 0;
	opaque = age_of(e, ask->now);
	sub_key(e, opaque, key);
	puzzle_make_i(key, &ends, rhash, i);
	sodium_memzero(key, sizeof(key));
	memcpy(out, e->r1, e->len);
	if (message_aim_r1(out, e->len, ask->initiator, opaque, i,
			   rhash->hash_len))
		return 0;
	return e->len;
}

static struct r1pool_entry *find(struct hip *h, const struct r1pool_ask *ask,
				 uint8_t group, uint64_t counter)
{
	for (size_t g = 0; g < h->offer.dh_num; g++) {
		struct r1pool_slot *s = &h->pool.slot[ask->identity][g];

		if (h->offer.dh[g] != group)
			continue;
		for (size_t n = 0; n < R1POOL_RING; n++) {
			struct r1pool_entry *e = &s->ring[n];

			if (e->r1 && e->counter == counter &&
			    ask->now < answerable(e))
				return e;
		}
	}
	return NULL;
}

static bool solved(const struct r1pool_entry *e, const struct r1pool_ask *ask,
		   const struct puzzle *z, const struct field_solution *sol)
{
	struct puzzle_ends ends = { .hit_i = ask->initiator,
				    .hit_r = &z->hit_r,
				    .initiator = ask->addr };
	uint8_t key[PUZZLE_KEY_LEN];
	bool ours;

	sub_key(e, sol->opaque, key);
	ours = puzzle_is_ours(key, &ends, z->rhash, sol->i);
	sodium_memzero(key, sizeof(key));
	return ours && puzzle_verify(z, sol->j);
}

enum reason r1pool_check(struct hip *h, const struct r1pool_ask *ask,
			 const struct hip_msg *m, struct r1pool_match *out)
{
	struct puzzle z = { .rhash = identity_suite(h->id[ask->identity]),
			    .hit_i = m->sender,
			    .hit_r = m->receiver };
	const struct hip_param *c = param_find(m, PARAM_R1_COUNTER);
	const struct hip_param *s = param_find(m, PARAM_SOLUTION);
	const struct hip_param *d = param_find(m, PARAM_DIFFIE_HELLMAN);
	struct field_r1_counter counter;
	struct field_solution sol;
	struct field_dh dh;
	struct r1pool_entry *e;

	/* Our R1 always carry a counter, so I2 must (RFC 7401 5.3.3). */
	if (!c || !s || !d)
		return REASON_HIP_MISSING;
	if (!fields_get_r1_counter(c, &counter) || !fields_get_dh(d, &dh) ||
	    !fields_get_solution(s, &sol) || sol.i_len != z.rhash->hash_len)
		return REASON_HIP_TLV;
	e = find(h, ask, dh.group, counter.counter);
	if (!e)
		return REASON_HIP_R1_COUNTER; /* RFC 7401 6.9 step 7 */
	if (sol.k != e->k)
		return REASON_HIP_PUZZLE;
	z.k = sol.k;
	memcpy(z.i, sol.i, sol.i_len);
	if (!solved(e, ask, &z, &sol))
		return REASON_HIP_PUZZLE; /* RFC 7401 6.9 step 8 */
	out->entry = e;
	out->issued = e->made + sol.opaque * AGE_UNIT;
	out->until = out->issued + GRACE;
	return ask->now < out->until ? REASON_NUM : REASON_HIP_R1_COUNTER;
}

void r1pool_load(struct hip *h, uint64_t now)
{
	struct r1pool *p = &h->pool;
	bool busy = h->job_num > h->cfg.jobs_max / 4; /* of the half for I2 */

	if (!busy) {
		p->busy_since = 0;
		if (p->k > h->cfg.puzzle_k &&
		    now - p->k_changed >= 10 * ENGINE_S) {
			p->k--;
			p->k_changed = now;
		}
		return;
	}
	if (!p->busy_since)
		p->busy_since = now ? now : 1;
	if (now - p->busy_since < ENGINE_S || now - p->k_changed < ENGINE_S ||
	    p->k >= K_LOAD_MAX)
		return;
	p->k = p->k + 2 > K_LOAD_MAX ? K_LOAD_MAX : (uint8_t)(p->k + 2);
	p->k_changed = now;
}
