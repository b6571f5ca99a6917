/* SPDX-License-Identifier: MIT */
/* Verbs that are answered when something has happened.
 *
 * THEORY OF OPERATION
 * Control thread only. An errand knows its client by number, so it does not
 * matter if that has gone; it ends with its answer, at most ERRAND_S later.
 * There are ERRANDS_MAX at a time.
 *
 * ping: an echo over the SA, as path probes are; its token tells whose answer
 * comes back. connect: the peer is wanted as if a packet waited for it
 * (peer_want), and the errand ends by what ends such a packet's waiting. A
 * name that nobody asked for is looked up first; the token of that is odd,
 * which no peer's address is.
 */
#include "errand.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.h"
#include "core/log.h"
#include "dnslease.h"
#include "jsonof.h"
#include "viewexplain.h"

enum { ERRANDS_MAX = 64, PING_S = 2, CONNECT_S = 90 };

#define SECOND UINT64_C(1000000000)

enum errand_kind { ERRAND_PING, ERRAND_CONNECT };

struct errand {
	struct errand *next;
	enum errand_kind kind;
	uint64_t client;
	uint64_t token;	     /* odd */
	uint64_t begun, end; /* ns */
	struct hit peer;     /* null: being looked up */
};

struct errands {
	struct errand *first;
	unsigned num;
};

/* ---- the list -------------------------------------------------------------- */

static struct errand *errand_new(struct gate *g, enum errand_kind kind,
				 uint64_t client, const struct hit *peer,
				 unsigned seconds)
{
	struct errand *e = NULL;

	if (!g->errands)
		g->errands = calloc(1, sizeof(*g->errands));
	if (g->errands && g->errands->num < ERRANDS_MAX)
		e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->kind = kind;
	e->client = client;
	e->peer = *peer;
	e->begun = uv_hrtime();
	e->end = e->begun + seconds * SECOND;
	randombytes_buf(&e->token, sizeof(e->token));
	e->token |= 1;
	e->next = g->errands->first;
	g->errands->first = e;
	g->errands->num++;
	return e;
}

static void errand_free(struct gate *g, struct errand *e)
{
	struct errand **p = &g->errands->first;

	while (*p != e)
		p = &(*p)->next;
	*p = e->next;
	g->errands->num--;
	free(e);
}

static struct errand *by_token(struct gate *g, uint64_t token)
{
	struct errand *e = g->errands ? g->errands->first : NULL;

	while (e && e->token != token)
		e = e->next;
	return e;
}

static void refuse(struct gate *g, struct errand *e, const char *why)
{
	control_refuse(g->control, e->client, why);
	errand_free(g, e);
}

/* Does an errand wait for that peer's association? */
static bool is_awaited(const struct gate *g, const struct hit *peer)
{
	for (const struct errand *e = g->errands->first; e; e = e->next)
		if (e->kind == ERRAND_CONNECT && hit_eq(&e->peer, peer))
			return true;
	return false;
}

static void give_up(struct gate *g, struct errand *e)
{
	struct peer *p = peer_find(g, &e->peer);

	refuse(g, e,
	       e->kind == ERRAND_PING
		       ? "no answer within 2 s"
		       : "no association after 90 s; \"hipgate trace\" shows "
			 "how far it came");
	if (p)
		p->wanted = p->wanted && is_awaited(g, &p->hit);
}

void errand_expire(struct gate *g, uint64_t now)
{
	struct errand *next;

	for (struct errand *e = g->errands ? g->errands->first : NULL; e;
	     e = next) {
		next = e->next;
		if (now >= e->end)
			give_up(g, e);
	}
}

void errand_fini(struct gate *g)
{
	while (g->errands && g->errands->first)
		errand_free(g, g->errands->first);
	free(g->errands);
	g->errands = NULL;
}

/* ---- ping -------------------------------------------------------------------- */

static int no_room(char *errbuf, size_t errlen)
{
	(void)snprintf(errbuf, errlen,
		       "too much is being waited for already; try again");
	return HG_EFULL;
}

