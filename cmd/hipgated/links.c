/* SPDX-License-Identifier: MIT */
/* Our own addresses, as the kernel has them; see links.h. */
/* THEORY OF OPERATION
 * Two rtnetlink sockets. One listens: whatever it hears about links,
 * addresses and default routes only says that something has changed, so
 * nothing is lost when the kernel's queue overflows. Then all is asked for
 * anew over the other one: which links run, which addresses they have, and
 * from which of them the kernel would leave for the Internet.
 *
 * Left out: links without a carrier, our own TUN, addresses that are not
 * (or no longer) to be used for something new, link-local ones, since an
 * endpoint has no scope, and, where a link has temporary addresses (RFC
 * 8981), its lasting ones: who asked for the former does not want to be known
 * by the latter.
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

#include "core/log.h"

enum {
	RUNNING_MAX = 1024, /* links */
	ALL_MAX = 4 * LINKS_MAX,
	TRIES = 3,
};

/* As the kernel tells of it. */
struct told {
	struct links_address a;
	bool temporary;
};

struct links {
	struct mnl_socket *news;
	struct mnl_socket *ask;
	unsigned seq;
	uv_poll_t poll;
	unsigned but;
	links_fn fn;
	void *arg;
	/* what there is */
	struct links_address list[LINKS_MAX];
	size_t num;
	/* what is being told */
	unsigned running[RUNNING_MAX];
	size_t running_num;
	struct told all[ALL_MAX];
	size_t all_num;
	struct addr source; /* of a route that was asked for, */
	unsigned out;	    /*  and its interface */
	uint8_t buf[32768];
};

/* ---- asking ------------------------------------------------------------- */

/* Sends what is in l->buf and has every answer read. */
static int ask(struct links *l, struct nlmsghdr *nlh, mnl_cb_t fn)
{
	unsigned seq = ++l->seq;
	ssize_t n;
	int more = MNL_CB_OK;

	nlh->nlmsg_seq = seq;
	if (mnl_socket_sendto(l->ask, nlh, nlh->nlmsg_len) < 0)
		return HG_ESYS;
	while (more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(l->ask, l->buf, sizeof(l->buf));
		if (n < 0)
			return HG_ESYS;
		more = mnl_cb_run(l->buf, (size_t)n, seq,
				  mnl_socket_get_portid(l->ask), fn, l);
		/* One answer without NLM_F_MULTI is all there is. */
		if (more == MNL_CB_OK &&
		    !(((struct nlmsghdr *)l->buf)->nlmsg_flags & NLM_F_MULTI))
			break;
	}
	return more < 0 ? HG_ESYS : HG_OK;
}

