/* SPDX-License-Identifier: MIT */
/* Which of our identities is used toward whom. */
/* THEORY OF OPERATION
 * Control thread only. Toward each peer the proxy uses one identity,
 * peer->self: what [peer HIT] says, else what the longest [policy] that
 * matches the peer's name says, else the default one. It is settled when a
 * packet needs an association, so that a reload changes what begins after
 * it and nothing that is there. A flow keeps the identity it was bound with
 * (it is in the NAT's key): it ends with that one.
 *
 * `ephemeral`: an identity is made for this peer by a job, meanwhile its
 * packets wait; it is in no file, nobody else is met under it, and it goes
 * when nothing uses it any more (persona.h has the times). There are at
 * most PERSONA_MAX; a peer that finds no room is refused, never met under
 * another identity instead.
 *
 * A peer that does not do the HIT suite of the identity chosen is met under
 * another that is not anonymous either (RFC 7401 6.8 step 6, the engine's
 * doing); never so from an anonymous one.
 *
 * Programs of this host choose their HIT themselves, by their address.
 */
#include "persona.h"

#include <string.h>

#include "core/log.h"
#include "gate.h"

#define LOG_ABOUT LOG_SUB_HIP

/* ---- policy ------------------------------------------------------------- */

/* "" for the default. */
static const char *policy_of(const struct gate *g, const struct peer *p)
{
	const struct config *c = g->cfg;
	size_t rule;

	for (size_t i = 0; i < c->peers_num; i++) {
		if (c->peers[i].identity[0] &&
		    hit_eq(&c->peers[i].hit, &p->hit))
			return c->peers[i].identity;
	}
	if (!g->dns || !p->name[0])
		return "";
	rule = dns_rule_of(g->dns, p->name);
	return rule < c->rules_num ? c->rule_identity[rule] : "";
}

bool persona_ours(const struct gate *g, const struct hit *self)
{
	for (size_t i = 0; i < g->selves_num; i++) {
		if (hit_eq(&g->selves[i], self))
			return true;
	}
	for (size_t i = 0; i < g->personas.num; i++) {
		if (hit_eq(&g->personas.v[i].self, self))
			return !g->personas.v[i].retiring;
	}
	return false;
}

static const struct persona *young(const struct gate *g, const struct hit *self,
				   uint64_t now)
{
	for (size_t i = 0; i < g->personas.num; i++) {
		const struct persona *v = &g->personas.v[i];

		if (hit_eq(&v->self, self) && !v->retiring &&
		    now < v->born + PERSONA_AGE)
			return v;
	}
	return NULL;
}

/* What was known of the association is about another identity. */
static void use(struct peer *p, const struct hit *self)
{
	if (hit_eq(&p->self, self))
		return;
	p->self = *self;
	p->state = HIP_UNASSOCIATED;
	p->committed = false;
}

static int choose_ephemeral(struct gate *g, struct peer *p, uint64_t now)
{
	int err;

	if (young(g, &p->self, now))
		return HG_OK;
	if (p->persona_coming)
		return HG_EAGAIN;
	err = hip_make_identity(g->hip, (uint64_t)(uintptr_t)p);
	if (err)
		return HG_EFULL;
	p->persona_coming = true;
	return HG_EAGAIN;
}

int persona_choose(struct gate *g, struct peer *p, uint64_t now)
{
	const char *name = policy_of(g, p);
	size_t i = 0;

	if (strcmp(name, CONFIG_EPHEMERAL) == 0)
		return choose_ephemeral(g, p, now);
	if (name[0])
		i = config_identity(g->cfg, name);
	if (i >= g->selves_num)
		return HG_ENOENT;
	use(p, hit_eq(&p->unfit, &g->selves[i]) ? &p->instead : &g->selves[i]);
	return HG_OK;
}

void persona_instead(struct peer *p, const struct hit *self,
		     const struct hit *instead)
{
	p->unfit = *self;
	p->instead = *instead;
	use(p, instead);
}

/* ---- made ones ----------------------------------------------------------- */

void persona_made(struct gate *g, const struct hip_effect *e)
{
	struct peer *p = (struct peer *)(uintptr_t)e->token;
	uint64_t now = uv_hrtime();
	char self[ADDR_TEXT_MAX];
	char peer[ADDR_TEXT_MAX];

	p->persona_coming = false;
	if (e->reason != REASON_NUM || g->personas.num == PERSONA_MAX) {
		log_warn("event=identity-failed peer=%s text=\"%s\"",
			 hit_print(&p->hit, peer),
			 e->reason != REASON_NUM ? reason_why(e->reason)
						 : "there are too many");
		peer_refuse(g, p);
		return;
	}
	g->personas.v[g->personas.num++] =
		(struct persona){ .self = e->self, .peer = p, .born = now };
	use(p, &e->self);
	events_add(&g->events, now, "", "identity",
		   json_pack("{s:s,s:s}", "self", hit_print(&e->self, self),
			     "peer", hit_print(&p->hit, peer)),
		   "identity %s is made for %s", self, peer);
	if (p->park)
		peer_want(g, p, now);
}

struct flows_of {
	struct gate *g;
	const struct hit *self;
};

static void end_flow(struct flow *f, void *arg)
{
	struct flows_of *w = arg;

	if (!hit_eq(&f->nat.back.self, w->self))
		return;
	first_end_flow(w->g, f);
}

static bool due(struct gate *g, const struct persona *v, uint64_t now)
{
	if (v->retiring || now >= v->born + PERSONA_END)
		return true;
	if (tables_sa_out(&g->plane.tables, &v->self, &v->peer->hit))
		return false;
	/* An exchange that is under way is not ended by this. */
	return now >= v->born + PERSONA_IDLE && !v->peer->park &&
	       (!hit_eq(&v->peer->self, &v->self) ||
		v->peer->state == HIP_UNASSOCIATED ||
		v->peer->state == HIP_E_FAILED ||
		v->peer->state == HIP_CLOSED || v->peer->state == HIP_CLOSING);
}

static void retire(struct gate *g, struct persona *v)
{
	struct flows_of w = { .g = g, .self = &v->self };
	char self[ADDR_TEXT_MAX];

	v->retiring = true;
	if (g->nat)
		tables_each_flow(&g->plane.tables, end_flow, &w);
	events_add(&g->events, uv_hrtime(), "", "identity-gone",
		   json_pack("{s:s}", "self", hit_print(&v->self, self)),
		   "identity %s is retired", self);
}

void persona_expire(struct gate *g, uint64_t now)
{
	struct personas *t = &g->personas;

	for (size_t i = t->num; i-- > 0;) {
		struct persona *v = &t->v[i];

		if (!due(g, v, now))
			continue;
		if (!v->retiring)
			retire(g, v);
		if (hip_remove_identity(g->hip, &v->self, now) == HG_EAGAIN)
			continue; /* its associations are closing */
		*v = t->v[--t->num];
	}
}
