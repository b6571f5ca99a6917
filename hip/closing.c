/* SPDX-License-Identifier: MIT */
/* Using up, closing and leaving an association (RFC 7401 6.14, 6.15). */
/* THEORY OF OPERATION
 * CLOSE is sent when an association has been idle, when its user leaves,
 * and when UPDATEs stay unanswered (6.11). Its SAs go down at once, "no
 * data can be sent" (4.4.2). CLOSE and CLOSE_ACK are checked MAC first,
 * then by a job for the signature; the answer needs another job. The nonce
 * in ECHO_REQUEST_SIGNED ties a CLOSE_ACK to our CLOSE.
 *
 * Thousands may close at once, jobs are few: who finds none waits in a list,
 * and each job that ends lets the next one sign. A CLOSE that could not be
 * signed is tried again by its timer. A CLOSE_ACK needs no such care: the
 * peer repeats its CLOSE. Whoever has recorded that one can repeat it, too,
 * so in CLOSED it is looked at ten times a second at most.
 */
#include "hip/closing.h"

#include <sodium.h>
#include <stddef.h>
#include <string.h>

#include "hip/auth.h"
#include "hip/hipjob.h"
#include "hip/ice.h"
#include "hip/initiator.h"
#include "hip/keepalive.h"
#include "hip/noassoc.h"
#include "hip/pathwatch.h"
#include "hip/rekey.h"
#include "hip/relayed.h"
#include "hip/update.h"

#define CHECKS_MAX 4 /* signature checks in flight for one association */

bool closing_check(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	struct hip_job *job = NULL;
	enum reason r;

	if (!param_find(&ev->p->m, PARAM_HIP_SIGNATURE))
		r = REASON_HIP_MISSING;
	else if (!a->keys)
		r = REASON_HIP_STATE;
	else
		r = auth_check_mac(&ev->p->m, a->keys->rhash,
				   a->keys->hip.mac_in);
	if (r == REASON_NUM) {
		if (a->check_jobs < CHECKS_MAX)
			job = hipjob_new(h, HIPJOB_CHECK, a->id);
		r = job ? REASON_NUM : REASON_HIP_BUSY;
	}
	if (r != REASON_NUM) {
		engine_drop(h, ev->p, r);
		return false;
	}
	hipjob_input(job, ev->p);
	job->serial = a->serial;
	memcpy(job->host_id, a->keys->host_id, a->keys->host_id_len);
	job->host_id_len = a->keys->host_id_len;
	if (!hipjob_start(h, job)) {
		engine_drop(h, ev->p, REASON_HIP_BUSY);
		return false;
	}
	a->check_jobs++;
	return true;
}

/* Puts the MAC under what job->out holds and has it signed. */
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

/* ---- our CLOSE --------------------------------------------------------- */

static bool sign_close(struct hip *h, struct assoc *a)
{
	struct hip_job *job = hipjob_new(h, HIPJOB_SIGN, a->id);

	if (!job)
		return false;
	job->from = a->peer_at;
	job->at = a->self_at;
	job->keep = true;
	message_begin(&job->out, HIP_CLOSE, &a->self, &a->peer);
	message_put(&job->out, PARAM_ECHO_REQUEST_SIGNED, a->nonce,
		    sizeof(a->nonce));
	return sign(h, a, job);
}

static struct assoc *of_queue(struct jobwait *w)
{
	return (struct assoc *)((char *)w - offsetof(struct assoc, closing));
}

void closing_more(struct hip *h)
{
	while (h->closes.first) {
		struct assoc *a = of_queue(h->closes.first);

		if (!sign_close(h, a))
			return;
		a->signing = true;
		jobqueue_del(&h->closes, &a->closing);
	}
}

/* Enters CLOSING; CLOSE leaves when it is signed. */
static void start(struct hip *h, struct assoc *a, uint64_t now)
{
	bool unproved = a->unproved;

	assoc_sa_down(h, a);
	registrar_drop(h, a);
	update_reset(a);
	a->unproved = unproved;
	assoc_msg_drop(&a->msg);
	assoc_new_serial(h, a);
	randombytes_buf(a->nonce, sizeof(a->nonce));
	a->tries = 0;
	a->resend_at = now + engine_times.retry;
	a->expire_at = now + engine_times.ual + engine_times.msl;
	jobqueue_add(&h->closes, &a->closing);
	closing_more(h);
	assoc_enter(h, a, HIP_CLOSING, now);
	assoc_arm(h, a);
}

void closing_leave(struct hip *h, struct event *ev)
{
	start(h, ev->a, ev->now);
}

/* Nothing agreed yet: just forget. In CLOSED only our asking ends. */
void closing_abort(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	if (a->state != HIP_CLOSED) {
		assoc_del(h, a, ev->now);
		return;
	}
	a->asking = false;
	assoc_new_serial(h, a); /* an R1 in work is of no use any more */
	a->resend_at = ENGINE_NEVER;
	if (a->expire_at == ENGINE_NEVER)
		a->expire_at = ev->now;
	registration_state(h, a, HIP_CLOSED, ev->now); /* it was waiting */
	assoc_arm(h, a);
}

/* RFC 9028 4.11: through the relay where there is no path, or none that
 * answers. */
static void send_close(struct hip *h, const struct assoc *a)
{
	assoc_send(h, a, &a->msg, &a->peer_at);
	if (a->tries > 2 || a->unproved)
		(void)relayed_resend(h, a, &a->msg);
}

