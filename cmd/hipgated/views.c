/* SPDX-License-Identifier: MIT */
/* What the verbs of the control socket show; a table of verbs. */
#include "views.h"

#include <string.h>

#include "gate.h"

static json_t *text(const char *s)
{
	return json_string(s);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

static json_t *hit_json(const struct hit *h)
{
	char out[ADDR_TEXT_MAX];

	return text(hit_print(h, out));
}

/* "" for no address. */
static json_t *addr_json(const struct addr *a)
{
	char out[ADDR_TEXT_MAX];

	return text(addr_is_unspecified(a) ? "" : addr_print(a, out));
}

static json_t *endpoint_json(const struct endpoint *e)
{
	char out[ENDPOINT_TEXT_MAX];

	return text(e->port ? endpoint_print(e, out) : "");
}

static json_t *suite_json(uint16_t id)
{
	const struct sa_suite *s = sa_suite_find(id);

	return text(s ? s->name : "");
}

static json_t *load(const _Atomic uint64_t *n)
{
	return number(atomic_load_explicit((_Atomic uint64_t *)n,
					   memory_order_relaxed));
}

static json_t *since(uint64_t then)
{
	uint64_t now = uv_hrtime();

	return json_real(now > then ? (double)(now - then) / 1e9 : 0);
}

/* A walk that appends to an array. */
struct list {
	struct gate *g;
	json_t *array;
};

/* ---- peers ------------------------------------------------------------------ */

static json_t *ago(uint64_t then)
{
	return then ? since(then) : json_null();
}

static void add_path(const struct hip_path *p, void *arg)
{
	uint64_t now = uv_hrtime();
	json_t *left = p->expires == UINT64_MAX || p->expires < now
			       ? json_null()
			       : json_real((double)(p->expires - now) / 1e9);

	(void)json_array_append_new(
		arg, json_pack("{s:o,s:o,s:s,s:b,s:b,s:b,s:o,s:o,s:o}", "from",
			       addr_json(&p->self_at.addr), "to",
			       endpoint_json(&p->peer_at), "state",
			       hip_path_state_name(p->state), "current",
			       (int)p->current, "announced", (int)p->announced,
			       "preferred", (int)p->preferred, "verified_s",
			       ago(p->verified), "expires_s", left, "rtt_us",
			       p->rtt_us ? number(p->rtt_us) : json_null()));
}

static json_t *paths_json(const struct gate *g, const struct hip_peer *p)
{
	json_t *a = json_array();

	hip_each_path(g->hip, &p->self, &p->peer, add_path, a);
	return a;
}

static void add_path_event(const struct hip_path_event *e, void *arg)
{
	(void)json_array_append_new(
		arg, json_pack("{s:o,s:s,s:o,s:o}", "ago_s", since(e->at),
			       "why", hip_path_why_name(e->why), "from",
			       addr_json(&e->self_at.addr), "to",
			       endpoint_json(&e->peer_at)));
}

static json_t *history_json(const struct gate *g, const struct hip_peer *p)
{
	json_t *a = json_array();

	hip_each_path_event(g->hip, &p->self, &p->peer, add_path_event, a);
	return a;
}

/* "" where it was met without a rendezvous server. */
static json_t *via_json(const struct hip_peer *p)
{
	return p->has_via ? endpoint_json(&p->via) : text("");
}

static void add_peer(const struct hip_peer *p, void *arg)
{
	struct list *l = arg;

	(void)json_array_append_new(
		l->array,
		json_pack("{s:o,s:o,s:s,s:b,s:b,s:o,s:o,s:b,s:o,s:o,s:o,s:o,"
			  "s:o,s:o,s:o}",
			  "self", hit_json(&p->self), "peer",
			  hit_json(&p->peer), "state", hip_state_name(p->state),
			  "initiator", (int)p->initiator, "anonymous",
			  (int)p->anonymous, "locator",
			  endpoint_json(&p->peer_at), "from",
			  addr_json(&p->self_at.addr), "verified",
			  (int)p->verified, "via", via_json(p), "paths",
			  paths_json(l->g, p), "history", history_json(l->g, p),
			  "spi_in", number(p->spi_in), "spi_out",
			  number(p->spi_out), "suite", suite_json(p->esp_suite),
			  "since_s", since(p->since)));
}

static json_t *view_peers(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	hip_each_peer(g->hip, add_peer, &l);
	return l.array;
}

/* One list out of one member of all peers, each element with its peer. */
static json_t *of_peers(struct gate *g, const char *member)
{
	json_t *peers = view_peers(g);
	json_t *all = json_array();
	json_t *peer;
	json_t *one;
	size_t i, k;

	json_array_foreach(peers, i, peer)
	{
		json_array_foreach(json_object_get(peer, member), k, one)
		{
			(void)json_object_set(one, "peer",
					      json_object_get(peer, "peer"));
			(void)json_array_append(all, one);
		}
	}
	json_decref(peers);
	return all;
}

static json_t *view_paths(struct gate *g)
{
	return of_peers(g, "paths");
}

static json_t *view_moves(struct gate *g)
{
	return of_peers(g, "history");
}

static void add_registration(const struct hip_registration *r, void *arg)
{
	struct list *l = arg;
	uint64_t now = uv_hrtime();
	double left = r->expires > now ? (double)(r->expires - now) / 1e9 : 0;

	(void)json_array_append_new(l->array,
				    json_pack("{s:o,s:o,s:s,s:f}", "hit",
					      hit_json(&r->client), "at",
					      endpoint_json(&r->at), "service",
					      r->relay ? "relay" : "rendezvous",
					      "expires_s", left));
}

static json_t *view_registrations(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	hip_each_registration(g->hip, add_registration, &l);
	return l.array;
}

/* ---- the published tables ----------------------------------------------------- */

/* The largest IPv6 packet of a client that fits; 0: there are no clients. */
static json_int_t inner_mtu(const struct path_size *size)
{
	return size->outer ? (json_int_t)size->l4_most + IP6_HDR : 0;
}

static void add_sa(struct sa *s, void *arg)
{
	struct list *l = arg;
	const struct path *path = atomic_load(&s->path);
	const struct path_size *size = &path->size;
	struct tables *t = &l->g->plane.tables;

	(void)json_array_append_new(
		l->array,
		json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:s,"
			  "s:I,s:i,s:s}",
			  "self", hit_json(&s->self), "peer",
			  hit_json(&s->peer), "spi_in", number(s->spi_in),
			  "spi_out", number(s->spi_out), "suite",
			  suite_json(s->suite), "locator",
			  endpoint_json(&path->ends.peer), "out_packets",
			  load(&s->out_packets), "out_bytes",
			  load(&s->out_bytes), "in_packets",
			  load(&s->in_packets), "in_bytes", load(&s->in_bytes),
			  "age_s", since(s->created_ns), "state",
			  tables_sa_out(t, &s->self, &s->peer) == s ? "sends"
								    : "opens",
			  "mtu", inner_mtu(size), "outer_mtu", (int)size->outer,
			  "mtu_by",
			  size->outer ? esp_pmtu_by_name(size->by) : ""));
}

