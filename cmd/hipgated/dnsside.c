/* SPDX-License-Identifier: MIT */
/* The DNS engine's hands: TUN packets, upstream asks, leases (A..E).
 *
 * THEORY OF OPERATION
 * Control thread only. A query arrives as a packet (UDP) or a message (TCP,
 * dnstcp.c) with the server it was meant for. The engine's effects are
 * carried out in order. DNS_NEED_ADDRESS: the lease; a new one waits for
 * the journal, and only then are the mappings published and the answer
 * given. That a HIT is the hash of its record's key (RFC 8005 4.1) the
 * engine asks dnsside_key_fits.
 * A question in that wait is a struct pending, freed by the journal's
 * callback. A name that gets its first substitute is pinned in the same
 * way: it is in the journal before the answer leaves.
 */
#include "dnsside.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "dnssec.h"
#include "journal.h"

enum { FRESH_MAX_S = 3600 }; /* however long the record's TTL is */

/* A lease, or a pin, on its way into the journal. */
struct pending {
	struct gate *g;
	uint32_t question;
	struct hit hit;
	char name[DNS_NAME_MAX]; /* to be pinned; "": none */
};

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
	dns_query(g->dns, &who, ip->l4 + UDP_HDR, ip->l4_len - UDP_HDR, m->now);
	gate_pump(g);
}

/* ---- leases ---------------------------------------------------------------- */

static int publish_one(struct gate *g, const struct addr *sub,
		       const struct hit *hit)
{
	int err;

	if (addr_is_unspecified(sub))
		return HG_OK;
	err = tables_add_mapping(&g->plane.tables, sub, hit);
	return err == HG_EEXIST ? HG_OK : err;
}

int dnsside_publish(struct gate *g, const struct lease_entry *e)
{
	struct peer *p = peer_get(g, &e->hit);
	int err;

	if (!p)
		return HG_EFULL;
	p->sub6 = e->sub6;
	p->sub4 = e->sub4;
	if (!p->name[0])
		memcpy(p->name, e->name, sizeof(p->name));
	err = publish_one(g, &e->sub6, &e->hit);
	if (!err)
		err = publish_one(g, &e->sub4, &e->hit);
	return err;
}

static void tell_mapping(struct gate *g, const struct peer *p)
{
	char hit[ADDR_TEXT_MAX];
	char sub6[ADDR_TEXT_MAX];
	char sub4[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];

	hit_print(&p->hit, hit);
	addr_print(&p->sub6, sub6);
	addr_print(&p->sub4, sub4);
	endpoint_print(&p->at, at);
	events_add(&g->events, uv_hrtime(), "D", "mapping",
		   json_pack("{s:s,s:s,s:s,s:s,s:s}", "name", p->name, "hit",
			     hit, "sub6", sub6, "sub4", sub4, "locator", at),
		   "mapping {%s; %s; %s %s}", hit, at, sub6, sub4);
}

static void give(struct gate *g, uint32_t question, const struct hit *hit)
{
	struct peer *p = peer_find(g, hit);
	const struct lease_entry *e = NULL;
	bool fresh;
	int err = HG_ENOENT;

	if (p)
		err = lease_get(g->lease, hit, p->name, &e, &fresh);
	if (!err)
		err = dnsside_publish(g, e);
	if (!err)
		tell_mapping(g, p);
	dns_give(g->dns, question, err, e ? &e->sub6 : &addr_any6,
		 e ? &e->sub4 : &addr_any6,
		 err ? "no substitute address could be made" : NULL,
		 uv_hrtime());
}

static void refuse(struct gate *g, uint32_t question, int err, const char *ede)
{
	dns_give(g->dns, question, err, &addr_any6, &addr_any6, ede,
		 uv_hrtime());
}

static struct pending *pending_new(struct gate *g, uint32_t question,
				   const struct hit *hit, const char *name)
{
	struct pending *w = calloc(1, sizeof(*w));

	if (w) {
		w->g = g;
		w->question = question;
		w->hit = *hit;
		memcpy(w->name, name, strlen(name) + 1);
	}
	return w;
}

