/* SPDX-License-Identifier: MIT */
/* Who may: access rules by HIT and by address (RFC 7401 7, 8003 3.3). */
/* THEORY OF OPERATION
 * A role's rules are read as a packet filter's are: the first one that
 * fits, by the peer's HIT or by its address, decides. Who fits none is
 * refused where the list holds an `allow`, else let in; so a list of
 * `deny` only keeps some out, and an empty one nobody.
 *
 * An attacker chooses both the HIT of an I1 and, within limits, the address
 * it comes from, so a look-up must not walk the rules. HITs are sorted, each
 * with the number of the first rule that names it. Prefixes are made into
 * spans that cover all addresses without overlap, each with the first rule
 * that holds there. The smaller number of the two finds is the first rule:
 * two binary searches, however many rules there are and however they nest.
 *
 * Owner: the engine's thread. A list is never changed but for its counts;
 * hip_set_access makes a new one and swaps.
 */
#include "hip/access.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct access_rule {
	struct hip_access_rule r;
	uint64_t hits;
};

struct access_hit {
	struct hit hit;
	size_t rule;
};

/* From here to the next span, this is the first rule that fits. */
struct access_span {
	struct addr from;
	size_t rule; /* SIZE_MAX: none */
};

/* A prefix as the addresses it holds, while a list is made. */
struct range {
	struct addr first;
	struct addr last;
	size_t rule;
};

static int cmp_hit(const void *x, const void *y)
{
	const struct access_hit *a = x;
	const struct access_hit *b = y;
	int c = hit_cmp(&a->hit, &b->hit);

	return c ? c : (a->rule > b->rule) - (a->rule < b->rule);
}

