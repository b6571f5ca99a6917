/* SPDX-License-Identifier: MIT */
/* The paths of one association: the peer's locators times our addresses. */
/* THEORY OF OPERATION
 * A path is a pair of addresses of one family. The peer's come from its
 * LOCATOR_SETs, from the base exchange, or were seen on packets of its; ours
 * from hip_set_here. Most associations never have more than one of each:
 * they have no table at all, and a->self_at and a->peer_at are all there is.
 * The table is made by the first event that needs one and goes with the
 * keys; what became of its paths (past) is kept as long as the association.
 *
 * Which path is taken: first those that live (ACTIVE), then what is not
 * verified yet, what is deprecated, and what is dead; among equals what the
 * peer has nominated (RFC 9028 4.6.3), then what needs no data relay, then
 * what it has listed before what was only seen (RFC 8046 5.3; not with ICE,
 * where candidates have priorities), then our policy, then our order, then the
 * peer's. This file knows states and order; who asks paths and when is in
 * readdress.c, spread.c and pathwatch.c.
 *
 * A path through our own data relay has our relayed address for its own end.
 * The peer's end, where the relay sees it, is a locator of its own kind (via):
 * what is known of it says nothing about the straight way to the same place.
 * Owner: the engine's thread.
 */
#include "hip/paths.h"

#include <stdlib.h>
#include <string.h>

#include "hip/datapath.h"
#include "hip/engine.h"
#include "hip/ice.h"
#include "hip/pathwatch.h"

/* ---- locators ------------------------------------------------------------ */

struct paths_peer *paths_peer_find(const struct paths *p,
				   const struct endpoint *at,
				   const struct endpoint *via)
{
	for (uint8_t i = 0; i < p->peer_num; i++) {
		const struct paths_peer *q = &p->peer[i];

		if (endpoint_eq(&q->at, at) && endpoint_eq(&q->via, via))
			return (struct paths_peer *)q;
	}
	return NULL;
}

static const struct endpoint straight = { .port = 0 };

struct paths_peer *paths_peer(struct paths *p, const struct endpoint *at)
{
	return paths_peer_find(p, at, &straight);
}

struct paths_peer *paths_peer_of(const struct paths *p, const struct path *v)
{
	struct paths_peer *q = paths_peer_find(p, &v->peer, &v->self);

	return q ? q : paths_peer_find(p, &v->peer, &straight);
}

bool paths_relayed(const struct paths *p, const struct path *v)
{
	const struct paths_peer *q = paths_peer_of(p, v);

	return q->via.port || q->relayed;
}

/* The one that may go: only seen, or over; never where we send. */
static struct paths_peer *spare_peer(const struct assoc *a, struct paths *p)
{
	for (uint8_t i = 0; i < p->peer_num; i++) {
		struct paths_peer *q = &p->peer[i];

		if ((!q->announced || q->over) &&
		    !endpoint_eq(&q->at, &a->peer_at))
			return q;
	}
	return NULL;
}

struct paths_peer *paths_peer_add_via(const struct assoc *a, struct paths *p,
				      const struct endpoint *at,
				      const struct endpoint *via)
{
	struct paths_peer *q = paths_peer_find(p, at, via);

	if (q)
		return q;
	if (p->peer_num < HIP_LOCATORS_MAX)
		q = &p->peer[p->peer_num++];
	else
		q = spare_peer(a, p);
	if (!q)
		return NULL;
	*q = (struct paths_peer){ .at = *at,
				  .expires = ENGINE_NEVER,
				  .via = *via };
	return q;
}

struct paths_peer *paths_peer_add(const struct assoc *a, struct paths *p,
				  const struct endpoint *at)
{
	return paths_peer_add_via(a, p, at, &straight);
}

void paths_peer_del(struct paths *p, const struct endpoint *at)
{
	struct paths_peer *q = paths_peer(p, at);

	if (q)
		paths_peer_drop(p, q);
}

void paths_peer_drop(struct paths *p, struct paths_peer *q)
{
	p->peer_num--;
	memmove(q, q + 1,
		(size_t)(&p->peer[p->peer_num] - q) * sizeof(p->peer[0]));
}

/* ---- the table ------------------------------------------------------------ */

struct paths *paths_make(struct hip *h, struct assoc *a)
{
	struct paths *p = a->paths;