static void on_pinned(void *arg, bool ok)
{
	struct pending *w = arg;
	struct gate *g = w->g;

	if (ok) {
		give(g, w->question, &w->hit);
	} else {
		(void)dns_forget(g->dns, w->name);
		refuse(g, w->question, HG_ESYS,
		       "the journal cannot be written");
	}
	free(w);
	gate_pump(g);
}

/* The name is pinned, on disk, before anybody hears of its substitute. A
 * second question that comes in that wait is answered at once: the pin holds
 * from now on, and the journal's loss in that moment is a crash's. */
static void pin_and_give(struct gate *g, uint32_t question,
			 const struct hit *hit, const char *name)
{
	struct pending *w;
	int err;

	if (!name[0] || dns_pinned(g->dns, name)) {
		give(g, question, hit);
		return;
	}
	w = pending_new(g, question, hit, name);
	err = w ? dns_pin(g->dns, name, hit) : HG_ENOMEM;
	if (err == HG_EFULL) { /* better a substitute unpinned than none */
		gate_drop(g, REASON_DNS_PINS_FULL);
		give(g, question, hit);
		free(w);
		return;
	}
	if (!err) {
		err = journal_pin(g->journal, name, hit, on_pinned, w);
		if (!err)
			return;
		(void)dns_forget(g->dns, name);
	}
	free(w);
	refuse(g, question, err, "the name cannot be pinned");
}

static void on_journal(void *arg, bool ok)
{
	struct pending *w = arg;
	struct gate *g = w->g;
	struct peer *p = peer_find(g, &w->hit);

	if (ok && p) {
		p->on_disk = true;
		pin_and_give(g, w->question, &w->hit, w->name);
	} else {
		refuse(g, w->question, HG_ESYS,
		       "the journal cannot be written");
	}
	free(w);
	gate_pump(g);
}

static int remember(struct gate *g, uint32_t question, const char *name,
		    const struct lease_entry *e, const struct peer *p)
{
	struct journal_row row = { .lease = *e, .server = p->server };
	struct pending *w = pending_new(g, question, &e->hit, name);
	int err;

	if (!w)
		return HG_ENOMEM;
	err = journal_put(g->journal, &row, on_journal, w);
	if (err)
		free(w);
	return err;
}

int dnsside_records(struct gate *g, const struct config *c)
{
	struct dns_record *list = calloc(c->records_num + 1, sizeof(*list));
	int err;

	if (!list)
		return HG_ENOMEM;
	for (size_t i = 0; i < c->records_num; i++)
		list[i] = c->records[i].r;
	err = dns_set_records(g->dns, list, c->records_num);
	free(list);
	return err;
}

void dnsside_restore_pin(const char *name, const struct hit *hit, void *arg)
{
	struct gate *g = arg;
	int err = dns_pin(g->dns, name, hit);

	if (err)
		log_warn("journal: pin of %s is not used: %s", name,
			 err_text(err));
}

static void on_forgotten(void *arg, bool ok)
{
	(void)arg;
	if (!ok)
		log_error("journal: a pin that was forgotten is still there; "
			  "forget it again");
}

int dnsside_forget(struct gate *g, const char *name, char *errbuf,
		   size_t errlen)
{
	char text[DNS_NAME_MAX];
	int err = HG_ENOENT;

	if (!g->dns)
		(void)snprintf(errbuf, errlen,
			       "there is no proxy role, so no name is pinned");
	else if (dns_name(name, text))
		(void)snprintf(errbuf, errlen,
			       "that is no domain name; write it as in "
			       "\"hipgate mappings\"");
	else if (!dns_forget(g->dns, text))
		(void)snprintf(errbuf, errlen,
			       "%s is not pinned: it had no HIP record, or "
			       "was forgotten",
			       text);
	else
		err = journal_unpin(g->journal, text, on_forgotten, NULL);
	if (!err)
		events_add(&g->events, uv_hrtime(), "", "forget",
			   json_pack("{s:s}", "name", text),
			   "%s may be without a HIP record again", text);
	else if (err != HG_ENOENT)
		(void)snprintf(errbuf, errlen,
			       "%s is forgotten, but the journal cannot be "
			       "written: %s",
			       text, err_text(err));
	return err;
}

