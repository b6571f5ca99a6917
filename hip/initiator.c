/* SPDX-License-Identifier: MIT */
/* The Initiator's part of the base exchange (RFC 7401 6.6, 6.8, 6.10). */
/* THEORY OF OPERATION
 * A wish (hip_want) sends I1 to the first locator and, unless an R1 comes
 * meanwhile, a quarter of a second later each to the next, at most three
 * (6.6.1 lets them go at once; racing them with a head start keeps the
 * order of preference). That order is our policy's, then the one given; who
 * can only be reached by a family of which we have no address is last. Later
 * I1s go to one at a time, with doubling waits.
 * An R1 goes to a job; when
 * that has verified it and solved its puzzle, I2 goes to where the R1 came
 * from. That address is not under R1's signature, so it is provisional: if
 * I2 stays unanswered there and the address was not one of the locators
 * given, the exchange goes back to I1 and the locators once. A verified R2
 * commits it. A Responder that says it is busy (NOTIFY) is given time until
 * I2 would be repeated; then the exchange begins anew, with a new puzzle, at
 * most three times in a row.
 *
 * At most two R1 jobs run for an association: one forged R1 cannot keep
 * the true one out, and nobody can make us solve puzzles without end.
 */
#include "hip/initiator.h"

#include <limits.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/ice.h"
#include "hip/opportunistic.h"
#include "hip/readdress.h"
#include "hip/rendezvous.h"
#include "hip/update.h"

/* ---- I1 ---------------------------------------------------------------- */

/* Which of two locators is asked first: less is better. */
static unsigned rank_of(const struct here *e, const struct endpoint *to)
{
	struct endpoint self = here_towards(e, to);

	if (e->set && addr_is_unspecified(&self.addr))
		return UINT_MAX; /* nothing of ours leads there */
	return here_rank(e, &self, to, false);
}

/* Stable: ties stay as they were given. */
static void sort_locators(const struct here *e, struct assoc *a)
{
	for (unsigned i = 1; i < a->locator_num; i++) {
		struct endpoint at = a->locators[i];
		unsigned rank = rank_of(e, &at);
		unsigned k = i;

		for (; k && rank_of(e, &a->locators[k - 1]) > rank; k--)
			a->locators[k] = a->locators[k - 1];
		a->locators[k] = at;
	}
}

static void set_locators(const struct hip *h, struct assoc *a,
			 const struct event *ev)
{
	memcpy(a->locators, ev->locators,
	       ev->locator_num * sizeof(a->locators[0]));
	a->locator_num = (uint8_t)ev->locator_num;
	sort_locators(&h->here, a);
	/* Joining must not lead back to those that were tried already. */
	a->locator_next = (uint8_t)(a->locator_next % a->locator_num);
}

/* An I1 is as long as a fifth of the largest R1 that the peer's HIT suite
 * makes us expect, so that a Responder who amplifies no more than that (see
 * i1credit.c) can answer it at once. ECDSA: P-384, RSA (and a peer whose
 * HIT is not known yet): 4096 bits; both
 * with MODP-3072, which is in our list for those who have nothing else, and
 * with VIA_RVS. */
static size_t i1_len(const struct hit *peer)
{
	return hit_is_null(peer) || hit_suite(peer) == SUITE_RSA_SHA256 ? 336
									: 144;
}

void initiator_pad_i1(struct msg_builder *b, const struct hit *peer)
{
	size_t want = i1_len(peer);

	if (b->len + PARAM_TLV_LEN < want)
		(void)message_reserve(b, PARAM_PADDING,
				      want - b->len - PARAM_TLV_LEN);
}

static void send_i1(struct hip *h, struct assoc *a)
{
	struct assoc_msg m;
	struct msg_builder b;

	a->waits = 0;
	message_begin(&b, HIP_I1, &a->self, &a->peer);
	message_put(&b, PARAM_DH_GROUP_LIST, h->offer.dh, h->offer.dh_num);
	initiator_pad_i1(&b, &a->peer);
	if (message_finish(&b))
		return;
	m = (struct assoc_msg){ .p = b.buf, .len = b.len };
	assoc_send(h, a, &m, &a->locators[a->locator_next]);
	a->locator_next = (uint8_t)((a->locator_next + 1) % a->locator_num);
}