	if (p)
		return p;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->target = -1;
	p->again_at = ENGINE_NEVER;
	p->peer_num = 1;
	p->peer[0] = (struct paths_peer){ .at = a->peer_at,
					  .expires = ENGINE_NEVER,
					  .active = !a->unproved };
	a->paths = p;
	paths_rebuild(h, a);
	for (uint8_t i = 0; i < p->num; i++) {
		if (endpoint_eq(&p->v[i].self, &a->self_at))
			p->v[i].verified = a->last_in;
	}
	return p;
}

void paths_drop(struct assoc *a)
{
	free(a->paths);
	a->paths = NULL;
}

void paths_forget(struct assoc *a)
{
	paths_drop(a);
	free(a->past);
	a->past = NULL;
}

int paths_find(const struct paths *p, const struct endpoint *self,
	       const struct endpoint *peer)
{
	for (int i = 0; i < p->num; i++) {
		if (endpoint_eq(&p->v[i].self, self) &&
		    endpoint_eq(&p->v[i].peer, peer))
			return i;
	}
	return -1;
}

int paths_current(const struct assoc *a)
{
	return a->paths ? paths_find(a->paths, &a->self_at, &a->peer_at) : -1;
}

static void add_pair(const struct paths *old, struct paths *p,
		     const struct endpoint *self, const struct endpoint *peer)
{
	int was = paths_find(old, self, peer);

	if (p->num == HIP_PATHS_MAX || paths_find(p, self, peer) >= 0)
		return;
	p->v[p->num++] =
		was >= 0 ? old->v[was]
			 : (struct path){ .self = *self, .peer = *peer };
}

/* The pairs of one address of ours. */
static void add_self(const struct paths *old, struct paths *p,
		     const struct endpoint *self)
{
	for (uint8_t i = 0; i < p->peer_num; i++) {
		if (!p->peer[i].via.port &&
		    addr_is4(&self->addr) == addr_is4(&p->peer[i].at.addr))
			add_pair(old, p, self, &p->peer[i].at);
	}
}

void paths_rebuild(struct hip *h, struct assoc *a)
{
	struct paths *p = a->paths;
	struct paths old = *p;
	const struct endpoint any = { .port = HIP_PORT };

	p->num = 0;
	if (here_lives(&h->here, &a->self_at) &&
	    !datapath_is_port(h, &a->self_at) && paths_peer(p, &a->peer_at))
		add_pair(&old, p, &a->self_at, &a->peer_at);
	for (uint8_t i = 0; i < p->peer_num; i++) {
		if (p->peer[i].via.port)
			add_pair(&old, p, &p->peer[i].via, &p->peer[i].at);
	}
	for (size_t i = 0; i < h->here.num; i++)
		add_self(&old, p, &h->here.at[i].at);
	/* Nobody has told us what we have: the kernel picks. */
	for (uint8_t i = 0; !h->here.set && i < p->peer_num; i++) {
		bool same = addr_is4(&a->self_at.addr) ==
				    addr_is4(&p->peer[i].at.addr) &&
			    !datapath_is_port(h, &a->self_at);

		if (!p->peer[i].via.port)
			add_pair(&old, p, same ? &a->self_at : &any,
				 &p->peer[i].at);
	}
	if (old.target >= 0)
		p->target = (int8_t)paths_find(p, &old.v[old.target].self,
					       &old.v[old.target].peer);
	p->check = p->check && p->target >= 0;
	p->await = p->await && p->target >= 0;
	p->tried = 0; /* the places mean other paths now */
	p->made_of = (uint32_t)h->here.generation;
}

bool paths_spent(const struct paths *p, const struct paths_peer *q)
{
	/* By a relay nothing goes to whom it has not heard. */
	return !q->active &&
	       (q->asked >= PATHS_ASK_MAX ||
		(!q->via.port && !checkquota_left(&p->quota, &q->at.addr)));
}

void paths_once_more(struct paths *p, uint64_t now)
{
	for (uint8_t i = 0; i < p->peer_num; i++) {
		struct paths_peer *q = &p->peer[i];

		if (q->via.port || q->relayed || q->active)
			continue;
		if (q->asked >= PATHS_ASK_MAX)
			q->asked = PATHS_ASK_MAX - 1;
		checkquota_named(&p->quota, &q->at.addr, now);
	}
}

/* ---- order ---------------------------------------------------------------- */

