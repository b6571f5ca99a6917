/* SPDX-License-Identifier: MIT */
/* An address of ours that peers are told no more, and how it comes back. */
/* THEORY OF OPERATION
 * An address whose paths have all failed is left out of LOCATOR_SET, so that
 * the peer, whatever its policy, leaves it at once. But where one failure took
 * the better family from both ends, both withdraw, and with the peer's address
 * the path to it is forgotten: nobody could ask it any more. So what was left
 * out is told again when it is time to ask once more (reach.c: 5, 10, ... 160
 * s), not preferred; the peer asks it like any new one (RFC 8046 5.4), and is
 * asked in its turn. From then on nothing is left out, until a path dies anew:
 * what does not answer there costs the peer three small packets.
 *
 * The best address that was lost so (`gone`) must live for a while
 * (hip_path_policy.return_s) before it counts. Where both ends prefer what the
 * other prefers, nobody would return to it by himself: so it is claimed (P bit)
 * if it stands before the one in use in our own list. The peer takes it, says
 * so, and we follow. Claims that cross are readdress.c's: who began the
 * association keeps what he has, and the other one follows.
 * State: struct paths. Owner: the engine's thread.
 */
#include "hip/regain.h"

#include "hip/here.h"

#define ASKED_MAX 4	      /* times that the wait doubles: to ask, */
#define TOLD_MAX 5	      /*  to be asked */
#define CALM (300 * ENGINE_S) /* no path has died for so long */

/* ---- what is told ---------------------------------------------------------- */

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
	return p && !p->retold && !endpoint_eq(self, &a->self_at) &&
	       all_dead(p, self);
}

static bool withholds_any(const struct hip *h, const struct assoc *a)
{
	for (size_t i = 0; i < h->here.num; i++) {
		if (regain_withholds(a, &h->here.at[i].at))
			return true;
	}
	return false;
}

/* ---- what was lost ----------------------------------------------------------- */

bool regain_is(const struct assoc *a, const struct endpoint *self)
{
	return a->paths->gone.port && endpoint_eq(&a->paths->gone, self);
}

static size_t place(const struct hip *h, const struct endpoint *self)
{
	size_t i = here_find(&h->here, self);

	return i < h->here.num ? i : SIZE_MAX; /* a quiet one is never told */
}

static void forget(struct paths *p)
{
	p->gone.port = 0;
	p->held = false;
	p->claimed = false;
}

void regain_left(const struct hip *h, struct assoc *a,
		 const struct endpoint *self)
{
	struct paths *p = a->paths;

	if (a->ice || place(h, self) == SIZE_MAX ||
	    (p->gone.port && place(h, &p->gone) < place(h, self)))
		return;
	p->gone = *self;
	p->held = false;
	p->claimed = false;
}

void regain_vain(struct paths *p, bool told)
{
	if (p->again < (told ? TOLD_MAX : ASKED_MAX))
		p->again++;
}

/* What dies again and again is asked ever more seldom. */
static void wear(struct paths *p, uint64_t now)
{
	if (now - p->died > CALM)
		p->again = 0;
	else if (now - p->died > ENGINE_S) /* of one failure, if not */
		regain_vain(p, false);
	p->died = now;
}

void regain_died(const struct hip *h, struct assoc *a,
		 const struct endpoint *self, uint64_t now)
{
	wear(a->paths, now);
	if (a->ice || !all_dead(a->paths, self))
		return;
	a->paths->retold = false;
	regain_left(h, a, self);
	a->paths->held = regain_is(a, self);
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

/* It is what we send from; or is no longer ours, or better than that. */
static void settle(const struct hip *h, struct assoc *a)
{
	struct paths *p = a->paths;
	bool back = endpoint_eq(&p->gone, &a->self_at) &&
		    lives(p, paths_current(a));

	if (back || place(h, &p->gone) == SIZE_MAX)
		forget(p);
	else if (!lives(p, path_of(h, a)))
		p->claimed = false;
}

static bool wanted(const struct hip *h, const struct assoc *a)
{
	return a->paths->gone.port &&
	       place(h, &a->paths->gone) < place(h, &a->self_at);
}

static bool may_claim(const struct hip *h, const struct assoc *a)
{
	return wanted(h, a) && h->here.policy.prefer == HIP_PREFER_ANNOUNCED;
}

/* ---- how it comes back --------------------------------------------------------- */

int regain_claim(const struct hip *h, const struct assoc *a)
{
	int n;

	if (!a->paths || !a->paths->claimed || !may_claim(h, a))
		return -1;
	n = path_of(h, a);
	return lives(a->paths, n) ? n : -1;
}

bool regain_waits(const struct hip *h, const struct assoc *a, bool *alive)
{
	const struct paths *p = a->paths;
	int n;

	*alive = false;
	if (a->ice)
		return false;
	if (withholds_any(h, a))
		return true;
	if (!wanted(h, a))
		return false;
	n = path_of(h, a);
	*alive = lives(p, n);
	/* Of what only the peer has withdrawn, it is the peer's to tell. */
	return *alive ? may_claim(h, a) && !p->claimed : n >= 0 || p->held;
}

int regain_due(const struct hip *h, struct assoc *a)
{
	int n = wanted(h, a) ? path_of(h, a) : -1;

	if (n < 0 || withholds_any(h, a)) {
		a->paths->retold = true;
		a->tell = true;
	}
	return n;
}

void regain_steady(const struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int n;

	if (!p->gone.port)
		return;
	settle(h, a);
	if (p->claimed || !may_claim(h, a))
		return;
	n = path_of(h, a);
	if (!lives(p, n) ||
	    now - p->v[n].since < h->here.policy.return_s * ENGINE_S)
		return;
	p->claimed = true;
	a->tell = true;
}
