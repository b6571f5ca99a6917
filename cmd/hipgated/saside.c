/* SPDX-License-Identifier: MIT */
/* SAs between the engine and the workers: published, switched, retired (I).
 *
 * THEORY OF OPERATION
 * Control thread only. The SA of a base exchange opens and sends at once.
 * A rekeyed one is published on standby: it opens, and sends from
 * HIP_SA_SWITCH on, and so is one whose path is still being looked for (ICE).
 * Workers take whichever sends at the moment, packet by
 * packet, so a flow stays in order; its SPI names the same worker as the
 * one before (hip_config.spi_mod), so it does on the other side, too. Once a
 * second the engine is told what has passed.
 *
 * An SA that nothing used for REST_S rests: it stays what it is, without its
 * contexts (tables_rest_sa). What comes for it is brought here, and goes on
 * with it awake. A daemon without a TUN device (a rendezvous server or relay)
 * has no packets for SAs, so it publishes none.
 */
#include "gate.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/wire.h"
#include "tap.h"

#define LOG_ABOUT LOG_SUB_ESP

enum { REST_S = 60 };

static void tell_up(struct gate *g, const struct hip_effect *e)
{
	const struct sa_suite *suite = sa_suite_find(e->sa.suite);
	const char *name = suite ? suite->name : "?";
	char self[ADDR_TEXT_MAX];
	char peer[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];

	hit_print(&e->self, self);
	hit_print(&e->peer, peer);
	endpoint_print(&e->peer_at, at);
	events_add(&g->events, uv_hrtime(), e->standby ? "" : "I",
		   e->standby ? "sa-standby" : "sa-up",
		   json_pack("{s:s,s:s,s:I,s:I,s:s,s:s,s:b}", "self", self,
			     "peer", peer, "spi_in", (json_int_t)e->sa.spi_in,
			     "spi_out", (json_int_t)e->sa.spi_out, "suite",
			     name, "locator", at, "initiator",
			     (int)e->initiator),
		   "SA with %s at %s%s: in %08x out %08x, %s", peer, at,
		   e->standby ? " on standby" : "", e->sa.spi_in, e->sa.spi_out,
		   name);
}

/* Who succeeds an SA goes where it goes: what is verified stays so. */
static struct path_ends ends_of(struct gate *g, const struct hip_effect *e)
{
	const struct sa *old =
		tables_sa_out(&g->plane.tables, &e->self, &e->peer);

	if (old)
		return atomic_load(&old->path)->ends;
	return moveside_ends(g, e, true);
}

static int publish(struct gate *g, const struct hip_effect *e)
{
	struct tables *t = &g->plane.tables;
	struct path_ends ends = ends_of(g, e);
	struct sa *sa = NULL;
	int err = tables_add_sa(t, &e->sa, &ends, g->plane.workers_num,
				e->initiator, uv_hrtime());

	if (!err) {
		sa = tables_sa_in(t, e->sa.spi_in);
		err = pathside_move(g, sa, &ends);
		if (!err && !e->standby)
			err = tables_use_sa(t, sa);
		if (err)
			tables_del_sa(t, e->sa.spi_in);
		else if (g->tap)
			tap_keys(g, sa);
	}
	return err;
}

int saside_up(struct gate *g, struct hip_effect *e)
{
	int err = g->plane.has_tun ? publish(g, e) : HG_OK;

	if (!err)
		tell_up(g, e);
	sa_wipe(&e->sa);
	return err;
}

void saside_wake(struct gate *g, struct msg *m)
{
	struct sa *sa = tables_sa_in(&g->plane.tables, get_be32(m->data));

	if (!sa || tables_wake_sa(sa)) {
		gate_drop(g, REASON_ESP_SPI);
		free(m);
	} else if (inbox_put(&g->workers[sa->owner].inbox, m)) {
		gate_drop(g, REASON_PUNT_FULL);
	}
}

