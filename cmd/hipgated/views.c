/* SPDX-License-Identifier: MIT */
/* What the verbs of the control socket show; a table of verbs. */
#include "views.h"

#include <string.h>

#include "gate.h"
#include "control.h"
#include "jsonof.h"
#include "viewclients.h"
#include "snapshot.h"
#include "viewpeers.h"
#include "viewseen.h"

/* A walk that appends to an array. */
struct list {
	struct gate *g;
	json_t *array;
};

static void add_registration(const struct hip_registration *r, void *arg)
{
	struct list *l = arg;
	uint64_t now = uv_hrtime();
	double left = r->expires > now ? (double)(r->expires - now) / 1e9 : 0;
	const struct relay_port *port =
		r->relayed_at.port ? relayside_port(l->g, r->relayed_at.port)
				   : NULL;

	(void)json_array_append_new(
		l->array,
		json_pack("{s:o,s:o,s:s,s:o,s:I,s:o,s:f}", "hit",
			  jsonof_hit(&r->client), "at", jsonof_endpoint(&r->at),
			  "service", r->relay ? "relay" : "rendezvous",
			  "relayed_at",
			  port ? jsonof_endpoint(&r->relayed_at)
			       : jsonof_text(""),
			  "permits", (json_int_t)r->permits, "relayed_bytes",
			  jsonof_number(port ? atomic_load(&port->bytes) : 0),
			  "expires_s", left));
}

static bool more_registrations(struct gate *g, struct views_walk *w,
			       json_t *rows)
{
	struct list l = { .g = g, .array = rows };

	return hip_some_registrations(g->hip, &w->at, add_registration, &l);
}

static void add_pin(const char *name, const struct hit *hit, void *arg)
{
	(void)json_array_append_new(arg, json_pack("{s:s,s:o}", "name", name,
						   "hit", jsonof_hit(hit)));
}

static bool more_pins(struct gate *g, struct views_walk *w, json_t *rows)
{
	return g->dns && dns_some_pins(g->dns, &w->at, add_pin, rows);
}

/* ---- the published tables ----------------------------------------------------- */

/* The largest IPv6 packet of a client that fits; 0: there are no clients. */
static json_int_t inner_mtu(const struct path_size *size)
{
	return size->outer ? (json_int_t)size->l4_most + IP6_HDR : 0;
}

json_t *views_sa(struct gate *g, struct sa *s)
{
	const struct path *path = atomic_load(&s->path);
	const struct path_size *size = &path->size;
	struct tables *t = &g->plane.tables;

	return json_pack(
		"{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,"
		"s:I,s:i,s:s}",
		"self", jsonof_hit(&s->self), "peer", jsonof_hit(&s->peer),
		"spi_in", jsonof_number(s->spi_in), "spi_out",
		jsonof_number(s->spi_out), "suite", jsonof_suite(s->suite),
		"locator", jsonof_endpoint(&path->ends.peer), "out_packets",
		jsonof_count(&s->out_packets), "out_bytes",
		jsonof_count(&s->out_bytes), "in_packets",
		jsonof_count(&s->in_packets), "in_bytes",
		jsonof_count(&s->in_bytes), "age_s",
		jsonof_since(s->created_ns), "state",
		tables_sa_out(t, &s->self, &s->peer) == s ? "sends" : "opens",
		"mtu", inner_mtu(size), "outer_mtu", (int)size->outer, "mtu_by",
		size->outer ? esp_pmtu_by_name(size->by) : "");
}

static bool more_sas(struct gate *g, struct views_walk *w, json_t *rows)
{
	struct sa *s = NULL;

	for (unsigned n = 0; n < VIEWS_ROWS; n++) {
		s = linetable_each(&g->plane.tables.sa_spi, &w->at);
		if (!s)
			break;
		(void)json_array_append_new(rows, views_sa(g, s));
	}
	return s;
}

static const char *via_name(const struct peer *p)
{
	if (p->committed)
		return "host"; /* H.1 has been: R2 verified where it is */
	if (!p->at.port)
		return "?";
	return p->via_rvs ? "rvs" : "host";
}

