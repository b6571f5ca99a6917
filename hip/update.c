/* SPDX-License-Identifier: MIT */
/* UPDATE packets (RFC 7401 6.11, 6.12) and what they carry. */
/* THEORY OF OPERATION
 * Out: one UPDATE is outstanding at a time (6.11 allows it and it avoids
 * every conflict); what comes up meanwhile waits for its ACK. A signed
 * UPDATE is kept and sent again with doubling waits; unanswered, the
 * association is broken. One whose signing failed has not left, so its id
 * is used again. Where it goes, and how many copies of it, is spread.c's.
 *
 * Those for which there was no job wait in a queue, and leave it when three
 * quarters of the jobs are not in use: when a host moves that has 10^5 peers,
 * each comes when it is its turn, and what the peers answer gets a job, too.
 *
 * In: SEQ is checked against a window of 32 ids, as in ESP: new ones may
 * be up to 16 ahead, known ones are acknowledged again (from the kept
 * answer or anew, not too often) but not processed again. MAC first, signature by
 * a job. What an UPDATE asks is decided after that; the answer, with ACK,
 * is signed by a second job. Half of a rekey is answered when rekey.c says
 * so; the answer then carries our half, and a SEQ. While an UPDATE is
 * being looked at, what it makes us say waits (held), so that it leaves
 * together with the answer.
 *
 * Contents known here: REG_*; ESP_INFO and DIFFIE_HELLMAN go to rekey.c,
 * PEER_PERMISSION to datarelay.c, LOCATOR_SET, HOST_ID, echoes to readdress.c.
 */
#include "hip/update.h"

#include <stddef.h>
#include <string.h>

#include "hip/auth.h"
#include "hip/closing.h"
#include "hip/composer.h"
#include "hip/datapath.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/ice.h"
#include "hip/paths.h"
#include "hip/pathwatch.h"
#include "hip/reach.h"
#include "hip/readdress.h"
#include "hip/registration.h"
#include "hip/rekey.h"
#include "hip/relayed.h"
#include "hip/responder.h"
#include "hip/seqwindow.h"
#include "hip/spread.h"

#define REACKS_MAX 4 /* to other sources, within engine_times.reack */

void update_reset(struct assoc *a)
{
	assoc_msg_drop(&a->up.sent);
	assoc_msg_drop(&a->up.ack);
	a->up = (struct assoc_update){ .resend_at = ENGINE_NEVER,
				       .in_high = UINT32_MAX };
	readdress_reset(a);
}

/* MAC, job for the signature. err: of its making. false: not started, job is
 * freed. */
static bool sign(struct hip *h, struct assoc *a, struct hip_job *job, int err)
{
	if (err ||
	    auth_put_mac(&job->out, a->keys->rhash, a->keys->hip.mac_out)) {
		hipjob_unlink(h, job);
		hipjob_free(job);
		return false;
	}
	job->self = a->self;
	job->peer = a->peer;
	job->serial = a->serial;
	return hipjob_start(h, job);
}

/* ---- out --------------------------------------------------------------- */

/* One with SEQ is on its way to be signed: outstanding from now on. */
static void put_outstanding(struct hip *h, struct assoc *a, bool rekey,
			    const struct update_answer *ans, uint64_t now)
{
	struct assoc_update *up = &a->up;

	if (rekey)
		rekey_sent(a, up->next_id);
	up->tells = a->tell;
	if (a->tell)
		a->telling = h->here.generation;
	a->tell = false;
	up->nominates = a->nominate;
	a->nominate = false;
	up->has_via = ans && ans->by_rvs;
	if (up->has_via)
		up->via = ans->via;
	up->next_id++;
	up->outstanding = true;
	up->waiting = false; /* what was ready is in it */
	up->tries = 0;
	up->hurries = 0;
	up->resend_at = now + engine_times.retry;
	a->keep.denied = false;
	assoc_msg_drop(&up->sent);
	spread_begin(a);
}

