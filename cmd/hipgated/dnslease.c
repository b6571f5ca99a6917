/* SPDX-License-Identifier: MIT */
/* What becomes of a HIP host's name: peer, lease, pin, mapping (C..E).
 *
 * THEORY OF OPERATION
 * Control thread only. DNS_NEED_ADDRESS: the peer learns where it is, the
 * lease is taken; a new one waits for the journal, and only then are the
 * mappings published and the answer given. That a HIT is the hash of its
 * record's key (RFC 8005 4.1) the engine asks dnslease_key_fits. A question
 * in that wait is a struct pending, freed by the journal's callback. A name
 * that gets its first answer as a HIP host's is pinned in the same way: it
 * is in the journal before the answer leaves; but for one that only a server
 * of the client's choice named. DNS_NEED_REAL: the same with
 * the real addresses, which are mapped instead of substitutes; they are no
 * leases, and what a real address denotes is asked for again after a
 * restart.
 * A lease that ends (lease_config.let_go) takes its peer, mapping and row
 * with it, if nobody uses them.
 */
#include "dnslease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "dnsside.h"
#include "journal.h"

#define LOG_ABOUT LOG_SUB_DNS

enum {
	FRESH_MAX_S = 3600, /* however long the record's TTL is */
	REALS_MAX = 65536,  /* real addresses that are mapped */
	TYPE_A = 1,	    /* RFC 1035 3.2.2 */
};

/* A lease, or a pin, on its way into the journal. */
struct pending {
	struct gate *g;
	uint32_t question;
	struct hit hit;
	char name[DNS_NAME_MAX]; /* to be pinned; "": none */
	struct addr real[DNS_LOCATORS_MAX];
	size_t real_num; /* 0: a substitute is wanted */
};

/* ---- leases ---------------------------------------------------------------- */

/* Those of both that are not published yet. */
static int publish(struct gate *g, const struct lease_entry *e)
{
	struct tables *t = &g->plane.tables;
	const struct addr *both[] = { &e->sub6, &e->sub4 };
	struct addr some[2];
	size_t num = 0;

	for (size_t i = 0; i < 2; i++)
		if (!addr_is_unspecified(both[i]) &&
		    !tables_mapping(t, both[i]))
			some[num++] = *both[i];
	return num ? tables_add_mapping(t, some, num, &e->hit) : HG_OK;
}

int dnslease_publish(struct gate *g, const struct lease_entry *e)
{
	struct peer *p = peer_get(g, &e->hit);

	if (!p)
		return HG_EFULL;
	p->sub6 = e->sub6;
	p->sub4 = e->sub4;
	peer_name(p, e->name);
	return publish(g, e);
}

uint64_t dnslease_hold(int64_t begun, int64_t wall, uint64_t keep, uint64_t now)
{
	uint64_t age;

	if (!begun)
		return 0;
	if (wall < begun) /* a clock that was set back tells nothing */
		return now + keep;
	age = (uint64_t)(wall - begun) * 1000000000;
	return age < keep ? now + keep - age : 0;
}

static void not_on_disk(struct peer *p, void *arg)
{
	(void)arg;
	p->on_disk = false;
}

void dnslease_renewed(void *g)
{
	peer_each(g, not_on_disk, NULL);
}

static void on_dropped(void *arg, bool ok)
{
	(void)arg; /* it comes back at the next start, and may go again */
	(void)ok;
}

