/* SPDX-License-Identifier: MIT */
/* Where we are and where the peers are: the hands of the engine's paths.
 *
 * THEORY OF OPERATION
 * Control thread only. The kernel's news of our addresses goes to the
 * engine (RFC 8046), as does every sign that what was true may be so no
 * more: the clock leapt, the machine slept, authentic ESP came from
 * elsewhere. What the engine decides comes back as HIP_LOCATOR and becomes
 * the path of the SA that sends; HIP_PATH is for people.
 *
 * Four times a second the SAs that had traffic a second ago are looked at,
 * so that silence is noticed early; all of them once a second.
 */
#include "gate.h"

#include <stdlib.h>

#include "core/log.h"

#define LOG_ABOUT LOG_SUB_PATH

enum { PULSE_MS = 250, LATE_NS = 3000000000 /* of housekeeping */ };

/* ---- our own addresses ---------------------------------------------------- */

static void tell_here(struct gate *g, const struct hip_here *here, size_t all)
{
	json_t *list = json_array();
	char text[ADDR_TEXT_MAX];
	size_t num = 0;

	while (num < all && !here[num].quiet)
		num++;
	for (size_t i = 0; i < num; i++)
		(void)json_array_append_new(
			list, json_string(addr_print(&here[i].at.addr, text)));
	events_add(&g->events, uv_hrtime(), "", "addresses",
		   json_pack("{s:o}", "list", list),
		   "we tell of %zu of %zu addresses, first %s",
		   num < HIP_LOCATORS_MAX ? num : (size_t)HIP_LOCATORS_MAX, num,
		   num ? addr_print(&here[0].at.addr, text) : "none");
}

static void give_here(struct gate *g, const struct links_address *list,
		      size_t num, bool news)
{
	struct hip_here here[HIP_HERE_MAX];

	_Static_assert((int)LINKS_MAX <= HIP_HERE_MAX, "all have room");
	for (size_t i = 0; i < num; i++)
		here[i] = (struct hip_here){
			.at = { .addr = list[i].addr, .port = g->cfg->port },
			.link = list[i].link,
			.quiet = list[i].quiet,
		};
	if (hip_set_here(g->hip, here, num, uv_hrtime()))
		log_error("event=addresses-refused text=\"the engine does not "
			  "take our own addresses\"");
	if (news)
		tell_here(g, here, num);
}

static void release(struct sa *sa, void *arg)
{
	if (sa->hold.head)
		holdside_release(arg, sa);
}

static void on_links(const struct links_address *list, size_t num, bool news,
		     void *arg)
{
	struct gate *g = arg;

	dnsside_moved(g);
	give_here(g, list, num, news);
	if (g->cfg->paths.order_num && moveside_policy(g, g->cfg))
		log_error("event=policy-refused text=\"the engine does not "
			  "take [paths] order\"");
	if (news)
		hip_wake(g->hip, uv_hrtime());
	else
		hip_again(g->hip, uv_hrtime());
	gate_pump(g);
	/* A route may have come, where no address has. */
	if (g->held_bytes)
		tables_each_sa(&g->plane.tables, release, g);
}

static void on_leap(void *arg)
{
	struct gate *g = arg;

	events_add(&g->events, uv_hrtime(), "", "clock-leapt", json_object(),
		   "the clock was set, or we were asleep");
	links_look(g->links);
	dnsside_moved(g);
	hip_wake(g->hip, uv_hrtime());
	gate_pump(g);
}

/* What is said of an interface is said of the addresses that it has now. How
 * many there are; those that the engine has no room for come last, as if
 * nothing were said of them. */
static size_t order_now(const struct gate *g, const struct config_paths *c,
			struct prefix order[HIP_ORDER_MAX])
{
	struct prefix of[LINKS_MAX];
	size_t num = 0;

	for (size_t i = 0; i < c->order_num; i++) {
		const struct config_order *o = &c->order[i];
		size_t add = 1;

		of[0] = o->prefix;
		if (o->link[0])
			add = links_of(g->links, o->link, of);
		for (size_t k = 0; k < add && num < HIP_ORDER_MAX; k++)
			order[num++] = of[k];
	}
	return num;
}

int moveside_policy(struct gate *g, const struct config *c)
{
	struct prefix order[HIP_ORDER_MAX];
	struct hip_path_policy p = {
		.prefer = c->paths.prefer,
		.order = order,
		.order_num = order_now(g, &c->paths, order),
		.silence_ms = c->paths.silence_ms,
		.return_s = c->paths.return_s,
	};

	return hip_set_path_policy(g->hip, &p, uv_hrtime());
}

