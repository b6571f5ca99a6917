/* SPDX-License-Identifier: MIT */
/* Flows that have ended and may have to make room.
 * RFC 5382 5, RFC 7857 2, RFC 9293 3.6.1.
 *
 * THEORY OF OPERATION
 * A TCP flow has ended when it is CLOSED (FINs or RSTs both ways, or an RST
 * before it was open or behind a FIN; see flow.c), and then nothing passed
 * for ENDED_REST: whoever still lacked an acknowledgment would have sent
 * again within that time. It lives on until its timer runs out, so that
 * late segments find it and its port rests; but it counts for nobody's
 * quota, and when all ports of its space are in use, or the table is full,
 * the one that ended first gives its place to a new flow. No other flow ever
 * does: what has not been closed (half-open and half-closed ones, UDP,
 * echo) may be live, and only its timer can say that it is not.
 *
 * Workers change the state, the control thread needs to know. The exchange
 * that takes a flow into CLOSED or out of it sets NAT_TOLD too, and whoever
 * set it pushes the flow on nat.told, a stack linked by nat_flow.told:
 * workers only push, control only takes all of it. So a flow is on the stack
 * at most once, from the moment NAT_TOLD is set until control clears it,
 * then looks at the state and files the flow:
 *
 *	CLOSED: in its space's list, behind those that ended before; its
 *		client has room for another flow
 *	GONE:	it was released while it was on the stack: discarded now
 *	else:	it began anew (a SYN): out of the list, it counts again, and is
 *		released when its client had filled its place meanwhile
 *
 * GONE is final for workers, so a released flow is never told again. A
 * worker that sees it just before passes one more packet, as with any flow
 * that expires; what it tells then is still taken from the stack, since
 * NAT_TOLD keeps the flow and its space alive.
 */
#include "nat/ended.h"

#include <stddef.h>

#include "nat/space.h"

#define NS_PER_S UINT64_C(1000000000)
/* A first retransmission comes after a second or less (RFC 6298 2.1). */
#define ENDED_REST (2 * NS_PER_S)

enum { EVICT_TRIES = 8 };

static uint32_t state_of(uint32_t word)
{
	return word & ~NAT_TOLD;
}

void ended_tell(struct nat_flow *f)
{
	struct nat *n = f->space->nat;

	f->told = atomic_load_explicit(&n->told, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(&n->told, &f->told, f,
						      memory_order_release,
						      memory_order_relaxed))
		;
}

/* ---- the list of a space ------------------------------------------------ */

static void ring_add(struct nat *n, struct nat_space *s)
{
	struct nat_space *at = n->ring;

	if (!at) {
		s->ring_prev = s;
		s->ring_next = s;
		n->ring = s;
		return;
	}
	s->ring_prev = at->ring_prev;
	s->ring_next = at;
	at->ring_prev->ring_next = s;
	at->ring_prev = s;
}

static void ring_del(struct nat *n, struct nat_space *s)
{
	if (n->ring == s)
		n->ring = s->ring_next == s ? NULL : s->ring_next;
	s->ring_prev->ring_next = s->ring_next;
	s->ring_next->ring_prev = s->ring_prev;
}

static bool listed(const struct nat_flow *f)
{
	return f->older || f->newer || f->space->oldest == f;
}

static void list(struct nat_flow *f)
{
	struct nat_space *s = f->space;

	f->newer = NULL;
	f->older = s->newest;
	if (s->newest) {
		s->newest->newer = f;
	} else {
		s->oldest = f;
		ring_add(s->nat, s);
	}
	s->newest = f;
}

bool ended_unlist(struct nat_flow *f)
{
	struct nat_space *s = f->space;

	if (!listed(f))
		return false;
	if (f->older)
		f->older->newer = f->newer;
	else
		s->oldest = f->newer;
	if (f->newer)
		f->newer->older = f->older;
	else
		s->newest = f->older;
	f->older = NULL;
	f->newer = NULL;
	if (!s->oldest)
		ring_del(s->nat, s);
	return true;
}

/* ---- what workers tell --------------------------------------------------- */

