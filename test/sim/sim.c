/* SPDX-License-Identifier: MIT */
/* sim_hip: thousands of short lives of two to six hosts, by seed. */
/* THEORY OF OPERATION
 * Each run is a world, two to six hosts that are all each other's peers, or
 * a proxy and hosts behind one or two rendezvous servers or control relays,
 * each host with one or two identities of any algorithm, and goes through
 *
 *  - in some runs a first time: nothing is lost, all wishes come at nearly
 *    once, and must be fulfilled in seconds;
 *  - a bad time: packets are lost, doubled, late and out of order, jobs take
 *    long or fail, hosts crash, close and come back, clocks leap and run at
 *    their own rates, hip_tick is late, an attacker is busy (simattack.h),
 *    and somebody wants to talk, often both at once;
 *  - a good time: nothing is lost, and whoever wants keeps wanting and
 *    sends data. Who wants, must have in the end: SAs on both sides, with
 *    equal keys and SPIs; hosts behind a server are registered, and who
 *    knows the server's address only ends at the host's own;
 *  - a calm time: packets are out of order and doubled, keys are replaced,
 *    by one side or both at once, and each packet that is sealed must be
 *    opened;
 *  - in some runs a silent time, in which nobody wants: after the longest
 *    idle time no SA may be without its other end, and after the longest
 *    state nothing may be left but what registrations hold.
 *
 * At every step, in every time, the laws of simlaw.h hold.
 *
 * A tight run has a small bound on associations or jobs; who wants need not
 * get, but the laws hold. One run in 16 uses the real mathematics.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/simattack.h"
#include "test/sim/simcrypto.h"
#include "test/sim/simkeys.h"
#include "test/sim/simmove.h"
#include "test/sim/simnet.h"
#include "test/sim/simsa.h"

#define RUNS 2000
#define SAID_MAX 20	  /* failed runs that are described */
#define BAD_TIME 40	  /* seconds */
#define GOOD_TIME_MAX 450 /* worst: probe, UPDATEs, CLOSE, E-FAILED hold */
#define CALM_TIME 8
#define FIRST_TIME 6 /* I1 to a dead place, registration, a 2nd try */
/* UAL and what CLOSE may wait for, on the slowest clock. */
#define SILENT_SAS 1100
#define SILENT_ALL 2500 /* UAL + 2 MSL more */
#define WISHES 6

struct wish {
	unsigned from; /* names */
	unsigned to;
};

struct plan {
	struct sim s;
	struct wish wish[WISHES];
	unsigned wishes;
	bool tight;
};

static void want(struct plan *p, const struct wish *w)
{
	struct sim *s = &p->s;
	struct sim_host *host = &s->host[w->from / SIM_IDS];
	/* Through the server, when there is one. */
	unsigned to =
		s->servers ? sim_server(s, w->to / SIM_IDS) : w->to / SIM_IDS;
	struct endpoint at[2] = { s->host[to].at, s->host[to].at };
	size_t num = 1 + simnet_random(s, 2);
	int err;

	if (!host->h || host->leaving)
		return;
	at[0].addr.b[13] ^= (uint8_t)(num - 1); /* the first leads nowhere */
	err = simnet_want(s, w->from, w->to, at, num);
	if (err && err != HG_EAGAIN && !(p->tight && err == HG_EFULL))
		simnet_break(s, "hip_want fails");
}

static void talk(struct plan *p)
{
	for (unsigned n = 0; n < p->wishes; n++) {
		simsa_data(&p->s, p->wish[n].from, p->wish[n].to);
		simsa_data(&p->s, p->wish[n].to, p->wish[n].from);
	}
}

/* Fresh keys for one of the wishes, asked for by either side or by both. */
static void rekey(struct plan *p)
{
	struct sim *s = &p->s;
	const struct wish *w = &p->wish[simnet_random(s, p->wishes)];
	unsigned name[2] = { w->from, w->to };
	uint64_t who = 1 + simnet_random(s, 3);
	int err;

	for (unsigned k = 0; k < 2; k++) {
		unsigned i = name[k] / SIM_IDS;

		if (!(who & 1u << k) || !s->host[i].h)
			continue;
		err = hip_rekey(s->host[i].h, &s->name[name[k]].hit,
				&s->name[name[1 - k]].hit, simnet_random(s, 2),
				simnet_clock(s, i));
		if (err && err != HG_ENOENT && err != HG_EAGAIN &&
		    !(p->tight && err == HG_EFULL))
			simnet_break(s, "hip_rekey fails");
		simnet_effects(s, i);
	}
}

