/* SPDX-License-Identifier: MIT */
/* The servers that our own questions go to; theory in upstream.h. */
#include "dns/upstream.h"

static struct upstream_server *find(struct upstream *u,
				    const struct endpoint *at)
{
	for (size_t i = 0; i < u->num; i++) {
		if (endpoint_eq(&u->servers[i].at, at))
			return &u->servers[i];
	}
	return NULL;
}

void upstream_set(struct upstream *u, const struct endpoint *servers,
		  size_t num)
{
	struct upstream was = *u;

	u->num = 0;
	for (size_t i = 0; i < num && i < DNS_SERVERS_MAX; i++) {
		const struct upstream_server *s = find(&was, &servers[i]);

		u->servers[u->num++] =
			s ? *s : (struct upstream_server){ .at = servers[i] };
	}
}

bool upstream_has(const struct upstream *u, const struct endpoint *at)
{
	return find((struct upstream *)u, at);
}

static bool is_usable(const struct upstream_server *s, uint64_t now)
{
	return now >= s->loops_until;
}

static bool is_well(const struct upstream_server *s, uint64_t now)
{
	return is_usable(s, now) && now >= s->rests_until;
}

/* The n-th of those that are `good`, round and round; port 0: none is. */
static struct endpoint nth(const struct upstream *u,
			   bool (*good)(const struct upstream_server *s,
					uint64_t now),
			   unsigned n, uint64_t now)
{
	size_t num = 0;

	for (size_t i = 0; i < u->num; i++)
		num += good(&u->servers[i], now);
	for (size_t i = 0; num && i < u->num; i++) {
		if (good(&u->servers[i], now) && n-- % num == 0)
			return u->servers[i].at;
	}
	return (struct endpoint){ .port = 0 };
}

struct endpoint upstream_pick(const struct upstream *u,
			      const struct endpoint *meant, unsigned n,
			      uint64_t now)
{
	struct endpoint at;

	if (u->num == 0)
		return *meant;
	at = nth(u, is_well, n, now);
	return at.port ? at : nth(u, is_usable, n, now);
}

bool upstream_loops(const struct upstream *u, uint64_t now)
{
	return u->num && nth(u, is_usable, 0, now).port == 0;
}

struct endpoint upstream_realm(const struct upstream *u,
			       const struct endpoint *meant)
{
	return u->num ? (struct endpoint){ .port = 0 } : *meant;
}

bool upstream_trusts(const struct upstream *u, const struct endpoint *meant)
{
	return u->num == 0 || upstream_has(u, meant);
}

void upstream_answered(struct upstream *u, const struct endpoint *at)
{
	struct upstream_server *s = find(u, at);

	if (!s)
		return;
	s->silent = 0;
	s->rests_until = 0;
}

bool upstream_silent(struct upstream *u, const struct endpoint *at,
		     uint64_t now)
{
	struct upstream_server *s = find(u, at);
	unsigned more;

	if (!s || !is_well(s, now))
		return false; /* asked before its rest began */
	if (++s->silent < UPSTREAM_STRIKES)
		return false;
	more = s->silent - UPSTREAM_STRIKES;
	if (more > UPSTREAM_REST_DOUBLINGS)
		more = UPSTREAM_REST_DOUBLINGS;
	s->rests_until = now + (UPSTREAM_REST_NS << more);
	return true;
}

void upstream_looped(struct upstream *u, const struct endpoint *at,
		     uint64_t now)
{
	struct upstream_server *s = find(u, at);

	if (s)
		s->loops_until = now + UPSTREAM_LOOP_NS;
}
