/* SPDX-License-Identifier: MIT */
/* The servers that our own questions go to; theory in upstream.h. */
#include "dns/upstream.h"

static bool is_well(const struct upstream_server *s, uint64_t now)
{
	return now >= s->rests_until;
}

/* The n-th of those that are well, round and round; all rest: of all. */
struct endpoint upstream_pick(const struct upstream *u,
			      const struct endpoint *meant, unsigned n,
			      uint64_t now)
{
	size_t well = 0;

	if (u->num == 0)
		return *meant;
	for (size_t i = 0; i < u->num; i++)
		well += is_well(&u->servers[i], now);
	if (well == 0)
		return u->servers[n % u->num].at;
	n %= (unsigned)well;
	for (size_t i = 0; i < u->num; i++) {
		if (is_well(&u->servers[i], now) && n-- == 0)
			return u->servers[i].at;
	}
	return u->servers[0].at; /* cannot be: n is below `well` */
}

struct endpoint upstream_realm(const struct upstream *u,
			       const struct endpoint *meant)
{
	return u->num ? (struct endpoint){ .port = 0 } : *meant;
}

static struct upstream_server *find(struct upstream *u,
				    const struct endpoint *at)
{
	for (size_t i = 0; i < u->num; i++) {
		if (endpoint_eq(&u->servers[i].at, at))
			return &u->servers[i];
	}
	return NULL;
}

bool upstream_trusts(const struct upstream *u, const struct endpoint *meant)
{
	return u->num == 0 || find((struct upstream *)u, meant);
}

void upstream_answered(struct upstream *u, const struct endpoint *at)
{
	struct upstream_server *s = find(u, at);

	if (!s)
		return;
	s->silent = 0;
	s->rests_until = 0;
}

void upstream_silent(struct upstream *u, const struct endpoint *at,
		     uint64_t now)
{
	struct upstream_server *s = find(u, at);
	unsigned more;

	if (!s || !is_well(s, now))
		return; /* asked before its rest began */
	if (++s->silent < UPSTREAM_STRIKES)
		return;
	more = s->silent - UPSTREAM_STRIKES;
	if (more > UPSTREAM_REST_DOUBLINGS)
		more = UPSTREAM_REST_DOUBLINGS;
	s->rests_until = now + (UPSTREAM_REST_NS << more);
}
