/* SPDX-License-Identifier: MIT */
/* Engines on a bad network in virtual time. */
/* THEORY OF OPERATION
 * One heap of events drives everything: packets, jobs and restarts come
 * out of it in the order of virtual time; between them the engines' own
 * deadlines are served. All chance comes from one generator with a seed,
 * libsodium's too, so a seed repeats a run. (OpenSSL's own randomness stays
 * random: it makes keys and signatures, on which nothing here depends.)
 */
#include "test/sim/simnet.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/simkeys.h"

/* ---- chance -------------------------------------------------------------- */

static struct sim *current; /* libsodium's hook takes no argument */

static uint64_t next(struct sim *s)
{
	uint64_t a = s->rng[0]; /* xorshift128+ */
	uint64_t b = s->rng[1];

	s->rng[0] = b;
	a ^= a << 23;
	s->rng[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
	return s->rng[1] + b;
}

uint64_t simnet_random(struct sim *s, uint64_t n)
{
	return n ? next(s) % n : 0;
}

static const char *random_name(void)
{
	return "sim";
}

static uint32_t random_word(void)
{
	return (uint32_t)next(current);
}

static void random_buf(void *const buf, const size_t size)
{
	uint8_t *p = buf;

	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)(next(current) >> 11);
}

static struct randombytes_implementation chance = {
	.implementation_name = random_name,
	.random = random_word,
	.buf = random_buf,
};

/* ---- events -------------------------------------------------------------- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct sim *s, struct sim_event e)
{
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

/* ---- hosts --------------------------------------------------------------- */

void simnet_boot(struct sim *s, unsigned i)
{
	struct sim_host *host = &s->host[i];
	struct hip_identity *id;

	if (hip_identity_from_pem(simkeys[i], strlen(simkeys[i]), &id) ||
	    hip_new(&host->cfg, s->now, &host->h) ||
	    hip_add_identity(host->h, id, s->now))
		abort();
	host->hit = *hip_default_hit(host->h);
	host->life++;
	host->registered = false;
	memset(host->up, 0, sizeof(host->up));
	simnet_effects(s, i);
	if (s->hosts == 3 && i == 1) {
		if (hip_register(host->h, NULL, &s->host[2].hit, &s->host[2].at,
				 60, s->now))
			abort();
		simnet_effects(s, i);
	}
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
	memset(s->host[i].up, 0, sizeof(s->host[i].up));
	put(s, e);
}

void simnet_init(struct sim *s, uint64_t seed, unsigned hosts)
{
	static bool set;

	memset(s, 0, sizeof(*s));
	current = s;
	/* Takes some chance the first time: before the seed is set. */
	if (!set &&
	    (randombytes_set_implementation(&chance) || sodium_init() < 0))
		abort();
	set = true;
	s->seed = seed;
	s->rng[0] = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
	s->rng[1] = seed ^ UINT64_C(0xbf58476d1ce4e5b9);
	for (int n = 0; n < 16; n++)
		next(s);
	s->now = SIM_S + simnet_random(s, 1000 * SIM_S);
	s->hosts = hosts;
	s->weather = (struct sim_weather){ .delay = SIM_MS };
	for (unsigned n = 0; n < hosts; n++) {
		/* The server first: others register with it. */
		unsigned i = hosts - 1 - n;
		uint8_t four[4] = { 192, 0, 2, (uint8_t)(i + 1) };

		s->host[i].at = (struct endpoint){ addr_from4(four), HIP_PORT };
		s->host[i].cfg = (struct hip_config){
			.responder = true,
			.rendezvous = i == 2,
			.puzzle_k = 1,
			.puzzle_k_max = 16,
		};
		simnet_boot(s, i);
	}
}

static void drop_event(struct sim_event *e)
{
	free(e->msg);
	if (e->job)
		hip_job_done(NULL, e->job, 0);
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
}

/* ---- the network --------------------------------------------------------- */

