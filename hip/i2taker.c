/* SPDX-License-Identifier: MIT */
/* The Responder's last step: an I2 that is verified (RFC 7401 6.9). */
#include "hip/i2taker.h"

#include "hip/hipjob.h"
#include "hip/ice.h"
#include "hip/reach.h"
#include "hip/readdress.h"
#include "hip/relayed.h"
#include "hip/update.h"

bool i2taker_stale(const struct assoc *a, uint64_t issued)
{
	return a && issued < a->fresh_from;
}

void i2taker_send_r2(struct hip *h, const struct assoc *a,
		     const struct packet *p)
{
	if (p->relayed.port)
		relayed_send(h, a, &a->msg, p->from, p->at, &p->relayed);
	else
		assoc_send(h, a, &a->msg, p->from);
}

/* The association that was, if any, gives way to the new one. */
static void take_over(struct hip *h, struct assoc *a, struct event *ev)
{
	struct hip_job *job = ev->job;

	assoc_new_serial(h, a);
	assoc_set_keys(h, a, job->keys); /* old SA down: RFC 7402 6.5 */
	job->keys = NULL;
	job->u.i2.spi = 0; /* the association's now */
	update_reset(a);
	a->peer_anonymous = ev->p->m.controls & PARAM_CONTROL_A;
	a->initiator = false;
	a->asking = false;
	a->reg_offered = 0;
	a->relay_at = (struct endpoint){ .port = 0 };
	a->ice = job->u.i2.ice;
	a->telling = job->u.i2.generation;
	a->ice_pace = ice_pace(&ev->p->m);
	a->peer_at = job->from;
	a->self_at = job->at;
	a->i2_print = job->u.i2.print;
	a->reanswered = ev->now;
	a->fresh_from = job->u.i2.issued + 1; /* one I2 for each R1 */
	a->why = REASON_NUM;
	a->tries = 0;
	a->keep.ask_at = 0;
	a->keep.denied = false;
	a->resend_at = ENGINE_NEVER;
	a->expire_at = ev->now + engine_times.ec;
	a->last_in = ev->now;
	a->last_out = ev->now;
}

void i2taker_ok(struct hip *h, struct event *ev)
{
	struct hip_job *job = ev->job;
	struct assoc *a = ev->a;
	struct assoc_msg r2 = { 0 };
	struct readdress_offer candidates;
	enum reason r = REASON_NUM;

	/* While the job ran, another may have finished. */
	if (spent_has(&h->budget.spent, job->u.i2.print, ev->now) ||
	    i2taker_stale(a, job->u.i2.issued)) {
		engine_drop(h, ev->p, REASON_HIP_DUPLICATE);
		return;
	}
	if (job->u.i2.ice)
		r = ice_read(h, job->keys, &ev->p->m, &candidates);
	if (r != REASON_NUM) {
		engine_drop(h, ev->p, r);
		return;
	}
	if (assoc_msg_keep(&r2, job->out.buf, job->out.len) ||
	    (!a && assoc_add(h, &job->self, &job->peer, &a))) {
		assoc_msg_drop(&r2);
		engine_drop(h, ev->p, REASON_HIP_BUSY);
		return;
	}
	spent_add(&h->budget.spent, job->u.i2.print, job->u.i2.spent_until,
		  ev->now);
	(void)engine_seen(h, ev->p);
	take_over(h, a, ev);
	assoc_msg_drop(&a->msg);
	a->msg = r2;
	assoc_sa_up(h, a,
		    ev->now); /* before R2 leaves: its answer may be ESP */
	if (!a->ice)
		(void)assoc_locator(h, a, true);
	i2taker_send_r2(h, a, ev->p); /* RFC 8047 4.2.8 */
	if (!a->ice)
		readdress_met(h, a, ev->p);
	assoc_enter(h, a, HIP_R2_SENT, ev->now);
	if (a->ice) {
		ice_begin(h, a, &candidates, ev->p);
		(void)assoc_locator(h, a, true);
		reach_choose(h, a, ev->now);
		update_flush(h, a, ev->now);
	}
	registrar_commit(h, a, &job->u.i2.answer, ev->now);
	assoc_arm(h, a);
}

void i2taker_ok_crossing(struct hip *h, struct event *ev)
{
	if (hit_cmp(&ev->a->self, &ev->a->peer) < 0)
		engine_drop(h, ev->p, REASON_HIP_STATE);
	else
		i2taker_ok(h, ev);
}
