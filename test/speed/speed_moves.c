/* SPDX-License-Identifier: MIT */
/* room: hip */
/* A rendezvous server whose clients all move; then it begins anew.
 *
 * speed_moves NUM SECONDS: NUM registered hosts each move once, at moments
 * spread evenly over SECONDS. Prints "NAME VALUE UNIT" lines:
 *
 *   cpu                 the server's, keepalives included, from the first move
 *                       to a minute after the last,
 *   move                and for one of them
 *   reachable-median    from a move until the server passes I1s on to the
 *   reachable-p99       new address
 *   reachable-max
 *   server-octets       what malloc has given out for the server in the end
 *   updates             UPDATEs that the server has got, for each move
 *   restart             from when the server has begun anew until all hosts are
 *                       registered again,
 *   restart-cpu         and its CPU time until then
 *
 * THEORY OF OPERATION
 * NUM + 1 true engines in one thread and made-up time: events on a heap, a
 * packet is LATENCY under way. Hosts take no time to think. The server has
 * one core: it takes packets in turn, each for as long as it really takes
 * here (its jobs included), and what comes meanwhile waits; so the times
 * until a host is reachable are those of a machine as fast as this one. At
 * the end an I1 for each host is to go where that is, or the program fails.
 * Each host is in a network of its own, as the server's budgets are for one.
 * Ten thousand hosts take 6 GB of memory.
 */
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hip/engine.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define LATENCY (10 * MS)
#define NONE UINT64_MAX

enum { NUM_MAX = 60000, SERVER = NUM_MAX + 1 };

struct side {
	struct hip *h;
	struct endpoint at;
	uint32_t moves;
	uint64_t moved;	    /* when, */
	uint64_t reachable; /* and when it was found again; NONE: not yet */
};

enum kind { PACKET, TICK, MOVE };

struct event {
	uint64_t at;
	uint64_t order; /* of events at the same time: as they were made */
	enum kind kind;
	uint32_t to; /* an index of hosts, or SERVER */
	struct endpoint src;
	struct endpoint dst;
	uint8_t *msg; /* PACKET: its own */
	size_t len;
};

static struct side server;
static char *server_pem; /* its identity */
static struct side *hosts;
static uint32_t hosts_num;
static struct event *heap;
static size_t heap_num;
static size_t heap_room;
static uint64_t orders;
static uint64_t now = 1000 * S;
static uint64_t busy;	 /* until then the server is */
static uint64_t spent;	 /* its CPU time, ns */
static uint64_t updates; /* that have come to it */

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_moves: %s\n", what);
	exit(1);
}

static uint64_t cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

