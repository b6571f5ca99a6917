/* SPDX-License-Identifier: MIT */
/* room: hip */
/* A control relay, or a rendezvous server, at scale: registrations, memory,
 * look-up, timers.
 *
 * speed_relay NUM [rendezvous]: prints "NAME VALUE UNIT" lines; CPU time of the
 * relay, or the server, alone.
 *
 *   register           a base exchange with REG_REQUEST, I1 to R2
 *   register-octets    what malloc has given out for it at first,
 *   client-octets      and once R2 is not kept any more, tables included
 *   data-octets        what a client of the data relay has beside, with room
 *                      for all its permissions
 *   refresh            UPDATE with REG_REQUEST, verified and answered
 *   i1-ten, i1-many    an I1 passed on to one of ten, of NUM clients
 *   r1-many            an R1 passed back; a rendezvous server sees none
 *   keepalive          one that comes in, among NUM
 *   timers             the timers of one client, for a minute
 *
 * THEORY OF OPERATION
 * The first CLIENTS are true: an engine each, which registers and is then
 * gone without a word. The rest are copies of one of those under HITs of
 * their own, put where a registration would have put them, so that NUM may
 * be 100000 without an hour of signatures. Time is made up; it goes on by a
 * tenth of a millisecond with each packet, so that no budget of the relay's
 * runs out.
 */
#include <malloc.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hip/datarelay.h"
#include "hip/engine.h"
#include "hip/fields.h"

enum { WARM = 20, CLIENTS = 200, TEN = 10, PACKETS = 200000 };

#define S UINT64_C(1000000000)
#define TICK UINT64_C(100000)

struct side {
	struct hip *h;
	struct endpoint at;
	uint8_t msg[HIP_MSG_MAX]; /* the last one sent */
	size_t len;
	uint64_t sent;
	uint64_t spent; /* CPU, ns */
};

static struct side relay;
static bool rvs; /* it is a rendezvous server (RFC 8004) */
static uint64_t now = 1000 * S;
static struct hit *clients; /* all that are registered */
static uint32_t clients_num;

static uint64_t cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

static double allocated(void)
{
	struct mallinfo2 m = mallinfo2();

	return (double)m.uordblks + (double)m.hblkhd;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "speed_relay: %s\n", what);
	exit(1);
}

/* Takes what came out; jobs are run, or given back as they are. */
static void drain(struct side *s, bool run)
{
	struct hip_effect e;

	while (hip_effect(s->h, &e)) {
		if (e.kind == HIP_SEND) {
			memcpy(s->msg, e.msg, e.msg_len);
			s->len = e.msg_len;
			s->sent++;
		} else if (e.kind == HIP_JOB) {
			if (run)
				hip_job_run(e.job);
			hip_job_done(s->h, e.job, now);
		}
		sa_wipe(&e.sa);
	}
}

static void deliver(struct side *to, const struct side *from)
{
	uint64_t begin = cpu();

	hip_input(to->h, from->msg, from->len, &from->at, &to->at, now);
	drain(to, true);
	to->spent += cpu() - begin;
}

static void side_new(struct side *s, bool serves, uint32_t n)
{
	struct hip_config cfg = { .relay = serves && !rvs,
				  .rendezvous = serves && rvs,
				  .offer = { .dh = { 7 }, .dh_num = 1 },
				  .assoc_max = 1u << 18,
				  .puzzle_k = 1,
				  .puzzle_k_max = 20 };
	uint8_t four[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
			    (uint8_t)n };
	struct hip_identity *id;

	s->at = (struct endpoint){ addr_from4(four), HIP_PORT };
	s->spent = 0;
	if (hip_identity_generate(HIP_ALG_ECDSA_P256, &id) ||
	    hip_new(&cfg, now, &s->h) || hip_add_identity(s->h, id, now))
		die("no engine");
	drain(s, serves); /* a client's own R1s are of no use here */
}

