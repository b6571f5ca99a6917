/* SPDX-License-Identifier: MIT */
/* Looks at a daemon that knows many hosts: how long control is busy with them.
 *
 * speed_snapshot NUM: prints "NAME VALUE UNIT" lines; times are CPU time, the
 * middle one of ROUNDS. NUM hosts have names, substitutes and associations that
 * have begun, a million flows of 20000 clients lead to them; the ring of events
 * is full. NAME-at-once: the longest part of it, after which the loop turns.
 *
 *   counts	what /metrics and `hipgate metrics` are made of
 *   page	the same for the status page, with its rows and events
 *   sample	what is kept each second for the plots
 *   peers, mappings, clients	the answer to that verb, as text
 *   explain	the same, of one host's name
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/hipgated/gate.h"
#include "cmd/hipgated/snapshot.h"
#include "cmd/hipgated/viewexplain.h"
#include "cmd/hipgated/views.h"

enum { ROUNDS = 15, FLOWS = 1000000, CLIENTS = 20000 };

static struct gate g;
static struct config cfg;

static uint64_t cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_snapshot: %s\n", what);
	exit(1);
}

static void add_host(uint32_t n)
{
	struct endpoint at = { .port = HIP_PORT };
	struct hip_effect e;
	struct peer *p;
	struct hit h = { { 0x20, 0x01, 0x00, 0x22 } };
	char name[64];

	memcpy(h.b + 8, &n, sizeof(n));
	memcpy(h.b + 12, "host", 4);
	at.addr = addr_from4((const uint8_t[4]){ 192, 0, 2, 9 });
	p = peer_get(&g, &h);
	if (!p)
		die("no peer");
	(void)snprintf(name, sizeof(name), "host-%06u.branch.example.com", n);
	peer_name(p, name);
	peer_set_locators(p, &at.addr, 1, false, UINT64_MAX);
	p->sub6 = (struct addr){ { 0xfd, 0x68 } };
	memcpy(p->sub6.b + 8, &n, sizeof(n));
	if (hip_want(g.hip, &g.selves[0], &h, &at, 1, 1))
		die("no association");
	while (hip_effect(g.hip, &e))
		;
}

static void add_flow(uint32_t n, uint32_t num)
{
	struct flow *f = tables_new_flow(&g.plane.tables);
	uint32_t client = n % CLIENTS;
	uint32_t host = n % num;

	if (!f)
		die("no flow");
	f->nat.key.client = (struct addr){ { 0x20, 0x01, 0x0d, 0xb8 } };
	memcpy(f->nat.key.client.b + 12, &client, sizeof(client));
	f->nat.key.virt = (struct addr){ { 0xfd, 0x68 } };
	memcpy(f->nat.key.virt.b + 8, &host, sizeof(host));
	f->nat.key.client_port = (uint16_t)(n / CLIENTS);
	f->nat.back.peer = (struct hit){ { 0x20, 0x01, 0x00, 0x22 } };
	memcpy(f->nat.back.peer.b + 8, &host, sizeof(host));
	memcpy(f->nat.back.self.b, &n, sizeof(n));
	if (tables_add_flow(&g.plane.tables, f))
		die("a flow twice");
}

static void fill(uint32_t num)
{
	struct hip_config hc = { .puzzle_k_max = 20 };
	struct hip_identity *id = NULL;

	g.cfg = &cfg;
	g.loop = uv_default_loop();
	cfg.proxy = true;
	events_init(&g.events, "proxy");
	if (linetable_init(&g.peers) || tables_init(&g.plane.tables) ||
	    hip_identity_generate(HIP_ALG_ECDSA_P256, &id) ||
	    hip_new(&hc, 1, &g.hip))
		die("no engine");
	g.selves[0] = *hip_identity_hit(id);
	g.selves_num = 1;
	if (hip_add_identity(g.hip, id, 1))
		die("no identity");
	for (uint32_t n = 0; n < num; n++) {
		add_host(n);
		if (n % 1024 == 0)
			urcu_qsbr_quiescent_state();
	}
	for (uint32_t n = 0; n < FLOWS; n++) {
		add_flow(n, num);
		if (n % 1024 == 0)
			urcu_qsbr_quiescent_state();
	}
	for (unsigned i = 0; i < EVENTS_KEPT; i++)
		events_add(&g.events, i, "A", "dns-query",
			   json_pack("{s:s}", "name", "host.example.com"),
			   "lh -> dns AAAA host.example.com");
}

/* ---- looks -------------------------------------------------------------------- */

