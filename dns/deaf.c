/* SPDX-License-Identifier: MIT */
/* Servers that do not answer everything; theory in deaf.h. */
#include "dns/deaf.h"

#include "dns/fetch.h"
#include "dns/progress.h"
#include "dns/question.h"

static struct deaf_server *find(const struct dns *d, const struct endpoint *at)
{
	const struct deaf *all = &d->deaf;

	for (size_t i = 0; i < all->num; i++) {
		if (endpoint_eq(&all->servers[i].at, at))
			return (struct deaf_server *)&all->servers[i];
	}
	return NULL;
}

/* Its place, made in that of the least used when there is none. */
static struct deaf_server *place(struct dns *d, const struct endpoint *at,
				 uint64_t now)
{
	struct deaf *all = &d->deaf;
	struct deaf_server *s = find(d, at);

	if (!s && all->num < DEAF_SERVERS) {
		s = &all->servers[all->num++];
		*s = (struct deaf_server){ .at = *at };
	} else if (!s) {
		s = &all->servers[0];
		for (size_t i = 1; i < all->num; i++) {
			if (all->servers[i].used < s->used)
				s = &all->servers[i];
		}
		*s = (struct deaf_server){ .at = *at };
	}
	s->used = now;
	return s;
}

bool deaf_is(const struct dns *d, const struct endpoint *server)
{
	const struct deaf_server *s = find(d, server);

	return s && s->deaf;
}

static void set_deaf(struct dns *d, struct deaf_server *s, bool deaf)
{
	struct dns_effect e = {
		.kind = deaf ? DNS_DEAF : DNS_HEARS,
		.server = s->at,
	};

	if (s->deaf == deaf)
		return;
	s->deaf = deaf;
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

size_t dns_deaf(const struct dns *d, struct endpoint *out, size_t max)
{
	size_t num = 0;

	for (size_t i = 0; i < d->deaf.num && num < max; i++) {
		if (d->deaf.servers[i].deaf)
			out[num++] = d->deaf.servers[i].at;
	}
	return num;
}

/* ---- trials ------------------------------------------------------------- */

static void try(struct dns *d, const struct endpoint *server, uint64_t now)
{
	static const enum slot slots[] = { SLOT_HIP, SLOT_A };
	struct question *q;

	if (question_add(d, NULL, &q))
		return;
	q->kind = QUESTION_TRIAL;
	q->who.server = *server;
	q->asked.name.len = 1; /* the root */
	q->asked.type = SCAN_HIP;
	q->asked.class = SCAN_IN;
	for (unsigned i = 0; i < 2; i++) {
		fetch_wait(q, slots[i], now);
		q->slots[slots[i]].resend_at = now + HIP_RESEND;
		q->slots[slots[i]].fail_at = now + HIP_WAIT;
		fetch_send(d, q, slots[i], now);
	}
	progress_step(d, q, now);
}

void deaf_suspect(struct dns *d, const struct endpoint *server, uint64_t now)
{
	struct deaf_server *s = place(d, server, now);

	if (now < s->again)
		return;
	s->again = now + DEAF_RETRY_NS;
	try(d, server, now);
}

void dns_try(struct dns *d, uint64_t now)
{
	outbox_settle(&d->outbox);
	for (size_t i = 0; i < d->upstream.num; i++)
		deaf_suspect(d, &d->upstream.servers[i].at, now);
}

void deaf_judge(struct dns *d, const struct question *q, uint64_t now)
{
	struct deaf_server *s = find(d, &q->who.server);
	bool hip = q->slots[SLOT_HIP].found == FOUND_ANSWERED;

	if (!s || (!hip && q->slots[SLOT_A].found != FOUND_ANSWERED))
		return; /* it is not there at all: that says nothing */
	set_deaf(d, s, !hip);
	s->again = now + (s->deaf || s->plain ? DEAF_AGAIN_NS : DEAF_RETRY_NS);
}

/* ---- what is asked and answered ------------------------------------------- */

bool deaf_takes_edns(struct dns *d, const struct endpoint *server, uint64_t now)
{
	struct deaf_server *s = find(d, server);
	bool plain = s && s->plain;

	if (!s)
		return true;
	s->used = now;
	if (s->deaf || plain)
		deaf_suspect(d, server, now);
	return !plain;
}

bool deaf_heard(struct dns *d, const struct ask *a, unsigned rcode,
		uint64_t now)
{
	bool not_read = rcode == SCAN_FORMERR || rcode == SCAN_NOTIMP;
	struct deaf_server *s = find(d, &a->server);

	if (a->edns && not_read)
		return true;
	if (s && a->slot == SLOT_HIP)
		set_deaf(d, s, false);
	if (s && a->edns)
		s->plain = false;
	else if (question_slot(a->q, a->slot)->plain && !not_read)
		place(d, &a->server, now)->plain = true;
	return false;
}

bool deaf_hopeless(const struct dns *d, const struct question *q, uint64_t now)
{
	struct endpoint server = question_server(d, q, SLOT_HIP, now);
	bool asked = false;

	for (const struct ask *a = q->asks; a; a = a->next_own) {
		if (a->slot != SLOT_HIP || !a->live)
			continue;
		if (!deaf_is(d, &a->server))
			return false;
		asked = true;
	}
	return asked || deaf_is(d, &server); /* it follows another one */
}