static void add_mapping(const struct peer *p, json_t *rows)
{
	if (addr_is_unspecified(&p->sub6) && addr_is_unspecified(&p->sub4) &&
	    addr_is_unspecified(&p->real[0]) &&
	    addr_is_unspecified(&p->real[1]))
		return;
	(void)json_array_append_new(
		rows,
		json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:s,s:s,s:i}", "name",
			  p->name, "hit", jsonof_hit(&p->hit), "sub6",
			  jsonof_addr(&p->sub6), "sub4", jsonof_addr(&p->sub4),
			  "real6", jsonof_addr(&p->real[1]), "real4",
			  jsonof_addr(&p->real[0]), "locator",
			  jsonof_endpoint(&p->at), "via", via_name(p), "state",
			  hip_state_name(p->state), "parked", (int)p->parked));
}

static bool more_mappings(struct gate *g, struct views_walk *w, json_t *rows)
{
	const struct peer *p = NULL;

	for (unsigned n = 0; n < VIEWS_ROWS; n++) {
		p = linetable_each(&g->peers, &w->at);
		if (!p)
			break;
		add_mapping(p, rows);
	}
	return p;
}

static const char *proto_name(uint32_t proto)
{
	if (proto == IP_PROTO_TCP)
		return "tcp";
	return proto == IP_PROTO_UDP ? "udp" : "icmp";
}

json_t *views_flow(const struct flow *f)
{
	const struct nat_flow *n = &f->nat;

	return json_pack(
		"{s:s,s:o,s:i,s:o,s:i,s:i,s:o,s:i,s:s,s:o,s:o,s:o}", "proto",
		proto_name(n->key.proto), "client", jsonof_addr(&n->key.client),
		"client_port", n->key.client_port, "virt",
		jsonof_addr(&n->key.virt), "virt_port", n->key.virt_port,
		"ext_port", n->back.ext_port, "peer", jsonof_hit(&n->back.peer),
		"peer_port", n->back.peer_port, "state", nat_state_name(n),
		"idle_s",
		jsonof_since(atomic_load_explicit((_Atomic uint64_t *)&n->last,
						  memory_order_relaxed)),
		"out_packets", jsonof_count(&n->out_packets), "in_packets",
		jsonof_count(&n->in_packets));
}

static bool more_flows(struct gate *g, struct views_walk *w, json_t *rows)
{
	const struct flow *f = NULL;

	for (unsigned n = 0; n < VIEWS_ROWS; n++) {
		f = linetable_each(&g->plane.tables.flow_key, &w->at);
		if (!f)
			break;
		(void)json_array_append_new(rows, views_flow(f));
	}
	return f;
}

/* ---- drops -------------------------------------------------------------------- */

static json_t *drops_json(const struct gate *g)
{
	json_t *o = json_object();

	for (unsigned r = 0; o && r < REASON_NUM; r++) {
		uint64_t n = snapshot_drops(g, (enum reason)r);

		if (n)
			(void)json_object_set_new(o, reason_name(r),
						  jsonof_number(n));
	}
	return o;
}

/* ---- identities and access rules --------------------------------------------- */

/* Lasting ones come in the order of the file. */
static void add_identity(const struct hip_self *s, void *arg)
{
	static const char *const alg[HIP_ALG_NUM] = {
		[HIP_ALG_ECDSA_P256] = "ecdsa-p256",
		[HIP_ALG_ECDSA_P384] = "ecdsa-p384",
		[HIP_ALG_RSA_2048] = "rsa-2048",
		[HIP_ALG_RSA_3072] = "rsa-3072",
		[HIP_ALG_RSA_4096] = "rsa-4096",
	};
	struct list *l = arg;
	size_t i = json_array_size(l->array);

	(void)json_array_append_new(
		l->array,
		json_pack("{s:o,s:s,s:b,s:b,s:s}", "hit", jsonof_hit(&s->hit),
			  "alg", alg[s->alg] ? alg[s->alg] : "?", "anonymous",
			  (int)s->anonymous, "ephemeral", (int)s->made, "file",
			  s->made ? "" : l->g->cfg->identity[i]));
}

static json_t *view_identities(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	hip_each_identity(g->hip, add_identity, &l);
	return l.array;
}

static void add_hit(const struct hip_self *s, void *arg)
{
	if (!s->made)
		(void)json_array_append_new(arg, jsonof_hit(&s->hit));
}

static json_t *hits_json(const struct gate *g)
{
	json_t *a = json_array();

	hip_each_identity(g->hip, add_hit, a);
	return a;
}

