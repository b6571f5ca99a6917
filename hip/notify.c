/* SPDX-License-Identifier: MIT */
/* NOTIFY: what peers tell us, and what we tell them (RFC 7401 6.13). */
/* THEORY OF OPERATION
 * A NOTIFY has no MAC and no nonce: anybody can make up one, and replay a
 * true one. So it is shown only after a job has verified its signature
 * under the Host Identity we know, one at a time for an association and
 * within a budget for each source, and it changes no state (6.13). It may
 * do two things in I2-SENT: name the reason with which the exchange fails,
 * should it fail; and, saying "busy", have the next repetition of I2 be a
 * new I1 instead, three times at most (initiator.c).
 *
 * We send one only when told to (hip_config.notify), only for an I2 whose
 * puzzle was solved (5.2.19), when policy, proposal or load refuses it, and
 * seldom. A wrong MAC or signature is not answered: its sender is anybody.
 */
#include "hip/notify.h"

#include <string.h>

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/pathwatch.h"

#define STATUS_MIN 16384 /* types from here on are no errors */
#define SHOWN_MAX 4	 /* of one packet */

static const struct {
	uint16_t type;
	const char *name;
} names[] = {
	{ 1, "UNSUPPORTED_CRITICAL_PARAMETER_TYPE" },
	{ 7, "INVALID_SYNTAX" },
	{ 14, "NO_DH_PROPOSAL_CHOSEN" },
	{ 15, "INVALID_DH_CHOSEN" },
	{ 16, "NO_HIP_PROPOSAL_CHOSEN" },
	{ 17, "INVALID_HIP_CIPHER_CHOSEN" },
	{ 18, "NO_ESP_PROPOSAL_CHOSEN" },	/* RFC 7402 5.1.3 */
	{ 19, "INVALID_ESP_TRANSFORM_CHOSEN" }, /* RFC 7402 5.1.3 */
	{ 20, "UNSUPPORTED_HIT_SUITE" },
	{ 24, "AUTHENTICATION_FAILED" },
	{ 26, "CHECKSUM_FAILED" },
	{ 28, "HIP_MAC_FAILED" },
	{ 32, "ENCRYPTION_FAILED" },
	{ 40, "INVALID_HIT" },
	{ 42, "BLOCKED_BY_POLICY" },
	{ 44, "RESPONDER_BUSY_PLEASE_RETRY" },
	{ 46, "LOCATOR_TYPE_UNSUPPORTED" },		 /* RFC 8046 4 */
	{ 51, "REG_REQUIRED" },				 /* RFC 8003 4.6 */
	{ 60, "NO_VALID_NAT_TRAVERSAL_MODE_PARAMETER" }, /* RFC 9028 5.10 */
	{ 61, "CONNECTIVITY_CHECKS_FAILED" },
	{ 62, "MESSAGE_NOT_RELAYED" },
	{ 63, "SERVER_REFLEXIVE_CANDIDATE_ALLOCATION_FAILED" },
	{ 64, "RVS_HMAC_PROHIBITED_WITH_RELAY" },
	{ 16384, "I2_ACKNOWLEDGEMENT" },
	{ 16385, "NAT_KEEPALIVE" },
	{ FIELDS_NO_ASSOCIATION, "NO_ASSOCIATION" }, /* private use */
};

static const char *find(uint16_t type)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].type == type)
			return names[i].name;
	}
	return NULL;
}

const char *hip_notify_name(uint16_t type)
{
	const char *name = find(type);

	return name ? name : "?";
}

/* ---- in ---------------------------------------------------------------- */

static bool in_work(const struct hip *h, const struct assoc *a)
{
	for (const struct hip_job *j = h->jobs; j; j = j->next) {
		if (j->kind == HIPJOB_CHECK && j->serial == a->serial &&
		    (j->in[2] & 0x7f) == HIP_NOTIFY)
			return true;
	}
	return false;
}

static enum reason worth(struct hip *h, const struct event *ev)
{
	const struct hip_msg *m = &ev->p->m;

	if (!param_find(m, PARAM_NOTIFICATION) ||
	    !param_find(m, PARAM_HIP_SIGNATURE))
		return REASON_HIP_MISSING;
	if (!ev->a->keys)
		return REASON_HIP_STATE;
	if (h->job_num >= (h->cfg.jobs_max + 1) / 2 || in_work(h, ev->a))
		return REASON_HIP_BUSY;
	if (!srcrate_allow(&h->budget.notify_in, &ev->p->from->addr, ev->now))
		return REASON_HIP_RATE;
	return REASON_NUM;
}