/* ---- trouble --------------------------------------------------------------- */

static void close_one(struct sim *s, unsigned i)
{
	unsigned n = (unsigned)simnet_random(s, SIM_NAMES);

	if (!s->host[i].h || !s->name[n].is)
		return;
	simnet_close(s, i, &s->name[n].hit);
}

/* As the daemon ends: CLOSE to all, and after a while it is gone. */
static void leave(struct sim *s, unsigned i)
{
	if (!s->host[i].h)
		return;
	s->host[i].leaving = true;
	simnet_close(s, i, NULL);
}

static void gone(struct sim *s)
{
	for (unsigned i = 0; i < s->hosts; i++) {
		if (s->host[i].h && s->host[i].leaving)
			simnet_crash(s, i, simnet_random(s, 3 * SIM_S));
	}
}

static void leap(struct sim *s, unsigned i)
{
	static const uint64_t span[] = { 2, 60, 1000, 3600, 86400, 700000 };

	simnet_jump(s, i, span[simnet_random(s, 6)] * SIM_S);
}

static void trouble(struct sim *s)
{
	unsigned i = (unsigned)simnet_random(s, s->hosts);

	if (simnet_random(s, 8) == 0)
		simmove_trouble(s, i);
	if (simnet_random(s, 32) == 0) { /* both jump */
		simmove_trouble(s, i);
		simmove_trouble(s, (i + 1) % s->hosts);
	}
	switch (simnet_random(s, 32)) {
	case 0:
		if (simnet_random(s, 2))
			break; /* a new engine is the dearest thing here */
		simnet_crash(s, i, simnet_random(s, 3 * SIM_S));
		break;
	case 1:
	case 2:
		close_one(s, i);
		break;
	case 3:
		if (simnet_random(s, 4) == 0)
			leave(s, i);
		break;
	case 4:
		gone(s);
		break;
	case 5:
		if (simnet_random(s, 3) == 0)
			leap(s, i);
		break;
	default:
		if (simnet_random(s, 3) == 0)
			simattack(s);
		break;
	}
}

static struct sim_weather bad_weather(struct sim *s)
{
	static const unsigned loss[] = { 0, 20, 100, 300 };
	static const unsigned dup[] = { 0, 50, 300 };
	static const uint64_t jitter[] = { 1, 20 * SIM_MS, 800 * SIM_MS,
					   6 * SIM_S };
	static const uint64_t job[] = { 1, 5 * SIM_MS, 700 * SIM_MS,
					3 * SIM_S };
	static const uint64_t late[] = { 0, 0, 20 * SIM_MS, 2 * SIM_S };

	return (struct sim_weather){
		.loss = loss[simnet_random(s, 4)],
		.dup = dup[simnet_random(s, 3)],
		.delay = SIM_MS * (1 + simnet_random(s, 100)),
		.jitter = jitter[simnet_random(s, 4)],
		.job = job[simnet_random(s, 4)],
		.job_fail = (unsigned)simnet_random(s, 2) * 30,
		.late = late[simnet_random(s, 4)],
	};
}

/* ---- what must be ----------------------------------------------------------- */

/* Are all that are behind a server registered there? */
static bool registered(struct sim *s)
{
	for (unsigned i = 1; s->servers && i < sim_clients(s); i++) {
		if (!s->host[i].registered ||
		    !simsa_agreed(s, i * SIM_IDS, sim_server(s, i) * SIM_IDS))
			return false;
	}
	return true;
}

static bool content(struct plan *p)
{
	struct sim *s = &p->s;

	for (unsigned n = 0; n < p->wishes; n++) {
		if (!simsa_reached(s, p->wish[n].from, p->wish[n].to))
			return false;
	}
	return registered(s);
}

struct look {
	const struct plan *p;
	struct sim *s;
	unsigned i;
	bool wanted; /* wishes are fulfilled */
	bool empty;  /* nobody should have anything */
};

