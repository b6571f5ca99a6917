/* SPDX-License-Identifier: MIT */
/* Validation of HIP records by libunbound; theory in dnssec.h. */
#include "dnssec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unbound.h>

#include "anchor.h"
#include "gate.h"

struct query {
	struct query *next;
	struct dnssec *s;
	uint32_t ask;
	int async_id;
};

struct dnssec {
	struct gate *g;
	struct ub_ctx *ctx;
	uv_poll_t poll;
	bool polling;
	struct query *queries;
};

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

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct dnssec *s = poll->data;

	(void)status; /* a broken pipe: every question then fails by time */
	(void)events;
	(void)ub_process(s->ctx);
	gate_pump(s->g);
}

/* "ADDRESS@PORT", as libunbound has it. */
static int forward(struct dnssec *s, const struct endpoint *e)
{
	char addr[ADDR_TEXT_MAX];
	char text[ADDR_TEXT_MAX + 8];

	addr_print(&e->addr, addr);
	(void)snprintf(text, sizeof(text), "%s@%u", addr, e->port);
	return ub_ctx_set_fwd(s->ctx, text);
}

static int configure(struct dnssec *s, char *errbuf, size_t errlen)
{
	const struct config *c = s->g->cfg;
	char anchor[ANCHOR_PATH];
	int rc = ub_ctx_async(s->ctx, 1); /* a thread, no process */
	int err;

	/* A resolver on this machine is usual. */
	if (!rc)
		rc = ub_ctx_set_option(s->ctx, "do-not-query-localhost:", "no");
	for (size_t i = 0; !rc && i < c->dns_servers_num; i++)
		rc = forward(s, &c->dns_servers[i]);
	err = anchor_copy(c->trust_anchor, c->state, anchor, errbuf, errlen);
	if (err)
		return err;
	/* libunbound opens it with the first question only. */
	if (!rc)
		rc = ub_ctx_add_ta_autr(s->ctx, anchor);
	if (!rc)
		return HG_OK;
	(void)snprintf(errbuf, errlen, "DNSSEC: libunbound: %s",
		       ub_strerror(rc));
	return HG_ESYS;
}

int dnssec_start(struct gate *g, struct dnssec **out, char *errbuf,
		 size_t errlen)
{
	struct dnssec *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return HG_ENOMEM;
	*out = s;
	s->g = g;
	s->ctx = ub_ctx_create();
	if (!s->ctx)
		return HG_ENOMEM;
	err = configure(s, errbuf, errlen);
	if (err)
		return err;
	s->poll.data = s;
	if (uv_poll_init(g->loop, &s->poll, ub_fd(s->ctx)))
		return HG_ESYS;
	s->polling = true;
	return uv_poll_start(&s->poll, UV_READABLE, on_readable) ? HG_ESYS
								 : HG_OK;
}

void dnssec_stop(struct dnssec *s)
{
	if (!s)
		return;
	while (s->queries)
		dnssec_end(s, s->queries->ask);
	if (s->polling && !uv_is_closing((uv_handle_t *)&s->poll))
		uv_close((uv_handle_t *)&s->poll, NULL);
}

void dnssec_fini(struct dnssec *s)
{
	if (!s)
		return;
	ub_ctx_delete(s->ctx);
	free(s);
}

int dnssec_ask(struct dnssec *s, uint32_t ask, const char *name, uint16_t qtype)
{
	struct query *q = s ? calloc(1, sizeof(*q)) : NULL;

	if (!q)
		return HG_ENOMEM;
	q->s = s;
	q->ask = ask;
	if (ub_resolve_async(s->ctx, name, qtype, 1, q, on_result,
			     &q->async_id)) {
		free(q);
		return HG_ESYS;
	}
	q->next = s->queries;
	s->queries = q;
	return HG_OK;
}

void dnssec_end(struct dnssec *s, uint32_t ask)
{
	struct query **p = s ? find(s, ask) : NULL;
	struct query *q = p ? *p : NULL;

	if (!q)
		return;
	*p = q->next;
	(void)ub_cancel(s->ctx, q->async_id);
	free(q);
}