/* Has an UPDATE signed. keep: one with SEQ. */
static bool put_out(struct hip *h, struct assoc *a, bool keep,
		    const struct update_answer *ans, uint64_t now)
{
	struct assoc_update *up = &a->up;
	struct hip_job *job = hipjob_new(h, HIPJOB_SIGN, a->id);
	bool rekey = keep && rekey_ready(a);
	struct hip_msg theirs;

	if (!job)
		return false;
	job->keep = keep;
	job->ack = ans;
	job->from = ans ? ans->from : a->peer_at;
	job->at = ans ? ans->at : a->self_at;
	if (ans)
		job->relayed = ans->relayed;
	job->seq = ans ? ans->seq : 0;
	job->by_rvs = ans && ans->by_rvs;
	if (job->by_rvs)
		job->via = ans->via;
	if (keep && !up->reg_type)
		up->reg_type = registration_take(h, a, &up->reg);
	if (ans)
		memcpy(job->in, ans->raw, job->in_len = ans->len);
	if (ans && param_parse(job->in, job->in_len, &theirs) != REASON_NUM) {
		hipjob_unlink(h, job); /* never: it was parsed before */
		hipjob_free(job);
		return false;
	}
	if (keep)
		ice_prepare(a);
	if (!sign(h, a, job, composer_update(h, a, job, ans, &theirs))) {
		if (keep)
			readdress_unsent(a);
		return false;
	}
	if (keep)
		put_outstanding(h, a, rekey, ans, now);
	return true;
}

void update_send(struct hip *h, struct assoc *a, uint64_t now)
{
	struct assoc_update *up = &a->up;
	bool moving = readdress_due(a);

	up->waiting = true;
	/* Who has moved waits for no rekey: the peer's half may never find
	 * us. */
	if (up->held || up->outstanding || (rekey_holds_updates(a) && !moving))
		return;
	if (put_out(h, a, true, NULL, now))
		return;
	up->resend_at = now + engine_times.retry; /* for want of memory */
	if (!hipjob_room(h)) {
		up->resend_at = ENGINE_NEVER;
		jobqueue_add(&h->updates, &a->updating);
	}
}

static struct assoc *of_queue(struct jobwait *w)
{
	return (struct assoc *)((char *)w - offsetof(struct assoc, updating));
}

void update_more(struct hip *h, uint64_t now)
{
	while (h->updates.first &&
	       h->job_num < h->cfg.jobs_max - h->cfg.jobs_max / 4) {
		struct assoc *a = of_queue(h->updates.first);

		jobqueue_del(&h->updates, &a->updating);
		if (a->state == HIP_ESTABLISHED || a->state == HIP_R2_SENT)
			update_flush(h, a, now);
		assoc_arm(h, a);
	}
}

void update_flush(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->up.waiting)
		update_send(h, a, now);
}

void update_probe(struct hip *h, struct assoc *a, uint64_t now)
{
	struct assoc_update *up = &a->up;

	if (up->outstanding && up->sent.p) {
		up->tries = 0;
		up->hurries = 0;
		spread_begin(a);
		spread_step(h, a, now);
		up->resend_at = now + spread_wait(h, a);
	}
	if (!up->outstanding || readdress_due(a))
		update_send(h, a, now);
}

/* Signing failed. What has not left was never outstanding; an answer is
 * made again when the peer repeats its UPDATE. */
static void unsigned_back(struct assoc *a, const struct hip_job *job,
			  uint64_t now)
{
	struct assoc_update *up = &a->up;

	if (!job->keep || !up->outstanding || up->sent.p)
		return;
	up->next_id--;
	rekey_unsent(a, up->next_id);
	readdress_unsent(a);
	up->outstanding = false;
	up->waiting = true;
	up->resend_at = now + engine_times.retry;
}

/* An answer to an UPDATE that came through a server says so (RFC 8046
 * 3.2.3). echo: what is echoed behind the signature instead; or NULL. */
static void send_answer(struct hip *h, struct assoc *a,
			const struct assoc_msg *kept, const struct packet *p,
			bool echo)
{
	struct msg_builder b;
	struct assoc_msg m;

	message_resume(&b, kept->p, kept->len,
		       echo ? PARAM_HIP_SIGNATURE
			    : PARAM_ECHO_RESPONSE_UNSIGNED);
	if (echo)
		fields_put_echo(&b, &p->m, PARAM_ECHO_REQUEST_UNSIGNED,
				PARAM_ECHO_RESPONSE_UNSIGNED);
	if (p->has_from)
		fields_put_via_rvs(&b, &p->via);
	m = (struct assoc_msg){ .p = b.buf, .len = b.len };
	if (message_finish(&b) == HG_OK)
		relayed_send(h, a, &m, p->from, p->at, &p->relayed);
}

