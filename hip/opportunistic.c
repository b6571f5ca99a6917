/* SPDX-License-Identifier: MIT */
/* Beginning without the peer's HIT, and answering that (RFC 7401 4.1.8). */
/* THEORY OF OPERATION
 * Off by default, on both sides. An Initiator that knows an address only
 * sends I1 with the null HIT there. What comes back from just that address
 * and port, an R1 of whatever HIT, goes to a job as every R1 does; when the
 * job has found that the HIT is that of the Host Identity and the signature
 * is its own, the association is made and I2 leaves. An R1 may be one that
 * was recorded and sent with a false source; only R2 proves who is at the
 * address, and HIP_FOUND then tells the HIT, for the caller to pin. If none
 * comes, HIP_FAILED says so of the address. That it is the HIT of an earlier time is never
 * expected. There is no association before that: the wish lives here, with
 * I1s that are repeated as others are. At most two jobs run for a wish; the
 * first that ends well wins. It fails at once when its identity is retired
 * or new access rules deny the address.
 *
 * A Responder answers with an identity that is not anonymous, in the
 * Initiator's HIT suite if it has one, and only when the I1 came straight:
 * one with FROM is dropped (RFC 8004 4.3.2), for the agent took it as sent
 * to itself.
 *
 * Owner: the engine's thread.
 */
#include "hip/opportunistic.h"

#include <stdlib.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/initiator.h"
#include "hip/selves.h"
#include "hip/statetab.h"

#define JOBS_MAX 2

struct opportunistic {
	struct due due;
	struct hit self;
	struct endpoint at;
	uint64_t serial; /* of its jobs */
	uint8_t tries;
	uint8_t jobs; /* in flight */
	uint8_t waits;
	enum reason why;
};

/* ---- answering --------------------------------------------------------- */

bool opportunistic_i1(struct hip *h, struct packet *p)
{
	const struct hit *answer = selves_answer(h, &p->m.sender);

	if (!h->cfg.opportunistic || !answer || param_find(&p->m, PARAM_FROM) ||
	    param_find(&p->m, PARAM_RVS_HMAC)) {
		engine_drop(h, p, REASON_HIP_OPPORTUNISTIC);
		return false;
	}
	p->m.receiver = *answer;
	return true;
}

/* ---- the wish ---------------------------------------------------------- */

static void forget(struct hip *h, struct opportunistic *w)
{
	struct opportunistics *t = &h->opportunistics;
	size_t i = 0;

	for (struct hip_job *j = h->jobs; j; j = j->next) {
		if (j->serial == w->serial)
			atomic_store(&j->cancel, true);
	}
	while (t->v[i] != w)
		i++;
	t->v[i] = t->v[--t->num];
	dueheap_leave(&h->due, &w->due);
	free(w);
}

void opportunistic_fini(struct hip *h)
{
	while (h->opportunistics.num)
		forget(h, h->opportunistics.v[0]);
}

static struct opportunistic *find(const struct hip *h, const struct hit *self,
				  const struct endpoint *at)
{
	for (size_t i = 0; i < h->opportunistics.num; i++) {
		struct opportunistic *w = h->opportunistics.v[i];

		if (hit_eq(&w->self, self) && endpoint_eq(&w->at, at))
			return w;
	}
	return NULL;
}

static void send_i1(struct hip *h, struct opportunistic *w, uint64_t now)
{
	struct msg_builder b;
	struct hip_effect *e;

	w->waits = 0;
	message_begin(&b, HIP_I1, &w->self, NULL);
	message_put(&b, PARAM_DH_GROUP_LIST, h->offer.dh, h->offer.dh_num);
	initiator_pad_i1(&b, &hit_null);
	if (message_finish(&b) == HG_OK) {
		e = effects_send(&h->fx, b.buf, b.len);
		e->self = w->self;
		e->self_at.port = HIP_PORT; /* the kernel picks the address */
		e->peer_at = w->at;
		e->type = HIP_I1;
	}
	dueheap_set(&h->due, &w->due,
		    now + engine_backoff(engine_times.retry, w->tries));
}