/* Is there a locator that the first I1 should still go to? */
static bool racing(const struct assoc *a)
{
	return a->tries == 0 && a->raced < engine_times.i1_parallel &&
	       a->raced < a->locator_num && !a->r1_jobs;
}

static void race_i1(struct hip *h, struct assoc *a, uint64_t now)
{
	send_i1(h, a);
	a->raced++;
	a->resend_at = now + (racing(a) ? engine_times.i1_stagger
					: engine_times.retry);
}

/* Begins to ask; the state is the caller's affair. */
static void ask(struct hip *h, struct assoc *a, uint64_t now)
{
	assoc_new_serial(h, a);
	a->asking = true;
	a->tries = 0;
	a->raced = 0;
	a->busy = false;
	a->locator_next = 0;
	a->has_counter = false;
	a->other_suites = 0;
	a->why = REASON_NUM;
	/* The kernel picks our address. */
	a->self_at = (struct endpoint){ .port = HIP_PORT };
	race_i1(h, a, now);
}

static void begin(struct hip *h, struct assoc *a, uint64_t now)
{
	a->initiator = true;
	a->fell_back = false;
	a->busy_num = 0;
	a->peer_at = a->locators[0];
	a->expire_at = ENGINE_NEVER;
	ask(h, a, now);
	assoc_enter(h, a, HIP_I1_SENT, now);
	assoc_arm(h, a);
}

void initiator_want(struct hip *h, struct event *ev)
{
	ev->result = assoc_add(h, ev->self, ev->peer, &ev->a);
	if (ev->result)
		return;
	set_locators(h, ev->a, ev);
	begin(h, ev->a, ev->now);
}

/* CLOSING: another incarnation; the old one is forgotten (Table 7). */
void initiator_want_again(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	assoc_set_keys(h, a, NULL);
	assoc_msg_drop(&a->msg);
	set_locators(h, a, ev);
	begin(h, a, ev->now);
}

/* CLOSED: I1 goes out, the state stays, so that a repeated CLOSE is still
 * answered (Table 8). */
void initiator_want_closed(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	set_locators(h, a, ev);
	if (a->asking)
		return;
	a->fell_back = false;
	a->busy_num = 0;
	ask(h, a, ev->now);
	assoc_arm(h, a);
}

void initiator_want_joined(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	/* Under way or up already; newer locators may help a later try, and
	 * UPDATEs that find nobody go there, too (spread.c). */
	if (a->state != HIP_I2_SENT)
		set_locators(h, a, ev);
}

void initiator_want_held(struct hip *h, struct event *ev)
{
	(void)h;
	ev->result = HG_EAGAIN;
}

/* Gives up: E-FAILED, for a while (Table 9). The effect, to add to. */
static struct hip_effect *fail(struct hip *h, struct assoc *a, uint64_t now)
{
	struct hip_effect *e;

	assoc_new_serial(h, a);
	assoc_set_keys(h, a, NULL);
	assoc_msg_drop(&a->msg);
	a->asking = false;
	a->resend_at = ENGINE_NEVER;
	a->expire_at = now + engine_times.hold;
	e = effects_put(&h->fx, HIP_FAILED);
	e->self = a->self;
	/* Whoever sent that R1 is not proved to be at the address asked. */
	e->peer = a->found ? hit_null : a->peer;
	e->peer_at = a->found ? a->locators[0] : a->peer_at;
	a->found = false;
	e->reason = a->why == REASON_NUM ? REASON_HIP_TIMEOUT : a->why;
	assoc_enter(h, a, HIP_E_FAILED, now);
	assoc_arm(h, a);
	return e;
}

/* Another identity of ours whose HIT suite the peer does. Who begins as an
 * anonymous one is not to be known by another. */