static int host_at(const struct sim *s, const struct endpoint *at)
{
	for (unsigned i = 0; i < s->hosts; i++) {
		if (endpoint_eq(&s->host[i].at, at))
			return (int)i;
	}
	return -1;
}

static int host_of(const struct sim *s, const struct hit *hit)
{
	for (unsigned i = 0; i < s->hosts; i++) {
		if (hit_eq(&s->host[i].hit, hit))
			return (int)i;
	}
	return -1;
}

static uint8_t *copy(const uint8_t *p, size_t len)
{
	uint8_t *q = malloc(len ? len : 1);

	if (!q)
		abort();
	memcpy(q, p, len);
	return q;
}

/* Through the weather: lost, late, twice. */
static void travel(struct sim *s, const struct sim_event *e)
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
		put(s, one);
	}
}

static void tape(struct sim *s, const struct sim_event *e)
{
	struct sim_event *t = &s->tape[s->taped++ % SIM_TAPE];

	free(t->msg);
	*t = *e;
	t->msg = copy(e->msg, e->len);
}

void simnet_attack(struct sim *s)
{
	unsigned n = s->taped < SIM_TAPE ? s->taped : SIM_TAPE;
	struct sim_event e;

	if (!n)
		return;
	e = s->tape[simnet_random(s, n)];
	e.msg = copy(e.msg, e.len);
	if (simnet_random(s, 2)) {
		e.msg[simnet_random(s, e.len)] ^=
			(uint8_t)(1u << simnet_random(s, 8));
		/* Changed packets may come from anywhere. */
		if (simnet_random(s, 4) == 0)
			e.src.addr.b[15] ^= 0x80;
	}
	e.at = s->now + simnet_random(s, SIM_S);
	put(s, e);
}

void simnet_data(struct sim *s, unsigned i, unsigned j)
{
	struct sim_host *host = &s->host[i];
	struct sim_event e = { .kind = SIM_DATA, .host = j, .peer = i };

	if (!host->h || !host->up[j])
		return;
	e.sa = host->sa[j];
	hip_traffic(host->h, &host->hit, &s->host[j].hit, false, s->now);
	simnet_effects(s, i);
	travel(s, &e);
}

static bool opens(const struct sa_pair *theirs, const struct sa_pair *ours)
{
	return theirs->spi_out == ours->spi_in &&
	       theirs->suite == ours->suite &&
	       memcmp(&theirs->out, &ours->in, sizeof(ours->in)) == 0;
}

static void deliver(struct sim *s, struct sim_event *e)
{
	struct sim_host *host = &s->host[e->host];

	if (!host->h)
		return;
	if (e->kind == SIM_PACKET) {
		hip_input(host->h, e->msg, e->len, &e->src, &host->at, s->now);
	} else if (host->up[e->peer] && opens(&e->sa, &host->sa[e->peer])) {
		hip_traffic(host->h, &host->hit, &s->host[e->peer].hit, true,
			    s->now);
	}
	simnet_effects(s, e->host);
}

/* ---- effects -------------------------------------------------------------- */

static void send(struct sim *s, unsigned i, const struct hip_effect *x)
{
	struct sim_event e = { .kind = SIM_PACKET,
			       .src = s->host[i].at,
			       .len = x->msg_len };
	int to = host_at(s, &x->peer_at);

	if (s->loud)
		printf("%9.3f %u -> %d %s\n", (double)s->now / 1e9, i, to,
		       hip_type_name(x->type));
	if (to < 0)
		return;
	e.host = (unsigned)to;
	e.msg = (uint8_t *)x->msg; /* copied by both */
	tape(s, &e);
	travel(s, &e);
}

