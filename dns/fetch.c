/* SPDX-License-Identifier: MIT */
/* How a slot gets its answer; theory in question.h, cache.h, upstream.h. */
#include "dns/fetch.h"

#include "core/wire.h"
#include "dns/answer.h"
#include "dns/loop.h"
#include "dns/progress.h"
#include "dns/reply.h"

/* To ask the system for each costs more than to make a question. */
static uint16_t draw_id(struct dns *d)
{
	uint16_t id;

	if (!d->ids_left) {
		randombytes_buf(d->ids, sizeof(d->ids));
		d->ids_left = QUESTION_IDS;
	}
	id = d->ids[--d->ids_left];
	d->ids[d->ids_left] = 0; /* nobody can read it here later */
	return id;
}

static int send_own(struct dns *d, struct question *q,
		    const struct endpoint *server)
{
	uint16_t id = draw_id(d);
	int err;

	/* Only the id differs from what the client sent. */
	put_be16(q->query, id);
	err = question_ask(d, q, SLOT_OWN, server, q->query, q->query_len);
	put_be16(q->query, q->header.id);
	return err;
}

/* What this server has been silent to with EDNS, or could not read, it is
 * asked without, and then always. */
static bool with_edns(struct dns *d, const struct question *q, enum slot slot,
		      const struct endpoint *server, uint64_t now)
{
	for (const struct ask *a = q->asks; a; a = a->next_own) {
		if (a->slot == slot && endpoint_eq(&a->server, server) &&
		    (!a->edns || a->live || a->unread))
			return false;
	}
	return q->kind == QUESTION_TRIAL || deaf_takes_edns(d, server, now);
}

static int send_ours(struct dns *d, struct question *q, enum slot slot,
		     const struct endpoint *server, uint64_t now)
{
	bool edns = with_edns(d, q, slot, server, now);
	uint16_t id = draw_id(d);
	uint8_t msg[REPLY_MAX];
	size_t len;
	int err;

	err = reply_ask(question_slot_name(q, slot),
			question_slot_type(q, slot), id, edns, msg, &len);
	if (!err)
		err = question_ask(d, q, slot, server, msg, len);
	if (!err)
		q->asks->edns = edns;
	return err;
}

void fetch_send(struct dns *d, struct question *q, enum slot slot, uint64_t now)
{
	struct endpoint server = question_server(d, q, slot, now);
	int err;

	question_unfollow(d, q, slot);
	question_slot(q, slot)->tries++;
	if (!server.port) {
		q->looped = q->looped || upstream_loops(&d->upstream, now);
		err = HG_ENOENT;
	} else if (slot == SLOT_OWN) {
		err = send_own(d, q, &server);
	} else {
		err = send_ours(d, q, slot, &server, now);
	}
	if (err)
		question_slot(q, slot)->found = FOUND_FAILED;
}

void fetch_wait(const struct dns *d, struct question *q, enum slot slot,
		uint64_t now)
{
	struct slot_state *s = question_slot(q, slot);

	s->found = FOUND_WAIT;
	s->resend_at = now + (slot == SLOT_HIP ? HIP_RESEND : OTHER_RESEND);
	s->fail_at = now + (slot == SLOT_HIP ? HIP_WAIT : OTHER_WAIT);
	if (question_is_judged(d, q, slot)) {
		/* The validator has its own patience, and much to ask. */
		s->resend_at = NEVER;
		s->fail_at = now + OTHER_WAIT;
	}
}

/* A HIP host's record that is in use is asked for again before it is too
 * old, so that no client waits for it (RFC 8767 has the idea). */
static void refresh(struct dns *d, const struct question *q, enum slot slot,
		    bool unsaid, uint64_t now)
{
	struct question *r;

	if (question_add(d, NULL, &r))
		return; /* then the next client waits */
	r->kind = QUESTION_REFRESH;
	/* If none comes again, that is kept; in the place of a record it is
	 * not. */
	r->mode = unsaid ? DNS_PREFER : DNS_REQUIRE;
	r->who.server = q->who.server;
	r->who.here = q->who.here;
	r->asked = q->asked;
	r->asked.class = SCAN_IN;
	r->asked.name = *question_slot_name(q, slot);
	/* The slot of that type: its name is the question's own. */
	slot = question_slot_type(q, slot) == SCAN_HIP ? SLOT_HIP
	       : question_slot_type(q, slot) == SCAN_A ? SLOT_A
						       : SLOT_AAAA;
	fetch_wait(d, r, slot, now);
	fetch_send(d, r, slot, now);
	progress_step(d, r, now); /* the end, when nobody could be asked */
}

