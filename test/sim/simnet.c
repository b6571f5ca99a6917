/* SPDX-License-Identifier: MIT */
/* Engines on a bad network in virtual time. */
/* THEORY OF OPERATION
 * One heap of events drives everything: packets, jobs and restarts come
 * out of it in the order of virtual time; between them the engines' own
 * deadlines are served, sometimes late. Each host has its own clock, which
 * runs at its own rate and may leap ahead: an engine never sees s->now.
 *
 * A job runs when it starts or when it is due, by chance: both are legal,
 * and an engine must not be able to tell.
 *
 * All chance comes from one generator with a seed, libsodium's too, so a
 * seed repeats a run. (OpenSSL's own randomness stays random: it makes keys
 * and signatures, on which nothing here depends.)
 */
#include "test/sim/simnet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/simkeys.h"
#include "test/sim/simmove.h"
#include "test/sim/simrelay.h"
#include "test/sim/simsa.h"

/* Calls of hip_tick at one moment. */
#define TICKS_MAX 1000

uint64_t simnet_random(struct sim *s, uint64_t n)
{
	return simchance_below(&s->chance, n);
}

void simnet_break(struct sim *s, const char *why)
{
	if (!s->broken)
		s->broken = why;
}

/* ---- events -------------------------------------------------------------- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void simnet_put(struct sim *s, const struct sim_event *event)
{
	struct sim_event e = *event;
	size_t i = s->num++;

	if (s->num > s->cap) {
		s->cap = s->cap ? s->cap * 2 : 256;
		s->heap = realloc(s->heap, s->cap * sizeof(s->heap[0]));
		if (!s->heap)
			abort();
	}
	e.order = s->order++;
	while (i > 0 && before(&e, &s->heap[(i - 1) / 2])) {
		s->heap[i] = s->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	s->heap[i] = e;
}

static struct sim_event take(struct sim *s)
{
	struct sim_event out = s->heap[0];
	struct sim_event e = s->heap[--s->num];
	size_t i = 0;

	for (;;) {
		size_t kid = 2 * i + 1;

		if (kid >= s->num)
			break;
		if (kid + 1 < s->num &&
		    before(&s->heap[kid + 1], &s->heap[kid]))
			kid++;
		if (!before(&s->heap[kid], &e))
			break;
		s->heap[i] = s->heap[kid];
		i = kid;
	}
	s->heap[i] = e;
	return out;
}

static void drop_event(struct sim_event *e)
{
	free(e->msg);
	if (e->job)
		hip_job_done(NULL, e->job, 0);
}

/* ---- clocks --------------------------------------------------------------- */

#define MILLION 1000000
/* Longer spans are looked at in parts: the products stay below 2^63. */
#define SPAN_MAX (8000 * SIM_S)

uint64_t simnet_clock(const struct sim *s, unsigned i)
{
	const struct sim_host *host = &s->host[i];
	uint64_t gone = s->now - host->base;

	return host->shown + gone / MILLION * (uint64_t)(MILLION + host->ppm) +
	       gone % MILLION * (uint64_t)(MILLION + host->ppm) / MILLION;
}

static void rebase(struct sim *s, unsigned i)
{
	s->host[i].shown = simnet_clock(s, i);
	s->host[i].base = s->now;
}

void simnet_jump(struct sim *s, unsigned i, uint64_t by)
{
	if (s->loud)
		printf("%9.3f %u's clock leaps %.0f s\n", (double)s->now / 1e9,
		       i, (double)by / 1e9);
	rebase(s, i);
	s->host[i].shown += by;
	s->count.jumps++;
	if (!s->roam || !s->host[i].h)
		return;
	hip_wake(s->host[i].h, simnet_clock(s, i));
	simnet_effects(s, i);
}

void simnet_rate(struct sim *s, unsigned i, int64_t ppm)
{
	rebase(s, i);
	s->host[i].ppm = ppm;
}

/* When the host's clock will show t, at the latest; for a time far away, some
 * time before. */
static uint64_t when(const struct sim_host *host, uint64_t t)
{
	uint64_t rate = (uint64_t)(MILLION + host->ppm);
	uint64_t span = t > host->shown ? t - host->shown : 0;

	if (t == SIM_NEVER)
		return SIM_NEVER;
	if (span > SPAN_MAX)
		span = SPAN_MAX;
	return host->base + span / rate * MILLION +
	       (span % rate * MILLION + rate - 1) / rate;
}

