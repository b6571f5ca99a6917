/* SPDX-License-Identifier: MIT */
/* Flows: what they take and what they cost, from ten to as many as asked.
 *
 * speed_flows NUM: prints "NAME VALUE UNIT" lines. Times are CPU time of the
 * thread they are of (what else the machine does is not in them); the NAT and
 * the tables are the daemon's own.
 *
 *   lookup-ten-*	a flow of ten, by either key; one after the other, and in
 *			rows, as workers do (seek.h)
 *   flow-memory	resident memory that NUM flows added, per flow
 *   bind-*		binding and publishing one; each time has its mean, what
 *			a thousandth is above, and the longest
 *   lookup-many-*	one of NUM at random, by either key
 *   lookup-busy-*	the same where nine of ten packets are of a hundredth
 *   sweep-*		slices of the sweep that ends all of them
 *   before-*, meanwhile-*
 *			64 look-ups of another thread, before and during that
 *   reuse-*		binding when all ports are held by flows that ended
 */
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/hipgated/seek.h"
#include "cmd/hipgated/worker.h"

enum {
	TEN = 10,
	PER_CLIENT = 4000,
	PEERS = 256,
	LOOKUPS = 320000, /* whole rows */
	BATCH = 64,
	RANGE = 65536 - 1024,
};

#define S UINT64_C(1000000000)

static struct tables t;
static struct nat *nat;
static struct nat_key *keys;
static struct nat_back *backs;
static struct hit self = { { 0x20, 0x01, 0x00, 0x22, 1 } };
static volatile uintptr_t sink;

static uint64_t cpu(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * S + (uint64_t)ts.tv_nsec;
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

static void say(const char *name, double value, const char *unit)
{
	(void)printf("%s %.1f %s\n", name, value, unit);
}

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_flows: %s\n", what);
	exit(1);
}

/* How often each time was seen, in steps of a microsecond, and the longest. */
struct times {
	uint32_t us[1000];
	uint64_t longest;
	uint64_t sum;
	uint64_t num;
};

static void note(struct times *l, uint64_t ns)
{
	l->us[ns / 1000 < 999 ? ns / 1000 : 999]++;
	l->longest = ns > l->longest ? ns : l->longest;
	l->sum += ns;
	l->num++;
}

static void say_times(const char *name, const struct times *l)
{
	uint64_t above = l->num / 1000;
	unsigned us = 999;
	char line[64];

	while (us && above >= l->us[us])
		above -= l->us[us--];
	(void)snprintf(line, sizeof(line), "%s-mean", name);
	say(line, (double)l->sum / (double)l->num / 1000, "us");
	(void)snprintf(line, sizeof(line), "%s-99.9%%", name);
	say(line, us, "us");
	(void)snprintf(line, sizeof(line), "%s-longest", name);
	say(line, (double)l->longest / 1000, "us");
}

/* ---- the daemon's part ---------------------------------------------------- */

static bool taken(void *arg, const struct nat_back *back)
{
	return tables_flow_back(arg, back);
}

static void unpublish(void *arg, struct nat_flow *f)
{
	tables_del_flow(arg, caa_container_of(f, struct flow, nat));
}

static void discard(void *arg, struct nat_flow *f)
{
	tables_free_flow(arg, caa_container_of(f, struct flow, nat));
}

static void *many(size_t num, size_t size)
{
	void *p = malloc(num * size);

	if (!p)
		die("no memory");
	return memset(p, 1, num * size); /* resident from now on */
}

static void open_all(uint32_t num)
{
	struct nat_config cfg = { .flows_max = num,
				  .taken = taken,
				  .unpublish = unpublish,
				  .discard = discard,
				  .arg = &t };

	if (tables_init(&t) || nat_new(&cfg, &nat))
		die("no memory");
	keys = many(num, sizeof(*keys));
	backs = many(num, sizeof(*backs));
}

static void close_all(void)
{
	nat_free(nat);
	tables_fini(&t);
	free(keys);
	free(backs);
}

