/* SPDX-License-Identifier: MIT */
/* Shows that cmd/hipgated/links.c sees what the kernel does with our
 * addresses, in a network namespace of its own, through real rtnetlink.
 *
 * Each step is a command of iproute2 and what must be known after it; the
 * loop runs until that is so or 5 s have gone. Needs root and `ip`. Exit
 * status 0 when all is as said; a line for each finding.
 */
#include "cmd/hipgated/links.h"

#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct step {
	const char *what;
	const char *command; /* of ip; NULL: nothing */
	const char *want; /* "ADDRESS[*][~]..." in order: first choice, quiet */
	/* then links_out: from this address to that one leaves by link */
	const char *from, *to, *link; /* "": as the kernel has it */
} steps[] = {
	{ .what = "nothing but loopback", .want = "" },
	{ .what = "IPv4 comes",
	  .command = "link add va type veth peer name z && ip link set z up && "
		     "ip link set va up && ip addr add 192.0.2.1/24 dev va",
	  .want = "192.0.2.1" },
	{ .what = "a default route makes it the first choice",
	  .command = "route add default via 192.0.2.9",
	  .want = "192.0.2.1*" },
	{ .what = "IPv6 comes",
	  .command = "addr add 2001:db8:1::1/64 dev va nodad",
	  .want = "192.0.2.1* 2001:db8:1::1" },
	{ .what = "IPv6 has a default route, too",
	  .command = "-6 route add default via 2001:db8:1::9",
	  .want = "2001:db8:1::1* 192.0.2.1*" },
	{ .what = "a second link leads nowhere: it is ours, but quiet",
	  .command = "link add vb type veth peer name y && ip link set y up && "
		     "ip link set vb up && ip addr add 198.51.100.1/24 dev vb",
	  .want = "2001:db8:1::1* 192.0.2.1* 198.51.100.1~" },
	{ .what = "and is the first choice by a better route",
	  .command = "route append default via 198.51.100.9 && "
		     "ip route del default via 192.0.2.9",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1~" },
	{ .what = "its packets take it by themselves",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1~",
	  .from = "198.51.100.1",
	  .to = "203.0.113.9",
	  .link = "" },
	{ .what = "those of the other link have no way there",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1~",
	  .from = "192.0.2.1",
	  .to = "203.0.113.9",
	  .link = "" },
	{ .what = "unless it has a worse route, too",
	  .command = "route append default via 192.0.2.9 metric 50",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1",
	  .from = "192.0.2.1",
	  .to = "203.0.113.9",
	  .link = "va" },
	{ .what = "IPv6 has a worse one there, which makes it no more quiet",
	  .command = "addr add 2001:db8:2::1/64 dev vb nodad && "
		     "ip -6 route append default via 2001:db8:2::9 "
		     "metric 2048",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1 2001:db8:2::1" },
	{ .what = "nor does one for its source alone",
	  .command = "-6 route del default via 2001:db8:2::9 && "
		     "ip -6 route add default from 2001:db8:2::1 "
		     "via 2001:db8:2::9",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1 2001:db8:2::1" },
	{ .what = "without either it is",
	  .command = "-6 route del default from 2001:db8:2::1 "
		     "via 2001:db8:2::9",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1 2001:db8:2::1~" },
	{ .what = "and gone",
	  .command = "addr del 2001:db8:2::1/64 dev vb",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "the other family has nothing to do with it",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1",
	  .from = "192.0.2.1",
	  .to = "2001:db8:9::9",
	  .link = "" },
	{ .what = "an address is to go out of use, but is all there is",
	  .command = "addr change 2001:db8:1::1/64 dev va preferred_lft 0",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "it is quiet when there is another one",
	  .command = "addr add 2001:db8:1::2/64 dev va nodad",
	  .want = "2001:db8:1::2* 198.51.100.1* 192.0.2.1 "
		  "2001:db8:1::1~" },
	{ .what = "and comes back",
	  .command = "addr del 2001:db8:1::2/64 dev va && "
		     "ip addr change 2001:db8:1::1/64 dev va "
		     "preferred_lft forever",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "link-local, multicast and HITs are none",
	  .command = "addr add fe80::7/64 dev va nodad && "
		     "ip addr add 2001:20::1/128 dev vb nodad",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "an address on loopback is quiet",
	  .command = "addr add 203.0.113.7/32 dev lo",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1 203.0.113.7~" },
	{ .what = "unless the kernel leaves from it",
	  .command = "route replace default via 198.51.100.9 "
		     "src 203.0.113.7",
	  .want = "203.0.113.7* 2001:db8:1::1* 192.0.2.1 198.51.100.1" },
	{ .what = "and all is as before",
	  .command = "route replace default via 198.51.100.9 && "
		     "ip addr del 203.0.113.7/32 dev lo",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "an address that others are asked about is none yet",
	  .command = "link show va >/dev/null && "
		     "echo 30 >/proc/sys/net/ipv6/conf/va/dad_transmits && "
		     "ip addr add 2001:db8:1::7/64 dev va",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "unless it is optimistic (RFC 4429)",
	  .command = "link show va >/dev/null && "
		     "echo 1 >/proc/sys/net/ipv6/conf/va/optimistic_dad && "
		     "ip addr add 2001:db8:1::8/64 dev va optimistic",
	  .want = "2001:db8:1::1* 198.51.100.1* 2001:db8:1::8 192.0.2.1" },
	{ .what = "both go",
	  .command = "addr del 2001:db8:1::7/64 dev va && "
		     "ip addr del 2001:db8:1::8/64 dev va",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "a cable is pulled",
	  .command = "link set y down",
	  .want = "2001:db8:1::1* 192.0.2.1" },
	{ .what = "and put back; the kernel has kept its route",
	  .command = "link set y up",
	  .want = "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ .what = "the TUN's addresses are not wanted",
	  .command = "addr add 203.0.113.1/24 dev vt && ip link set vt up && "
		     "ip addr del 192.0.2.1/24 dev va",
	  .want = "2001:db8:1::1* 198.51.100.1*" },
	{ .what = "a link is deleted",
	  .command = "link del vb",
	  .want = "2001:db8:1::1*" },
	{ .what = "all are gone", .command = "link del va", .want = "" },
};

static struct links *links;
static bool alarmed;

static void on_alarm(uv_timer_t *t)
{
	(void)t;
	alarmed = true;
}

static void on_change(const struct links_address *list, size_t num, bool news,
		      void *arg)
{
	char *text = arg;
	char one[ADDR_TEXT_MAX];

	(void)news;
	text[0] = '\0';
	for (size_t i = 0; i < num; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, addr_print(&list[i].addr, one));
		strcat(text, list[i].first ? "*" : "");
		strcat(text, list[i].quiet ? "~" : "");
	}
}

/* The link that links_out names, or "". */
static const char *out_of(const struct step *s)
{
	static char name[IF_NAMESIZE];
	struct addr from;
	struct addr to;

	if (addr_parse(s->from, &from) || addr_parse(s->to, &to))
		return "?";
	return if_indextoname(links_out(links, &from, &to), name) ? name : "";
}

static bool try_step(const struct step *s, uv_loop_t *loop, uv_timer_t *timer,
		     const char *text)
{
	char line[256];

	if (s->command) {
		(void)snprintf(line, sizeof(line), "ip %s", s->command);
		if (system(line)) {
			printf("FAIL %s: %s\n", s->what, line);
			return false;
		}
	}
	alarmed = false;
	uv_timer_start(timer, on_alarm, 5000, 0);
	while (!alarmed && strcmp(text, s->want))
		uv_run(loop, UV_RUN_ONCE);
	uv_timer_stop(timer);
	if (strcmp(text, s->want)) {
		printf("FAIL %s: \"%s\", not \"%s\"\n", s->what, text, s->want);
		return false;
	}
	if (s->link && strcmp(out_of(s), s->link)) {
		printf("FAIL %s: by \"%s\", not by \"%s\"\n", s->what,
		       out_of(s), s->link);
		return false;
	}
	printf("ok   %s: %s\n", s->what, text[0] ? text : "none");
	return true;
}

int main(void)
{
	char text[LINKS_MAX * (ADDR_TEXT_MAX + 3)] = "";
	uv_loop_t *loop = uv_default_loop();
	uv_timer_t timer;
	bool good = true;

	if (unshare(CLONE_NEWNET) || system("ip link set lo up && "
					    "ip tuntap add vt mode tun")) {
		perror("addresses: a network namespace");
		return 2;
	}
	if (uv_timer_init(loop, &timer) ||
	    links_open(loop, if_nametoindex("vt"), on_change, text, &links)) {
		perror("addresses: netlink");
		return 2;
	}
	for (size_t i = 0; good && i < sizeof(steps) / sizeof(steps[0]); i++)
		good = try_step(&steps[i], loop, &timer, text);
	links_stop(links);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_DEFAULT);
	links_free(links);
	return good ? 0 : 1;
}