int moveside_start(struct gate *g)
{
	const struct links_address *list;
	struct prefix barred[2];
	size_t num = 0;
	int err;

	if (g->cfg->pool6.len)
		barred[num++] = g->cfg->pool6;
	if (g->cfg->pool4.len)
		barred[num++] = g->cfg->pool4;
	err = hip_set_barred(g->hip, barred, num);
	if (!err)
		err = hip_set_outer(g->hip, g->cfg->outer, g->cfg->outer_num);
	if (!err)
		err = wake_open(g->loop, on_leap, g, &g->wake);
	if (!err)
		err = links_open(g->loop,
				 g->plane.has_tun ? g->plane.tun.index : 0,
				 on_links, g, &g->links);
	if (err)
		return err;
	list = links_now(g->links, &num);
	give_here(g, list, num, true);
	return moveside_policy(g, g->cfg); /* which may speak of links */
}

void moveside_housekeeping(struct gate *g, uint64_t now)
{
	bool late = g->housekept && now - g->housekept > LATE_NS;

	if (late) /* stopped, or the machine was */
		on_leap(g);
}

/* ---- where peers are ------------------------------------------------------ */

struct sockets_from moveside_from(struct gate *g, const struct hip_effect *e)
{
	return (struct sockets_from){
		.self = e->self_at.addr,
		.link = links_out(g->links, &e->self_at.addr, &e->peer_at.addr),
	};
}

struct path_ends moveside_ends(struct gate *g, const struct hip_effect *e,
			       bool verified)
{
	return (struct path_ends){
		.from = moveside_from(g, e),
		.peer = e->peer_at,
		.verified = verified,
		.stranded = e->stranded,
	};
}

void moveside_locator(struct gate *g, const struct hip_effect *e)
{
	struct sa *sa = tables_sa_out(&g->plane.tables, &e->self, &e->peer);
	struct path_ends ends;
	char peer[ADDR_TEXT_MAX];

	if (!sa || !e->committed)
		return;
	ends = moveside_ends(g, e, e->verified);
	if (pathside_move(g, sa, &ends))
		log_error("event=no-memory peer=%s text=\"the SA cannot move\"",
			  hit_print(&e->peer, peer));
	else if (!e->verified)
		tables_credit_sa(sa, e->credit);
	holdside_release(g, sa);
}

void moveside_path(struct gate *g, const struct hip_effect *e)
{
	const char *why = hip_path_why_name(e->why);
	char peer[ADDR_TEXT_MAX];
	char to[ENDPOINT_TEXT_MAX];
	char from[ENDPOINT_TEXT_MAX] = "";

	g->meter.path[e->why]++;
	hit_print(&e->peer, peer);
	endpoint_print(&e->peer_at, to);
	if (!addr_is_unspecified(&e->self_at.addr))
		endpoint_print(&e->self_at, from);
	events_add(&g->events, uv_hrtime(), "", "path",
		   json_pack("{s:s,s:s,s:s,s:s}", "peer", peer, "why", why,
			     "from", from, "to", to),
		   "path to %s: %s%s%s %s", peer, from, from[0] ? " -> " : "",
		   to, why);
}

void moveside_stray(struct gate *g, const struct msg *m)
{
	struct endpoint at = { .addr = m->at.addr, .port = g->cfg->port };

	hip_seen_from(g->hip, &m->back.self, &m->back.peer, &m->from, &at,
		      uv_hrtime());
}

/* ---- the pulse ------------------------------------------------------------ */

static void on_pulse(uv_timer_t *t)
{
	struct gate *g = t->data;

	for (size_t i = 0; i < g->active.num; i++) {
		struct sa *sa =
			tables_sa_in(&g->plane.tables, g->active.spi[i]);

		if (sa)
			(void)saside_tell(g, sa);
	}
	if (!g->active.num)
		(void)uv_timer_stop(t);
	gate_pump(g);
}

void moveside_active(struct gate *g, uint32_t spi_in)
{
	struct active *a = &g->active;
	size_t room = a->room ? 2 * a->room : 64;
	uint32_t *more;

	if (a->num == a->room) {
		more = realloc(a->spi, room * sizeof(*more));
		if (!more)
			return; /* it is looked at each second */
		a->spi = more;
		a->room = room;
	}
	a->spi[a->num++] = spi_in;
	if (!uv_is_active((uv_handle_t *)&g->pulse))
		(void)uv_timer_start(&g->pulse, on_pulse, PULSE_MS, PULSE_MS);
}

void moveside_stop(struct gate *g)
{
	links_stop(g->links);
}

void moveside_fini(struct gate *g)
{
	links_free(g->links);
	wake_close(&g->wake);
	free(g->active.spi);
}
