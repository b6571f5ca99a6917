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

static bool is_deaf(const struct deaf_server *s)
{
	return s && s->bad >= DEAF_BAD;
}

bool deaf_is(const struct dns *d, const struct endpoint *server)
{
	return is_deaf(find(d, server));
}

static void set_bad(struct dns *d, struct deaf_server *s, unsigned bad)
{
	bool was = is_deaf(s);
	struct dns_effect e = {
		.kind = was ? DNS_HEARS : DNS_DEAF,
		.server = s->at,
	};

	s->bad = bad;
	if (is_deaf(s) != was && outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

size_t dns_deaf(const struct dns *d, struct endpoint *out, size_t max)
{
	size_t num = 0;

	for (size_t i = 0; i < d->deaf.num && num < max; i++) {
		if (is_deaf(&d->deaf.servers[i]))
			out[num++] = d->deaf.servers[i].at;
	}
	return num;
}

void deaf_forget(struct dns *d)
{
	struct deaf *all = &d->deaf;
	size_t left = 0;

	for (size_t i = 0; i < all->num; i++) {
		if (upstream_has(&d->upstream, &all->servers[i].at))
			all->servers[left++] = all->servers[i];
	}
	all->num = left;
}

/* ---- trials ------------------------------------------------------------- */

static void try(struct dns *d, const struct endpoint *server, uint64_t now)
{
	static const enum slot slots[] = { SLOT_HIP, SLOT_A };
	struct question *q;

	if (question_add(d, NULL, &q))
		return;
	q->kind = QUESTION_TRIAL;
	d->deaf.trials++;
	q->who.server = *server;
	dname_draw(&q->asked.name);
	q->asked.type = SCAN_HIP;
	q->asked.class = SCAN_IN;
	for (unsigned i = 0; i < 2; i++) {
		fetch_wait(d, q, slots[i], now);
		q->slots[slots[i]].resend_at = now + HIP_RESEND;
		q->slots[slots[i]].fail_at = now + HIP_WAIT;
		fetch_send(d, q, slots[i], now);
	}
	progress_step(d, q, now);
}

void deaf_suspect(struct dns *d, const struct endpoint *server, uint64_t now)
{
	struct deaf_server *s = place(d, server, now);

	if (now < s->again || d->deaf.trials >= DEAF_TRIALS)
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

void deaf_judge(struct dns *d, const struct question *q)
{
	struct deaf_server *s = find(d, &q->who.server);

	/* An answer for HIP was heard; silence to both says nothing. */
	if (s && q->slots[SLOT_HIP].found != FOUND_ANSWERED &&
	    q->slots[SLOT_A].found == FOUND_ANSWERED)
		set_bad(d, s, s->bad + 1);
}

/* ---- what is asked and answered ------------------------------------------- */

bool deaf_takes_edns(struct dns *d, const struct endpoint *server, uint64_t now)
{
	struct deaf_server *s = find(d, server);
	bool plain = s && s->plain;

	if (!s)
		return true;
	s->used = now;
	if (s->bad || plain)
		deaf_suspect(d, server, now);
	return !plain;
}

/* A question without EDNS was understood: was it because of that? */
static bool blames_edns(const struct ask *a)
{
	if (a->edns || a->slot == SLOT_OWN)
		return false;
	if (a->q->kind == QUESTION_TRIAL)
		return true; /* it was asked with it first */
	for (const struct ask *b = a->q->asks; b; b = b->next_own) {
		if (b->unread && b->slot == a->slot &&
		    endpoint_eq(&b->server, &a->server))
			return true;
	}
	return false;
}

bool deaf_heard(struct dns *d, const struct ask *a, unsigned rcode,
		uint64_t now)
{
	bool not_read = rcode == SCAN_FORMERR || rcode == SCAN_NOTIMP;
	struct deaf_server *s = find(d, &a->server);

	if (a->edns && not_read)
		return true;
	if (s && a->slot == SLOT_HIP)
		set_bad(d, s, 0);
	if (s && a->edns)
		s->plain = false;
	else if (!not_read && blames_edns(a))
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