static const struct hit *other_self(const struct hip *h, const struct assoc *a)
{
	if (hip_identity_anonymous(a->id))
		return NULL;
	for (size_t i = 0; i < h->id_num; i++) {
		const struct hit *self = hip_identity_hit(h->id[i]);

		if ((a->other_suites >> hit_suite(self) & 1) &&
		    !hip_identity_anonymous(h->id[i]) &&
		    !assoc_find(&h->assocs, self, &a->peer))
			return self;
	}
	return NULL;
}

/* A verified R1 said that the peer does not do our HIT suite, and no better
 * one came while the timer ran: begin again with another identity, or give
 * up (RFC 7401 6.8 step 6). */
static void try_other_self(struct hip *h, struct assoc *a, uint64_t now)
{
	const struct hit *self = other_self(h, a);
	struct endpoint at[HIP_LOCATORS_MAX];
	size_t num = a->locator_num;
	struct hit peer = a->peer;
	struct hip_effect *e;

	memcpy(at, a->locators, num * sizeof(at[0]));
	a->why = REASON_HIP_PROPOSAL;
	e = fail(h, a, now);
	if (!self)
		return;
	e->instead = *self;
	/* No room: then this exchange has failed, too. */
	if (hip_want(h, self, &peer, at, num, now))
		e->instead = hit_null;
}

/* Ends searches that outlast their puzzle (RFC 7401 6.8 step 12). They come
 * back as failed; then I1 is sent again within its bounds. */
static void cancel_late(struct hip *h, const struct assoc *a, uint64_t now)
{
	for (struct hip_job *j = h->jobs; j; j = j->next) {
		if (j->serial == a->serial && j->kind == HIPJOB_R1 &&
		    now >= j->u.r1.give_up)
			atomic_store(&j->cancel, true);
	}
}

void initiator_i1_timer(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	if (ev->now < a->resend_at) {
		assoc_arm(h, a);
		return;
	}
	if (racing(a)) {
		race_i1(h, a, ev->now);
		assoc_arm(h, a);
		return;
	}
	if (a->r1_jobs && a->waits < ENGINE_WAITS_MAX) {
		/* A puzzle is being solved: wait, ask nobody else. */
		a->waits++;
		a->resend_at = ev->now + engine_times.retry;
		cancel_late(h, a, ev->now);
		assoc_arm(h, a);
		return;
	}
	if (a->other_suites) {
		try_other_self(h, a, ev->now);
		return;
	}
	a->tries++;
	if (a->tries >= engine_times.i1_max) {
		(void)fail(h, a, ev->now);
		return;
	}
	send_i1(h, a);
	a->resend_at = ev->now + engine_backoff(engine_times.retry, a->tries);
	assoc_arm(h, a);
}

void initiator_held_timer(struct hip *h, struct event *ev)
{
	assoc_del(h, ev->a, ev->now);
}

/* ---- R1 ---------------------------------------------------------------- */

/* Is this R1, as far as can be told unverified, worth a job? */
static enum reason r1_worth(struct hip *h, const struct assoc *a,
			    const struct packet *p, uint64_t *lifetime)
{
	const struct hip_param *c = param_find(&p->m, PARAM_R1_COUNTER);
	const struct hip_param *z = param_find(&p->m, PARAM_PUZZLE);
	struct field_r1_counter counter;
	struct readdress_offer offer;
	struct field_puzzle puzzle;
	enum reason locators;

	if (!a->asking && a->state != HIP_I2_SENT)
		return REASON_HIP_STATE;
	if (addr_is_unusable(&p->from->addr))
		return REASON_HIP_STATE; /* I2 could not go there */
	if (!admit_reach(h, &a->self, &a->peer, &p->from->addr))
		return REASON_HIP_DENIED;
	if (!z)
		return REASON_HIP_MISSING;
	if (!fields_get_puzzle(z, &puzzle) ||
	    (c && !fields_get_r1_counter(c, &counter)))
		return REASON_HIP_TLV;
	if (puzzle.k > h->cfg.puzzle_k_max)
		return REASON_HIP_PUZZLE_HARD;
	locators = readdress_read(h, &p->m, &offer);
	if (locators != REASON_NUM)
		return locators;
	*lifetime = puzzle_lifetime_ns(puzzle.lifetime);
	if (*lifetime > engine_times.solve)
		*lifetime = engine_times.solve;
	/* A second R1: only if its counter is larger (RFC 7401 6.8). */
	if (a->state == HIP_I2_SENT && !c)
		return REASON_HIP_DUPLICATE;
	if (a->state == HIP_I2_SENT && a->has_counter &&
	    counter.counter <= a->r1_counter)
		return counter.counter == a->r1_counter ? REASON_HIP_DUPLICATE
							: REASON_HIP_R1_COUNTER;
	return REASON_NUM;
}

