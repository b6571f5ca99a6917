/* SPDX-License-Identifier: MIT */
/* Our own addresses, as the kernel has them; see links.h. */
/* THEORY OF OPERATION
 * Two rtnetlink sockets. One listens: whatever it hears about links,
 * addresses and default routes only says that something has changed, so
 * nothing is lost when the kernel's queue overflows. Then all is asked for
 * anew over the other one: which links run, which addresses they have, and
 * from which of them the kernel would leave for the Internet. The first of a
 * burst of news is looked at at once, the rest soon (an address comes some ms
 * before its route, and both are needed), and ever less often while the burst
 * lasts; a look that failed is taken again.
 *
 * Left out: links without a carrier, our own TUN, addresses that are not yet
 * ours, link-local ones, since an endpoint has no scope. Quiet are those that
 * peers should not be told of: addresses on loopback or to go out of use;
 * where a link has temporary addresses (RFC 8981), its lasting ones, since
 * who asked for the former does not want to be known by the latter; and,
 * where some link of the family leads to the Internet, those on links that
 * do not: who is out there cannot come in by them. The kernel says whether
 * one leads there, by whatever rules and tables it has. Where it would leave
 * from an address by itself, that is never quiet.
 */
#include "links.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libmnl/libmnl.h>

#include "asked.h"

enum {
	APART_MS = 5, /* doubles while news come, */
	APART_MOST_MS = 80,
	AGAIN_MS = 1000,
	WAYS = 1024,   /* a power of two */
	WAY_MS = 1000, /* for so long a way is taken as it was */
};

/* The answer of links_out. */
struct way {
	struct addr self;
	struct addr to;
	unsigned link;
	uint64_t since; /* ms of the loop's clock; 0: nothing is here */
};

struct links {
	struct mnl_socket *news;
	uv_poll_t poll;
	uv_timer_t timer; /* runs: no look before it ends */
	bool dirty;	  /* then there is one */
	bool routed;	  /* a default route has come or gone */
	unsigned apart;	  /* ms to the next one */
	links_fn fn;
	void *arg;
	struct links_address list[LINKS_MAX]; /* what there is */
	size_t num;
	struct way way[WAYS];
	struct asked q;
};

/* ---- ways --------------------------------------------------------------- */

static unsigned fresh_way(struct links *l, const struct addr *self,
			  const struct addr *to, unsigned link)
{
	if (asked_way(&l->q, self, to, 0) == link)
		return 0;
	return asked_way(&l->q, self, to, link) == link ? link : 0;
}

static struct way *place_of_way(struct links *l, const struct addr *self,
				const struct addr *to)
{
	uint32_t h = 2166136261; /* FNV-1a; who fills one place pays a call */

	for (size_t i = 0; i < sizeof(to->b); i++)
		h = (h ^ to->b[i] ^ (uint32_t)self->b[i] << 8) * 16777619;
	return &l->way[(h ^ h >> 16) & (WAYS - 1)];
}

unsigned links_out(struct links *l, const struct addr *self,
		   const struct addr *to)
{
	unsigned link = 0;
	bool several = false;
	struct way *w;
	uint64_t now;

	if (!l)
		return 0;
	for (size_t i = 0; i < l->num; i++) {
		several = several || l->list[i].link != l->list[0].link;
		if (addr_eq(&l->list[i].addr, self))
			link = l->list[i].link;
	}
	if (!l->q.sock || !several || !link || addr_is4(self) != addr_is4(to))
		return 0;
	now = uv_now(l->timer.loop);
	w = place_of_way(l, self, to);
	if (w->since && now - w->since < WAY_MS && addr_eq(&w->self, self) &&
	    addr_eq(&w->to, to))
		return w->link;
	*w = (struct way){ *self, *to, fresh_way(l, self, to, link), now };
	return w->link;
}

/* ---- what there is -------------------------------------------------------- */

/* Has its link temporary addresses beside it? */
static bool superseded(const struct asked *q, const struct told *t)
{
	if (t->temporary || addr_is4(&t->a.addr))
		return false;
	for (size_t i = 0; i < q->all_num; i++) {
		if (q->all[i].temporary && q->all[i].a.link == t->a.link)
			return true;
	}
	return false;
}

/* Is there a link that leads farther than that of t? */
static bool outdone(const struct asked *q, const struct told *t)
{
	for (size_t i = 0; !t->far && i < q->all_num; i++) {
		if (q->all[i].far &&
		    addr_is4(&q->all[i].a.addr) == addr_is4(&t->a.addr))
			return true;
	}
	return false;
}

static void judge(struct asked *q)
{
	for (size_t i = 0; i < q->all_num; i++) {
		struct told *t = &q->all[i];

		t->a.quiet = !t->a.first &&
			     (t->a.quiet || superseded(q, t) || outdone(q, t));
	}
}

/* Quiet ones last, first ones first, then by link, IPv6 before IPv4. */
static int by_use(const void *x, const void *y)
{
	const struct links_address *a = &((const struct told *)x)->a;
	const struct links_address *b = &((const struct told *)y)->a;

	if (a->quiet != b->quiet)
		return a->quiet ? 1 : -1;
	if (a->first != b->first)
		return a->first ? -1 : 1;
	if (a->link != b->link)
		return a->link < b->link ? -1 : 1;
	if (addr_is4(&a->addr) != addr_is4(&b->addr))
		return addr_is4(&a->addr) ? 1 : -1;
	return memcmp(&a->addr, &b->addr, sizeof(a->addr));
}

static bool same(const struct links_address *a, const struct links_address *b,
		 size_t num)
{
	for (size_t i = 0; i < num; i++) {
		if (!addr_eq(&a[i].addr, &b[i].addr) ||
		    a[i].link != b[i].link || a[i].first != b[i].first ||
		    a[i].quiet != b[i].quiet)
			return false;
	}
	return true;
}

