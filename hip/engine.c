/* SPDX-License-Identifier: MIT */
/* The door of the engine: input, wishes, time, jobs back (RFC 7401). */
/* THEORY OF OPERATION
 * See hip.h for the contract. This file sorts: a packet to its association
 * and its event, a due timer to its owner, a finished job to whoever asked
 * for it. What happens then is in the state table and behind it. The
 * engine has one owner thread; jobs are the only thing that leaves it.
 */
#include "hip/engine.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/closing.h"
#include "hip/datapath.h"
#include "hip/hipjob.h"
#include "hip/notify.h"
#include "hip/keepalive.h"
#include "hip/paths.h"
#include "hip/pathwatch.h"
#include "hip/rekey.h"
#include "hip/statetab.h"
#include "hip/suite.h"
#include "hip/update.h"
#include "hip/wear.h"

#define ASSOC_MAX 131072u /* 7/8 of it for those who come to us */
#define JOBS_MAX 256u
#define TICK_MAX 256 /* timers of one hip_tick; the rest stays due */

const struct engine_times engine_times = {
	.retry = 500 * ENGINE_MS, /* 0.5, 1, 2, 4, 8 s */
	.retry_cap = 60 * ENGINE_S,
	.i1_max = 5,
	.i1_parallel = 3,
	.i1_stagger = 250 * ENGINE_MS,
	.i2_max = 5,
	.i2_doubtful = 4,
	.update_max = 5,
	.wide_max = 9,
	.wide_cap = 4 * ENGINE_S,
	.denied_max = 2,
	.stagger = 250 * ENGINE_MS,
	.stagger_min = 50 * ENGINE_MS,
	.stagger_new = 100 * ENGINE_MS,
	.ec = 10 * ENGINE_S,
	.ual = 900 * ENGINE_S,
	.msl = 120 * ENGINE_S,
	.solve = 60 * ENGINE_S,
	.hold = 30 * ENGINE_S,
	.reack = 100 * ENGINE_MS,
	.busy_max = 3,
};

int hip_new(const struct hip_config *cfg, uint64_t now, struct hip **out)
{
	struct hip *h;
	int err;

	if (sodium_init() < 0)
		return HG_ECRYPTO;
	err = suite_setup();
	if (err)
		return err;
	h = calloc(1, sizeof(*h));
	if (!h)
		return HG_ENOMEM;
	h->cfg = *cfg;
	jobqueue_init(&h->closes);
	jobqueue_init(&h->updates);
	if (!h->cfg.assoc_max)
		h->cfg.assoc_max = ASSOC_MAX;
	if (!h->cfg.jobs_max)
		h->cfg.jobs_max = JOBS_MAX;
	err = offer_init(&h->offer, cfg);
	if (!err)
		err = assoc_table_init(&h->assocs, h->cfg.assoc_max);
	if (!err)
		err = budget_init(&h->budget, now);
	if (!err)
		err = registrar_init(h);
	if (!err)
		err = here_init(h);
	if (!err)
		err = r1pool_init(h, now);
	if (err) {
		hip_free(h);
		return err;
	}
	*out = h;
	return HG_OK;
}

void hip_free(struct hip *h)
{
	if (!h)
		return;
	/* Jobs still out come back to nobody: hip_job_done(NULL, ...). */
	while (h->jobs) {
		atomic_store(&h->jobs->cancel, true);
		hipjob_unlink(h, h->jobs);
	}
	access_fini(&h->access);
	effects_fini(&h->fx);
	datarelay_fini(h);
	registrar_fini(h);
	registration_fini(h);
	opportunistic_fini(h);
	assoc_table_fini(h);
	r1pool_fini(h);
	budget_fini(&h->budget);
	selves_fini(h);
	here_fini(h);
	dueheap_fini(&h->due);
	sodium_memzero(h, sizeof(*h));
	free(h);
}

uint64_t engine_backoff(uint64_t first, unsigned n)
{
	return first << (n < 20 ? n : 20);
}

uint8_t hip_puzzle(const struct hip *h)
{
	return h->pool.k;
}

void hip_set_puzzle(struct hip *h, uint8_t k)
{
	/* Under load it is higher, and comes down by itself. */
	if (h->pool.k == h->cfg.puzzle_k || h->pool.k < k)
		h->pool.k = k;
	h->cfg.puzzle_k = k;
}

