/* SPDX-License-Identifier: MIT */
/* The Responder's part of the base exchange (RFC 7401 6.7, 6.9). */
/* THEORY OF OPERATION
 * I1 is answered from the R1 pool and forgotten, but for a keyed hash of 64
 * bits in a table of fixed size: the same I1 from and at the same addresses
 * is not answered twice within `reack`, and costs its source no token.
 * Whoever repeats an I1 does so later than that (we after 500 ms, or 250 ms
 * to another locator); one that was delayed into that time has its answer.
 * The whole content counts: nobody can have an I1 of another's ignored by
 * asking for something else in its name.
 *
 * An I2 is checked in the order of its cost: HITs, state, a copy of the last
 * one, then the puzzle (two hashes); only who has solved one learns what we
 * think of his suites and of himself (NOTIFY), gets a job within the budgets
 * of his prefix and of his #I, and only what the job has verified makes or
 * changes an association. Until then there are an SPI promised and a place
 * in the list of jobs in flight.
 *
 * Which I2 wins: each shows when its R1 was given out. One that is not
 * newer than the one that made the association, or, where we were
 * Initiator, than the end of that exchange, was under way when the peer had
 * already agreed to something newer: it is stale, and would leave the two
 * with different keys, or open again what has been closed. A peer that has
 * really restarted asks for a new R1. test/spin shows what each half of
 * this rule is for.
 */
#include "hip/responder.h"

#include <assert.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/i2taker.h"
#include "hip/ice.h"
#include "hip/keepalive.h"
#include "hip/notify.h"
#include "hip/relayed.h"
#include "hip/pathwatch.h"
#include "hip/readdress.h"
#include "hip/update.h"

#define TRIES_MAX 4 /* jobs for one #I, whatever comes of them */

/* ---- I1 ---------------------------------------------------------------- */

/* Our first group that theirs holds, else our first (RFC 7401 6.7 step 4). */
static uint8_t choose_group(const struct offer *o, const struct hip_param *list)
{
	uint8_t g = dh_choose(o->dh, o->dh_num, list->contents, list->len);

	return g ? g : o->dh[0];
}

/* Does anybody begin an exchange with us? Without the role of responder,
 * only peers we have to do with anyway: one that lost its state must find
 * back (RFC 7401 6.7.1). */
static bool welcome(const struct hip *h, const struct event *ev)
{
	return ev->a ||
	       (!h->draining && (h->cfg.responder || engine_serves(h)));
}

/* Octets of the I1 as its sender paid for them: without what a rendezvous
 * server or relay has put under it. */
static size_t i1_len(const struct packet *p)
{
	const enum param added[] = { PARAM_FROM, PARAM_RVS_HMAC,
				     PARAM_RELAY_FROM, PARAM_RELAY_HMAC };
	bool passed_on = p->has_from || p->relayed.port;
	size_t len = p->m.len;

	for (size_t i = 0; passed_on && i < 4; i++) {
		const struct hip_param *x = param_find(&p->m, added[i]);

		len -= x ? param_tlv_len(x->len) : 0;
	}
	return len;
}

/* Is R1 small enough for this I1? (T2; RFC 7401 6.7) */
static bool paid(struct hip *h, const struct packet *p, size_t r1_len)
{
	const struct addr *to = engine_sender(p);

	if (p->has_from)
		r1_len += param_tlv_len(sizeof(to->b)); /* VIA_RVS */
	if (p->relayed.port)
		r1_len += relayed_r1_extra(h, p);
	return i1credit_pays(&h->budget.credit, to,
			     i1credit_wire(to, i1_len(p)),
			     i1credit_wire(to, r1_len), p->now);
}

/* To FROM's address when the I1 was relayed, with VIA_RVS (RFC 8004 4.2.3),
 * else back to where it came from. */
static void send_r1(struct hip *h, const struct packet *p, uint8_t *r1,
		    size_t len)
{
	struct msg_builder b;
	struct hip_effect *e;

	if (p->has_from) {
		message_resume(&b, r1, len, PARAM_HIP_SIGNATURE_2);
		fields_put_via_rvs(&b, &p->from->addr);
		if (message_finish(&b))
			return;
		e = effects_send(&h->fx, b.buf, b.len);
		e->peer_at = (struct endpoint){ p->via_from, HIP_PORT };
		/* The two may be of different families. */
		if (addr_is4(&p->via_from) == addr_is4(&p->at->addr))
			e->self_at = *p->at;
		else
			e->self_at = (struct endpoint){ .port = HIP_PORT };
	} else {
		e = effects_send(&h->fx, r1, len);
		e->peer_at = *p->from;
		e->self_at = *p->at;
	}
	e->self = p->m.receiver;
	e->peer = p->m.sender;
	e->type = HIP_R1;
}

