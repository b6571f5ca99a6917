/* SPDX-License-Identifier: MIT */
/* The HIP engine's hands: sockets, jobs, published SAs, events (G, H, I).
 *
 * THEORY OF OPERATION
 * Control thread only. hipside_pump takes the engine's effects one by one
 * and carries each out before it takes the next: an SA is published before
 * the R2 that lets the peer use it is sent, and parked packets go on only
 * after the engine has said ESTABLISHED. Jobs run on libuv's thread pool;
 * the engine bounds how many there are, and each comes back here.
 */
#include "gate.h"

#include <errno.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/wire.h"

enum {
	HIPSIDE_BUDGET = 64, /* datagrams a wake-up */
	HIPSIDE_NOISE = 200, /* events a second */
};

/* ---- identities and start ----------------------------------------------- */

static int add_identity(struct gate *g, const char *path, char *errbuf,
			size_t errlen)
{
	struct hip_identity *id;
	char *pem;
	size_t len;
	char text[ADDR_TEXT_MAX];
	int err = config_read_key(path, &pem, &len, errbuf, errlen);

	if (err)
		return err;
	err = hip_identity_from_pem(pem, len, &id);
	sodium_memzero(pem, len);
	free(pem);
	if (err) {
		(void)snprintf(errbuf, errlen,
			       "%s: %s; it must be " HIP_IDENTITY_KINDS
			       "; make one with: hipgate keygen %s",
			       path, err_text(err), path);
		return err;
	}
	log_info("identity hit=%s file=%s",
		 hit_print(hip_identity_hit(id), text), path);
	err = hip_add_identity(g->hip, id, uv_hrtime());
	if (err)
		(void)snprintf(errbuf, errlen, "%s: %s", path, err_text(err));
	return err;
}

static void add_static_peers(struct gate *g)
{
	for (size_t i = 0; i < g->cfg->peers_num; i++) {
		const struct config_peer *c = &g->cfg->peers[i];
		struct peer *p = peer_get(g, &c->hit);

		if (!p)
			continue;
		memcpy(p->locators, c->at, sizeof(p->locators));
		p->locators_num = c->at_num;
		p->at = c->at[0];
		p->via_rvs = c->via_rvs;
	}
}

/* ESP without encryption is for these peers alone. */
static size_t esp_null_peers(const struct config *c, struct hit *out)
{
	size_t num = 0;

	for (size_t i = 0; i < c->peers_num; i++) {
		if (c->peers[i].esp_null)
			out[num++] = c->peers[i].hit;
	}
	return num;
}

static int new_failed(const struct config *c, int err, char *errbuf,
		      size_t errlen)
{
	if (err == HG_EUNSUPP && c->offer.cipher_num)
		(void)snprintf(errbuf, errlen,
			       "hip-ciphers = null is for builds with "
			       "HIPGATE_DEBUG_NULL only; remove it");
	else
		(void)snprintf(errbuf, errlen, "HIP engine: %s", err_text(err));
	return err;
}

int hipside_start(struct gate *g, char *errbuf, size_t errlen)
{
	const struct config *c = g->cfg;
	struct hip_config hc = {
		.responder = c->host || c->rendezvous,
		.rendezvous = c->rendezvous,
		.allow = c->allow,
		.allow_num = c->allow_num,
		.rekey = c->rekey,
		.spi_mod = g->plane.workers_num,
		.offer = c->offer,
		.esp_null = g->esp_null,
		.esp_null_num = esp_null_peers(c, g->esp_null),
		.puzzle_k = c->puzzle,
		.puzzle_k_max = 20,
	};
	uint64_t now = uv_hrtime();
	int err = hip_new(&hc, now, &g->hip);

	if (err)
		return new_failed(c, err, errbuf, errlen);
	for (size_t i = 0; i < c->identity_num; i++) {
		err = add_identity(g, c->identity[i], errbuf, errlen);
		if (err)
			return err;
	}
	add_static_peers(g);
	for (size_t i = 0; i < c->reg_num; i++) {
		const struct config_register *r = &c->reg[i];

		err = hip_register(g->hip, NULL, &r->rvs, &r->at, r->lifetime_s,
				   now);
		if (err) {
			(void)snprintf(errbuf, errlen, "registration: %s",
				       err_text(err));
			return err;
		}
	}
	return HG_OK;
}

/* ---- in ------------------------------------------------------------------ */