/* I1, R1, I2, R2; false: it is not registered. */
static bool registers(struct side *c)
{
	uint32_t before = relay.h->registrar.num;

	if ((rvs ? hip_register : hip_register_relay)(
		    c->h, NULL, hip_default_hit(relay.h), &relay.at, 4000, now))
		return false;
	drain(c, false);
	deliver(&relay, c);
	deliver(c, &relay);
	deliver(&relay, c);
	deliver(c, &relay);
	return relay.h->registrar.num == before + 1;
}

static void add(const struct hit *client)
{
	clients[clients_num++] = *client;
}

/* Time passes for a client until it refreshes. */
static void refresh(struct side *c)
{
	do {
		now = hip_deadline(c->h);
		c->len = 0;
		hip_tick(c->h, now);
		drain(c, true);
	} while (c->len == 0 || (c->msg[2] & 0x7f) != HIP_UPDATE);
	relay.spent = 0;
	deliver(&relay, c);
	(void)printf("refresh %.1f us\n", (double)relay.spent / 1000);
	deliver(c, &relay);
}

static void true_ones(void)
{
	double before = 0;

	for (uint32_t i = 0; i < WARM + CLIENTS; i++) {
		struct side c = { .h = NULL };

		now += S / 5; /* one source prefix each, within its budget */
		if (i == WARM) {
			relay.spent = 0;
			before = allocated();
		}
		side_new(&c, false, 1000 + i);
		if (!registers(&c))
			die("a registration failed");
		add(hip_default_hit(c.h));
		hip_free(c.h);
	}
	(void)printf("register %.1f us\n",
		     (double)relay.spent / CLIENTS / 1000);
	(void)printf("register-octets %.0f octets\n",
		     (allocated() - before) / CLIENTS);
}

/* What a job would have given. */
static struct assoc_keys *copy_keys(const struct assoc_keys *k)
{
	struct assoc_keys *c = malloc(sizeof(*c));
	size_t len = dh_group(k->dh)->public_len;

	if (!c)
		die("no memory");
	*c = *k;
	c->host_id = malloc(k->host_id_len);
	c->peer_public = malloc(len);
	if (!c->host_id || !c->peer_public)
		die("no memory");
	memcpy(c->host_id, k->host_id, k->host_id_len);
	memcpy(c->peer_public, k->peer_public, len);
	c->dh = dh_ref(k->dh);
	c->sa.spi_in = assoc_spi_take(&relay.h->assocs);
	return c;
}

static void copies(uint32_t num)
{
	const struct hit *self = hip_default_hit(relay.h);
	const struct registrar_answer granted = {
		.granted =
			rvs ? FIELDS_REG_RENDEZVOUS : FIELDS_REG_RELAY_UDP_HIP,
		.code = 160
	};
	const struct assoc *model = registrar_find(relay.h, &clients[0]);
	double before = allocated();
	uint32_t had = clients_num;

	while (clients_num < num) {
		struct hit hit = clients[0];
		struct assoc *a;

		randombytes_buf(hit.b + 4, 12);
		if (assoc_add(relay.h, self, &hit, &a))
			die("no association");
		a->keys = copy_keys(model->keys);
		a->peer_at = model->peer_at;
		randombytes_buf(a->peer_at.addr.b + 13, 3);
		a->self_at = model->self_at;
		a->sa_up = true;
		a->last_in = now;
		a->last_out = now;
		assoc_enter(relay.h, a, HIP_ESTABLISHED, now);
		registrar_commit(relay.h, a, &granted, now);
		assoc_arm(relay.h, a);
		drain(&relay, false);
		add(&hit);
	}
	(void)printf("client-octets %.0f octets\n",
		     (allocated() - before) / (num - had));
	(void)printf("data-octets %zu octets\n",
		     sizeof(struct datarelay_port) +
			     DATARELAY_PERMITS_MAX *
				     sizeof(struct datarelay_permit));
}

