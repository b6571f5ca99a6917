/* SPDX-License-Identifier: MIT */
/* Validation of HIP records by libunbound; theory in dnssec.h. */
#include "dnssec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#include "anchor.h"
#include "core/log.h"
#include "gate.h"

#define LOG_ABOUT LOG_SUB_DNS

#define AGAIN UINT64_C(5000000000) /* ns, after a context that failed */

struct query {
	struct query *next;
	struct dnssec *s;
	uint32_t ask;
	bool sent; /* else it waits for a context */
	int async_id;
	uint16_t qtype;
	char name[DNS_NAME_MAX];
};

/* What a context is made of: copies, for it is made in another thread. */
struct recipe {
	struct endpoint servers[DNS_SERVERS_MAX];
	size_t servers_num;
	char trust_anchor[CONFIG_PATH];
	char state[CONFIG_PATH];
};

struct context {
	uv_poll_t poll;
	struct dnssec *s;
	struct ub_ctx *ctx;
};

/* One that is being made, and the end of the one before it. */
struct making {
	uv_work_t req;
	struct dnssec *s;
	struct recipe recipe;
	struct ub_ctx *old; /* or NULL */
	struct ub_ctx *made;
	int err;
	char why[600];
};

struct dnssec {
	struct gate *g;
	struct context *now;   /* NULL: there is none yet */
	struct making *making; /* or NULL */
	bool again;	       /* what is being made is of servers before */
	bool ends;
	uint64_t failed;     /* ns; 0: the last one was made */
	struct ub_ctx *last; /* of the end */
	struct query *queries;
};

/* ---- a context -------------------------------------------------------------- */

/* "ADDRESS@PORT", as libunbound has it. */
static int forward(struct ub_ctx *ctx, const struct endpoint *e)
{
	char addr[ADDR_TEXT_MAX];
	char text[ADDR_TEXT_MAX + 8];

	addr_print(&e->addr, addr);
	(void)snprintf(text, sizeof(text), "%s@%u", addr, e->port);
	return ub_ctx_set_fwd(ctx, text);
}

static int configure(struct ub_ctx *ctx, const struct recipe *c, char *errbuf,
		     size_t errlen)
{
	char anchor[ANCHOR_PATH];
	int rc = ub_ctx_async(ctx, 1); /* a thread, no process */
	int err;

	/* A resolver on this machine is usual. */
	if (!rc)
		rc = ub_ctx_set_option(ctx, "do-not-query-localhost:", "no");
	for (size_t i = 0; !rc && i < c->servers_num; i++)
		rc = forward(ctx, &c->servers[i]);
	err = anchor_copy(c->trust_anchor, c->state, anchor, errbuf, errlen);
	if (err)
		return err;
	/* libunbound opens it with the first question only. */
	if (!rc)
		rc = ub_ctx_add_ta_autr(ctx, anchor);
	if (!rc)
		return HG_OK;
	(void)snprintf(errbuf, errlen, "DNSSEC: libunbound: %s",
		       ub_strerror(rc));
	return HG_ESYS;
}

/* Any thread. */
static int make(const struct recipe *c, struct ub_ctx **out, char *errbuf,
		size_t errlen)
{
	struct ub_ctx *ctx = ub_ctx_create();
	int err = ctx ? configure(ctx, c, errbuf, errlen) : HG_ENOMEM;

	if (err)
		ub_ctx_delete(ctx);
	else
		*out = ctx;
	return err;
}

