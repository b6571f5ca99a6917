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
	const char *want;    /* "ADDRESS[*]..." in order; *: first choice */
} steps[] = {
	{ "nothing but loopback", NULL, "" },
	{ "IPv4 comes",
	  "link add va type veth peer name z && ip link set z up && "
	  "ip link set va up && ip addr add 192.0.2.1/24 dev va",
	  "192.0.2.1" },
	{ "a default route makes it the first choice",
	  "route add default via 192.0.2.9", "192.0.2.1*" },
	{ "IPv6 comes", "addr add 2001:db8:1::1/64 dev va nodad",
	  "192.0.2.1* 2001:db8:1::1" },
	{ "IPv6 has a default route, too",
	  "-6 route add default via 2001:db8:1::9",
	  "2001:db8:1::1* 192.0.2.1*" },
	{ "a second link comes behind",
	  "link add vb type veth peer name y && ip link set y up && "
	  "ip link set vb up && ip addr add 198.51.100.1/24 dev vb",
	  "2001:db8:1::1* 192.0.2.1* 198.51.100.1" },
	{ "and is the first choice by a better route",
	  "route append default via 198.51.100.9 && "
	  "ip route del default via 192.0.2.9",
	  "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ "an address that is to go out of use is no more",
	  "addr change 2001:db8:1::1/64 dev va preferred_lft 0",
	  "198.51.100.1* 192.0.2.1" },
	{ "and comes back",
	  "addr change 2001:db8:1::1/64 dev va "
	  "preferred_lft forever",
	  "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ "link-local, multicast and HITs are none",
	  "addr add fe80::7/64 dev va nodad && "
	  "ip addr add 2001:20::1/128 dev vb nodad",
	  "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ "a cable is pulled", "link set y down", "2001:db8:1::1* 192.0.2.1" },
	{ "and put back; the kernel has kept its route", "link set y up",
	  "2001:db8:1::1* 198.51.100.1* 192.0.2.1" },
	{ "the TUN's addresses are not wanted",
	  "addr add 203.0.113.1/24 dev vt && ip link set vt up && "
	  "ip addr del 192.0.2.1/24 dev va",
	  "2001:db8:1::1* 198.51.100.1*" },
	{ "a link is deleted", "link del vb", "2001:db8:1::1*" },
	{ "all are gone", "link del va", "" },
};

static bool alarmed;

static void on_alarm(uv_timer_t *t)
{
	(void)t;
	alarmed = true;
}

static void on_change(const struct links_address *list, size_t num, void *arg)
{
	char *text = arg;
	char one[ADDR_TEXT_MAX];

	text[0] = '\0';
	for (size_t i = 0; i < num; i++) {
		if (i)
			strcat(text, " ");
		strcat(text, addr_print(&list[i].addr, one));
		strcat(text, list[i].first ? "*" : "");
	}
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
	printf("ok   %s: %s\n", s->what, text[0] ? text : "none");
	return true;
}

int main(void)
{
	char text[LINKS_MAX * (ADDR_TEXT_MAX + 2)] = "";
	uv_loop_t *loop = uv_default_loop();
	uv_timer_t timer;
	struct links *links;
	bool good = true;

	if (unshare(CLONE_NEWNET) || system("ip link set lo up && "
					    "ip tuntap add vt mode tun")) {
		perror("links: a network namespace");
		return 2;
	}
	if (uv_timer_init(loop, &timer) ||
	    links_open(loop, if_nametoindex("vt"), on_change, text, &links)) {
		perror("links: netlink");
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
