/* SPDX-License-Identifier: MIT */
/* Does the path live? Silence, other sources, credit. */
/* THEORY OF OPERATION
 * Silence: what we send is answered by something within a second, be it data
 * or, where a flow goes one way, by nothing. So the first octet that goes
 * out unanswered starts a clock (unheard); when it runs out, the path is
 * suspect and an UPDATE asks: the peer on the same path first, then
 * on the next one, and so on (spread.c). The first path to answer is the
 * path. A peer that answers where it always was has only nothing to say: the
 * next time the clock runs twice as long, up to 32 s, until data come again.
 *
 * Other ways: a peer that asks us at another address of ours than we send
 * from may have found that dead, while we hear it well, and would never
 * know. So ours is asked, too, unless it has just answered: else two that
 * send by different paths would ask each other for ever.
 *
 * Other sources: ESP or HIP that was authentic and came from elsewhere makes
 * an address a candidate, no more: whoever copies a packet can send it from
 * anywhere. Candidates are asked like announced addresses, one a second at
 * most, and one behind each new LOCATOR_SET (readdress.c).
 *
 * Credit (RFC 8046 5.6): octets received count, aged by 7/8 each 5 s; when
 * traffic must go to an address that is not proved, HIP_LOCATOR grants what
 * there is, and what comes in meanwhile. Who sends counts it down. When that
 * address may be asked no more, the credit pays for a question first.
 * Owner: the engine's thread.
 */
#include "hip/pathwatch.h"

#include "hip/datapath.h"
#include "hip/ice.h"
#include "hip/paths.h"
#include "hip/reach.h"
#include "hip/readdress.h"
#include "hip/spread.h"
#include "hip/update.h"

#define CREDIT_INTERVAL (5 * ENGINE_S)
#define CREDIT_MAX (UINT64_C(1) << 20) /* 7/8 of more is no use in an RTT */
#define QUESTION 1000		       /* octets, when it is not known */
#define SEEN_EVERY ENGINE_S
#define SILENCES_MAX 5
#define IN_USE (300 * ENGINE_S) /* hip_wake: traffic within */

/* ---- silence ------------------------------------------------------------ */

static uint64_t silence(const struct hip *h, const struct assoc *a)
{
	return (h->here.policy.silence_ms * ENGINE_MS) << a->silences;
}

static bool watched(const struct assoc *a)
{
	return a->unheard && !a->suspect && a->state == HIP_ESTABLISHED;
}

static void ask(struct hip *h, struct assoc *a, uint64_t now)
{
	a->suspect = true;
	spread_widen(h, a);
	update_probe(h, a, now);
	datapath_suspect(h, a, now);
}

static void suspect(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->silences < SILENCES_MAX)
		a->silences++;
	ask(h, a, now);
}

void pathwatch_out(struct hip *h, struct assoc *a, uint64_t now)
{
	bool idle = now - a->last_out > ENGINE_S;

	a->last_out = now;
	if (idle && a->paths)
		reach_choose(h, a, now);
	if (!a->unheard)
		a->unheard = now;
	else if (!watched(a) || now - a->unheard < silence(h, a))
		return;
	else
		suspect(h, a, now);
	assoc_arm(h, a);
}

void pathwatch_in(struct assoc *a, bool data)
{
	a->unheard = 0;
	if (data)
		a->silences = 0;
}

/* ---- other sources -------------------------------------------------------- */

bool pathwatch_wants(const struct assoc *a, const struct endpoint *from,
		     uint64_t now)
{
	return !endpoint_eq(from, &a->peer_at) &&
	       !endpoint_eq(from, &a->relay_at) &&
	       a->state == HIP_ESTABLISHED && now - a->seen_at >= SEEN_EVERY;
}

void pathwatch_seen(struct hip *h, struct assoc *a, const struct endpoint *from,
		    const struct endpoint *at, uint64_t now)
{
	if (!pathwatch_wants(a, from, now))
		return;
	if (reach_candidate(h, a, from, at, now))
		a->seen_at = now;
	assoc_arm(h, a);
}

void hip_seen_from(struct hip *h, const struct hit *self,
		   const struct hit *peer, const struct endpoint *from,
		   const struct endpoint *at, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, self, peer);

	/* A relay passes on what the peer sends, wherever that is. */
	if (a && a->sa_up && !datapath_is_relay(h, self, from))
		pathwatch_seen(h, a, from, at, now);
}