bool fetch_kept(struct dns *d, struct question *q, enum slot slot, uint64_t now)
{
	struct cache_key key = question_key(d, q, slot);
	struct chain_answer a;
	bool stale;

	if (!cache_get(d->cache, &key, now, &a, &stale))
		return false;
	/* Where it matters it is asked for, however often in vain. */
	if (a.unsaid && q->mode == DNS_REQUIRE)
		return false;
	answer_kept(d, q, slot, &a);
	if (stale && (slot != SLOT_HIP || q->hip == HIP_GOOD || a.unsaid))
		refresh(d, q, slot, a.unsaid, now);
	return question_slot(q, slot)->found == FOUND_ANSWERED;
}

void fetch_unsaid(struct dns *d, const struct question *q, uint64_t now)
{
	struct cache_key key = question_key(d, q, SLOT_HIP);

	if (q->mode == DNS_REQUIRE || q->bogus || q->hip_seen) {
		cache_drop_unsaid(d->cache, &key);
		return;
	}
	if (!q->slots[SLOT_HIP].silent || !question_trusts(d, q))
		return;
	cache_put_unsaid(d->cache, &key, now);
	/* It may have been slow, and know by now. */
	if (q->kind != QUESTION_REFRESH && !question_is_asked(d, q, SLOT_HIP))
		refresh(d, q, SLOT_HIP, true, now);
}

void fetch_plain(struct dns *d, struct ask *a, uint64_t now)
{
	struct endpoint server = a->server;

	a->unread = true;
	question_ask_done(d, a); /* what others were asked goes on */
	if (send_ours(d, a->q, a->slot, &server, now))
		question_slot(a->q, a->slot)->found = FOUND_FAILED;
}

void fetch_start(struct dns *d, struct question *q, enum slot slot,
		 uint64_t now)
{
	struct slot_state *s = question_slot(q, slot);

	if (slot != SLOT_OWN && fetch_kept(d, q, slot, now))
		return;
	fetch_wait(d, q, slot, now);
	if (slot == SLOT_OWN && q->who.tcp) {
		s->tcp = true;
		s->resend_at = NEVER;
	}
	/* Who follows hears answers, and of no judgement that there is none;
	 * the validator joins equal questions itself. */
	if (slot != SLOT_OWN && !question_is_judged(d, q, slot) &&
	    question_is_asked(d, q, slot))
		question_follow(d, q, slot);
	else
		fetch_send(d, q, slot, now);
}

void fetch_tcp(struct dns *d, struct question *q, enum slot slot, uint64_t now)
{
	struct slot_state *s = question_slot(q, slot);

	question_close(d, q, slot);
	s->found = FOUND_WAIT;
	s->tcp = true;
	s->resend_at = NEVER;
	s->fail_at = now + TCP_WAIT;
	if (s->tries) /* the same server: what it said was too long */
		s->tries--;
	fetch_send(d, q, slot, now);
}

void fetch_stop(struct dns *d, struct question *q, enum slot slot)
{
	struct slot_state *s = question_slot(q, slot);

	if (s->found == FOUND_WAIT)
		s->found = FOUND_FAILED;
	question_unfollow(d, q, slot);
	question_close(d, q, slot);
}

/* The servers that were asked and have not answered; those who answered the
 * client's own query may be silent to this one alone. */
static void note_silence(struct dns *d, const struct question *q,
			 enum slot slot, uint64_t now)
{
	bool answers = q->slots[SLOT_OWN].found == FOUND_ANSWERED;

	if (q->kind == QUESTION_TRIAL)
		return;
	for (const struct ask *a = q->asks; a; a = a->next_own) {
		if (a->slot != slot || !a->live)
			continue;
		loop_silent(d, &a->server, now);
		if (slot == SLOT_HIP && answers)
			deaf_suspect(d, &a->server, now);
	}
}

void fetch_timer(struct dns *d, struct question *q, enum slot slot,
		 uint64_t now)
{
	struct slot_state *s = question_slot(q, slot);

	if (s->found != FOUND_WAIT)
		return;
	if (now >= s->fail_at) {
		note_silence(d, q, slot, now);
		fetch_stop(d, q, slot);
		s->silent = true;
	} else if (now >= s->resend_at) {
		s->resend_at = NEVER;
		note_silence(d, q, slot, now);
		fetch_send(d, q, slot, now);
	}
}

void dns_ask_refused(struct dns *d, uint32_t ask)
{
	struct ask *a = question_find_ask(d, ask);

	outbox_settle(&d->outbox);
	if (a)
		progress_refused(d, a->q);
}

void dns_ask_failed(struct dns *d, uint32_t ask, uint64_t now)
{
	struct ask *a = question_find_ask(d, ask);
	struct question *q;

	outbox_settle(&d->outbox);
	if (!a)
		return;
	q = a->q;
	loop_silent(d, &a->server, now);
	question_ask_done(d, a);
	progress_lost(d, q, a->slot, now);
}
