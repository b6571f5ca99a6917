/* SPDX-License-Identifier: MIT */
/* The list of our servers becomes another one; theory in serverlist.h. */
#include "dns/serverlist.h"

#include "dns/dns.h"
#include "dns/loop.h"
#include "dns/query.h"
#include "dns/question.h"

/* ---- what is known ---------------------------------------------------- */

static void forget(struct dns *d, const struct upstream *was)
{
	static const struct endpoint ours = { .port = 0 }; /* upstream_realm */
	bool gone = false;

	for (size_t i = 0; i < was->num; i++)
		gone = gone || !upstream_has(&d->upstream, &was->servers[i].at);
	if (gone)
		cache_drop_realm(d->cache, &ours);
	deaf_forget(d);
}

static void meet(struct dns *d, const struct upstream *was, uint64_t now)
{
	for (size_t i = 0; i < d->upstream.num; i++) {
		const struct endpoint *at = &d->upstream.servers[i].at;

		if (upstream_has(was, at))
			continue;
		loop_probe(d, at, now);
		deaf_suspect(d, at, now);
	}
}

/* ---- what is asked ---------------------------------------------------- */

/* Nobody who may answer it is going to, or who has answered it is gone: what he
 * said would have its effect only now. */
static bool is_lost(const struct dns *d, const struct ask *a)
{
	if (a->slot == SLOT_OWN && !a->q->who.here)
		return false;
	return (a->live && a->validate) ||
	       !upstream_has(&d->upstream, &a->server);
}

static bool is_at_hand(const struct question *q, enum slot slot)
{
	for (const struct ask *a = q->asks; a; a = a->next_own) {
		if (a->slot == slot && a->live)
			return true;
	}
	return false;
}

/* It waits, and has asked nobody: another's answer is to serve it, or its last
 * try came to nothing. What is left of its time was not meant for the new ones. */
static bool is_idle(const struct question *q, enum slot slot)
{
	const struct slot_state *s = question_slot(q, slot);

	return s->found == FOUND_WAIT && s->resend_at != NEVER &&
	       (slot != SLOT_OWN || q->who.here) && !is_at_hand(q, slot);
}

static bool waits_in_vain(const struct dns *d, const struct question *q)
{
	for (const struct ask *a = q->asks; a; a = a->next_own) {
		if (is_lost(d, a))
			return true;
	}
	for (enum slot s = 0; s < question_slots(q); s++) {
		if (is_idle(q, s))
			return true;
	}
	return false;
}

/* One of ours that has nobody to ask, or nothing to ask for. */
static bool ends(const struct dns *d, const struct upstream *was,
		 const struct question *q)
{
	(void)was;
	if (q->kind == QUESTION_PROBE || q->kind == QUESTION_TRIAL)
		return !upstream_has(&d->upstream, &q->who.server);
	return q->kind == QUESTION_REFRESH && waits_in_vain(d, q);
}

/* Does the client's own server count for what it did not, or the reverse? */
static bool is_trust_other(const struct dns *d, const struct upstream *was,
			   const struct question *q)
{
	return upstream_trusts(was, &q->who.server) !=
	       upstream_trusts(&d->upstream, &q->who.server);
}

static bool begins_anew(const struct dns *d, const struct upstream *was,
			const struct question *q)
{
	switch (q->kind) {
	case QUESTION_LOOKUP:
		if (q->stage == STAGE_GIVING || q->stage == STAGE_MAPPING)
			return false;
		return is_trust_other(d, was, q) || waits_in_vain(d, q);
	case QUESTION_RELAY:
	case QUESTION_RESOLVE:
		return waits_in_vain(d, q);
	default:
		return false;
	}
}

/* Into d->listed: the heap moves as they end. */
static size_t list(struct dns *d, const struct upstream *was,
		   bool (*which)(const struct dns *d,
				 const struct upstream *was,
				 const struct question *q))
{
	size_t num = 0;

	for (size_t i = 0; i < d->num; i++) {
		if (which(d, was, d->heap[i]))
			d->listed[num++] = d->heap[i]->id;
	}
	return num;
}

static void end_ours(struct dns *d, const struct upstream *was)
{
	size_t num = list(d, was, ends);

	for (size_t i = 0; i < num; i++)
		question_end(d, question_find(d, d->listed[i]));
}

/* The daemon's own; without a list it is to say itself who knows. */
static void resolve_again(struct dns *d, struct question *q, uint64_t now)
{
	struct dns_effect e = {
		.kind = DNS_UNRESOLVED,
		.question = q->id,
		.server = q->who.server,
		.token = q->who.token,
	};
	struct hit want = q->want;
	int err = HG_ENOENT;

	question_name(q, e.name);
	question_end(d, q);
	if (d->upstream.num)
		err = dns_resolve(d, e.name, hit_is_null(&want) ? NULL : &want,
				  &e.server, e.token, now);
	if (err && outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

static void ask_again(struct dns *d, const struct upstream *was, uint64_t now)
{
	size_t num = list(d, was, begins_anew);

	for (size_t i = 0; i < num; i++) {
		struct question *q = question_find(d, d->listed[i]);

		if (q && q->kind == QUESTION_RESOLVE)
			resolve_again(d, q, now);
		else if (q) /* none has made room for another */
			query_again(d, q, now);
	}
}

void dns_set_servers(struct dns *d, const struct endpoint *servers, size_t num,
		     uint64_t now)
{
	struct upstream was = d->upstream;

	outbox_settle(&d->outbox);
	upstream_set(&d->upstream, servers, num);
	forget(d, &was);
	end_ours(d, &was);
	meet(d, &was, now);
	ask_again(d, &was, now);
}
