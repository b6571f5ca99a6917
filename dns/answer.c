/* SPDX-License-Identifier: MIT */
/* What comes back from a server: matched, digested, handed on. */
#include "dns/answer.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/fetch.h"
#include "dns/hiprr.h"
#include "dns/local.h"
#include "dns/locator.h"
#include "dns/progress.h"

/* A name that leads to one that must be reached by HIP must be, too. */
static void raise_mode(const struct dns *d, struct question *q,
		       const struct chain *c)
{
	for (size_t i = 1; i < c->num; i++) {
		enum dns_mode mode = policy_mode(d->policy, &c->names[i]);
		bool pinned =
			mode != DNS_OFF && pins_has(d->pins, &c->names[i]);

		q->pinned = q->pinned || pinned;
		if (pinned || mode == DNS_REQUIRE ||
		    (mode != DNS_OFF && local_has(d->local, &c->names[i])))
			q->mode = DNS_REQUIRE;
	}
}

/* ---- HIP records ------------------------------------------------------ */

/* Each record costs a hash of its key. */
#define HIP_RECORDS_MAX 16

struct hip_visit {
	struct dns *d;
	struct question *q;
	uint32_t ttl;
	unsigned num;
};

static void keep_hip(const struct dns *d, struct question *q,
		     const struct hiprr *rr, uint32_t ttl)
{
	struct place *p = question_place(q);
	struct dns_host *h;

	if (!p)
		return; /* it was there, and cannot be used */
	h = &p->host;
	question_name(q, h->name);
	h->hit = rr->hit;
	h->pk_alg = rr->pk_alg;
	memcpy(h->pk, rr->pk, rr->pk_len);
	h->pk_len = rr->pk_len;
	h->via_rvs = rr->rvs_num > 0;
	h->theirs = d->upstream.num == 0;
	h->ttl = ttl;
	memcpy(p->rvs, rr->rvs, sizeof(p->rvs));
	p->rvs_num = rr->rvs_num;
	q->hip = HIP_GOOD;
}

/* Servers give records in any order, so the choice must not depend on it:
 * the one that is wanted, else the least HIT of those that can be used. */
static bool is_better(const struct question *q, const struct hit *hit)
{
	if (q->hip != HIP_GOOD || hit_eq(hit, &q->want))
		return true;
	return !hit_eq(&q->place->host.hit, &q->want) &&
	       memcmp(hit->b, q->place->host.hit.b, sizeof(hit->b)) < 0;
}

static void visit_hip(const struct scan_rr *rr, void *arg)
{
	struct hip_visit *v = arg;
	struct hiprr hip = { .pk_len = 0 };

	v->q->hip_seen = true;
	if (v->q->hip != HIP_GOOD)
		v->q->hip = HIP_BAD;
	if (v->num++ >= HIP_RECORDS_MAX ||
	    hiprr_get(rr->rdata, rr->rdlen, &hip) ||
	    (v->d->key_fits &&
	     !v->d->key_fits(hip.pk_alg, hip.pk, hip.pk_len, &hip.hit))) {
		reason_count(&v->d->reasons, REASON_DNS_BAD_HIP);
		return;
	}
	if (!is_better(v->q, &hip.hit))
		return;
	keep_hip(v->d, v->q, &hip, rr->ttl < v->ttl ? rr->ttl : v->ttl);
}

/* A name of the administrator's stands in the chain: what a server says of
 * it does not count. */
static bool leads_home(struct dns *d, struct question *q, const struct chain *c)
{
	for (size_t i = 0; !q->local && i < c->num; i++)
		local_answer(d->local, q, &c->names[i], c->ttl);
	for (enum slot s = SLOT_A; q->located && s <= SLOT_AAAA; s++) {
		question_unfollow(d, q, s);
		question_close(d, q, s);
	}
	return q->local;
}