bool dnsside_key_fits(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
		      const struct hit *hit)
{
	struct hit made;

	return hip_hit_of_dns_key(pk_alg, pk, pk_len, &made) == HG_OK &&
	       hit_eq(&made, hit);
}

/* May what this name's record says replace where the peer is? A HIT and its
 * key are public: anybody can publish them under a name of his own with
 * addresses of his choice, so only the name that the peer is known by may.
 * While the peer has no address at all, any will do: R1's signature tells. */
static bool may_replace(const struct peer *p, const struct dns_host *h)
{
	return !p->locators_num || strcmp(p->name, h->name) == 0;
}

static struct peer *learn(struct gate *g, const struct dns_host *h,
			  const struct endpoint *server)
{
	struct peer *p = peer_get(g, &h->hit);
	uint32_t ttl = h->ttl < FRESH_MAX_S ? h->ttl : FRESH_MAX_S;

	if (!p || !may_replace(p, h))
		return p;
	if (!p->name[0])
		memcpy(p->name, h->name, sizeof(p->name));
	/* The first server stays: a client may ask any server it likes. */
	if (!p->server.port)
		p->server = *server;
	peer_set_locators(p, h->locators, h->locators_num, h->via_rvs,
			  uv_hrtime() + (uint64_t)ttl * 1000000000);
	return p;
}

static void tell_host(struct gate *g, const struct dns_host *h)
{
	char hit[ADDR_TEXT_MAX];
	char at[ADDR_TEXT_MAX];
	json_t *list = json_array();

	for (size_t i = 0; list && i < h->locators_num; i++)
		(void)json_array_append_new(
			list, json_string(addr_print(&h->locators[i], at)));
	addr_print(&h->locators[0], at);
	hit_print(&h->hit, hit);
	events_add(&g->events, uv_hrtime(), "C", "dns-host",
		   json_pack("{s:s,s:s,s:o*,s:s,s:I}", "name", h->name, "hit",
			     hit, "locators", list, "via",
			     h->via_rvs ? "rvs" : "host", "ttl",
			     (json_int_t)h->ttl),
		   "%s is {%s; %s%s}", h->name, hit, at,
		   h->via_rvs ? ", its rendezvous server" : "");
}

static void need_address(struct gate *g, const struct dns_effect *e)
{
	const struct dns_host *h = e->host;
	/* What the administrator says needs no pin, and may be taken back. */
	const char *pin = h->local ? "" : h->name;
	const struct lease_entry *lease;
	uint32_t question = e->question;
	struct peer *p;
	bool fresh = false;
	const char *ede = "no substitute address could be made";
	int err = HG_EAUTH;

	tell_host(g, h);
	if (persona_ours(g, &h->hit)) {
		/* A flow to ourselves would go round in circles. */
		ede = "HIP record: the HIT is this gateway's own";
		gate_drop(g, REASON_DNS_BAD_HIP);
	} else {
		p = learn(g, h, &e->who.server);
		err = HG_EFULL;
		if (p)
			err = lease_get(g->lease, &p->hit, p->name, &lease,
					&fresh);
		if (fresh)
			p->on_disk = false;
		if (!err && p->on_disk) {
			pin_and_give(g, question, &p->hit, pin);
			return;
		}
		if (!err)
			err = remember(g, question, pin, lease, p);
		if (!err)
			return;
	}
	refuse(g, question, err, ede);
}

static void resolved(struct gate *g, const struct dns_effect *e)
{
	struct peer *p = (struct peer *)(uintptr_t)e->token;
	uint64_t now = uv_hrtime();
	bool same = e->kind == DNS_RESOLVED && hit_eq(&e->host->hit, &p->hit);

	p->resolving_until = 0;
	if (same)
		(void)learn(g, e->host, &p->server);
	if (!same && !p->locators_num) {
		peer_refuse(g, p);
		return;
	}
	/* No answer: what we knew is better than nothing, for a while. */
	if (!same)
		p->fresh_until = now + 5000000000;
	if (p->park)
		peer_want(g, p, now);
}

/* ---- out ------------------------------------------------------------------- */