void notify_input(struct hip *h, struct event *ev)
{
	struct assoc *a = ev->a;
	struct hip_job *job = NULL;
	enum reason r = worth(h, ev);

	if (r == REASON_NUM) {
		job = hipjob_new(h, HIPJOB_CHECK, a->id);
		r = job ? REASON_NUM : REASON_HIP_BUSY;
	}
	if (r == REASON_NUM) {
		hipjob_input(job, ev->p);
		job->serial = a->serial;
		memcpy(job->host_id, a->keys->host_id, a->keys->host_id_len);
		job->host_id_len = a->keys->host_id_len;
		if (!hipjob_start(h, job))
			r = REASON_HIP_BUSY;
	}
	if (r != REASON_NUM)
		engine_drop(h, ev->p, r);
}

/* What one NOTIFICATION says; false: nothing we could show. */
static bool tell(struct hip *h, const struct event *ev, uint16_t type)
{
	struct assoc *a = ev->a;
	struct hip_effect *e;

	/* RFC 7401 5.2.19: unknown status is ignored, unknown errors are
	 * logged. */
	if (type == FIELDS_NAT_KEEPALIVE || (type >= STATUS_MIN && !find(type)))
		return false;
	if (a->state == HIP_I2_SENT && type < STATUS_MIN)
		a->why = REASON_HIP_REFUSED;
	if (a->state == HIP_I2_SENT && type == FIELDS_RESPONDER_BUSY)
		a->busy = true;
	e = effects_put(&h->fx, HIP_NOTIFIED);
	e->self = a->self;
	e->peer = a->peer;
	e->self_at = *ev->p->at;
	e->peer_at = *ev->p->from;
	e->type = HIP_NOTIFY;
	e->notify = type;
	return true;
}

void notify_ok(struct hip *h, struct event *ev)
{
	const struct hip_msg *m = &ev->p->m;
	const struct hip_param *p = param_find(m, PARAM_NOTIFICATION);
	struct field_notification n;
	unsigned shown = 0;

	(void)engine_seen(h, ev->p);
	/* A relay is no place where the peer is; where that sees it may be. */
	if (ev->p->relayed.port)
		pathwatch_seen(h, ev->a, &ev->p->relayed, ev->p->at, ev->now);
	else if (!param_find(m, PARAM_RELAY_TO))
		pathwatch_seen(h, ev->a, ev->p->from, ev->p->at, ev->now);
	for (; p && shown < SHOWN_MAX; p = param_next(m, p)) {
		if (fields_get_notification(p, &n))
			shown += tell(h, ev, n.type);
	}
}

/* ---- out --------------------------------------------------------------- */

/* How a refusal reads on the wire; 0: it is not told. */
static uint16_t type_of(enum reason r, uint16_t code)
{
	switch (r) {
	case REASON_HIP_DENIED:
		return FIELDS_BLOCKED_BY_POLICY;
	case REASON_HIP_BUSY:
	case REASON_HIP_RATE:
	case REASON_HIP_PUZZLE_USED:
		return FIELDS_RESPONDER_BUSY; /* a new puzzle will do */
	case REASON_HIP_PROPOSAL:
	case REASON_HIP_NAT_MODE:
		return code;
	default:
		return 0;
	}
}

void notify_refuse(struct hip *h, const struct packet *p, enum reason r,
		   uint16_t code)
{
	struct field_notification n = { .type = type_of(r, code) };
	struct hip_job *job;

	if (!h->cfg.notify || !n.type ||
	    !srcrate_allow(&h->budget.notify_out, &p->from->addr, p->now))
		return;
	job = hipjob_new(h, HIPJOB_SIGN, engine_identity(h, &p->m.receiver));
	if (!job)
		return;
	job->peer = p->m.sender;
	job->from = *p->from;
	job->at = *p->at;
	job->relayed = p->relayed;
	message_begin(&job->out, HIP_NOTIFY, &p->m.receiver, &p->m.sender);
	fields_put_notification(&job->out, &n);
	if (!hipjob_start(h, job))
		return; /* no memory: it stays untold */
}

void notify_tell(struct hip *h, const struct assoc *a, uint16_t type,
		 const struct endpoint *to, uint64_t now)
{
	struct field_notification n = { .type = type };
	struct hip_job *job;

	if (!srcrate_allow(&h->budget.notify_out, &to->addr, now))
		return;
	job = hipjob_new(h, HIPJOB_SIGN, a->id);
	if (!job)
		return;
	job->peer = a->peer;
	job->from = *to;
	job->at = a->self_at;
	message_begin(&job->out, HIP_NOTIFY, &a->self, &a->peer);
	fields_put_notification(&job->out, &n);
	if (!hipjob_start(h, job))
		return; /* no memory: it stays untold */
}

void notify_signed(struct hip *h, struct hip_job *job)
{
	struct hip_effect *e;

	if (job->reason != REASON_NUM)
		return;
	if (job->relayed.port) /* RFC 9028 4.8 */
		fields_put_udp_at(&job->out, PARAM_RELAY_TO, &job->relayed);
	e = effects_send(&h->fx, job->out.buf, job->out.len);
	e->self = job->self;
	e->peer = job->peer;
	e->self_at = job->at;
	e->peer_at = job->from;
	e->type = HIP_NOTIFY;
}
