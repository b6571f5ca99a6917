/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is to this daemon.
 *
 * THEORY OF OPERATION
 * Control thread only; changes nothing. What was asked (a name, a HIT, an
 * address) stands for a HIT. There is no index of hosts by name, nor of
 * associations and flows by peer: all are looked through, in pieces, and what
 * is found is kept by value, for it may be gone by the next one. Then the chain
 * is told: question, answer, policy, pin, mapping, association, SA, flows. Each
 * link is a member of the answer for programs and a line of "lines" for people.
 * Of the past there is what the event ring still has. foresee.c says what the
 * next packet meets.
 */
#include "viewexplain.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "foresee.h"
#include "gate.h"
#include "jsonof.h"
#include "viewpeers.h"
#include "views.h"

enum { FLOWS_SHOWN = 10, ASSOCS_SHOWN = 8 };

/* What is looked through. */
enum stage { HOSTS, ASSOCS, FLOWS, DONE };

struct viewexplain {
	struct gate *g;
	json_t *req;
	const char *kind;	 /* of what was asked */
	char name[DNS_NAME_MAX]; /* "": none */
	struct addr addr;	 /* unspecified: none */
	struct addr from;	 /* the client's; unspecified: none */
	struct hit hit;		 /* null: not known */

	enum stage stage;
	size_t at; /* in it */
	struct hip_peer assoc[ASSOCS_SHOWN];
	size_t assocs;
	const void *place; /* of what is walked over, when it began */
	json_t *flow;	   /* rows of the first FLOWS_SHOWN */
	uint64_t flows;

	/* While it is told. */
	struct peer *peer; /* NULL: not known */
	json_t *data;
	json_t *lines;
};

static void line(struct viewexplain *x, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(struct viewexplain *x, const char *what, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)json_array_append_new(
		x->lines, json_pack("{s:s,s:s}", "what", what, "text", text));
}

static void put(struct viewexplain *x, const char *key, json_t *v)
{
	(void)json_object_set_new(x->data, key, v ? v : json_null());
}

/* ---- the past --------------------------------------------------------------- */

/* The last event of that name whose `key` is `value`. */
struct past {
	const char *event;
	const char *key;
	const char *value;
	json_t *found;
};

static void look(void *arg, const char *text)
{
	struct past *p = arg;
	json_t *e;
	const char *v;

	if (!strstr(text, p->event) || !strstr(text, p->value))
		return;
	e = json_loads(text, 0, NULL);
	v = json_string_value(json_object_get(e, p->key));
	if (v && strcmp(v, p->value) == 0 &&
	    strcmp(json_string_value(json_object_get(e, "event")), p->event) ==
		    0) {
		json_decref(p->found);
		p->found = json_incref(e);
	}
	json_decref(e);
}

/* New reference, or NULL. */
static json_t *last(struct viewexplain *x, const char *event, const char *key,
		    const char *value)
{
	struct past p = { event, key, value, NULL };

	events_each(&x->g->events, look, &p);
	return p.found;
}

static void past(struct viewexplain *x, const char *what, const char *event)
{
	json_t *e = last(x, event, "name", x->name);

	if (e)
		line(x, what, "%s",
		     json_string_value(json_object_get(e, "text")));
	put(x, what, e);
}

/* ---- whom it is about -------------------------------------------------------- */

static const struct config_record *record_of(const struct viewexplain *x)
{
	const struct config *c = x->g->cfg;

	for (size_t i = 0; x->name[0] && i < c->records_num; i++) {
		if (strcmp(c->records[i].r.name, x->name) == 0)
			return &c->records[i];
	}
	return NULL;
}

/* A name that leads to a host known by another one, or by none. */
static void find_elsewhere(struct viewexplain *x)
{
	const struct config_record *r = record_of(x);
	json_t *e;
	const char *hit;

	if (r)
		x->hit = r->r.hit;
	e = r ? NULL : last(x, "dns-host", "name", x->name);
	hit = json_string_value(json_object_get(e, "hit"));
	if (hit && hit_parse(hit, &x->hit))
		x->hit = hit_null;
	json_decref(e);
}