/* One packet of `type` to or from a client among num. */
static void relayed(const char *name, uint8_t type, uint32_t num)
{
	static const uint8_t groups[] = { 7 };
	const struct field_ids mode = { { FIELDS_NAT_UDP }, 1 };
	uint64_t spent = 0;
	uint64_t sent = relay.sent;

	for (int i = 0; i < PACKETS; i++) {
		const struct hit *client = &clients[randombytes_uniform(num)];
		struct assoc *a = registrar_find(relay.h, client);
		struct endpoint from = a->peer_at;
		/* RFC 8004: R1 goes to port 10500 there. */
		struct endpoint other = { a->self_at.addr,
					  rvs ? HIP_PORT : 40000 };
		struct msg_builder b;
		uint64_t begin;

		now += TICK;
		randombytes_buf(other.addr.b + 13, 3);
		if (type == HIP_I1) {
			message_begin(&b, HIP_I1, &clients[num / 2], client);
			message_put(&b, PARAM_DH_GROUP_LIST, groups, 1);
			(void)message_reserve(&b, PARAM_PADDING, 90);
			from = other;
		} else {
			/* It has just been asked. */
			message_begin(&b, HIP_UPDATE, client, client);
			hip_input(relay.h, b.buf, b.len, &other, &relay.at,
				  now);
			drain(&relay, false);
			sent++;
			message_begin(&b, HIP_R1, client, &clients[num / 2]);
			fields_put_nat_modes(&b, &mode);
			(void)message_reserve(&b, PARAM_HIP_SIGNATURE_2, 400);
			fields_put_udp_at(&b, PARAM_RELAY_TO, &other);
		}
		begin = cpu();
		hip_input(relay.h, b.buf, b.len, &from, &relay.at, now);
		drain(&relay, false);
		spent += cpu() - begin;
	}
	if (relay.sent - sent < PACKETS / 10 * 9)
		die("packets were not relayed");
	(void)printf("%s %.0f ns\n", name, (double)spent / PACKETS);
}

/* A minute of all clients: four keepalives each, and every timer. */
static void minute(void)
{
	struct field_notification n = { .type = FIELDS_NAT_KEEPALIVE };
	uint64_t heard = 0;
	uint64_t ticked = 0;
	uint64_t sent = 0;

	for (int round = 0; round < 7; round++) {
		uint64_t end = now + 15 * S;
		uint64_t begin;

		for (uint32_t i = 0; i < clients_num; i++) {
			const struct assoc *a =
				registrar_find(relay.h, &clients[i]);
			struct msg_builder b;

			message_begin(&b, HIP_NOTIFY, &clients[i], &a->self);
			fields_put_notification(&b, &n);
			begin = cpu();
			hip_input(relay.h, b.buf, b.len, &a->peer_at, &relay.at,
				  now);
			heard += cpu() - begin;
		}
		if (round == 3) { /* what was due before has come by then */
			heard = 0;
			ticked = 0;
			sent = relay.sent;
		}
		begin = cpu();
		for (now += S / 100; now < end; now += S / 10) {
			while (hip_deadline(relay.h) <= now) {
				hip_tick(relay.h, now);
				drain(&relay, false);
			}
		}
		ticked += cpu() - begin;
		now = end;
	}
	if (relay.sent != sent)
		die("the relay sends keepalives nobody needs");
	(void)printf("keepalive %.0f ns\n", (double)heard / 4 / clients_num);
	(void)printf("timers %.0f ns\n", (double)ticked / clients_num);
}

int main(int argc, char **argv)
{
	uint32_t num = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct side c = { .h = NULL };

	rvs = argc > 2 && strcmp(argv[2], "rendezvous") == 0;
	if (num < WARM + CLIENTS + 1 || argc > 2 + rvs || sodium_init() < 0) {
		(void)fprintf(stderr, "usage: speed_relay NUM [rendezvous]\n");
		return 2;
	}
	clients = calloc(num + 1, sizeof(*clients));
	if (!clients)
		die("no memory");
	side_new(&relay, true, 1);
	true_ones();
	side_new(&c, false, 9000);
	now += S;
	if (!registers(&c))
		die("a registration failed");
	add(hip_default_hit(c.h));
	refresh(&c);
	hip_free(c.h);
	relayed("i1-ten", HIP_I1, TEN);
	copies(num);
	relayed("i1-many", HIP_I1, num);
	if (!rvs)
		relayed("r1-many", HIP_R1, num);
	minute();
	free(clients);
	hip_free(relay.h);
	return 0;
}
