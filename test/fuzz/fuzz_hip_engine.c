/* SPDX-License-Identifier: MIT */
/* room: hip */
/* Two engines and a hand that delivers, changes, forges and repeats their
 * packets, lets time pass and loses jobs, as the input says. */
/* THEORY OF OPERATION
 * The input is a list of operations. Keys are fixed and libsodium's numbers
 * come from a generator that starts anew for each input, so that an input
 * does the same again (OpenSSL's own numbers make signatures and DH keys, on
 * which nothing depends). Engine 1 has two identities: up to two
 * associations stand side by side.
 *
 * What is changed comes in two kinds. As a stranger would: octets or whole
 * parameters of a packet are other than they were, and the proofs no longer
 * fit. After such a packet, and after all jobs it led to, every association
 * must be as before. As a peer would that has the keys and means harm: the
 * MAC and the signature are made anew. That may change much, but no bounds
 * and no invariants.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "hip/auth.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "test/fuzz/engineview.h"
#include "test/fuzz/paramedit.h"
#include "test/fuzz/repeatable.h"
#include "test/sim/simkeys.h"

#define SLOTS 16
#define OPS_MAX 64
#define SAS 8	/* an association has two while it rekeys */
#define PAIRS 2 /* engine 0's identity with each of engine 1's */
#define JOBS_LIMIT 12
#define SECOND UINT64_C(1000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

struct slot {
	unsigned from;
	size_t len;
	uint8_t msg[HIP_MSG_MAX];
};

struct world {
	struct hip *h[2];
	struct hit hit[2][PAIRS]; /* by engine and pair */
	struct endpoint at[2];
	struct slot slot[SLOTS];
	unsigned sent;
	struct hip_job *job[SLOTS];
	unsigned job_of[SLOTS];
	unsigned jobs;
	bool at_once; /* jobs are run where they come up */
	uint64_t now;
	struct sa_pair sa[2][SAS]; /* those that are up; spi_in 0: free */
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	must(randombytes_set_implementation(&repeatable) == 0);
	must(simkeys_load());
	return 0;
}

/* ---- what must hold -------------------------------------------------------- */

static void one_engine(const struct world *w, unsigned i)
{
	struct view v = view_of(w->h[i]);

	must(w->h[i]->assocs.num == v.num && v.num <= ASSOC_LIMIT);
	must(w->h[i]->job_num <= JOBS_LIMIT);
	for (size_t n = 0; n < v.num; n++) {
		must(!v.peer[n].spi_in || v.peer[n].spi_in > 255);
		for (size_t k = 0; v.peer[n].spi_in && k < n; k++)
			must(v.peer[n].spi_in != v.peer[k].spi_in);
	}
}

/* Two SAs that mean each other have each other's keys. */
static void same_keys(const struct sa_pair *a, const struct sa_pair *b)
{
	if (!a->spi_in || !a->spi_out || a->spi_in != b->spi_out ||
	    a->spi_out != b->spi_in || !hit_eq(&a->self, &b->peer))
		return;
	must(a->suite == b->suite);
	must(memcmp(&a->in, &b->out, sizeof(a->in)) == 0);
	must(memcmp(&a->out, &b->in, sizeof(a->in)) == 0);
}

static void invariants(const struct world *w)
{
	one_engine(w, 0);
	one_engine(w, 1);
	for (unsigned n = 0; n < SAS * SAS; n++)
		same_keys(&w->sa[0][n / SAS], &w->sa[1][n % SAS]);
}

/* ---- the engines' effects ---------------------------------------------------- */

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

static void take_job(struct world *w, unsigned i, struct hip_job *job)
{
	if (w->at_once) {
		hip_job_run(job);
		hip_job_done(w->h[i], job, w->now);
		return;
	}
	if (w->jobs == SLOTS)
		finish_job(w, true);
	w->job[w->jobs] = job;
	w->job_of[w->jobs++] = i;
}

/* Nobody else is there to have an SA with. */
static bool ours(const struct world *w, unsigned i, const struct hip_effect *e)
{
	unsigned pair = 0;

	while (pair < PAIRS && !(hit_eq(&e->self, &w->hit[i][pair]) &&
				 hit_eq(&e->peer, &w->hit[!i][pair])))
		pair++;
	return pair < PAIRS;
}

static struct sa_pair *find_sa(struct world *w, unsigned i, uint32_t spi_in)
{
	for (unsigned n = 0; n < SAS; n++)
		if (w->sa[i][n].spi_in == spi_in)
			return &w->sa[i][n];
	return NULL;
}