static void start_job(struct sim *s, unsigned i, struct hip_job *job)
{
	struct sim_event e = {
		.kind = SIM_JOB, .host = i, .job = job, .life = s->host[i].life
	};

	if (simnet_random(s, 1000) >= s->weather.job_fail)
		hip_job_run(job);
	if (s->weather.job == 0) {
		hip_job_done(s->host[i].h, job, s->now);
		return;
	}
	e.at = s->now + simnet_random(s, s->weather.job);
	put(s, e);
}

static void sa_up(struct sim *s, unsigned i, const struct hip_effect *x)
{
	int j = host_of(s, &x->peer);

	if (j < 0 || (unsigned)j == i) {
		s->broken = "SA with a HIT that is nobody's";
		return;
	}
	for (unsigned k = 0; k < s->hosts; k++) {
		if (s->host[i].up[k] && s->host[i].sa[k].spi_in == x->sa.spi_in)
			s->broken = "two SAs with one SPI";
	}
	if (s->host[i].up[j])
		s->broken = "SA up twice";
	s->host[i].up[j] = true;
	s->host[i].sa[j] = x->sa;
}

static void sa_down(struct sim *s, unsigned i, const struct hip_effect *x)
{
	int j = host_of(s, &x->peer);

	if (j < 0 || !s->host[i].up[j] ||
	    s->host[i].sa[j].spi_in != x->sa.spi_in) {
		s->broken = "SA down that was not up";
		return;
	}
	s->host[i].up[j] = false;
}

static void say(const struct sim *s, unsigned i, const struct hip_effect *x)
{
	if (!s->loud)
		return;
	if (x->kind == HIP_CHANGED)
		printf("%9.3f %u [%d] %s\n", (double)s->now / 1e9, i,
		       host_of(s, &x->peer), hip_state_name(x->state));
	else if (x->kind == HIP_DROPPED)
		printf("%9.3f %u drops %s: %s\n", (double)s->now / 1e9, i,
		       hip_type_name(x->type), reason_name(x->reason));
	else if (x->kind != HIP_SEND && x->kind != HIP_JOB &&
		 x->kind != HIP_SEEN)
		printf("%9.3f %u effect %d\n", (double)s->now / 1e9, i,
		       (int)x->kind);
}

void simnet_effects(struct sim *s, unsigned i)
{
	struct hip_effect x;

	while (s->host[i].h && hip_effect(s->host[i].h, &x)) {
		say(s, i, &x);
		switch (x.kind) {
		case HIP_SEND:
			send(s, i, &x);
			break;
		case HIP_JOB:
			start_job(s, i, x.job);
			break;
		case HIP_SA_UP:
			sa_up(s, i, &x);
			break;
		case HIP_SA_DOWN:
			sa_down(s, i, &x);
			break;
		case HIP_REGISTERED:
			s->host[i].registered = true;
			break;
		default:
			break;
		}
	}
}

/* ---- time ------------------------------------------------------------------ */

static void serve(struct sim *s, struct sim_event *e)
{
	struct sim_host *host = &s->host[e->host];

	switch (e->kind) {
	case SIM_JOB:
		if (host->h && host->life == e->life)
			hip_job_done(host->h, e->job, s->now);
		else
			hip_job_done(NULL, e->job, s->now);
		e->job = NULL;
		simnet_effects(s, e->host);
		break;
	case SIM_BOOT:
		simnet_boot(s, e->host);
		break;
	default:
		deliver(s, e);
		break;
	}
}

void simnet_run(struct sim *s, uint64_t until)
{
	while (!s->broken) {
		uint64_t at = s->num ? s->heap[0].at : UINT64_MAX;
		int first = -1;

		for (unsigned i = 0; i < s->hosts; i++) {
			uint64_t d = s->host[i].h ? hip_deadline(s->host[i].h)
						  : UINT64_MAX;

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
		if (first >= 0) {
			hip_tick(s->host[first].h, s->now);
			simnet_effects(s, (unsigned)first);
		} else {
			struct sim_event e = take(s);

			serve(s, &e);
			drop_event(&e);
		}
	}
}
