/* SPDX-License-Identifier: MIT */
/* The DNS engine's hands: TUN packets, upstream asks, leases (A..E).
 *
 * THEORY OF OPERATION
 * Control thread only. A query arrives as a packet out of the TUN (UDP), at
 * a socket (dnslisten.c), or as a message (TCP, dnstcp.c), with the server
 * it was meant for. The engine's effects are carried out in order; what has
 * to do with HIP hosts is dnslease.c's.
 */
#include "dnsside.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "dnslease.h"
#include "dnslisten.h"
#include "dnssec.h"
#include "errand.h"

static const char *type_name(uint16_t qtype, char out[16])
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		{ 1, "A" },	{ 28, "AAAA" }, { 55, "HIP" },	{ 65, "HTTPS" },
		{ 64, "SVCB" }, { 12, "PTR" },	{ 15, "MX" },	{ 16, "TXT" },
		{ 2, "NS" },	{ 6, "SOA" },	{ 5, "CNAME" }, { 33, "SRV" },
		{ 255, "ANY" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == qtype)
			return names[i].name;
	(void)snprintf(out, 16, "TYPE%u", qtype);
	return out;
}

/* ---- in ------------------------------------------------------------------- */

void dnsside_packet(struct gate *g, struct msg *m, struct nat_packet *p)
{
	struct dns_asker who = { .client.addr = p->ip.from,
				 .server.addr = p->ip.to };
	struct ip_view *ip = &p->ip;
	struct recall_question q;

	if (!g->dns) {
		gate_drop(g, REASON_DENIED);
		return;
	}
	if (ip->proto == IP_PROTO_TCP) {
		dnstcp_packet(g->dnsside->tcp, m, &ip->to);
		return;
	}
	if (!ip_checksum_ok(ip, &m->off)) {
		gate_drop(g, REASON_L4_CHECKSUM);
		return;
	}
	who.client.port = (uint16_t)(ip->l4[0] << 8 | ip->l4[1]);
	who.server.port = (uint16_t)(ip->l4[2] << 8 | ip->l4[3]);
	who.since = m->now;
	who.here = steer_is_dns(&g->plane.steer, &who.server.addr);
	q = (struct recall_question){ who.server, ip->l4 + UDP_HDR,
				      ip->l4_len - UDP_HDR };
	g->dnsside->asked = &q;
	g->dnsside->asker = &who;
	dns_query(g->dns, &who, q.msg, q.len, m->now);
	gate_pump(g);
	g->dnsside->asked = NULL;
}

/* ---- out ------------------------------------------------------------------- */

static void tell_query(struct gate *g, const struct dns_effect *e)
{
	char client[ENDPOINT_TEXT_MAX];
	char server[ENDPOINT_TEXT_MAX];
	char type[16];
	const char *qtype = type_name(e->qtype, type);

	endpoint_print(&e->who.client, client);
	endpoint_print(&e->who.server, server);
	events_add(&g->events, e->who.since ? e->who.since : uv_hrtime(), "A",
		   "dns-query",
		   json_pack("{s:s,s:s,s:s,s:s,s:b}", "client", client,
			     "server", server, "name", e->name, "qtype", qtype,
			     "tcp", (int)e->who.tcp),
		   "lh %s -> %s %s %s", client, server, qtype, e->name);
}

static void tell_seen(struct gate *g)
{
	if (!g->dnsside->seen_waits)
		return;
	g->dnsside->seen_waits = false;
	tell_query(g, &g->dnsside->seen);
}

static void end_asks(struct dnsside *d)
{
	for (unsigned i = 0; i < d->done_num; i++)
		dnsask_end(&d->asks, d->done[i]);
	d->done_num = 0;
}

/* To close a socket takes longer than to send what the client waits for. */
static void do_ask_done(struct dnsside *d, uint32_t ask)
{
	dnssec_end(d->dnssec, ask);
	if (d->done_num == DNSSIDE_DONE)
		end_asks(d);
	d->done[d->done_num++] = ask;
}

static void do_ask(struct gate *g, const struct dns_effect *e)
{
	char server[ENDPOINT_TEXT_MAX];
	char type[16];
	const char *qtype = type_name(e->qtype, type);
	uint32_t ask = e->ask;
	int err;

	if (g->dnsside->asks.num >= g->dnsside->asks.max)
		end_asks(g->dnsside);
	/* First of all: somebody waits, and the trace can. */
	err = dnsask_start(&g->dnsside->asks, ask, &e->server, e->tcp, e->msg,
			   e->msg_len);

	tell_seen(g);
	endpoint_print(&e->server, server);
	events_add(&g->events, uv_hrtime(), "B", "dns-ask",
		   json_pack("{s:s,s:s,s:s}", "server", server, "name", e->name,
			     "qtype", qtype),
		   "proxy -> %s %s %s", server, qtype, e->name);
	if (err)
		dns_ask_refused(g->dns, ask);
}