/* Hosts by name. True: there are more. */
static bool some_hosts(struct viewexplain *x)
{
	if (x->place != linetable_place(&x->g->peers)) { /* anew, misses none */
		x->place = linetable_place(&x->g->peers);
		x->at = 0;
	}
	for (unsigned n = 0; n < VIEWS_SEEN; n++) {
		const struct peer *p = linetable_each(&x->g->peers, &x->at);

		if (!p) {
			find_elsewhere(x);
			return false;
		}
		if (strcmp(p->name, x->name) == 0) {
			x->hit = p->hit;
			return false;
		}
	}
	return true;
}

static const char *kind_of_addr(struct viewexplain *x)
{
	struct gate *g = x->g;
	const struct mapping *m = tables_mapping(&g->plane.tables, &x->addr);
	const struct steer *s = &g->plane.steer;
	unsigned fam = sockets_family(&x->addr);
	const struct prefix *pool = fam ? &g->cfg->pool6 : &g->cfg->pool4;
	bool inside = pool->len && prefix_has(pool, &x->addr);

	if (m && peer_find(g, &m->peer))
		x->hit = m->peer;
	if (steer_is_dns(s, &x->addr))
		return "gateway-dns";
	if (addr_eq(&x->addr, &s->own[fam]))
		return "own";
	if (m)
		return inside ? "substitute" : "real";
	return inside ? "unused" : "outside";
}

/* What kind of thing was asked about; NULL: none that we know. A name's HIT is
 * still to be found. */
static const char *kind_of(struct viewexplain *x, const char *text)
{
	x->stage = ASSOCS;
	if (hit_parse(text, &x->hit) == HG_OK)
		return persona_ours(x->g, &x->hit) ? "own-hit" : "hit";
	if (addr_parse(text, &x->addr) == HG_OK)
		return kind_of_addr(x);
	x->stage = HOSTS;
	return dns_name(text, x->name) ? NULL : "name";
}

/* The peer it stands for, and the name of one that was asked for otherwise. */
static void settle(struct viewexplain *x)
{
	x->peer = peer_find(x->g, &x->hit);
	if (x->peer && !x->name[0])
		(void)snprintf(x->name, sizeof(x->name), "%s", x->peer->name);
}

struct peer *viewexplain_peer(struct gate *g, const char *text, struct hit *hit,
			      char name[DNS_NAME_MAX])
{
	struct viewexplain x = { .g = g, .addr = addr_any6, .hit = hit_null };

	if (kind_of(&x, text) && x.stage == HOSTS) {
		while (some_hosts(&x))
			;
	}
	settle(&x); /* what it is not, stays empty */
	*hit = x.hit;
	memcpy(name, x.name, DNS_NAME_MAX);
	return x.peer;
}

