/* SPDX-License-Identifier: MIT */
/* Our own addresses, and what makes one path better than another. */
/* THEORY OF OPERATION
 * The daemon says which addresses we have; each new list has a number, and
 * an association knows the number its peer was told of. A path whose address
 * is gone is left at once. All else waits until the list has been the same
 * for SETTLE: a link that comes and goes, or addresses that arrive one after
 * the other, cost one UPDATE (RFC 8046 5.2: rapid ones are to be avoided).
 * Behind a NAT that translates 1:1, others know us by addresses that we do not
 * have: peers are told those (here_outside), and never is one a peer's.
 * Associations with servers where we are registered come first, so that who
 * does not find us can ask there. Owner: the engine's thread.
 */
#include "hip/here.h"

#include <sodium.h>
#include <string.h>

#include "hip/engine.h"
#include "hip/reach.h"
#include "hip/readdress.h"

#define SETTLE (100 * ENGINE_MS)
#define SILENCE_MS 1000
#define RETURN_S 10

static void set_policy(struct here *e, const struct hip_path_policy *p)
{
	e->policy = *p;
	if (p->order_num)
		memcpy(e->order, p->order, p->order_num * sizeof(e->order[0]));
	e->policy.order = e->order;
	if (!e->policy.silence_ms)
		e->policy.silence_ms = SILENCE_MS;
	if (!e->policy.return_s)
		e->policy.return_s = RETURN_S;
}

int here_init(struct hip *h)
{
	struct hip_path_policy none = { .prefer = HIP_PREFER_ANNOUNCED };

	randombytes_buf(h->here.key, sizeof(h->here.key));
	set_policy(&h->here, &none);
	if (dueheap_reserve(&h->due))
		return HG_ENOMEM;
	h->here.due.kind = ENGINE_HERE;
	return HG_OK;
}

void here_fini(struct hip *h)
{
	if (h->here.due.kind == ENGINE_HERE) /* it has come that far */
		dueheap_leave(&h->due, &h->here.due);
}

/* ---- the list ---------------------------------------------------------- */

size_t here_find(const struct here *e, const struct endpoint *at)
{
	size_t i = 0;

	while (i < e->all && !endpoint_eq(&e->at[i].at, at))
		i++;
	return i;
}

bool here_has(const struct here *e, const struct endpoint *at)
{
	return here_find(e, at) < e->all;
}

bool here_is_quiet(const struct here *e, const struct endpoint *at)
{
	return here_has(e, at) && here_find(e, at) >= e->num;
}

bool here_lives(const struct here *e, const struct endpoint *at)
{
	return !e->set || addr_is_unspecified(&at->addr) || here_has(e, at);
}

struct endpoint here_towards(const struct here *e, const struct endpoint *to)
{
	for (size_t i = 0; i < e->num; i++) {
		if (addr_is4(&e->at[i].at.addr) == addr_is4(&to->addr))
			return e->at[i].at;
	}
	return (struct endpoint){ .port = HIP_PORT };
}

/* For each association that is not told yet, those with our servers first. */
static void for_all(struct hip *h, bool settled, uint64_t now)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];
		struct assoc *a = assoc_find(&h->assocs, &r->self, &r->rvs);

		if (a)
			readdress_here(h, a, settled, now);
	}
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (struct assoc *a = h->assocs.bucket[i]; a; a = a->next)
			readdress_here(h, a, settled, now);
	}
}

void here_timer(struct hip *h, uint64_t now)
{
	for_all(h, true, now);
}

static bool listed_twice(const struct hip_here *here, size_t num)
{
	for (size_t i = 0; i < num; i++) {
		for (size_t j = 0; j < i; j++) {
			if (endpoint_eq(&here[i].at, &here[j].at))
				return true;
		}
	}
	return false;
}

/* Which of the two kinds it is. */
static bool is_quiet(const struct hip_here *here, size_t loud)
{
	return here->quiet || loud >= HIP_LOUD_MAX;
}

/* Those that are usable, of one kind, behind the others in at. */
static size_t sort_in(const struct hip_here *here, size_t num, bool quiet,
		      struct hip_here *at, size_t n)
{
	size_t loud = 0;

	for (size_t i = 0; i < num; i++) {
		const struct addr *a = &here[i].at.addr;
		bool is;

		if (addr_is_unusable(a) || addr_is_linklocal(a))
			continue; /* RFC 8046 5.2, 8047 5.1 */
		is = is_quiet(&here[i], loud);
		loud += !is;
		if (is != quiet)
			continue;
		at[n].at = here[i].at;
		at[n].link = here[i].link;
		at[n++].quiet = is;
	}
	return n;
}

