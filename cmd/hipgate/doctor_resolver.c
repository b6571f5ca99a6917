/* SPDX-License-Identifier: MIT */
/* A resolver on the gateway itself, which no rule takes queries away from.
 *
 * The kernel looks into its table `local` before any rule of ours, so what a
 * LAN's host sends to the gateway's own address, as DHCP tells most of them
 * to, is never seen in the TUN: whoever listens there answers, and unless he
 * asks hipgate the answer is the real address.
 */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "cmd/hipgate/doctor.h"

enum { PORT_DNS = 53 };

static bool is_lan(const struct config *c, const char *link)
{
	for (size_t i = 0; i < c->lan_num; i++) {
		if (strcmp(c->lan[i], link) == 0)
			return true;
	}
	return false;
}

/* False: of no family that we know. */
static bool address_of(const struct sockaddr *sa, struct addr *out)
{
	const struct sockaddr_in *four = (const void *)sa;
	const struct sockaddr_in6 *six = (const void *)sa;

	if (sa && sa->sa_family == AF_INET)
		*out = addr_from4((const uint8_t *)&four->sin_addr);
	else if (sa && sa->sa_family == AF_INET6)
		*out = addr_from6(six->sin6_addr.s6_addr);
	else
		return false;
	return true;
}

/* Is it one that the gateway has in a LAN? What listens at all addresses
 * listens there, too. */
static bool reaches_lan(const struct config *c, const struct ifaddrs *all,
			const struct addr *at)
{
	struct addr a;

	if (addr_is_unspecified(at))
		return true;
	for (; all; all = all->ifa_next) {
		if (is_lan(c, all->ifa_name) && address_of(all->ifa_addr, &a) &&
		    addr_eq(&a, at))
			return true;
	}
	return false;
}

static bool is_ours(const struct config *c, const struct addr *at)
{
	for (size_t i = 0; i < c->listen_num; i++) {
		if (c->listen[i].port == PORT_DNS &&
		    (addr_eq(&c->listen[i].addr, at) ||
		     (addr_is_unspecified(at) &&
		      addr_is_unspecified(&c->listen[i].addr))))
			return true;
	}
	return false;
}

/* A line of /proc/net/udp or udp6: words of 32 bits in the machine's order,
 * each of which has its octets as they are sent. False: it is none, or not of
 * port 53. */
static bool read_line(const char *line, struct addr *at)
{
	uint32_t w[4];
	unsigned port;

	if (sscanf(line, " %*d: %8x%8x%8x%8x:%x", &w[0], &w[1], &w[2], &w[3],
		   &port) == 5)
		*at = addr_from6((const uint8_t *)w);
	else if (sscanf(line, " %*d: %8x:%x", &w[0], &port) == 2)
		*at = addr_from4((const uint8_t *)w);
	else
		return false;
	return port == PORT_DNS;
}

/* Somebody else's socket that answers a LAN; false: there is none. */
static bool somebody(const struct config *c, const struct ifaddrs *all,
		     const char *path, struct addr *at)
{
	FILE *file = fopen(path, "re");
	char line[512];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = read_line(line, at) && reaches_lan(c, all, at) &&
			!is_ours(c, at);
	if (file)
		(void)fclose(file); /* it was only read */
	return found;
}

static void judge(const struct config *c, const struct addr *at,
		  struct doctor_finding *f)
{
	char text[ADDR_TEXT_MAX];
	char dns[ADDR_TEXT_MAX];
	struct addr own;

	addr_print(at, text);
	doctor_say(f, DOCTOR_NOTE,
		   "a resolver of this gateway listens at %s port 53: what "
		   "LANs ask it does not come to the TUN, and whether it asks "
		   "hipgate is not seen here",
		   addr_is_unspecified(at) ? "any address" : text);
	if (!(c->pool6.len && lease_dns(&c->pool6, &own)) &&
	    !(c->pool4.len && lease_dns(&c->pool4, &own)))
		doctor_mend(f, "listen = LANADDRESS:53 in its place");
	else
		doctor_mend(f,
			    "have it forward to %s (\"hipgate doctor dns\" "
			    "prints the lines), or listen = LANADDRESS:53 in "
			    "its place",
			    addr_print(&own, dns));
}

void doctor_resolver(const struct doctor *d, struct doctor_finding *f)
{
	struct ifaddrs *all = NULL;
	struct addr at;

	if (!d->c->proxy || d->c->lan_num == 0) {
		doctor_say(f, DOCTOR_SKIP, "no lan =: no gateway");
		return;
	}
	if (getifaddrs(&all)) {
		doctor_say(f, DOCTOR_SKIP, "this machine's addresses: none");
		return;
	}
	doctor_say(f, DOCTOR_GOOD, "nobody else answers for this gateway");
	if (somebody(d->c, all, "/proc/net/udp6", &at) ||
	    somebody(d->c, all, "/proc/net/udp", &at))
		judge(d->c, &at, f);
	freeifaddrs(all);
}