/* The n-th flow of the bench. */
static struct nat_key key_of(uint32_t n, uint32_t proto)
{
	struct nat_key k = { .client_port = (uint16_t)(n % PER_CLIENT + 1024),
			     .virt_port = 80,
			     .proto = proto };
	uint32_t client = n / PER_CLIENT;

	memcpy(k.client.b, "\xfd\x00\x00\x01", 4);
	memcpy(k.client.b + 12, &client, 4);
	memcpy(k.virt.b, "\xfd\x00\x00\x09", 4);
	k.virt.b[15] = (uint8_t)(n % PEERS);
	return k;
}

static struct flow *bind_one(const struct nat_key *k, uint64_t now)
{
	struct flow *f = tables_new_flow(&t);
	struct hit peer = self;
	enum reason why;

	peer.b[14] = 1;
	peer.b[15] = k->virt.b[15];
	if (!f || nat_bind(nat, k, &self, &peer, true, now, &f->nat, &why) ||
	    tables_add_flow(&t, f))
		die("a flow could not be bound");
	return f;
}

/* The control thread lets readers go on now and then, as its loop does. */
static void breathe(void)
{
	tables_offline();
	tables_online();
}

/* Binds those from `first` on. */
static void fill(uint32_t first, uint32_t num)
{
	static struct times binds;
	double before = resident();

	for (uint32_t i = first; i < num; i++) {
		uint64_t begin = cpu();

		keys[i] = key_of(i, IP_PROTO_UDP);
		backs[i] = bind_one(&keys[i], 1)->nat.back;
		note(&binds, cpu() - begin);
		if (i % 256 == 0)
			breathe();
	}
	if (!first)
		return;
	tables_offline();
	(void)usleep(500000); /* the tables grow in a thread of their own */
	tables_online();
	say("flow-memory", (resident() - before) / num, "octets");
	say_times("bind", &binds);
}

/* ---- look-ups -------------------------------------------------------------- */

/* busy: nine of ten out of the first hundredth. The keys are copied, so that
 * they are where a packet's would be: in the cache. */
struct wanted {
	struct nat_key key[LOOKUPS];
	struct nat_back back[LOOKUPS];
};

/* What a packet does with its flow: it reads where to go, and counts. */
static void use(struct flow *f)
{
	if (!f)
		die("a flow is not there");
	sink += f->nat.back.ext_port;
	atomic_store_explicit(&f->nat.last, 2, memory_order_relaxed);
}

static void out_alone(const struct wanted *w)
{
	for (uint32_t i = 0; i < LOOKUPS; i++)
		use(tables_flow(&t, &w->key[i]));
}

static void in_alone(const struct wanted *w)
{
	for (uint32_t i = 0; i < LOOKUPS; i++)
		use(tables_flow_back(&t, &w->back[i]));
}

