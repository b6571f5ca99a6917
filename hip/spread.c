/* SPDX-License-Identifier: MIT */
/* Where an UPDATE goes: one path, then all of them (RFC 8046 3.2.3). */
/* THEORY OF OPERATION
 * One UPDATE is outstanding at a time, but it may go out in several copies:
 * same SEQ, same signature, one for each path. A copy carries, behind the
 * signature, an ECHO_REQUEST_UNSIGNED of its own, a keyed hash of the two
 * addresses (proof.c), so that the answer tells which copy the peer has
 * had, whatever source the answer comes from.
 *
 * An UPDATE begins narrow: on the path that is to be verified, or on the
 * current one. Unanswered, or sent because the path is suspect or has gone,
 * it becomes wide: each round tries the paths one by one, the best first, two
 * round trips (50 to 250 ms) apart, and last the places where the peer was first looked for (the
 * locators of the wish): a rendezvous server there passes it on. The peer
 * answers the first copy and repeats that answer for the others.
 *
 * A link that is there again does not carry at once (routes, neighbours, what
 * is between), and while nothing is heard by it, all that is to be sent waits:
 * so the first rounds follow each other in a hurry, and do not count.
 *
 * With ICE, when a path that lived is suspect, the first round ends two round
 * trips after its last copy, and the relay passes the next one on: a NAT that
 * has forgotten us has given us a port that the other's NAT does not let in.
 *
 * With ICE a path is taken as soon as one answers, and better ones are looked
 * for while it is used, all of which may be none: what asks such a candidate
 * goes along the path that is known to work, too. Else a rekey or whatever else
 * is to be said next would wait for an answer that never comes.
 *
 * An address that was never proved gets PATHS_ASK_MAX copies and no more:
 * whoever lists a victim's address has us send three small packets there. All
 * its ports together get CHECKQUOTA_MAX (checkquota.c), and those that all
 * associations send to one network have a budget, too. A further one answers
 * what has come from the peer (reach.c).
 * State: struct paths, `tried` and `wide`. Owner: the engine's thread.
 */
#include "hip/spread.h"

#include "hip/paths.h"
#include "hip/proof.h"
#include "hip/reach.h"
#include "hip/readdress.h"

#define CHECK_RTO ENGINE_S
#define HURRIES 3 /* 1, 2, 4 times what two round trips take */
#define WISH 16	  /* bits of `tried` from here on: locators of the wish */

static bool tried(const struct paths *p, int bit)
{
	return p->tried >> bit & 1;
}

/* The locators of the wish that are no path of ours. */
static bool elsewhere(const struct assoc *a, int k)
{
	const struct endpoint *at = &a->locators[k];

	if (endpoint_eq(at, &a->peer_at) || addr_is_unusable(&at->addr))
		return false;
	return !a->paths || !paths_peer(a->paths, at);
}

static bool may(const struct assoc *a, int i)
{
	const struct paths *p = a->paths;
	const struct paths_peer *q = paths_peer_of(p, &p->v[i]);

	return !tried(p, i) && !paths_spent(p, q);
}

/* The next one's bit, or -1. */
static int next(const struct hip *h, const struct assoc *a)
{
	const struct paths *p = a->paths;
	int cur = paths_current(a);
	int best = -1;

	if (p->target >= 0 && may(a, p->target))
		return p->target;
	if (!p->wide && p->tried)
		return -1;
	if (cur >= 0 && may(a, cur))
		return cur;
	if (!p->wide)
		return -1;
	for (int i = 0; i < p->num; i++) {
		if (may(a, i) && (best < 0 || paths_better(h, a, i, best)))
			best = i;
	}
	/* RFC 9028 4.5: a relay is not checked. */
	for (int k = 0; best < 0 && !a->ice && k < a->locator_num; k++) {
		if (!tried(p, WISH + k) && elsewhere(a, k))
			best = WISH + k;
	}
	return best;
}

bool spread_left(const struct hip *h, const struct assoc *a)
{
	return a->paths && next(h, a) >= 0;
}

void spread_begin(struct assoc *a)
{
	if (a->paths)
		a->paths->tried = 0;
}

bool spread_wide(const struct assoc *a)
{
	return a->paths && a->paths->wide;
}

void spread_widen(struct hip *h, struct assoc *a)
{
	bool more = h->here.num > 1;

	for (int k = 0; k < a->locator_num; k++)
		more = more || elsewhere(a, k);
	if (!a->paths && (!more || !paths_make(h, a)))
		return;
	a->paths->wide = true;
}