static json_t *view_sas(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	tables_each_sa(&g->plane.tables, add_sa, &l);
	return l.array;
}

static const char *via_name(const struct peer *p)
{
	if (p->committed)
		return "host"; /* H.1 has been: R2 verified where it is */
	if (!p->at.port)
		return "?";
	return p->via_rvs ? "rvs" : "host";
}

static void add_mapping(struct peer *p, void *arg)
{
	struct list *l = arg;

	if (addr_is_unspecified(&p->sub6) && addr_is_unspecified(&p->sub4))
		return;
	(void)json_array_append_new(
		l->array,
		json_pack("{s:s,s:o,s:o,s:o,s:o,s:s,s:s,s:i}", "name", p->name,
			  "hit", hit_json(&p->hit), "sub6", addr_json(&p->sub6),
			  "sub4", addr_json(&p->sub4), "locator",
			  endpoint_json(&p->at), "via", via_name(p), "state",
			  hip_state_name(p->state), "parked", (int)p->parked));
}

static json_t *view_mappings(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	peer_each(g, add_mapping, &l);
	return l.array;
}

static const char *proto_name(uint32_t proto)
{
	if (proto == IP_PROTO_TCP)
		return "tcp";
	return proto == IP_PROTO_UDP ? "udp" : "icmp";
}

static void add_flow(struct flow *f, void *arg)
{
	struct list *l = arg;
	const struct nat_flow *n = &f->nat;

	(void)json_array_append_new(
		l->array,
		json_pack(
			"{s:s,s:o,s:i,s:o,s:i,s:i,s:o,s:i,s:s,s:o,s:o,s:o}",
			"proto", proto_name(n->key.proto), "client",
			addr_json(&n->key.client), "client_port",
			n->key.client_port, "virt", addr_json(&n->key.virt),
			"virt_port", n->key.virt_port, "ext_port",
			n->back.ext_port, "peer", hit_json(&n->back.peer),
			"peer_port", n->back.peer_port, "state",
			nat_state_name(n), "idle_s",
			since(atomic_load_explicit((_Atomic uint64_t *)&n->last,
						   memory_order_relaxed)),
			"out_packets", load(&n->out_packets), "in_packets",
			load(&n->in_packets)));
}

static json_t *view_flows(struct gate *g)
{
	struct list l = { .g = g, .array = json_array() };

	tables_each_flow(&g->plane.tables, add_flow, &l);
	return l.array;
}

/* ---- drops -------------------------------------------------------------------- */

static uint64_t drops_of(const struct gate *g, enum reason r)
{
	uint64_t n =
		reason_get(&g->drops, r) + reason_get(hip_reasons(g->hip), r);

	if (g->dns)
		n += reason_get(dns_reasons(g->dns), r);
	for (unsigned k = 0; k < g->plane.workers_num; k++)
		n += reason_get(&g->workers[k].drops, r);
	return n;
}