static void tell_kind(struct viewexplain *x)
{
	const char *asked = json_string_value(json_object_get(x->req, "name"));
	static const struct {
		const char *kind;
		const char *text;
	} texts[] = {
		{ "name", "a name" },
		{ "hit", "a HIT" },
		{ "own-hit", "a HIT of this daemon's own" },
		{ "substitute", "a substitute address of the prefix" },
		{ "unused", "inside the prefix, but nobody was given it" },
		{ "real", "a real address that packets reach through HIP" },
		{ "gateway-dns", "where the prefix's own DNS answers" },
		{ "own", "the TUN's own address on this machine" },
		{ "outside", "outside the prefix: not hipgate's business" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (strcmp(texts[i].kind, x->kind) == 0)
			line(x, "asked", "%s: %s", asked, texts[i].text);
	}
	put(x, "asked", jsonof_text(asked));
	put(x, "kind", jsonof_text(x->kind));
}

/* ---- the chain ---------------------------------------------------------------- */

static void explain_policy(struct viewexplain *x)
{
	const struct config *c = x->g->cfg;
	size_t i = dns_rule_of(x->g->dns, x->name);
	char at[CONFIG_PATH + 16];

	if (i >= c->rules_num) {
		put(x, "policy", NULL);
		line(x, "policy",
		     "no [policy] matches: hip = prefer, as if there were "
		     "none");
		return;
	}
	(void)config_place(c, c->rule_line[i], at, sizeof(at));
	put(x, "policy",
	    json_pack("{s:s,s:s,s:s}", "pattern", c->rules[i].pattern, "hip",
		      foresee_mode_name(c->rules[i].mode), "at", at));
	line(x, "policy", "[policy \"%s\"] hip = %s (%s)", c->rules[i].pattern,
	     foresee_mode_name(c->rules[i].mode), at);
}

static void explain_record(struct viewexplain *x)
{
	const struct config_record *r = record_of(x);
	char hit[ADDR_TEXT_MAX];

	if (!r)
		return;
	hit_print(&r->r.hit, hit);
	put(x, "record", json_pack("{s:s,s:i}", "hit", hit, "line", r->line));
	line(x, "record",
	     "{%s} by the administrator's word, line %u of its file; no "
	     "server is asked",
	     hit, r->line);
}

/* Question, answer, rule, pin: what DNS has to do with it. */
static void explain_name(struct viewexplain *x)
{
	bool pinned;

	if (!x->g->dns) {
		line(x, "dns", "no [proxy] role: this daemon answers no DNS");
		return;
	}
	past(x, "question", "dns-query");
	past(x, "found", "dns-host");
	past(x, "answer", "dns-reply");
	explain_policy(x);
	explain_record(x);
	pinned = dns_pinned(x->g->dns, x->name);
	put(x, "pinned", json_boolean(pinned));
	if (pinned)
		line(x, "pin",
		     "it had a HIP record once, so HIP is required for it "
		     "until \"hipgate forget %s\"",
		     x->name);
	else
		line(x, "pin", "none");
}

static json_t *locators_json(const struct peer *p)
{
	json_t *a = json_array();

	for (size_t i = 0; i < p->locators_num; i++)
		(void)json_array_append_new(a,
					    jsonof_endpoint(&p->locators[i]));
	return a;
}

static void explain_mapping(struct viewexplain *x)
{
	const struct peer *p = x->peer;
	uint64_t now = uv_hrtime();
	char hit[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];
	char sub6[ADDR_TEXT_MAX];
	char sub4[ADDR_TEXT_MAX];

	put(x, "mapping",
	    json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:b,s:o}", "hit",
		      jsonof_hit(&p->hit), "name", p->name, "sub6",
		      jsonof_addr(&p->sub6), "sub4", jsonof_addr(&p->sub4),
		      "real6", jsonof_addr(&p->real[1]), "real4",
		      jsonof_addr(&p->real[0]), "locators", locators_json(p),
		      "via_rvs", (int)p->via_rvs, "fresh_s",
		      p->fresh_until > now
			      ? json_real((double)(p->fresh_until - now) / 1e9)
			      : json_real(0)));
	hit_print(&p->hit, hit);
	line(x, "mapping", "{%s; %s; %s %s}%s", hit,
	     p->at.port ? endpoint_print(&p->at, at) : "no address known",
	     addr_is_unspecified(&p->sub6) ? "-" : addr_print(&p->sub6, sub6),
	     addr_is_unspecified(&p->sub4) ? "-" : addr_print(&p->sub4, sub4),
	     p->committed      ? ", where it answers"
	     : p->via_rvs      ? ", its rendezvous server"
	     : p->locators_num ? ", not tried yet"
			       : "");
}

static void take_assoc(const struct hip_peer *p, void *arg)
{
	struct viewexplain *x = arg;

	if (hit_eq(&p->peer, &x->hit) && x->assocs < ASSOCS_SHOWN)
		x->assoc[x->assocs++] = *p;
}