int errand_ping(struct gate *g, uint64_t client, const json_t *req,
		char *errbuf, size_t errlen)
{
	const char *text = json_string_value(json_object_get(req, "name"));
	char name[DNS_NAME_MAX];
	struct hit hit = hit_null;
	struct errand *e;
	struct sa *sa;
	int err;

	if (text)
		(void)viewexplain_peer(g, text, &hit, name);
	sa = hit_is_null(&hit) ? NULL : viewexplain_sa(g, &hit);
	if (!sa || !g->plane.has_tun) {
		(void)snprintf(errbuf, errlen,
			       "there is no SA with that host to send an echo "
			       "over; \"hipgate connect %.200s\" makes one",
			       text ? text : "NAME");
		return HG_ENOENT;
	}
	e = errand_new(g, ERRAND_PING, client, &hit, PING_S);
	if (!e)
		return no_room(errbuf, errlen);
	err = pathside_ping(g, sa, e->token);
	if (err)
		errand_free(g, e);
	return err;
}

bool errand_pong(struct gate *g, const struct msg *m)
{
	struct errand *e;
	struct sa *sa;
	const struct path *path;
	uint64_t token;

	if (esp_probe_get(IP_PROTO_ICMP6, m->data, m->len, &token) !=
	    ESP_PROBE_ANSWERS)
		return false;
	e = by_token(g, token);
	if (!e || e->kind != ERRAND_PING || !hit_eq(&e->peer, &m->back.peer))
		return false;
	sa = tables_sa_out(&g->plane.tables, &m->back.self, &m->back.peer);
	path = sa ? atomic_load(&sa->path) : NULL;
	(void)control_answer(
		g->control, e->client, "ping",
		json_pack("{s:o,s:o,s:o}", "peer", jsonof_hit(&e->peer),
			  "locator",
			  path ? jsonof_endpoint(&path->ends.peer)
			       : jsonof_text(""),
			  "rtt_us",
			  jsonof_number(m->now > e->begun
						? (m->now - e->begun) / 1000
						: 0)));
	errand_free(g, e);
	return true;
}

/* ---- connect ------------------------------------------------------------------- */

static json_t *connected_json(const struct peer *p, uint64_t since, bool fresh)
{
	return json_pack("{s:o,s:s,s:o,s:s,s:b,s:f}", "peer",
			 jsonof_hit(&p->hit), "name", p->name, "locator",
			 jsonof_endpoint(&p->at), "state",
			 hip_state_name(p->state), "fresh", (int)fresh,
			 "seconds", (double)(uv_hrtime() - since) / 1e9);
}

static bool is_connected(struct gate *g, const struct peer *p)
{
	return viewexplain_sa(g, &p->hit) || p->state == HIP_ESTABLISHED;
}

static void answer(struct gate *g, struct errand *e, const struct peer *p,
		   bool fresh)
{
	(void)control_answer(g->control, e->client, "connect",
			     connected_json(p, e->begun, fresh));
	errand_free(g, e);
}

/* Each errand that waits for p ends with why, or well (NULL). */
static void end_all(struct gate *g, struct peer *p, const char *why)
{
	struct errand *next;

	p->wanted = false;
	for (struct errand *e = g->errands ? g->errands->first : NULL; e;
	     e = next) {
		next = e->next;
		if (e->kind != ERRAND_CONNECT || !hit_eq(&e->peer, &p->hit))
			continue;
		if (why)
			refuse(g, e, why);
		else
			answer(g, e, p, true);
	}
}

void errand_connected(struct gate *g, struct peer *p)
{
	end_all(g, p, NULL);
}

void errand_refused(struct gate *g, struct peer *p)
{
	char why[256];

	if (g->draining)
		(void)snprintf(why, sizeof(why),
			       "no association: the daemon begins none while "
			       "it is being drained; \"hipgate drain --off\"");
	else if (p->failed_at)
		(void)snprintf(why, sizeof(why),
			       "no association: %s (%s); \"hipgate explain\" "
			       "says what to do",
			       reason_why(p->failed), reason_name(p->failed));
	else if (!p->locators_num)
		(void)snprintf(why, sizeof(why),
			       "no address of that host is known");
	else
		(void)snprintf(why, sizeof(why),
			       "no association; it is not tried again for some "
			       "seconds");
	end_all(g, p, why);
}

