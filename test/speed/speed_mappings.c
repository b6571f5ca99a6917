/* SPDX-License-Identifier: MIT */
/* Mappings: what the daemon keeps of each HIP host that was asked for.
 *
 * speed_mappings NUM: prints "NAME VALUE UNIT" lines; octets are of resident
 * memory that NUM of them added, for each; times are CPU time.
 *
 *   lease, published, pin	the lease; its addresses in the workers'
 *				table, of half of them two (dns/lease.c); the
 *				name that must stay HIP
 *   mapping			all of these
 *   lease-get			finding the lease of one of NUM at random
 *   peer			what control knows of the host itself: bounded
 *				by PEERS_MAX, so of as many as that
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/hipgated/gate.h"

enum { LOOKUPS = 300000 };

static struct tables t;
static struct gate g;

static uint64_t cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static double resident(void)
{
	unsigned long all = 0;
	unsigned long here = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (!f || fscanf(f, "%lu %lu", &all, &here) != 2)
		here = 0;
	if (f)
		(void)fclose(f);
	return (double)here * (double)sysconf(_SC_PAGESIZE);
}

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_mappings: %s\n", what);
	exit(1);
}

static double say(const char *name, double since, double num)
{
	double each = (resident() - since) / num;

	(void)printf("%s %.1f octets\n", name, each);
	return each;
}

/* The n-th host. */
static struct hit hit_of(uint32_t n)
{
	struct hit h = { { 0x20, 0x01, 0x00, 0x22 } };

	randombytes_buf_deterministic(h.b + 4, 12, (const uint8_t[32]){ 1 });
	memcpy(h.b + 8, &n, sizeof(n));
	return h;
}

/* As long as names of hosts are. */
static const char *name_of(uint32_t n, char out[64])
{
	(void)snprintf(out, 64, "host-%06u.branch.example.com", n);
	return out;
}

static struct prefix pool(const char *text)
{
	struct prefix p;

	if (prefix_parse(text, &p))
		die(text);
	return p;
}

static double leases(struct lease *l, uint32_t num)
{
	double before = resident();
	struct lease_entry e;
	char name[64];
	bool fresh;

	for (uint32_t i = 0; i < num; i++) {
		struct hit h = hit_of(i);

		if (lease_get(l, &h, name_of(i, name), &e, &fresh) || !fresh)
			die("no lease");
	}
	return say("lease", before, num);
}

/* What a table retires when it grows goes when all threads have paused. */
static void pause_now_and_then(uint32_t i)
{
	if (i % 1024 == 0)
		urcu_qsbr_quiescent_state();
}

static double published(struct lease *l, uint32_t num)
{
	double before = resident();
	struct lease_entry e;
	bool fresh;

	for (uint32_t i = 0; i < num; i++) {
		struct hit h = hit_of(i);

		pause_now_and_then(i);
		if (lease_get(l, &h, "", &e, &fresh) ||
		    tables_add_mapping(&t, (struct addr[]){ e.sub6, e.sub4 },
				       addr_is_unspecified(&e.sub4) ? 1 : 2,
				       &h))
			die("no mapping");
	}
	return say("published", before, num);
}

static double pins(uint32_t num)
{
	struct dns_config cfg = { .pins_max = num };
	double before = resident();
	char name[64];
	struct dns *d;

	if (dns_new(&cfg, &d))
		die("no memory");
	for (uint32_t i = 0; i < num; i++) {
		struct hit h = hit_of(i);

		if (dns_pin(d, name_of(i, name), &h))
			die("no pin");
	}
	return say("pin", before, num);
}

static void look_up(struct lease *l, uint32_t num)
{
	struct lease_entry e;
	struct hit *hits = malloc(LOOKUPS * sizeof(*hits));
	uint64_t before;
	bool fresh;

	if (!hits)
		die("no memory");
	for (uint32_t i = 0; i < LOOKUPS; i++)
		hits[i] = hit_of(randombytes_uniform(num));
	before = cpu();
	for (uint32_t i = 0; i < LOOKUPS; i++)
		if (lease_get(l, &hits[i], "", &e, &fresh) || fresh)
			die("it is gone");
	(void)printf("lease-get %.0f ns\n", (double)(cpu() - before) / LOOKUPS);
	free(hits);
}

static void peers(void)
{
	double before = resident();

	if (linetable_init(&g.peers))
		die("no memory");
	for (uint32_t i = 0; i < PEERS_MAX; i++) {
		struct hit h = hit_of(i);

		pause_now_and_then(i);
		if (!peer_get(&g, &h))
			die("no peer");
	}
	(void)say("peer", before, PEERS_MAX);
}

int main(int argc, char **argv)
{
	uint32_t num = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct lease_config cfg = { .max = num };
	struct lease *l = NULL;
	double all = 0;

	if (num < 1 || num > 10000000 || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: speed_mappings NUM\n");
		return 2;
	}
	cfg.pool6 = pool("2001:db8:401::/64");
	cfg.pool4 = pool("10.0.0.0/8");
	tables_thread_begin();
	if (tables_init(&t) || lease_new(&cfg, &l))
		die("no memory");
	all += leases(l, num);
	all += published(l, num);
	all += pins(num);
	(void)printf("mapping %.1f octets\n", all);
	look_up(l, num);
	peers();
	tables_thread_end();
	return 0;
}