void hip_set_opportunistic(struct hip *h, bool answer)
{
	h->cfg.opportunistic = answer;
}

void hip_set_draining(struct hip *h, bool draining)
{
	h->draining = draining;
}

/* ---- what callers see ------------------------------------------------- */

static void fill(struct hip_effect *e, const struct packet *p)
{
	e->self = p->m.receiver;
	e->peer = p->m.sender;
	e->peer_at = *p->from;
	e->self_at = *p->at;
	e->type = p->m.type;
}

void engine_drop(struct hip *h, const struct packet *p, enum reason r)
{
	struct hip_effect *e;

	reason_count(&h->reasons, r);
	e = effects_put(&h->fx, HIP_DROPPED);
	fill(e, p);
	e->reason = r;
}

struct hip_effect *engine_seen(struct hip *h, const struct packet *p)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_SEEN);

	fill(e, p);
	e->anonymous = (p->m.type == HIP_R1 || p->m.type == HIP_I2) &&
		       (p->m.controls & PARAM_CONTROL_A);
	return e;
}

bool hip_effect(struct hip *h, struct hip_effect *out)
{
	return effects_take(&h->fx, out);
}

const struct reasons *hip_reasons(const struct hip *h)
{
	return &h->reasons;
}

bool engine_job_packet(const struct hip_job *job, uint64_t now,
		       struct packet *p)
{
	*p = (struct packet){ .from = &job->from,
			      .at = &job->at,
			      .relayed = job->relayed,
			      .has_from = job->by_rvs,
			      .via = job->via,
			      .now = now };
	if (job->by_port)
		p->source = job->from;
	return param_parse(job->in, job->in_len, &p->m) == REASON_NUM;
}

/* ---- wishes ------------------------------------------------------------ */

int hip_want(struct hip *h, const struct hit *self, const struct hit *peer,
	     const struct endpoint *locators, size_t num, uint64_t now)
{
	struct endpoint may[HIP_LOCATORS_MAX];
	struct event ev = { .kind = STATETAB_WANT,
			    .now = now,
			    .self = self ? self : hip_default_hit(h),
			    .peer = peer,
			    .locators = may };

	if (!ev.self || !selves_begins(h, ev.self) || num == 0 ||
	    num > HIP_LOCATORS_MAX || hit_eq(ev.self, peer) ||
	    !hit_is_orchid(peer->b))
		return HG_EINVAL;
	ev.locator_num = admit_locators(h, ev.self, peer, locators, num, may);
	if (!ev.locator_num) {
		reason_count(&h->reasons, REASON_HIP_DENIED);
		return HG_EPERM;
	}
	ev.a = assoc_find(&h->assocs, ev.self, peer);
	if (h->draining && !ev.a) {
		reason_count(&h->reasons, REASON_HIP_DENIED);
		return HG_EPERM;
	}
	statetab_run(h, &ev);
	return ev.result;
}

void hip_traffic(struct hip *h, const struct hit *self, const struct hit *peer,
		 bool in, uint64_t now)
{
	struct event ev = { .kind = STATETAB_DATA, .now = now };
	struct assoc *a = assoc_find(&h->assocs, self, peer);

	if (!a || !a->sa_up)
		return;
	ev.a = a;
	if (in) {
		statetab_run(h, &ev);
		if (keepalive_deadline(h, a) < a->due.at)
			assoc_arm(h, a);
		return;
	}
	pathwatch_out(h, a, now);
}

void hip_used(struct hip *h, const struct hit *self, const struct hit *peer,
	      uint32_t spi_in, uint64_t packets, uint64_t bytes, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, self, peer);

	if (!a || !a->sa_up || a->keys->sa.spi_in != spi_in)
		return;
	wear_used(h, a, packets, bytes, now);
	assoc_arm(h, a);
}

int hip_rekey(struct hip *h, const struct hit *self, const struct hit *peer,
	      bool dh, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, self, peer);
	int err;

	if (!a || a->state != HIP_ESTABLISHED)
		return HG_ENOENT;
	err = rekey_start(h, a, dh, now);
	assoc_arm(h, a);
	return err;
}

