/* SPDX-License-Identifier: MIT */
/* Questions of ours that come back to us; theory in loop.h. */
#include "dns/loop.h"

#include <stdlib.h>
#include <string.h>

#include "dns/fetch.h"
#include "dns/progress.h"
#include "dns/reply.h"

#define TYPE_TXT 16

void loop_probe(struct dns *d, const struct endpoint *server, uint64_t now)
{
	uint8_t msg[REPLY_MAX];
	struct question *q;
	size_t len;

	if (question_add(d, NULL, &q))
		return; /* there is no room for a loop either */
	q->kind = QUESTION_PROBE;
	q->who.server = *server;
	dname_draw(&q->asked.name);
	q->asked.type = TYPE_TXT;
	q->asked.class = SCAN_IN;
	if (reply_ask(&q->asked.name, TYPE_TXT, 0, true, msg, &len) == HG_OK)
		q->query = malloc(len);
	if (!q->query) {
		question_end(d, q);
		return;
	}
	memcpy(q->query, msg, len);
	q->query_len = len;
	fetch_start(d, q, SLOT_OWN, now);
	progress_step(d, q, now);
}

void dns_probe(struct dns *d, uint64_t now)
{
	outbox_settle(&d->outbox);
	for (size_t i = 0; i < d->upstream.num; i++)
		loop_probe(d, &d->upstream.servers[i].at, now);
}

void loop_silent(struct dns *d, const struct endpoint *server, uint64_t now)
{
	if (upstream_silent(&d->upstream, server, now))
		loop_probe(d, server, now);
}

void loop_suspect(struct dns *d, uint64_t now)
{
	if (d->probed_at && now - d->probed_at < LOOP_PROBE_NS)
		return;
	d->probed_at = now;
	dns_probe(d, now);
}

static const struct ask *find(const struct dns *d, const struct dns_asker *who,
			      uint16_t id, const struct scan_question *asked)
{
	const struct ask *a = NULL;

	while ((a = question_asked(d, &asked->name, asked->type, a))) {
		if (a->q->kind == QUESTION_PROBE)
			return a;
		if (a->msg_id == id && d->own_ask &&
		    d->own_ask(d->arg, a->id, &who->client))
			return a;
	}
	return NULL;
}

bool loop_met(struct dns *d, const struct dns_asker *who, uint16_t id,
	      const struct scan_question *asked, uint64_t now)
{
	const struct ask *a = find(d, who, id, asked);
	struct dns_effect e = {
		.kind = DNS_LOOP,
		.who = *who,
		.qtype = asked->type,
	};

	if (!a)
		return false;
	e.server = a->server;
	if (dname_print(&asked->name, e.name))
		e.name[0] = '\0';
	reason_count(&d->reasons, REASON_DNS_LOOP);
	upstream_looped(&d->upstream, &a->server, now);
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
	return true;
}
