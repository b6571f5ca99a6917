/* SPDX-License-Identifier: MIT */
/* UPDATE packets (RFC 7401 6.11, 6.12) and what they carry. */
/* THEORY OF OPERATION
 * Out: one UPDATE is outstanding at a time (6.11 allows it and it avoids
 * every conflict); what comes up meanwhile waits for its ACK. A signed
 * UPDATE is kept and sent again with doubling waits; unanswered, the
 * association is broken. One whose signing failed has not left, so its id
 * is used again.
 *
 * In: SEQ is checked against a window of 32 ids, as in ESP: new ones may
 * be up to 16 ahead, known ones are acknowledged again (from the kept
 * answer or anew, not too often) but not processed again. MAC first, signature by
 * a job. What an UPDATE asks is decided after that; the answer, with ACK,
 * is signed by a second job. Half of a rekey is answered when rekey.c says
 * so; the answer then carries our half, and a SEQ.
 *
 * Contents known here: REG_INFO, REG_REQUEST, REG_RESPONSE; ESP_INFO and
 * DIFFIE_HELLMAN go to rekey.c. LOCATOR_SET will find its place in
 * process(); until then such an UPDATE is acknowledged and its other
 * parameters are ignored.
 */
#include "hip/update.h"

#include <string.h>

#include "hip/auth.h"
#include "hip/closing.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/registration.h"
#include "hip/rekey.h"
#include "hip/relayed.h"
#include "hip/responder.h"

#define WINDOW_AHEAD 16

void update_reset(struct assoc *a)
{
	assoc_msg_drop(&a->up.sent);
	assoc_msg_drop(&a->up.ack);
	a->up = (struct assoc_update){ .resend_at = ENGINE_NEVER,
				       .in_high = UINT32_MAX };
}

/* MAC, job for the signature. false: not started, job is freed. */
static bool sign(struct hip *h, struct assoc *a, struct hip_job *job)
{
	if (auth_put_mac(&job->out, a->keys->rhash, a->keys->hip.mac_out)) {
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

/* Type order (RFC 7401 5.2.1). ans NULL: it acknowledges nothing, and theirs
 * is not read. */
static void compose(struct hip_job *job, const struct assoc *a, bool rekey,
		    const struct update_answer *ans,
		    const struct hip_msg *theirs)
{
	struct field_reg reg = { .first = a->up.reg,
				 .types = &a->up.reg_type,
				 .types_num = 1 };
	struct field_ack ack = { .id = { ans ? ans->seq : 0 }, .num = 1 };
	struct msg_builder *b = &job->out;

	message_begin(b, HIP_UPDATE, &a->self, &a->peer);
	if (rekey)
		rekey_put_esp_info(b, a);
	if (job->keep)
		fields_put_seq(b, a->up.next_id);
	if (ans)
		fields_put_ack(b, &ack);
	if (rekey)
		rekey_put_dh(b, a);
	if (job->keep && a->up.reg)
		fields_put_reg(b, PARAM_REG_REQUEST, &reg);
	if (!ans)
		return;
	registrar_put(b, &ans->reg); /* RFC 8003 3.3 */
	/* The unsigned ones follow the signature (RFC 7401 5.2.21). */
	fields_put_echo(b, theirs, PARAM_ECHO_REQUEST_SIGNED,
			PARAM_ECHO_RESPONSE_SIGNED);
}

/* Has an UPDATE signed. keep: one with SEQ, outstanding from now on. */
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
	if (keep && !up->reg)
		up->reg = registration_take(h, a, &up->reg_type);
	if (ans)
		memcpy(job->in, ans->raw, job->in_len = ans->len);
	if (ans && param_parse(job->in, job->in_len, &theirs) != REASON_NUM) {
		hipjob_unlink(h, job); /* never: it was parsed before */
		hipjob_free(job);
		return false;
	}
	compose(job, a, rekey, ans, &theirs);
	if (!sign(h, a, job))
		return false;
	if (!keep)
		return true;
	if (rekey)
		rekey_sent(a, up->next_id);
	up->next_id++;
	up->outstanding = true;
	up->tries = 0;
	up->resend_at = now + engine_times.retry;
	assoc_msg_drop(&up->sent);
	return true;
}

void update_send(struct hip *h, struct assoc *a, uint64_t now)
{
	struct assoc_update *up = &a->up;

	up->waiting = true;
	if (up->outstanding || rekey_holds_updates(a))
		return;
	if (put_out(h, a, true, NULL, now))
		up->waiting = false;
	else
		up->resend_at = now + engine_times.retry;
}

void update_flush(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->up.waiting)
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
	up->outstanding = false;
	up->waiting = true;
	up->resend_at = now + engine_times.retry;
}