/* In rows, as a worker does. */
static void out_row(const struct wanted *w)
{
	struct seek s[WORKER_ROW];

	for (uint32_t at = 0; at < LOOKUPS; at += WORKER_ROW) {
		for (unsigned i = 0; i < WORKER_ROW; i++)
			s[i] = seek_flow(&t, &w->key[at + i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_line(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_near_flow(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			use(seek_get_flow(&s[i], &w->key[at + i]));
	}
}

static void in_row(const struct wanted *w)
{
	struct seek s[WORKER_ROW];

	for (uint32_t at = 0; at < LOOKUPS; at += WORKER_ROW) {
		for (unsigned i = 0; i < WORKER_ROW; i++)
			s[i] = seek_back(&t, &w->back[at + i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_line(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			seek_near_flow(&s[i]);
		for (unsigned i = 0; i < WORKER_ROW; i++)
			use(seek_get_back(&s[i], &w->back[at + i]));
	}
}

static void lookups(const char *name, uint32_t num, bool busy)
{
	static const struct {
		const char *name;
		void (*run)(const struct wanted *w);
	} way[] = { { "out", out_alone },
		    { "in", in_alone },
		    { "out-row", out_row },
		    { "in-row", in_row } };
	struct wanted *w = many(1, sizeof(*w));

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		uint32_t at =
			randombytes_uniform(busy && i % 10 ? num / 100 : num);

		w->key[i] = keys[at];
		w->back[i] = backs[at];
	}
	for (unsigned i = 0; i < sizeof(way) / sizeof(way[0]); i++) {
		uint64_t begin = cpu();
		char line[64];

		way[i].run(w);
		(void)snprintf(line, sizeof(line), "lookup-%s-%s", name,
			       way[i].name);
		say(line, (double)(cpu() - begin) / LOOKUPS, "ns");
	}
	free(w);
}

/* ---- the sweep --------------------------------------------------------------- */

static _Atomic bool done;

static void *reader(void *arg)
{
	struct times *l = arg;
	uint32_t at = 0;

	tables_thread_begin();
	while (!atomic_load(&done)) {
		uint64_t begin = cpu();

		for (unsigned i = 0; i < BATCH; i++) {
			at = at * 1664525 + 1013904223;
			sink += (uintptr_t)tables_flow(
				&t, &keys[at % (PER_CLIENT * 4)]);
		}
		note(l, cpu() - begin);
		urcu_qsbr_quiescent_state();
	}
	tables_thread_end();
	return NULL;
}

static pthread_t reader_start(struct times *l)
{
	pthread_t other;

	atomic_store(&done, false);
	if (pthread_create(&other, NULL, reader, l))
		die("no thread");
	return other;
}

static void reader_stop(pthread_t other)
{
	atomic_store(&done, true);
	tables_offline();
	(void)pthread_join(other, NULL);
	tables_online();
}

static void sweep_all(void)
{
	static struct times slices;
	static struct times before;
	static struct times meanwhile;
	pthread_t other = reader_start(&before);

	tables_offline();
	(void)usleep(2000000);
	tables_online();
	reader_stop(other);
	other = reader_start(&meanwhile);
	for (unsigned part = 0; part < 16; part++) {
		bool more = true;

		for (bool begin = true; more; begin = false) {
			uint64_t at = cpu();

			more = nat_sweep(nat, begin, 3600 * S);
			note(&slices, cpu() - at);
			breathe();
		}
	}
	reader_stop(other);
	if (t.flows)
		die("flows are left");
	say_times("sweep", &slices);
	say_times("before", &before);
	say_times("meanwhile", &meanwhile);
}

/* ---- early reuse -------------------------------------------------------------- */

static void close_flow(struct flow *f)
{
	struct nat_packet p = { 0 };
	struct ip_offload off = { 0 };
	uint8_t rst[TCP_HDR] = { [12] = 0x50, [13] = TCP_RST };

	p.ip.proto = IP_PROTO_TCP;
	p.ip.l4 = rst;
	p.ip.l4_len = sizeof(rst);
	p.key = f->nat.key;
	if (nat_to_hip(&f->nat, &p, &off, 0, 1) != REASON_NUM)
		die("an RST was refused");
}

static void reuse(void)
{
	static struct times times;

	for (uint32_t i = 0; i < 3 * RANGE; i++) {
		struct nat_key k = key_of(0, IP_PROTO_TCP);
		uint64_t at = cpu();

		/* One client after the other, so that keys differ. */
		k.client_port = (uint16_t)i;
		memcpy(k.client.b + 8, &(uint32_t){ i >> 16 }, 4);
		close_flow(bind_one(&k, 3600 * S));
		if (i >= RANGE)
			note(&times, cpu() - at);
		if (i % 256 == 0)
			breathe();
	}
	say_times("reuse", &times);
	say("reuse-flows", (double)t.flows, "flows");
}

int main(int argc, char **argv)
{
	uint32_t num = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;

	if (num < PER_CLIENT * 4 || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: speed_flows NUM (from %d on)\n",
			      PER_CLIENT * 4);
		return 2;
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	tables_thread_begin();
	open_all(num);
	fill(0, TEN);
	lookups("ten", TEN, false);
	fill(TEN, num);
	lookups("many", num, false);
	lookups("busy", num, true);
	sweep_all();
	reuse();
	close_all();
	tables_thread_end();
	return 0;
}
