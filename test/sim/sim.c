/* SPDX-License-Identifier: MIT */
/* sim_hip: hundreds of short lives of two or three hosts, by seed. */
/* THEORY OF OPERATION
 * Each run has a bad time and a good time. In the bad time packets are
 * lost, doubled and late, jobs take long or fail, hosts crash, close and
 * come back, an attacker replays and changes what he has heard, and
 * somebody wants to talk. In the good time nothing is lost, and whoever
 * wants to talk keeps wanting and sends data. Then must hold:
 *
 *  - who wants, has: an SA on both sides, with equal keys and SPIs;
 *  - nobody has an association or an SA with a HIT that is nobody's;
 *  - SPIs are unique in each engine, SAs go up and down in order (watched
 *    at each step, simnet.c);
 *  - with a rendezvous server: the host is registered, and the proxy, that
 *    knows the server's address only, ends at the host's own.
 *
 * Half of the runs are between two hosts, half with a server between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/simnet.h"

#define BAD_TIME 40	  /* seconds */
#define GOOD_TIME_MAX 400 /* worst: probe, UPDATEs, CLOSE, E-FAILED hold */

struct wish {
	unsigned from;
	unsigned to;
	bool wanted;
};

static void want(struct sim *s, const struct wish *w)
{
	struct sim_host *host = &s->host[w->from];
	/* Through the server, when there is one. */
	const struct endpoint *at =
		s->hosts == 3 ? &s->host[2].at : &s->host[w->to].at;
	int err;

	if (!host->h || !w->wanted)
		return;
	err = hip_want(host->h, NULL, &s->host[w->to].hit, at, 1, s->now);
	if (err && err != HG_EAGAIN)
		s->broken = "hip_want fails";
	simnet_effects(s, w->from);
}

static void trouble(struct sim *s)
{
	unsigned i = (unsigned)simnet_random(s, s->hosts);

	switch (simnet_random(s, 24)) {
	case 0:
		simnet_crash(s, i, simnet_random(s, 3 * SIM_S));
		break;
	case 1:
		if (s->host[i].h) {
			unsigned j = (unsigned)simnet_random(s, s->hosts);

			hip_close(s->host[i].h, &s->host[j].hit, s->now);
			simnet_effects(s, i);
		}
		break;
	case 2:
	case 3:
	case 4:
	case 5:
	case 6:
		simnet_attack(s);
		break;
	default:
		break;
	}
}

static void talk(struct sim *s, const struct wish *w)
{
	if (!w->wanted)
		return;
	simnet_data(s, w->from, w->to);
	simnet_data(s, w->to, w->from);
}

static struct sim_weather bad_weather(struct sim *s)
{
	static const unsigned loss[] = { 0, 20, 100, 300 };
	static const unsigned dup[] = { 0, 50, 300 };
	static const uint64_t jitter[] = { 1, 20 * SIM_MS, 800 * SIM_MS,
					   6 * SIM_S };
	static const uint64_t job[] = { 0, 5 * SIM_MS, 700 * SIM_MS };

	return (struct sim_weather){
		.loss = loss[simnet_random(s, 4)],
		.dup = dup[simnet_random(s, 3)],
		.delay = SIM_MS * (1 + simnet_random(s, 100)),
		.jitter = jitter[simnet_random(s, 4)],
		.job = job[simnet_random(s, 3)],
		.job_fail = (unsigned)simnet_random(s, 2) * 30,
	};
}

static bool agreed(const struct sim *s, unsigned i, unsigned j)
{
	const struct sa_pair *a = &s->host[i].sa[j];
	const struct sa_pair *b = &s->host[j].sa[i];

	return s->host[i].up[j] && s->host[j].up[i] && a->suite == b->suite &&
	       a->spi_in == b->spi_out && a->spi_out == b->spi_in &&
	       memcmp(&a->in, &b->out, sizeof(a->in)) == 0 &&
	       memcmp(&a->out, &b->in, sizeof(a->out)) == 0;
}

static bool content(const struct sim *s, const struct wish w[2])
{
	for (int n = 0; n < 2; n++) {
		if (w[n].wanted && !agreed(s, w[n].from, w[n].to))
			return false;
	}
	return s->hosts < 3 || (s->host[1].registered && agreed(s, 1, 2));
}

struct look {
	struct sim *s;
	unsigned i;
	bool wanted;
};

static void look_at(const struct hip_peer *p, void *arg)
{
	struct look *l = arg;
	struct sim *s = l->s;
	bool known = false;

	for (unsigned j = 0; j < s->hosts; j++) {
		if (!hit_eq(&p->peer, &s->host[j].hit))
			continue;
		known = true;
		if (l->wanted && s->hosts == 3 && l->i == 0 && j == 1 &&
		    !endpoint_eq(&p->peer_at, &s->host[1].at))
			s->broken = "the proxy is not at the host's address";
	}
	if (!known)
		s->broken = "association with a HIT that is nobody's";
}

static void check(struct sim *s, bool wanted)
{
	for (unsigned i = 0; i < s->hosts; i++) {
		struct look l = { .s = s, .i = i, .wanted = wanted };

		if (s->host[i].h)
			hip_each_peer(s->host[i].h, look_at, &l);
	}
}

static void bad_time(struct sim *s, const struct wish w[2])
{
	s->weather = bad_weather(s);
	for (int n = 0; n < BAD_TIME * 4 && !s->broken; n++) {
		trouble(s);
		for (int k = 0; k < 2; k++) {
			if (simnet_random(s, 8) == 0)
				want(s, &w[k]);
			if (simnet_random(s, 3) == 0)
				talk(s, &w[k]);
		}
		simnet_run(s, s->now + SIM_S / 4);
		check(s, false);
	}
}

static void good_time(struct sim *s, const struct wish w[2])
{
	int calm = 0;

	s->weather =
		(struct sim_weather){ .delay = 5 * SIM_MS, .job = 2 * SIM_MS };
	for (int n = 0; n < GOOD_TIME_MAX && calm < 6 && !s->broken; n++) {
		for (int k = 0; k < 2; k++) {
			want(s, &w[k]);
			talk(s, &w[k]);
		}
		simnet_run(s, s->now + SIM_S);
		/* Late packets of the bad time may still come. */
		calm = content(s, w) && n > 7 ? calm + 1 : 0;
	}
	if (!s->broken && calm < 6)
		s->broken = "who wants does not have";
	if (!s->broken)
		check(s, w[0].wanted);
}

static bool run(uint64_t seed, bool loud)
{
	struct sim s;
	struct wish w[2] = { { 0, 1, true }, { 1, 0, false } };
	bool ok;

	simnet_init(&s, seed, seed % 2 ? 3 : 2);
	s.loud = loud;
	if (s.hosts == 2) {
		w[1].wanted = simnet_random(&s, 2);
		w[0].wanted = !w[1].wanted || simnet_random(&s, 2);
	}
	bad_time(&s, w);
	good_time(&s, w);
	ok = !s.broken;
	if (!ok)
		printf("seed %llu: %s\n", (unsigned long long)seed, s.broken);
	simnet_fini(&s);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned long runs = 600;
	unsigned long long seed = 1;
	unsigned long failed = 0;
	bool loud = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
			runs = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--loud") == 0)
			loud = true;
		else {
			fprintf(stderr,
				"usage: %s [--runs N] [--seed S] [--loud]\n",
				argv[0]);
			return EXIT_FAILURE;
		}
	}
	for (unsigned long n = 0; n < runs; n++)
		failed += !run(seed + n, loud);
	printf("sim: %lu runs, %lu failed\n", runs, failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