void update_signed(struct hip *h, struct assoc *a, struct hip_job *job,
		   uint64_t now)
{
	struct assoc_update *up = &a->up;
	struct assoc_msg m = { .p = job->out.buf, .len = job->out.len };

	if (job->reason != REASON_NUM ||
	    (job->keep && assoc_msg_keep(&up->sent, m.p, m.len))) {
		unsigned_back(a, job, now);
		assoc_arm(h, a);
		return;
	}
	if (job->ack && assoc_msg_keep(&up->ack, m.p, m.len) == HG_OK)
		up->acked = job->seq;
	relayed_send(h, a, &m, &job->from, &job->at, &job->relayed);
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
	/* In R2-SENT the peer may not have its keys yet: it is not asked
	 * more slowly than before, and not given up. */
	if (up->tries + 1 >= engine_times.update_max) {
		if (a->state == HIP_ESTABLISHED)
			return false;
	} else {
		up->tries++;
	}
	assoc_send(h, a, &up->sent, &a->peer_at);
	if (up->tries > 1) /* RFC 9028 4.8 */
		(void)relayed_resend(h, a, &up->sent);
	up->resend_at = now + engine_backoff(engine_times.retry, up->tries);
	return true;
}

/* ---- in ---------------------------------------------------------------- */

/* Where an Update ID stands (circular, RFC 7401 6.12). */
enum place { PLACE_NEW, PLACE_KNOWN, PLACE_OUTSIDE };

static enum place place_of(const struct assoc_update *up, uint32_t seq)
{
	uint32_t ahead = seq - up->in_high;
	uint32_t behind = up->in_high - seq;

	if (ahead >= 1 && ahead <= WINDOW_AHEAD)
		return PLACE_NEW;
	if (behind >= 32)
		return PLACE_OUTSIDE;
	/* Their first id is 0: none comes before it. */
	if (!up->in_far && (up->in_high == UINT32_MAX || seq > up->in_high))
		return PLACE_OUTSIDE;
	return up->in_seen & (UINT32_C(1) << behind) ? PLACE_KNOWN : PLACE_NEW;
}

static void mark(struct assoc_update *up, uint32_t seq)
{
	uint32_t ahead = seq - up->in_high;

	if (ahead >= 1 && ahead <= WINDOW_AHEAD) {
		up->in_seen = up->in_seen << ahead | 1;
		up->in_high = seq;
		up->in_far = up->in_far || seq >= 32;
	} else if (up->in_high - seq < 32) {
		up->in_seen |= UINT32_C(1) << (up->in_high - seq);
	}
}

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
				       .raw = ev->p->m.raw,
				       .len = ev->p->m.len };
}

/* A known SEQ: acknowledged again, when the MAC is right (6.12.1). The
 * answer is the kept one, or, to an earlier UPDATE, a new ACK. */
static enum reason reack(struct hip *h, const struct event *ev, uint32_t seq)
{
	struct assoc *a = ev->a;
	struct assoc_update *up = &a->up;
	struct update_answer ans = answer_to(ev, seq);
	enum reason r =
		auth_check_mac(&ev->p->m, a->keys->rhash, a->keys->hip.mac_in);