enum hip_path_state paths_state(const struct paths *p, const struct path *v)
{
	const struct paths_peer *q = paths_peer_of(p, v);

	if (v->dead || paths_spent(p, q))
		return HIP_PATH_DEAD;
	if (q->over)
		return HIP_PATH_DEPRECATED;
	return q->active ? HIP_PATH_ACTIVE : HIP_PATH_UNVERIFIED;
}

bool paths_doubtful(const struct assoc *a)
{
	int cur = paths_current(a);

	return a->suspect ||
	       (cur >= 0 &&
		paths_state(a->paths, &a->paths->v[cur]) == HIP_PATH_DEAD);
}

#define KEYS 7

/* What decides between paths, the weightiest first; less is better. */
static void key_of(const struct hip *h, const struct assoc *a, int n,
		   unsigned key[KEYS])
{
	static const uint8_t class[HIP_PATH_STATE_NUM] = {
		[HIP_PATH_ACTIVE] = 0,
		[HIP_PATH_UNVERIFIED] = 2,
		[HIP_PATH_DEPRECATED] = 3,
		[HIP_PATH_DEAD] = 4,
	};
	const struct path *v = &a->paths->v[n];
	const struct paths_peer *q = paths_peer_of(a->paths, v);

	key[0] = class[paths_state(a->paths, v)];
	if (!key[0] && !v->verified)
		key[0] = 1; /* the peer is there, but is the way? */
	key[1] = !v->nominated;
	key[2] = paths_relayed(a->paths, v);
	key[3] = !a->ice && !q->announced;
	key[4] = here_rank(&h->here, &v->self, &v->peer, q->preferred);
	key[5] = (unsigned)here_find(&h->here, &v->self);
	key[6] = a->ice ? UINT32_MAX - ice_priority(q) : q->rank;
}

static bool less_from(const struct hip *h, const struct assoc *a, int x, int y,
		      int first)
{
	unsigned key[2][KEYS];

	key_of(h, a, x, key[0]);
	key_of(h, a, y, key[1]);
	for (int i = first; i < KEYS; i++) {
		if (key[0][i] != key[1][i])
			return key[0][i] < key[1][i];
	}
	return false;
}

bool paths_better(const struct hip *h, const struct assoc *a, int x, int y)
{
	return less_from(h, a, x, y, 0);
}

bool paths_preferred(const struct hip *h, const struct assoc *a, int x, int y)
{
	return less_from(h, a, x, y, 1);
}

int paths_best(const struct hip *h, const struct assoc *a,
	       const struct endpoint *peer)
{
	int best = -1;

	for (int i = 0; i < a->paths->num; i++) {
		if (peer && !endpoint_eq(&a->paths->v[i].peer, peer))
			continue;
		if (best < 0 || paths_better(h, a, i, best))
			best = i;
	}
	return best;
}

/* ---- telling -------------------------------------------------------------- */

void paths_tell(struct hip *h, struct assoc *a, enum hip_path_why why,
		const struct endpoint *self, const struct endpoint *peer,
		uint64_t now)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_PATH);
	struct paths_past *p = a->past;

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = *self;
	e->peer_at = *peer;
	e->why = why;
	if (!p)
		p = a->past = calloc(1, sizeof(*p));
	if (!p)
		return; /* it was told, and is not kept */
	p->ring[p->events % HIP_PATH_HISTORY] =
		(struct hip_path_event){ now, why, *self, *peer };
	p->events++;
	if (p->events == 2 * HIP_PATH_HISTORY)
		p->events = HIP_PATH_HISTORY;
}

void paths_give_up(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	const struct paths_peer *asked =
		p->target < 0 ? NULL : paths_peer_of(p, &p->v[p->target]);

	for (uint8_t i = 0; !a->up.outstanding && i < p->num; i++) {
		const struct path *v = &p->v[i];
		struct paths_peer *q = paths_peer_of(p, v);

		if (q == asked || q->given_up || !q->asked ||
		    !paths_spent(p, q))
			continue;
		q->given_up = true;
		paths_tell(h, a, HIP_PATH_FAILED, &v->self, &v->peer, now);
	}
}