static bool is_wish(const struct plan *p, unsigned from, unsigned to)
{
	for (unsigned n = 0; n < p->wishes; n++) {
		if (p->wish[n].from == from && p->wish[n].to == to)
			return true;
	}
	return false;
}

static void look_at(const struct hip_peer *v, void *arg)
{
	struct look *l = arg;
	struct sim *s = l->s;
	int self = simnet_name(s, &v->self);
	int peer = simnet_name(s, &v->peer);

	if (self < 0 || peer < 0 || (unsigned)self / SIM_IDS != l->i ||
	    (unsigned)peer / SIM_IDS == l->i) {
		simnet_break(s, "association with a HIT that is nobody's");
		return;
	}
	if (l->wanted && is_wish(l->p, (unsigned)self, (unsigned)peer) &&
	    !v->relayed_at.port &&
	    !simmove_at(&s->host[peer / SIM_IDS], &v->peer_at, NULL))
		simnet_break(s, "who wants is not at the host's address");
	if (l->empty && !sim_is_server(s, l->i) &&
	    !sim_is_server(s, (unsigned)peer / SIM_IDS))
		simnet_break(s, "an association remains");
}

static void check(struct plan *p, bool wanted, bool empty)
{
	struct sim *s = &p->s;

	for (unsigned i = 0; i < s->hosts; i++) {
		struct look l = { p, s, i, wanted, empty };

		if (s->host[i].h)
			hip_each_peer(s->host[i].h, look_at, &l);
	}
}

/* ---- times ------------------------------------------------------------------ */

/* All wishes at nearly once, so that exchanges cross; no other trouble. */
static void first_time(struct plan *p)
{
	struct sim *s = &p->s;
	uint64_t delay = SIM_MS * (5 + simnet_random(s, 100));
	uint64_t end;

	s->weather = (struct sim_weather){ .delay = delay, .job = 20 * SIM_MS };
	/* The R1s are made, and the server has its registrations. */
	simnet_run(s, s->now + FIRST_TIME * SIM_S);
	end = s->now + FIRST_TIME * SIM_S;
	for (unsigned k = 0; k < p->wishes; k++) {
		want(p, &p->wish[k]);
		simnet_run(s, s->now + simnet_random(s, 3 * delay));
	}
	simnet_run(s, end);
	if (!content(p) && !p->tight)
		simnet_break(s, "who wants does not have at once");
}

static void bad_time(struct plan *p)
{
	struct sim *s = &p->s;

	s->weather = bad_weather(s);
	for (int n = 0; n < BAD_TIME * 4 && !s->broken; n++) {
		trouble(s);
		for (unsigned k = 0; k < p->wishes; k++) {
			if (simnet_random(s, 8) == 0)
				want(p, &p->wish[k]);
		}
		if (simnet_random(s, 3) == 0)
			talk(p);
		if (simnet_random(s, 12) == 0)
			rekey(p);
		simnet_run(s, s->now + SIM_S / 4);
		check(p, false, false);
	}
	gone(s);
	simmove_mend(s);
}

static void good_time(struct plan *p)
{
	struct sim *s = &p->s;
	int calm = 0;

	s->weather =
		(struct sim_weather){ .delay = 5 * SIM_MS, .job = 2 * SIM_MS };
	for (int n = 0; n < GOOD_TIME_MAX && calm < 4 && !s->broken; n++) {
		for (unsigned k = 0; k < p->wishes; k++)
			want(p, &p->wish[k]);
		talk(p);
		simnet_run(s, s->now + SIM_S);
		/* Late packets of the bad time may still come. */
		calm = content(p) && n > 9 ? calm + 1 : 0;
	}
	if (calm < 4 && !p->tight)
		simnet_break(s, "who wants does not have");
	if (!s->broken)
		check(p, s->servers && !p->tight, false);
}

