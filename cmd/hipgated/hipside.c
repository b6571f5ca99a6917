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
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "core/wire.h"
#include "errand.h"
#include "hipstart.h"
#include "tap.h"

#define LOG_ABOUT LOG_SUB_HIP

enum {
	HIPSIDE_BUDGET = 64, /* datagrams a wake-up */
	HIPSIDE_NOISE = 200, /* events a second */
};

/* ---- in ------------------------------------------------------------------ */

void hipside_input(struct gate *g, const uint8_t *msg, size_t len,
		   const struct endpoint *from, const struct endpoint *at)
{
	struct endpoint self = *at;

	if (!self.port)
		self.port = g->cfg->port;
	/* An endpoint has no scope: a link-local peer cannot be answered. */
	if (addr_is_linklocal(&from->addr) && !addr_is4(&from->addr)) {
		gate_drop(g, REASON_IP_BAD_ADDR);
		return;
	}
	if (g->tap)
		tap_hip_in(g, from, &self, msg, len);
	hip_input(g->hip, msg, len, from, &self, uv_hrtime());
	gate_pump(g);
	if (g->tap)
		tap_hip_done(g, REASON_NUM);
}

/* ESP that came to the control socket (merged by the kernel behind a HIP
 * message): to its owner. */
static void misplaced_esp(struct gate *g, const uint8_t *data, size_t len,
			  const struct endpoint *from, const struct addr *at)
{
	struct sa *sa = tables_sa_in(&g->plane.tables, get_be32(data));
	unsigned owner = 0;
	struct msg *m;

	if (sa) {
		owner = sa->owner;
	} else if (!g->plane.relaying) {
		gate_drop(g, REASON_ESP_SPI);
		return;
	}
	m = inbox_msg(MSG_ESP, data, len, uv_hrtime());
	if (m) {
		m->from = *from;
		m->at.addr = *at;
	}
	if (inbox_put(&g->workers[owner].inbox, m))
		gate_drop(g, REASON_PUNT_FULL);
}