/* ---- events --------------------------------------------------------------- */

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void push(struct event e)
{
	size_t i = heap_num++;

	if (heap_num > heap_room) {
		heap_room = heap_room ? 2 * heap_room : 1024;
		heap = realloc(heap, heap_room * sizeof(*heap));
		if (!heap)
			die("no memory");
	}
	e.order = orders++;
	for (; i > 0 && before(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = e;
}

static struct event pop(void)
{
	struct event first = heap[0];
	struct event last = heap[--heap_num];
	size_t i = 0;

	for (size_t c = 1; c < heap_num; c = 2 * i + 1) {
		if (c + 1 < heap_num && before(&heap[c + 1], &heap[c]))
			c++;
		if (before(&last, &heap[c]))
			break;
		heap[i] = heap[c];
		i = c;
	}
	heap[i] = last;
	return first;
}

/* ---- engines -------------------------------------------------------------- */

/* 10.H.L.M: host number HL after M moves. */
static struct endpoint place(uint32_t host, uint32_t moves)
{
	uint8_t four[4] = { 10, (uint8_t)(host >> 8), (uint8_t)host,
			    (uint8_t)(moves + 1) };

	return (struct endpoint){ addr_from4(four), HIP_PORT };
}

static void sent(const struct side *s, const struct hip_effect *e, uint64_t at)
{
	const uint8_t *four = addr_four(&e->peer_at.addr);
	struct event p = { .at = at + LATENCY,
			   .kind = PACKET,
			   .to = (uint32_t)four[1] << 8 | four[2],
			   .src = s->at,
			   .dst = e->peer_at,
			   .len = e->msg_len };

	if (endpoint_eq(&e->peer_at, &server.at))
		p.to = SERVER;
	else if (p.to >= hosts_num)
		die("a packet to nobody");
	p.msg = malloc(e->msg_len);
	if (!p.msg)
		die("no memory");
	memcpy(p.msg, e->msg, e->msg_len);
	push(p);
}

/* Takes what came out at this time; jobs are run on the spot. */
static void drain(struct side *s, uint64_t at)
{
	struct hip_effect e;

	while (hip_effect(s->h, &e)) {
		if (e.kind == HIP_SEND) {
			sent(s, &e, at);
		} else if (e.kind == HIP_JOB) {
			hip_job_run(e.job);
			hip_job_done(s->h, e.job, at);
		}
		sa_wipe(&e.sa);
	}
}

static void arm(const struct side *s, uint32_t self)
{
	uint64_t at = hip_deadline(s->h);

	if (at != UINT64_MAX)
		push((struct event){ .at = at, .kind = TICK, .to = self });
}

/* The one core of the server works at it from when it is free. */
static void at_server(const struct event *e)
{
	uint64_t begin = cpu();
	uint64_t start = e->at > busy ? e->at : busy;
	uint64_t took;

	if (e->kind == PACKET) {
		updates += (e->msg[2] & 0x7f) == HIP_UPDATE;
		hip_input(server.h, e->msg, e->len, &e->src, &server.at, start);
	} else {
		hip_tick(server.h, start);
	}
	drain(&server, start);
	took = cpu() - begin;
	spent += took;
	busy = start + took;
}

static void look_for(uint32_t host)
{
	struct side *s = &hosts[host];
	const struct assoc *a;

	if (s->reachable != NONE)
		return;
	a = registrar_find(server.h, hip_default_hit(s->h));
	if (a && endpoint_eq(&a->peer_at, &s->at))
		s->reachable = busy;
}

static void move(struct side *s)
{
	uint32_t host = (uint32_t)(s - hosts);
	struct hip_here here = { .at = place(host, ++s->moves) };

	s->at = here.at;
	s->moved = now;
	s->reachable = NONE;
	if (hip_set_here(s->h, &here, 1, now))
		die("hip_set_here");
}

static void at_host(const struct event *e)
{
	struct side *s = &hosts[e->to];

	switch (e->kind) {
	case PACKET:
		if (!endpoint_eq(&e->dst, &s->at))
			return; /* it is not there any more */
		hip_input(s->h, e->msg, e->len, &e->src, &s->at, now);
		break;
	case TICK:
		if (hip_deadline(s->h) > now)
			return; /* another one stands for it */
		hip_tick(s->h, now);
		break;
	case MOVE:
		move(s);
		break;
	}
	drain(s, now);
}

/* Everything until `end`. */
static void run(uint64_t end)
{
	while (heap_num && heap[0].at <= end) {
		struct event e = pop();

		now = e.at;
		if (e.to != SERVER) {
			at_host(&e);
			arm(&hosts[e.to], e.to);
		} else if (e.kind == PACKET || hip_deadline(server.h) <= now) {
			at_server(&e);
			arm(&server, SERVER);
			if (e.kind == PACKET)
				look_for((uint32_t)addr_four(&e.src.addr)[1]
						 << 8 |
					 addr_four(&e.src.addr)[2]);
		}
		free(e.msg);
	}
	now = end;
}

static void side_new(struct side *s, bool serves, struct endpoint at)
{
	struct hip_config cfg = { .rendezvous = serves,
				  .offer = { .dh = { 7 }, .dh_num = 1 },
				  .assoc_max = serves ? 1u << 17 : 16,
				  .puzzle_k = 1,
				  .puzzle_k_max = 20 };
	struct hip_here here = { .at = at };
	struct hip_identity *id;

	s->at = at;
	if ((serves ? hip_identity_from_pem(server_pem, strlen(server_pem), &id)
		    : hip_identity_generate(HIP_ALG_ECDSA_P256, &id)) ||
	    hip_new(&cfg, now, &s->h) || hip_add_identity(s->h, id, now) ||
	    hip_set_here(s->h, &here, 1, now))
		die("no engine");
	drain(s, now);
}

/* ---- what is measured ------------------------------------------------------ */

static void all_register(void)
{
	for (uint32_t i = 0; i < hosts_num; i++) {
		struct side *s = &hosts[i];

		side_new(s, false, place(i, 0));
		if (hip_register(s->h, NULL, hip_default_hit(server.h),
				 &server.at, 600, now))
			die("hip_register");
		drain(s, now);
		arm(s, i);
		run(now + 2 * MS);
	}
	run(now + 120 * S);
	if (server.h->registrar.num != hosts_num)
		die("some are not registered");
}

/* What malloc has given out for the server: seen when it comes back. */
static void print_memory(void)
{
	struct mallinfo2 a = mallinfo2();
	struct mallinfo2 b;

	hip_free(server.h);
	b = mallinfo2();
	(void)printf("server-octets %zu octets\n",
		     a.uordblks + a.hblkhd - b.uordblks - b.hblkhd);
}

/* The server forgets all, and its clients notice (hip/noassoc.c). */
static void all_again(void)
{
	uint64_t begin = now;

	busy = begin; /* what was due before is late */
	side_new(&server, true, server.at);
	arm(&server, SERVER);
	spent = 0;
	while (server.h->registrar.num != hosts_num) {
		if (now - begin > 3600 * S)
			die("some do not register again");
		run(now + 10 * MS);
	}
	(void)printf("restart %.1f s\n", (double)(busy - begin) / 1e9);
	(void)printf("restart-cpu %.2f s\n", (double)spent / 1e9);
}

static void all_move(uint64_t during)
{
	uint64_t first = now;

	spent = 0;
	updates = 0;
	for (uint32_t i = 0; i < hosts_num; i++)
		push((struct event){
			.at = first +
			      (uint64_t)((double)during * randombytes_random() /
					 UINT32_MAX),
			.kind = MOVE,
			.to = i });
	run(first + during + 60 * S);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print_reachable(void)
{
	uint64_t *v = calloc(hosts_num, sizeof(*v));

	if (!v)
		die("no memory");
	for (uint32_t i = 0; i < hosts_num; i++) {
		if (hosts[i].reachable == NONE)
			die("a host is not found again");
		v[i] = hosts[i].reachable - hosts[i].moved;
	}
	qsort(v, hosts_num, sizeof(*v), by_value);
	(void)printf("reachable-median %.1f ms\n",
		     (double)v[hosts_num / 2] / 1e6);
	(void)printf("reachable-p99 %.1f ms\n",
		     (double)v[hosts_num - 1 - hosts_num / 100] / 1e6);
	(void)printf("reachable-max %.1f ms\n", (double)v[hosts_num - 1] / 1e6);
	free(v);
}

/* An I1 for it is passed on to where it is. */
static bool found(const struct side *s)
{
	static const uint8_t groups[] = { 7 };
	static uint32_t asked;
	struct endpoint from = place(60000 - asked % 5000, 0);
	struct hit stranger = *hip_default_hit(s->h);
	struct msg_builder b;
	struct hip_effect e;
	bool is = false;

	asked++;
	randombytes_buf(stranger.b + 4, 12);
	message_begin(&b, HIP_I1, &stranger, hip_default_hit(s->h));
	message_put(&b, PARAM_DH_GROUP_LIST, groups, 1);
	now += MS;
	hip_input(server.h, b.buf, b.len, &from, &server.at, now);
	while (hip_effect(server.h, &e)) {
		if (e.kind == HIP_SEND)
			is = endpoint_eq(&e.peer_at, &s->at);
		else if (e.kind == HIP_JOB)
			hip_job_done(server.h, e.job, now);
		sa_wipe(&e.sa);
	}
	return is;
}

int main(int argc, char **argv)
{
	unsigned long num = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
	unsigned long seconds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	uint8_t four[4] = { 192, 0, 2, 1 };
	struct hip_identity *id = NULL;

	if (!num || num > NUM_MAX - 5000 || !seconds || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: speed_moves NUM SECONDS\n");
		return 2;
	}
	hosts_num = (uint32_t)num;
	hosts = calloc(hosts_num, sizeof(*hosts));
	if (!hosts || hip_identity_generate(HIP_ALG_ECDSA_P256, &id) ||
	    hip_identity_to_pem(id, &server_pem))
		die("no memory");
	hip_identity_free(id);
	side_new(&server, true,
		 (struct endpoint){ addr_from4(four), HIP_PORT });
	all_register();
	all_move(seconds * S);
	(void)printf("cpu %.2f s\n", (double)spent / 1e9);
	(void)printf("move %.1f us\n", (double)spent / hosts_num / 1000);
	(void)printf("updates %.2f for-a-move\n", (double)updates / hosts_num);
	print_reachable();
	for (uint32_t i = 0; i < hosts_num; i++) {
		if (!found(&hosts[i]))
			die("an I1 goes elsewhere");
	}
	busy = now; /* where found() has led the server to, */
	run(now);   /*  the hosts come, too */
	print_memory();
	all_again();
	for (uint32_t i = 0; i < hosts_num; i++)
		hip_free(hosts[i].h);
	hip_free(server.h);
	while (heap_num)
		free(pop().msg);
	free(server_pem);
	free(hosts);
	free(heap);
	return 0;
}