void paths_take(struct hip *h, struct assoc *a, int n, enum hip_path_why why,
		uint64_t now)
{
	const struct path *v = &a->paths->v[n];

	a->self_at = v->self;
	a->peer_at = v->peer;
	a->unproved = !paths_peer_of(a->paths, v)->active;
	a->unheard = 0;
	a->suspect = false; /* it was the other one that is silent */
	datapath_taken(h, a, now);
	paths_tell(h, a, why, &v->self, &v->peer, now);
	pathwatch_locator(h, a, now);
}

uint64_t paths_deadline(const struct assoc *a)
{
	const struct paths *p = a->paths;
	uint64_t at = ENGINE_NEVER;

	if (!p)
		return at;
	at = datapath_deadline(a);
	if (p->again_at < at)
		at = p->again_at;
	if (p->keep && p->keep < at)
		at = p->keep;
	for (uint8_t i = 0; i < p->peer_num; i++) {
		if (!p->peer[i].over && p->peer[i].expires < at)
			at = p->peer[i].expires;
	}
	return at;
}

/* ---- looking in ----------------------------------------------------------- */

const char *hip_path_why_name(enum hip_path_why why)
{
	static const char *const name[HIP_PATH_WHY_NUM] = {
		[HIP_PATH_ANNOUNCED] = "announced",
		[HIP_PATH_MOVED] = "moved",
		[HIP_PATH_VERIFIED] = "verified",
		[HIP_PATH_TAKEN] = "taken",
		[HIP_PATH_SILENT] = "silent",
		[HIP_PATH_FAILED] = "failed",
		[HIP_PATH_REBOUND] = "rebound",
		[HIP_PATH_RETURNED] = "returned",
		[HIP_PATH_RELAYED] = "relayed",
		[HIP_PATH_EXPIRED] = "expired",
		[HIP_PATH_WITHDRAWN] = "withdrawn",
		[HIP_PATH_NOMINATED] = "nominated",
	};

	return why < HIP_PATH_WHY_NUM ? name[why] : "?";
}

const char *hip_path_state_name(enum hip_path_state s)
{
	static const char *const name[HIP_PATH_STATE_NUM] = {
		[HIP_PATH_UNVERIFIED] = "unverified",
		[HIP_PATH_ACTIVE] = "active",
		[HIP_PATH_DEPRECATED] = "deprecated",
		[HIP_PATH_DEAD] = "dead",
	};

	return s < HIP_PATH_STATE_NUM ? name[s] : "?";
}

static struct hip_path view_of(const struct assoc *a, const struct path *v)
{
	const struct paths_peer *q = paths_peer_of(a->paths, v);

	return (struct hip_path){ .self_at = v->self,
				  .peer_at = v->peer,
				  .state = paths_state(a->paths, v),
				  .announced = q->announced,
				  .preferred = q->preferred,
				  .verified = v->verified,
				  .expires = q->expires,
				  .rtt_us = v->rtt_us };
}

void hip_each_path(const struct hip *h, const struct hit *self,
		   const struct hit *peer,
		   void (*fn)(const struct hip_path *p, void *arg), void *arg)
{
	const struct assoc *a = assoc_find(&h->assocs, self, peer);
	int cur = a ? paths_current(a) : -1;
	struct hip_path one;

	if (!a)
		return;
	one = (struct hip_path){ .self_at = a->self_at,
				 .peer_at = a->peer_at,
				 .state = HIP_PATH_UNVERIFIED,
				 .expires = ENGINE_NEVER };
	if (cur >= 0) {
		one = view_of(a, &a->paths->v[cur]);
	} else if (!a->unproved) {
		one.state = HIP_PATH_ACTIVE;
		one.verified = a->last_in;
	}
	one.current = true;
	fn(&one, arg);
	for (int i = 0; a->paths && i < a->paths->num; i++) {
		if (i == cur)
			continue;
		one = view_of(a, &a->paths->v[i]);
		fn(&one, arg);
	}
}

void hip_each_path_event(const struct hip *h, const struct hit *self,
			 const struct hit *peer,
			 void (*fn)(const struct hip_path_event *e, void *arg),
			 void *arg)
{
	const struct assoc *a = assoc_find(&h->assocs, self, peer);
	const struct paths_past *p = a ? a->past : NULL;
	uint8_t num;

	if (!p)
		return;
	num = p->events < HIP_PATH_HISTORY ? p->events : HIP_PATH_HISTORY;
	for (uint8_t i = 1; i <= num; i++)
		fn(&p->ring[(p->events - i) % HIP_PATH_HISTORY], arg);
}