static int cmp_addr(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

/* By their begin, the wider first: who is inside comes after. */
static int cmp_range(const void *x, const void *y)
{
	const struct range *a = x;
	const struct range *b = y;
	int c = cmp_addr(&a->first, &b->first);

	return c ? c : cmp_addr(&b->last, &a->last);
}

static struct range range_of(const struct prefix *p, size_t rule)
{
	struct range r = { p->addr, p->addr, rule };

	for (size_t i = 0; i < sizeof(r.first.b); i++) {
		size_t bits = p->len > i * 8 ? p->len - i * 8 : 0;
		uint8_t host = (uint8_t)(0xff >> (bits < 8 ? bits : 8));

		r.first.b[i] = (uint8_t)(r.first.b[i] & ~host);
		r.last.b[i] |= host;
	}
	return r;
}

static void list_fini(struct access_list *l)
{
	free(l->rule);
	free(l->hit);
	free(l->span);
	*l = (struct access_list){ 0 };
}

void access_fini(struct access *a)
{
	for (size_t i = 0; i < HIP_ROLE_NUM; i++)
		list_fini(&a->list[i]);
}

/* Of equal ones only the first can ever decide. */
static void sort_hits(struct access_list *l)
{
	size_t n = 0;

	qsort(l->hit, l->hit_num, sizeof(*l->hit), cmp_hit);
	for (size_t i = 0; i < l->hit_num; i++) {
		if (!n || !hit_eq(&l->hit[i].hit, &l->hit[n - 1].hit))
			l->hit[n++] = l->hit[i];
	}
	l->hit_num = n;
}

static void put_span(struct access_list *l, const struct addr *from,
		     size_t rule)
{
	if (l->span_num && cmp_addr(&l->span[l->span_num - 1].from, from) == 0)
		l->span_num--;
	l->span[l->span_num++] =
		(struct access_span){ .from = *from, .rule = rule };
}

/* What comes behind the range on top begins with the rule below it. */
static void leave_range(struct access_list *l, const struct range *top,
			const struct range *below)
{
	struct addr next = top->last;
	size_t i = sizeof(next.b);

	while (i > 0 && ++next.b[i - 1] == 0)
		i--;
	if (i > 0) /* else: it was the end of all addresses */
		put_span(l, &next, below->rule);
}

/* Prefixes lie inside each other or apart, so one sweep from low to high
 * with those it is inside of (at most one a length, 0 to 128) suffices. */
static void make_spans(struct access_list *l, struct range *r, size_t num)
{
	struct range in[130] = { { .rule = SIZE_MAX } };
	size_t depth = 0;

	qsort(r, num, sizeof(*r), cmp_range);
	put_span(l, &addr_any6, SIZE_MAX);
	for (size_t i = 0; i < num; i++) {
		while (depth && cmp_addr(&in[depth].last, &r[i].first) < 0) {
			leave_range(l, &in[depth], &in[depth - 1]);
			depth--;
		}
		/* An equal range stands on the same place. */
		if (!depth || cmp_range(&in[depth], &r[i]) != 0) {
			depth++;
			in[depth] = r[i];
			in[depth].rule = in[depth - 1].rule;
		}
		if (r[i].rule < in[depth].rule)
			in[depth].rule = r[i].rule;
		put_span(l, &r[i].first, in[depth].rule);
	}
	for (; depth; depth--)
		leave_range(l, &in[depth], &in[depth - 1]);
}

static int check(const struct hip_access *in)
{
	if (in->num > HIP_ACCESS_MAX)
		return HG_EFULL;
	for (size_t i = 0; i < in->num; i++) {
		const struct hip_access_rule *r = &in->rules[i];

		if (r->by_hit ? !hit_is_orchid(r->hit.b) : r->prefix.len > 128)
			return HG_EINVAL;
	}
	return HG_OK;
}

static int list_init(struct access_list *l, const struct hip_access *in)
{
	struct range *range;
	size_t ranges = 0;
	int err = check(in);

	if (err || in->num == 0)
		return err;
	l->rule = calloc(in->num, sizeof(*l->rule));
	l->hit = calloc(in->num, sizeof(*l->hit));
	l->span = calloc(2 * in->num + 1, sizeof(*l->span));
	range = calloc(in->num, sizeof(*range));
	if (!l->rule || !l->hit || !l->span || !range) {
		free(range);
		return HG_ENOMEM;
	}
	for (size_t i = 0; i < in->num; i++) {
		const struct hip_access_rule *r = &in->rules[i];

		if (r->by_hit)
			l->hit[l->hit_num++] =
				(struct access_hit){ .hit = r->hit, .rule = i };
		else
			range[ranges++] = range_of(&r->prefix, i);
		l->closed = l->closed || r->allow;
		l->rule[i].r = *r;
	}
	l->num = in->num;
	sort_hits(l);
	make_spans(l, range, ranges);
	free(range);
	return HG_OK;
}

int access_init(struct access *a, const struct hip_access list[HIP_ROLE_NUM])
{
	struct access made = { 0 };
	int err = HG_OK;

	for (size_t i = 0; !err && i < HIP_ROLE_NUM; i++)
		err = list_init(&made.list[i], &list[i]);
	if (err)
		access_fini(&made);
	else
		*a = made;
	return err;
}

/* The first rule that names this HIT; SIZE_MAX: none. */
static size_t find_hit(const struct access_list *l, const struct hit *peer)
{
	size_t lo = 0;
	size_t hi = l->hit_num;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (hit_cmp(&l->hit[mid].hit, peer) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->hit_num && hit_eq(&l->hit[lo].hit, peer)
		       ? l->hit[lo].rule
		       : SIZE_MAX;
}

/* The first rule whose prefix holds this address; SIZE_MAX: none. */
static size_t find_addr(const struct access_list *l, const struct addr *at)
{
	size_t lo = 0;
	size_t hi = l->span_num;

	/* The last span that begins at or before it. */
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (cmp_addr(&l->span[mid].from, at) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return l->span_num ? l->span[lo].rule : SIZE_MAX;
}

enum access_verdict access_judge(struct access *a, enum hip_role role,
				 const struct hit *peer, const struct addr *at)
{
	struct access_list *l = &a->list[role];
	size_t by_hit = find_hit(l, peer);
	size_t by_addr = find_addr(l, at);
	size_t first = by_hit < by_addr ? by_hit : by_addr;

	if (first == SIZE_MAX)
		return ACCESS_NO_RULE;
	l->rule[first].hits++;
	return l->rule[first].r.allow ? ACCESS_ALLOW : ACCESS_DENY;
}

bool access_ok(struct access *a, enum hip_role role, const struct hit *peer,
	       const struct addr *at)
{
	switch (access_judge(a, role, peer, at)) {
	case ACCESS_ALLOW:
		return true;
	case ACCESS_DENY:
		return false;
	case ACCESS_NO_RULE:
		break;
	}
	return !a->list[role].closed;
}

void access_each(const struct access *a,
		 void (*fn)(const struct hip_access_count *c, void *arg),
		 void *arg)
{
	for (size_t i = 0; i < HIP_ROLE_NUM; i++) {
		const struct access_list *l = &a->list[i];

		for (size_t n = 0; n < l->num; n++) {
			struct hip_access_count c = {
				.role = (enum hip_role)i,
				.rule = l->rule[n].r,
				.hits = l->rule[n].hits,
			};

			fn(&c, arg);
		}
	}
}