/* The outstanding one, beside all paths; its answer proves none of them. */
static void by_relay(struct hip *h, struct assoc *a)
{
	if (relayed_resend(h, a, &a->up.sent) && a->paths)
		a->paths->echo_spread = true;
}

void update_signed(struct hip *h, struct assoc *a, struct hip_job *job,
		   uint64_t now)
{
	struct assoc_update *up = &a->up;
	struct assoc_msg m = { .p = job->out.buf, .len = job->out.len };
	struct packet p = { .from = &job->from,
			    .at = &job->at,
			    .relayed = job->relayed,
			    .has_from = job->by_rvs,
			    .via = job->via };

	if (job->reason != REASON_NUM ||
	    (job->keep && assoc_msg_keep(&up->sent, m.p, m.len))) {
		unsigned_back(a, job, now);
		assoc_arm(h, a);
		return;
	}
	if (job->ack && assoc_msg_keep(&up->ack, m.p, m.len) == HG_OK) {
		up->acked = job->seq;
		up->ack_to = job->relayed.port ? job->relayed : job->from;
	}
	if (!job->keep) {
		send_answer(h, a, &m, &p, false);
		return;
	}
	if (job->ack && job->relayed.port)
		relayed_send(h, a, &m, &job->from, &job->at, &job->relayed);
	else if (job->ack)
		spread_answer(h, a, &job->at, &job->from, now);
	if (a->ice && up->tells) /* RFC 9028 4.9 */
		by_relay(h, a);
	spread_step(h, a, now);
	up->resend_at = now + spread_wait(h, a);
	assoc_arm(h, a);
}

void update_abandon(struct assoc *a)
{
	struct assoc_update *up = &a->up;

	/* Without `sent`, its signing is under way. */
	if (!up->outstanding || !up->sent.p || up->tells || up->reg_type ||
	    a->rekey)
		return;
	up->outstanding = false;
	up->resend_at = ENGINE_NEVER;
	assoc_msg_drop(&up->sent);
}

/* May an outstanding UPDATE be tried once more? */
static bool tries_left(const struct assoc *a)
{
	unsigned max = spread_wide(a) ? engine_times.wide_max
				      : engine_times.update_max;

	if (a->keep.denied)
		max = engine_times.denied_max;
	return a->up.tries + 1u < max && !ice_spent(a);
}

/* A new round, to more places than the first. false: there were enough. */
static bool next_round(struct hip *h, struct assoc *a, uint64_t now)
{
	struct assoc_update *up = &a->up;
	bool hurry = spread_hurries(h, a);

	if (up->tries == 0 && a->suspect && !hurry)
		paths_tell(h, a, HIP_PATH_SILENT, &a->self_at, &a->peer_at,
			   now);
	spread_widen(h, a);
	/* In R2-SENT the peer may not have its keys yet: it is not asked
	 * more slowly than before, and not given up. Nor is anybody while we
	 * have no address ourselves. */
	if (h->here.set && !h->here.num)
		up->tries = 0;
	else if (hurry)
		up->hurries++;
	else if (tries_left(a))
		up->tries++;
	else if (a->state == HIP_ESTABLISHED)
		return false;
	/* RFC 9028 4.8; checks do not go there (4.5). */
	if (a->ice ? a->suspect || up->tells : up->tries > 1)
		by_relay(h, a);
	spread_begin(a);
	return true;
}

bool update_resend(struct hip *h, struct assoc *a, uint64_t now)
{
	struct assoc_update *up = &a->up;

	if (now < up->resend_at)
		return true;
	up->resend_at = ENGINE_NEVER;
	if (!up->outstanding) {
		update_flush(h, a, now);
		return true;
	}
	if (!(spread_wide(a) && spread_left(h, a)) && !next_round(h, a, now))
		return false;
	spread_step(h, a, now);
	up->resend_at = now + spread_wait(h, a);
	return true;
}

/* ---- in ---------------------------------------------------------------- */