bool answer_hip(struct dns *d, struct question *q, const struct chain_answer *a,
		unsigned rcode)
{
	struct hip_visit v = { .d = d, .q = q };
	struct chain c;

	if (q->local)
		return true; /* it is known better */
	q->hip = HIP_NONE;
	if (rcode != SCAN_NOERROR && rcode != SCAN_NXDOMAIN)
		return true;
	if (chain_follow(&c, question_slot_name(q, SLOT_HIP), a))
		return false;
	raise_mode(d, q, &c);
	if (leads_home(d, q, &c))
		return true;
	v.ttl = c.ttl;
	if (rcode == SCAN_NOERROR)
		chain_each(&c, a, SCAN_HIP, visit_hip, &v);
	if (q->hip == HIP_GOOD)
		q->place->owner = c.names[c.num - 1];
	return true;
}

/* ---- addresses -------------------------------------------------------- */

struct address_visit {
	struct dns *d;
	struct slot_state *s;
};

static void visit_address(const struct scan_rr *rr, void *arg)
{
	struct address_visit *v = arg;
	bool six = rr->type == SCAN_AAAA;
	struct addr a;

	if (rr->rdlen != (six ? 16 : 4)) {
		reason_count(&v->d->reasons, REASON_DNS_LOCATOR);
		v->s->odd = true;
		return;
	}
	a = six ? addr_from6(rr->rdata) : addr_from4(rr->rdata);
	if (!locator_is_usable(&a, six, &v->d->pool6, &v->d->pool4)) {
		reason_count(&v->d->reasons, REASON_DNS_LOCATOR);
		v->s->odd = true;
		return;
	}
	if (rr->ttl < v->s->ttl)
		v->s->ttl = rr->ttl;
	if (v->s->num < DNS_LOCATORS_MAX)
		v->s->addrs[v->s->num++] = a;
	else
		v->s->odd = true;
}

bool answer_addresses(struct dns *d, struct question *q, enum slot slot,
		      const struct chain_answer *a)
{
	struct slot_state *s = question_slot(q, slot);
	struct address_visit v = { .d = d, .s = s };
	struct chain c;

	if (chain_follow(&c, question_slot_name(q, slot), a))
		return false;
	if (slot < SLOT_RVS)
		raise_mode(d, q, &c);
	s->num = 0;
	s->odd = false;
	s->ttl = c.ttl;
	chain_each(&c, a, question_slot_type(q, slot), visit_address, &v);
	return true;
}

/* ---- the client's own query ------------------------------------------- */

static bool hold_own(struct dns *d, struct question *q,
		     const struct chain_answer *a)
{
	uint8_t *copy;

	if (a->len > HELD_MAX - d->held || !(copy = malloc(a->len))) {
		reason_count(&d->reasons, REASON_DNS_BUSY);
		return false;
	}
	memcpy(copy, a->msg, a->len);
	q->own = copy;
	q->own_len = a->len;
	d->held += a->len;
	return true;
}

/* ---- coming in -------------------------------------------------------- */

struct incoming {
	struct scan_header header;
	struct chain_answer answer;
	bool bare;	/* an error that does not repeat the question */
	bool case_lost; /* it repeats it in other letters: no answer */
};

static bool question_matches(const struct ask *a,
			     const struct scan_question *got)
{
	const struct question *q = a->q;
	const struct dname *name = question_slot_name(q, a->slot);

	if (got->type != question_slot_type(q, a->slot))
		return false;
	/* As the client would see it. */
	if (a->slot == SLOT_OWN && got->class != q->asked.class)
		return false;
	if (a->slot != SLOT_OWN && got->class != SCAN_IN)
		return false;
	return dname_eq(&got->name, name);
}

/* Our own asks must come back in the very case they were sent: else somebody
 * guesses, or the server does not keep it, which TCP tells. */
static bool keeps_case(const struct ask *a, const struct scan_question *got)
{
	return a->slot == SLOT_OWN || a->tcp ||
	       dname_same(&got->name, question_slot_name(a->q, a->slot));
}

static enum reason match(const struct ask *a, const uint8_t *msg, size_t len,
			 struct incoming *in)
{
	struct rd r = rd_init(msg, len);
	struct scan_question got;

