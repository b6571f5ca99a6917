/* SPDX-License-Identifier: MIT */
/* Questions to the kernel about links, addresses and routes; see asked.h. */
#include "asked.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

#include <libmnl/libmnl.h>

#include "core/err.h"
#include "core/log.h"

#define LOG_ABOUT LOG_SUB_PATH

enum { TRIES = 3 };

struct mnl_socket *asked_socket(unsigned groups, int flags)
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

/* Sends what is in l->buf and has every answer read. */
static int ask(struct asked *l, struct nlmsghdr *nlh, mnl_cb_t fn)
{
	unsigned seq = ++l->seq;
	ssize_t n;
	int more = MNL_CB_OK;

	nlh->nlmsg_seq = seq;
	if (mnl_socket_sendto(l->sock, nlh, nlh->nlmsg_len) < 0)
		return HG_ESYS;
	while (more > MNL_CB_STOP) {
		n = mnl_socket_recvfrom(l->sock, l->buf, sizeof(l->buf));
		if (n < 0)
			return HG_ESYS;
		more = mnl_cb_run(l->buf, (size_t)n, seq,
				  mnl_socket_get_portid(l->sock), fn, l);
		/* One answer without NLM_F_MULTI is all there is. */
		if (more == MNL_CB_OK &&
		    !(((struct nlmsghdr *)l->buf)->nlmsg_flags & NLM_F_MULTI))
			break;
	}
	return more < 0 ? HG_ESYS : HG_OK;
}

static struct nlmsghdr *request(struct asked *l, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(l->buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return nlh;
}

static int take_link(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct asked *l = arg;

	if (nlh->nlmsg_type == RTM_NEWLINK && ifi->ifi_flags & IFF_RUNNING &&
	    (unsigned)ifi->ifi_index != l->but && l->running_num < RUNNING_MAX)
		l->running[l->running_num++] = (struct running){
			.index = (unsigned)ifi->ifi_index,
			.loopback = ifi->ifi_flags & IFF_LOOPBACK,
		};
	return MNL_CB_OK;
}

static const struct running *running(const struct asked *l, unsigned link)
{
	for (size_t i = 0; i < l->running_num; i++) {
		if (l->running[i].index == link)
			return &l->running[i];
	}
	return NULL;
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
	struct asked *l = arg;
	const struct running *on = running(l, ifa->ifa_index);
	struct told *t = &l->all[l->all_num];
	struct attrs as = { { NULL } };
	const struct nlattr *addr;
	uint32_t flags = ifa->ifa_flags;

	if (nlh->nlmsg_type != RTM_NEWADDR || l->all_num == ASKED_MAX ||
	    ifa->ifa_scope >= RT_SCOPE_LINK || !on)
		return MNL_CB_OK;
	(void)mnl_attr_parse(nlh, sizeof(*ifa), keep_attr, &as);
	/* On a point-to-point link IFA_ADDRESS is the other end. */
	addr = as.of[IFA_LOCAL] ? as.of[IFA_LOCAL] : as.of[IFA_ADDRESS];
	if (as.of[IFA_FLAGS] && mnl_attr_get_payload_len(as.of[IFA_FLAGS]) == 4)
		flags = mnl_attr_get_u32(as.of[IFA_FLAGS]);
	/* RFC 4429: it may be used while DAD runs. */
	if (flags & IFA_F_OPTIMISTIC)
		flags &= ~(uint32_t)IFA_F_TENTATIVE;
	if (!addr || !address_of(addr, ifa->ifa_family, &t->a.addr) ||
	    flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED) ||
	    addr_is_unusable(&t->a.addr) || addr_is_linklocal(&t->a.addr))
		return MNL_CB_OK;
	t->a.link = ifa->ifa_index;
	t->a.first = false;
	t->a.quiet = on->loopback || flags & IFA_F_DEPRECATED;
	t->temporary = ifa->ifa_family == AF_INET6 && flags & IFA_F_TEMPORARY;
	t->far = false;
	l->all_num++;
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rt = mnl_nlmsg_get_payload(nlh);
	struct asked *l = arg;
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

static int ask_links(struct asked *l)
{
	struct nlmsghdr *nlh = request(l, RTM_GETLINK, NLM_F_DUMP);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));

	ifi->ifi_family = AF_UNSPEC;
	l->running_num = 0;
	return ask(l, nlh, take_link);
}

static int ask_addresses(struct asked *l)
{
	struct nlmsghdr *nlh = request(l, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *ifa = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifa));

	ifa->ifa_family = AF_UNSPEC;
	l->all_num = 0;
	return ask(l, nlh, take_address);
}

static struct nlmsghdr *route_request(struct asked *l, unsigned char family,
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
static int ask_route(struct asked *l, struct nlmsghdr *nlh)
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
static void ask_source(struct asked *l, unsigned char family)
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

unsigned asked_way(struct asked *l, const struct addr *self,
		   const struct addr *to, unsigned through)
{
	/* Without FIB_MATCH, IPv4 takes whatever is told a link for a
	 * neighbour on it. */
	struct nlmsghdr *nlh =
		route_request(l, addr_is4(to) ? AF_INET : AF_INET6,
			      through ? RTM_F_FIB_MATCH : 0);

	put_address(nlh, RTA_DST, octets(to));
	if (self)
		put_address(nlh, RTA_SRC, octets(self));
	if (through)
		mnl_attr_put_u32(nlh, RTA_OIF, through);
	return ask_route(l, nlh) == HG_OK ? l->out : 0;
}

/* IPv6 takes the best metric whatever link is asked for, if it is told a
 * source, which rules and routes for a source need. */
static void ask_whether_far(struct asked *l, struct told *t)
{
	struct addr to = addr_is4(&t->a.addr) ? addr_from4(far_away(AF_INET))
					      : addr_from6(far_away(AF_INET6));

	t->far = t->a.first ||
		 (!t->a.quiet &&
		  (asked_way(l, &t->a.addr, &to, t->a.link) == t->a.link ||
		   asked_way(l, NULL, &to, t->a.link) == t->a.link));
}

static void ask_routes(struct asked *l)
{
	ask_source(l, AF_INET);
	ask_source(l, AF_INET6);
	for (size_t i = 0; i < l->all_num; i++)
		ask_whether_far(l, &l->all[i]);
}

/* A dump that was interrupted, by a change that is news, leaves its rest in
 * the socket: a fresh one is asked. */
bool asked_all(struct asked *l)
{
	for (unsigned tries = 0; tries < TRIES; tries++) {
		if (l->sock && !ask_links(l) && !ask_addresses(l)) {
			ask_routes(l);
			return true;
		}
		if (l->sock)
			(void)mnl_socket_close(l->sock);
		l->sock = asked_socket(0, 0);
	}
	log_error("event=netlink text=\"%s; our own addresses stay as they "
		  "were\"",
		  strerror(errno));
	return false;
}

void asked_close(struct asked *l)
{
	if (l->sock)
		(void)mnl_socket_close(l->sock);
	l->sock = NULL;
}