static void datagram(struct gate *g, const uint8_t *data, size_t len,
		     const struct endpoint *from, const struct addr *at)
{
	if (len < 4)
		gate_drop(g, len == 1 && data[0] == 0xff ? REASON_UDP_KEEPALIVE
							 : REASON_UDP_RUNT);
	else if (get_be32(data) == 0)
		hipside_input(g, data + 4, len - 4, from,
			      &(struct endpoint){ .addr = *at });
	else
		misplaced_esp(g, data, len, from, at);
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

/* The peer that an effect is about, when it is about the identity we use
 * toward it: its state and place are those of that association. */
static struct peer *peer_of(struct gate *g, const struct hip_effect *e)
{
	struct peer *p = peer_find(g, &e->peer);

	return p && hit_eq(&e->self, &p->self) ? p : NULL;
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
	/* Strangers can have R1s sent at will, and each link is asked for. */
	struct sockets_from from =
		e->type == HIP_R1 ? (struct sockets_from){ e->self_at.addr, 0 }
				  : moveside_from(g, e);
	int fd = relayside_fd(g, &e->self_at, &e->peer_at);
	struct endpoint self = { from.self,
				 fd < 0 ? g->cfg->port : e->self_at.port };
	int err;

	if (fd < 0)
		fd = g->plane.sockets.fd[sockets_family(&e->peer_at.addr)][0];
	err = sockets_send_hip(fd, &from, &e->peer_at, e->msg, e->msg_len);
	if (err) {
		gate_drop(g, REASON_SEND_FAILED);
		log_debug("event=send-failed type=%s to=%s text=\"%s\"", type,
			  t->at, strerror(errno));
	}
	if (g->tap)
		tap_hip_out(g, &self, &e->peer_at, e->msg, e->msg_len,
			    err ? REASON_SEND_FAILED : REASON_NUM);
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
	if (g->tap)
		tap_hip_done(g, e->reason);
	if (!noise_allowed(g))
		return;
	events_add(&g->events, uv_hrtime(), "", "hip-dropped",
		   json_pack("{s:s,s:s,s:s}", "type", hip_type_name(e->type),
			     "from", t->at, "reason", reason_name(e->reason)),
		   "%s from %s dropped: %s", hip_type_name(e->type), t->at,
		   reason_why(e->reason));
}

/* Without an SA the association is worth nothing. */
static void no_sa(struct gate *g, const struct hip_effect *e, int err)
{
	struct peer *p = peer_find(g, &e->peer);
	char peer[ADDR_TEXT_MAX];

	log_error("event=sa-failed peer=%s text=\"%s\"",
		  hit_print(&e->peer, peer), err_text(err));
	hip_close(g->hip, &e->peer, uv_hrtime());
	if (p)
		peer_refuse(g, p);
}

static void do_sa_up(struct gate *g, struct hip_effect *e)
{
	int err = saside_up(g, e);

	if (err)
		no_sa(g, e, err);
}

/* What has waited for a path (RFC 9028 4.6) may go. */
static void do_sa_switch(struct gate *g, const struct hip_effect *e)
{
	struct peer *p = peer_find(g, &e->peer);

	int err = saside_switch(g, e);

	if (err)
		no_sa(g, e, err);
	else if (p && p->park)
		peer_release(g, p);
}

static void do_locator(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	struct peer *p = peer_of(g, e);
	char old[ENDPOINT_TEXT_MAX] = "";

	moveside_locator(g, e);
	if (!p ||
	    (endpoint_eq(&p->at, &e->peer_at) && p->committed == e->committed))
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

/* How long it took is known of what began here, for a host of ours. */
static void count_bex(struct gate *g, struct peer *p,
		      const struct hip_effect *e)
{
	uint64_t now = uv_hrtime();

	if (e->state == HIP_I1_SENT && p && !p->began)
		p->began = now;
	if (e->state == (e->initiator ? HIP_ESTABLISHED : HIP_R2_SENT))
		g->meter.bex[e->initiator][METER_BEX_ESTABLISHED]++;
	if (e->state == HIP_ESTABLISHED && p && p->began) {
		if (e->initiator)
			meter_observe(&g->meter.bex_time, now - p->began);
		p->began = 0;
	}
}

static void do_changed(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	struct peer *p = peer_of(g, e);

	count_bex(g, p, e);

	events_add(&g->events, uv_hrtime(), "", "hip-state",
		   json_pack("{s:s,s:s}", "peer", t->peer, "state",
			     hip_state_name(e->state)),
		   "%s is %s", t->peer, hip_state_name(e->state));
	if (p)
		p->state = e->state;
	if (p && e->state == HIP_UNASSOCIATED)
		p->committed = false;
	if (p && e->state == HIP_ESTABLISHED)
		p->failed_at = 0;
	if (p && p->wanted &&
	    (e->state == HIP_ESTABLISHED || e->state == HIP_R2_SENT))
		errand_connected(g, p);
	/* What waits for another of our identities comes back by itself. */
	p = peer_find(g, &e->peer);
	if (!p || !p->park)
		return;
	if (e->state == HIP_ESTABLISHED || e->state == HIP_R2_SENT)
		peer_release(g, p);
	else if (e->state == HIP_CLOSED || e->state == HIP_UNASSOCIATED)
		peer_want(g, p, uv_hrtime());
}

static void do_failed(struct gate *g, const struct hip_effect *e,
		      const struct told *t)
{
	struct peer *p = peer_of(g, e);
	char instead[ADDR_TEXT_MAX];

	g->meter.bex[1][meter_bex_of(e->reason)]++;
	if (hit_is_null(&e->peer)) {
		log_warn("event=opportunistic-failed at=%s reason=%s", t->at,
			 reason_name(e->reason));
		agents_effect(g, e, uv_hrtime());
		return;
	}
	if (!hit_is_null(&e->instead))
		log_info("event=hip-again peer=%s self=%s", t->peer,
			 hit_print(&e->instead, instead));
	events_add(&g->events, uv_hrtime(), "", "hip-failed",
		   json_pack("{s:s,s:s}", "peer", t->peer, "reason",
			     reason_name(e->reason)),
		   "base exchange with %s failed: %s", t->peer,
		   reason_why(e->reason));
	if (p) {
		p->began = 0;
		p->committed = false;
		p->fresh_until = 0; /* ask the name again next time */
		p->failed = e->reason;
		p->failed_at = uv_hrtime();
	}
	if (p && !hit_is_null(&e->instead)) {
		/* What waits, waits on. */
		persona_instead(p, &e->self, &e->instead);
		return;
	}
	p = peer_find(g, &e->peer);
	if (p)
		peer_refuse(g, p);
}

static const char *service_name(bool relay)
{
	return relay ? "relay" : "rendezvous";
}

static void do_registrar(struct gate *g, const struct hip_effect *e,
			 const struct told *t)
{
	events_add(&g->events, uv_hrtime(), "", "registration",
		   json_pack("{s:s,s:s,s:s,s:I}", "hit", t->peer, "at", t->at,
			     "service", service_name(e->relay), "lifetime_s",
			     (json_int_t)e->lifetime_s),
		   "%s registered from %s (%s) for %u s", t->peer, t->at,
		   service_name(e->relay), e->lifetime_s);
}

static void do_notified(struct gate *g, const struct hip_effect *e,
			const struct told *t)
{
	const char *what = hip_notify_name(e->notify);

	events_add(&g->events, uv_hrtime(), "", "hip-notified",
		   json_pack("{s:s,s:I,s:s,s:s}", "peer", t->peer, "code",
			     (json_int_t)e->notify, "what", what, "from",
			     t->at),
		   "%s says: %s (%u)", t->peer, what, e->notify);
}

static void do_relayed(struct gate *g, const struct hip_effect *e,
		       const struct told *t)
{
	char from[ADDR_TEXT_MAX];

	addr_print(&e->from, from);
	events_add(&g->events, uv_hrtime(), "H", "hip-relayed",
		   json_pack("{s:s,s:s,s:s,s:s,s:s}", "type",
			     hip_type_name(e->type), "service",
			     service_name(e->relay), "hit", t->peer,
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
		do_sa_up(g, e);
		break;
	case HIP_SA_SWITCH:
		do_sa_switch(g, e);
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
	case HIP_UNREGISTERED:
	case HIP_FOUND:
		agents_effect(g, e, uv_hrtime());
		break;
	case HIP_REGISTRAR:
		do_registrar(g, e, &t);
		break;
	case HIP_NOTIFIED:
		do_notified(g, e, &t);
		break;
	case HIP_RELAYED:
		do_relayed(g, e, &t);
		break;
	case HIP_IDENTITY:
		persona_made(g, e);
		break;
	case HIP_PATH:
		moveside_path(g, e);
		break;
	case HIP_PERMIT:
		relayside_permit(g, e);
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
