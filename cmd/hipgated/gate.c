/* SPDX-License-Identifier: MIT */
/* The control thread: start, loop, timers, end; theory in gate.h. */
#include "gate.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control.h"
#include "dnssec.h"
#include "dnslease.h"
#include "dnsside.h"
#include "errand.h"
#include "http.h"
#include "hipstart.h"
#include "core/checksum.h"
#include "core/log.h"
#include "journal.h"
#include "logto.h"
#include "reload.h"
#include "sitekey.h"
#include "tap.h"
#include "turn.h"
#include "snapshot.h"

/* ---- timers and the pump -------------------------------------------------- */

static void on_timer(uv_timer_t *t)
{
	struct gate *g = t->data;
	uint64_t now = uv_hrtime();

	hip_tick(g->hip, now);
	if (g->dns)
		dns_tick(g->dns, now);
	gate_pump(g);
}

static void rearm(struct gate *g)
{
	uint64_t now = uv_hrtime();
	uint64_t due = hip_deadline(g->hip);
	uint64_t dns = g->dns ? dns_deadline(g->dns) : UINT64_MAX;
	uint64_t wait;

	if (dns < due)
		due = dns;
	if (due == UINT64_MAX) {
		(void)uv_timer_stop(&g->timer);
		return;
	}
	/* Rounded up: a timer that fires early would only fire again. */
	wait = due > now ? (due - now + 999999) / 1000000 : 0;
	(void)uv_timer_start(&g->timer, on_timer, wait, 0);
}

void gate_pump(struct gate *g)
{
	bool any;

	do {
		any = hipside_pump(g);
		any = dnsside_pump(g) || any;
	} while (any);
	rearm(g);
}

static void look(struct gate *g, uint64_t now)
{
	struct sample x;

	health_look(g, now);
	http_pulse(g->http, g, now);
	snapshot_sample(g, now, &x);
	samples_add(&g->samples, &x);
}

static void on_housekeeping(uv_timer_t *t)
{
	struct gate *g = t->data;

	saside_traffic(g);
	first_expire(g, uv_hrtime());
	moveside_housekeeping(g, uv_hrtime());
	persona_expire(g, uv_hrtime());
	agents_again(g, uv_hrtime());
	recall_clear(g->plane.recall);
	dnsside_housekeeping(g, uv_hrtime());
	errand_expire(g, uv_hrtime());
	if (g->active.num)
		g->used = uv_hrtime();
	gate_pump(g);
	look(g, uv_hrtime());
	logto_flush(uv_hrtime());
	g->housekept = uv_hrtime(); /* our own work is no sleep */
}

void gate_tun_write(struct gate *g, const void *pkt, size_t len)
{
	if (!g->plane.has_tun || tun_write(g->plane.tun_fd[0], pkt, len))
		gate_drop(g, REASON_TUN_FAILED);
	else if (g->tap)
		tap_tun(g, pkt, len);
}

/* Off the packet path: cut and completed here, so that no virtio header
 * need be built for it. */
void gate_tun_return(struct gate *g, void *pkt, size_t len,
		     const struct ip_offload *off)
{
	struct tun_cutter cut;
	struct tun_piece piece;
	struct ip_view ip;
	size_t hdr;

	if (ip_parse(pkt, len, &ip) != REASON_NUM ||
	    tun_cut(&cut, ip.proto, ip.l4, ip.l4_len, off,
		    csum_pseudo(&ip.from, &ip.to, ip.proto, 0)) != REASON_NUM) {
		gate_drop(g, REASON_VNET_HDR);
		return;
	}
	while (tun_cut_next(&cut, &piece)) {
		hdr = ip_put_header(g->buf, &ip.from, &ip.to, ip.proto,
				    (uint32_t)(piece.head_len + piece.body_len),
				    ip.ttl, ip.tos);
		memcpy(g->buf + hdr, piece.head, piece.head_len);
		memcpy(g->buf + hdr + piece.head_len, piece.body,
		       piece.body_len);
		gate_tun_write(g, g->buf,
			       hdr + piece.head_len + piece.body_len);
	}
}

enum { INBOX_BUDGET = 256 }; /* messages a wake-up */

/* ---- what wakes the loop --------------------------------------------------- */