void pathwatch_crossed(struct hip *h, struct assoc *a, const struct packet *p)
{
	int cur = paths_current(a);

	if (cur < 0 || a->ice || a->suspect || p->has_from ||
	    endpoint_eq(p->at, &a->self_at) || !here_has(&h->here, p->at) ||
	    p->now - a->last_out > ENGINE_S ||
	    p->now - a->paths->v[cur].verified < ENGINE_S)
		return;
	/* No suspicion: another path's answer, asked before for another reason,
	 * must not be taken for the silence of this one. */
	reach_ask(h, a, cur, false, p->now);
}

/* ---- credit ---------------------------------------------------------------- */

static void age(struct assoc *a, uint64_t now)
{
	if (now - a->credit_at >= 64 * CREDIT_INTERVAL)
		a->credit = 0;
	for (; a->credit && now - a->credit_at >= CREDIT_INTERVAL;
	     a->credit_at += CREDIT_INTERVAL)
		a->credit = a->credit / 8 * 7;
	if (!a->credit)
		a->credit_at = now;
}

void pathwatch_locator(struct hip *h, struct assoc *a, uint64_t now)
{
	struct hip_effect *e = assoc_locator(h, a, true);
	uint64_t credit = 0;

	e->stranded = a->stranded;
	if (a->stranded)
		return;
	if (a->unproved) {
		age(a, now);
		credit = a->credit;
		a->credit = 0;
	}
	e->credit = credit;
	datarelay_moved(h, a, now);
	datapath_follow(h, a, now);
	if (!a->unproved)
		ice_proved(h, a);
}

/* Where we send may not be asked again for nothing. false: the credit does not
 * reach yet, and is kept for it. */
static bool pay(struct hip *h, struct assoc *a, uint64_t now)
{
	size_t cost = a->up.sent.p ? a->up.sent.len : QUESTION;

	if (!reach_spent(a, &a->peer_at))
		return true;
	if (a->credit < cost)
		return false;
	a->credit -= cost;
	reach_heard(h, a, &a->peer_at, now);
	assoc_arm(h, a);
	return true;
}

void hip_received(struct hip *h, const struct hit *self, const struct hit *peer,
		  uint64_t bytes, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, self, peer);

	if (!a || !a->sa_up)
		return;
	age(a, now);
	if (bytes > CREDIT_MAX - a->credit)
		a->credit = CREDIT_MAX;
	else
		a->credit += bytes;
	if (a->unproved && bytes && pay(h, a, now))
		pathwatch_locator(h, a, now);
}

/* ---- time ------------------------------------------------------------------- */

uint64_t pathwatch_deadline(const struct hip *h, const struct assoc *a)
{
	uint64_t at;

	/* In R2-SENT, which is soon over, nobody looks. */
	if (a->state != HIP_ESTABLISHED)
		return ENGINE_NEVER;
	at = paths_deadline(a);
	if (watched(a) && a->unheard + silence(h, a) < at)
		at = a->unheard + silence(h, a);
	return at;
}

void pathwatch_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	if (watched(a) && now - a->unheard >= silence(h, a))
		suspect(h, a, now);
	if (a->paths && now >= paths_deadline(a))
		reach_timer(h, a, now);
}

/* Whatever waits is sent now; who was in use is asked. */
static void wake(struct hip *h, struct assoc *a, uint64_t now)
{
	uint64_t used = a->last_in > a->last_out ? a->last_in : a->last_out;

	if (a->resend_at != ENGINE_NEVER)
		a->resend_at = now;
	if (a->state == HIP_ESTABLISHED &&
	    (now - used < IN_USE || a->up.outstanding ||
	     registration_holds(h, a)))
		ask(h, a, now);
	assoc_arm(h, a);
}

static void again(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->resend_at != ENGINE_NEVER)
		a->resend_at = now;
	if (a->state == HIP_ESTABLISHED && a->up.outstanding)
		update_probe(h, a, now);
	assoc_arm(h, a);
}

void hip_again(struct hip *h, uint64_t now)
{
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (struct assoc *a = h->assocs.bucket[i]; a; a = a->next)
			again(h, a, now);
	}
}

void hip_wake(struct hip *h, uint64_t now)
{
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (struct assoc *a = h->assocs.bucket[i]; a; a = a->next)
			wake(h, a, now);
	}
}