void hip_close(struct hip *h, const struct hit *peer, uint64_t now)
{
	if (!peer) {
		h->leaving = true;
		opportunistic_fini(h);
	}
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		struct assoc *a = h->assocs.bucket[i];

		while (a) {
			struct assoc *next = a->next;
			struct event ev = { .kind = STATETAB_LEAVE,
					    .a = a,
					    .now = now };

			if (!peer || hit_eq(&a->peer, peer))
				statetab_run(h, &ev);
			a = next;
		}
	}
}

/* ---- time -------------------------------------------------------------- */

uint64_t hip_deadline(const struct hip *h)
{
	const struct due *d = dueheap_first(&h->due);

	return d ? d->at : ENGINE_NEVER;
}

static struct assoc *assoc_of(struct due *d)
{
	return (struct assoc *)((char *)d - offsetof(struct assoc, due));
}

static void fire(struct hip *h, struct due *d, uint64_t now)
{
	struct event ev = { .kind = STATETAB_TIMER, .now = now };

	switch ((enum engine_due)d->kind) {
	case ENGINE_ASSOC:
		ev.a = assoc_of(d);
		statetab_run(h, &ev);
		break;
	case ENGINE_REGISTRATION:
		registration_timer(h, d, now);
		break;
	case ENGINE_REGISTRAR:
		registrar_timer(h, d, now);
		break;
	case ENGINE_POOL:
		r1pool_timer(h, now);
		break;
	case ENGINE_OPPORTUNISTIC:
		opportunistic_timer(h, d, now);
		break;
	case ENGINE_HERE:
		here_timer(h, now);
		break;
	case ENGINE_DATARELAY:
		datarelay_timer(h, d, now);
		break;
	}
}

void hip_tick(struct hip *h, uint64_t now)
{
	for (int n = 0; n < TICK_MAX; n++) {
		struct due *d = dueheap_first(&h->due);

		if (!d || d->at > now)
			return;
		dueheap_clear(&h->due, d);
		fire(h, d, now);
	}
}

/* ---- jobs -------------------------------------------------------------- */

/* The event a job stands for, when all went well. */
static enum statetab_kind event_of_job(const struct hip_job *job,
				       const struct packet *p)
{
	switch (job->kind) {
	case HIPJOB_R1:
		return STATETAB_R1_OK;
	case HIPJOB_I2:
		return STATETAB_I2_OK;
	case HIPJOB_R2:
		return STATETAB_R2_OK;
	case HIPJOB_CHECK:
		if (p->m.type == HIP_UPDATE)
			return STATETAB_UPDATE_OK;
		if (p->m.type == HIP_NOTIFY)
			return STATETAB_NOTIFY_OK;
		return p->m.type == HIP_CLOSE ? STATETAB_CLOSE_OK
					      : STATETAB_CLOSE_ACK_OK;
	default:
		return STATETAB_NUM;
	}
}

static void count_back(struct assoc *a, const struct hip_job *job)
{
	if (a->serial != job->serial || (job->in[2] & 0x7f) == HIP_NOTIFY)
		return; /* a NOTIFY is in nobody's way */
	if (job->kind == HIPJOB_R1 && a->r1_jobs)
		a->r1_jobs--;
	else if (a->check_jobs)
		a->check_jobs--;
}

/* A packet's job: its verdict, or its event. */
static void packet_done(struct hip *h, struct hip_job *job, uint64_t now)
{
	struct packet p;
	struct event ev = { .p = &p, .job = job, .now = now };

	if (!engine_job_packet(job, now, &p))
		return;
	if (job->kind == HIPJOB_R1 && job->u.r1.opportunistic) {
		opportunistic_done(h, job, &p);
		return;
	}
	ev.a = assoc_find(&h->assocs, &job->self, &job->peer);
	if (ev.a)
		count_back(ev.a, job);
	if (job->reason != REASON_NUM) {
		if (ev.a && ev.a->serial == job->serial &&
		    p.m.type != HIP_NOTIFY)
			ev.a->why = job->reason;
		/* Only a verified R1 says any; a forged one takes none away. */
		if (ev.a && ev.a->serial == job->serial &&
		    job->kind == HIPJOB_R1 && job->u.r1.suites)
			ev.a->other_suites = job->u.r1.suites;
		engine_drop(h, &p, job->reason);
		return;
	}
	if (job->serial && (!ev.a || ev.a->serial != job->serial)) {
		engine_drop(h, &p, REASON_HIP_STATE);
		return;
	}
	if (!admit_still(h, job, &p)) {
		engine_drop(h, &p, REASON_HIP_DENIED);
		return;
	}
	ev.kind = event_of_job(job, &p);
	statetab_run(h, &ev);
}