int hip_set_here(struct hip *h, const struct hip_here *here, size_t num,
		 uint64_t now)
{
	struct here *e = &h->here;
	struct hip_here at[HIP_HERE_MAX];
	bool news;
	size_t n;

	if (num > HIP_HERE_MAX || listed_twice(here, num))
		return HG_EINVAL;
	for (size_t i = 0; i < num; i++) {
		if (!here[i].at.port)
			return HG_EINVAL;
	}
	memset(at, 0, sizeof(at)); /* padding, too: it is compared */
	n = sort_in(here, num, false, at, 0);
	news = !e->set || n != e->num ||
	       memcmp(at, e->at, n * sizeof(at[0])) != 0;
	e->all = sort_in(here, num, true, at, n);
	e->num = n;
	memcpy(e->at, at, sizeof(at));
	e->set = true;
	if (news)
		e->generation++;
	for_all(h, false, now);
	if (!news)
		return HG_OK;
	dueheap_set(&h->due, &e->due, now + SETTLE);
	return HG_OK;
}

/* ---- as others see it --------------------------------------------------- */

static bool outer_ok(const struct hip_outer *o)
{
	if (addr_is_unusable(&o->outer) || addr_is_linklocal(&o->outer))
		return false;
	if (addr_is_unspecified(&o->inner))
		return addr_is4(&o->outer);
	return addr_is4(&o->inner) == addr_is4(&o->outer);
}

int hip_set_outer(struct hip *h, const struct hip_outer *outer, size_t num)
{
	if (num > HIP_OUTER_MAX)
		return HG_EINVAL;
	for (size_t i = 0; i < num; i++) {
		if (!outer_ok(&outer[i]))
			return HG_EINVAL;
		for (size_t k = 0; k < i; k++) {
			if (addr_eq(&outer[k].inner, &outer[i].inner) ||
			    addr_eq(&outer[k].outer, &outer[i].outer))
				return HG_EINVAL;
		}
	}
	if (num)
		memcpy(h->here.outer, outer, num * sizeof(*outer));
	h->here.outer_num = num;
	return HG_OK;
}

struct endpoint here_outside(const struct here *e, const struct endpoint *at)
{
	struct endpoint out = *at;

	for (size_t i = 0; i < e->outer_num; i++) {
		const struct hip_outer *o = &e->outer[i];

		if (addr_eq(&o->inner, &at->addr))
			return (struct endpoint){ o->outer, at->port };
		if (addr_is_unspecified(&o->inner) &&
		    addr_is_private4(&at->addr))
			out.addr = o->outer;
	}
	return out;
}

struct endpoint here_inside(const struct here *e, const struct endpoint *at)
{
	for (size_t i = 0; i < e->outer_num; i++) {
		if (addr_eq(&e->outer[i].outer, &at->addr))
			return (struct endpoint){ e->outer[i].inner, at->port };
	}
	return *at;
}

bool here_is_outer(const struct here *e, const struct addr *a)
{
	for (size_t i = 0; i < e->outer_num; i++) {
		if (addr_eq(&e->outer[i].outer, a))
			return true;
	}
	return false;
}

/* ---- rules ------------------------------------------------------------- */

int hip_set_barred(struct hip *h, const struct prefix *barred, size_t num)
{
	if (num > HIP_BARRED_MAX)
		return HG_EINVAL;
	if (num)
		memcpy(h->here.barred, barred, num * sizeof(*barred));
	h->here.barred_num = num;
	return HG_OK;
}

struct locset_rules here_rules(const struct here *e)
{
	return (struct locset_rules){ e->barred, e->barred_num };
}

int hip_set_path_policy(struct hip *h, const struct hip_path_policy *p,
			uint64_t now)
{
	if (p->order_num > HIP_ORDER_MAX || p->prefer >= HIP_PREFER_NUM)
		return HG_EINVAL;
	set_policy(&h->here, p);
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (struct assoc *a = h->assocs.bucket[i]; a; a = a->next) {
			reach_choose(h, a, now);
			assoc_arm(h, a);
		}
	}
	return HG_OK;
}

static unsigned order_rank(const struct here *e, const struct endpoint *self,
			   const struct endpoint *peer)
{
	unsigned i = 0;

	while (i < e->policy.order_num &&
	       !prefix_has(&e->order[i], &peer->addr) &&
	       !prefix_has(&e->order[i], &self->addr))
		i++;
	return i;
}

unsigned here_rank(const struct here *e, const struct endpoint *self,
		   const struct endpoint *peer, bool preferred)
{
	switch (e->policy.prefer) {
	case HIP_PREFER_ORDER:
		return order_rank(e, self, peer);
	case HIP_PREFER_LINK:
		return (unsigned)here_find(e, self);
	case HIP_PREFER_ANNOUNCED:
	case HIP_PREFER_NUM:
		break;
	}
	return !preferred;
}
