/* SPDX-License-Identifier: MIT */
/* Associations and their paths, as the control socket shows them. */
#include "viewpeers.h"

#include "jsonof.h"

/* A walk that appends to an array. */
struct list {
	struct gate *g;
	json_t *array;
};

static json_t *ago(uint64_t then)
{
	return then ? jsonof_since(then) : json_null();
}

static void add_path(const struct hip_path *p, void *arg)
{
	uint64_t now = uv_hrtime();
	json_t *left = p->expires == UINT64_MAX || p->expires < now
			       ? json_null()
			       : json_real((double)(p->expires - now) / 1e9);

	(void)json_array_append_new(
		arg,
		json_pack("{s:o,s:o,s:s,s:b,s:b,s:b,s:o,s:o,s:o}", "from",
			  jsonof_addr(&p->self_at.addr), "to",
			  jsonof_endpoint(&p->peer_at), "state",
			  hip_path_state_name(p->state), "current",
			  (int)p->current, "announced", (int)p->announced,
			  "preferred", (int)p->preferred, "verified_s",
			  ago(p->verified), "expires_s", left, "rtt_us",
			  p->rtt_us ? jsonof_number(p->rtt_us) : json_null()));
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
		arg,
		json_pack("{s:o,s:s,s:o,s:o}", "ago_s", jsonof_since(e->at),
			  "why", hip_path_why_name(e->why), "from",
			  jsonof_addr(&e->self_at.addr), "to",
			  jsonof_endpoint(&e->peer_at)));
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
	return p->has_via ? jsonof_endpoint(&p->via) : jsonof_text("");
}

/* How what is sent to it gets there. */
static json_t *path_word(const struct hip_peer *p)
{
	char by[ENDPOINT_TEXT_MAX];

	if (p->checking)
		return jsonof_text("checking");
	if (p->stranded)
		return jsonof_text("none");
	if (p->doubtful)
		return jsonof_text("doubtful");
	if (p->relayed_at.port)
		return json_sprintf("relayed via %s",
				    endpoint_print(&p->relayed_at, by));
	return jsonof_text(p->verified ? "direct" : "unverified");
}

json_t *viewpeers_one(struct gate *g, const struct hip_peer *p)
{
	return json_pack(
		"{s:o,s:o,s:s,s:b,s:b,s:o,s:o,s:b,s:o,s:o,s:o,s:o,"
		"s:o,s:o,s:o,s:o}",
		"self", jsonof_hit(&p->self), "peer", jsonof_hit(&p->peer),
		"state", hip_state_name(p->state), "initiator",
		(int)p->initiator, "anonymous", (int)p->anonymous, "locator",
		jsonof_endpoint(&p->peer_at), "from",
		jsonof_addr(&p->self_at.addr), "verified", (int)p->verified,
		"path", path_word(p), "via", via_json(p), "paths",
		paths_json(g, p), "history", history_json(g, p), "spi_in",
		jsonof_number(p->spi_in), "spi_out", jsonof_number(p->spi_out),
		"suite", jsonof_suite(p->esp_suite), "since_s",
		jsonof_since(p->since));
}

static void add_peer(const struct hip_peer *p, void *arg)
{
	struct list *l = arg;

	(void)json_array_append_new(l->array, viewpeers_one(l->g, p));
}

bool viewpeers_peers(struct gate *g, struct views_walk *w, json_t *rows)
{
	struct list l = { .g = g, .array = rows };

	return hip_some_peers(g->hip, &w->at, add_peer, &l);
}

/* One list out of one member of some peers, each element with its peer. */
static bool of_peers(struct gate *g, const char *member, struct views_walk *w,
		     json_t *rows)
{
	json_t *peers = json_array();
	bool more = viewpeers_peers(g, w, peers);
	json_t *peer;
	json_t *one;
	size_t i, k;

	json_array_foreach(peers, i, peer)
	{
		json_array_foreach(json_object_get(peer, member), k, one)
		{
			(void)json_object_set(one, "peer",
					      json_object_get(peer, "peer"));
			(void)json_array_append(rows, one);
		}
	}
	json_decref(peers);
	return more;
}

bool viewpeers_paths(struct gate *g, struct views_walk *w, json_t *rows)
{
	return of_peers(g, "paths", w, rows);
}

bool viewpeers_moves(struct gate *g, struct views_walk *w, json_t *rows)
{
	return of_peers(g, "history", w, rows);
}
