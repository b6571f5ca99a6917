/* SPDX-License-Identifier: MIT */
/* Real addresses as answers; theory in real.h. */
#include "dns/real.h"

#include <string.h>

#include "core/wire.h"

bool real_wants(const struct question *q)
{
	return q->transparent && !q->local && q->kind == QUESTION_LOOKUP &&
	       (q->asked.type == SCAN_A || q->asked.type == SCAN_AAAA);
}

bool real_waits(const struct question *q)
{
	return real_wants(q) && q->place->rvs_num == 0 &&
	       q->slots[SLOT_OWN].found == FOUND_WAIT;
}

/* A short IPv6 prefix has IPv4's in our form; its route does not. */
static bool is_routed(const struct dns *d, const struct addr *a)
{
	for (size_t i = 0; i < d->real_num; i++) {
		if (prefix_is4(&d->real[i]) == addr_is4(a) &&
		    prefix_has(&d->real[i], a))
			return true;
	}
	return false;
}

/* All addresses of the server's answer, whoever they are said to be of: a
 * client gets all of them. SIZE_MAX: a record is broken. */
static size_t own_addresses(const struct question *q)
{
	struct rd r = rd_init(q->own, q->own_len);
	struct scan_question asked;
	struct scan_header h;
	struct scan_rr rr;
	size_t num = 0;

	scan_header(&r, &h);
	scan_question(&r, q->own, &asked);
	for (unsigned i = 0; i < h.count[1]; i++) {
		scan_rr(&r, q->own, &rr);
		if (r.bad)
			return SIZE_MAX;
		num += rr.type == SCAN_A || rr.type == SCAN_AAAA;
	}
	return num;
}

bool real_may(const struct dns *d, struct question *q)
{
	const struct slot_state *s =
		&q->slots[q->asked.type == SCAN_A ? SLOT_A : SLOT_AAAA];
	struct dns_host *h;

	if (!real_wants(q) || q->place->rvs_num || !question_trusts(d, q) ||
	    q->slots[SLOT_OWN].found != FOUND_ANSWERED || q->own_cut ||
	    (get_be16(q->own + 2) & 15) != SCAN_NOERROR ||
	    s->found != FOUND_ANSWERED || s->odd || own_addresses(q) != s->num)
		return false;
	for (size_t i = 0; i < s->num; i++) {
		if (!is_routed(d, &s->addrs[i]))
			return false;
	}
	h = &q->place->host;
	memcpy(h->real, s->addrs, sizeof(h->real));
	h->real_num = s->num;
	return true;
}