static bool denied(struct hip *h, const struct addr *at)
{
	return access_judge(&h->access, HIP_ROLE_INITIATOR, &hit_null, at) ==
	       ACCESS_DENY;
}

int hip_want_opportunistic(struct hip *h, const struct hit *self,
			   const struct endpoint *at, uint64_t now)
{
	struct opportunistics *t = &h->opportunistics;
	struct opportunistic *w;
	int err;

	self = self ? self : hip_default_hit(h);
	if (!self || !selves_begins(h, self) || addr_is_unusable(&at->addr))
		return HG_EINVAL;
	if (denied(h, &at->addr)) {
		reason_count(&h->reasons, REASON_HIP_DENIED);
		return HG_EPERM;
	}
	if (find(h, self, at))
		return HG_OK;
	if (t->num >= OPPORTUNISTIC_MAX)
		return HG_EFULL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return HG_ENOMEM;
	err = dueheap_reserve(&h->due);
	if (err) {
		free(w);
		return err;
	}
	*w = (struct opportunistic){ .due.kind = ENGINE_OPPORTUNISTIC,
				     .self = *self,
				     .at = *at,
				     .serial = ++h->assocs.serial,
				     .why = REASON_HIP_TIMEOUT };
	t->v[t->num++] = w;
	send_i1(h, w, now);
	return HG_OK;
}

void hip_unwant_opportunistic(struct hip *h, const struct hit *self,
			      const struct endpoint *at)
{
	struct opportunistic *w;

	self = self ? self : hip_default_hit(h);
	w = self ? find(h, self, at) : NULL;
	if (w)
		forget(h, w);
}

static void give_up(struct hip *h, struct opportunistic *w, enum reason why)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_FAILED);

	e->self = w->self; /* the peer is nobody: the null HIT */
	e->peer_at = w->at;
	e->reason = why;
	forget(h, w);
}

void opportunistic_leave(struct hip *h, const struct hit *self)
{
	for (size_t i = h->opportunistics.num; i-- > 0;) {
		struct opportunistic *w = h->opportunistics.v[i];

		if (hit_eq(&w->self, self))
			give_up(h, w, REASON_HIP_STATE);
	}
}

void opportunistic_admit(struct hip *h)
{
	for (size_t i = h->opportunistics.num; i-- > 0;) {
		struct opportunistic *w = h->opportunistics.v[i];

		if (denied(h, &w->at.addr))
			give_up(h, w, REASON_HIP_DENIED);
	}
}

void opportunistic_timer(struct hip *h, struct due *d, uint64_t now)
{
	struct opportunistic *w =
		(struct opportunistic *)((char *)d -
					 offsetof(struct opportunistic, due));

	if (w->jobs && w->waits < ENGINE_WAITS_MAX) {
		w->waits++;
		/* A puzzle is being solved, not for longer than it holds. */
		for (struct hip_job *j = h->jobs; j; j = j->next) {
			if (j->serial == w->serial && now >= j->u.r1.give_up)
				atomic_store(&j->cancel, true);
		}
		dueheap_set(&h->due, d, now + engine_times.retry);
		return;
	}
	w->tries++;
	if (w->tries >= engine_times.i1_max)
		give_up(h, w, w->why);
	else
		send_i1(h, w, now);
}

/* ---- R1 ---------------------------------------------------------------- */