static void calm_time(struct plan *p)
{
	struct sim *s = &p->s;

	if (p->tight)
		return;
	s->weather = (struct sim_weather){ .delay = 5 * SIM_MS,
					   .jitter = 80 * SIM_MS,
					   .dup = 100,
					   .job = 20 * SIM_MS };
	s->calm = true;
	for (int n = 0; n < CALM_TIME * 5 && !s->broken; n++) {
		talk(p);
		if (simnet_random(s, 4) == 0)
			simattack(s);
		if (simnet_random(s, 8) == 0)
			rekey(p);
		simnet_run(s, s->now + SIM_S / 5);
	}
	s->calm = false;
	simnet_run(s, s->now + 2 * SIM_S);
	if (!content(p))
		simnet_break(s, "what was had in calm is lost");
}

static void silent_time(struct plan *p)
{
	struct sim *s = &p->s;

	s->weather =
		(struct sim_weather){ .delay = 5 * SIM_MS, .job = 2 * SIM_MS };
	simnet_run(s, s->now + SILENT_SAS * SIM_S);
	if (simsa_one_sided(s))
		simnet_break(s, "an SA stays without its other end");
	simnet_run(s, s->now + (SILENT_ALL - SILENT_SAS) * SIM_S);
	if (!s->broken)
		check(p, false, true);
}

/* ---- worlds ----------------------------------------------------------------- */

static void invent_rekeys(struct sim *s, struct hip_rekey *r)
{
	static const uint32_t after_s[] = { 0, 0, 10, 100 };
	static const uint64_t packets[] = { 0, 0, 20, 100 };
	static const uint64_t bytes[] = { 0, 0, 50000, 500000 };

	r->after_s = after_s[simnet_random(s, 4)];
	r->after_packets = packets[simnet_random(s, 4)];
	r->after_bytes = bytes[simnet_random(s, 4)];
	r->reuse = simnet_random(s, 2);
}

static void invent_hosts(struct plan *p)
{
	struct sim *s = &p->s;
	size_t keys = simkeys_num();
	size_t key = simnet_random(s, keys);
	unsigned spare = (unsigned)(keys - s->hosts);

	for (unsigned i = 0; i < s->hosts; i++) {
		unsigned ids = 1 + (unsigned)simnet_random(s, SIM_IDS);

		if (spare < ids - 1)
			ids = 1 + spare; /* nobody has another's */
		spare -= ids - 1;
		for (unsigned k = 0; k < ids; k++) {
			s->name[i * SIM_IDS + k].is = true;
			s->name[i * SIM_IDS + k].key = key++ % keys;
		}
		s->host[i].cfg = (struct hip_config){
			/* A proxy only asks. */
			.responder =
				!s->servers || i > 0 || simnet_random(s, 2),
			.rendezvous = !s->relay && sim_is_server(s, i),
			.relay = s->relay && sim_is_server(s, i),
			.puzzle_k = (uint8_t)simnet_random(s, 3),
			.puzzle_k_max = 16,
		};
		invent_rekeys(s, &s->host[i].cfg.rekey);
		s->host[i].base = s->now;
		s->host[i].shown = SIM_S + simnet_random(s, 1000 * SIM_S);
		if (simnet_random(s, 2))
			s->host[i].ppm =
				(int64_t)simnet_random(s, 200001) - 100000;
		if (p->tight && simnet_random(s, 2))
			s->host[i].cfg.assoc_max =
				1 + (uint32_t)simnet_random(s, 3);
		if (p->tight && simnet_random(s, 2))
			s->host[i].cfg.jobs_max =
				1 + (uint32_t)simnet_random(s, 6);
	}
}

/* One of the host's names. */
static unsigned some_name(struct sim *s, unsigned i)
{
	unsigned n;

	do
		n = i * SIM_IDS + (unsigned)simnet_random(s, SIM_IDS);
	while (!s->name[n].is);
	return n;
}

static void invent_wishes(struct plan *p)
{
	struct sim *s = &p->s;

	p->wishes = 1 + (unsigned)simnet_random(s, s->hosts == 2 ? 3 : WISHES);
	for (unsigned n = 0; n < p->wishes; n++) {
		struct wish *w = &p->wish[n];
		unsigned i = (unsigned)simnet_random(s, sim_clients(s));
		unsigned j = (unsigned)simnet_random(s, sim_clients(s) - 1);

		j += j >= i;
		if (s->servers) {
			/* Whom a server knows: the first name. */
			w->to = (j ? j : i) * SIM_IDS;
			w->from = some_name(s, j ? i : 0);
		} else if (n % 2 == 1 && simnet_random(s, 2)) {
			/* Both want: exchanges cross. */
			*w = (struct wish){ w[-1].to, w[-1].from };
		} else {
			w->from = some_name(s, i);
			w->to = some_name(s, j);
		}
	}
}