bool dnslease_let_go(void *arg, const struct hit *hit)
{
	struct gate *g = arg;
	struct peer *p = peer_find(g, hit);
	char text[ADDR_TEXT_MAX];

	if (!p || !peer_is_idle(g, p, uv_hrtime()) ||
	    journal_drop(g->journal, hit, on_dropped, NULL))
		return false;
	hit_print(hit, text);
	events_add(&g->events, uv_hrtime(), "", "let-go",
		   json_pack("{s:s,s:s}", "name", p->name, "hit", text),
		   "%s {%s} makes room: nobody uses it", p->name, text);
	tables_del_mapping(&g->plane.tables, &p->sub6);
	recall_clear(g->plane.recall);
	peer_del(g, p);
	return true;
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

/* HG_EEXIST: one of them denotes another host already. */
static int real_taken(const struct gate *g, const struct addr *real, size_t num,
		      const struct hit *hit)
{
	for (size_t i = 0; i < num; i++) {
		const struct mapping *m =
			tables_mapping(&g->plane.tables, &real[i]);

		if (m && !hit_eq(&m->peer, hit))
			return HG_EEXIST;
	}
	return HG_OK;
}

/* All of them, or none. */
static int publish_real(struct gate *g, const struct pending *w)
{
	struct tables *t = &g->plane.tables;
	int err = real_taken(g, w->real, w->real_num, &w->hit);

	for (size_t i = 0; !err && i < w->real_num; i++) {
		if (tables_mapping(t, &w->real[i]))
			continue;
		if (g->dnsside->reals == REALS_MAX)
			return HG_EFULL;
		err = tables_add_mapping(t, &w->real[i], 1, &w->hit);
		if (!err)
			g->dnsside->reals++;
	}
	return err;
}

static void tell_real(struct gate *g, const struct pending *w)
{
	struct peer *p = peer_find(g, &w->hit);
	char hit[ADDR_TEXT_MAX];
	char real[ADDR_TEXT_MAX];

	hit_print(&w->hit, hit);
	for (size_t i = 0; i < w->real_num; i++) {
		if (p)
			p->real[sockets_family(&w->real[i])] = w->real[i];
		addr_print(&w->real[i], real);
		events_add(&g->events, uv_hrtime(), "D", "mapping",
			   json_pack("{s:s,s:s}", "hit", hit, "real", real),
			   "mapping {%s; %s itself}", hit, real);
	}
}

static void give_real(struct gate *g, const struct pending *w)
{
	int err = publish_real(g, w);

	if (!err)
		tell_real(g, w);
	dns_give_real(g->dns, w->question, err, uv_hrtime());
}

static const char none_text[] = "hipgate: no substitute address could be made";

static void give(struct gate *g, uint32_t question, const struct hit *hit)
{
	struct peer *p = peer_find(g, hit);
	struct lease_entry e = { .name = "" };
	bool fresh;
	int err = HG_ENOENT;

	if (p)
		err = lease_get(g->lease, hit, p->name, &e, &fresh);
	if (!err && fresh) { /* an IPv4 one, since: it is not on disk yet */
		p->on_disk = false;
		e.sub4 = addr_any6;
	}
	if (!err)
		err = dnslease_publish(g, &e);
	if (!err)
		tell_mapping(g, p);
	dns_give(g->dns, question, err, &e.sub6, &e.sub4,
		 err ? none_text : "hipgate: HIP host, no such substitute now",
		 uv_hrtime());
}

static void refuse(struct gate *g, uint32_t question, int err, const char *ede)
{
	dns_give(g->dns, question, err, &addr_any6, &addr_any6, ede,
		 uv_hrtime());
}

static struct pending *pending_new(struct gate *g, uint32_t question,
				   const struct dns_host *h)
{
	struct pending *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->g = g;
	w->question = question;
	w->hit = h->hit;
	/* What the administrator says needs no pin, and may be taken back.
	 * What a client's own server says must not bind the others. */
	if (!h->local && !h->theirs)
		memcpy(w->name, h->name, sizeof(w->name));
	return w;
}

static void give_what(struct gate *g, const struct pending *w)
{
	if (w->real_num)
		give_real(g, w);
	else
		give(g, w->question, &w->hit);
}

/* Frees w. What real addresses were to be is refused as a substitute is. */
static void refuse_what(struct gate *g, struct pending *w, int err,
			const char *ede)
{
	if (w->real_num)
		dns_give_real(g->dns, w->question, err, uv_hrtime());
	else
		refuse(g, w->question, err, ede);
	free(w);
}

static void on_pinned(void *arg, bool ok)
{
	struct pending *w = arg;
	struct gate *g = w->g;

	g->health.journal_failed = !ok;
	if (ok) {
		give_what(g, w);
		free(w);
	} else {
		(void)dns_forget(g->dns, w->name);
		refuse_what(g, w, HG_ESYS, "the journal cannot be written");
	}
	gate_pump(g);
}

/* The name is pinned, on disk, before anybody hears of its address. Takes w.
 * A second question that comes in that wait is answered at once: the pin
 * holds from now on, and the journal's loss in that moment is a crash's. */
static void pin_and_give(struct gate *g, struct pending *w)
{
	int err;

	if (!w->name[0] || dns_pinned(g->dns, w->name)) {
		give_what(g, w);
		free(w);
		return;
	}
	err = dns_pin(g->dns, w->name, &w->hit);
	if (err == HG_EFULL) { /* better an address unpinned than none */
		gate_drop(g, REASON_DNS_PINS_FULL);
		give_what(g, w);
		free(w);
		return;
	}
	if (!err) {
		err = journal_pin(g->journal, w->name, &w->hit, on_pinned, w);
		if (!err)
			return;
		(void)dns_forget(g->dns, w->name);
	}
	refuse_what(g, w, err, "the name cannot be pinned");
}

static void on_journal(void *arg, bool ok)
{
	struct pending *w = arg;
	struct gate *g = w->g;
	struct peer *p = peer_find(g, &w->hit);

	g->health.journal_failed = !ok;
	if (ok && p) {
		p->on_disk = true;
		pin_and_give(g, w);
	} else {
		refuse_what(g, w, HG_ESYS, "the journal cannot be written");
	}
	gate_pump(g);
}

/* Takes w when it succeeds. */
static int remember(struct gate *g, struct pending *w,
		    const struct lease_entry *e, const struct peer *p)
{
	struct journal_row row = { .lease = *e, .server = p->server };

	return journal_put(g->journal, &row, on_journal, w);
}

int dnslease_records(struct gate *g, const struct config *c)
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

void dnslease_restore_pin(const char *name, const struct hit *hit, void *arg)
{
	struct gate *g = arg;
	int err = dns_pin(g->dns, name, hit);

	if (err)
		log_warn("event=pin-unused name=%s text=\"%s\"", name,
			 err_text(err));
}

static void on_forgotten(void *arg, bool ok)
{
	(void)arg;
	if (!ok)
		log_error("event=pin-kept text=\"a pin that was forgotten is "
			  "still in the journal; forget it again\"");
}

int dnslease_forget(struct gate *g, const char *name, char *errbuf,
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

bool dnslease_key_fits(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
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

/* server: where its name is known; NULL: at our own servers. */
static struct peer *learn(struct gate *g, const struct dns_host *h,
			  const struct endpoint *server)
{
	struct peer *p = peer_get(g, &h->hit);
	uint32_t ttl = h->ttl < FRESH_MAX_S ? h->ttl : FRESH_MAX_S;

	if (!p || !may_replace(p, h))
		return p;
	peer_name(p, h->name);
	/* The first server stays: a client may ask any server it likes. */
	if (!p->server.port && server)
		p->server = *server;
	peer_set_locators(p, h->locators, h->locators_num, h->via_rvs,
			  uv_hrtime() + (uint64_t)ttl * 1000000000);
	return p;
}

struct peer *dnslease_learn(struct gate *g, const struct dns_host *h)
{
	return learn(g, h, NULL);
}

static json_t *locators(const struct dns_host *h)
{
	char at[ADDR_TEXT_MAX];
	json_t *list = json_array();

	for (size_t i = 0; list && i < h->locators_num; i++)
		(void)json_array_append_new(
			list, json_string(addr_print(&h->locators[i], at)));
	return list;
}

static void tell_host(struct gate *g, const struct dns_host *h)
{
	char hit[ADDR_TEXT_MAX];
	char at[ADDR_TEXT_MAX];

	addr_print(&h->locators[0], at);
	hit_print(&h->hit, hit);
	events_add(&g->events, uv_hrtime(), "C", "dns-host",
		   json_pack("{s:s,s:s,s:o*,s:s,s:I}", "name", h->name, "hit",
			     hit, "locators", locators(h), "via",
			     h->via_rvs ? "rvs" : "host", "ttl",
			     (json_int_t)h->ttl),
		   "%s is {%s; %s%s}", h->name, hit, at,
		   h->via_rvs ? ", its rendezvous server" : "");
}

/* A flow to ourselves would go round in circles, and what leads elsewhere
 * would be read there. */
static int refuse_any(struct gate *g, const struct dns_host *h,
		      const char **ede)
{
	tell_host(g, h);
	if (!addr_is_unspecified(&g->health.astray)) {
		*ede = "substitute addresses do not lead to this gateway";
		return HG_EPERM;
	}
	if (!persona_ours(g, &h->hit))
		return HG_OK;
	*ede = "HIP record: the HIT is this gateway's own";
	gate_drop(g, REASON_DNS_BAD_HIP);
	return HG_EAUTH;
}

/* What has no lease has no peer either: who makes up hosts does not fill
 * that table. *p is set when it succeeds. */
static int take_lease(struct gate *g, const struct dns_effect *e,
		      struct lease_entry *out, struct peer **p,
		      const char **ede)
{
	const struct dns_host *h = e->host;
	const struct peer *known = peer_find(g, &h->hit);
	const char *name = known && known->name[0] ? known->name : h->name;
	struct lease_asker who = { .client = e->who.client.addr,
				   .theirs = h->theirs,
				   .local = h->local,
				   .now = uv_hrtime() };
	bool fresh;
	int err = lease_ask(g->lease, &h->hit, name, &who, out, &fresh);

	if (err == HG_EPERM) {
		gate_drop(g, REASON_DNS_QUOTA);
		*ede = "too many HIP hosts of that domain, or for that client";
	} else if (err == HG_EFULL) {
		gate_drop(g, REASON_DNS_FULL);
		*ede = "hipgate: all substitute addresses are in use";
	} else if (err == HG_EEXIST) {
		*ede = "hipgate: its substitute address is another host's";
	}
	if (err)
		return err;
	if (e->qtype == TYPE_A && g->cfg->pool4.len &&
	    addr_is_unspecified(&out->sub4))
		gate_drop(g, REASON_DNS_FULL);
	*p = learn(g, h, e->who.here ? NULL : &e->who.server);
	if (!*p)
		return HG_EFULL;
	if (fresh)
		(*p)->on_disk = false;
	return HG_OK;
}

void dnslease_need_address(struct gate *g, const struct dns_effect *e)
{
	struct lease_entry lease;
	struct pending *w = NULL;
	struct peer *p = NULL;
	const char *ede = none_text;
	int err = refuse_any(g, e->host, &ede);

	if (!err)
		err = take_lease(g, e, &lease, &p, &ede);
	if (!err)
		w = pending_new(g, e->question, e->host);
	if (!err && !w)
		err = HG_ENOMEM;
	if (!err && p->on_disk) {
		pin_and_give(g, w);
		return;
	}
	if (!err)
		err = remember(g, w, &lease, p);
	if (!err)
		return;
	free(w);
	refuse(g, e->question, err, ede);
}

void dnslease_need_real(struct gate *g, const struct dns_effect *e)
{
	const struct dns_host *h = e->host;
	struct pending *w = NULL;
	const char *ede;
	int err = refuse_any(g, h, &ede);

	if (!err)
		err = real_taken(g, h->real, h->real_num, &h->hit);
	if (!err && !learn(g, h, e->who.here ? NULL : &e->who.server))
		err = HG_EFULL;
	if (!err)
		w = pending_new(g, e->question, h);
	if (!w) {
		dns_give_real(g->dns, e->question, err ? err : HG_ENOMEM,
			      uv_hrtime());
		return;
	}
	memcpy(w->real, e->host->real, sizeof(w->real));
	w->real_num = e->host->real_num;
	pin_and_give(g, w);
}

void dnslease_resolved(struct gate *g, const struct dns_effect *e)
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
	if (p->park || p->wanted)
		peer_want(g, p, now);
}

void dnslease_unpinned(struct gate *g, const char *name)
{
	if (journal_unpin(g->journal, name, on_forgotten, NULL))
		on_forgotten(NULL, false);
	events_add(&g->events, uv_hrtime(), "", "forget",
		   json_pack("{s:s}", "name", name),
		   "%s has no HIP record any more: DNSSEC proves it", name);
}