static void take_sa(struct world *w, unsigned i, struct hip_effect *e)
{
	struct sa_pair *sa = find_sa(w, i, e->sa.spi_in);

	must(ours(w, i, e) && e->sa.spi_in > 255);
	if (e->kind == HIP_SA_DOWN) {
		must(sa); /* it was up, and is once */
		sa_wipe(sa);
		sa->spi_in = 0;
		return;
	}
	must(!sa); /* an SPI of ours is in use once */
	sa = find_sa(w, i, 0);
	must(sa); /* as many as there may be */
	*sa = e->sa;
}

static void drain(struct world *w, unsigned i)
{
	struct hip_effect e;

	while (hip_effect(w->h[i], &e)) {
		if (e.kind == HIP_SEND) {
			struct slot *s = &w->slot[w->sent++ % SLOTS];

			must(e.msg_len <= HIP_MSG_MAX);
			s->from = i;
			s->len = e.msg_len;
			memcpy(s->msg, e.msg, e.msg_len);
		} else if (e.kind == HIP_JOB) {
			take_job(w, i, e.job);
		} else if (e.kind == HIP_SA_UP || e.kind == HIP_SA_DOWN) {
			take_sa(w, i, &e);
		}
		sa_wipe(&e.sa);
	}
}

static void drain_all(struct world *w)
{
	drain(w, 0);
	drain(w, 1);
}

static void add_identity(struct world *w, unsigned i, size_t key)
{
	must(hip_add_identity(w->h[i], simkeys_take(key), w->now) == 0);
	drain(w, i);
	finish_job(w, true); /* the R1 of the group both prefer */
	while (w->jobs)
		finish_job(w, false); /* the others: not made */
	drain(w, i);
}

static void boot(struct world *w, unsigned i)
{
	struct hip_config cfg = { .responder = true,
				  .rendezvous = i == 1,
				  .relay = i == 1,
				  .puzzle_k = 1,
				  .puzzle_k_max = 8,
				  .assoc_max = ASSOC_LIMIT,
				  .jobs_max = JOBS_LIMIT };

	must(hip_new(&cfg, w->now, &w->h[i]) == 0);
	if (i == 0) {
		add_identity(w, 0, 0);
	} else {
		add_identity(w, 1, 1);
		add_identity(w, 1, 2);
	}
	for (unsigned n = 0; n < PAIRS; n++)
		w->hit[i][n] = *hip_identity_hit(w->h[i]->id[i ? n : 0]);
}

/* ---- packets ------------------------------------------------------------------ */

static void input(struct world *w, unsigned to, const uint8_t *msg, size_t len)
{
	hip_input(w->h[to], msg, len, &w->at[!to], &w->at[to], w->now);
	drain_all(w);
}

/* From a stranger, or from the peer's address, and without its proofs. */
static void hostile(struct world *w, unsigned to, const struct slot *s)
{
	struct endpoint from = w->at[!to];
	struct view was = view_of(w->h[to]);
	struct view is;

	if (s->len & 8)
		from.addr.b[15] ^= 64;
	w->at_once = true;
	hip_input(w->h[to], s->msg, s->len, &from, &w->at[to], w->now);
	drain_all(w);
	w->at_once = false;
	is = view_of(w->h[to]);
	unchanged(&was, &is, s->len > 2 ? s->msg[2] & 0x7f : 0);
}

/* Where what a signature vouches for ends; 0: nothing. */
static size_t proven_end(const struct slot *s)
{
	const struct hip_param *p;
	struct hip_msg m;

	if (param_parse(s->msg, s->len, &m) != REASON_NUM)
		return 0;
	p = param_find(&m, PARAM_HIP_SIGNATURE);
	if (!p)
		p = param_find(&m, PARAM_HIP_SIGNATURE_2);
	return p ? p->offset + PARAM_TLV_LEN + p->len : 0;
}

/* Do they differ in what is proven? The length is not: the signature is over
 * the length up to itself (7401 6.4.2). */
static bool proofs_fit(const struct slot *was, const struct slot *is)
{
	size_t end = proven_end(was);

	return is->len >= end && was->msg[0] == is->msg[0] &&
	       (end < 2 || memcmp(was->msg + 2, is->msg + 2, end - 2) == 0);
}

static void changed(struct world *w, const struct slot *was,
		    const struct slot *is)
{
	if (proofs_fit(was, is))
		input(w, !was->from, is->msg, is->len);
	else
		hostile(w, !was->from, is);
}

/* One of the last packets, the newest is 0. */
static const struct slot *recent(const struct world *w, struct rd *r)
{
	unsigned back = rd_u8(r) % SLOTS;

	return &w->slot[(w->sent - 1 - back) % SLOTS];
}