/* How many there are, and how many of them are servers. */
static void invent_world(struct sim *s, uint64_t seed)
{
	s->taste = seed / 7;
	s->relay = seed % 6 == 4;
	s->servers = seed % 3 == 1 ? 1 + (unsigned)simnet_random(s, 2) : 0;
	s->hosts = seed % 3 ? 3 : 2;
	if (simnet_random(s, 3) == 0)
		s->hosts += (unsigned)simnet_random(s, SIM_HOSTS - 2);
	if (s->hosts < 2 + s->servers)
		s->hosts = 2 + s->servers;
}

static void live(struct plan *p, uint64_t seed)
{
	struct sim *s = &p->s;
	bool silent = simnet_random(s, 4) == 0;

	s->now = SIM_S + simnet_random(s, 1000 * SIM_S);
	invent_world(s, seed);
	s->roam = simnet_random(s, 2);
	s->data = seed % 12 == 4 && s->hosts == 3 && s->servers == 1;
	p->tight = simnet_random(s, 8) == 0;
	s->weather = (struct sim_weather){ .delay = SIM_MS, .job = SIM_MS };
	invent_hosts(p);
	invent_wishes(p);
	if (s->relay)
		simmove_nats(s);
	simnet_start(s);
	if (simnet_random(s, 2))
		first_time(p);
	if (!s->broken)
		bad_time(p);
	if (!s->broken)
		good_time(p);
	if (!s->broken)
		calm_time(p);
	if (!s->broken && silent)
		silent_time(p);
}

static void describe(const struct plan *p, uint64_t seed)
{
	static unsigned said;

	if (++said > SAID_MAX)
		return;
	printf("seed %llu: %s at %.3f (again: --seed %llu --runs 1 --loud)\n",
	       (unsigned long long)seed, p->s.broken, (double)p->s.now / 1e9,
	       (unsigned long long)seed);
	fflush(stdout);
}

static bool run(uint64_t seed, bool loud, struct sim_count *sum)
{
	static struct plan p;
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)&p.s.count;

	memset(&p, 0, sizeof(p));
	p.s.loud = loud;
	simcrypto_cheap(seed % 16 != 0);
	simchance_use(&p.s.chance, seed);
	live(&p, seed);
	if (p.s.broken)
		describe(&p, seed);
	if (p.s.broken && loud)
		simmove_print(&p.s);
	simnet_fini(&p.s);
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
	return !p.s.broken;
}

/* Freed engines are large; those of a whole campaign need not be kept. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "quarantine_size_mb=4";
}

static int usage(const char *name)
{
	fprintf(stderr, "usage: %s [--runs N] [--seed S] [--loud]\n", name);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct sim_count sum = { 0 };
	unsigned long runs = RUNS, failed = 0;
	unsigned long long seed = 1;
	bool loud = false;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
			runs = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
			seed = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--loud") == 0)
			loud = true;
		else
			return usage(argv[0]);
	}
	if (!simkeys_load()) {
		fprintf(stderr, "simkeys.c has no key of some algorithm\n");
		return EXIT_FAILURE;
	}
	for (unsigned long n = 0; n < runs; n++)
		failed += !run(seed + n, loud, &sum);
	printf("sim: %llu messages, %llu attacks, %llu crashes, %llu leaps, "
	       "%llu moves, %llu SAs, %llu rekeys, %llu of %llu ESP packets "
	       "opened\n",
	       (unsigned long long)sum.sent, (unsigned long long)sum.attacks,
	       (unsigned long long)sum.crashes, (unsigned long long)sum.jumps,
	       (unsigned long long)sum.moves, (unsigned long long)sum.sas,
	       (unsigned long long)sum.rekeys, (unsigned long long)sum.opened,
	       (unsigned long long)sum.sealed);
	printf("sim: %lu runs, %lu failed\n", runs, failed);
	simcrypto_free();
	simkeys_free();
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
