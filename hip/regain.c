/* SPDX-License-Identifier: MIT */
/* An address of ours that peers are told no more, and how it comes back. */
/* THEORY OF OPERATION
 * An address whose paths have all failed is left out of LOCATOR_SET, so that
 * the peer, whatever its policy, leaves it at once. But where one failure took
 * the better family from both ends, both withdraw, and with the peer's address
 * the path to it is forgotten: nobody could ask it any more. So who has
 * withdrawn an address (`gone`) tells it again when its time to be asked has
 * come (reach.c: 5, 10, ... 80 s), not preferred; the peer asks it like any new
 * one (RFC 8046 5.4), and is asked in its turn. It is withdrawn no more before
 * it has lived again, and died: what does not answer there costs the peer
 * three small packets.
 *
 * When the path has lived for a while (hip_path_policy.return_s) and our own
 * order puts the address before the one in use, it is claimed: it has the P
 * bit. The peer takes it, says so, and we follow. With `prefer = announced` at
 * both ends nobody would begin, for each prefers what the other one prefers.
 * State: struct paths. Owner: the engine's thread.
 */
#include "hip/regain.h"

#include "hip/here.h"

static bool all_dead(const struct paths *p, const struct endpoint *self)
{
	unsigned dead = 0;

	for (uint8_t i = 0; i < p->num; i++) {
		if (!endpoint_eq(&p->v[i].self, self))
			continue;
		if (!p->v[i].dead)
			return false;
		dead++;
	}
	return dead > 0;
}

bool regain_withholds(const struct assoc *a, const struct endpoint *self)
{
	const struct paths *p = a->paths;

	/* This message comes from where we are left. */
	if (!p || endpoint_eq(self, &a->self_at) ||
	    (p->retold && regain_is(a, self)))
		return false;
	return all_dead(p, self);
}

bool regain_is(const struct assoc *a, const struct endpoint *self)
{
	return a->paths->gone.port && endpoint_eq(&a->paths->gone, self);
}

static size_t place(const struct hip *h, const struct endpoint *self)
{
	size_t i = here_find(&h->here, self);

	return i < h->here.num ? i : SIZE_MAX; /* a quiet one is never told */
}

void regain_died(struct hip *h, const struct assoc *a,
		 const struct endpoint *self)
{
	struct paths *p = a->paths;

	if (a->ice || place(h, self) == SIZE_MAX || !all_dead(p, self))
		return;
	if (p->gone.port && place(h, &p->gone) < place(h, self))
		return;
	p->gone = *self;
	p->retold = false;
	p->claimed = false;
}

/* It would be better than where we send from, if it lived. */
static bool wanted(const struct hip *h, const struct assoc *a)
{
	const struct paths *p = a->paths;

	return p->gone.port && !a->ice &&
	       place(h, &p->gone) < place(h, &a->self_at);
}

/* The best path from there to where the peer has answered once, or -1. */
static int path_of(const struct hip *h, const struct assoc *a)
{
	const struct paths *p = a->paths;
	int best = -1;

	for (uint8_t i = 0; i < p->num; i++) {
		if (!regain_is(a, &p->v[i].self) ||
		    !paths_peer_of(p, &p->v[i])->active)
			continue;
		if (best < 0 || paths_better(h, a, i, best))
			best = i;
	}
	return best;
}

static bool lives(const struct paths *p, int n)
{
	return n >= 0 && !p->v[n].dead && p->v[n].verified;
}

int regain_claim(const struct hip *h, const struct assoc *a)
{
	int n;

	if (!a->paths || !a->paths->claimed || !wanted(h, a))
		return -1;
	n = path_of(h, a);
	return lives(a->paths, n) ? n : -1;
}

bool regain_waits(const struct hip *h, const struct assoc *a, bool *alive)
{
	if (!wanted(h, a))
		return false;
	*alive = lives(a->paths, path_of(h, a));
	return !*alive || !a->paths->claimed;
}

int regain_due(const struct hip *h, struct assoc *a)
{
	int n = path_of(h, a);

	if (n < 0) {
		a->paths->retold = true;
		a->tell = true;
	}
	return n;
}

void regain_steady(const struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int n = path_of(h, a);

	if (p->claimed || !wanted(h, a) || !lives(p, n) ||
	    now - p->v[n].since < h->here.policy.return_s * ENGINE_S)
		return;
	p->claimed = true;
	a->tell = true;
}