static void deliver(struct world *w, struct rd *r)
{
	const struct slot *s = recent(w, r);
	unsigned to = !s->from;
	uint8_t type = s->msg[2] & 0x7f;
	struct view was = view_of(w->h[to]);
	struct view is;

	if (!s->len)
		return;
	input(w, to, s->msg, s->len); /* s may hold an answer now */
	if (type != HIP_I1)
		return;
	is = view_of(w->h[to]);
	unchanged(&was, &is, HIP_I1); /* RFC 7401 6.7: no state */
}

static void change_octets(struct world *w, struct rd *r, unsigned changes)
{
	const struct slot *s = recent(w, r);
	struct slot c = *s;

	if (!s->len)
		return;
	while (changes-- > 0) {
		size_t at = rd_be16(r) % c.len;

		c.msg[at] = rd_u8(r);
	}
	changed(w, s, &c);
}

/* A message made up: the peer's header, the input's parameters. */
static void forge(struct world *w, struct rd *r)
{
	uint8_t whom = rd_u8(r);
	unsigned to = whom & 1;
	unsigned pair = whom >> 1 & 1;
	size_t units = rd_u8(r) % 32;
	uint8_t type = rd_u8(r);
	struct slot s = { .from = !to, .len = 40 + units * 8 };

	s.msg[0] = 59;
	s.msg[1] = (uint8_t)(4 + units);
	s.msg[2] = type & 0x7f;
	s.msg[3] = 0x21;
	memcpy(s.msg + 8, w->hit[!to][pair].b, 16);
	memcpy(s.msg + 24, w->hit[to][pair].b, 16);
	if (units * 8 > rd_left(r))
		return;
	rd_copy(r, s.msg + 40, units * 8);
	hostile(w, to, &s);
}

/* ---- whole parameters ------------------------------------------------------------ */

/* The proofs that a message of its type has, by who sent it. */
static int prove(struct world *w, unsigned by, const struct hip_msg *m,
		 struct msg_builder *b)
{
	struct hip_identity *id = engine_identity(w->h[by], &m->sender);
	struct assoc *a =
		assoc_find(&w->h[by]->assocs, &m->sender, &m->receiver);
	struct suite_buf host_id;
	int err;

	if (!id || b->bad)
		return HG_EINVAL;
	if (m->type == HIP_R1)
		return auth_put_signature_2(b, id);
	if (!a || !a->keys)
		return HG_EINVAL;
	host_id.p = identity_host_id(id, &host_id.len);
	if (m->type == HIP_R2)
		err = auth_put_mac_2(b, a->keys->rhash, a->keys->hip.mac_out,
				     &host_id);
	else
		err = auth_put_mac(b, a->keys->rhash, a->keys->hip.mac_out);
	return err ? err : auth_put_signature(b, id);
}

static bool read_edit(const struct world *w, struct rd *r, struct paramedit *e)
{
	const struct slot *other;

	e->what = rd_u8(r);
	e->which = rd_u8(r);
	e->at = rd_be16(r);
	e->octet = rd_u8(r);
	other = recent(w, r);
	if (param_parse(other->msg, other->len, &e->other) != REASON_NUM)
		e->other.num = 0;
	return !r->bad;
}

/* authentic: the peer itself does it. */
static void change_params(struct world *w, struct rd *r, bool authentic)
{
	const struct slot *s = recent(w, r);
	struct slot c = { .from = s->from };
	struct msg_builder b;
	struct hip_msg m;
	struct paramedit e;

	if (!read_edit(w, r, &e) ||
	    param_parse(s->msg, s->len, &m) != REASON_NUM || m.num == 0)
		return;
	message_begin(&b, m.type, &m.sender, &m.receiver);
	if (authentic && m.type != HIP_I1) {
		paramedit_put(&b, &m, &e, PARAM_HIP_MAC);
		if (prove(w, s->from, &m, &b))
			return;
		input(w, !s->from, b.buf, b.len);
		return;
	}
	paramedit_put(&b, &m, &e, PARAM_NUM);
	if (message_finish(&b))
		return;
	c.len = b.len;
	memcpy(c.msg, b.buf, b.len);
	changed(w, s, &c);
}

/* ---- relays ------------------------------------------------------------------------ */

/* The last packets once more, from or to a third one: at engine 1, which may
 * be the relay of engine 0; or as if that relay had passed them on, with its
 * proof. */