	if (r != REASON_NUM)
		return r;
	if (ev->now - up->reacked < engine_times.reack)
		return REASON_HIP_DUPLICATE;
	up->reacked = ev->now;
	if (up->ack.p && up->acked == seq)
		relayed_send(h, a, &up->ack, ev->p->from, ev->p->at,
			     &ev->p->relayed);
	else
		(void)put_out(h, a, false, &ans, ev->now);
	return REASON_HIP_DUPLICATE;
}

static enum reason worth(struct hip *h, const struct event *ev)
{
	const struct hip_msg *m = &ev->p->m;
	const struct hip_param *s = param_find(m, PARAM_SEQ);
	uint32_t seq;

	if (!s) {
		if (!param_find(m, PARAM_ACK))
			return REASON_HIP_MISSING; /* RFC 7401 5.3.5 */
		/* RFC 7401 6.12.2 step 1 */
		return acks_ours(&ev->a->up, m) ? REASON_NUM
						: REASON_HIP_DUPLICATE;
	}
	if (!fields_get_seq(s, &seq))
		return REASON_HIP_TLV;
	switch (place_of(&ev->a->up, seq)) {
	case PLACE_NEW:
		return REASON_NUM;
	case PLACE_KNOWN:
		return acks_ours(&ev->a->up, m) ? REASON_NUM
						: reack(h, ev, seq);
	case PLACE_OUTSIDE:
		return REASON_HIP_STATE;
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

static void take_ack(struct hip *h, struct assoc *a, const struct hip_msg *m,
		     uint64_t now)
{
	struct assoc_update *up = &a->up;
	bool reg = up->reg;

	up->outstanding = false;
	up->reg = 0;
	up->resend_at = ENGINE_NEVER;
	assoc_msg_drop(&up->sent);
	if (reg)
		registration_answer(h, a, m, true, now);
	rekey_acked(h, a, up->next_id - 1, now);
}

static void take_reg_info(struct assoc *a, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_REG_INFO);
	struct field_reg_info info;

	if (!p || !fields_get_reg_info(p, &info))
		return;
	a->reg_offered = fields_reg_services(&info);
	a->reg_min = info.min_lifetime;
	a->reg_max = info.max_lifetime;
}

bool update_answer(struct hip *h, struct assoc *a,
		   const struct update_answer *ans, uint64_t now)
{
	bool keep = rekey_ready(a) && !a->up.outstanding;

	if (!put_out(h, a, keep, ans, now))
		return false;
	mark(&a->up, ans->seq);
	registrar_commit(h, a, &ans->reg, now);
	return true;
}

/* A new UPDATE: what it asks, done, and the answer put out to be signed. */
static enum reason process(struct hip *h, struct assoc *a,
			   const struct event *ev, uint32_t seq)
{
	const struct hip_msg *m = &ev->p->m;
	struct update_answer ans = answer_to(ev, seq);
	enum reason r;
	bool taken;

	if (!registrar_decide(h, ev->p, &ans.reg))
		memset(&ans.reg, 0, sizeof(ans.reg));
	r = rekey_offer(h, a, m, &ans, ev->now, &taken);
	if (r != REASON_NUM || taken)
		return r;
	if (!update_answer(h, a, &ans, ev->now))
		return REASON_HIP_BUSY;
	take_reg_info(a, m);
	return REASON_NUM;
}

void update_ok(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	const struct hip_msg *m = &ev->p->m;
	const struct hip_param *s = param_find(m, PARAM_SEQ);
	bool ours = acks_ours(&a->up, m);
	enum reason r = REASON_NUM;
	uint32_t seq = 0;

	(void)engine_seen(h, ev->p);
	responder_data(h, ev); /* R2-SENT ends (Table 5) */
	if (ours)
		take_ack(h, a, m, ev->now);
	else
		registration_answer(h, a, m, false, ev->now);
	if (s && fields_get_seq(s, &seq) && place_of(&a->up, seq) == PLACE_NEW)
		r = process(h, a, ev, seq);
	if (r != REASON_NUM)
		engine_drop(h, ev->p, r);
	update_flush(h, a, ev->now);
	assoc_arm(h, a);
}