/* RFC 7401 5.3.1: in a storm, equal I1s that come soon after one another are
 * discarded. A collision would cost its sender one repetition. */
bool responder_i1_again(const struct hip *h, struct packet *p)
{
	uint8_t in[HIP_MSG_MAX + 2 * sizeof(struct endpoint)];

	static_assert(sizeof(struct endpoint) == 18, "nothing between");
	memcpy(in, p->m.raw, p->m.len);
	memcpy(in + p->m.len, p->from, sizeof(*p->from));
	memcpy(in + p->m.len + sizeof(*p->from), p->at, sizeof(*p->at));
	p->print = spent_print(&h->budget.answered, in,
			       p->m.len + sizeof(*p->from) + sizeof(*p->at));
	return spent_has(&h->budget.answered, p->print, p->now);
}

void responder_i1(struct hip *h, struct event *ev)
{
	const struct packet *p = ev->p;
	const struct hip_param *list = param_find(&p->m, PARAM_DH_GROUP_LIST);
	struct r1pool_ask ask = {
		.identity = selves_index(h, &p->m.receiver),
		.initiator = &p->m.sender,
		.addr = engine_sender(p),
		.now = ev->now,
		/* Through a relay, it must say where I2 is to go. */
		.current = p->relayed.port != 0,
	};
	uint8_t r1[HIP_MSG_MAX];
	struct hip_effect *e;
	size_t len;

	if (!list) {
		engine_drop(h, p, REASON_HIP_MISSING);
		return;
	}
	if (!welcome(h, ev)) {
		engine_drop(h, p, REASON_HIP_DENIED);
		return;
	}
	len = r1pool_get(h, &ask, choose_group(&h->offer, list), r1);
	if (len == 0) {
		engine_drop(h, p, REASON_HIP_BUSY);
		return;
	}
	if (!paid(h, p, len)) {
		engine_drop(h, p, REASON_HIP_CREDIT);
		return;
	}
	e = engine_seen(h, p);
	e->has_from = p->has_from || p->relayed.port;
	e->from = *engine_sender(p);
	if (p->relayed.port)
		relayed_send_r1(h, p, r1, len);
	else
		send_r1(h, p, r1, len);
	spent_add(&h->budget.answered, p->print, ev->now + engine_times.reack,
		  ev->now);
}

/* Both began: the greater HIT answers (RFC 7401 6.7 step 3, Table 3). */
void responder_i1_crossing(struct hip *h, struct event *ev)
{
	if (hit_cmp(&ev->a->self, &ev->a->peer) < 0)
		engine_drop(h, ev->p, REASON_HIP_STATE);
	else
		responder_i1(h, ev);
}

/* ---- I2 ---------------------------------------------------------------- */

#define I2_MASK                                                                \
	(PARAM_BIT(PARAM_ESP_INFO) | PARAM_BIT(PARAM_SOLUTION) |               \
	 PARAM_BIT(PARAM_DIFFIE_HELLMAN) | PARAM_BIT(PARAM_HIP_CIPHER) |       \
	 PARAM_BIT(PARAM_TRANSPORT_FORMAT_LIST) |                              \
	 PARAM_BIT(PARAM_ESP_TRANSFORM) | PARAM_BIT(PARAM_HIP_MAC) |           \
	 PARAM_BIT(PARAM_HIP_SIGNATURE))

/* Each choice is one, and one we offered (RFC 7401 6.9 steps 9 and 13, RFC
 * 7402 6.5). */
