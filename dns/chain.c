/* SPDX-License-Identifier: MIT */
/* From a name through CNAMEs to the records at their end (RFC 1034 3.6.2). */
#include "dns/chain.h"

#include <stdbool.h>

static const struct dname *chain_end(const struct chain *c)
{
	return &c->names[c->num - 1];
}

static struct rd records(const struct chain_answer *a)
{
	return rd_init(a->msg + a->records_at, a->len - a->records_at);
}

static int chain_add(struct chain *c, const struct scan_rr *rr,
		     const uint8_t *msg)
{
	struct rd r = rd_init(rr->rdata, rr->rdlen);
	struct dname target;

	dname_get(&r, msg, &target);
	if (r.bad || rd_left(&r))
		return HG_ETRUNC;
	if (c->num == CHAIN_MAX)
		return HG_EFORMAT;
	for (size_t i = 0; i < c->num; i++) {
		if (dname_eq(&c->names[i], &target))
			return HG_EFORMAT;
	}
	c->names[c->num++] = target;
	if (rr->ttl < c->ttl)
		c->ttl = rr->ttl;
	return HG_OK;
}

/* One pass over the answer; servers put chains in order, so that one is
 * enough, but they need not. */
static int pass(struct chain *c, const struct chain_answer *a)
{
	struct rd r = records(a);
	struct scan_rr rr;
	int err;

	for (unsigned i = 0; i < a->records_num; i++) {
		scan_rr(&r, a->msg, &rr);
		if (r.bad)
			return HG_ETRUNC;
		if (rr.type != SCAN_CNAME || rr.class != SCAN_IN ||
		    !dname_eq(&rr.owner, chain_end(c)))
			continue;
		err = chain_add(c, &rr, a->msg);
		if (err)
			return err;
	}
	return HG_OK;
}

int chain_follow(struct chain *c, const struct dname *from,
		 const struct chain_answer *a)
{
	size_t before;
	int err;

	if (a->records_num > CHAIN_RECORDS_MAX)
		return HG_EFORMAT;
	c->names[0] = *from;
	c->num = 1;
	c->ttl = UINT32_MAX;
	do {
		before = c->num;
		err = pass(c, a);
	} while (!err && c->num > before);
	return err;
}

void chain_each(const struct chain *c, const struct chain_answer *a,
		uint16_t type, void (*fn)(const struct scan_rr *rr, void *arg),
		void *arg)
{
	struct rd r = records(a);
	struct scan_rr rr;

	for (unsigned i = 0; i < a->records_num; i++) {
		scan_rr(&r, a->msg, &rr);
		if (r.bad)
			return;
		if (rr.type == type && rr.class == SCAN_IN &&
		    dname_eq(&rr.owner, chain_end(c)))
			fn(&rr, arg);
	}
}