static void send_reply(struct gate *g, const struct dns_effect *e)
{
	uint8_t cut[512];
	const uint8_t *msg = e->msg;
	size_t len = e->msg_len;
	size_t n;

	if (e->who.tcp) {
		(void)dnstcp_reply(g->dnsside->tcp, e->who.token, e->msg,
				   e->msg_len);
		return; /* false: the client hung up, nobody to tell */
	}
	if (e->who.here && e->who.token) {
		dnslisten_reply(g->dnsside->listen, &e->who, e->msg,
				e->msg_len);
		return;
	}
	/* One packet, unfragmented: what the path may not carry is asked for
	 * again over TCP. */
	if (len > g->plane.tun.mtu - IP6_HDR - UDP_HDR) {
		len = dns_truncate(e->msg, e->msg_len, cut, sizeof(cut));
		msg = cut;
	}
	n = len ? ip_build_udp(g->buf, 65536, &e->who.server, &e->who.client,
			       msg, len)
		: 0;
	if (n)
		gate_tun_write(g, g->buf, n);
	else
		gate_drop(g, REASON_TOO_BIG);
}

/* It was answered at once, with a substitute, in a packet: the next ones who
 * ask alike need not come here. */
static void note(struct gate *g, const struct dns_effect *e)
{
	const struct dnsside *d = g->dnsside;

	if (d->asked && g->plane.recall && e->substituted && !e->who.tcp &&
	    !e->who.token && endpoint_eq(&e->who.client, &d->asker->client) &&
	    endpoint_eq(&e->who.server, &d->asker->server) &&
	    e->msg_len <= g->plane.tun.mtu - IP6_HDR - UDP_HDR)
		recall_note(g->plane.recall, d->asked, e->msg, e->msg_len);
}

static void count_reply(struct meter *m, const struct dns_effect *e)
{
	uint64_t now = uv_hrtime();

	meter_dns(m,
		  e->substituted ? METER_DNS_HIP
		  : e->relayed	 ? METER_DNS_PLAIN
				 : METER_DNS_OWN,
		  e->rcode);
	if (e->who.since && now > e->who.since)
		meter_observe(&m->dns_time, now - e->who.since);
}

/* What a client is told: an address, or who says how little. */
static void put_said(const struct dns_effect *e, char out[64])
{
	unsigned rcode =
		e->rcode < METER_RCODES - 1 ? e->rcode : METER_RCODES - 1;

	if (e->substituted)
		addr_print(&e->substitute, out);
	else if (e->relayed)
		(void)snprintf(out, 64, "%s, as the server said",
			       meter_rcode_name(rcode));
	else
		(void)snprintf(out, 64, "%s, by hipgate",
			       rcode ? meter_rcode_name(rcode)
			       : e->qtype == 12
				       ? "a name" /* PTR: of a substitute */
				       : "no address");
}

static void do_reply(struct gate *g, const struct dns_effect *e)
{
	char client[ENDPOINT_TEXT_MAX];
	char sub[ADDR_TEXT_MAX] = "";
	char said[64];
	char type[16];
	const char *qtype = type_name(e->qtype, type);

	send_reply(g, e);
	tell_seen(g);
	note(g, e);
	count_reply(&g->meter, e);
	endpoint_print(&e->who.client, client);
	if (e->substituted)
		addr_print(&e->substitute, sub);
	put_said(e, said);
	events_add(&g->events, uv_hrtime(), "E", "dns-reply",
		   json_pack("{s:s,s:s,s:s,s:b,s:i,s:s,s:s}", "client", client,
			     "name", e->name, "qtype", qtype, "substituted",
			     (int)e->substituted, "rcode", (int)e->rcode,
			     "address", sub, "said", said),
		   "-> %s %s %s %s", client, qtype, e->name, said);
}

static void tell_loop(struct gate *g, const struct dns_effect *e)
{
	char client[ENDPOINT_TEXT_MAX];
	char server[ENDPOINT_TEXT_MAX];
	uint64_t now = uv_hrtime();

	endpoint_print(&e->who.client, client);
	endpoint_print(&e->server, server);
	g->health.loop_at = now;
	events_add(&g->events, now, "", "dns-loop",
		   json_pack("{s:s,s:s}", "server", server, "client", client),
		   "what hipgate asks %s comes back to it from %s; let that "
		   "server ask others than hipgate, or let no rule send "
		   "hipgate's own questions into the TUN",
		   server, client);
}

static void tell_deaf(struct gate *g, const struct dns_effect *e)
{
	bool deaf = e->kind == DNS_DEAF;
	char server[ENDPOINT_TEXT_MAX];

	endpoint_print(&e->server, server);
	events_add(&g->events, uv_hrtime(), "", deaf ? "dns-deaf" : "dns-hears",
		   json_pack("{s:s}", "server", server),
		   deaf ? "%s answers, but never a question for a HIP record: "
			  "with it no HIP host is found; let dns-server name "
			  "one that does, or mend the firewall before it"
			: "%s answers questions for HIP records again",
		   server);
}