static enum reason choices(const struct hip *h, const struct hip_msg *m,
			   uint16_t *code)
{
	struct hip_identity *id = engine_identity(h, &m->receiver);
	const struct suite_cipher *c;
	struct field_esp_info info;
	struct field_ids ids;

	if (!fields_get_cipher(param_find(m, PARAM_HIP_CIPHER), &ids))
		return REASON_HIP_TLV;
	*code = FIELDS_INVALID_HIP_CIPHER_CHOSEN;
	c = suite_cipher_find(ids.id[0]);
	if (!c || ids.num != 1 || !fields_ids_has(&h->offer.cipher, c->id))
		return REASON_HIP_PROPOSAL;
	*code = FIELDS_NO_HIP_PROPOSAL_CHOSEN;
	if (!fields_get_transport(param_find(m, PARAM_TRANSPORT_FORMAT_LIST),
				  &ids))
		return REASON_HIP_TLV;
	if (ids.num != 1 || ids.id[0] != HIPJOB_TRANSPORT_ESP)
		return REASON_HIP_PROPOSAL;
	if (!fields_get_esp_transform(param_find(m, PARAM_ESP_TRANSFORM), &ids))
		return REASON_HIP_TLV;
	*code = FIELDS_INVALID_ESP_TRANSFORM_CHOSEN;
	if (ids.num != 1 ||
	    !offer_has_esp(&h->offer, ids.id[0],
			   offer_null_allowed(&h->cfg, &m->sender)))
		return REASON_HIP_PROPOSAL;
	if (!fields_get_esp_info(param_find(m, PARAM_ESP_INFO), &info))
		return REASON_HIP_TLV;
	*code = 0; /* INVALID_SYNTAX is for verified packets (5.2.19) */
	/* ESP keys must not be drawn where the HIP keys are. */
	if (info.old_spi != 0 || info.new_spi <= 255 ||
	    info.keymat_index < keymat_esp_index(identity_suite(id), c))
		return REASON_HIP_PROPOSAL;
	return REASON_NUM;
}

/* A fingerprint of (HITs, #I, #J): the same I2, wherever it comes from. What
 * precedes #I is left out: part of it is in no hash, so that one solution
 * could be shown in 256 dresses. */
static uint64_t print_of(const struct hip *h, const struct hip_msg *m)
{
	const struct hip_param *s = param_find(m, PARAM_SOLUTION);
	uint8_t in[32 + 2 * SUITE_HASH_MAX];
	size_t len = s->len > 4 ? s->len - 4u : 0;

	if (len > sizeof(in) - 32)
		len = sizeof(in) - 32;

	memcpy(in, m->sender.b, 16);
	memcpy(in + 16, m->receiver.b, 16);
	memcpy(in + 32, s->contents + (s->len - len), len);
	return spent_print(&h->budget.spent, in, 32 + len);
}

static bool in_work(const struct hip *h, uint64_t print)
{
	for (const struct hip_job *j = h->jobs; j; j = j->next) {
		if (j->kind == HIPJOB_I2 && j->u.i2.print == print)
			return true;
	}
	return false;
}

/* The I2 that made this association, again: the same R2 (checklist P14). */
static bool repeated(struct hip *h, const struct event *ev, uint64_t print)
{
	struct assoc *a = ev->a;

	if (!a || a->initiator || !a->i2_print || a->i2_print != print ||
	    (a->state != HIP_R2_SENT && a->state != HIP_ESTABLISHED))
		return false;
	if (a->msg.p && ev->now - a->reanswered < engine_times.reack) {
		engine_drop(h, ev->p, REASON_HIP_RATE);
		return true;
	}
	engine_drop(h, ev->p, REASON_HIP_DUPLICATE);
	if (a->msg.p) {
		a->reanswered = ev->now;
		i2taker_send_r2(h, a, ev->p);
		/* RFC 7401 6.9 step 4; but whoever has seen one I2 can
		 * repeat it, and must not hold the state open. */
		if (a->state == HIP_R2_SENT &&
		    ev->now - a->since < 2 * engine_times.ec)
			a->expire_at = ev->now + engine_times.ec;
		assoc_arm(h, a);
	}
	return true;
}