static void tell_assoc(struct viewexplain *x, const struct hip_peer *p)
{
	char at[ENDPOINT_TEXT_MAX];
	char via[ENDPOINT_TEXT_MAX] = "";

	put(x, "association", viewpeers_one(x->g, p));
	if (p->has_via)
		endpoint_print(&p->via, via);
	line(x, "association", "%s as %s, at %s (%s)%s%s, for %.0f s",
	     hip_state_name(p->state), p->initiator ? "initiator" : "responder",
	     endpoint_print(&p->peer_at, at),
	     p->checking   ? "paths are being tried"
	     : p->verified ? "verified"
			   : "not verified",
	     via[0] ? ", met through " : "", via,
	     (double)(uv_hrtime() - p->since) / 1e9);
}

/* A peer of the proxy's has one of our HITs for its own. */
static void explain_assoc(struct viewexplain *x)
{
	const struct peer *p = x->peer;
	bool there = false;

	for (size_t i = 0; i < x->assocs; i++) {
		if (p && !hit_eq(&x->assoc[i].self, &p->self))
			continue;
		tell_assoc(x, &x->assoc[i]);
		there = true;
	}
	if (!there) {
		put(x, "association", NULL);
		line(x, "association", "none");
	}
	if (!p || !p->failed_at)
		return;
	put(x, "failure",
	    json_pack("{s:s,s:s,s:o}", "reason", reason_name(p->failed), "why",
		      reason_why(p->failed), "ago_s",
		      jsonof_since(p->failed_at)));
	line(x, "failure", "the last exchange failed %.0f s ago: %s (%s)",
	     (double)(uv_hrtime() - p->failed_at) / 1e9, reason_why(p->failed),
	     reason_name(p->failed));
}

/* The SA that sends; a host's own peers have it with any of our HITs. */
struct sa *viewexplain_sa(struct gate *g, const struct hit *hit)
{
	const struct peer *p = peer_find(g, hit);
	struct tables *t = &g->plane.tables;
	struct sa *sa = NULL;

	if (p)
		sa = tables_sa_out(t, &p->self, hit);
	for (size_t i = 0; !sa && i < g->selves_num; i++)
		sa = tables_sa_out(t, &g->selves[i], hit);
	return sa;
}

static void explain_sa(struct viewexplain *x)
{
	struct sa *sa = viewexplain_sa(x->g, &x->hit);
	const struct path *path = sa ? atomic_load(&sa->path) : NULL;
	const struct sa_suite *suite;
	char at[ENDPOINT_TEXT_MAX];

	put(x, "sa", sa ? views_sa(x->g, sa) : NULL);
	if (!sa) {
		line(x, "sa", "none");
		return;
	}
	suite = sa_suite_find(sa->suite);
	line(x, "sa", "in %08x out %08x, %s, to %s, %u octets outside (%s)%s",
	     sa->spi_in, sa->spi_out, suite ? suite->name : "?",
	     endpoint_print(&path->ends.peer, at), (unsigned)path->size.outer,
	     path->size.outer ? esp_pmtu_by_name(path->size.by) : "not sought",
	     atomic_load(&sa->contexts) ? "" : "; it rests, and wakes by use");
}

/* Flows of that peer. True: there are more to look through. */
static bool some_flows(struct viewexplain *x)
{
	struct linetable *flows = &x->g->plane.tables.flow_key;

	if (x->place != linetable_place(flows)) { /* anew, or none twice */
		x->place = linetable_place(flows);
		x->at = 0;
		x->flows = 0;
		(void)json_array_clear(x->flow);
	}
	for (unsigned n = 0; n < VIEWS_SEEN; n++) {
		const struct flow *f = linetable_each(flows, &x->at);

		if (!f)
			return false;
		if (!hit_eq(&f->nat.back.peer, &x->hit))
			continue;
		if (x->flows++ < FLOWS_SHOWN)
			(void)json_array_append_new(x->flow, views_flow(f));
	}
	return true;
}

