/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is to this daemon.
 *
 * THEORY OF OPERATION
 * Control thread only; changes nothing. From what was asked (a name, a HIT,
 * an address) the peer it stands for is found, and the chain is told from
 * one end to the other: question, answer, policy, pin, mapping, association,
 * SA, flows. Each link is a member of the answer for programs and a line of
 * "lines" for people. Of the past there is what the event ring still has.
 * foresee.c says what the next packet meets.
 */
#include "viewexplain.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "foresee.h"
#include "gate.h"
#include "jsonof.h"
#include "viewpeers.h"
#include "views.h"

enum { FLOWS_SHOWN = 10 };

struct explained {
	struct gate *g;
	json_t *data;
	json_t *lines;
	char name[DNS_NAME_MAX]; /* "": none */
	struct addr addr;	 /* unspecified: none */
	struct hit hit;		 /* null: not known */
	struct peer *peer;	 /* NULL: not known */
};

static void line(struct explained *x, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(struct explained *x, const char *what, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	(void)json_array_append_new(
		x->lines, json_pack("{s:s,s:s}", "what", what, "text", text));
}

static void put(struct explained *x, const char *key, json_t *v)
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
static json_t *last(struct explained *x, const char *event, const char *key,
		    const char *value)
{
	struct past p = { event, key, value, NULL };

	events_each(&x->g->events, look, &p);
	return p.found;
}

static void past(struct explained *x, const char *what, const char *event)
{
	json_t *e = last(x, event, "name", x->name);

	if (e)
		line(x, what, "%s",
		     json_string_value(json_object_get(e, "text")));
	put(x, what, e);
}

/* ---- whom it is about -------------------------------------------------------- */

static void by_name(struct peer *p, void *arg)
{
	struct explained *x = arg;

	if (strcmp(p->name, x->name) == 0)
		x->peer = p;
}

static const struct config_record *record_of(const struct explained *x)
{
	const struct config *c = x->g->cfg;

	for (size_t i = 0; x->name[0] && i < c->records_num; i++) {
		if (strcmp(c->records[i].r.name, x->name) == 0)
			return &c->records[i];
	}
	return NULL;
}

/* A name that leads to a host known by another one. */
static void find_by_name(struct explained *x)
{
	const struct config_record *r = record_of(x);
	json_t *e;
	const char *hit;

	peer_each(x->g, by_name, x);
	if (x->peer)
		return;
	if (r)
		x->hit = r->r.hit;
	e = r ? NULL : last(x, "dns-host", "name", x->name);
	hit = json_string_value(json_object_get(e, "hit"));
	if (hit && hit_parse(hit, &x->hit))
		x->hit = hit_null;
	json_decref(e);
	x->peer = peer_find(x->g, &x->hit);
}

static const char *find_by_addr(struct explained *x)
{
	struct gate *g = x->g;
	const struct mapping *m = tables_mapping(&g->plane.tables, &x->addr);
	const struct steer *s = &g->plane.steer;
	unsigned fam = sockets_family(&x->addr);
	const struct prefix *pool = fam ? &g->cfg->pool6 : &g->cfg->pool4;
	bool inside = pool->len && prefix_has(pool, &x->addr);

	if (m)
		x->peer = peer_find(g, &m->peer);
	if (steer_is_dns(s, &x->addr))
		return "gateway-dns";
	if (addr_eq(&x->addr, &s->own[fam]))
		return "own";
	if (m)
		return inside ? "substitute" : "real";
	return inside ? "unused" : "outside";
}

/* What kind of thing was asked about; NULL: none that we know. */
static const char *find(struct explained *x, const char *text)
{
	if (hit_parse(text, &x->hit) == HG_OK) {
		x->peer = peer_find(x->g, &x->hit);
		if (x->peer)
			(void)snprintf(x->name, sizeof(x->name), "%s",
				       x->peer->name);
		return persona_ours(x->g, &x->hit) ? "own-hit" : "hit";
	}
	if (addr_parse(text, &x->addr) == HG_OK) {
		const char *kind = find_by_addr(x);

		if (x->peer)
			(void)snprintf(x->name, sizeof(x->name), "%s",
				       x->peer->name);
		return kind;
	}
	if (dns_name(text, x->name))
		return NULL;
	find_by_name(x);
	return "name";
}

struct peer *viewexplain_peer(struct gate *g, const char *text, struct hit *hit,
			      char name[DNS_NAME_MAX])
{
	struct explained x = { .g = g, .addr = addr_any6, .hit = hit_null };

	(void)find(&x, text); /* what it is not, stays empty */
	*hit = x.peer ? x.peer->hit : x.hit;
	memcpy(name, x.name, DNS_NAME_MAX);
	return x.peer;
}

static void tell_kind(struct explained *x, const char *asked, const char *kind)
{
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
		if (strcmp(texts[i].kind, kind) == 0)
			line(x, "asked", "%s: %s", asked, texts[i].text);
	}
	put(x, "asked", jsonof_text(asked));
	put(x, "kind", jsonof_text(kind));
}