/* Is it the answer to an R1 of ours, in time, and the first one? */
static enum reason i2_fresh(struct hip *h, const struct event *ev,
			    uint64_t print, struct r1pool_match *match)
{
	const struct packet *p = ev->p;
	struct r1pool_ask ask = { .identity = selves_index(h, &p->m.receiver),
				  .initiator = &p->m.sender,
				  .addr = engine_sender(p),
				  .now = ev->now };
	enum reason r = r1pool_check(h, &ask, &p->m, match);

	if (r != REASON_NUM)
		return r;
	if (spent_too_old(&h->budget.spent, match->until))
		return REASON_HIP_R1_COUNTER;
	if (spent_has(&h->budget.spent, print, ev->now) || in_work(h, print))
		return REASON_HIP_DUPLICATE;
	return i2taker_stale(ev->a, match->issued) ? REASON_HIP_R1_COUNTER
						   : REASON_NUM;
}

/* Does what it asks for suit us? code: as NOTIFY would put it. */
static enum reason i2_suits(struct hip *h, const struct event *ev,
			    uint16_t *code)
{
	const struct packet *p = ev->p;
	struct readdress_offer offer;
	enum reason r;

	*code = FIELDS_UNSUPPORTED_HIT_SUITE;
	/* RFC 7401 6.9 step 3 */
	if (!suite_of_hit(&p->m.sender))
		return REASON_HIP_PROPOSAL;
	if (!welcome(h, ev) || !admit_peer(h, p))
		return REASON_HIP_DENIED;
	*code = FIELDS_NO_VALID_NAT_MODE;
	r = relayed_i2_mode(h, p);
	if (r != REASON_NUM)
		return r;
	r = choices(h, &p->m, code);
	if (r != REASON_NUM)
		return r;
	*code = 0;
	r = readdress_read(h, &p->m, &offer);
	if (r != REASON_NUM)
		return r;
	/* An eighth is kept for those we ask for ourselves. */
	if (!ev->a && h->assocs.num >= h->assocs.max - h->assocs.max / 8)
		return REASON_HIP_BUSY;
	return REASON_NUM;
}

/* Has the sender's prefix an eighth of all jobs for its I2 already? Solved
 * puzzles are no ticket to the whole queue (T4). */
static bool hogs(const struct hip *h, const struct packet *p)
{
	struct addr prefix = srcrate_prefix(engine_sender(p));
	uint32_t share = h->cfg.jobs_max / 8;
	uint32_t n = 0;

	for (const struct hip_job *j = h->jobs; j; j = j->next) {
		struct addr other = srcrate_prefix(
			j->relayed.port ? &j->relayed.addr : &j->from.addr);

		n += j->kind == HIPJOB_I2 && addr_eq(&other, &prefix);
	}
	return n >= (share ? share : 1);
}

/* Stands for the n-th I2 with this #I that was worth a job. */
static uint64_t try_print(const struct hip *h, const struct packet *p,
			  uint8_t n)
{
	const struct hip_param *s = param_find(&p->m, PARAM_SOLUTION);
	size_t len = (s->len - 4u) / 2; /* r1pool_check has read it */
	uint8_t in[32 + SUITE_HASH_MAX + 1];

	memcpy(in, p->m.sender.b, 16);
	memcpy(in + 16, p->m.receiver.b, 16);
	memcpy(in + 32, s->contents + 4, len);
	in[32 + len] = n;
	return spent_print(&h->budget.tried, in, 33 + len);
}

/* One puzzle has many solutions, and each may come with a wrong MAC. How
 * many jobs this #I may still cost us. */
static uint8_t tries_left(const struct hip *h, const struct packet *p)
{
	uint8_t n = 0;

	while (n < TRIES_MAX &&
	       spent_has(&h->budget.tried, try_print(h, p, n), p->now))
		n++;
	return (uint8_t)(TRIES_MAX - n);
}

static void try_add(struct hip *h, const struct event *ev,
		    const struct r1pool_match *match)
{
	uint8_t n = (uint8_t)(TRIES_MAX - tries_left(h, ev->p));

	spent_add(&h->budget.tried, try_print(h, ev->p, n), match->until,
		  ev->now);
}

/* Its NAT traversal mode; 0: none. relayed_i2_mode has read it. */
static uint16_t i2_mode(const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_NAT_TRAVERSAL_MODE);
	struct field_ids ids;

	return p && fields_get_nat_modes(p, &ids) ? ids.id[0] : 0;
}