static void do_ask(struct gate *g, const struct dns_effect *e)
{
	char server[ENDPOINT_TEXT_MAX];
	char type[16];
	const char *qtype = type_name(e->qtype, type);
	uint32_t ask = e->ask;

	endpoint_print(&e->server, server);
	events_add(&g->events, uv_hrtime(), "B", "dns-ask",
		   json_pack("{s:s,s:s,s:s}", "server", server, "name", e->name,
			     "qtype", qtype),
		   "proxy -> %s %s %s", server, qtype, e->name);
	if (dnsask_start(&g->dnsside->asks, ask, &e->server, e->tcp, e->msg,
			 e->msg_len))
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

static void do_reply(struct gate *g, const struct dns_effect *e)
{
	char client[ENDPOINT_TEXT_MAX];
	char sub[ADDR_TEXT_MAX] = "";
	char type[16];
	const char *qtype = type_name(e->qtype, type);

	send_reply(g, e);
	endpoint_print(&e->who.client, client);
	if (e->substituted)
		addr_print(&e->substitute, sub);
	events_add(&g->events, uv_hrtime(), "E", "dns-reply",
		   json_pack("{s:s,s:s,s:s,s:b,s:i,s:s}", "client", client,
			     "name", e->name, "qtype", qtype, "substituted",
			     (int)e->substituted, "rcode", (int)e->rcode,
			     "address", sub),
		   "-> %s %s %s %s", client, qtype, e->name,
		   e->substituted ? sub : "(as the server said)");
}

static void tell_query(struct gate *g, const struct dns_effect *e)
{
	char client[ENDPOINT_TEXT_MAX];
	char server[ENDPOINT_TEXT_MAX];
	char type[16];
	const char *qtype = type_name(e->qtype, type);

	endpoint_print(&e->who.client, client);
	endpoint_print(&e->who.server, server);
	events_add(&g->events, uv_hrtime(), "A", "dns-query",
		   json_pack("{s:s,s:s,s:s,s:s,s:b}", "client", client,
			     "server", server, "name", e->name, "qtype", qtype,
			     "tcp", (int)e->who.tcp),
		   "lh %s -> %s %s %s", client, server, qtype, e->name);
}

static void unpinned(struct gate *g, const char *name)
{
	if (journal_unpin(g->journal, name, on_forgotten, NULL))
		on_forgotten(NULL, false);
	events_add(&g->events, uv_hrtime(), "", "forget",
		   json_pack("{s:s}", "name", name),
		   "%s has no HIP record any more: DNSSEC proves it", name);
}

bool dnsside_pump(struct gate *g)
{
	struct dns_effect e;
	bool any = false;

	while (g->dns && dns_effect(g->dns, &e)) {
		any = true;
		switch (e.kind) {
		case DNS_SEEN:
			tell_query(g, &e);
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
			unpinned(g, e.name);
			break;
		case DNS_ASK_DONE:
			dnssec_end(g->dnsside->dnssec, e.ask);
			dnsask_end(&g->dnsside->asks, e.ask);
			break;
		case DNS_REPLY:
			do_reply(g, &e);
			break;
		case DNS_NEED_ADDRESS:
			need_address(g, &e);
			break;
		case DNS_RESOLVED:
		case DNS_UNRESOLVED:
			resolved(g, &e);
			break;
		case DNS_EFFECT_NUM:
			break;
		}
	}
	return any;
}

/* ---- life ------------------------------------------------------------------ */

int dnsside_start(struct gate *g)
{
	struct dnsside *d = calloc(1, sizeof(*d));

	if (!d)
		return HG_ENOMEM;
	d->g = g;
	d->asks.g = g;
	d->asks.max = dnsask_limit();
	g->dnsside = d;
	return dnstcp_start(g, &d->tcp);
}

void dnsside_stop(struct gate *g)
{
	dnsask_end_all(&g->dnsside->asks);
	dnssec_stop(g->dnsside->dnssec);
	dnstcp_stop(g->dnsside->tcp);
}

void dnsside_fini(struct gate *g)
{
	if (!g->dnsside)
		return;
	dnstcp_fini(g->dnsside->tcp);
	dnssec_fini(g->dnsside->dnssec);
	free(g->dnsside);
	g->dnsside = NULL;
}