/* When hip_tick is called for the engine's deadline. */
static uint64_t due(struct sim *s, unsigned i)
{
	struct sim_host *host = &s->host[i];
	uint64_t d = host->h ? hip_deadline(host->h) : SIM_NEVER;

	if (d == SIM_NEVER)
		return SIM_NEVER;
	if (d != host->due) {
		host->due = d;
		host->late = simnet_random(s, s->weather.late);
	}
	return when(host, d) + host->late;
}

/* ---- hosts --------------------------------------------------------------- */

int simnet_name(const struct sim *s, const struct hit *hit)
{
	for (unsigned n = 0; n < SIM_NAMES; n++) {
		if (s->name[n].is && hit_eq(&s->name[n].hit, hit))
			return (int)n;
	}
	return -1;
}

static void boot(struct sim *s, unsigned i)
{
	struct sim_host *host = &s->host[i];
	const struct hit *server = &s->name[2 * SIM_IDS].hit;

	memset(s->wanted[i * SIM_IDS], 0, SIM_IDS * sizeof(s->wanted[0]));
	host->life++;
	host->jobs = 0;
	host->registered = false;
	host->leaving = false;
	if (hip_new(&host->cfg, simnet_clock(s, i), &host->h))
		abort();
	if (s->data && i == 2)
		simrelay_boot(s); /* before R1s say what is on offer */
	for (unsigned k = 0; k < SIM_IDS; k++) {
		struct sim_name *n = &s->name[i * SIM_IDS + k];

		if (n->is && hip_add_identity(host->h, simkeys_take(n->key),
					      simnet_clock(s, i)))
			abort();
		simnet_effects(s, i);
	}
	simmove_tell(s, i);
	if (!s->rendezvous || i != 1)
		return;
	if ((s->relay ? hip_register_relay
		      : hip_register)(host->h, NULL, server, &s->host[2].at, 60,
				      simnet_clock(s, i)))
		abort();
	simnet_effects(s, i);
}

void simnet_crash(struct sim *s, unsigned i, uint64_t back_after)
{
	struct sim_event e = { .kind = SIM_BOOT,
			       .at = s->now + back_after,
			       .host = i };

	if (!s->host[i].h)
		return;
	if (s->loud)
		printf("%9.3f %u crashes\n", (double)s->now / 1e9, i);
	hip_free(s->host[i].h);
	s->host[i].h = NULL;
	s->host[i].life++;
	simsa_forget(&s->host[i]);
	s->count.crashes++;
	simnet_put(s, &e);
}

int simnet_want(struct sim *s, unsigned self, unsigned peer,
		const struct endpoint *at, size_t num)
{
	unsigned i = self / SIM_IDS;
	int err;

	s->wanted[self][peer] = true;
	err = hip_want(s->host[i].h, &s->name[self].hit, &s->name[peer].hit, at,
		       num, simnet_clock(s, i));
	simnet_effects(s, i);
	return err;
}

void simnet_close(struct sim *s, unsigned i, const struct hit *peer)
{
	for (unsigned k = 0; k < SIM_IDS; k++) {
		for (unsigned n = 0; n < SIM_NAMES; n++) {
			if (!peer || hit_eq(&s->name[n].hit, peer))
				s->wanted[i * SIM_IDS + k][n] = false;
		}
	}
	hip_close(s->host[i].h, peer, simnet_clock(s, i));
	simnet_effects(s, i);
}

void simnet_start(struct sim *s)
{
	for (unsigned n = 0; n < SIM_NAMES; n++) {
		struct hip_identity *id;

		if (!s->name[n].is)
			continue;
		id = simkeys_take(s->name[n].key);
		s->name[n].hit = *hip_identity_hit(id);
		hip_identity_free(id);
	}
	for (unsigned n = 0; n < s->hosts; n++) {
		/* The server first: others register with it. */
		unsigned i = s->hosts - 1 - n;

		simmove_start(s, i);
		boot(s, i);
	}
}

void simnet_fini(struct sim *s)
{
	for (unsigned i = 0; i < s->hosts; i++)
		hip_free(s->host[i].h);
	for (size_t i = 0; i < s->num; i++)
		drop_event(&s->heap[i]);
	for (unsigned i = 0; i < SIM_TAPE; i++)
		free(s->tape[i].msg);
	free(s->heap);
	simlaw_fini(&s->law);
}

/* ---- the network --------------------------------------------------------- */

static uint8_t *copy(const uint8_t *p, size_t len)
{
	uint8_t *q = malloc(len ? len : 1);

	if (!q)
		abort();
	memcpy(q, p, len);
	return q;
}