static struct nlmsghdr *request(struct links *l, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(l->buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct links *l = arg;

	if (nlh->nlmsg_type == RTM_NEWLINK && ifi->ifi_flags & IFF_RUNNING &&
	    !(ifi->ifi_flags & IFF_LOOPBACK) &&
	    (unsigned)ifi->ifi_index != l->but && l->running_num < RUNNING_MAX)
		l->running[l->running_num++] = (unsigned)ifi->ifi_index;
	return MNL_CB_OK;
}

static bool runs(const struct links *l, unsigned link)
{
	for (size_t i = 0; i < l->running_num; i++) {
		if (l->running[i] == link)
			return true;
	}
	return false;
}

static bool address_of(const struct nlattr *attr, unsigned family,
		       struct addr *out)
{
	const uint8_t *b = mnl_attr_get_payload(attr);

	if (family == AF_INET && mnl_attr_get_payload_len(attr) == 4)
		*out = addr_from4(b);
	else if (family == AF_INET6 && mnl_attr_get_payload_len(attr) == 16)
		*out = addr_from6(b);
	else
		return false;
	return true;
}

/* Attributes of one message, by type. */
struct attrs {
	const struct nlattr *of[32];
};

static int keep_attr(const struct nlattr *attr, void *arg)
{
	struct attrs *a = arg;

	if (mnl_attr_get_type(attr) < sizeof(a->of) / sizeof(a->of[0]))
		a->of[mnl_attr_get_type(attr)] = attr;
	return MNL_CB_OK;
}

static int take_address(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const uint32_t unfit =
		IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED;
	struct links *l = arg;
	struct told *t = &l->all[l->all_num];
	struct attrs as = { { NULL } };
	const struct nlattr *addr;
	uint32_t flags = ifa->ifa_flags;

	if (nlh->nlmsg_type != RTM_NEWADDR || l->all_num == ALL_MAX ||
	    ifa->ifa_scope >= RT_SCOPE_LINK || !runs(l, ifa->ifa_index))
		return MNL_CB_OK;
	(void)mnl_attr_parse(nlh, sizeof(*ifa), keep_attr, &as);
	/* On a point-to-point link IFA_ADDRESS is the other end. */
	addr = as.of[IFA_LOCAL] ? as.of[IFA_LOCAL] : as.of[IFA_ADDRESS];
	if (as.of[IFA_FLAGS] && mnl_attr_get_payload_len(as.of[IFA_FLAGS]) == 4)
		flags = mnl_attr_get_u32(as.of[IFA_FLAGS]);
	if (!addr || !address_of(addr, ifa->ifa_family, &t->a.addr) ||
	    flags & unfit || addr_is_unusable(&t->a.addr) ||
	    addr_is_linklocal(&t->a.addr))
		return MNL_CB_OK;
	t->a.link = ifa->ifa_index;
	t->a.first = false;
	t->temporary = ifa->ifa_family == AF_INET6 && flags & IFA_F_TEMPORARY;
	l->all_num++;
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	struct links *l = arg;
	struct attrs as = { { NULL } };

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	(void)mnl_attr_parse(nlh, sizeof(*rt), keep_attr, &as);
	if (as.of[RTA_PREFSRC])
		(void)address_of(as.of[RTA_PREFSRC], rt->rtm_family,
				 &l->source);
	if (as.of[RTA_OIF] && mnl_attr_get_payload_len(as.of[RTA_OIF]) == 4)
		l->out = mnl_attr_get_u32(as.of[RTA_OIF]);
	return MNL_CB_OK;
}

static int ask_links(struct links *l)
{
	struct nlmsghdr *nlh = request(l, RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	l->running_num = 0;
	return ask(l, nlh, take_link);
}

static int ask_addresses(struct links *l)
{
	struct nlmsghdr *nlh = request(l, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = AF_UNSPEC;
	l->all_num = 0;
	return ask(l, nlh, take_address);
}

static struct nlmsghdr *route_request(struct links *l, unsigned char family,
				      unsigned flags)
{
	struct nlmsghdr *nlh = request(l, RTM_GETROUTE, 0);
	struct rtmsg *rt = mnl_nlmsg_put_extra_header(nlh, sizeof(*rt));

	rt->rtm_family = family;
	rt->rtm_flags = flags;
	return nlh;
}

/* b: as long as the family of the message has it. */
static void put_address(struct nlmsghdr *nlh, uint16_t type, const uint8_t *b)
{
	struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	unsigned char len = rt->rtm_family == AF_INET ? 4 : 16;

	mnl_attr_put(nlh, type, len, b);
	if (type == RTA_DST)
		rt->rtm_dst_len = (unsigned char)(len * 8);
	else
		rt->rtm_src_len = (unsigned char)(len * 8);
}

/* Then source and out are its. */
static int ask_route(struct links *l, struct nlmsghdr *nlh)
{
	l->source = addr_any6;
	l->out = 0;
	return ask(l, nlh, take_route);
}

/* Stands for the Internet: nobody has a route of its own to these two. */
static const uint8_t *far_away(unsigned char family)
{
	static const uint8_t far4[4] = { 192, 88, 99, 1 };  /* RFC 7526 */
	static const uint8_t far6[16] = { 0x30, [15] = 1 }; /* unassigned */

	return family == AF_INET ? far4 : far6;
}

/* The address that the kernel would leave from. None: no such route. */
static void ask_source(struct links *l, unsigned char family)
{
	struct nlmsghdr *nlh = route_request(l, family, 0);

	put_address(nlh, RTA_DST, far_away(family));
	(void)ask_route(l, nlh);
	for (size_t i = 0; i < l->all_num; i++) {
		if (addr_eq(&l->all[i].a.addr, &l->source))
			l->all[i].a.first = true;
	}
}

static const uint8_t *octets(const struct addr *a)
{
	return addr_is4(a) ? addr_four(a) : a->b;
}

static int ask_way(struct links *l, const struct addr *self,
		   const struct addr *to, unsigned through)
{
	/* Without FIB_MATCH, IPv4 takes whatever is told a link for a
	 * neighbour on it. */
	struct nlmsghdr *nlh =
		route_request(l, addr_is4(to) ? AF_INET : AF_INET6,
			      through ? RTM_F_FIB_MATCH : 0);

	put_address(nlh, RTA_DST, octets(to));
	put_address(nlh, RTA_SRC, octets(self));
	if (through)
		mnl_attr_put_u32(nlh, RTA_OIF, through);
	return ask_route(l, nlh);
}

unsigned links_out(struct links *l, const struct addr *self,
		   const struct addr *to)
{
	unsigned link = 0;
	bool several = false;

	if (!l)
		return 0;
	for (size_t i = 0; i < l->num; i++) {
		several = several || l->list[i].link != l->list[0].link;
		if (addr_eq(&l->list[i].addr, self))
			link = l->list[i].link;
	}
	if (!l->ask || !several || !link || addr_is4(self) != addr_is4(to))
		return 0;
	if (ask_way(l, self, to, 0) == HG_OK && l->out == link)
		return 0;
	return ask_way(l, self, to, link) == HG_OK && l->out == link ? link : 0;
}

/* ---- what there is -------------------------------------------------------- */

static bool superseded(const struct links *l, const struct told *t)
{
	if (t->temporary || t->a.first || addr_is4(&t->a.addr))
		return false;
	for (size_t i = 0; i < l->all_num; i++) {
		if (l->all[i].temporary && l->all[i].a.link == t->a.link)
			return true;
	}
	return false;
}

/* First ones first, then by link, IPv6 before IPv4. */
static int by_use(const void *x, const void *y)
{
	const struct links_address *a = &((const struct told *)x)->a;
	const struct links_address *b = &((const struct told *)y)->a;

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
		    a[i].link != b[i].link || a[i].first != b[i].first)
			return false;
	}
	return true;
}

static struct mnl_socket *opened(unsigned groups, int flags)
{
	struct mnl_socket *s =
		mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | flags);
	int saved;

	if (s && mnl_socket_bind(s, groups, MNL_SOCKET_AUTOPID) < 0) {
		saved = errno;
		(void)mnl_socket_close(s);
		errno = saved;
		return NULL;
	}
	return s;
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

/* A dump that was interrupted, by a change that is news, leaves its rest in
 * the socket: a fresh one is asked. */
static bool ask_all(struct links *l)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		if (l->ask && !ask_links(l) && !ask_addresses(l))
			return true;
		if (l->ask)
			(void)mnl_socket_close(l->ask);
		l->ask = opened(0, 0);
	}
	log_error("our own addresses: netlink: %s; they stay as they were",
		  strerror(errno));
	return false;
}