void hipside_input(struct gate *g, const uint8_t *msg, size_t len,
		   const struct endpoint *from, const struct addr *at)
{
	struct endpoint self = { .addr = *at, .port = g->cfg->port };

	/* An endpoint has no scope: a link-local peer cannot be answered. */
	if (addr_is_linklocal(&from->addr) && !addr_is4(&from->addr)) {
		gate_drop(g, REASON_IP_BAD_ADDR);
		return;
	}
	hip_input(g->hip, msg, len, from, &self, uv_hrtime());
	gate_pump(g);
}

/* ESP that came to the control socket (merged by the kernel behind a HIP
 * message): to its owner. */
static void misplaced_esp(struct gate *g, const uint8_t *data, size_t len)
{
	struct sa *sa = tables_sa_in(&g->plane.tables, get_be32(data));
	struct msg *m;

	if (!sa) {
		gate_drop(g, REASON_ESP_SPI);
		return;
	}
	m = inbox_msg(MSG_ESP, data, len, uv_hrtime());
	if (inbox_put(&g->workers[sa->owner].inbox, m))
		gate_drop(g, REASON_PUNT_FULL);
}

static void datagram(struct gate *g, const uint8_t *data, size_t len,
		     const struct endpoint *from, const struct addr *at)
{
	if (len < 4)
		gate_drop(g, len == 1 && data[0] == 0xff ? REASON_UDP_KEEPALIVE
							 : REASON_UDP_RUNT);
	else if (get_be32(data) == 0)
		hipside_input(g, data + 4, len - 4, from, at);
	else
		misplaced_esp(g, data, len);
}

static ssize_t receive(struct gate *g, int fd, struct endpoint *from,
		       struct sockets_meta *meta)
{
	struct sockaddr_storage ss;
	uint8_t control[128];
	struct iovec iov = { .iov_base = g->buf, .iov_len = 65536 };
	struct msghdr mh = {
		.msg_name = &ss,
		.msg_namelen = sizeof(ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT);