/* The DNS servers that answer no question for a HIP record. */
static json_t *deaf_json(const struct gate *g)
{
	struct endpoint deaf[16];
	size_t num = g->dns ? dns_deaf(g->dns, deaf, 16) : 0;
	json_t *a = json_array();

	for (size_t i = 0; i < num; i++)
		(void)json_array_append_new(a, jsonof_endpoint(&deaf[i]));
	return a;
}

static void add_rule(const struct hip_access_count *c, void *arg)
{
	static const char *const role[HIP_ROLE_NUM] = { "host", "rendezvous",
							"proxy" };
	struct list *l = arg;
	char who[PREFIX_TEXT_MAX];

	if (c->rule.by_hit)
		hit_print(&c->rule.hit, who);
	else
		prefix_print(&c->rule.prefix, who);
	(void)json_array_append_new(
		l->array,
		json_pack("{s:s,s:s,s:s,s:o}", "role", role[c->role], "action",
			  c->rule.allow ? "allow" : "deny", "who", who, "hits",
			  jsonof_number(c->hits)));
}

static json_t *view_access(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	hip_each_access(g->hip, add_rule, &l);
	return l.array;
}

/* ---- status ------------------------------------------------------------------- */

static json_t *roles_json(const struct config *c)
{
	json_t *a = json_array();

	if (a && c->proxy)
		(void)json_array_append_new(a, jsonof_text("proxy"));
	if (a && c->host)
		(void)json_array_append_new(a, jsonof_text("host"));
	if (a && c->rendezvous)
		(void)json_array_append_new(a, jsonof_text("rendezvous"));
	return a;
}

/* Of the SAs that are there now. */
static json_t *traffic_json(const struct meter_traffic *t)
{
	return json_pack("{s:o,s:o,s:o,s:o}", "out_packets",
			 jsonof_number(t->out_packets), "out_bytes",
			 jsonof_number(t->out_bytes), "in_packets",
			 jsonof_number(t->in_packets), "in_bytes",
			 jsonof_number(t->in_bytes));
}

/* System calls against packets: how well batching works. */
static json_t *io_json(const struct gate *g)
{
	uint64_t n[6] = { 0 };

	for (unsigned k = 0; k < g->plane.workers_num; k++) {
		const struct worker *w = &g->workers[k];

		n[0] += atomic_load((_Atomic uint64_t *)&w->tun_reads);
		n[1] += atomic_load((_Atomic uint64_t *)&w->tun_writes);
		n[2] += atomic_load((_Atomic uint64_t *)&w->udp_sends);
		n[3] += atomic_load((_Atomic uint64_t *)&w->udp_receives);
		n[4] += atomic_load((_Atomic uint64_t *)&w->cut);
		n[5] += atomic_load((_Atomic uint64_t *)&w->recalled);
	}
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "tun_reads",
			 jsonof_number(n[0]), "tun_writes", jsonof_number(n[1]),
			 "udp_sends", jsonof_number(n[2]), "udp_receives",
			 jsonof_number(n[3]), "cut", jsonof_number(n[4]),
			 "dns_recalled", jsonof_number(n[5]));
}

/* Of all workers: how often it was refused, and whether one lets it rest. */
static void add_offload(const struct offload *o, uint64_t now,
			uint64_t *refused, bool *rests)
{
	*refused += atomic_load((_Atomic uint64_t *)&o->refused);
	*rests = *rests || atomic_load((_Atomic uint64_t *)&o->until) > now;
}

static json_t *offload_json(const struct gate *g, enum offload_kind kind)
{
	const struct plane *p = &g->plane;
	const bool has[OFFLOAD_NUM] = {
		[OFFLOAD_TSO] = p->tun.tso,
		[OFFLOAD_USO] = p->tun.uso,
		[OFFLOAD_UDP_SEGMENT] = p->sockets.segment,
		[OFFLOAD_UDP_GRO] = p->sockets.gro,
	};
	uint64_t now = uv_hrtime();
	uint64_t refused = 0;
	bool rests = false;
	const char *state = "on";

	for (unsigned k = 0; k < p->workers_num; k++) {
		const struct worker *w = &g->workers[k];

		if (kind == OFFLOAD_TSO)
			add_offload(&w->join[TUN_JOIN_TCP], now, &refused,
				    &rests);
		if (kind == OFFLOAD_USO)
			add_offload(&w->join[TUN_JOIN_UDP], now, &refused,
				    &rests);
		for (unsigned fam = 0;
		     kind == OFFLOAD_UDP_SEGMENT && fam < SOCKETS_FAMILIES;
		     fam++)
			add_offload(&w->segment[fam], now, &refused, &rests);
	}
	if (!offload_wanted(g->cfg->offload, kind))
		state = "off";
	else if (!has[kind])
		state = "not supported";
	else if (rests)
		state = "fell back";
	return json_pack("{s:s,s:o}", "state", state, "refused",
			 jsonof_number(refused));
}