/* true: it is not what it was. */
static bool look(struct links *l)
{
	struct links_address list[LINKS_MAX];
	size_t num = 0;

	if (!ask_all(l))
		return false; /* logged */
	ask_source(l, AF_INET);
	ask_source(l, AF_INET6);
	qsort(l->all, l->all_num, sizeof(l->all[0]), by_use);
	for (size_t i = 0; i < l->all_num && num < LINKS_MAX; i++) {
		if (!superseded(l, &l->all[i]) &&
		    !listed(list, num, &l->all[i].a.addr))
			list[num++] = l->all[i].a;
	}
	if (num == l->num && same(list, l->list, num))
		return false;
	memcpy(l->list, list, num * sizeof(list[0]));
	l->num = num;
	return true;
}

void links_look(struct links *l)
{
	if (look(l))
		l->fn(l->list, l->num, l->arg);
}

const struct links_address *links_now(const struct links *l, size_t *num)
{
	*num = l->num;
	return l->list;
}

/* ---- news ----------------------------------------------------------------- */

static int concerns_us(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	bool *dirty = arg;

	switch (nlh->nlmsg_type) {
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		/* A router of the Internet has a million others. */
		*dirty = *dirty || rt->rtm_dst_len == 0;
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
	case RTM_NEWADDR:
	case RTM_DELADDR:
		*dirty = true;
		break;
	}
	return MNL_CB_OK;
}

static void on_news(uv_poll_t *p, int status, int events)
{
	struct links *l = p->data;
	bool dirty = status < 0;
	ssize_t n;

	(void)events;
	/* A queue that ran over is an error to libuv, which stops. */
	if (status < 0)
		(void)uv_poll_start(p, UV_READABLE, on_news);
	for (;;) {
		n = mnl_socket_recvfrom(l->news, l->buf, sizeof(l->buf));
		if (n < 0 && errno == ENOBUFS) {
			dirty = true; /* some were lost */
			continue;
		}
		if (n < 0)
			break;
		(void)mnl_cb_run(l->buf, (size_t)n, 0, 0, concerns_us, &dirty);
	}
	if (dirty)
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
	l->but = but;
	l->fn = fn;
	l->arg = arg;
	l->seq = (unsigned)time(NULL);
	l->news = opened(groups, SOCK_NONBLOCK);
	l->ask = l->news ? opened(0, 0) : NULL;
	if (!l->ask ||
	    uv_poll_init(loop, &l->poll, mnl_socket_get_fd(l->news))) {
		links_free(l);
		return HG_ESYS;
	}
	l->poll.data = l;
	(void)look(l);
	(void)uv_poll_start(&l->poll, UV_READABLE, on_news);
	*out = l;
	return HG_OK;
}

void links_stop(struct links *l)
{
	if (l && l->poll.data)
		(void)uv_poll_stop(&l->poll);
}

void links_free(struct links *l)
{
	if (!l)
		return;
	if (l->news)
		(void)mnl_socket_close(l->news);
	if (l->ask)
		(void)mnl_socket_close(l->ask);
	free(l);
}
