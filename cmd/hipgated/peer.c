/* SPDX-License-Identifier: MIT */
/* HIP hosts by HIT: locators, waiting packets (patent F, G, H.1).
 *
 * THEORY OF OPERATION
 * Control thread only. A peer is made by the first DNS answer that names
 * it, by the journal at start, or by a [peer] section, and lives as long as
 * the daemon: its substitute address must keep its meaning. Packets park
 * here while look-up and base exchange run; exactly one of peer_release and
 * peer_refuse empties the queue, so no packet is lost in silence.
 */
#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "errand.h"

/* With a key: who publishes HITs chooses their octets. */
static uint64_t peer_hash(const struct gate *g, const struct hit *hit)
{
	return tables_hash(&g->plane.tables, hit, sizeof(*hit));
}

static bool peer_match(const void *item, const void *key)
{
	const struct peer *p = item;

	return hit_eq(&p->hit, key);
}

/* What a peer that has no name points to. */
static const char nameless[] = "";

struct peer *peer_find(struct gate *g, const struct hit *hit)
{
	return linetable_find(&g->peers, peer_hash(g, hit), peer_match, hit);
}

struct peer *peer_get(struct gate *g, const struct hit *hit)
{
	struct peer *p = peer_find(g, hit);

	if (p || g->peers_num >= PEERS_MAX)
		return p;
	p = aligned_alloc(_Alignof(struct peer), sizeof(*p));
	if (!p)
		return NULL;
	memset(p, 0, sizeof(*p));
	p->hit = *hit;
	p->name = nameless;
	p->self = g->selves[0];
	if (linetable_add(&g->peers, peer_hash(g, hit), p)) {
		free(p);
		return NULL;
	}
	g->peers_num++;
	return p;
}

void peer_name(struct peer *p, const char *name)
{
	char *copy = p->name == nameless && name[0] ? strdup(name) : NULL;

	if (copy) /* without memory it is named when it is next asked for */
		p->name = copy;
}

static bool is_configured(const struct gate *g, const struct hit *hit)
{
	for (size_t i = 0; i < g->cfg->peers_num; i++)
		if (hit_eq(&g->cfg->peers[i].hit, hit))
			return true;
	return false;
}

static bool has_persona(const struct gate *g, const struct peer *p)
{
	for (size_t i = 0; i < g->personas.num; i++)
		if (g->personas.v[i].peer == p)
			return true;
	return p->persona_coming;
}

bool peer_is_idle(const struct gate *g, const struct peer *p, uint64_t now)
{
	return p->on_disk && !p->flows && !p->park && !p->wanted &&
	       p->state == HIP_UNASSOCIATED && now >= p->resolving_until &&
	       addr_is_unspecified(&p->real[0]) &&
	       addr_is_unspecified(&p->real[1]) && !has_persona(g, p) &&
	       !is_configured(g, &p->hit);
}

void peer_each(struct gate *g, void (*fn)(struct peer *, void *), void *arg)
{
	struct peer *p;
	size_t i = 0;

	while ((p = linetable_each(&g->peers, &i)))
		fn(p, arg);
}

static void peer_free(struct rcu_head *head)
{
	struct peer *p = caa_container_of(head, struct peer, rcu);

	while (p->park) {
		struct msg *m = p->park;

		p->park = m->next;
		free(m);
	}
	if (p->name != nameless)
		free((char *)p->name);
	free(p);
}

void peer_del(struct gate *g, struct peer *p)
{
	linetable_del(&g->peers, peer_hash(g, &p->hit), p);
	g->peers_num--;
	peer_free(&p->rcu); /* no other thread has it */
}

void peer_fini(struct gate *g)
{
	struct peer *p;
	size_t i = 0;

	while ((p = linetable_each(&g->peers, &i))) {
		linetable_del(&g->peers, peer_hash(g, &p->hit), p);
		call_rcu(&p->rcu, peer_free);
	}
	rcu_barrier();
	linetable_fini(&g->peers);
}