static void tell_return(struct gate *g, const struct msg *m)
{
	char client[ADDR_TEXT_MAX];
	char peer[ADDR_TEXT_MAX];

	addr_print(&m->key.client, client);
	hit_print(&m->back.peer, peer);
	events_add(&g->events, m->now, "J", "first-return",
		   json_pack("{s:s,s:i,s:i}", "peer", peer, "peer_port",
			     m->back.peer_port, "ext_port", m->back.ext_port),
		   "%s port %u -> HIT port %u out of ESP", peer,
		   m->back.peer_port, m->back.ext_port);
	events_add(&g->events, uv_hrtime(), "K", "to-legacy",
		   json_pack("{s:s,s:i,s:i}", "client", client, "client_port",
			     m->key.client_port, "virt_port", m->key.virt_port),
		   "-> lh %s port %u", client, m->key.client_port);
}

/* A descriptor that libuv gave up: better to end and be started anew than
 * to look alive and serve nobody. */
static void gate_broken(struct gate *g, const char *what, int status)
{
	log_error("event=broken what=\"%s\" text=\"%s; giving up\"", what,
		  uv_strerror(status));
	g->broken = true;
	g->stopping = true;
}

void gate_inbox(struct gate *g)
{
	unsigned budget = INBOX_BUDGET;
	struct msg *m;

	inbox_heard(&g->inbox);
	while (budget && (m = inbox_take(&g->inbox))) {
		budget--;
		switch (m->kind) {
		case MSG_TUN:
		case MSG_DNS:
			first_packet(g, m);
			continue; /* taken */
		case MSG_HIP:
			hipside_input(g, m->data, m->len, &m->from, &m->at);
			break;
		case MSG_FIRST:
			tell_return(g, m);
			break;
		case MSG_PROBE:
			if (!errand_pong(g, m))
				pathside_answer(g, m,
						uv_now(g->loop) * 1000000);
			break;
		case MSG_STRAY:
			moveside_stray(g, m);
			break;
		case MSG_BROKEN:
			gate_broken(g, "TUN device or socket of a worker",
				    m->status);
			break;
		case MSG_ESP:
			saside_wake(g, m);
			continue; /* taken */
		case MSG_SEALED:
			holdside_sealed(g, m);
			continue; /* taken */
		case MSG_NUM:
			break;
		}
		free(m);
	}
	if (!budget) /* timers, sockets and signals first, then the rest */
		inbox_ring(&g->inbox);
	gate_pump(g);
}

static void on_udp(uv_poll_t *p, int status, int events)
{
	struct gate *g = p->data;
	unsigned fam = p == &g->udp_poll[0] ? 0 : 1;

	(void)events;
	if (status < 0) {
		gate_broken(g, "UDP socket", status);
		return;
	}
	hipside_readable(g, g->plane.sockets.fd[fam][0]);
	gate_pump(g);
}

static void on_signal(uv_signal_t *s, int signum)
{
	struct gate *g = s->data;

	if (!g->stopping)
		log_info("event=ending signal=%d", signum);
	g->stopping = true;
}

static void on_hangup(uv_signal_t *s, int signum)
{
	struct gate *g = s->data;
	json_t *done = NULL;
	char why[1024];

	(void)signum;
	/* It has logged what was done, or why not. */
	if (reload(g, &done, why, sizeof(why)) == HG_OK)
		json_decref(done);
	gate_pump(g);
}

/* ---- start ------------------------------------------------------------------ */

static void restore_row(const struct journal_row *row, void *arg)
{
	struct gate *g = arg;
	const struct config *c = g->cfg;
	struct lease_entry kept = row->lease;
	struct peer *p;
	char text[ADDR_TEXT_MAX];
	int err = lease_restore(g->lease, &kept);

	/* A client may still have it, so another HIT must not. */
	if (err && !addr_is_unspecified(&row->lease.sub4))
		lease_hold4(g->lease,
			    uv_hrtime() +
				    (c->ttl + c->keep) * UINT64_C(1000000000));
	if (!err)
		err = dnslease_publish(g, &kept);
	p = peer_find(g, &row->lease.hit);
	if (!err && p) {
		p->server = row->server;
		p->on_disk = true;
	}
	if (err)
		log_warn("event=lease-unused hit=%s name=%s text=\"%s\"",
			 hit_print(&row->lease.hit, text), row->lease.name,
			 err_text(err));
}