/* e waits for p from now on, or has its answer. */
static void want(struct gate *g, struct errand *e, struct peer *p)
{
	e->peer = p->hit;
	if (is_connected(g, p)) {
		answer(g, e, p, false);
		return;
	}
	p->wanted = true;
	peer_want(g, p, uv_hrtime());
}

/* A name of which nothing is known: its HIP record first. */
static int look_up(struct gate *g, struct errand *e, const char *name,
		   char *errbuf, size_t errlen)
{
	size_t rule;

	if (!g->dns || !name[0] || !g->cfg->dns_servers_num) {
		(void)snprintf(errbuf, errlen,
			       "nothing is known of that host, and there is no "
			       "%s to ask; name it in a [peer] or [record], or "
			       "let a client ask for its name first",
			       g->dns ? "dns-server" : "proxy role");
		return HG_ENOENT;
	}
	rule = dns_rule_of(g->dns, name);
	if (rule < g->cfg->rules_num && g->cfg->rules[rule].mode == DNS_OFF) {
		(void)snprintf(errbuf, errlen,
			       "[policy \"%s\"] says hip = off of that name",
			       g->cfg->rules[rule].pattern);
		return HG_EPERM;
	}
	return dns_resolve(g->dns, name, NULL, &g->cfg->dns_servers[0],
			   e->token, uv_hrtime());
}

bool errand_resolved(struct gate *g, const struct dns_effect *r)
{
	struct errand *e;
	struct peer *p = NULL;

	if (!(r->token & 1))
		return false; /* a peer's address */
	e = by_token(g, r->token);
	if (!e)
		return true; /* it has ended */
	if (r->kind == DNS_RESOLVED && !persona_ours(g, &r->host->hit))
		p = dnslease_learn(g, r->host);
	if (p)
		want(g, e, p);
	else
		refuse(g, e,
		       r->kind == DNS_RESOLVED
			       ? "that is this host itself, or there is no room"
			       : "that name has no HIP record, or no server "
				 "answered");
	return true;
}

int errand_connect(struct gate *g, uint64_t client, const json_t *req,
		   char *errbuf, size_t errlen)
{
	const char *text = json_string_value(json_object_get(req, "name"));
	char name[DNS_NAME_MAX] = "";
	struct hit hit = hit_null;
	struct peer *p = text ? viewexplain_peer(g, text, &hit, name) : NULL;
	struct errand *e;
	int err = HG_OK;

	if (!p && !name[0] && hit_is_null(&hit)) {
		(void)snprintf(errbuf, errlen,
			       "connect to whom? a name or a HIT");
		return HG_EINVAL;
	}
	e = errand_new(g, ERRAND_CONNECT, client, &hit, CONNECT_S);
	if (!e)
		return no_room(errbuf, errlen);
	if (p)
		want(g, e, p);
	else
		err = look_up(g, e, name, errbuf, errlen);
	if (err)
		errand_free(g, e);
	return err;
}

/* ---- drain ----------------------------------------------------------------------- */

static void count_parked(struct peer *p, void *arg)
{
	*(uint64_t *)arg += p->parked;
}

int errand_drain(struct gate *g, const json_t *req, json_t **data, char *errbuf,
		 size_t errlen)
{
	bool on = !json_is_true(json_object_get(req, "off"));
	uint64_t parked = 0;

	(void)errbuf; /* it cannot fail */
	(void)errlen;
	if (on != g->draining) {
		log_info(on ? "draining: no new associations"
			    : "no longer draining");
		events_add(&g->events, uv_hrtime(), "", "drain",
			   json_pack("{s:b}", "on", (int)on),
			   on ? "no new associations from now on"
			      : "new associations again");
		g->used = uv_hrtime();
	}
	g->draining = on;
	hip_set_draining(g->hip, on);
	peer_each(g, count_parked, &parked);
	*data = json_pack("{s:b,s:i,s:i,s:o,s:o,s:o}", "draining", (int)on,
			  "flows", (int)g->plane.tables.flows, "active",
			  (int)g->active.num, "parked", jsonof_number(parked),
			  "sas", jsonof_number(g->plane.tables.sas), "idle_s",
			  jsonof_since(g->used));
	return HG_OK;
}
