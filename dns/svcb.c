/* SPDX-License-Identifier: MIT */
/* Where service bindings lead (RFC 9460); theory in svcb.h. */
#include "dns/svcb.h"

#include <string.h>

#include "core/wire.h"
#include "dns/local.h"

static bool is_binding(uint16_t type)
{
	return type == SCAN_SVCB || type == SCAN_HTTPS;
}

static struct dname bare(const struct dname *name)
{
	struct dname out = { .len = 0 };
	size_t at = 0;

	while (name->wire[at] && name->wire[at + 1] == '_')
		at += 1U + name->wire[at];
	if (!name->wire[at]) /* nothing else */
		return *name;
	out.len = (uint8_t)(name->len - at);
	memcpy(out.wire, name->wire + at, out.len);
	return out;
}

struct dname svcb_host(const struct dname *name, uint16_t type)
{
	return is_binding(type) ? bare(name) : *name;
}

/* RFC 9460 2.2, 2.5: priority, target; the root stands for the owner. */
static bool get_target(const struct scan_rr *rr, const uint8_t *msg,
		       struct dname *out)
{
	struct rd r = rd_init(rr->rdata, rr->rdlen);

	if (!is_binding(rr->type) || rr->class != SCAN_IN)
		return false;
	rd_skip(&r, 2);
	dname_get(&r, msg, out);
	if (r.bad)
		return false;
	*out = bare(out->len == 1 ? &rr->owner : out);
	return true;
}

static bool is_among(const struct dname *list, size_t num,
		     const struct dname *name)
{
	while (num > 0 && !dname_eq(&list[num - 1], name))
		num--;
	return num > 0;
}

size_t svcb_leads(const uint8_t *msg, size_t len, const struct dname *from,
		  struct dname out[SVCB_LEADS])
{
	struct rd r = rd_init(msg, len);
	struct scan_question asked;
	struct scan_header h;
	struct scan_rr rr;
	struct dname name;
	size_t left;
	size_t num = 0;

	scan_header(&r, &h);
	for (unsigned i = 0; i < h.count[0] && !r.bad; i++)
		scan_question(&r, msg, &asked);
	/* Any section: a client may use what stands beside the answer. */
	left = (size_t)h.count[1] + h.count[2] + h.count[3];
	for (; left > 0; left--) {
		scan_rr(&r, msg, &rr);
		if (r.bad)
			break; /* nor does the client read on */
		if (!get_target(&rr, msg, &name) || dname_eq(&name, from) ||
		    is_among(out, num, &name))
			continue;
		if (num == SVCB_LEADS)
			return SVCB_LEADS + 1;
		out[num++] = name;
	}
	return num;
}

static size_t leads_of(const struct question *q, struct dname out[SVCB_LEADS])
{
	struct dname from = svcb_host(&q->asked.name, q->asked.type);

	if (!is_binding(q->asked.type) && q->asked.type != SCAN_ANY)
		return 0;
	return svcb_leads(q->own, q->own_len, &from, out);
}

static bool must_be_hip(const struct dns *d, const struct dname *name)
{
	enum dns_mode mode = policy_mode(d->policy, name);

	return mode == DNS_REQUIRE ||
	       (mode != DNS_OFF &&
		(pins_has(d->pins, name) || local_has(d->local, name)));
}

enum svcb_next svcb_next(const struct dns *d, struct question *q)
{
	struct dname list[SVCB_LEADS];
	size_t num = leads_of(q, list);

	if (num > SVCB_LEADS) {
		q->leads = num;
		return SVCB_HIP;
	}
	while (q->leads < num) {
		const struct dname *name = &list[q->leads++];

		if (must_be_hip(d, name))
			return SVCB_HIP;
		if (policy_mode(d->policy, name) == DNS_OFF)
			continue;
		q->host = *name;
		q->aside = true;
		q->hip = HIP_NONE;
		memset(&q->slots[SLOT_HIP], 0, sizeof(q->slots[SLOT_HIP]));
		return SVCB_ASK;
	}
	return SVCB_NONE;
}

bool svcb_requires(const struct dns *d, const struct question *q)
{
	struct dname list[SVCB_LEADS];
	size_t num = leads_of(q, list);
	bool found = num > SVCB_LEADS;

	for (size_t i = 0; !found && i < num; i++)
		found = must_be_hip(d, &list[i]);
	return found;
}