	memset(in, 0, sizeof(*in));
	scan_header(&r, &in->header);
	if (r.bad)
		return REASON_DNS_MALFORMED;
	if (!(in->header.flags & SCAN_QR) || scan_opcode(&in->header) != 0 ||
	    in->header.id != a->msg_id)
		return REASON_DNS_MISMATCH;
	in->answer.msg = msg;
	in->answer.len = len;
	in->answer.records_at = SCAN_HEADER;
	/* Servers that cannot read a query may say so in a header alone. */
	in->bare = in->header.count[0] == 0 && len == SCAN_HEADER &&
		   scan_rcode(&in->header) != SCAN_NOERROR;
	if (in->bare)
		return REASON_NUM;
	if (in->header.count[0] != 1)
		return REASON_DNS_MISMATCH;
	scan_question(&r, msg, &got);
	if (r.bad)
		return REASON_DNS_MALFORMED;
	if (!question_matches(a, &got))
		return REASON_DNS_MISMATCH;
	in->case_lost = !keeps_case(a, &got);
	if (in->case_lost)
		return REASON_DNS_MISMATCH;
	in->answer.records_at = (size_t)(r.p - msg);
	in->answer.records_num = in->header.count[1];
	return REASON_NUM;
}

/* Something of ours was answered: what does it say? */
static void digest(struct dns *d, struct question *q, enum slot slot,
		   const struct incoming *in)
{
	struct slot_state *s = question_slot(q, slot);
	unsigned rcode = scan_rcode(&in->header);
	bool ok;

	if (q->located && (slot == SLOT_A || slot == SLOT_AAAA))
		return; /* it is known better */
	s->num = 0;
	s->found = FOUND_ANSWERED;
	if (slot == SLOT_HIP)
		ok = answer_hip(d, q, &in->answer, rcode);
	else
		ok = rcode != SCAN_NOERROR ||
		     answer_addresses(d, q, slot, &in->answer);
	if (ok)
		return;
	reason_count(&d->reasons, REASON_DNS_MALFORMED);
	s->found = FOUND_FAILED;
}

void answer_kept(struct dns *d, struct question *q, enum slot slot,
		 const struct chain_answer *a)
{
	struct incoming in = { .answer = *a };
	struct slot_state *s = question_slot(q, slot);
	enum found was = s->found;

	in.header.flags = get_be16(a->msg + 2);
	digest(d, q, slot, &in);
	if (s->found != FOUND_ANSWERED)
		s->found = was;
}

static void keep(struct dns *d, const struct question *q, enum slot slot,
		 const struct incoming *in, uint64_t now)
{
	struct cache_key key = question_key(d, q, slot);

	if (!in->bare && !(in->header.flags & SCAN_TC))
		cache_put(d->cache, &key, &in->answer, scan_rcode(&in->header),
			  now);
}

/* The client's own query is an address look-up, too. */
static void digest_own(struct dns *d, struct question *q,
		       const struct incoming *in, uint64_t now)
{
	enum slot shared = q->asked.type == SCAN_A ? SLOT_A : SLOT_AAAA;
	bool cut = in->header.flags & SCAN_TC;
	struct chain c;

	q->slots[SLOT_OWN].found = FOUND_ANSWERED;
	if (q->kind != QUESTION_LOOKUP && !q->watched)
		return;
	q->own_cut = cut || in->bare; /* says nothing of addresses */
	if (q->own_cut || q->watched || !question_trusts(d, q) ||
	    (q->asked.type != SCAN_A && q->asked.type != SCAN_AAAA)) {
		/* Nothing of it is used, but it must not go round HIP. */
		if (chain_follow(&c, &q->asked.name, &in->answer) == 0)
			raise_mode(d, q, &c);
		return;
	}
	/* Of a name that does not exist the server says so for every type,
	 * and what was not validated (CD) is not for others. */
	if (!(q->header.flags & SCAN_CD))
		keep(d, q, shared, in, now);
	digest(d, q, shared, in);
}

/* ---- those who wait for the same ---------------------------------------- */

struct follower {
	uint32_t question;
	enum slot slot;
};

/* Into *out, the caller's to free; how many. NULL: they ask themselves, in
 * time. */
static size_t find_followers(const struct dns *d, const struct cache_key *key,
			     struct follower **out)
{
	const struct follow *f = NULL;
	size_t num = 0;