static void take_recipe(const struct dnssec *s, struct recipe *out)
{
	const struct config *c = s->g->cfg;

	memcpy(out->servers, c->dns_servers, sizeof(out->servers));
	out->servers_num = c->dns_servers_num;
	memcpy(out->trust_anchor, c->trust_anchor, sizeof(out->trust_anchor));
	memcpy(out->state, c->state, sizeof(out->state));
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct context *c = poll->data;
	struct dnssec *s = c->s;

	(void)status; /* a broken pipe: every question then fails by time */
	(void)events;
	(void)ub_process(c->ctx);
	gate_pump(s->g);
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

/* Takes ctx when it succeeds. */
static int attach(struct dnssec *s, struct ub_ctx *ctx)
{
	struct context *c = calloc(1, sizeof(*c));

	if (!c)
		return HG_ENOMEM;
	c->s = s;
	c->ctx = ctx;
	c->poll.data = c;
	if (uv_poll_init(s->g->loop, &c->poll, ub_fd(ctx))) {
		free(c);
		return HG_ESYS;
	}
	if (uv_poll_start(&c->poll, UV_READABLE, on_readable)) {
		uv_close((uv_handle_t *)&c->poll, on_closed);
		return HG_ESYS;
	}
	s->now = c;
	return HG_OK;
}

/* The caller's to delete, which may take its thread a while. */
static struct ub_ctx *detach(struct dnssec *s)
{
	struct ub_ctx *ctx = s->now ? s->now->ctx : NULL;

	if (s->now)
		uv_close((uv_handle_t *)&s->now->poll, on_closed);
	s->now = NULL;
	return ctx;
}

/* ---- questions -------------------------------------------------------------- */

static struct query **find(struct dnssec *s, uint32_t ask)
{
	struct query **p = &s->queries;

	while (*p && (*p)->ask != ask)
		p = &(*p)->next;
	return p;
}

static void on_result(void *arg, int err, struct ub_result *r)
{
	struct query *q = arg;
	struct gate *g = q->s->g;
	struct query **p = find(q->s, q->ask);
	enum dns_security security = DNS_INSECURE;

	*p = q->next;
	if (err || !r || !r->answer_packet) {
		dns_ask_failed(g->dns, q->ask, uv_hrtime());
	} else {
		if (r->bogus)
			security = DNS_BOGUS;
		else if (r->secure)
			security = DNS_SECURE;
		dns_validated(g->dns, q->ask, security, r->answer_packet,
			      (size_t)r->answer_len, uv_hrtime());
	}
	ub_resolve_free(r);
	free(q);
}

static int send_query(struct dnssec *s, struct query *q)
{
	if (ub_resolve_async(s->now->ctx, q->name, q->qtype, 1, q, on_result,
			     &q->async_id))
		return HG_ESYS;
	q->sent = true;
	return HG_OK;
}

/* Those that have waited for a context; no context: there is none after all. */
static void send_waiting(struct dnssec *s)
{
	struct query **p = &s->queries;

	while (*p) {
		struct query *q = *p;

		if (q->sent || (s->now && send_query(s, q) == HG_OK)) {
			p = &q->next;
			continue;
		}
		*p = q->next;
		dns_ask_refused(s->g->dns, q->ask);
		free(q);
	}
}

void dnssec_end(struct dnssec *s, uint32_t ask)
{
	struct query **p = s ? find(s, ask) : NULL;
	struct query *q = p ? *p : NULL;

	if (!q)
		return;
	*p = q->next;
	if (q->sent)
		(void)ub_cancel(s->now->ctx, q->async_id);
	free(q);
}

/* ---- another list of servers ------------------------------------------------ */

static void run_making(uv_work_t *req)
{
	struct making *m = req->data;
	int rc;

	if (m->old)
		ub_ctx_delete(m->old); /* waits for its thread */
	m->err = make(&m->recipe, &m->made, m->why, sizeof(m->why));
	if (m->err)
		return;
	/* It reads its anchor with the first call that needs it: here. */
	rc = ub_ctx_data_remove(m->made, "hipgate.invalid");
	if (!rc)
		return;
	ub_ctx_delete(m->made);
	m->err = HG_ESYS;
	(void)snprintf(m->why, sizeof(m->why), "DNSSEC: libunbound: %s",
		       ub_strerror(rc));
}

static int begin_making(struct dnssec *s, struct ub_ctx *old);

static void making_done(uv_work_t *req, int status)
{
	struct making *m = req->data;
	struct dnssec *s = m->s;
	struct ub_ctx *old = m->err ? NULL : m->made;

	(void)status; /* it is never cancelled */
	s->making = NULL;
	if (s->ends) {
		s->last = old;
		free(m);
		return;
	}
	if (s->again) {
		s->again = false;
		m->err = begin_making(s, old);
		if (!m->err) {
			free(m);
			return;
		}
	} else if (!m->err) {
		m->err = attach(s, m->made);
	}
	if (m->err && old)
		ub_ctx_delete(old);
	s->failed = m->err ? uv_hrtime() : 0;
	if (m->err)
		log_error("event=dnssec-failed text=\"%s; HIP records cannot "
			  "be proved until it is mended\"",
			  m->why[0] ? m->why : err_text(m->err));
	send_waiting(s);
	free(m);
	gate_pump(s->g);
}

/* Takes old when it succeeds. */
static int begin_making(struct dnssec *s, struct ub_ctx *old)
{
	struct making *m = calloc(1, sizeof(*m));

	if (!m)
		return HG_ENOMEM;
	take_recipe(s, &m->recipe);
	m->req.data = m;
	m->s = s;
	m->old = old;
	if (uv_queue_work(s->g->loop, &m->req, run_making, making_done)) {
		free(m);
		return HG_ESYS;
	}
	s->making = m;
	return HG_OK;
}

void dnssec_forward(struct dnssec *s)
{
	struct ub_ctx *old;

	if (!s)
		return;
	while (s->queries)
		dnssec_end(s, s->queries->ask);
	s->again = s->making;
	old = detach(s);
	if (s->making || begin_making(s, old) == HG_OK)
		return;
	/* The next question tries it again. */
	if (old)
		ub_ctx_delete(old);
}

int dnssec_ask(struct dnssec *s, uint32_t ask, const char *name, uint16_t qtype)
{
	struct query *q;

	if (!s)
		return HG_ENOMEM;
	if (!s->now && !s->making &&
	    ((s->failed && uv_hrtime() - s->failed < AGAIN) ||
	     begin_making(s, NULL)))
		return HG_ESYS;
	q = calloc(1, sizeof(*q));
	if (!q)
		return HG_ENOMEM;
	q->s = s;
	q->ask = ask;
	q->qtype = qtype;
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	if (s->now && send_query(s, q)) {
		free(q);
		return HG_ESYS;
	}
	q->next = s->queries;
	s->queries = q;
	return HG_OK;
}

/* ---- life ------------------------------------------------------------------- */

int dnssec_start(struct gate *g, struct dnssec **out, char *errbuf,
		 size_t errlen)
{
	struct dnssec *s = calloc(1, sizeof(*s));
	struct ub_ctx *ctx = NULL;
	struct recipe recipe;
	int err;

	if (!s)
		return HG_ENOMEM;
	*out = s;
	s->g = g;
	take_recipe(s, &recipe);
	err = make(&recipe, &ctx, errbuf, errlen);
	if (err)
		return err;
	err = attach(s, ctx);
	if (err)
		ub_ctx_delete(ctx);
	return err;
}

void dnssec_stop(struct dnssec *s)
{
	if (!s)
		return;
	s->ends = true;
	while (s->queries)
		dnssec_end(s, s->queries->ask);
	if (s->now)
		s->last = detach(s);
}

void dnssec_fini(struct dnssec *s)
{
	if (!s)
		return;
	if (s->last)
		ub_ctx_delete(s->last);
	free(s);
}