/* ---- the chain ---------------------------------------------------------------- */

static void explain_policy(struct explained *x)
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

static void explain_record(struct explained *x)
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
static void explain_name(struct explained *x)
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

static void explain_mapping(struct explained *x)
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

struct found_peer {
	struct explained *x;
	const struct hit *self;
	bool there;
};

static void add_assoc(const struct hip_peer *p, void *arg)
{
	struct found_peer *f = arg;
	struct explained *x = f->x;
	char at[ENDPOINT_TEXT_MAX];
	char via[ENDPOINT_TEXT_MAX] = "";

	if (!hit_eq(&p->peer, &x->hit) ||
	    (f->self && !hit_eq(&p->self, f->self)))
		return;
	f->there = true;
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

static void explain_assoc(struct explained *x)
{
	struct found_peer f = { x, x->peer ? &x->peer->self : NULL, false };
	const struct peer *p = x->peer;

	hip_each_peer(x->g->hip, add_assoc, &f);
	if (!f.there) {
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

static void explain_sa(struct explained *x)
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

struct flows {
	struct explained *x;
	json_t *list;
	uint64_t num;
};

static void add_flow(struct flow *f, void *arg)
{
	struct flows *l = arg;

	if (!hit_eq(&f->nat.back.peer, &l->x->hit))
		return;
	if (l->num++ < FLOWS_SHOWN)
		(void)json_array_append_new(l->list, views_flow(f));
}

static void explain_flows(struct explained *x)
{
	struct flows l = { x, json_array(), 0 };
	json_t *f;
	size_t i;

	tables_each_flow(&x->g->plane.tables, add_flow, &l);
	line(x, "flows", "%llu", (unsigned long long)l.num);
	json_array_foreach(l.list, i, f)
		line(x, "", "%s %s port %d -> %s port %d, %s",
		     json_string_value(json_object_get(f, "proto")),
		     json_string_value(json_object_get(f, "client")),
		     (int)json_integer_value(json_object_get(f, "client_port")),
		     json_string_value(json_object_get(f, "virt")),
		     (int)json_integer_value(json_object_get(f, "virt_port")),
		     json_string_value(json_object_get(f, "state")));
	put(x, "flows",
	    json_pack("{s:I,s:o}", "num", (json_int_t)l.num, "first", l.list));
}

static void explain_next(struct explained *x, const struct addr *from)
{
	struct foresight f;

	if (!addr_is_unspecified(&x->addr))
		foresee_packet(x->g, &x->addr, from, &f);
	else if (x->name[0] && x->g->dns)
		foresee_question(x->g, x->name, x->peer, from, &f);
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

int viewexplain(struct gate *g, const json_t *req, json_t **data, char *errbuf,
		size_t errlen)
{
	const char *asked = json_string_value(json_object_get(req, "name"));
	const char *client = json_string_value(json_object_get(req, "from"));
	struct explained x = { .g = g, .addr = addr_any6, .hit = hit_null };
	struct addr from = addr_any6;
	const char *kind = asked ? find(&x, asked) : NULL;

	if (!kind || (client && addr_parse(client, &from))) {
		(void)snprintf(errbuf, errlen,
			       "%s; ask for a name, a HIT or an address",
			       !asked ? "a \"name\" is missing"
			       : kind ? "--client takes an address"
				      : "that is no domain name");
		return HG_EINVAL;
	}
	x.data = json_object();
	x.lines = json_array();
	tell_kind(&x, asked, kind);
	if (x.peer)
		x.hit = x.peer->hit;
	put(&x, "name", jsonof_text(x.name));
	if (x.name[0])
		explain_name(&x);
	if (x.peer)
		explain_mapping(&x);
	if (!hit_is_null(&x.hit) && strcmp(kind, "own-hit") != 0) {
		explain_assoc(&x);
		explain_sa(&x);
		explain_flows(&x);
	}
	explain_next(&x, &from);
	put(&x, "lines", x.lines);
	*data = x.data;
	return HG_OK;
}