/* Takes the stack, the one that was told first in front. */
static void take(struct nat *n)
{
	struct nat_flow *f =
		atomic_exchange_explicit(&n->told, NULL, memory_order_acquire);

	while (f) {
		struct nat_flow *next = f->told;

		f->told = n->looks;
		n->looks = f;
		f = next;
	}
}

/* It began anew. */
static void again(struct nat *n, struct nat_flow *f)
{
	bool told;

	if (!ended_unlist(f))
		return;
	if (ports_quota(n, &f->key.client) && !tally_reserve(&n->clients, 1)) {
		(void)tally_add(&n->clients, &f->key.client);
		return;
	}
	n->cfg.unpublish(n->cfg.arg, f);
	(void)ended_gone(f, &told);
	ports_leave(n, f, true);
	if (!told)
		ports_discard(n, f);
}

static void look(struct nat *n, struct nat_flow *f)
{
	uint32_t word = atomic_fetch_and_explicit(&f->tcp, ~NAT_TOLD,
						  memory_order_acq_rel);

	switch (state_of(word)) {
	case NAT_TCP_GONE:
		ports_discard(n, f);
		return;
	case NAT_TCP_CLOSED:
		if (!ended_unlist(f))
			tally_drop(&n->clients, &f->key.client);
		list(f);
		return;
	default:
		again(n, f);
		return;
	}
}

void ended_look(struct nat *n, unsigned most)
{
	struct nat_flow *f;

	while (most--) {
		if (!n->looks)
			take(n);
		f = n->looks;
		if (!f)
			return;
		n->looks = f->told;
		look(n, f);
	}
}

/* ---- making room --------------------------------------------------------- */

bool ended_gone(struct nat_flow *f, bool *told)
{
	uint32_t word = atomic_load_explicit(&f->tcp, memory_order_relaxed);

	do {
		*told = word & NAT_TOLD;
		if (state_of(word) == NAT_TCP_GONE)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
		&f->tcp, &word, NAT_TCP_GONE | (word & NAT_TOLD),
		memory_order_acq_rel, memory_order_relaxed));
	return true;
}

static uint64_t last_of(const struct nat_flow *f)
{
	return atomic_load_explicit(&((struct nat_flow *)f)->last,
				    memory_order_relaxed);
}

/* GONE, if it is CLOSED and has rested. */
static bool claim(struct nat_flow *f, uint64_t now, bool *told)
{
	uint32_t word = atomic_load_explicit(&f->tcp, memory_order_relaxed);
	uint64_t last = last_of(f);

	*told = word & NAT_TOLD;
	/* A worker's clock reading may be newer than ours. */
	return state_of(word) == NAT_TCP_CLOSED && now > last &&
	       now - last >= ENDED_REST &&
	       atomic_compare_exchange_strong_explicit(
		       &f->tcp, &word, NAT_TCP_GONE | (word & NAT_TOLD),
		       memory_order_acq_rel, memory_order_relaxed);
}

/* Has something passed since, so that it stands too far in front? */
static bool misplaced(const struct nat_flow *f)
{
	return f->newer && last_of(f) > last_of(f->newer);
}

bool ended_evict(struct nat *n, struct nat_space *s, uint64_t now)
{
	struct nat_flow *f = s->oldest;
	bool told;

	for (unsigned i = 0; f && i < EVICT_TRIES; i++) {
		struct nat_flow *newer = f->newer;

		if (claim(f, now, &told)) {
			(void)ended_unlist(f);
			n->cfg.unpublish(n->cfg.arg, f);
			ports_leave(n, f, true);
			if (!told)
				ports_discard(n, f);
			return true;
		}
		if (misplaced(f)) {
			(void)ended_unlist(f);
			list(f);
		}
		f = newer;
	}
	return false;
}

bool ended_evict_any(struct nat *n, uint64_t now)
{
	for (unsigned i = 0; n->ring && i < EVICT_TRIES; i++) {
		struct nat_space *s = n->ring;

		n->ring = s->ring_next;
		if (ended_evict(n, s, now))
			return true;
	}
	return false;
}
