/* SPDX-License-Identifier: MIT */
/* First packets: what a worker could not decide (patent F, F.1, I.1).
 *
 * THEORY OF OPERATION
 * Control thread only. A punted packet is classified again from its copy.
 * To a substitute address: its mapping names the peer; with an SA the flow
 * is bound and published and the packet goes back to its worker, without
 * one it parks at the peer and the base exchange starts. Between HITs: the
 * same without a flow. To port 53: DNS.
 *
 * Flows are looked through for those that have expired a sixteenth a
 * second, in slices between which the loop does what else there is.
 */
#include "gate.h"

#include <stdlib.h>
#include <string.h>

#include "core/log.h"

enum {
	FIRST_ICMP_BURST = 200, /* errors a second (RFC 4443 2.4 f) */
	FIRST_SLICE_MS = 2,	/* between two slices of a sweep */
};

static bool is_syn(const struct nat_packet *p)
{
	return p->ip.proto == IP_PROTO_TCP && p->ip.l4_len >= TCP_HDR &&
	       (p->ip.l4[13] & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

void first_unreachable(struct gate *g, struct msg *m)
{
	uint8_t out[1300];
	struct ip_view ip;
	size_t n;
	uint64_t now = uv_hrtime();

	if (now - g->icmp_epoch > 1000000000) {
		g->icmp_epoch = now;
		g->icmp_left = FIRST_ICMP_BURST;
	}
	if (!g->icmp_left)
		return;
	g->icmp_left--;
	if (ip_parse(m->data, m->len, &ip) != REASON_NUM)
		return;
	n = ip_build_icmp_error(out, sizeof(out), &ip.to, m->data, m->len, 1, 3,
				0);
	if (n)
		gate_tun_write(g, out, n);
}

static const char *proto_name(uint32_t proto)
{
	switch (proto) {
	case IP_PROTO_TCP:
		return "tcp";
	case IP_PROTO_UDP:
		return "udp";
	default:
		return "icmp";
	}
}

static void tell_flow(struct gate *g, const struct nat_flow *f, uint64_t now)
{
	char client[ADDR_TEXT_MAX];
	char virt[ADDR_TEXT_MAX];
	char peer[ADDR_TEXT_MAX];

	addr_print(&f->key.client, client);
	addr_print(&f->key.virt, virt);
	hit_print(&f->back.peer, peer);
	events_add(&g->events, now, "I.1", "flow",
		   json_pack("{s:s,s:s,s:i,s:s,s:i,s:i,s:s,s:i}", "proto",
			     proto_name(f->key.proto), "client", client,
			     "client_port", f->key.client_port, "virt", virt,
			     "virt_port", f->key.virt_port, "ext_port",
			     f->back.ext_port, "peer", peer, "peer_port",
			     f->back.peer_port),
		   "nat %s %s port %u -> HIT port %u, to %s port %u, in ESP",
		   proto_name(f->key.proto), client, f->key.client_port,
		   f->back.ext_port, peer, f->back.peer_port);
}

static void unpublish(struct gate *g, struct flow *f)
{
	struct peer *p = peer_find(g, &f->nat.back.peer);

	tables_del_flow(&g->plane.tables, f);
	if (p)
		p->flows--;
}

/* The packet's flow, bound to our identity toward the peer and published
 * when there is none yet. */
static int ensure_flow(struct gate *g, const struct nat_packet *p,
		       const struct hit *peer, uint64_t now)
{
	struct tables *t = &g->plane.tables;
	struct peer *to = peer_find(g, peer);
	struct flow *f;
	enum reason why = REASON_NO_PORT;
	int err;

	if (tables_flow(t, &p->key))
		return HG_OK;
	if (!to)
		return HG_ENOENT;
	f = tables_new_flow(t);
	if (!f)
		return HG_ENOMEM;
	err = nat_bind(g->nat, &p->key, &to->self, peer, is_syn(p), now,
		       &f->nat, &why);
	if (err) {
		gate_drop(g, why);
		tables_give_flow(t, f);
		return err;
	}
	err = tables_add_flow(t, f);
	if (err) {
		nat_release(g->nat, &f->nat);
		return err;
	}
	to->flows++;
	tell_flow(g, &f->nat, now);
	return HG_OK;
}

void first_forward(struct gate *g, struct msg *m, const struct hit *peer)
{
	struct nat_packet p;
	enum nat_class class =
		steer_classify(&g->plane.steer, m->data, m->len, &p);
	int err = HG_OK;

	if (class == NAT_DATA)
		err = ensure_flow(g, &p, peer, uv_hrtime());
	if (err) {
		first_unreachable(g, m);
		free(m);
		return;
	}
	if (inbox_put(&g->workers[m->worker].inbox, m))
		gate_drop(g, REASON_PUNT_FULL);
}

static void tell_first(struct gate *g, const struct msg *m,
		       const struct nat_packet *p)
{
	char client[ADDR_TEXT_MAX];
	char virt[ADDR_TEXT_MAX];

	addr_print(&p->key.client, client);
	addr_print(&p->key.virt, virt);
	events_add(&g->events, m->now, "F", "first-packet",
		   json_pack("{s:s,s:s,s:s,s:i,s:i}", "proto",
			     proto_name(p->key.proto), "client", client, "virt",
			     virt, "client_port", p->key.client_port,
			     "virt_port", p->key.virt_port),
		   "lh %s port %u -> %s port %u (%s%s) waits for the SA",
		   client, p->key.client_port, virt, p->key.virt_port,
		   proto_name(p->key.proto), is_syn(p) ? " SYN" : "");
}

void first_end_flow(struct gate *g, struct flow *f)
{
	unpublish(g, f);
	nat_release(g->nat, &f->nat);
}

/* The identity this packet goes out under: that of its flow, else the one
 * that policy chooses now. A flow whose identity is not used any more and
 * has no SA either has ended. */
static int self_of(struct gate *g, const struct nat_packet *p,
		   struct peer *peer, struct hit *out)
{
	struct flow *f = tables_flow(&g->plane.tables, &p->key);
	int err;

	if (f &&
	    tables_sa_out(&g->plane.tables, &f->nat.back.self, &peer->hit)) {
		*out = f->nat.back.self;
		return HG_OK;
	}
	err = persona_choose(g, peer, uv_hrtime());
	*out = peer->self;
	if (f && (err || !hit_eq(&f->nat.back.self, out)))
		first_end_flow(g, f);
	return err;
}

/* Is there an SA? Then m is taken: it waits for the way to open, or goes
 * back to its worker. The SA does not rest any more; without memory for that,
 * the worker drops what it gets. */
static bool has_gone(struct gate *g, struct msg *m, const struct hit *self,
		     const struct hit *peer)
{
	struct sa *sa = tables_sa_out(&g->plane.tables, self, peer);

	if (!sa)
		return false;
	if (tables_wake_sa(sa))
		gate_drop(g, REASON_NO_SA);
	if (!holdside_keeps(g, sa, m))
		first_forward(g, m, peer);
	return true;
}

/* A legacy host's packet to a peer. */
static void to_peer(struct gate *g, struct msg *m, const struct nat_packet *p,
		    struct peer *peer)
{
	struct hit self;
	int err = self_of(g, p, peer, &self);

	if (!err && has_gone(g, m, &self, &peer->hit))
		return;
	if (p->key.proto == IP_PROTO_TCP && !is_syn(p) &&
	    !tables_flow(&g->plane.tables, &p->key)) {
		/* The rest of a flow we do not know opens nothing. */
		gate_drop(g, REASON_FLOW_STATE);
		first_unreachable(g, m);
		free(m);
		return;
	}
	tell_first(g, m, p);
	peer_park(g, peer, m);
	peer_want(g, peer, uv_hrtime());
}

static void to_substitute(struct gate *g, struct msg *m,
			  const struct nat_packet *p)
{
	const struct mapping *map =
		tables_mapping(&g->plane.tables, &p->key.virt);
	struct peer *peer = map ? peer_find(g, &map->peer) : NULL;

	if (!peer) {
		gate_drop(g, REASON_NO_MAPPING);
		first_unreachable(g, m);
		free(m);
		return;
	}
	to_peer(g, m, p, peer);
}

static void to_hit(struct gate *g, struct msg *m, const struct nat_packet *p)
{
	struct hit self;
	struct hit hit;
	struct peer *peer;

	memcpy(self.b, p->ip.from.b, sizeof(self.b));
	memcpy(hit.b, p->ip.to.b, sizeof(hit.b));
	/* The peer may just have come to us: then nothing else is needed. */
	if (has_gone(g, m, &self, &hit))
		return;
	peer = persona_ours(g, &self) ? peer_find(g, &hit) : NULL;
	if (!peer) {
		gate_drop(g, REASON_NO_SA);
		first_unreachable(g, m);
		free(m);
		return;
	}
	peer_park(g, peer, m);
	peer_want(g, peer, uv_hrtime());
}

void first_packet(struct gate *g, struct msg *m)
{
	struct nat_packet p;

	switch (steer_classify(&g->plane.steer, m->data, m->len, &p)) {
	case NAT_DATA:
		to_substitute(g, m, &p);
		return;
	case NAT_HIT:
		to_hit(g, m, &p);
		return;
	case NAT_DNS:
		dnsside_packet(g, m, &p);
		break;
	case NAT_ERROR:
		gate_drop(g, REASON_ICMP_ERROR);
		break;
	case NAT_FRAGMENT: /* workers punt whole packets */
		gate_drop(g, REASON_IP_FRAGMENT);
		break;
	case NAT_DROP:
	case NAT_CLASS_NUM:
		gate_drop(g, p.reason);
		break;
	}
	free(m);
}

/* ---- what the NAT asks for ---------------------------------------------- */

static bool flow_taken(void *arg, const struct nat_back *back)
{
	return tables_flow_back(&((struct gate *)arg)->plane.tables, back);
}

static void flow_unpublish(void *arg, struct nat_flow *f)
{
	unpublish(arg, caa_container_of(f, struct flow, nat));
}

static void flow_discard(void *arg, struct nat_flow *f)
{
	struct gate *g = arg;

	tables_free_flow(&g->plane.tables,
			 caa_container_of(f, struct flow, nat));
}

int first_start(struct gate *g)
{
	struct nat_config nc = { .taken = flow_taken,
				 .unpublish = flow_unpublish,
				 .discard = flow_discard,
				 .arg = g };

	return nat_new(&nc, &g->nat);
}

/* ---- expiry --------------------------------------------------------------- */

static void on_sweep(uv_timer_t *t)
{
	struct gate *g = t->data;

	if (!nat_sweep(g->nat, false, uv_hrtime()))
		(void)uv_timer_stop(t);
}

void first_expire(struct gate *g, uint64_t now)
{
	if (g->nat && nat_sweep(g->nat, true, now))
		(void)uv_timer_start(&g->sweep, on_sweep, FIRST_SLICE_MS,
				     FIRST_SLICE_MS);
}