/* A copy with its own nonce; to a server, without. */
static void copy_to(struct hip *h, const struct assoc *a,
		    const struct endpoint *self, const struct endpoint *to,
		    bool nonce)
{
	const struct assoc_msg *sent = &a->up.sent;
	struct proof_nonce n;
	struct msg_builder b;
	struct assoc_msg m;

	message_resume(&b, sent->p, sent->len, PARAM_ECHO_RESPONSE_UNSIGNED);
	if (nonce) {
		n = proof_nonce(h, a, self, to);
		message_put(&b, PARAM_ECHO_REQUEST_UNSIGNED, n.b, sizeof(n.b));
	}
	if (a->up.has_via)
		fields_put_via_rvs(&b, &a->up.via); /* RFC 8046 3.2.3 */
	m = (struct assoc_msg){ b.buf, b.len };
	if (message_finish(&b))
		m = *sent; /* no room for it: as it was */
	assoc_send_from(h, a, &m, self, to);
}

static void to_path(struct hip *h, struct assoc *a, int i, uint64_t now)
{
	struct paths *p = a->paths;
	struct path *v = &p->v[i];
	struct paths_peer *q = paths_peer_of(p, v);

	p->tried |= 1u << i;
	if (!q->active && !srcrate_allow(&h->budget.checks, &q->at.addr, now)) {
		reason_count(&h->reasons, REASON_HIP_CHECKS_RATE);
		return;
	}
	v->sent = now;
	if (!q->active) {
		q->asked++;
		if (!q->via.port)
			checkquota_take(&p->quota, &q->at.addr, now);
	}
	if (p->echoed && !endpoint_eq(&p->to, &v->peer))
		p->echo_spread = true;
	copy_to(h, a, &v->self, &v->peer, true);
}

static void to_wish(struct hip *h, struct assoc *a, int k)
{
	struct endpoint self = here_towards(&h->here, &a->locators[k]);

	a->paths->tried |= 1u << (WISH + k);
	if (a->paths->echoed)
		a->paths->echo_spread = true;
	copy_to(h, a, &self, &a->locators[k], false);
}

/* With ICE: does the path we use answer, and has it not had this one? */
static bool lives(const struct assoc *a)
{
	int cur = paths_current(a);

	return a->ice && !a->suspect && cur >= 0 && may(a, cur) &&
	       paths_state(a->paths, &a->paths->v[cur]) == HIP_PATH_ACTIVE;
}

void spread_step(struct hip *h, struct assoc *a, uint64_t now)
{
	int i;

	if (!a->up.sent.p)
		return;
	if (!a->paths) {
		copy_to(h, a, &a->self_at, &a->peer_at, false);
		return;
	}
	i = next(h, a);
	if (i >= WISH)
		to_wish(h, a, i - WISH);
	else if (i >= 0)
		to_path(h, a, i, now);
	if (i >= 0 && i == a->paths->target && lives(a))
		to_path(h, a, paths_current(a), now);
}

void spread_answer(struct hip *h, struct assoc *a, const struct endpoint *at,
		   const struct endpoint *from, uint64_t now)
{
	struct paths *p = a->paths;
	int i = p ? paths_find(p, at, from) : -1;
	int first = p ? next(h, a) : -1;

	if (!p ? endpoint_eq(from, &a->peer_at) : i >= 0 && i == first)
		return;
	if (i >= 0 && may(a, i)) {
		to_path(h, a, i, now);
		return;
	}
	if (p && p->echoed && !endpoint_eq(&p->to, from))
		p->echo_spread = true;
	copy_to(h, a, at, from, false);
}

/* Who is there has answered by then. */
static uint64_t stagger(const struct paths *p)
{
	uint64_t wait = 2000 * (uint64_t)p->rtt_us;

	if (!wait)
		return engine_times.stagger_new;
	if (wait < engine_times.stagger_min)
		return engine_times.stagger_min;
	return wait < engine_times.stagger ? wait : engine_times.stagger;
}

bool spread_hurries(const struct hip *h, const struct assoc *a)
{
	return a->stranded && a->paths && h->here.num &&
	       a->up.hurries < HURRIES;
}

uint64_t spread_wait(const struct hip *h, const struct assoc *a)
{
	uint64_t wait = engine_backoff(engine_times.retry, a->up.tries);

	if (spread_hurries(h, a) && !spread_left(h, a))
		return stagger(a->paths) << a->up.hurries;
	if (spread_wide(a) && wait > engine_times.wide_cap)
		wait = engine_times.wide_cap;
	if (a->ice && a->suspect && a->paths && !a->up.tries)
		wait = stagger(a->paths);
	else if (a->ice && wait < CHECK_RTO) /* RFC 9028 4.6.2 */
		wait = CHECK_RTO;
	if (!spread_left(h, a) || !spread_wide(a))
		return wait;
	return a->ice ? a->ice_pace * ENGINE_MS : stagger(a->paths);
}