bool dnsside_own_ask(void *g, uint32_t ask, const struct endpoint *from)
{
	struct endpoint at;

	return dnsask_from(&((struct gate *)g)->dnsside->asks, ask, &at) &&
	       endpoint_eq(&at, from);
}

bool dnsside_pump(struct gate *g)
{
	struct dns_effect e;
	bool any = false;

	while (g->dns && dns_effect(g->dns, &e)) {
		any = true;
		if (e.kind != DNS_ASK && e.kind != DNS_ASK_DONE &&
		    e.kind != DNS_REPLY)
			tell_seen(g);
		switch (e.kind) {
		case DNS_SEEN:
			g->dnsside->seen = e;
			g->dnsside->seen_waits = true;
			break;
		case DNS_ASK:
			do_ask(g, &e);
			break;
		case DNS_VALIDATE:
			if (dnssec_ask(g->dnsside->dnssec, e.ask, e.name,
				       e.qtype))
				dns_ask_refused(g->dns, e.ask);
			break;
		case DNS_UNPINNED:
			dnslease_unpinned(g, e.name);
			break;
		case DNS_ASK_DONE:
			do_ask_done(g->dnsside, e.ask);
			break;
		case DNS_REPLY:
			do_reply(g, &e);
			break;
		case DNS_NEED_ADDRESS:
			dnslease_need_address(g, &e);
			break;
		case DNS_NEED_REAL:
			dnslease_need_real(g, &e);
			break;
		case DNS_LOOP:
			tell_loop(g, &e);
			break;
		case DNS_DEAF:
		case DNS_HEARS:
			tell_deaf(g, &e);
			break;
		case DNS_RESOLVED:
		case DNS_UNRESOLVED:
			if (!errand_resolved(g, &e))
				dnslease_resolved(g, &e);
			break;
		case DNS_EFFECT_NUM:
			break;
		}
	}
	if (any) {
		tell_seen(g);
		end_asks(g->dnsside);
	}
	return any;
}

void dnsside_housekeeping(struct gate *g, uint64_t now)
{
	if (g->dnsside)
		askport_tend(&g->dnsside->asks.ports, true, now);
}

void dnsside_moved(struct gate *g)
{
	if (g->dnsside)
		askport_drop(&g->dnsside->asks.ports);
}

/* Where it is was said by who is not asked any more: it is asked for again
 * before the next base exchange (peer_want). */
static void doubt(struct peer *p, void *arg)
{
	const uint64_t *now = arg;

	if (p->fresh_until > *now)
		p->fresh_until = *now;
}

/* The look-up of its name may begin anew, and needs it until its end. */
static void hold(struct peer *p, void *arg)
{
	const uint64_t *now = arg;

	if (p->resolving_until > *now)
		p->resolving_until = *now + PEER_RESOLVE_NS;
}

static bool loses_any(const struct config *c, const struct endpoint *servers,
		      size_t num)
{
	for (size_t i = 0; i < c->dns_servers_num; i++) {
		size_t k = 0;

		while (k < num && !endpoint_eq(&c->dns_servers[i], &servers[k]))
			k++;
		if (k == num)
			return true;
	}
	return false;
}

void dnsside_servers(struct gate *g, const struct endpoint *servers, size_t num)
{
	struct config *c = g->cfg;
	uint64_t now = uv_hrtime();

	if (num == c->dns_servers_num &&
	    memcmp(c->dns_servers, servers, num * sizeof(*servers)) == 0)
		return;
	if (loses_any(c, servers, num))
		peer_each(g, doubt, &now);
	peer_each(g, hold, &now);
	memcpy(c->dns_servers, servers, num * sizeof(*servers));
	c->dns_servers_num = num;
	/* What it was asked is asked again by the engine. */
	if (g->dnsside)
		dnssec_forward(g->dnsside->dnssec);
	dns_set_servers(g->dns, servers, num, now);
}

/* ---- life ------------------------------------------------------------------ */

int dnsside_start(struct gate *g, char *errbuf, size_t errlen)
{
	struct dnsside *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return HG_ENOMEM;
	d->g = g;
	dnsask_init(&d->asks, g, g->waits);
	g->dnsside = d;
	err = dnstcp_start(g, &d->tcp);
	if (!err)
		err = dnslisten_start(g, &d->listen, errbuf, errlen);
	return err;
}

void dnsside_stop(struct gate *g)
{
	dnsask_end_all(&g->dnsside->asks);
	dnssec_stop(g->dnsside->dnssec);
	dnslisten_stop(g->dnsside->listen);
	dnstcp_stop(g->dnsside->tcp);
}

void dnsside_fini(struct gate *g)
{
	if (!g->dnsside)
		return;
	dnstcp_fini(g->dnsside->tcp);
	dnslisten_fini(g->dnsside->listen);
	dnssec_fini(g->dnsside->dnssec);
	free(g->dnsside);
	g->dnsside = NULL;
}
