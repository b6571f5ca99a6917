/* SPDX-License-Identifier: MIT */
/* What happens next to a question; theory in question.h. */
#include "dns/progress.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/fetch.h"
#include "dns/place.h"
#include "dns/real.h"
#include "dns/svcb.h"
#include "dns/toclient.h"

#define TEXT_ALIAS "hipgate: leads to a name that requires HIP"
#define TEXT_FORGED "hipgate: substitute address of a HIP host"
#define TEXT_LEADS "hipgate: leads to a HIP host, use A or AAAA"
#define TEXT_LOOPED "hipgate: a loop, its dns-server asks hipgate itself"
#define TEXT_USE_A "hipgate: HIP host, use A or AAAA"

/* The client's own query is one of the two address look-ups. */
static bool is_shared(const struct dns *d, const struct question *q,
		      enum slot slot)
{
	if (q->kind != QUESTION_LOOKUP ||
	    q->slots[SLOT_OWN].found == FOUND_IDLE || !question_trusts(d, q))
		return false;
	return (slot == SLOT_A && q->asked.type == SCAN_A) ||
	       (slot == SLOT_AAAA && q->asked.type == SCAN_AAAA);
}

static bool wants_address(const struct question *q)
{
	return q->kind == QUESTION_RESOLVE || q->asked.type == SCAN_A ||
	       q->asked.type == SCAN_AAAA;
}

static void start_addresses(struct dns *d, struct question *q, uint64_t now)
{
	for (enum slot s = SLOT_A; s <= SLOT_AAAA; s++) {
		if (!is_shared(d, q, s)) {
			fetch_start(d, q, s, now);
			continue;
		}
		fetch_wait(d, q, s, now);
		q->slots[s].resend_at = NEVER; /* SLOT_OWN sends */
	}
}

void progress_start(struct dns *d, struct question *q, uint64_t now)
{
	bool asks_hip = q->kind != QUESTION_RELAY && !q->local;
	bool known = q->local || (asks_hip && fetch_kept(d, q, SLOT_HIP, now));

	/* What is known to be a HIP host's needs nothing of the client's own
	 * query; what is known to be none nothing else. */
	if (q->kind != QUESTION_RESOLVE &&
	    (!(known && q->hip_seen) || real_wants(q)))
		fetch_start(d, q, SLOT_OWN, now);
	if (asks_hip && !known)
		fetch_start(d, q, SLOT_HIP, now);
	if (asks_hip && (!known || real_wants(q)) && wants_address(q))
		start_addresses(d, q, now);
	progress_step(d, q, now);
}

/* ---- ends ------------------------------------------------------------- */