static json_t *drops_json(const struct gate *g)
{
	json_t *o = json_object();

	for (unsigned r = 0; o && r < REASON_NUM; r++) {
		uint64_t n = drops_of(g, r);

		if (n)
			(void)json_object_set_new(o, reason_name(r), number(n));
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
		json_pack("{s:o,s:s,s:b,s:b,s:s}", "hit", hit_json(&s->hit),
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
		(void)json_array_append_new(arg, hit_json(&s->hit));
}

static json_t *hits_json(const struct gate *g)
{
	json_t *a = json_array();

	hip_each_identity(g->hip, add_hit, a);
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
		l->array, json_pack("{s:s,s:s,s:s,s:o}", "role", role[c->role],
				    "action", c->rule.allow ? "allow" : "deny",
				    "who", who, "hits", number(c->hits)));
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
		(void)json_array_append_new(a, text("proxy"));
	if (a && c->host)
		(void)json_array_append_new(a, text("host"));
	if (a && c->rendezvous)
		(void)json_array_append_new(a, text("rendezvous"));
	return a;
}

struct traffic {
	uint64_t out_packets, out_bytes, in_packets, in_bytes;
};

static void add_traffic(struct sa *s, void *arg)
{
	struct traffic *t = arg;

	t->out_packets += atomic_load(&s->out_packets);
	t->out_bytes += atomic_load(&s->out_bytes);
	t->in_packets += atomic_load(&s->in_packets);
	t->in_bytes += atomic_load(&s->in_bytes);
}

/* Of the SAs that are there now. */
static json_t *traffic_json(struct gate *g)
{
	struct traffic t = { 0 };

	tables_each_sa(&g->plane.tables, add_traffic, &t);
	return json_pack("{s:o,s:o,s:o,s:o}", "out_packets",
			 number(t.out_packets), "out_bytes",
			 number(t.out_bytes), "in_packets",
			 number(t.in_packets), "in_bytes", number(t.in_bytes));
}

/* System calls against packets: how well batching works. */
static json_t *io_json(const struct gate *g)
{
	uint64_t n[5] = { 0 };

	for (unsigned k = 0; k < g->plane.workers_num; k++) {
		const struct worker *w = &g->workers[k];

		n[0] += atomic_load((_Atomic uint64_t *)&w->tun_reads);
		n[1] += atomic_load((_Atomic uint64_t *)&w->tun_writes);
		n[2] += atomic_load((_Atomic uint64_t *)&w->udp_sends);
		n[3] += atomic_load((_Atomic uint64_t *)&w->udp_receives);
		n[4] += atomic_load((_Atomic uint64_t *)&w->cut);
	}
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "tun_reads", number(n[0]),
			 "tun_writes", number(n[1]), "udp_sends", number(n[2]),
			 "udp_receives", number(n[3]), "cut", number(n[4]));
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
			 number(refused));
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

static void count_parked(struct peer *p, void *arg)
{
	*(uint64_t *)arg += p->parked;
}

static void count_peer(const struct hip_peer *p, void *arg)
{
	(void)p;
	++*(uint64_t *)arg;
}

static void count_registration(const struct hip_registration *r, void *arg)
{
	(void)r;
	++*(uint64_t *)arg;
}

static json_t *counts_json(struct gate *g)
{
	uint64_t parked = 0;
	uint64_t associations = 0;
	uint64_t registrations = 0;

	peer_each(g, count_parked, &parked);
	hip_each_peer(g->hip, count_peer, &associations);
	hip_each_registration(g->hip, count_registration, &registrations);
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "associations",
			 number(associations), "sas",
			 number(g->plane.tables.sas), "mappings",
			 number(g->plane.tables.mappings), "flows",
			 number(g->plane.tables.flows), "peers",
			 number(g->peers_num), "registrations",
			 number(registrations), "parked", number(parked),
			 "questions", number(g->dns ? dns_pending(g->dns) : 0));
}

static json_t *view_status(struct gate *g)
{
	const struct plane *p = &g->plane;

	return json_pack(
		"{s:s,s:o,s:o,s:o,s:{s:s,s:i},s:o,s:s,s:i,s:i,s:o,s:o,s:o,"
		"s:o,s:o}",
		"version", HIPGATE_VERSION, "roles", roles_json(g->cfg), "hits",
		hits_json(g), "identities", view_identities(g), "tun", "name",
		p->tun.name, "mtu", (int)p->tun.mtu, "offload",
		offloads_json(g), "aes_gcm", esp_gcm_name(), "workers",
		(int)p->workers_num, "port", (int)g->cfg->port, "uptime_s",
		since(g->started_ns), "counts", counts_json(g), "traffic",
		traffic_json(g), "io", io_json(g), "drops", drops_json(g));
}

static const struct {
	const char *verb;
	json_t *(*make)(struct gate *g);
} views[] = {
	{ "status", view_status },
	{ "peers", view_peers },
	{ "paths", view_paths },
	{ "moves", view_moves },
	{ "sas", view_sas },
	{ "mappings", view_mappings },
	{ "flows", view_flows },
	{ "registrations", view_registrations },
	{ "identities", view_identities },
	{ "access", view_access },
};

json_t *views_make(struct gate *g, const char *verb)
{
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++)
		if (strcmp(views[i].verb, verb) == 0)
			return views[i].make(g);
	return NULL;
}
