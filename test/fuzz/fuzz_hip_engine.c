/* SPDX-License-Identifier: MIT */
/* room: hip */
/* Two engines and a hand that delivers, changes, forges and repeats their
 * packets, lets time pass and loses jobs, as the input says. */
#include <sodium.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "hip/hip.h"

#define SLOTS 16
#define OPS_MAX 64
#define SECOND UINT64_C(1000000000)

struct slot {
	unsigned from;
	size_t len;
	uint8_t msg[HIP_MSG_MAX];
};

struct world {
	struct hip *h[2];
	struct hit hit[2];
	struct endpoint at[2];
	struct slot slot[SLOTS];
	unsigned sent;
	struct hip_job *job[SLOTS];
	unsigned job_of[SLOTS];
	unsigned jobs;
	uint64_t now;
	bool up[2];
};

/* Jobs wait for an op; the oldest runs when there is no room. */
static void finish_job(struct world *w, bool run)
{
	struct hip_job *job = w->job[0];
	unsigned i = w->job_of[0];

	if (!w->jobs)
		return;
	w->jobs--;
	memmove(&w->job[0], &w->job[1], w->jobs * sizeof(w->job[0]));
	memmove(&w->job_of[0], &w->job_of[1], w->jobs * sizeof(w->job_of[0]));
	if (run)
		hip_job_run(job);
	hip_job_done(w->h[i], job, w->now);
}

static void drain(struct world *w, unsigned i)
{
	struct hip_effect e;

	while (hip_effect(w->h[i], &e)) {
		switch (e.kind) {
		case HIP_SEND: {
			struct slot *s = &w->slot[w->sent++ % SLOTS];

			s->from = i;
			s->len = e.msg_len;
			memcpy(s->msg, e.msg, e.msg_len);
			break;
		}
		case HIP_JOB:
			if (w->jobs == SLOTS)
				finish_job(w, true);
			w->job[w->jobs] = e.job;
			w->job_of[w->jobs++] = i;
			break;
		case HIP_SA_UP:
			/* Nobody else is there to have one with. */
			if (w->up[i] || !hit_eq(&e.peer, &w->hit[!i]))
				abort();
			w->up[i] = true;
			break;
		case HIP_SA_DOWN:
			if (!w->up[i])
				abort();
			w->up[i] = false;
			break;
		default:
			break;
		}
		sa_wipe(&e.sa);
	}
}

static void drain_all(struct world *w)
{
	drain(w, 0);
	drain(w, 1);
}

static void boot(struct world *w, unsigned i)
{
	static char *pem[2];
	struct hip_config cfg = { .responder = true,
				  .rendezvous = i == 1,
				  .puzzle_k = 1,
				  .puzzle_k_max = 8 };
	struct hip_identity *id;

	if (!pem[i]) {
		if (hip_identity_generate(HIP_ALG_ECDSA_P256, &id) ||
		    hip_identity_to_pem(id, &pem[i]))
			abort();
		hip_identity_free(id);
	}
	if (hip_identity_from_pem(pem[i], strlen(pem[i]), &id) ||
	    hip_new(&cfg, w->now, &w->h[i]) ||
	    hip_add_identity(w->h[i], id, w->now))
		abort();
	w->hit[i] = *hip_default_hit(w->h[i]);
	drain(w, i);
	finish_job(w, true); /* the R1 of the group both prefer */
	while (w->jobs)
		finish_job(w, false); /* the costly one: not made */
	drain(w, i);
}

static void input(struct world *w, unsigned to, const uint8_t *msg, size_t len)
{
	hip_input(w->h[to], msg, len, &w->at[!to], &w->at[to], w->now);
	drain_all(w);
}

/* One of the last packets, where it belongs, maybe with octets changed. */
static void deliver(struct world *w, struct rd *r, unsigned changes)
{
	const struct slot *s = &w->slot[rd_u8(r) % SLOTS];
	uint8_t msg[HIP_MSG_MAX];

	if (!s->len)
		return;
	memcpy(msg, s->msg, s->len);
	while (changes-- > 0) {
		size_t at = rd_be16(r) % s->len;

		msg[at] = rd_u8(r);
	}
	input(w, !s->from, msg, s->len);
}

/* A message made up: our header, the input's parameters. */
static void forge(struct world *w, struct rd *r)
{
	unsigned to = rd_u8(r) & 1;
	size_t units = rd_u8(r) % 32;
	uint8_t msg[40 + 32 * 8] = { 59 };
	uint8_t type = rd_u8(r);

	msg[1] = (uint8_t)(4 + units);
	msg[2] = type & 0x7f;
	msg[3] = 0x21;
	memcpy(msg + 8, w->hit[!to].b, 16);
	memcpy(msg + 24, w->hit[to].b, 16);
	if (units * 8 > rd_left(r))
		return;
	rd_copy(r, msg + 40, units * 8);
	input(w, to, msg, 40 + units * 8);
}

static void step(struct world *w, struct rd *r)
{
	uint8_t op = rd_u8(r);
	unsigned i = op >> 7;

	switch (op & 15) {
	case 0:
		(void)hip_want(w->h[i], NULL, &w->hit[!i], &w->at[!i], 1,
			       w->now);
		break;
	case 1:
	case 2:
	case 3:
		deliver(w, r, 0);
		break;
	case 4:
	case 5:
		deliver(w, r, 1 + (op >> 4 & 3));
		break;
	case 6:
	case 7:
		forge(w, r);
		break;
	case 8:
	case 9:
	case 10:
		finish_job(w, true);
		break;
	case 11:
		finish_job(w, false);
		break;
	case 12:
		w->now += (uint64_t)rd_be16(r) * SECOND / 64;
		hip_tick(w->h[0], w->now);
		hip_tick(w->h[1], w->now);
		break;
	case 13:
		hip_traffic(w->h[i], &w->hit[i], &w->hit[!i], op & 16, w->now);
		break;
	case 14:
		hip_close(w->h[i], &w->hit[!i], w->now);
		break;
	default:
		(void)hip_register(w->h[0], NULL, &w->hit[1], &w->at[1], 60,
				   w->now);
		break;
	}
	drain_all(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t a[4] = { 192, 0, 2, 1 };
	static const uint8_t b[4] = { 192, 0, 2, 2 };
	struct world *w = calloc(1, sizeof(*w));
	struct rd r = rd_init(data, size);

	if (!w)
		return 0;
	w->now = 1000 * SECOND;
	w->at[0] = (struct endpoint){ addr_from4(a), HIP_PORT };
	w->at[1] = (struct endpoint){ addr_from4(b), HIP_PORT };
	boot(w, 0);
	boot(w, 1);
	for (int n = 0; n < OPS_MAX && rd_left(&r) > 0; n++)
		step(w, &r);
	while (w->jobs) {
		w->jobs--;
		hip_job_done(w->h[w->job_of[w->jobs]], w->job[w->jobs], w->now);
	}
	hip_free(w->h[0]);
	hip_free(w->h[1]);
	free(w);
	return 0;
}