/* The longest part of one; CPU ns. */
static uint64_t taken(bool whole)
{
	struct snapshot_walk w;
	struct snapshot *s = NULL;
	uint64_t most = 0;

	if (!snapshot_begin(&w, whole))
		die("no memory");
	while (!s) {
		uint64_t before = cpu();

		s = snapshot_go_on(&w, &g);
		before = cpu() - before;
		most = before > most ? before : most;
	}
	snapshot_free(s);
	return most;
}

static uint64_t counts(void)
{
	return taken(false);
}

static uint64_t page(void)
{
	return taken(true);
}

static uint64_t sample(void)
{
	struct sample x;

	snapshot_sample(&g, 1, &x);
	samples_add(&g.samples, &x);
	return 0;
}

/* The same of a list. */
static uint64_t view(const char *verb)
{
	const struct views_list *l = views_list(verb);
	struct views_walk w = { .at = 0 };
	uint64_t most = 0;
	bool more = true;

	while (more) {
		uint64_t before = cpu();
		json_t *rows = json_array();
		char *text;

		more = l->more(&g, &w, rows);
		text = json_dumps(rows, JSON_COMPACT);
		if (!text)
			die("no answer");
		free(text);
		json_decref(rows);
		before = cpu() - before;
		most = before > most ? before : most;
	}
	views_give_up(&w);
	return most;
}

static uint64_t peers(void)
{
	return view("peers");
}

static uint64_t mappings(void)
{
	return view("mappings");
}

static uint64_t clients(void)
{
	return view("clients");
}

static uint64_t explain(void)
{
	json_t *req =
		json_pack("{s:s}", "name", "host-000001.branch.example.com");
	struct viewexplain *x;
	char why[256];
	uint64_t most = 0;
	bool more = true;

	if (viewexplain_begin(&g, req, &x, why, sizeof(why)))
		die(why);
	while (more) {
		uint64_t before = cpu();

		more = viewexplain_look(x);
		if (!more)
			json_decref(viewexplain_tell(x));
		before = cpu() - before;
		most = before > most ? before : most;
	}
	viewexplain_free(x);
	json_decref(req);
	return most;
}

static int by_size(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a;
	const uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void measure(const char *name, uint64_t (*look)(void))
{
	uint64_t took[ROUNDS], most[ROUNDS];

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t before = cpu();

		most[i] = look();
		took[i] = cpu() - before;
	}
	qsort(took, ROUNDS, sizeof(took[0]), by_size);
	qsort(most, ROUNDS, sizeof(most[0]), by_size);
	(void)printf("%s %.3f ms\n", name, (double)took[ROUNDS / 2] / 1e6);
	if (most[0])
		(void)printf("%s-at-once %.3f ms\n", name,
			     (double)most[ROUNDS / 2] / 1e6);
}

int main(int argc, char **argv)
{
	uint32_t num = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;

	if (num < 1 || num > 65536 || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: speed_snapshot NUM\n");
		return 2;
	}
	tables_thread_begin();
	fill(num);
	measure("counts", counts);
	measure("page", page);
	measure("sample", sample);
	measure("peers", peers);
	measure("mappings", mappings);
	measure("clients", clients);
	measure("explain", explain);
	tables_thread_end();
	return 0;
}