void closing_signed(struct hip *h, struct assoc *a, struct hip_job *job,
		    uint64_t now)
{
	struct assoc_msg m = { .p = job->out.buf, .len = job->out.len };

	if (!job->keep) {
		if (job->reason == REASON_NUM)
			relayed_send(h, a, &m, &job->from, &job->at,
				     &job->relayed); /* RFC 9028 4.11 */
		return;
	}
	a->signing = false;
	if (job->reason != REASON_NUM || assoc_msg_keep(&a->msg, m.p, m.len))
		return; /* the timer tries again */
	a->tries = 0;
	send_close(h, a);
	a->resend_at = now + engine_times.retry;
	assoc_arm(h, a);
}

void closing_timer(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	uint64_t wait;

	if (ev->now >= a->expire_at) {
		assoc_del(h, a, ev->now);
		return;
	}
	if (ev->now >= a->resend_at) {
		a->tries++;
		send_close(h, a);
		if (!a->msg.p && !a->signing)
			jobqueue_add(&h->closes, &a->closing);
		closing_more(h);
		wait = engine_backoff(engine_times.retry, a->tries);
		if (wait > engine_times.retry_cap)
			wait = engine_times.retry_cap;
		a->resend_at = ev->now + wait;
	}
	assoc_arm(h, a);
}

/* ---- their CLOSE ------------------------------------------------------- */

void closing_close(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	bool again = a->state == HIP_CLOSED;

	if (!param_find(&ev->p->m, PARAM_ECHO_REQUEST_SIGNED))
		engine_drop(h, ev->p, REASON_HIP_MISSING);
	else if (again && ev->now - a->reanswered < engine_times.reack)
		engine_drop(h, ev->p, REASON_HIP_RATE);
	else if (closing_check(h, ev) && again)
		a->reanswered = ev->now;
}

static void send_ack(struct hip *h, struct assoc *a, const struct event *ev)
{
	const struct hip_param *echo =
		param_find(&ev->p->m, PARAM_ECHO_REQUEST_SIGNED);
	struct hip_job *job = hipjob_new(h, HIPJOB_SIGN, a->id);

	if (!job)
		return; /* the peer repeats its CLOSE */
	hipjob_input(job, ev->p);
	message_begin(&job->out, HIP_CLOSE_ACK, &a->self, &a->peer);
	message_put(&job->out, PARAM_ECHO_RESPONSE_SIGNED, echo->contents,
		    echo->len);
	(void)sign(h, a, job);
}

void closing_close_ok(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	(void)engine_seen(h, ev->p);
	if (a->state != HIP_CLOSED) {
		assoc_sa_down(h, a);
		registrar_drop(h, a);
		update_reset(a);
		assoc_msg_drop(&a->msg);
		/* Whatever else was in flight is of no use any more. */
		assoc_new_serial(h, a);
		a->asking = false;
		a->resend_at = ENGINE_NEVER;
		a->expire_at =
			ev->now + engine_times.ual + 2 * engine_times.msl;
		assoc_enter(h, a, HIP_CLOSED, ev->now);
	}
	send_ack(h, a, ev);
	assoc_arm(h, a);
}

void closing_ack(struct hip *h, struct event *ev)
{
	const struct hip_param *echo =
		param_find(&ev->p->m, PARAM_ECHO_RESPONSE_SIGNED);

	if (!echo)
		engine_drop(h, ev->p, REASON_HIP_MISSING);
	else if (echo->len != sizeof(ev->a->nonce) ||
		 sodium_memcmp(echo->contents, ev->a->nonce,
			       sizeof(ev->a->nonce)) != 0)
		engine_drop(h, ev->p, REASON_HIP_ECHO);
	else
		(void)closing_check(h, ev);
}

void closing_ack_ok(struct hip *h, struct event *ev)
{
	(void)engine_seen(h, ev->p);
	if (ev->a->asking) {
		/* CLOSED and wanted again: the exchange goes on from here. */
		return;
	}
	assoc_del(h, ev->a, ev->now);
}

/* CLOSED: I1 of a new wish, and the end (Table 8). */
void closing_closed_timer(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;

	if (a->asking && ev->now >= a->resend_at) {
		initiator_i1_timer(h, ev);
		return;
	}
	if (!a->asking && ev->now >= a->expire_at) {
		assoc_del(h, a, ev->now);
		return;
	}
	if (ev->now >= a->expire_at)
		a->expire_at = ENGINE_NEVER; /* R1 or E-FAILED will end it */
	assoc_arm(h, a);
}

/* ---- ESTABLISHED ------------------------------------------------------- */

void closing_idle_timer(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	uint64_t used = a->last_in > a->last_out ? a->last_in : a->last_out;

	if (!update_resend(h, a, ev->now) || !rekey_timer(h, a, ev->now)) {
		ice_failed(h, a, ev->now);
		start(h, a, ev->now); /* RFC 7401 6.11 step 4 */
		return;
	}
	noassoc_timer(h, a, ev->now);
	pathwatch_timer(h, a, ev->now);
	if (ev->now - used >= engine_times.ual) {
		if (!registration_holds(h, a) && !registrar_holds(h, a)) {
			start(h, a, ev->now); /* Table 6 */
			return;
		}
		a->last_out = ev->now; /* in use: look again later */
	}
	if (a->msg.p && ev->now - a->since >= 2 * engine_times.ec)
		assoc_msg_drop(&a->msg); /* R2: nobody repeats I2 so long */
	keepalive_timer(h, a, ev->now);
	assoc_arm(h, a);
}