static enum reason start(struct hip *h, struct opportunistic *w,
			 const struct packet *p)
{
	const struct hip_param *z = param_find(&p->m, PARAM_PUZZLE);
	struct field_puzzle puzzle;
	uint64_t lifetime;
	struct hip_job *job;
	uint32_t spi;

	/* Ourselves: the address leads back. */
	if (engine_identity(h, &p->m.sender))
		return REASON_HIP_STATE;
	if (!z)
		return REASON_HIP_MISSING;
	if (!fields_get_puzzle(z, &puzzle))
		return REASON_HIP_TLV;
	if (puzzle.k > h->cfg.puzzle_k_max)
		return REASON_HIP_PUZZLE_HARD;
	if (!admit_reach(h, &w->self, &p->m.sender, &p->from->addr))
		return REASON_HIP_DENIED;
	if (w->jobs >= JOBS_MAX)
		return REASON_HIP_BUSY;
	job = hipjob_new(h, HIPJOB_R1, engine_identity(h, &w->self));
	if (!job)
		return REASON_HIP_BUSY;
	lifetime = puzzle_lifetime_ns(puzzle.lifetime);
	if (lifetime > engine_times.solve)
		lifetime = engine_times.solve;
	hipjob_input(job, p);
	job->serial = w->serial;
	job->u.r1.opportunistic = true;
	job->u.r1.k_max = h->cfg.puzzle_k_max;
	job->u.r1.esp_null = offer_null_allowed(&h->cfg, &p->m.sender);
	job->u.r1.give_up = p->now + lifetime;
	job->u.r1.spi = assoc_spi_take(&h->assocs);
	spi = job->u.r1.spi;
	if (!spi) {
		hipjob_unlink(h, job);
		hipjob_free(job);
		return REASON_HIP_BUSY;
	}
	if (!hipjob_start(h, job)) {
		assoc_spi_give(&h->assocs, spi);
		return REASON_HIP_BUSY;
	}
	w->jobs++;
	return REASON_NUM;
}

bool opportunistic_r1(struct hip *h, const struct packet *p,
		      const struct assoc *a)
{
	struct opportunistic *w = find(h, &p->m.receiver, p->from);
	enum reason r;

	/* One that was asked for by its HIT is not ours to take. */
	if (!w || (a && (a->asking || a->state == HIP_I2_SENT)))
		return false;
	r = start(h, w, p);
	if (r != REASON_NUM)
		engine_drop(h, p, r);
	return true;
}

/* The association that R1 is the answer to, as if it had been asked for by
 * its HIT. */
static struct assoc *begun(struct hip *h, const struct opportunistic *w,
			   const struct hit *peer, uint64_t now)
{
	struct assoc *a;

	if (assoc_add(h, &w->self, peer, &a))
		return NULL;
	a->initiator = true;
	a->asking = true;
	a->found = true;
	a->locators[0] = w->at;
	a->locator_num = 1;
	a->peer_at = w->at;
	a->self_at = (struct endpoint){ .port = HIP_PORT };
	a->resend_at = now + engine_times.retry;
	assoc_enter(h, a, HIP_I1_SENT, now);
	assoc_arm(h, a);
	return a;
}

static void met_at(struct hip *h, const struct assoc *a,
		   const struct endpoint *at)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_FOUND);

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = *at;
	e->anonymous = a->peer_anonymous;
}

static void found(struct hip *h, struct opportunistic *w, struct hip_job *job,
		  struct packet *p)
{
	struct event ev = {
		.kind = STATETAB_R1_OK, .p = p, .job = job, .now = p->now
	};

	ev.a = assoc_find(&h->assocs, &w->self, &p->m.sender);
	if (ev.a && ev.a->sa_up) {
		/* We have met it already, there or elsewhere. */
		met_at(h, ev.a, p->from);
		forget(h, w);
		return;
	}
	if (!ev.a)
		ev.a = begun(h, w, &p->m.sender, p->now);
	else
		ev.a = NULL;
	if (!ev.a) {
		w->why = REASON_HIP_STATE; /* the wish goes on */
		engine_drop(h, p, w->why);
		return;
	}
	statetab_run(h, &ev);
	forget(h, w);
}

void opportunistic_proved(struct hip *h, const struct assoc *a)
{
	met_at(h, a, &a->peer_at);
}

void opportunistic_done(struct hip *h, struct hip_job *job, struct packet *p)
{
	struct opportunistic *w = find(h, &job->self, &job->from);
	enum reason r = job->reason;

	if (!w || w->serial != job->serial) {
		engine_drop(h, p, REASON_HIP_STATE);
		return;
	}
	w->jobs--;
	if (r == REASON_NUM && !admit_still(h, job, p))
		r = REASON_HIP_DENIED;
	if (r == REASON_NUM) {
		found(h, w, job, p);
		return;
	}
	w->why = r;
	engine_drop(h, p, r);
}