static void say_unresolved(struct dns *d, const struct question *q)
{
	struct dns_effect e = {
		.kind = DNS_UNRESOLVED,
		.question = q->id,
		.server = q->who.server,
		.token = q->who.token,
	};

	question_name(q, e.name);
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

/* Ends the question; the answer, if any, leaves after the asks are done. */
static void end_with(struct dns *d, struct question *q, const struct reply *r)
{
	char name[DNS_NAME_MAX];

	for (enum slot s = 0; s < question_slots(q); s++)
		question_close(d, q, s);
	question_name(q, name);
	if (q->kind == QUESTION_RESOLVE)
		say_unresolved(d, q);
	else if (r)
		toclient_reply(d, &q->who, name, q->id, r);
	question_end(d, q);
}

static struct reply reply_for(const struct question *q)
{
	struct reply r = {
		.header = &q->header,
		.question = &q->asked,
		.edns = &q->edns,
	};

	return r;
}

static void fail(struct dns *d, struct question *q, enum reply_ede ede,
		 const char *text)
{
	struct reply r = reply_for(q);

	r.rcode = SCAN_SERVFAIL;
	r.ede = ede;
	r.ede_text = text;
	end_with(d, q, &r);
}

static void refuse(struct dns *d, struct question *q, const char *text)
{
	struct reply r = reply_for(q);

	r.rcode = SCAN_REFUSED;
	r.ede = REPLY_EDE_BLOCKED;
	r.ede_text = text;
	end_with(d, q, &r);
}

/* The server's answer, octet for octet, with the client's id. */
static void relay(struct dns *d, struct question *q)
{
	struct dns_effect e = {
		.kind = DNS_REPLY,
		.question = q->id,
		.server = q->who.server,
		.who = q->who,
		.qtype = q->asked.type,
		.msg = q->own,
		.msg_len = q->own_len,
		.rcode = get_be16(q->own + 2) & 15,
		.relayed = true,
	};

	for (enum slot s = 0; s < question_slots(q); s++)
		question_close(d, q, s);
	question_name(q, e.name);
	put_be16(q->own, q->header.id);
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
	question_end(d, q);
}

static uint32_t ttl_of(const struct dns *d, const struct question *q)
{
	uint32_t ttl = q->hip == HIP_GOOD ? q->place->host.ttl : d->ttl_max;

	return ttl < d->ttl_max ? ttl : d->ttl_max;
}

/* Records that could lead around the substitute: SVCB and HTTPS have
 * address hints, ANY has everything (RFC 8482). */
static void answer_without(struct dns *d, struct question *q)
{
	struct reply r = reply_for(q);

	r.kind = q->asked.type == SCAN_ANY ? REPLY_MINIMAL : REPLY_NODATA;
	r.ttl = ttl_of(d, q);
	r.ede = REPLY_EDE_FORGED;
	r.ede_text = q->leads ? TEXT_LEADS : TEXT_USE_A;
	end_with(d, q, &r);
}

/* What the server says may have the hints of other hosts: is one of them a
 * HIP host? True: that is seen to. */
static bool leads_on(struct dns *d, struct question *q, uint64_t now)
{
	struct slot_state *hip = &q->slots[SLOT_HIP];

	switch (svcb_next(d, q)) {
	case SVCB_ASK:
		fetch_start(d, q, SLOT_HIP, now);
		/* All of them have the time of one. */
		if (!q->leads_by)
			q->leads_by = hip->fail_at;
		else if (hip->fail_at > q->leads_by)
			hip->fail_at = q->leads_by;
		progress_step(d, q, now);
		return true;
	case SVCB_HIP:
		answer_without(d, q);
		return true;
	default:
		return false;
	}
}

/* The client gets what the server says, when it says it. */
static void step_own(struct dns *d, struct question *q, uint64_t now)
{
	switch (q->slots[SLOT_OWN].found) {
	case FOUND_ANSWERED:
		if (q->watched &&
		    (q->mode == DNS_REQUIRE || svcb_requires(d, q)))
			refuse(d, q, TEXT_ALIAS);
		else if (q->kind == QUESTION_RELAY || !leads_on(d, q, now))
			relay(d, q);
		return;
	case FOUND_WAIT:
		question_arm(d, q);
		return;
	default:
		break;
	}
	if (q->looped)
		fail(d, q, REPLY_EDE_OTHER, TEXT_LOOPED);
	else if (q->who.here && d->upstream.num == 0)
		fail(d, q, REPLY_EDE_OTHER,
		     "hipgate: nobody to ask; add dns-server = ADDRESS");
	else
		fail(d, q, REPLY_EDE_NO_AUTHORITY,
		     "hipgate: the server does not answer");
}

static void step_not_hip(struct dns *d, struct question *q, const char *why,
			 uint64_t now)
{
	if (q->kind == QUESTION_RESOLVE) {
		end_with(d, q, NULL);
		return;
	}
	if (q->mode == DNS_REQUIRE) {
		reason_count(&d->reasons, q->pinned ? REASON_DNS_STRIPPED
						    : REASON_DNS_NO_HIP);
		fail(d, q, REPLY_EDE_BLOCKED,
		     q->pinned ? "hipgate: it had a HIP record and has none "
				 "now; mend it, or: hipgate forget NAME"
			       : why);
		return;
	}
	for (enum slot s = SLOT_HIP; s < question_slots(q); s++)
		fetch_stop(d, q, s);
	step_own(d, q, now);
}

/* ---- where is the host? ------------------------------------------------ */

static void start_locating(struct dns *d, struct question *q, uint64_t now)
{
	enum slot list[SLOT_NUM];
	size_t num = place_slots(q, list);

	q->stage = STAGE_LOCATING;
	q->grace_at = NEVER;
	question_close(d, q, SLOT_HIP);
	for (size_t i = 0; i < num; i++) {
		struct slot_state *s = question_slot(q, list[i]);

		if (s->found == FOUND_IDLE)
			fetch_start(d, q, list[i], now);
	}
}

/* The client's own query was to find one family's addresses. If it came
 * to nothing, they are asked for apart, or given up. */
static void share_own(struct dns *d, struct question *q, uint64_t now)
{
	enum slot shared = q->asked.type == SCAN_A ? SLOT_A : SLOT_AAAA;
	struct slot_state *s = &q->slots[shared];

	if (!is_shared(d, q, shared) || s->found != FOUND_WAIT || s->tcp)
		return;
	if (q->own_cut)
		fetch_tcp(d, q, shared, now);
	else if (q->slots[SLOT_OWN].found == FOUND_FAILED)
		s->found = FOUND_FAILED;
}

/* The daemon is to do something with the host. */
static void need(struct dns *d, struct question *q, enum dns_effect_kind kind,
		 uint64_t now)
{
	bool resolve = kind == DNS_RESOLVED;
	struct dns_effect e = {
		.kind = kind,
		.question = q->id,
		.server = q->who.server,
		.who = q->who,
		.qtype = q->asked.type,
		.host = &q->place->host,
		.token = resolve ? q->who.token : 0,
	};
	int err;

	for (enum slot s = 0; s < question_slots(q); s++)
		fetch_stop(d, q, s);
	question_name(q, e.name);
	err = outbox_put(&d->outbox, &e);
	if (err)
		reason_count(&d->reasons, REASON_DNS_BUSY);
	if (err || resolve) {
		question_end(d, q);
		return;
	}
	q->stage = kind == DNS_NEED_REAL ? STAGE_MAPPING : STAGE_GIVING;
	q->give_by = now + GIVE_WAIT;
	question_arm(d, q);
}

/* A substitute; but what a client that validates could not believe is not
 * given where only its real address would have been. */
static void need_address(struct dns *d, struct question *q, uint64_t now)
{
	if (q->kind == QUESTION_RESOLVE) {
		need(d, q, DNS_RESOLVED, now);
		return;
	}
	if (!q->transparent || !q->edns.dnssec_ok ||
	    !(q->header.flags & SCAN_CD) ||
	    d->validating == DNS_VALIDATING_SYNTHESIZE) {
		need(d, q, DNS_NEED_ADDRESS, now);
		return;
	}
	refuse(d, q, "hipgate: client validates, no real address to give");
}

/* The real address, where it may be given. */
static void answer_place(struct dns *d, struct question *q, uint64_t now)
{
	if (!real_may(d, q))
		need_address(d, q, now);
	else if (q->place->host.real_num == 0)
		relay(d, q); /* the host has none in that family */
	else
		need(d, q, DNS_NEED_REAL, now);
}

static void step_locating(struct dns *d, struct question *q, uint64_t now)
{
	uint32_t ttl;
	bool more;

	share_own(d, q, now);
	more = place_collect(q, &ttl);
	if (more && q->place->host.locators_num && q->grace_at == NEVER)
		q->grace_at = now + LOCATE_GRACE;
	if ((more && now < q->grace_at) || real_waits(q)) {
		question_arm(d, q);
		return;
	}
	if (q->place->host.locators_num == 0) {
		/* Still a HIP host's name: never its clear address. */
		fail(d, q, REPLY_EDE_OTHER,
		     "hipgate: HIP host without a usable address");
		return;
	}
	q->place->host.ttl = ttl;
	answer_place(d, q, now);
}

static void step_hip(struct dns *d, struct question *q, uint64_t now)
{
	if (wants_address(q)) {
		start_locating(d, q, now);
		step_locating(d, q, now);
	} else {
		answer_without(d, q);
	}
}

/* ---- deciding --------------------------------------------------------- */

/* The client's answer is there, and what it is held back for will not come:
 * the server is deaf. */
static bool goes_on_without(struct dns *d, const struct question *q,
			    uint64_t now)
{
	if (q->mode == DNS_REQUIRE || q->hip_seen ||
	    d->dnssec == DNS_DNSSEC_REQUIRE ||
	    q->slots[SLOT_OWN].found != FOUND_ANSWERED ||
	    !deaf_hopeless(d, q, now))
		return false;
	reason_count(&d->reasons, REASON_DNS_DEAF);
	return true;
}

/* The client's server knows something of the name. */
static bool own_says(const struct question *q)
{
	unsigned rcode;

	if (q->slots[SLOT_OWN].found != FOUND_ANSWERED)
		return false;
	rcode = get_be16(q->own + 2) & 15;
	return rcode == SCAN_NOERROR || rcode == SCAN_NXDOMAIN;
}

/* Nobody says whether there is a HIP record. */
static void step_unsaid(struct dns *d, struct question *q, uint64_t now)
{
	if (own_says(q))
		fetch_unsaid(d, q, now);
	step_not_hip(d, q, "hipgate: HIP required, no answer", now);
}

static void step_asking(struct dns *d, struct question *q, uint64_t now)
{
	enum found found = q->slots[SLOT_HIP].found;
	bool unproven = q->bogus || (found == FOUND_FAILED &&
				     d->dnssec == DNS_DNSSEC_REQUIRE);

	if (found == FOUND_WAIT && !goes_on_without(d, q, now)) {
		question_arm(d, q);
		return;
	}
	if (q->bogus || q->hip_seen)
		fetch_unsaid(d, q, now); /* that is over */
	if (q->leads && (unproven || q->hip_seen || q->mode == DNS_REQUIRE))
		answer_without(d, q);
	else if (unproven)
		fail(d, q, REPLY_EDE_BOGUS,
		     "hipgate: the HIP record is not proven by DNSSEC");
	else if (found == FOUND_ANSWERED && q->hip == HIP_GOOD)
		step_hip(d, q, now);
	else if (q->hip_seen)
		fail(d, q, REPLY_EDE_OTHER,
		     "hipgate: the HIP record cannot be used");
	else if (found == FOUND_ANSWERED)
		step_not_hip(d, q, "hipgate: HIP required, no HIP record", now);
	else if (q->looped)
		fail(d, q, REPLY_EDE_OTHER, TEXT_LOOPED);
	else
		step_unsaid(d, q, now);
}

/* Of ours: what it was for is in the cache, was said, or is not to be had. */
static void step_ours(struct dns *d, struct question *q, uint64_t now)
{
	for (enum slot s = SLOT_OWN; s <= SLOT_AAAA; s++) {
		if (q->slots[s].found == FOUND_WAIT) {
			question_arm(d, q);
			return;
		}
	}
	if (q->kind == QUESTION_TRIAL)
		deaf_judge(d, q);
	else if (q->slots[SLOT_HIP].found == FOUND_FAILED || q->hip_seen)
		fetch_unsaid(d, q, now);
	question_end(d, q);
}

static bool is_ours(const struct question *q)
{
	return q->kind == QUESTION_REFRESH || q->kind == QUESTION_PROBE ||
	       q->kind == QUESTION_TRIAL;
}

void progress_step(struct dns *d, struct question *q, uint64_t now)
{
	if (is_ours(q))
		step_ours(d, q, now);
	else if (q->kind == QUESTION_RELAY)
		step_own(d, q, now);
	else if (q->stage == STAGE_ASKING)
		step_asking(d, q, now);
	else if (q->stage == STAGE_LOCATING)
		step_locating(d, q, now);
	else
		question_arm(d, q);
}

bool progress_make_room(struct dns *d)
{
	struct question *q = crowd_oldest(d->crowd);

	/* Of many small ones none is to blame: the newcomer is refused. */
	if (!q || crowd_most(d->crowd) * CROWD_SHARE < d->questions_max)
		return false;
	reason_count(&d->reasons, REASON_DNS_BUSY);
	fail(d, q, REPLY_EDE_NOT_READY, PROGRESS_BUSY);
	return true;
}

void progress_refused(struct dns *d, struct question *q)
{
	reason_count(&d->reasons, REASON_DNS_BUSY);
	if (q->kind == QUESTION_RESOLVE)
		end_with(d, q, NULL);
	else if (is_ours(q))
		question_end(d, q);
	else
		fail(d, q, REPLY_EDE_OTHER, "hipgate: too busy to ask");
}

void progress_lost(struct dns *d, struct question *q, enum slot slot,
		   uint64_t now)
{
	struct slot_state *s = question_slot(q, slot);
	bool live = false;

	for (const struct ask *a = q->asks; a; a = a->next_own)
		live = live || (a->slot == slot && a->live);
	if (s->found != FOUND_WAIT || live || s->resend_at != NEVER)
		return; /* another try is under way or will be */
	s->found = FOUND_FAILED;
	progress_step(d, q, now);
}

void progress_timer(struct dns *d, struct question *q, uint64_t now)
{
	if (q->stage == STAGE_GIVING || q->stage == STAGE_MAPPING) {
		if (now >= q->give_by)
			fail(d, q, REPLY_EDE_NOT_READY,
			     "hipgate: no substitute address in time");
		return;
	}
	for (enum slot i = 0; i < question_slots(q); i++)
		fetch_timer(d, q, i, now);
	progress_step(d, q, now);
}

/* ---- the daemon's answer ----------------------------------------------- */

static bool substitute(const struct question *q, const struct addr *sub6,
		       const struct addr *sub4, struct reply *r)
{
	r->addr = q->asked.type == SCAN_A ? sub4 : sub6;
	return r->addr && !addr_is_unspecified(r->addr) &&
	       addr_is4(r->addr) == (q->asked.type == SCAN_A);
}

void dns_give_real(struct dns *d, uint32_t question, int err, uint64_t now)
{
	struct question *q = question_find(d, question);

	outbox_settle(&d->outbox);
	if (!q || q->stage != STAGE_MAPPING)
		return;
	if (!err) {
		relay(d, q);
		return;
	}
	reason_count(&d->reasons, REASON_DNS_REAL);
	need_address(d, q, now);
}

void dns_give(struct dns *d, uint32_t question, int err,
	      const struct addr *sub6, const struct addr *sub4, const char *ede,
	      uint64_t now)
{
	struct question *q = question_find(d, question);
	struct reply r;

	(void)now;
	outbox_settle(&d->outbox);
	if (!q || q->stage != STAGE_GIVING)
		return;
	if (err) {
		fail(d, q, REPLY_EDE_OTHER,
		     ede ? ede : "hipgate: no substitute address");
		return;
	}
	r = reply_for(q);
	r.kind = substitute(q, sub6, sub4, &r) ? REPLY_ADDRESS : REPLY_NODATA;
	r.ttl = ttl_of(d, q);
	r.ede = REPLY_EDE_FORGED;
	r.ede_text = ede && r.kind == REPLY_NODATA ? ede : TEXT_FORGED;
	end_with(d, q, &r);
}
