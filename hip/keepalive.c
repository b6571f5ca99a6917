/* SPDX-License-Identifier: MIT */
/* NAT keepalives (RFC 9028 4.10, 5.3). */
/* THEORY OF OPERATION
 * A NAT forgets a UDP mapping that is not used, and only what leaves from
 * behind it is sure to count as use (RFC 4787 REQ-6). So whoever is behind
 * one sends a NOTIFY when nothing else has left for Tr, to each peer it has
 * an SA with. Whoever is not, but whose peer seems to be, sends only when
 * nothing has gone either way for a third longer, so that the other's come
 * first and both together send one each Tr.
 *
 * Who is behind a NAT: whom a relay sees elsewhere than it is itself
 * (REG_FROM), and who writes from a private address to a public one, unless
 * the configuration says yes or no. A peer is when its
 * port is not the one that everybody uses, or when it is our relay client.
 * A relay of ours is always kept, behind a NAT or not. A rendezvous server is
 * sent one a minute: if it has started again it says so (noassoc.c), and else
 * nobody would find us before the next refresh.
 *
 * When data flowed and stop, one leaves soon: perhaps there is no more, perhaps
 * the NAT has forgotten us, and the peer's retransmissions come from outside.
 *
 * A laptop is not woken more often than need be: they leave on a grid of 5 s,
 * so however many peers there are, it is three times in 15 s at most; the
 * wait is up to Tr + 5 s at first and Tr from then on. One timer, the
 * association's own, stands for it; without an SA, and without a NAT, there
 * is none. The message is always the same, so it is signed once and kept.
 *
 * Received ones are told by their contents and cost nothing more: nobody
 * could afford to verify 100000 of them each 15 s, nothing is answered, and
 * all that a forged one does is to let us wait for the next. But one that
 * comes from elsewhere may mean that a NAT has changed its mind: it goes on
 * to notify.c, is verified, and the peer is asked there (pathwatch.c).
 */
#include "hip/keepalive.h"

#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/pathwatch.h"
#include "hip/registration.h"

#define GRID (5 * ENGINE_S)
#define FLOWS (2 * ENGINE_S)	  /* data come at least so often */
#define STOPPED (700 * ENGINE_MS) /* before TCP has lost its patience */
#define RENDEZVOUS 4		  /* times the period */

bool keepalive_behind(const struct hip *h)
{
	switch (h->cfg.behind_nat) {
	case HIP_NAT_YES:
		return true;
	case HIP_NAT_NO:
		return false;
	case HIP_NAT_AUTO:
		break;
	}
	return h->registrations.behind;
}

/* Toward this peer? */
static bool behind(const struct hip *h, const struct assoc *a)
{
	if (keepalive_behind(h))
		return true;
	if (a->ice) /* RFC 9028 4.10; it is why there are checks */
		return h->cfg.behind_nat == HIP_NAT_AUTO;
	return h->cfg.behind_nat == HIP_NAT_AUTO &&
	       addr_is_private4(&a->self_at.addr) &&
	       !addr_is_private4(&a->peer_at.addr);
}

bool keepalive_input(struct hip *h, const struct packet *p, struct assoc *a)
{
	const struct hip_param *n;
	struct field_notification f;

	if (p->m.type != HIP_NOTIFY)
		return false;
	n = param_find(&p->m, PARAM_NOTIFICATION);
	if (!n || param_next(&p->m, n) || !fields_get_notification(n, &f) ||
	    f.type != FIELDS_NAT_KEEPALIVE)
		return false;
	if (a && pathwatch_wants(a, p->from, p->now))
		return false;
	reason_count(&h->reasons, REASON_HIP_KEEPALIVE);
	if (a && endpoint_eq(p->from, &a->peer_at))
		a->keep.heard = p->now;
	return true;
}

static uint64_t period(const struct hip *h)
{
	uint64_t s = h->cfg.keepalive_s;

	return (s > KEEPALIVE_MIN_S ? s : KEEPALIVE_MIN_S) * ENGINE_S;
}

static uint64_t later(uint64_t x, uint64_t y)
{
	return x > y ? x : y;
}

static uint64_t on_grid(uint64_t at)
{
	return at + (GRID - at % GRID) % GRID;
}

void keepalive_data(struct assoc *a, uint64_t now)
{
	a->keep.flowing = now - a->keep.data_in < FLOWS;
	a->keep.data_in = now;
}

uint64_t keepalive_deadline(const struct hip *h, const struct assoc *a)
{
	uint64_t out = later(a->last_out, a->keep.sent);

	if (!a->sa_up || a->ice_waits)
		return ENGINE_NEVER;
	if (behind(h, a) || registration_relay(h, &a->self, &a->peer)) {
		if (a->keep.flowing && a->keep.data_in > a->keep.sent &&
		    a->keep.data_in >= a->last_out)
			return a->keep.data_in + STOPPED;
		return on_grid(out + period(h));
	}
	if (registration_holds(h, a))
		return on_grid(out + RENDEZVOUS * period(h));
	if (a->peer_at.port == HIP_PORT &&
	    a->service != FIELDS_REG_RELAY_UDP_HIP)
		return ENGINE_NEVER; /* no NAT that we know of */
	return later(out, later(a->last_in, a->keep.heard)) + period(h) / 3 * 4;
}

static void have_signed(struct hip *h, struct assoc *a)
{
	struct field_notification n = { .type = FIELDS_NAT_KEEPALIVE };
	struct hip_job *job = hipjob_new(h, HIPJOB_SIGN, a->id);

	if (!job)
		return;
	job->keep = true;
	job->peer = a->peer;
	job->serial = a->serial;
	message_begin(&job->out, HIP_NOTIFY, &a->self, &a->peer);
	fields_put_notification(&job->out, &n);
	if (!hipjob_start(h, job))
		return; /* no memory: with the next one */
}

void keepalive_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	if (now < keepalive_deadline(h, a))
		return;
	a->keep.sent = now;
	if (a->keep.msg.p)
		assoc_send(h, a, &a->keep.msg, &a->peer_at);
	else
		have_signed(h, a);
}

void keepalive_signed(struct hip *h, struct assoc *a, const struct hip_job *job)
{
	if (job->reason != REASON_NUM ||
	    assoc_msg_keep(&a->keep.msg, job->out.buf, job->out.len))
		return;
	if (a->sa_up)
		assoc_send(h, a, &a->keep.msg, &a->peer_at);
}