	if (n < 0)
		return n;
	*from = sockets_endpoint((struct sockaddr *)&ss);
	sockets_meta(&mh, meta);
	return n;
}

void hipside_readable(struct gate *g, int fd)
{
	for (unsigned i = 0; i < HIPSIDE_BUDGET; i++) {
		struct endpoint from;
		struct sockets_meta meta = { 0 };
		ssize_t n = receive(g, fd, &from, &meta);
		size_t left = n > 0 ? (size_t)n : 0;
		size_t step = meta.gro_size ? meta.gro_size : left;
		uint8_t *data = g->buf;

		if (n < 0)
			break;
		do {
			size_t len = left < step ? left : step;

			datagram(g, data, len, &from, &meta.at);
			data += len;
			left -= len;
		} while (left);
	}
}

/* ---- jobs ---------------------------------------------------------------- */

struct work {
	uv_work_t req;
	struct gate *g;
	struct hip_job *job;
};

static void run_job(uv_work_t *req)
{
	hip_job_run(((struct work *)req->data)->job);
}

static void job_done(uv_work_t *req, int status)
{
	struct work *w = req->data;
	struct gate *g = w->g;

	(void)status; /* a cancelled job counts as failed in the engine */
	g->jobs--;
	hip_job_done(g->hip, w->job, uv_hrtime());
	free(w);
	gate_pump(g);
}

static void start_job(struct gate *g, struct hip_job *job)
{
	struct work *w = calloc(1, sizeof(*w));

	if (w) {
		w->req.data = w;
		w->g = g;
		w->job = job;
		if (uv_queue_work(g->loop, &w->req, run_job, job_done) == 0) {
			g->jobs++;
			return;
		}
	}
	free(w);
	hip_job_done(g->hip, job, uv_hrtime());
}

/* The peer that an effect is about, when it is about our default identity:
 * what waits, waits for that one's SA. */
static struct peer *peer_of(struct gate *g, const struct hip_effect *e)
{
	return hit_eq(&e->self, hip_default_hit(g->hip))
		       ? peer_find(g, &e->peer)
		       : NULL;
}

/* Strangers can cause these events at will: the trace takes a few a second
 * of them, the counters all (product.md T26, T30). */
static bool noise_allowed(struct gate *g)
{
	uint64_t now = uv_hrtime();

	if (now - g->noise_epoch > 1000000000) {
		g->noise_epoch = now;
		g->noise_left = HIPSIDE_NOISE;
	}
	if (!g->noise_left)
		return false;
	g->noise_left--;
	return true;
}

/* ---- effects ------------------------------------------------------------- */

struct told {
	char self[ADDR_TEXT_MAX];
	char peer[ADDR_TEXT_MAX];
	char at[ENDPOINT_TEXT_MAX];
};

static void tell(const struct hip_effect *e, struct told *t)
{
	hit_print(&e->self, t->self);
	hit_print(&e->peer, t->peer);
	endpoint_print(&e->peer_at, t->at);
}

/* I1 opens the exchange (G); the rest of it is H. */
static const char *step_of(uint8_t type, bool sent)
{
	if (type == HIP_I1 && sent)
		return "G";
	return type <= HIP_R2 ? "H" : "";
}

static void do_send(struct gate *g, const struct hip_effect *e,
		    const struct told *t)
{
	const char *type = hip_type_name(e->type);
	int err = sockets_send_hip(&g->plane.sockets, &e->self_at, &e->peer_at,
				   e->msg, e->msg_len);

	if (err) {
		gate_drop(g, REASON_SEND_FAILED);
		log_debug("send %s to %s: %s", type, t->at, strerror(errno));
	}
	if (e->type == HIP_R1 && !noise_allowed(g))
		return;
	events_add(&g->events, uv_hrtime(), step_of(e->type, true), "hip-send",
		   json_pack("{s:s,s:s,s:s,s:b}", "type", type, "to", t->at,
			     "peer", t->peer, "sent", !err),
		   "%s -> %s (%s)", type, t->at, t->peer);
}

static void do_seen(struct gate *g, const struct hip_effect *e,
		    const struct told *t)
{
	const char *type = hip_type_name(e->type);
	char text[ADDR_TEXT_MAX] = "";
	const char *key = e->has_via ? "via" : "relayed_for";
	json_t *o;

	if (e->type == HIP_I1 && !noise_allowed(g))
		return;
	o = json_pack("{s:s,s:s,s:s}", "type", type, "from", t->at, "peer",
		      t->peer);
	if (e->has_via)
		addr_print(&e->via, text);
	if (e->has_from)
		addr_print(&e->from, text);
	if (o && text[0])
		(void)json_object_set_new(o, key, json_string(text));
	events_add(&g->events, uv_hrtime(), step_of(e->type, false), "hip-seen",
		   o, "%s <- %s (%s)%s%s", type, t->at, t->peer,
		   e->has_via	 ? " via "
		   : e->has_from ? " relayed for "
				 : "",
		   text);
}

static void do_dropped(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	if (!noise_allowed(g))
		return;
	events_add(&g->events, uv_hrtime(), "", "hip-dropped",
		   json_pack("{s:s,s:s,s:s}", "type", hip_type_name(e->type),
			     "from", t->at, "reason", reason_name(e->reason)),
		   "%s from %s dropped: %s", hip_type_name(e->type), t->at,
		   reason_why(e->reason));
}

static void do_sa_up(struct gate *g, struct hip_effect *e, const struct told *t)
{
	struct peer *p = peer_of(g, e);
	int err = saside_up(g, e);

	if (!err)
		return;
	/* Without an SA the association is worth nothing. */
	log_error("SA with %s: %s", t->peer, err_text(err));
	hip_close(g->hip, &e->peer, uv_hrtime());
	if (p)
		peer_refuse(g, p);
}

static void do_locator(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	struct peer *p = peer_of(g, e);
	struct sa *sa = tables_sa_out(&g->plane.tables, &e->self, &e->peer);
	char old[ENDPOINT_TEXT_MAX] = "";

	if (sa && e->committed && tables_move_sa(sa, &e->peer_at))
		log_error("no memory to move the SA with %s", t->peer);
	if (!p)
		return;
	endpoint_print(&p->at, old);
	p->at = e->peer_at;
	p->committed = e->committed;
	events_add(&g->events, uv_hrtime(), "H.1", "mapping-locator",
		   json_pack("{s:s,s:s,s:s,s:s,s:b}", "hit", t->peer, "name",
			     p->name, "locator", t->at, "was", old, "committed",
			     (int)e->committed),
		   "mapping {%s; %s -> %s} %s", t->peer, old, t->at,
		   e->committed ? "committed" : "provisional");
}

static void do_changed(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	struct peer *p = peer_of(g, e);

	events_add(&g->events, uv_hrtime(), "", "hip-state",
		   json_pack("{s:s,s:s}", "peer", t->peer, "state",
			     hip_state_name(e->state)),
		   "%s is %s", t->peer, hip_state_name(e->state));
	if (!p)
		return;
	p->state = e->state;
	if (e->state == HIP_ESTABLISHED || e->state == HIP_R2_SENT)
		peer_release(g, p);
	else if (p->park &&
		 (e->state == HIP_CLOSED || e->state == HIP_UNASSOCIATED))
		peer_want(g, p, uv_hrtime());
	if (e->state == HIP_UNASSOCIATED)
		p->committed = false;
}

static void do_failed(struct gate *g, const struct hip_effect *e,
		      const struct told *t)
{
	struct peer *p = peer_of(g, e);
	char instead[ADDR_TEXT_MAX];

	log_warn("base exchange with %s failed: %s", t->peer,
		 reason_why(e->reason));
	if (!hit_is_null(&e->instead))
		log_info("base exchange with %s begun again as %s", t->peer,
			 hit_print(&e->instead, instead));
	events_add(&g->events, uv_hrtime(), "", "hip-failed",
		   json_pack("{s:s,s:s}", "peer", t->peer, "reason",
			     reason_name(e->reason)),
		   "base exchange with %s failed: %s", t->peer,
		   reason_why(e->reason));
	if (p) {
		p->committed = false;
		p->fresh_until = 0; /* ask the name again next time */
		peer_refuse(g, p);
	}
}

static void do_registered(struct gate *g, const struct hip_effect *e,
			  const struct told *t)
{
	log_info("registered rvs=%s at=%s lifetime=%us", t->peer, t->at,
		 e->lifetime_s);
	events_add(&g->events, uv_hrtime(), "", "registered",
		   json_pack("{s:s,s:s,s:I}", "rvs", t->peer, "at", t->at,
			     "lifetime_s", (json_int_t)e->lifetime_s),
		   "registered at %s for %u s", t->at, e->lifetime_s);
}

static void do_registrar(struct gate *g, const struct hip_effect *e,
			 const struct told *t)
{
	events_add(&g->events, uv_hrtime(), "", "registration",
		   json_pack("{s:s,s:s,s:I}", "hit", t->peer, "at", t->at,
			     "lifetime_s", (json_int_t)e->lifetime_s),
		   "%s registered from %s for %u s", t->peer, t->at,
		   e->lifetime_s);
}

static void do_relayed(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	char from[ADDR_TEXT_MAX];

	addr_print(&e->from, from);
	events_add(&g->events, uv_hrtime(), "H", "hip-relayed",
		   json_pack("{s:s,s:s,s:s,s:s}", "type",
			     hip_type_name(e->type), "hit", t->peer,
			     "initiator", from, "to", t->at),
		   "%s of %s for %s relayed to %s", hip_type_name(e->type),
		   from, t->peer, t->at);
}

static void carry_out(struct gate *g, struct hip_effect *e)
{
	struct told t;

	tell(e, &t);
	switch (e->kind) {
	case HIP_SEND:
		do_send(g, e, &t);
		break;
	case HIP_SEEN:
		do_seen(g, e, &t);
		break;
	case HIP_DROPPED:
		do_dropped(g, e, &t);
		break;
	case HIP_JOB:
		start_job(g, e->job);
		break;
	case HIP_SA_UP:
		do_sa_up(g, e, &t);
		break;
	case HIP_SA_SWITCH:
		saside_switch(g, e);
		break;
	case HIP_SA_DOWN:
		saside_down(g, e);
		break;
	case HIP_LOCATOR:
		do_locator(g, e, &t);
		break;
	case HIP_CHANGED:
		do_changed(g, e, &t);
		break;
	case HIP_FAILED:
		do_failed(g, e, &t);
		break;
	case HIP_REGISTERED:
		do_registered(g, e, &t);
		break;
	case HIP_REGISTRAR:
		do_registrar(g, e, &t);
		break;
	case HIP_RELAYED:
		do_relayed(g, e, &t);
		break;
	case HIP_EFFECT_NUM:
		break;
	}
}

bool hipside_pump(struct gate *g)
{
	struct hip_effect e;
	bool any = false;

	while (hip_effect(g->hip, &e)) {
		any = true;
		carry_out(g, &e);
	}
	return any;
}