/* The same packet is being worked on. */
static bool in_work(const struct hip *h, const struct assoc *a,
		    const struct packet *p)
{
	for (const struct hip_job *j = h->jobs; j; j = j->next) {
		if (j->serial == a->serial && j->in_len == p->m.len &&
		    memcmp(j->in, p->m.raw, p->m.len) == 0)
			return true;
	}
	return false;
}

/* Where the peer's relay sees us (RFC 9028 4.5); port 0: there is none. */
static struct endpoint mapped_at(const struct packet *p)
{
	const struct hip_param *t = param_find(&p->m, PARAM_RELAY_TO);
	struct endpoint at;

	return t && fields_get_udp_at(t, &at) ? at
					      : (struct endpoint){ .port = 0 };
}

static bool start_r1(struct hip *h, struct assoc *a, const struct packet *p,
		     uint64_t lifetime)
{
	struct hip_job *job = hipjob_new(h, HIPJOB_R1, a->id);
	struct endpoint mapped = mapped_at(p);
	uint32_t spi;

	if (!job)
		return false;
	hipjob_input(job, p);
	job->serial = a->serial;
	job->u.r1.k_max = h->cfg.puzzle_k_max;
	job->u.r1.reg_code =
		registration_code(h, &a->self, &a->peer, &job->u.r1.reg_type);
	job->u.r1.esp_null = offer_null_allowed(&h->cfg, &a->peer);
	job->u.r1.give_up = p->now + lifetime;
	job->u.r1.generation =
		readdress_for_exchange(h, p->at, &job->u.r1.here);
	job->u.r1.spi = assoc_spi_take(&h->assocs);
	ice_candidates(h, &a->self, p->at, &mapped, job->u.r1.spi,
		       &job->u.r1.candidates);
	if (!job->u.r1.spi) {
		hipjob_unlink(h, job);
		hipjob_free(job);
		return false;
	}
	spi = job->u.r1.spi;
	if (!hipjob_start(h, job)) {
		assoc_spi_give(&h->assocs, spi);
		return false;
	}
	a->r1_jobs++;
	return true;
}

void initiator_r1(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	uint64_t lifetime = 0;
	enum reason r = r1_worth(h, a, ev->p, &lifetime);

	if (r == REASON_NUM && in_work(h, a, ev->p))
		r = REASON_HIP_DUPLICATE;
	if (r == REASON_NUM &&
	    (a->r1_jobs >= 2 || !start_r1(h, a, ev->p, lifetime)))
		r = REASON_HIP_BUSY;
	if (r != REASON_NUM)
		engine_drop(h, ev->p, r);
}

static void show_r1(struct hip *h, const struct event *ev)
{
	const struct hipjob_r1 *u = &ev->job->u.r1;
	struct hip_effect *e = engine_seen(h, ev->p);

	e->has_via = u->has_via;
	e->via = u->via;
	e->relay = u->through_relay;
	e->puzzle_k = u->k;
}