void simnet_travel(struct sim *s, const struct sim_event *e)
{
	unsigned copies = simnet_random(s, 1000) < s->weather.dup ? 2 : 1;

	while (copies-- > 0) {
		struct sim_event one = *e;

		if (simnet_random(s, 1000) < s->weather.loss)
			continue;
		one.at = s->now + s->weather.delay +
			 simnet_random(s, s->weather.jitter);
		if (e->msg)
			one.msg = copy(e->msg, e->len);
		simnet_put(s, &one);
	}
}

static void tape(struct sim *s, const struct sim_event *e)
{
	struct sim_event *t = &s->tape[s->taped++ % SIM_TAPE];

	free(t->msg);
	*t = *e;
	t->msg = copy(e->msg, e->len);
}

/* ---- effects -------------------------------------------------------------- */

/* Nobody begins an exchange by himself: a user wants it, or the host is to
 * be registered, or it passes on somebody's I1. */
static void begins(struct sim *s, unsigned i, const struct hip_effect *x)
{
	int self = simnet_name(s, &x->self);
	int peer = simnet_name(s, &x->peer);

	if ((x->type != HIP_I1 && x->type != HIP_I2) ||
	    (s->rendezvous && i > 0))
		return;
	if (self < 0 || peer < 0 || !s->wanted[self][peer])
		simnet_break(s, "an exchange that nobody wants any more");
}

static void send(struct sim *s, unsigned i, const struct hip_effect *x)
{
	struct sim_event e = { .kind = SIM_PACKET,
			       .dst = x->peer_at,
			       .len = x->msg_len };
	struct sim_link *l = simmove_from(&s->host[i], &x->self_at);
	int to;

	if (l)
		e.src = simmove_leaves(l, &x->peer_at);
	if (l && simrelay_is_port(s, &x->self_at))
		e.src = x->self_at;
	to = simmove_host(s, &x->peer_at, &e.src);
	if (s->loud)
		printf("%9.3f %u -> %d %s\n", (double)s->now / 1e9, i, to,
		       hip_type_name(x->type));
	begins(s, i, x);
	s->count.sent++;
	/* What a server passes on was judged when it was sent. */
	if (memcmp(x->msg + 8, x->self.b, sizeof(x->self.b)) == 0)
		simlaw_sent(s, x->msg, x->msg_len);
	if (to < 0 || !l)
		return;
	e.host = (unsigned)to;
	e.msg = (uint8_t *)x->msg; /* copied by both */
	tape(s, &e);
	simnet_travel(s, &e);
}

static void job_done(struct sim *s, struct sim_event *e)
{
	struct sim_host *host = &s->host[e->host];
	struct hip_job *job = e->job;
	struct simlaw_look was;

	e->job = NULL;
	if (e->late && !e->fails)
		hip_job_run(job);
	if (!host->h || host->life != e->life) {
		hip_job_done(NULL, job, 0);
		return;
	}
	host->jobs--;
	if (s->loud && e->fails)
		printf("%9.3f %u job fails: %s\n", (double)s->now / 1e9,
		       e->host, hip_job_name(job));
	was = simlaw_before(s, e->host, job);
	hip_job_done(host->h, job, simnet_clock(s, e->host));
	simlaw_after_job(s, e->host, &was);
	simnet_effects(s, e->host);
}

static void start_job(struct sim *s, unsigned i, struct hip_job *job)
{
	struct sim_event e = {
		.kind = SIM_JOB, .host = i, .job = job, .life = s->host[i].life
	};

	s->host[i].jobs++;
	e.fails = simnet_random(s, 1000) < s->weather.job_fail;
	e.late = simnet_random(s, 2);
	if (!e.late && !e.fails)
		hip_job_run(job);
	e.at = s->now + simnet_random(s, s->weather.job);
	simnet_put(s, &e);
}

static void say(const struct sim *s, unsigned i, const struct hip_effect *x)
{
	if (!s->loud)
		return;
	if (x->kind == HIP_CHANGED)
		printf("%9.3f %u %d[%d] %s\n", (double)s->now / 1e9, i,
		       simnet_name(s, &x->self), simnet_name(s, &x->peer),
		       hip_state_name(x->state));
	else if (x->kind == HIP_DROPPED)
		printf("%9.3f %u %d[%d] drops %s: %s\n", (double)s->now / 1e9,
		       i, simnet_name(s, &x->self), simnet_name(s, &x->peer),
		       hip_type_name(x->type), reason_name(x->reason));
	else if (x->kind == HIP_JOB)
		printf("%9.3f %u job: %s\n", (double)s->now / 1e9, i,
		       hip_job_name(x->job));
	else if (x->kind != HIP_SEND)
		printf("%9.3f %u %d[%d] effect %d type %s\n",
		       (double)s->now / 1e9, i, simnet_name(s, &x->self),
		       simnet_name(s, &x->peer), (int)x->kind,
		       hip_type_name(x->type));
}