static size_t loud(const struct links_address *list, size_t num)
{
	size_t n = 0;

	while (n < num && !list[n].quiet)
		n++;
	return n;
}

/* One address may be on several links. */
static bool listed(const struct links_address *list, size_t num,
		   const struct addr *a)
{
	for (size_t i = 0; i < num; i++) {
		if (addr_eq(&list[i].addr, a))
			return true;
	}
	return false;
}

/* Of which addresses the list tells something new. */
enum change { NO_CHANGE, OF_QUIET_ONES, OF_OTHERS };

static enum change look(struct links *l)
{
	struct links_address list[LINKS_MAX];
	enum change change = OF_QUIET_ONES;
	struct asked *q = &l->q;
	size_t num = 0;

	memset(l->way, 0, sizeof(l->way));
	l->dirty = !asked_all(q);
	if (l->dirty)
		return NO_CHANGE; /* logged */
	judge(q);
	qsort(q->all, q->all_num, sizeof(q->all[0]), by_use);
	for (size_t i = 0; i < q->all_num && num < LINKS_MAX; i++) {
		if (!listed(list, num, &q->all[i].a.addr))
			list[num++] = q->all[i].a;
	}
	if (num == l->num && same(list, l->list, num))
		return NO_CHANGE;
	if (loud(list, num) != loud(l->list, l->num) ||
	    !same(list, l->list, loud(list, num)))
		change = OF_OTHERS;
	memcpy(l->list, list, num * sizeof(list[0]));
	l->num = num;
	return change;
}

static void on_timer(uv_timer_t *t)
{
	struct links *l = t->data;

	if (l->dirty)
		links_look(l);
	else
		l->apart = APART_MS;
}

void links_look(struct links *l)
{
	enum change change = look(l);

	(void)uv_timer_start(&l->timer, on_timer,
			     l->dirty ? AGAIN_MS : l->apart, 0);
	if (l->apart < APART_MOST_MS)
		l->apart *= 2;
	if (change != NO_CHANGE || (l->routed && !l->dirty))
		l->fn(l->list, l->num, change == OF_OTHERS, l->arg);
	l->routed = l->routed && l->dirty;
}

bool links_leads_astray(struct links *l, const struct addr *to)
{
	return l->q.sock && l->q.but &&
	       asked_way(&l->q, NULL, to, 0) != l->q.but;
}

const struct links_address *links_now(const struct links *l, size_t *num)
{
	*num = l->num;
	return l->list;
}

size_t links_of(const struct links *l, const char *name, struct prefix *out)
{
	unsigned link = if_nametoindex(name);
	size_t num = 0;

	for (size_t i = 0; l && link && i < l->num; i++) {
		if (l->list[i].link == link)
			out[num++] = (struct prefix){ .addr = l->list[i].addr,
						      .len = 128 };
	}
	return num;
}

/* ---- news ----------------------------------------------------------------- */

static int concerns_us(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	struct links *l = arg;

	switch (nlh->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		/* A router of the Internet has a million others. */
		if (rt->rtm_dst_len == 0)
			l->dirty = l->routed = true;
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_NEWADDR:
	case RTM_DELADDR:
		l->dirty = true;
		break;
	}
	return MNL_CB_OK;
}

static void on_news(uv_poll_t *p, int status, int events)
{
	struct links *l = p->data;
	ssize_t n;

	(void)events;
	l->dirty = l->dirty || status < 0;
	/* A queue that ran over is an error to libuv, which stops. */
	if (status < 0)
		(void)uv_poll_start(p, UV_READABLE, on_news);
	for (;;) {
		n = mnl_socket_recvfrom(l->news, l->q.buf, sizeof(l->q.buf));
		if (n < 0 && errno == ENOBUFS) {
			l->dirty = true; /* some were lost */
			continue;
		}
		if (n < 0)
			break;
		(void)mnl_cb_run(l->q.buf, (size_t)n, 0, 0, concerns_us, l);
	}
	if (l->dirty && !uv_is_active((uv_handle_t *)&l->timer))
		links_look(l);
}

int links_open(uv_loop_t *loop, unsigned but, links_fn fn, void *arg,
	       struct links **out)
{
	const unsigned groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
				RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE |
				RTMGRP_IPV6_ROUTE;
	struct links *l = calloc(1, sizeof(*l));

	if (!l)
		return HG_ENOMEM;
	l->apart = APART_MS;
	l->q.but = but;
	l->fn = fn;
	l->arg = arg;
	l->q.seq = (unsigned)time(NULL);
	l->news = asked_socket(groups, SOCK_NONBLOCK);
	l->q.sock = l->news ? asked_socket(0, 0) : NULL;
	if (!l->q.sock ||
	    uv_poll_init(loop, &l->poll, mnl_socket_get_fd(l->news))) {
		links_free(l);
		return HG_ESYS;
	}
	l->poll.data = l;
	(void)uv_timer_init(loop, &l->timer); /* cannot fail */
	l->timer.data = l;
	(void)look(l);
	if (l->dirty)
		(void)uv_timer_start(&l->timer, on_timer, AGAIN_MS, 0);
	(void)uv_poll_start(&l->poll, UV_READABLE, on_news);
	*out = l;
	return HG_OK;
}

void links_stop(struct links *l)
{
	if (!l || !l->poll.data)
		return;
	(void)uv_poll_stop(&l->poll);
	(void)uv_timer_stop(&l->timer);
}

void links_free(struct links *l)
{
	if (!l)
		return;
	if (l->news)
		(void)mnl_socket_close(l->news);
	asked_close(&l->q);
	free(l);
}