static enum reason start_i2(struct hip *h, const struct event *ev,
			    uint64_t print, const struct r1pool_match *match)
{
	const struct packet *p = ev->p;
	const struct endpoint none = { .port = 0 };
	struct registrar_answer answer;
	struct hip_job *job;
	uint32_t spi;

	if (!registrar_decide(h, p, &answer))
		return REASON_HIP_TLV;
	r1pool_load(h, ev->now);
	/* Half of the jobs is kept for what we do ourselves. */
	if (h->job_num >= (h->cfg.jobs_max + 1) / 2 || hogs(h, p))
		return REASON_HIP_BUSY;
	if (tries_left(h, p) == 0)
		return REASON_HIP_PUZZLE_USED;
	if (!srcrate_allow(&h->budget.i2, engine_sender(p), ev->now))
		return REASON_HIP_RATE;
	job = hipjob_new(h, HIPJOB_I2, engine_identity(h, &p->m.receiver));
	if (!job)
		return REASON_HIP_BUSY;
	hipjob_input(job, p);
	job->u.i2 = (struct hipjob_i2){
		.dh = dh_ref(match->entry->dh),
		.spi = assoc_spi_take(&h->assocs),
		.print = print,
		.issued = match->issued,
		.spent_until = match->until,
		.answer = answer,
		.ice = i2_mode(&p->m) == FIELDS_NAT_ICE_HIP_UDP,
	};
	if (job->u.i2.ice)
		ice_candidates(h, &p->m.receiver, p->at, &none, job->u.i2.spi,
			       &job->u.i2.candidates);
	else
		job->u.i2.generation =
			readdress_for_exchange(h, p->at, &job->u.i2.candidates);
	if (!job->u.i2.spi) {
		hipjob_unlink(h, job);
		hipjob_free(job);
		return REASON_HIP_BUSY;
	}
	spi = job->u.i2.spi;
	if (!hipjob_start(h, job)) {
		assoc_spi_give(&h->assocs, spi);
		return REASON_HIP_BUSY;
	}
	match->entry->used = true; /* RFC 7401 5.3.2: replace it soon */
	try_add(h, ev, match);
	return REASON_NUM;
}

void responder_i2(struct hip *h, struct event *ev)
{
	struct r1pool_match match;
	uint16_t code = 0;
	enum reason r;
	uint64_t print;

	if (!param_has_all(&ev->p->m, I2_MASK)) {
		engine_drop(h, ev->p, REASON_HIP_MISSING);
		return;
	}
	print = print_of(h, &ev->p->m);
	if (repeated(h, ev, print))
		return;
	r = i2_fresh(h, ev, print, &match);
	if (r != REASON_NUM) {
		engine_drop(h, ev->p, r);
		return;
	}
	r = i2_suits(h, ev, &code);
	if (r == REASON_NUM)
		r = start_i2(h, ev, print, &match);
	if (r == REASON_NUM)
		return;
	engine_drop(h, ev->p, r);
	notify_refuse(h, ev->p, r, code); /* RFC 7401 6.9.1 */
}

/* Both sent I2: the smaller HIT drops (RFC 7401 6.9 step 5, Table 4). */
void responder_i2_crossing(struct hip *h, struct event *ev)
{
	if (hit_cmp(&ev->a->self, &ev->a->peer) < 0)
		engine_drop(h, ev->p, REASON_HIP_STATE);
	else
		responder_i2(h, ev);
}

/* ---- R2-SENT to ESTABLISHED (Table 5) ----------------------------------- */

void responder_data(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	a->last_in = ev->now;
	pathwatch_in(a, !ev->p);
	if (!ev->p) { /* else what it says comes first */
		keepalive_data(a, ev->now);
		readdress_heard(h, a, ev->now);
	}
	assoc_msg_drop(&a->msg); /* the peer has our R2 */
	if (a->state != HIP_R2_SENT)
		return;
	a->expire_at = ENGINE_NEVER;
	assoc_enter(h, a, HIP_ESTABLISHED, ev->now);
	readdress_begin(h, a, ev->now);
}

void responder_timer(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	if (ev->now >= a->expire_at) {
		/* R2 is kept: should the peer still repeat I2, it helps. */
		a->expire_at = ENGINE_NEVER;
		assoc_enter(h, a, HIP_ESTABLISHED, ev->now);
		readdress_begin(h, a, ev->now);
	}
	if (!update_resend(h, a, ev->now))
		a->up.resend_at = ENGINE_NEVER;
	keepalive_timer(h, a, ev->now);
	assoc_arm(h, a);
}
