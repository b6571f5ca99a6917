/* SPDX-License-Identifier: MIT */
/* Associations: what they take, and what looking up an SA costs.
 *
 * speed_assocs NUM: prints "NAME VALUE UNIT" lines. Octets are what malloc
 * has given out, with its own overhead.
 *
 *   engine-responder	one association in the engine that was asked
 *   engine-initiator	in the one that asked
 *   tables-sa		its pair of SAs in the daemon's tables, two workers
 *   tables-sa-rests	how much less that is for one at rest
 *   sa-ten-*, sa-many-*	a look-up among ten and among NUM, in and out; one
 *			after the other, and in rows, as workers do (seek.h)
 */
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/hipgated/seek.h"
#include "cmd/hipgated/worker.h"
#include "test/speed/speed_pair.h"

enum { TEN = 10, WARM = 20, PEERS = 120, LOOKUPS = 320000 };

static volatile uintptr_t sink;

static uint64_t cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* Arena and what was mapped by itself. */
static double allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

/* Large sets are mapped by themselves. */
static double mapped(const struct linetable *l)
{
	return (double)atomic_load(&((struct linetable *)l)->set)->size;
}

static void say(const char *name, double value, const char *unit)
{
	(void)printf("%s %.1f %s\n", name, value, unit);
}

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_assocs: %s\n", what);
	exit(1);
}

/* ---- the engine ------------------------------------------------------------ */

/* One engine of `kept` meets PEERS others, each made for it and then gone
 * without a word, in role `responder` or not. */
static void engine(bool responder, uint8_t group)
{
	struct speed_pair kept;
	double before = 0;

	if (speed_pair_init(&kept, HIP_ALG_ECDSA_P256, group, 1))
		die("no engines");
	for (int i = 0; i < WARM + PEERS; i++) {
		struct speed_pair other;
		struct speed_side spare;

		if (i == WARM)
			before = allocated();
		if (speed_pair_init(&other, HIP_ALG_ECDSA_P256, group, 1))
			die("no engines");
		other.now = kept.now;
		spare = responder ? other.responder : other.initiator;
		if (responder)
			other.responder = kept.responder;
		else
			other.initiator = kept.initiator;
		if (speed_pair_exchange(&other))
			die("an exchange failed");
		kept.now = other.now;
		if (responder) {
			kept.responder = other.responder;
			other.responder = spare;
		} else {
			kept.initiator = other.initiator;
			other.initiator = spare;
		}
		speed_pair_fini(&other);
	}
	say(responder ? "engine-responder" : "engine-initiator",
	    (allocated() - before) / PEERS, "octets");
	speed_pair_fini(&kept);
}

/* ---- the tables ------------------------------------------------------------ */

static struct tables t;

static struct sa_pair pair_of(uint32_t n)
{
	struct sa_pair p = { .suite = SA_AES128_GCM16,
			     .spi_in = 1000 + n,
			     .spi_out = 2000 + n };

	memcpy(p.self.b, "\x20\x01\x00\x20", 4);
	memcpy(p.peer.b, "\x20\x01\x00\x20", 4);
	memcpy(p.peer.b + 12, &n, 4);
	randombytes_buf(&p.in, sizeof(p.in));
	randombytes_buf(&p.out, sizeof(p.out));
	return p;
}

static double in_tables(void)
{
	/* The tables have grown, what is freed is free. */
	rcu_barrier();
	return allocated() + mapped(&t.sa_spi) + mapped(&t.sa_pair);
}

static void rest(struct sa *sa, void *arg)
{
	(void)arg;
	tables_rest_sa(sa);
}

static void add(uint32_t first, uint32_t num)
{
	struct path_ends at = { .peer.port = 10500, .verified = true };
	double before = in_tables();

	for (uint32_t n = first; n < num; n++) {
		struct sa_pair p = pair_of(n);

		if (tables_add_sa(&t, &p, &at, 2, true, 1))
			die("an SA could not be made");
		if (tables_use_sa(&t, tables_sa_in(&t, p.spi_in)))
			die("no memory");
		if (n % 256 == 0) {
			tables_offline();
			tables_online();
		}
	}
	if (first)
		say("tables-sa", (in_tables() - before) / (num - first),
		    "octets");
}

static void rest_all(uint32_t num)
{
	double before = in_tables();

	tables_each_sa(&t, rest, NULL);
	say("tables-sa-rests", (before - in_tables()) / num, "octets less");
}

/* ---- look-ups --------------------------------------------------------------- */

struct wanted {
	uint32_t spi[LOOKUPS];
	struct tables_pair pair[LOOKUPS];
};

/* What a packet reads first. */
static void use(const struct sa *sa)
{
	if (!sa)
		die("an SA is not there");
	sink += sa->owner;
	sink += (uintptr_t)atomic_load_explicit(&((struct sa *)sa)->path,
						memory_order_relaxed);
}

static void in_alone(const struct wanted *w)
{
	for (uint32_t i = 0; i < LOOKUPS; i++)
		use(tables_sa_in(&t, w->spi[i]));
}

static void out_alone(const struct wanted *w)
{
	for (uint32_t i = 0; i < LOOKUPS; i++)
		use(tables_sa_out(&t, &w->pair[i].self, &w->pair[i].peer));
}

static void in_row(const struct wanted *w)
{
	struct seek s[WORKER_ROW];

	for (uint32_t at = 0; at < LOOKUPS; at += WORKER_ROW) {
		for (unsigned i = 0; i < WORKER_ROW; i++)
			s[i] = seek_in(&t, &w->spi[at + i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_line(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_near_sa(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			use(seek_get_in(&s[i], &w->spi[at + i]));
	}
}

static void out_row(const struct wanted *w)
{
	struct seek s[WORKER_ROW];

	for (uint32_t at = 0; at < LOOKUPS; at += WORKER_ROW) {
		for (unsigned i = 0; i < WORKER_ROW; i++)
			s[i] = seek_out(&t, &w->pair[at + i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_line(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_near_sa(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			use(seek_get_out(&s[i], &w->pair[at + i]));
	}
}

static void lookups(const char *name, uint32_t num)
{
	static const struct {
		const char *name;
		void (*run)(const struct wanted *w);
	} way[] = { { "in", in_alone },
		    { "out", out_alone },
		    { "in-row", in_row },
		    { "out-row", out_row } };
	struct wanted *w = calloc(1, sizeof(*w));
	struct sa_pair p = pair_of(0);

	if (!w)
		die("no memory");
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		uint32_t n = randombytes_uniform(num);

		w->spi[i] = p.spi_in + n;
		w->pair[i] = (struct tables_pair){ p.self, p.peer };
		memcpy(w->pair[i].peer.b + 12, &n, 4);
	}
	for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		uint64_t begin = cpu();

		way[i].run(w);
		(void)printf("sa-%s-%s %.1f ns\n", name, way[i].name,
			     (double)(cpu() - begin) / LOOKUPS);
	}
	free(w);
}

int main(int argc, char **argv)
{
	uint32_t num = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;

	if (num <= TEN || sodium_init() < 0 || esp_setup()) {
		(void)fprintf(stderr, "usage: speed_assocs NUM\n");
		return 2;
	}
	engine(true, 7);
	engine(false, 7);
	tables_thread_begin();
	if (tables_init(&t))
		die("no memory");
	add(0, TEN);
	lookups("ten", TEN);
	add(TEN, num);
	lookups("many", num);
	rest_all(num);
	tables_fini(&t);
	tables_thread_end();
	return 0;
}