int saside_switch(struct gate *g, const struct hip_effect *e)
{
	struct sa *sa = tables_sa_in(&g->plane.tables, e->sa.spi_in);
	/* RFC 9028 4.6: it has waited for a path. */
	struct sa *old = tables_sa_out(&g->plane.tables, &e->self, &e->peer);
	struct path_ends ends;
	char peer[ADDR_TEXT_MAX];
	int err;

	if (!sa)
		return HG_OK; /* could not be published: it is being closed */
	hit_print(&e->peer, peer);
	ends = ends_of(g, e); /* it may have moved since */
	if (pathside_move(g, sa, &ends))
		log_error("event=no-memory peer=%s text=\"the SA cannot move\"",
			  peer);
	err = tables_use_sa(&g->plane.tables, sa);
	if (err)
		return err;
	if (old && old != sa)
		tables_inherit_credit(sa, old);
	holdside_succeed(g, old, sa);
	g->meter.rekeys += old && old != sa;
	events_add(&g->events, uv_hrtime(), "", "sa-switch",
		   json_pack("{s:s,s:I,s:I}", "peer", peer, "spi_in",
			     (json_int_t)e->sa.spi_in, "spi_out",
			     (json_int_t)e->sa.spi_out),
		   "SA with %s %s: in %08x out %08x from now on", peer,
		   old ? "rekeyed" : "sends", e->sa.spi_in, e->sa.spi_out);
	return HG_OK;
}

void saside_down(struct gate *g, const struct hip_effect *e)
{
	struct sa *sa = tables_sa_in(&g->plane.tables, e->sa.spi_in);
	char peer[ADDR_TEXT_MAX];

	if (sa)
		holdside_end(g, sa);
	hit_print(&e->peer, peer);
	meter_gone(&g->meter, tables_sa_in(&g->plane.tables, e->sa.spi_in));
	tables_del_sa(&g->plane.tables, e->sa.spi_in);
	events_add(&g->events, uv_hrtime(), "", "sa-down",
		   json_pack("{s:s,s:I}", "peer", peer, "spi_in",
			     (json_int_t)e->sa.spi_in),
		   "SA with %s in %08x is gone", peer, e->sa.spi_in);
}

static uint64_t greater(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool saside_tell(struct gate *g, struct sa *sa)
{
	uint64_t in = atomic_load(&sa->in_packets);
	uint64_t out = atomic_load(&sa->out_packets);
	uint64_t in_bytes = atomic_load(&sa->in_bytes);
	uint64_t now = uv_hrtime();
	bool any = in != sa->in_seen || out != sa->out_seen;

	if (in != sa->in_seen) {
		hip_traffic(g->hip, &sa->self, &sa->peer, true, now);
		hip_received(g->hip, &sa->self, &sa->peer,
			     in_bytes - sa->in_bytes_seen, now);
	}
	if (out != sa->out_seen)
		hip_traffic(g->hip, &sa->self, &sa->peer, false, now);
	if (any)
		hip_used(g->hip, &sa->self, &sa->peer, sa->spi_in,
			 greater(in, out),
			 greater(in_bytes, atomic_load(&sa->out_bytes)), now);
	sa->in_seen = in;
	sa->out_seen = out;
	sa->in_bytes_seen = in_bytes;
	atomic_store(&sa->strayed, false); /* the next one is told, too */
	return any;
}

static void step(struct sa *sa, void *arg)
{
	struct gate *g = arg;
	bool out, in, sends;

	(void)saside_tell(g, sa);
	holdside_expire(g, sa, uv_hrtime());
	in = sa->in_seen != sa->in_stepped;
	out = sa->out_seen != sa->out_stepped;
	sa->in_stepped = sa->in_seen;
	sa->out_stepped = sa->out_seen;
	if (in || out) {
		sa->idle = 0;
		moveside_active(g, sa->spi_in);
	} else if (++sa->idle == REST_S) {
		tables_rest_sa(sa);
	}
	sends = tables_sa_out(&g->plane.tables, &sa->self, &sa->peer) == sa;
	meter_sa(&g->meter, sa, sends);
	if (sends)
		pathside_step(g, sa, out, in, uv_now(g->loop) * 1000000);
}

void saside_traffic(struct gate *g)
{
	g->active.num = 0;
	meter_begin(&g->meter);
	tables_each_sa(&g->plane.tables, step, g);
	meter_end(&g->meter);
}