static int start_proxy(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	struct lease_config lc = {
		.pool6 = c->pool6,
		.pool4 = c->pool4,
		.max = c->substitutes,
		.let_go = dnslease_let_go,
		.arg = g,
		.keep = (c->ttl + c->keep) * UINT64_C(1000000000),
	};
	struct dns_config dc = {
		.rules = c->rules,
		.rules_num = c->rules_num,
		.pool6 = c->pool6,
		.pool4 = c->pool4,
		.ttl_max = c->ttl,
		.servers = c->dns_servers,
		.servers_num = c->dns_servers_num,
		.dnssec = c->dnssec,
		.hide = c->hide_records,
		.discourage = !c->encrypted_dns,
		.validating = c->validating,
		.key_fits = dnslease_key_fits,
		.real = c->real,
		.real_num = c->real_num,
		.own_ask = dnsside_own_ask,
		.arg = g,
	};
	bool old;
	int err = sitekey_load(c->state, lc.site_key, &old, errbuf, errlen);

	if (!err)
		err = journal_open(c->state, g->loop, !old, &g->journal, errbuf,
				   errlen);
	if (!err)
		lc.hold4 = dnslease_hold(journal_begun(g->journal), time(NULL),
					 lc.keep, uv_hrtime());
	if (lc.hold4 && c->pool4.len)
		log_warn(
			"event=ipv4-held text=\"the journal was begun anew: no "
			"new IPv4 substitutes for %u s\"",
			(unsigned)((lc.hold4 - uv_hrtime()) / 1000000000) + 1);
	if (!err)
		err = lease_new(&lc, &g->lease);
	sodium_memzero(&lc, sizeof(lc));
	if (!err)
		journal_on_renewed(g->journal, dnslease_renewed, g);
	dc.lease = g->lease;
	if (!err)
		err = dns_new(&dc, &g->dns);
	if (!err)
		err = dnslease_records(g, c);
	if (!err)
		err = recall_new(&g->plane.recall);
	if (!err)
		err = first_start(g);
	if (!err)
		err = dnsside_start(g, errbuf, errlen);
	if (!err && c->dnssec != DNS_DNSSEC_OFF)
		err = dnssec_start(g, &g->dnsside->dnssec, errbuf, errlen);
	if (!err)
		err = journal_each(g->journal, restore_row, g);
	if (!err) {
		dns_probe(g->dns, uv_hrtime());
		dns_try(g->dns, uv_hrtime());
	}
	if (!err)
		err = journal_each_pin(g->journal, dnslease_restore_pin, g);
	if (err && !errbuf[0])
		(void)snprintf(errbuf, errlen, "proxy role: %s", err_text(err));
	return err;
}

static unsigned workers_of(const struct config *c)
{
	unsigned cpus = uv_available_parallelism();

	if (c->workers)
		return c->workers;
	return cpus < 8 ? cpus : 8;
}

static int start_plane(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	struct plane *p = &g->plane;
	int err;

	p->workers = g->workers;
	p->port = c->port;
	p->control = &g->inbox;
	p->proxy = c->proxy;
	p->host = c->host;
	p->has_tun = c->proxy || c->host;
	steer_init(&p->steer, c);
	p->sockets.segment = offload_wanted(c->offload, OFFLOAD_UDP_SEGMENT);
	p->sockets.gro = offload_wanted(c->offload, OFFLOAD_UDP_GRO);
	p->tun.tso = offload_wanted(c->offload, OFFLOAD_TSO);
	p->tun.uso = offload_wanted(c->offload, OFFLOAD_USO);
	err = sockets_open(&p->sockets, c->port, p->workers_num, errbuf,
			   errlen);
	if (!err && p->has_tun)
		err = tun_open(c->tun, p->workers_num, p->tun_fd, &p->tun,
			       errbuf, errlen);
	return err;
}

static int start_handles(struct gate *g)
{
	int err = turn_open(g);

	if (err)
		return err;
	(void)uv_timer_init(g->loop, &g->timer);
	(void)uv_timer_init(g->loop, &g->housekeeping);
	(void)uv_timer_init(g->loop, &g->sweep);
	(void)uv_timer_init(g->loop, &g->pulse);
	(void)uv_signal_init(g->loop, &g->sigint);
	(void)uv_signal_init(g->loop, &g->sigterm);
	(void)uv_signal_init(g->loop, &g->sighup);
	g->timer.data = g;
	g->housekeeping.data = g;
	g->sweep.data = g;
	g->pulse.data = g;
	g->sigint.data = g;
	g->sigterm.data = g;
	g->sighup.data = g;
	(void)uv_timer_start(&g->housekeeping, on_housekeeping, 1000, 1000);
	(void)uv_signal_start(&g->sigint, on_signal, SIGINT);
	(void)uv_signal_start(&g->sigterm, on_signal, SIGTERM);
	(void)uv_signal_start(&g->sighup, on_hangup, SIGHUP);
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++) {
		int fd = g->plane.sockets.fd[fam][0];

		if (fd < 0)
			continue;
		g->udp_poll[fam].data = g;
		if (uv_poll_init(g->loop, &g->udp_poll[fam], fd) ||
		    uv_poll_start(&g->udp_poll[fam], UV_READABLE, on_udp))
			return HG_ESYS;
	}
	return HG_OK;
}

