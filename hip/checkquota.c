/* SPDX-License-Identifier: MIT */
/* How often an address is asked that has not answered, whatever its port. */
/* A peer may name addresses that are somebody else's, and as many ports of
 * one as it likes; its victim is the address. So questions are counted for an
 * address, or an IPv6 network of 64 bits, of which whoever has one has all;
 * also over sets that withdraw one port and name the next. The count is of
 * one association; what all together may do, budget.c bounds. */
#include "hip/checkquota.h"

static struct addr prefix_of(const struct addr *at)
{
	struct addr p = *at;

	for (unsigned i = 8; !addr_is4(at) && i < sizeof(p.b); i++)
		p.b[i] = 0;
	return p;
}

static struct checkquota_row *find(const struct checkquota *q,
				   const struct addr *at)
{
	struct addr prefix = prefix_of(at);

	for (unsigned i = 0; i < CHECKQUOTA_NUM; i++) {
		if (q->row[i].asked && addr_eq(&q->row[i].prefix, &prefix))
			return (struct checkquota_row *)&q->row[i];
	}
	return NULL;
}

bool checkquota_left(const struct checkquota *q, const struct addr *at)
{
	const struct checkquota_row *r = find(q, at);

	return !r || r->asked < CHECKQUOTA_MAX;
}

void checkquota_take(struct checkquota *q, const struct addr *at, uint64_t now)
{
	struct checkquota_row *r = find(q, at);

	if (!r) {
		r = &q->row[0];
		for (unsigned i = 1; i < CHECKQUOTA_NUM && r->asked; i++) {
			if (!q->row[i].asked || q->row[i].since < r->since)
				r = &q->row[i];
		}
		*r = (struct checkquota_row){ .prefix = prefix_of(at),
					      .since = now };
	}
	if (r->asked < CHECKQUOTA_MAX)
		r->asked++;
}

void checkquota_named(struct checkquota *q, const struct addr *at, uint64_t now)
{
	struct checkquota_row *r = find(q, at);

	if (r && now - r->since >= CHECKQUOTA_FORGIVE_NS)
		r->asked = 0;
}

void checkquota_seen(struct checkquota *q, const struct addr *at, uint64_t now)
{
	struct checkquota_row *r = find(q, at);

	if (!r || r->asked < CHECKQUOTA_MAX ||
	    now - r->since < CHECKQUOTA_FORGIVE_NS)
		return;
	r->asked--;
	r->since = now;
}

void checkquota_paid(struct checkquota *q, const struct addr *at)
{
	struct checkquota_row *r = find(q, at);

	if (r)
		r->asked--;
}