static void explain_flows(struct viewexplain *x)
{
	json_t *f;
	size_t i;

	line(x, "flows", "%llu", (unsigned long long)x->flows);
	json_array_foreach(x->flow, i, f)
		line(x, "", "%s %s port %d -> %s port %d, %s",
		     json_string_value(json_object_get(f, "proto")),
		     json_string_value(json_object_get(f, "client")),
		     (int)json_integer_value(json_object_get(f, "client_port")),
		     json_string_value(json_object_get(f, "virt")),
		     (int)json_integer_value(json_object_get(f, "virt_port")),
		     json_string_value(json_object_get(f, "state")));
	put(x, "flows",
	    json_pack("{s:I,s:O}", "num", (json_int_t)x->flows, "first",
		      x->flow));
}

static void explain_next(struct viewexplain *x)
{
	struct foresight f;

	if (!addr_is_unspecified(&x->addr))
		foresee_packet(x->g, &x->addr, &x->from, &f);
	else if (x->name[0] && x->g->dns)
		foresee_question(x->g, x->name, x->peer, &x->from, &f);
	else
		foresee_hit(x->g, &x->hit, &f);
	put(x, "next",
	    json_pack("{s:s,s:s,s:s,s:s}", "verdict", f.verdict, "reason",
		      f.reason == REASON_NUM ? "" : reason_name(f.reason),
		      "text", f.text, "mend", f.mend));
	if (f.reason == REASON_NUM)
		line(x, "next", "%s: %s", f.verdict, f.text);
	else
		line(x, "next", "%s: %s (%s)", f.verdict, f.text,
		     reason_name(f.reason));
	if (f.mend[0])
		line(x, "to do", "%s", f.mend);
}

/* ---- the verb ----------------------------------------------------------------- */

void viewexplain_free(struct viewexplain *x)
{
	if (!x)
		return;
	json_decref(x->req);
	json_decref(x->flow);
	json_decref(x->data);
	json_decref(x->lines);
	free(x);
}

int viewexplain_begin(struct gate *g, const json_t *req,
		      struct viewexplain **out, char *errbuf, size_t errlen)
{
	const char *asked = json_string_value(json_object_get(req, "name"));
	const char *client = json_string_value(json_object_get(req, "from"));
	struct viewexplain *x = calloc(1, sizeof(*x));

	if (!x)
		return HG_ENOMEM;
	x->g = g;
	x->addr = addr_any6;
	x->from = addr_any6;
	x->hit = hit_null;
	x->req = json_incref((json_t *)req);
	x->flow = json_array();
	x->kind = asked ? kind_of(x, asked) : NULL;
	if (!x->kind || (client && addr_parse(client, &x->from))) {
		(void)snprintf(errbuf, errlen,
			       "%s; ask for a name, a HIT or an address",
			       !asked	 ? "a \"name\" is missing"
			       : x->kind ? "--client takes an address"
					 : "that is no domain name");
		viewexplain_free(x);
		return HG_EINVAL;
	}
	*out = x;
	return HG_OK;
}

/* Is there anything to look for in associations and flows? */
static bool has_peer(const struct viewexplain *x)
{
	return !hit_is_null(&x->hit) && strcmp(x->kind, "own-hit") != 0;
}

bool viewexplain_look(struct viewexplain *x)
{
	bool more;

	if (x->stage == DONE || (x->stage != HOSTS && !has_peer(x)))
		return false;
	if (x->stage == HOSTS)
		more = some_hosts(x);
	else if (x->stage == ASSOCS)
		more = hip_some_peers(x->g->hip, &x->at, take_assoc, x);
	else
		more = some_flows(x);
	if (!more) {
		x->stage++;
		x->at = 0;
	}
	return true;
}

json_t *viewexplain_tell(struct viewexplain *x)
{
	settle(x);
	x->data = json_object();
	x->lines = json_array();
	tell_kind(x);
	put(x, "name", jsonof_text(x->name));
	if (x->name[0])
		explain_name(x);
	if (x->peer)
		explain_mapping(x);
	if (has_peer(x)) {
		explain_assoc(x);
		explain_sa(x);
		explain_flows(x);
	}
	explain_next(x);
	(void)json_object_set(x->data, "lines", x->lines);
	return json_incref(x->data);
}