void peer_set_locators(struct peer *p, const struct addr *locators, size_t num,
		       bool via_rvs, uint64_t fresh_until)
{
	p->locators_num = num < HIP_LOCATORS_MAX ? num : HIP_LOCATORS_MAX;
	for (size_t i = 0; i < p->locators_num; i++) {
		p->locators[i].addr = locators[i];
		p->locators[i].port = HIP_PORT;
	}
	p->via_rvs = via_rvs;
	p->fresh_until = fresh_until;
	if (!p->committed && p->locators_num)
		p->at = p->locators[0];
}

static struct msg *unpark(struct peer *p)
{
	struct msg *m = p->park;

	if (!m)
		return NULL;
	p->park = m->next;
	if (!p->park)
		p->park_tail = NULL;
	m->next = NULL;
	p->parked--;
	p->parked_bytes -= m->len;
	return m;
}

void peer_park(struct gate *g, struct peer *p, struct msg *m)
{
	while (p->park && (p->parked >= PEER_PARK_PACKETS ||
			   m->len > PEER_PARK_BYTES - p->parked_bytes)) {
		gate_drop(g, REASON_PARK_FULL);
		free(unpark(p));
	}
	if (p->park_tail)
		p->park_tail->next = m;
	else
		p->park = m;
	p->park_tail = m;
	p->parked++;
	p->parked_bytes += m->len;
}

static int peer_resolve(struct gate *g, struct peer *p, uint64_t now)
{
	const struct endpoint *server = &p->server;
	uint64_t token;

	/* Not a flag: an answer that is lost must not block the name. */
	if (now < p->resolving_until)
		return HG_OK;
	if (g->cfg->dns_servers_num)
		server = &g->cfg->dns_servers[0];
	if (!g->dns || !p->name[0] || !server->port)
		return HG_ENOENT;
	token = (uint64_t)(uintptr_t)p; /* it is not idle meanwhile */
	if (dns_resolve(g->dns, p->name, &p->hit, server, token, now))
		return HG_EFULL;
	p->resolving_until = now + PEER_RESOLVE_NS;
	return HG_OK;
}

/* Whose packet waits first: a program of this host says so itself, for a
 * client it is the policy's choice. */
static int wanted_as(struct gate *g, struct peer *p, uint64_t now,
		     struct hit *out)
{
	const struct msg *m = p->park;
	int err;

	if (m && m->len >= IP6_HDR && m->data[0] >> 4 == 6 &&
	    hit_is_orchid(m->data + 8)) {
		memcpy(out->b, m->data + 8, sizeof(out->b));
		return HG_OK;
	}
	err = persona_choose(g, p, now);
	*out = p->self;
	return err;
}

void peer_want(struct gate *g, struct peer *p, uint64_t now)
{
	struct hit self;
	/* RFC 8005 4.2: no new association on an expired record. */
	bool stale = p->name[0] && now >= p->fresh_until;
	int err = HG_ENOENT;

	if (stale && peer_resolve(g, p, now) == HG_OK)
		return;
	if (p->locators_num)
		err = wanted_as(g, p, now, &self);
	if (err == HG_EAGAIN)
		return; /* its identity is being made; persona_made goes on */
	if (!err)
		err = hip_want(g->hip, &self, &p->hit, p->locators,
			       p->locators_num, now);
	if (err == HG_EPERM) {
		p->failed = REASON_DENIED;
		p->failed_at = now;
	}
	if (err)
		peer_refuse(g, p);
}

void peer_release(struct gate *g, struct peer *p)
{
	struct msg *all = p->park;

	p->park = NULL;
	p->park_tail = NULL;
	p->parked = 0;
	p->parked_bytes = 0;
	while (all) {
		struct msg *m = all;

		all = m->next;
		m->next = NULL;
		/* Decided anew: what waits for another of our identities
		 * must not leave under this one; it parks again. */
		first_packet(g, m);
	}
}

void peer_refuse(struct gate *g, struct peer *p)
{
	struct msg *m;

	if (p->wanted)
		errand_refused(g, p);
	while ((m = unpark(p))) {
		gate_drop(g, REASON_PARK_EXPIRED);
		first_unreachable(g, m);
		free(m);
	}
}