static void signed_done(struct hip *h, struct hip_job *job, uint64_t now)
{
	uint8_t type = job->out.buf[2] & 0x7f;
	struct assoc *a;

	if (type == HIP_NOTIFY && !job->keep) {
		notify_signed(h, job);
		return;
	}
	a = assoc_find(&h->assocs, &job->self, &job->peer);
	if (!a || a->serial != job->serial)
		return;
	if (type == HIP_NOTIFY) {
		keepalive_signed(h, a, job);
		return;
	}
	if (type == HIP_UPDATE)
		update_signed(h, a, job, now);
	else
		closing_signed(h, a, job, now);
}

/* What was promised to the job and not taken from it. */
static void give_back(struct hip *h, struct hip_job *job)
{
	if (job->kind == HIPJOB_R1)
		assoc_spi_give(&h->assocs, job->u.r1.spi);
	else if (job->kind == HIPJOB_I2)
		assoc_spi_give(&h->assocs, job->u.i2.spi);
}

void hip_job_done(struct hip *h, struct hip_job *job, uint64_t now)
{
	if (!h) {
		hipjob_free(job);
		return;
	}
	hipjob_unlink(h, job);
	if (!job->ran)
		job->reason = REASON_HIP_BUSY;
	switch (job->kind) {
	case HIPJOB_POOL:
		r1pool_done(h, job, now);
		break;
	case HIPJOB_SIGN:
		signed_done(h, job, now);
		break;
	case HIPJOB_DH:
		rekey_done(h, job, now);
		break;
	case HIPJOB_IDENTITY:
		selves_job_done(h, job);
		break;
	default:
		packet_done(h, job, now);
		break;
	}
	give_back(h, job);
	hipjob_free(job);
	closing_more(h);
	update_more(h, now);
	r1pool_load(h, now);
}

/* ---- looking in -------------------------------------------------------- */

static void show_peer(const struct hip *h, const struct assoc *a,
		      void (*fn)(const struct hip_peer *p, void *arg),
		      void *arg)
{
	struct hip_peer p = { .self = a->self,
			      .peer = a->peer,
			      .state = a->state,
			      .initiator = a->initiator,
			      .anonymous = a->peer_anonymous,
			      .self_at = a->self_at,
			      .peer_at = a->peer_at,
			      .verified = !a->unproved,
			      .checking = a->ice_waits,
			      .stranded = a->stranded,
			      .doubtful = paths_doubtful(a),
			      .has_via = a->has_via,
			      .via = a->via,
			      .since = a->since,
			      .keyed = a->wear.keyed,
			      .rekeys = a->rekeys };

	datapath_view(h, a, &p);
	if (a->keys) {
		p.spi_in = a->keys->sa.spi_in;
		p.spi_out = a->keys->sa.spi_out;
		p.esp_suite = a->keys->sa.suite;
	}
	fn(&p, arg);
}

enum { SOME_PEERS = 64 };

bool hip_some_peers(const struct hip *h, size_t *at,
		    void (*fn)(const struct hip_peer *p, void *arg), void *arg)
{
	size_t end = *at + SOME_PEERS;
	size_t num = 0;

	for (; *at < h->assocs.buckets && *at < end && num < SOME_PEERS;
	     ++*at) {
		for (const struct assoc *a = h->assocs.bucket[*at]; a;
		     a = a->next, num++)
			show_peer(h, a, fn, arg);
	}
	return *at < h->assocs.buckets;
}

void hip_each_peer(const struct hip *h,
		   void (*fn)(const struct hip_peer *p, void *arg), void *arg)
{
	size_t at = 0;

	while (hip_some_peers(h, &at, fn, arg))
		;
}