	while ((f = question_follower(d, key, f)))
		num++;
	*out = num ? calloc(num, sizeof(**out)) : NULL;
	if (!*out)
		return 0;
	num = 0;
	while ((f = question_follower(d, key, f))) {
		(*out)[num].question = f->q->id;
		(*out)[num++].slot = f->slot;
	}
	return num;
}

/* Gives them the answer as if each had asked. Each may end others. */
static void serve_followers(struct dns *d, const struct cache_key *key,
			    const struct incoming *in, uint64_t now)
{
	struct follower *list;
	size_t num = find_followers(d, key, &list);

	for (size_t i = 0; i < num; i++) {
		struct question *q = question_find(d, list[i].question);

		if (!q || !question_slot(q, list[i].slot)->follow.q)
			continue; /* what it got before was enough */
		question_unfollow(d, q, list[i].slot);
		digest(d, q, list[i].slot, in);
		progress_step(d, q, now);
	}
	free(list);
}

/* Nothing of a truncated answer is used but that it had a HIP record: the
 * name is a HIP host's, whatever becomes of the next try. True: it led to a
 * record of ours, and what was cut off does not count. */
static bool digest_cut(struct dns *d, struct question *q, enum slot slot,
		       const struct incoming *in)
{
	if (slot != SLOT_HIP)
		return false;
	(void)answer_hip(d, q, &in->answer, scan_rcode(&in->header));
	if (!q->local)
		q->hip = q->hip_seen ? HIP_BAD : HIP_NONE;
	return q->local;
}

/* A wrong answer at the right socket may be a guess (RFC 5452): who guesses
 * that often is not given time to hit. */
#define WRONG_MAX 20

static void count_wrong(struct dns *d, struct ask *a, enum reason why,
			bool case_lost, uint64_t now)
{
	struct question *q;

	reason_count(&d->reasons, why);
	if (!a || a->slot == SLOT_OWN || a->tcp ||
	    (++a->wrong < WRONG_MAX && !case_lost))
		return; /* the right one may still come */
	if (!case_lost)
		reason_count(&d->reasons, REASON_DNS_SPOOFED);
	q = a->q;
	fetch_tcp(d, q, a->slot, now);
	progress_step(d, q, now);
}

/* It was ours, of a slot that is not the client's own query. */
static void take(struct dns *d, struct ask *a, const struct incoming *in,
		 uint64_t now)
{
	struct question *q = a->q;
	enum slot slot = a->slot;
	struct cache_key key = question_key(d, q, slot);
	struct dname name = *key.name; /* q may be gone when it is needed */

	key.name = &name;
	if ((in->header.flags & SCAN_TC) && !a->tcp &&
	    !digest_cut(d, q, slot, in)) {
		fetch_tcp(d, q, slot, now);
		progress_step(d, q, now);
		return;
	}
	question_close(d, q, slot);
	digest(d, q, slot, in);
	/* What cannot be used may be mended at any time. */
	if (question_slot(q, slot)->found == FOUND_ANSWERED &&
	    !(slot == SLOT_HIP && q->hip == HIP_BAD))
		keep(d, q, slot, in, now);
	progress_step(d, q, now);
	serve_followers(d, &key, in, now);
}

static void take_ours(struct dns *d, struct ask *a, const struct incoming *in,
		      uint64_t now)
{
	struct question *q = a->q;
	enum slot slot = a->slot;

	if (deaf_heard(d, a, scan_rcode(&in->header), now)) {
		fetch_plain(d, a, now);
		progress_step(d, q, now);
	} else if (q->kind == QUESTION_TRIAL) {
		question_close(d, q, slot);
		q->slots[slot].found = FOUND_ANSWERED;
		progress_step(d, q, now);
	} else {
		take(d, a, in, now);
	}
}