static void carry_out(struct sim *s, unsigned i, struct hip_effect *x)
{
	say(s, i, x);
	switch (x->kind) {
	case HIP_SEND:
		send(s, i, x);
		break;
	case HIP_JOB:
		start_job(s, i, x->job);
		break;
	case HIP_SA_UP:
		simsa_up(s, i, x);
		break;
	case HIP_SA_SWITCH:
		simsa_switch(s, i, x);
		break;
	case HIP_SA_DOWN:
		simsa_down(s, i, x);
		break;
	case HIP_LOCATOR:
		simmove_locator(s, i, x);
		break;
	case HIP_PERMIT:
		simrelay_permit(s, x);
		break;
	case HIP_REGISTERED:
		s->host[i].registered = true;
		break;
	default:
		break;
	}
}

void simnet_effects(struct sim *s, unsigned i)
{
	struct hip_effect x;
	unsigned n = 0;

	for (; s->host[i].h && hip_effect(s->host[i].h, &x); n++)
		carry_out(s, i, &x);
	if (s->host[i].h)
		simlaw_bounds(s, i, n);
}

/* An answer to what is not verified: one packet, no change; beside an R1
 * through a relay one that opens our NAT (RFC 9028 4.7.2). A data relay notes
 * that somebody has written to a port (HIP_PERMIT). */
static void input_effects(struct sim *s, unsigned i)
{
	unsigned sends = 0;
	unsigned openers = 0;
	unsigned n = 0;
	struct hip_effect x;

	for (; hip_effect(s->host[i].h, &x); n++) {
		if (x.kind == HIP_SEND && s->relay && x.type == HIP_NOTIFY)
			openers++;
		else
			sends += x.kind == HIP_SEND;
		if (x.kind != HIP_SEND && x.kind != HIP_JOB &&
		    x.kind != HIP_SEEN && x.kind != HIP_DROPPED &&
		    x.kind != HIP_RELAYED && x.kind != HIP_PERMIT)
			simnet_break(s, "a packet not verified has an effect");
		carry_out(s, i, &x);
	}
	if (sends > 1 || openers > 1)
		simnet_break(s, "more than one answer to one packet");
	simlaw_bounds(s, i, n);
}

static void deliver(struct sim *s, const struct sim_event *e)
{
	struct sim_host *host = &s->host[e->host];
	struct endpoint door = simrelay_door(s, &e->dst);
	const struct sim_link *l = simmove_at(host, &door, &e->src);
	struct endpoint at;
	struct simlaw_look was;

	if (!host->h || !l)
		return;
	at = simrelay_is_port(s, &e->dst) ? e->dst : l->inner;
	was = simlaw_before(s, e->host, NULL);
	hip_input(host->h, e->msg, e->len, &e->src, &at,
		  simnet_clock(s, e->host));
	simlaw_after_input(s, e->host, &was);
	input_effects(s, e->host);
}

/* ---- time ------------------------------------------------------------------ */

static void serve(struct sim *s)
{
	struct sim_event e = take(s);

	switch (e.kind) {
	case SIM_JOB:
		job_done(s, &e);
		break;
	case SIM_BOOT:
		if (!s->host[e.host].h)
			boot(s, e.host);
		break;
	case SIM_DATA:
		simsa_deliver(s, &e);
		break;
	default:
		deliver(s, &e);
		break;
	}
	drop_event(&e);
}

void simnet_run(struct sim *s, uint64_t until)
{
	while (!s->broken) {
		uint64_t at = s->num ? s->heap[0].at : SIM_NEVER;
		int first = -1;

		for (unsigned i = 0; i < s->hosts; i++) {
			uint64_t d = due(s, i);

			if (d < at) {
				at = d;
				first = (int)i;
			}
		}
		if (at > until) {
			s->now = until;
			return;
		}
		if (at > s->now)
			s->now = at;
		if (first < 0) {
			serve(s);
			continue;
		}
		s->ticks = s->now > s->ticked ? 0 : s->ticks + 1;
		s->ticked = s->now;
		if (s->ticks > TICKS_MAX)
			simnet_break(s, "timers run without end");
		s->host[first].due = 0; /* the next one, even at that time */
		hip_tick(s->host[first].h, simnet_clock(s, (unsigned)first));
		simnet_effects(s, (unsigned)first);
	}
}