static void third_one(struct world *w, struct rd *r)
{
	const struct slot *s = recent(w, r);
	uint8_t how = rd_u8(r);
	struct endpoint third = { w->at[0].addr, rd_be16(r) };
	const struct assoc *a = assoc_find(
		&w->h[1]->assocs, &w->hit[1][how & 1], &w->hit[0][how & 1]);
	struct msg_builder b;
	struct hip_msg m;

	third.addr.b[15] = rd_u8(r);
	if (r->bad || param_parse(s->msg, s->len, &m) != REASON_NUM)
		return;
	message_resume(&b, s->msg, s->len, PARAM_ECHO_REQUEST_UNSIGNED);
	if (how & 2) {		/* an answer, through the relay */
		b.buf[24] ^= 1; /* nobody's HIT here */
		if (m.type != HIP_I1)
			fields_put_udp_at(&b, PARAM_RELAY_TO, &third);
		hip_input(w->h[1], b.buf, b.len, &w->at[0], &w->at[1], w->now);
		return;
	}
	memcpy(b.buf + 24, w->hit[0][0].b, 16);
	if (how & 4) { /* for the relay's client */
		hip_input(w->h[1], b.buf, b.len, &third, &w->at[1], w->now);
		return;
	}
	if (!a || !a->keys)
		return;
	fields_put_udp_at(&b, PARAM_RELAY_FROM, &third);
	if (auth_put_relay_hmac(&b, a->keys->rhash, a->keys->hip.mac_out))
		return;
	hip_input(w->h[0], b.buf, b.len, &w->at[1], &w->at[0], w->now);
}

/* ---- operations -------------------------------------------------------------------- */

/* Hosts that move: where an engine is, and what it hears of its peer. */
static void roam(struct world *w, unsigned op, struct rd *r)
{
	unsigned i = op >> 7;
	struct hip_here here[3];
	struct endpoint from = w->at[!i];
	size_t num = rd_u8(r) % 4;

	if ((op & 31) == 17) { /* one may be there twice */
		for (size_t n = 0; n < num; n++) {
			here[n] = (struct hip_here){ .at = w->at[i] };
			here[n].at.addr.b[15] ^= rd_u8(r);
		}
		(void)hip_set_here(w->h[i], here, num, w->now);
	} else if ((op & 31) == 18) {
		from.addr.b[15] ^= (uint8_t)num;
		from.port ^= rd_u8(r);
		hip_seen_from(w->h[i], &w->hit[i][0], &w->hit[!i][0], &from,
			      &w->at[i], w->now);
		hip_received(w->h[i], &w->hit[i][0], &w->hit[!i][0], num,
			     w->now);
	} else {
		hip_wake(w->h[i], w->now);
	}
}

static void wish(struct world *w, unsigned op, struct rd *r)
{
	unsigned i = op >> 7;
	unsigned pair = op >> 6 & 1;

	switch (op & 31) {
	case 13:
		hip_traffic(w->h[i], &w->hit[i][pair], &w->hit[!i][pair],
			    op & 32, w->now);
		break;
	case 14:
		hip_close(w->h[i], op & 32 ? NULL : &w->hit[!i][pair], w->now);
		break;
	case 15: /* may have no room, or be there */
		(void)(op & 32 ? hip_register_relay
			       : hip_register)(w->h[0], NULL, &w->hit[1][pair],
					       &w->at[1], 1 + rd_u8(r), w->now);
		break;
	default: /* may be held off */
		(void)hip_want(w->h[i], &w->hit[i][pair], &w->hit[!i][pair],
			       &w->at[!i], 1, w->now);
		break;
	}
}

static void step(struct world *w, struct rd *r)
{
	uint8_t op = rd_u8(r);

	switch (op & 31) {
	case 1:
	case 2:
	case 3:
		deliver(w, r);
		break;
	case 4:
	case 5:
		change_octets(w, r, 1 + (op >> 5 & 3));
		break;
	case 6:
		forge(w, r);
		break;
	case 7:
		change_params(w, r, false);
		break;
	case 8:
	case 9:
		finish_job(w, true);
		break;
	case 10:
	case 11:
		change_params(w, r, true);
		break;
	case 12:
		w->now += (uint64_t)rd_be16(r) * SECOND / 64;
		hip_tick(w->h[0], w->now);
		hip_tick(w->h[1], w->now);
		break;
	case 16:
		finish_job(w, false);
		break;
	case 17:
	case 18:
	case 19:
		roam(w, op, r);
		break;
	case 20:
	case 21:
		third_one(w, r);
		break;
	default:
		wish(w, op, r);
		break;
	}
	drain_all(w);
	invariants(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t a[4] = { 192, 0, 2, 1 };
	static const uint8_t b[4] = { 192, 0, 2, 2 };
	struct world *w = calloc(1, sizeof(*w));
	struct rd r = rd_init(data, size);

	if (!w)
		return 0;
	chance = 1;
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
