/* SPDX-License-Identifier: MIT */
/* What a client's query needs (product.md section 3; RFC 1035, 6891, 8482). */
#include "dns/query.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "dns/local.h"
#include "dns/loop.h"
#include "dns/progress.h"
#include "dns/question.h"
#include "dns/reply.h"
#include "dns/reverse.h"
#include "dns/svcb.h"
#include "dns/toclient.h"

/* A query, read. */
struct query {
	const struct dns_asker *who;
	struct scan_header header;
	struct scan_question asked;
	struct dname host; /* whose HIP record decides */
	struct scan_edns edns;
	char name[DNS_NAME_MAX];
	const uint8_t *msg;
	size_t len;
};

static void answer_header(struct dns *d, const struct query *in, unsigned rcode)
{
	uint8_t msg[SCAN_HEADER];
	struct dns_effect e = {
		.kind = DNS_REPLY,
		.server = in->who->server,
		.who = *in->who,
		.msg = msg,
		.msg_len = sizeof(msg),
		.rcode = rcode,
	};

	reply_header(&in->header, rcode, msg);
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

/* Answers at once, without a question in the table. */
static void answer_now(struct dns *d, const struct query *in, struct reply *r)
{
	r->header = &in->header;
	r->question = &in->asked;
	r->edns = &in->edns;
	toclient_reply(d, in->who, in->name, 0, r);
}

static void answer_error(struct dns *d, const struct query *in, unsigned rcode,
			 const char *text)
{
	struct reply r = {
		.rcode = rcode,
		.ede = REPLY_EDE_BLOCKED,
		.ede_text = text,
	};

	answer_now(d, in, &r);
}

/* Reads the query; what cannot be a question is answered here. */
static bool read_query(struct dns *d, struct query *in)
{
	struct rd r = rd_init(in->msg, in->len);

	scan_header(&r, &in->header);
	if (r.bad) {
		reason_count(&d->reasons, REASON_DNS_MALFORMED);
		return false;
	}
	if (in->header.flags & SCAN_QR) { /* never answer an answer */
		reason_count(&d->reasons, REASON_DNS_NOT_QUERY);
		return false;
	}
	if (scan_opcode(&in->header) != 0 || in->header.count[0] != 1) {
		reason_count(&d->reasons, REASON_DNS_NOT_QUERY);
		answer_header(d, in,
			      scan_opcode(&in->header) ? SCAN_NOTIMP
						       : SCAN_FORMERR);
		return false;
	}
	scan_question(&r, in->msg, &in->asked);
	if (in->len > QUERY_MAX ||
	    scan_edns(&r, in->msg, &in->header, &in->edns)) {
		reason_count(&d->reasons, REASON_DNS_MALFORMED);
		answer_header(d, in, SCAN_FORMERR);
		return false;
	}
	in->host = svcb_host(&in->asked.name, in->asked.type);
	return true;
}

static bool answer_reverse(struct dns *d, const struct query *in)
{
	struct reply r = { .ede_text = NULL };
	struct lease_entry lease;
	struct dname target;
	struct addr a;

	if (!d->lease || in->asked.type != SCAN_PTR ||
	    in->asked.class != SCAN_IN || !reverse_addr(&in->asked.name, &a) ||
	    !((d->pool6.len && prefix_has(&d->pool6, &a)) ||
	      (d->pool4.len && prefix_has(&d->pool4, &a))))
		return false;
	r.ttl = d->ttl_max;
	if (lease_find(d->lease, &a, &lease) &&
	    dname_parse(lease.name, &target) == 0) {
		r.kind = REPLY_PTR;
		r.target = &target;
	} else {
		/* The pool is ours: nobody else knows better. */
		r.kind = REPLY_NODATA;
		r.rcode = SCAN_NXDOMAIN;
	}
	answer_now(d, in, &r);
	return true;
}

static bool may_be_hip(const struct dns *d, uint16_t type)
{
	return (type == SCAN_HIP && d->hide) || type == SCAN_A ||
	       type == SCAN_AAAA || type == SCAN_HTTPS || type == SCAN_SVCB ||
	       type == SCAN_ANY;
}

/* How the query is to be treated; true: it has been refused already. */
static bool choose(struct dns *d, const struct query *in, bool named,
		   enum dns_mode mode, enum question_kind *kind)
{
	/* A real address goes to a client that validates as it came; where
	 * there is none, it must not be led around HIP either. */
	bool require = mode == DNS_REQUIRE || mode == DNS_TRANSPARENT;
	enum dns_mode said = policy_mode(d->policy, &in->host);
	bool real = said == DNS_TRANSPARENT &&
		    (in->asked.type == SCAN_A || in->asked.type == SCAN_AAAA);

	*kind = QUESTION_RELAY;
	if (mode == DNS_OFF || !may_be_hip(d, in->asked.type))
		return false;
	if (in->asked.class != SCAN_IN) {
		/* Class ANY would lead around the rule. */
		if (!require || in->asked.class != SCAN_ANY)
			return false;
		answer_error(d, in, SCAN_REFUSED,
			     "hipgate: HIP required, class ANY refused");
		return true;
	}
	if (in->edns.dnssec_ok && (in->header.flags & SCAN_CD) && !real &&
	    d->validating != DNS_VALIDATING_SYNTHESIZE) {
		if (d->validating != DNS_VALIDATING_REFUSE && !require)
			return false;
		answer_error(d, in, SCAN_REFUSED,
			     require ? "hipgate: HIP required, client "
				       "validates DNSSEC"
				     : "hipgate: client validates DNSSEC");
		return true;
	}
	if (!named) { /* no HIP host's: a mapping could not hold the name */
		if (!require)
			return false;
		answer_error(d, in, SCAN_SERVFAIL,
			     "hipgate: HIP required, name is too long");
		return true;
	}
	*kind = QUESTION_LOOKUP;
	return false;
}

static void answer_stranger(struct dns *d, const struct query *in)
{
	struct reply r = {
		.rcode = SCAN_REFUSED,
		.ede = REPLY_EDE_PROHIBITED,
		.ede_text = "hipgate: not one of its clients",
	};

	answer_now(d, in, &r);
}

static void answer_busy(struct dns *d, const struct query *in, uint64_t now)
{
	struct reply r = {
		.rcode = SCAN_SERVFAIL,
		.ede = REPLY_EDE_NOT_READY,
		.ede_text = PROGRESS_BUSY,
	};

	reason_count(&d->reasons, REASON_DNS_BUSY);
	answer_now(d, in, &r);
	loop_suspect(d, now);
}

static int add(struct dns *d, const struct dns_asker *who,
	       struct question **out)
{
	int err = question_add(d, who, out);

	if (err == HG_EAGAIN && progress_make_room(d))
		err = question_add(d, who, out);
	return err;
}

static void open_question(struct dns *d, const struct query *in,
			  enum question_kind kind, enum dns_mode mode,
			  uint64_t now)
{
	uint8_t *copy = malloc(in->len);
	struct question *q;

	if (!copy || add(d, in->who, &q)) {
		free(copy);
		answer_busy(d, in, now);
		return;
	}
	memcpy(copy, in->msg, in->len);
	q->kind = kind;
	q->mode = mode;
	q->watched = kind == QUESTION_RELAY && mode != DNS_OFF &&
		     in->asked.class == SCAN_IN &&
		     may_be_hip(d, in->asked.type);
	q->pinned = mode != DNS_OFF && pins_has(d->pins, &in->host);
	q->query = copy;
	q->query_len = in->len;
	q->header = in->header;
	q->asked = in->asked;
	q->host = in->host;
	q->aside = !dname_eq(&in->host, &in->asked.name);
	q->edns = in->edns;
	q->transparent = policy_mode(d->policy, &in->host) == DNS_TRANSPARENT;
	if (kind == QUESTION_LOOKUP)
		local_answer(d->local, q, &in->host, d->ttl_max);
	progress_start(d, q, now);
}

/* For the trace: the patent's step A. */
static void say_seen(struct dns *d, const struct query *in)
{
	struct dns_effect e = {
		.kind = DNS_SEEN,
		.server = in->who->server,
		.who = *in->who,
		.qtype = in->asked.type,
	};

	memcpy(e.name, in->name, sizeof(e.name));
	if (outbox_put(&d->outbox, &e))
		reason_count(&d->reasons, REASON_DNS_BUSY);
}

/* Names by which a client finds out that it may ask somebody else, and so see
 * the addresses that we replace. */
static const struct {
	struct dname zone;
	unsigned rcode;
} invitations[] = {
	{ { 15, "\010resolver\4arpa" }, SCAN_NOERROR }, /* RFC 9462 4 */
	/* Firefox asks for it; that it is not there means: do not. */
	{ { 25, "\023use-application-dns\3net" }, SCAN_NXDOMAIN },
};

static bool answer_invitation(struct dns *d, const struct query *in)
{
	const struct dname *name = &in->asked.name;
	struct reply r = {
		.kind = REPLY_NODATA,
		.ttl = d->ttl_max,
		.ede = REPLY_EDE_BLOCKED,
		.ede_text = "hipgate: encrypted DNS would lead around it",
	};

	if (!d->discourage || in->asked.class != SCAN_IN)
		return false;
	for (size_t i = 0; i < sizeof(invitations) / sizeof(invitations[0]);
	     i++) {
		if (!dname_eq(name, &invitations[i].zone) &&
		    !dname_below(name, &invitations[i].zone))
			continue;
		r.rcode = invitations[i].rcode;
		answer_now(d, in, &r);
		return true;
	}
	return false;
}

/* The administrator's own names: what he did not say of them is not there,
 * so that no server is needed. */
static bool answer_local(struct dns *d, const struct query *in,
			 enum dns_mode mode)
{
	struct reply r = {
		.kind = REPLY_NODATA,
		.ttl = d->ttl_max,
		.ede = REPLY_EDE_FORGED,
		.ede_text = "hipgate: a record of this gateway",
	};
	uint8_t rdata[LOCAL_RDATA];

	if (mode == DNS_OFF || in->asked.class != SCAN_IN ||
	    may_be_hip(d, in->asked.type) || !local_has(d->local, &in->host))
		return false;
	if (in->asked.type == SCAN_HIP) {
		r.rdata = rdata;
		r.rdlen = local_record(d->local, &in->asked.name, rdata,
				       sizeof(rdata));
		r.kind = r.rdlen ? REPLY_HIP : REPLY_NODATA;
	}
	answer_now(d, in, &r);
	return true;
}

/* A name that had a HIP record once must have one. */
static enum dns_mode mode_of(const struct dns *d, const struct query *in)
{
	enum dns_mode mode = policy_mode(d->policy, &in->host);

	if (mode != DNS_OFF &&
	    (pins_has(d->pins, &in->host) || local_has(d->local, &in->host)))
		return DNS_REQUIRE;
	return mode;
}

static void answer(struct dns *d, const struct query *in, bool named,
		   uint64_t now)
{
	enum dns_mode mode = mode_of(d, in);
	enum question_kind kind;

	if (!answer_local(d, in, mode) && !choose(d, in, named, mode, &kind))
		open_question(d, in, kind, mode, now);
}

void query_again(struct dns *d, struct question *q, uint64_t now)
{
	struct dns_asker who = q->who;
	uint8_t *msg = q->query;
	struct query in = { .who = &who, .msg = msg, .len = q->query_len };

	q->query = NULL; /* taken */
	question_end(d, q);
	if (read_query(d, &in))
		answer(d, &in, dname_print(&in.asked.name, in.name) == HG_OK,
		       now);
	free(msg);
}

void dns_query(struct dns *d, const struct dns_asker *who, const uint8_t *msg,
	       size_t len, uint64_t now)
{
	struct query in = { .who = who, .msg = msg, .len = len };
	bool named;

	outbox_settle(&d->outbox);
	if (!read_query(d, &in))
		return;
	named = dname_print(&in.asked.name, in.name) == HG_OK;
	if (in.edns.version > 0) { /* RFC 6891 6.1.3 */
		answer_error(d, &in, SCAN_BADVERS, NULL);
		return;
	}
	if (in.asked.type == SCAN_AXFR || in.asked.type == SCAN_IXFR) {
		/* Many messages for one question; and not a host's. */
		answer_error(d, &in, SCAN_REFUSED, NULL);
		return;
	}
	if (loop_met(d, who, in.header.id, &in.asked, now)) {
		answer_error(d, &in, SCAN_REFUSED,
			     "hipgate: a loop, this is its own question");
		return;
	}
	if (who->stranger) {
		reason_count(&d->reasons, REASON_DNS_CLIENT);
		answer_stranger(d, &in);
		return;
	}
	if (question_is_repeated(d, who, in.header.id, &in.asked) ||
	    answer_reverse(d, &in))
		return;
	say_seen(d, &in);
	if (!answer_invitation(d, &in))
		answer(d, &in, named, now);
}