static json_t *offloads_json(const struct gate *g)
{
	json_t *o = json_pack("{s:s}", "setting",
			      config_offload_name(g->cfg->offload));

	for (unsigned kind = 0; o && kind < OFFLOAD_NUM; kind++)
		(void)json_object_set_new(
			o, offload_name(kind),
			offload_json(g, (enum offload_kind)kind));
	return o;
}

static json_t *counts_json(const struct snapshot *s)
{
	const struct nat_usage *n = &s->nat;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "associations",
			 jsonof_number(s->assocs_num), "sas",
			 jsonof_number(s->sas), "mappings",
			 jsonof_number(s->mappings), "flows",
			 jsonof_number(n->tcp + n->udp + n->icmp), "peers",
			 jsonof_number(s->peers), "registrations",
			 jsonof_number(s->registrations), "parked",
			 jsonof_number(s->parked), "questions",
			 jsonof_number(s->questions));
}

static json_t *view_status(struct gate *g, const struct snapshot *s)
{
	const struct plane *p = &g->plane;

	return json_pack(
		"{s:s,s:b,s:o,s:o,s:o,s:o,s:{s:s,s:i},s:o,s:s,s:i,s:i,s:o,s:o,"
		"s:o,s:o,s:o,s:o,s:o}",
		"version", HIPGATE_VERSION, "draining", (int)g->draining,
		"health", viewseen_health(g), "roles", roles_json(g->cfg),
		"hits", hits_json(g), "identities", view_identities(g), "tun",
		"name", p->tun.name, "mtu", (int)p->tun.mtu, "offload",
		offloads_json(g), "aes_gcm", esp_gcm_name(), "workers",
		(int)p->workers_num, "port", (int)g->cfg->port, "uptime_s",
		jsonof_since(g->started_ns), "counts", counts_json(s),
		"traffic", traffic_json(&s->sas_carried), "io", io_json(g),
		"drops", drops_json(g), "deaf", deaf_json(g), "agents",
		agents_json(g, uv_hrtime()));
}

static json_t *view_version(struct gate *g)
{
	return json_pack("{s:s,s:i,s:o}", "version", HIPGATE_VERSION,
			 "protocol", CONTROL_PROTOCOL, "uptime_s",
			 jsonof_since(g->started_ns));
}

static const struct {
	const char *verb;
	json_t *(*make)(struct gate *g);
} views[] = {
	{ "version", view_version },
	{ "identities", view_identities },
	{ "access", view_access },
	{ "log", viewseen_log },
};

json_t *views_make(struct gate *g, const char *verb)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (strcmp(views[i].verb, verb) == 0)
			return views[i].make(g);
	return NULL;
}

static const struct views_list lists[] = {
	{ "peers", viewpeers_peers },
	{ "paths", viewpeers_paths },
	{ "moves", viewpeers_moves },
	{ "sas", more_sas },
	{ "mappings", more_mappings },
	{ "flows", more_flows },
	{ "clients", viewclients_more },
	{ "registrations", more_registrations },
	{ "pins", more_pins },
};

void views_give_up(struct views_walk *w)
{
	viewclients_free(w->sums);
	*w = (struct views_walk){ 0 };
}

const struct views_list *views_list(const char *verb)
{
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(lists[i].verb, verb) == 0)
			return &lists[i];
	return NULL;
}

static const struct views_counted counted[] = {
	{ "status", view_status },
	{ "metrics", viewseen_metrics },
};

const struct views_counted *views_counted(const char *verb)
{
	for (size_t i = 0; i < sizeof(counted) / sizeof(counted[0]); i++)
		if (strcmp(counted[i].verb, verb) == 0)
			return &counted[i];
	return NULL;
}