/* Does this ACK name our outstanding UPDATE? */
static bool acks_ours(const struct assoc_update *up, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_ACK);

	/* What has not left cannot be acknowledged. */
	return p && up->outstanding && up->sent.p &&
	       fields_has_ack(p, up->next_id - 1);
}

static struct update_answer answer_to(const struct event *ev, uint32_t seq)
{
	return (struct update_answer){ .seq = seq,
				       .from = *ev->p->from,
				       .at = *ev->p->at,
				       .relayed = ev->p->relayed,
				       .by_rvs = ev->p->has_from,
				       .via = ev->p->via,
				       .raw = ev->p->m.raw,
				       .len = ev->p->m.len };
}

/* Copies of one UPDATE come by several paths at nearly once. */
static bool reack_allowed(struct assoc_update *up, uint64_t now)
{
	if (now - up->reacked >= engine_times.reack) {
		up->reacked = now;
		up->reacks = 0;
		return true;
	}
	return false;
}

/* The copy of a known UPDATE that came by another path. */
static bool other_copy(const struct assoc *a, const struct packet *p)
{
	return a->up.reacks < REACKS_MAX &&
	       (p->has_from || !endpoint_eq(p->from, &a->peer_at));
}

/* A known SEQ: acknowledged again, when the MAC is right (6.12.1). The
 * answer is the kept one, which echoes what this copy asks behind its
 * signature, or, to an earlier UPDATE, a new ACK. */
static enum reason reack(struct hip *h, const struct event *ev, uint32_t seq)
{
	struct assoc *a = ev->a;
	struct assoc_update *up = &a->up;
	struct update_answer ans = answer_to(ev, seq);
	/* RFC 9028 4.6.2: each check is told where it came from. */
	bool kept = up->ack.p && up->acked == seq &&
		    (!a->ice || endpoint_eq(&up->ack_to, ice_from(ev->p)));
	enum reason r =
		auth_check_mac(&ev->p->m, a->keys->rhash, a->keys->hip.mac_in);

	if (r != REASON_NUM)
		return r;
	if (!reack_allowed(up, ev->now)) {
		if (!(kept || a->ice) || !other_copy(a, ev->p))
			return REASON_HIP_DUPLICATE;
		up->reacks++;
	}
	if (kept)
		send_answer(h, a, &up->ack, ev->p, true);
	else
		(void)put_out(h, a, false, &ans, ev->now);
	return REASON_HIP_DUPLICATE;
}

static enum reason worth(struct hip *h, const struct event *ev)
{
	const struct hip_msg *m = &ev->p->m;
	const struct hip_param *s = param_find(m, PARAM_SEQ);
	uint32_t seq;

	if (reach_awaits(h, ev->a, ev->p))
		return REASON_NUM;
	if (!s) {
		if (!param_find(m, PARAM_ACK))
			return REASON_HIP_MISSING; /* RFC 7401 5.3.5 */
		/* RFC 7401 6.12.2 step 1 */
		return acks_ours(&ev->a->up, m) ? REASON_NUM
						: REASON_HIP_DUPLICATE;
	}
	if (!fields_get_seq(s, &seq))
		return REASON_HIP_TLV;
	switch (seqwindow_place(&ev->a->up, seq)) {
	case SEQWINDOW_NEW:
		return REASON_NUM;
	case SEQWINDOW_KNOWN:
		return acks_ours(&ev->a->up, m) ? REASON_NUM
						: reack(h, ev, seq);
	case SEQWINDOW_OUTSIDE:
	case SEQWINDOW_NUM:
		break;
	}
	return REASON_HIP_STATE;
}

void update_input(struct hip *h, struct event *ev)
{
	enum reason r = worth(h, ev);

	if (r != REASON_NUM)
		engine_drop(h, ev->p, r);
	else
		(void)closing_check(h, ev);
}

static void take_ack(struct hip *h, struct assoc *a, const struct packet *p)
{
	struct assoc_update *up = &a->up;
	bool reg = up->reg_type;
	uint64_t now = p->now;

	up->outstanding = false;
	up->reg_type = 0;
	up->resend_at = ENGINE_NEVER;
	assoc_msg_drop(&up->sent);
	registration_answer(h, a, &p->m, reg, now);
	datapath_acked(h, a, now);
	reach_acked(h, a, p);
	rekey_acked(h, a, up->next_id - 1, now);
}

