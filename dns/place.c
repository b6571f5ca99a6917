/* SPDX-License-Identifier: MIT */
/* Where a HIP host is (RFC 8005 4.1, 5.6). */
#include "dns/place.h"

/* The slot that finds an address of rendezvous server i: the name's own
 * when the record lists its owner (RFC 8005 4.1). */
static enum slot rvs_slot(const struct question *q, size_t i, bool v6)
{
	const struct place *p = q->place;

	if (dname_eq(&p->rvs[i], &p->owner) ||
	    dname_eq(&p->rvs[i], &q->asked.name))
		return v6 ? SLOT_AAAA : SLOT_A;
	return (enum slot)(SLOT_RVS + 2 * i + (v6 ? 1 : 0));
}

size_t place_slots(const struct question *q, enum slot out[SLOT_NUM])
{
	size_t num = 0;

	if (q->place->rvs_num == 0) {
		out[num++] = SLOT_AAAA;
		out[num++] = SLOT_A;
	}
	for (size_t i = 0; i < q->place->rvs_num; i++) {
		out[num++] = rvs_slot(q, i, true);
		out[num++] = rvs_slot(q, i, false);
	}
	return num;
}

static void add_locator(struct dns_host *h, const struct addr *a)
{
	for (size_t i = 0; i < h->locators_num; i++) {
		if (addr_eq(&h->locators[i], a))
			return;
	}
	if (h->locators_num < DNS_LOCATORS_MAX)
		h->locators[h->locators_num++] = *a;
}

/* Each slot has its share, so that many addresses of one family do not hide
 * the other. */
bool place_collect(struct question *q, uint32_t *ttl)
{
	struct dns_host *h = &q->place->host;
	enum slot list[SLOT_NUM];
	size_t num = place_slots(q, list);
	size_t share = DNS_LOCATORS_MAX / num;
	bool more = false;

	*ttl = h->ttl;
	h->locators_num = 0;
	for (size_t i = 0; i < num; i++) {
		const struct slot_state *s = question_slot(q, list[i]);

		more = more || s->found == FOUND_WAIT;
		if (s->found != FOUND_ANSWERED || s->num == 0)
			continue;
		for (size_t k = 0; k < s->num && k < share; k++)
			add_locator(h, &s->addrs[k]);
		if (s->ttl < *ttl)
			*ttl = s->ttl;
	}
	return more;
}