/* Verified and solved: I2 leaves (Tables 3, 4, 7, 8). */
void initiator_r1_ok(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	struct hip_job *job = ev->job;
	const struct hipjob_r1 *u = &job->u.r1;
	const struct endpoint no_relay = { .port = 0 };

	if (a->state == HIP_I2_SENT &&
	    (!u->has_counter ||
	     (a->has_counter && u->counter <= a->r1_counter))) {
		engine_drop(h, ev->p, REASON_HIP_DUPLICATE);
		return;
	}
	if (u->reflexive.port &&
	    !admit_reach(h, &a->self, &a->peer, &u->reflexive.addr)) {
		engine_drop(h, ev->p, REASON_HIP_DENIED);
		return;
	}
	if (assoc_msg_keep(&a->msg, job->out.buf, job->out.len)) {
		engine_drop(h, ev->p, REASON_HIP_BUSY);
		return;
	}
	show_r1(h, ev);
	assoc_new_serial(h, a);
	assoc_set_keys(h, a, job->keys);
	job->keys = NULL;
	job->u.r1.spi = 0; /* the association's now */
	a->has_counter = u->has_counter;
	a->r1_counter = u->counter; /* RFC 7401 6.8 step 11 */
	a->reg_offered = u->reg_offered;
	a->reg_min = u->reg_min;
	a->reg_max = u->reg_max;
	a->initiator = true;
	a->peer_anonymous = ev->p->m.controls & PARAM_CONTROL_A;
	a->asking = false;
	a->busy = false;
	a->tries = 0;
	a->why = REASON_NUM;
	a->peer_at = u->reflexive.port ? u->reflexive : job->from;
	a->self_at = job->at;
	a->relay_at = u->through_relay ? job->from : no_relay;
	a->expire_at = ENGINE_NEVER;
	a->resend_at = ev->now + engine_times.retry;
	update_reset(a);
	if (u->has_via)
		rendezvous_met(a, &u->via);
	else
		a->has_via = false;
	a->telling = u->generation;
	a->ice = u->nat == FIELDS_NAT_ICE_HIP_UDP;
	a->ice_pace = u->pace;
	if (!a->ice)
		readdress_met(h, a, ev->p);
	(void)assoc_locator(h, a, false);
	assoc_send(h, a, &a->msg, &a->peer_at);
	if (a->state != HIP_I2_SENT)
		assoc_enter(h, a, HIP_I2_SENT, ev->now);
	assoc_arm(h, a);
}

/* Is I2 on its way to an address that only R1's source vouches for? */
static bool doubtful(const struct assoc *a)
{
	for (unsigned i = 0; i < a->locator_num; i++) {
		if (endpoint_eq(&a->locators[i], &a->peer_at))
			return false;
	}
	return true;
}

/* Back to I1 and the locators we were given. */
static void fall_back(struct hip *h, struct assoc *a, uint64_t now)
{
	assoc_set_keys(h, a, NULL);
	assoc_msg_drop(&a->msg);
	a->peer_at = a->locators[0];
	ask(h, a, now);
	(void)assoc_locator(h, a, false);
	assoc_enter(h, a, HIP_I1_SENT, now);
}

/* An I1 may leave from anywhere; an I2 must come from where its puzzle was
 * sent to (RFC 7401 appendix A), so it begins anew. */
void initiator_moved(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->state == HIP_I2_SENT) {
		fall_back(h, a, now);
	} else {
		a->self_at = (struct endpoint){ .port = HIP_PORT };
		a->resend_at = now;
	}
	assoc_arm(h, a);
}

void initiator_i2_timer(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	bool back = doubtful(a) && !a->fell_back;

	if (ev->now < a->resend_at) {
		assoc_arm(h, a);
		return;
	}
	a->tries++;
	if (a->busy && a->busy_num < engine_times.busy_max) {
		a->busy_num++; /* a new puzzle: RFC 7401 5.2.19 */
		fall_back(h, a, ev->now);
	} else if (back && a->tries >= engine_times.i2_doubtful) {
		a->fell_back = true;
		fall_back(h, a, ev->now);
	} else if (a->tries >= engine_times.i2_max) {
		(void)fail(h, a, ev->now);
		return;
	} else {
		assoc_send(h, a, &a->msg, &a->peer_at);
		a->resend_at =
			ev->now + engine_backoff(engine_times.retry, a->tries);
	}
	assoc_arm(h, a);
}