void dns_answer(struct dns *d, uint32_t ask, const struct endpoint *from,
		const uint8_t *msg, size_t len, uint64_t now)
{
	struct ask *a = question_find_ask(d, ask);
	enum reason why = REASON_DNS_MISMATCH;
	struct incoming in = { .case_lost = false };
	struct question *q;

	outbox_settle(&d->outbox);
	if (a && !a->validate && endpoint_eq(from, &a->server) &&
	    len <= DNS_MSG_MAX)
		why = match(a, msg, len, &in);
	if (why != REASON_NUM) {
		count_wrong(d, a, why, in.case_lost, now);
		return;
	}
	upstream_answered(&d->upstream, &a->server);
	if (a->slot != SLOT_OWN) {
		take_ours(d, a, &in, now);
		return;
	}
	q = a->q;
	if (!hold_own(d, q, &in.answer))
		return;
	question_close(d, q, SLOT_OWN);
	digest_own(d, q, &in, now);
	progress_step(d, q, now);
}

static bool has_hip(const struct chain_answer *a)
{
	struct rd r = rd_init(a->msg + a->records_at, a->len - a->records_at);
	struct scan_rr rr;

	for (unsigned i = 0; i < a->records_num; i++) {
		scan_rr(&r, a->msg, &rr);
		if (r.bad || rr.type == SCAN_HIP)
			return true; /* broken: no proof that there is none */
	}
	return false;
}

/* Reads what the validator gives; it has matched it to its own questions. */
static bool read_validated(const struct ask *a, const uint8_t *msg, size_t len,
			   struct incoming *in)
{
	struct rd r = rd_init(msg, len);
	struct scan_question got;

	memset(in, 0, sizeof(*in));
	scan_header(&r, &in->header);
	scan_question(&r, msg, &got);
	if (r.bad || in->header.count[0] != 1 || got.type != SCAN_HIP ||
	    !dname_eq(&got.name, question_slot_name(a->q, a->slot)))
		return false;
	in->answer.msg = msg;
	in->answer.len = len;
	in->answer.records_at = (size_t)(r.p - msg);
	in->answer.records_num = in->header.count[1];
	return true;
}

/* There never was a record, or it was taken away by who may: no pin. */
static void unpin(struct dns *d, struct question *q)
{
	struct dns_effect e = { .kind = DNS_UNPINNED };

	const struct dname *name = question_slot_name(q, SLOT_HIP);

	if (q->hip != HIP_NONE || !pins_del(d->pins, name))
		return;
	q->pinned = false;
	q->mode = policy_mode(d->policy, name);
	if (dname_print(name, e.name))
		e.name[0] = '\0';
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

static void not_proven(struct dns *d, struct question *q, uint64_t now)
{
	reason_count(&d->reasons, REASON_DNS_BOGUS);
	question_close(d, q, SLOT_HIP);
	q->bogus = true;
	q->slots[SLOT_HIP].found = FOUND_FAILED;
	progress_step(d, q, now);
}

void dns_validated(struct dns *d, uint32_t ask, enum dns_security security,
		   const uint8_t *msg, size_t len, uint64_t now)
{
	struct ask *a = question_find_ask(d, ask);
	bool require = d->dnssec == DNS_DNSSEC_REQUIRE;
	struct incoming in;
	struct question *q;
	unsigned rcode;

	outbox_settle(&d->outbox);
	if (!a || !a->validate) {
		reason_count(&d->reasons, REASON_DNS_MISMATCH);
		return;
	}
	q = a->q;
	if (security == DNS_BOGUS || !read_validated(a, msg, len, &in)) {
		not_proven(d, q, now);
		return;
	}
	rcode = scan_rcode(&in.header);
	in.header.flags &= (uint16_t)~SCAN_TC; /* it has all of it */
	/* A validator says SERVFAIL when it cannot get at the proof. */
	if (require && rcode != SCAN_NOERROR && rcode != SCAN_NXDOMAIN) {
		not_proven(d, q, now);
		return;
	}
	if (security == DNS_INSECURE && require && has_hip(&in.answer)) {
		not_proven(d, q, now);
		return;
	}
	if (security == DNS_SECURE && !has_hip(&in.answer) &&
	    (rcode == SCAN_NOERROR || rcode == SCAN_NXDOMAIN)) {
		q->hip = HIP_NONE;
		unpin(d, q);
	}
	take(d, a, &in, now);
}