bool update_answer(struct hip *h, struct assoc *a,
		   const struct update_answer *ans, uint64_t now)
{
	bool keep = (rekey_ready(a) || readdress_due(a) ||
		     registration_due(h, a)) &&
		    !a->up.outstanding;

	if (!put_out(h, a, keep, ans, now))
		return false;
	seqwindow_mark(&a->up, ans->seq);
	registrar_commit(h, a, &ans->reg, now);
	return true;
}

/* A new UPDATE: what it asks, done, and the answer put out to be signed. */
static enum reason process(struct hip *h, struct assoc *a,
			   const struct event *ev, uint32_t seq)
{
	const struct hip_msg *m = &ev->p->m;
	struct update_answer ans = answer_to(ev, seq);
	struct readdress_offer offer;
	enum reason r = readdress_judge(h, a, m, &offer);
	bool taken;

	if (r == REASON_NUM)
		r = datarelay_permit(h, a, ev->p);
	if (r != REASON_NUM)
		return r;
	if (param_find(m, PARAM_ECHO_REQUEST_SIGNED))
		registration_seen(h, a);
	(void)registrar_decide(h, ev->p, &ans.reg); /* malformed: of none */
	r = rekey_offer(h, a, m, &ans, ev->now, &taken);
	if (r != REASON_NUM)
		return r;
	offer.again = a->up.in_has_set && a->up.in_set == seq;
	if (offer.has && !seqwindow_newest_set(&a->up, seq)) {
		offer.has = false;
		reason_count(&h->reasons, REASON_HIP_LOCATOR_OLD);
	}
	readdress_apply(h, a, &offer, ev->p); /* RFC 8046 5.3: after ESP_INFO */
	ice_heard(h, a, ev->p);
	pathwatch_crossed(h, a, ev->p);
	if (taken)
		return r;
	if (!update_answer(h, a, &ans, ev->now))
		return REASON_HIP_BUSY;
	registration_offer(a, m);
	return REASON_NUM;
}

/* An authentic one, from wherever it came; but a control relay is no place
 * where the peer is: where the relay sees it may be. */
static void seen(struct hip *h, struct assoc *a, const struct packet *p)
{
	if (p->relayed.port) {
		pathwatch_seen(h, a, &p->relayed, p->at, p->now);
		ice_tell_back(h, a, p);
	}
	if (p->relayed.port || (a->ice && ice_by_relay(a, p)))
		return;
	if (p->has_from || param_find(&p->m, PARAM_VIA_RVS))
		paths_tell(h, a, HIP_PATH_RELAYED, p->at, p->from, p->now);
	reach_heard(h, a, p->source.port ? &p->relayed : p->from, p->now);
	pathwatch_seen(h, a, p->from, p->at, p->now);
}

void update_ok(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	const struct hip_msg *m = &ev->p->m;
	const struct hip_param *s = param_find(m, PARAM_SEQ);
	bool ours = acks_ours(&a->up, m);
	bool echo = !ours && reach_awaits(h, ev->a, ev->p);
	enum reason r = REASON_NUM;
	uint32_t seq = 0;
	bool fresh = s && fields_get_seq(s, &seq) &&
		     seqwindow_place(&a->up, seq) == SEQWINDOW_NEW;

	/* While the job ran, a copy may have done all it could do, but for
	 * the echo of what this one asks. */
	if (!ours && !echo && !fresh) {
		engine_drop(h, ev->p,
			    s && seqwindow_place(&a->up, seq) == SEQWINDOW_KNOWN
				    ? reack(h, ev, seq)
				    : REASON_HIP_DUPLICATE);
		return;
	}
	(void)engine_seen(h, ev->p);
	responder_data(h, ev); /* R2-SENT ends (Table 5) */
	a->up.held = true;
	if (ours)
		take_ack(h, a, ev->p);
	else if (echo)
		reach_late(h, a, ev->p);
	else
		registration_answer(h, a, m, false, ev->now);
	if (fresh)
		r = process(h, a, ev, seq);
	if (r != REASON_NUM)
		engine_drop(h, ev->p, r);
	else
		seen(h, a, ev->p);
	readdress_heard(h, a, ev->now);
	a->up.held = false;
	update_flush(h, a, ev->now);
	assoc_arm(h, a);
}