static int start_workers(struct gate *g)
{
	int err = HG_OK;

	for (unsigned k = 0; !err && k < g->plane.workers_num; k++)
		err = worker_init(&g->workers[k], &g->plane, k);
	for (unsigned k = 0; !err && k < g->plane.workers_num; k++)
		err = worker_start(&g->workers[k]);
	return err;
}

int gate_start(struct gate *g, struct config *cfg, const char *path,
	       char *errbuf, size_t errlen)
{
	int err;

	memset(g, 0, sizeof(*g));
	errbuf[0] = '\0';
	g->cfg = cfg;
	g->path = path;
	g->loop = uv_default_loop();
	g->started_ns = uv_hrtime();
	g->plane.workers_num = workers_of(cfg); /* the engine asks for it */
	g->buf = malloc(65536);
	events_init(&g->events, cfg->proxy  ? "proxy"
				: cfg->host ? "host"
					    : "rendezvous");
	tables_thread_begin();
	err = g->buf ? linetable_init(&g->peers) : HG_ENOMEM;
	if (!err)
		err = tables_init(&g->plane.tables);
	/* What a person can have got wrong in a file comes first. */
	if (!err)
		err = hipstart(g, errbuf, errlen);
	if (!err)
		err = start_plane(g, errbuf, errlen);
	if (!err)
		err = esp_setup();
	if (!err)
		err = start_handles(g);
	if (!err)
		err = moveside_start(g);
	if (!err && cfg->proxy)
		err = start_proxy(g, errbuf, errlen);
	if (!err)
		err = control_start(g, &g->control, errbuf, errlen);
	if (!err)
		err = http_start(g, &g->http, errbuf, errlen);
	if (!err)
		err = start_workers(g);
	if (err && !errbuf[0])
		(void)snprintf(errbuf, errlen, "start: %s", err_text(err));
	if (!err)
		gate_pump(g);
	return err;
}

/* ---- loop and end ------------------------------------------------------------ */

static bool busy(const struct gate *g)
{
	return g->jobs || journal_pending(g->journal);
}

void gate_run(struct gate *g)
{
	uint64_t limit;

	handoff_init(&g->plane.handoff);
	while (!g->stopping)
		turn(g);
	/* CLOSE is sent once; who does not hear it finds out by itself. */
	hip_close(g->hip, NULL, uv_hrtime());
	gate_pump(g);
	limit = uv_hrtime() + 2000000000;
	while (busy(g) && uv_hrtime() < limit)
		turn(g);
}

static void close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

void gate_fini(struct gate *g)
{
	for (unsigned k = 0; k < g->plane.workers_num; k++)
		worker_stop(&g->workers[k]);
	tap_stop(g);
	http_stop(g->http);
	control_stop(g->control);
	if (g->dnsside)
		dnsside_stop(g);
	moveside_stop(g);
	uv_walk(g->loop, close_walk, NULL);
	while (uv_run(g->loop, UV_RUN_NOWAIT))
		;
	for (unsigned k = 0; k < g->plane.workers_num; k++)
		worker_fini(&g->workers[k]);
	inbox_fini(&g->inbox);
	turn_close(g);
	http_fini(g->http);
	control_fini(g->control);
	errand_fini(g);
	dnsside_fini(g);
	nat_free(g->nat);
	recall_free(g->plane.recall);
	holdside_fini(g);
	relayside_fini(g);
	tables_fini(&g->plane.tables);
	peer_fini(g);
	dns_free(g->dns);
	lease_free(g->lease);
	hip_free(g->hip);
	journal_close(g->journal);
	sockets_close(&g->plane.sockets);
	if (g->plane.has_tun)
		tun_close(g->plane.tun_fd, g->plane.workers_num);
	moveside_fini(g);
	events_fini(&g->events);
	tables_thread_end();
	free(g->buf);
}
