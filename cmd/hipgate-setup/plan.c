/* SPDX-License-Identifier: MIT */
/* The steps for a configuration: TUN, addresses, routes, rules, sysctls.
 *
 * THEORY OF OPERATION
 * Pure: configuration in, list out; perform.c obeys it forwards to do and
 * backwards to undo. Each step may be done twice without harm.
 *
 * Substitute addresses (and HITs, for the host role) are routed from a
 * table of their own, which a rule above main selects: a more specific
 * route in main, from DHCP or a router advertisement, can then never take
 * the clients' clear text elsewhere. Behind each route stands an
 * unreachable one with the worst metric, so that nothing leaks when the TUN
 * is gone; the DNS table has one too.
 *
 * The tables and rule preferences belong to hipgate alone, so undoing
 * empties them whole: it leaves nothing even if the configuration has
 * changed since.
 */
#include "cmd/hipgate-setup/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PREF_POOL = 10500, PREF_DNS = 10501 };

/* Worse than any metric a routing daemon gives. */
#define METRIC_LAST "4278198272"

static const char *const families[] = { "-4", "-6" };

static struct plan_step *step_add(struct plan *p, enum plan_kind kind)
{
	struct plan_step *s = &p->step[p->num];

	if (p->num == PLAN_STEPS - 1)
		p->full = true; /* the last one stays scratch */
	else
		p->num++;
	memset(s, 0, sizeof(*s));
	s->kind = kind;
	return s;
}

static struct plan_step *run_add(struct plan *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static struct plan_step *run_add(struct plan *p, const char *fmt, ...)
{
	struct plan_step *s = step_add(p, PLAN_RUN);
	va_list args;

	va_start(args, fmt);
	if (vsnprintf(s->text, sizeof(s->text), fmt, args) >=
	    (int)sizeof(s->text))
		p->full = true;
	va_end(args);
	return s;
}

/* One of an interface's: family is "ipv4" or "ipv6". */
static struct plan_step *sysctl_add(struct plan *p, const char *family,
				    const char *interface, const char *key,
				    const char *value)
{
	struct plan_step *s = step_add(p, PLAN_SYSCTL);

	if (snprintf(s->path, sizeof(s->path), "net/%s/conf/%s/%s", family,
		     interface, key) >= (int)sizeof(s->path))
		p->full = true;
	s->value = value;
	return s;
}

/* What undoing empties, whatever it was that was put there. */
static void own_tables(struct plan *p)
{
	static const int tables[] = { PLAN_TABLE_POOL, PLAN_TABLE_DNS };

	for (size_t i = 0; i < 4; i++) {
		struct plan_step *s = step_add(p, PLAN_RUN);

		(void)snprintf(s->undo, sizeof(s->undo),
			       "ip %s route flush table %d", families[i % 2],
			       tables[i / 2]);
		s->undone = "FIB table does not exist";
	}
}

static void own_rules(struct plan *p)
{
	static const int prefs[] = { PREF_POOL, PREF_DNS };

	for (size_t i = 0; i < 4; i++) {
		struct plan_step *s = step_add(p, PLAN_RUN);

		(void)snprintf(s->undo, sizeof(s->undo),
			       "ip %s rule del pref %d", families[i % 2],
			       prefs[i / 2]);
		s->undone = "No such file or directory";
		s->undo_all = true;
	}
}

static void tun(struct plan *p, const struct config *c)
{
	struct plan_step *s = step_add(p, PLAN_TUN);

	(void)snprintf(s->text, sizeof(s->text),
		       "ip tuntap add dev %s mode tun user %s multi_queue "
		       "vnet_hdr",
		       c->tun, c->user);
	(void)snprintf(s->undo, sizeof(s->undo), "ip link del dev %s", c->tun);
	sysctl_add(p, "ipv6", c->tun, "disable_ipv6", "0");
	/* No addresses but ours: nothing on the TUN speaks link-local. */
	sysctl_add(p, "ipv6", c->tun, "accept_ra", "0");
	sysctl_add(p, "ipv6", c->tun, "addr_gen_mode", "1");
	/* Answers come in from the TUN with the DNS server's address, and
	 * ICMP errors with the TUN's own. */
	sysctl_add(p, "ipv4", c->tun, "rp_filter", "0");
	sysctl_add(p, "ipv4", c->tun, "accept_local", "1");
	/* The default queue, 500 packets, overflows whenever a worker does
	 * not run for 10 ms at 50000 packets a second. */
	run_add(p, "ip link set dev %s mtu %d txqueuelen %d up", c->tun,
		PLAN_MTU, PLAN_QUEUE);
}

static const char *flag_of(const struct prefix *p)
{
	return families[prefix_is4(p) ? 0 : 1];
}

/* What table PLAN_TABLE_POOL has for a prefix. */
static void way(struct plan *p, const struct config *c, const char *prefix,
		const char *family)
{
	run_add(p, "ip %s route replace %s dev %s table %d", family, prefix,
		c->tun, PLAN_TABLE_POOL);
	run_add(p,
		"ip %s route replace unreachable %s metric " METRIC_LAST
		" table %d",
		family, prefix, PLAN_TABLE_POOL);
}

/* All of prefix goes to the TUN or nowhere. */
static void capture(struct plan *p, const struct config *c,
		    const struct prefix *prefix)
{
	const char *f = flag_of(prefix);
	char text[PREFIX_TEXT_MAX];
	struct plan_step *s;

	prefix_print(prefix, text);
	way(p, c, text, f);
	s = run_add(p, "ip %s rule add to %s lookup %d pref %d", f, text,
		    PLAN_TABLE_POOL, PREF_POOL);
	s->done = "File exists";
}

static void pool(struct plan *p, const struct config *c,
		 const struct prefix *prefix)
{
	struct addr first = prefix->addr;
	char text[ADDR_TEXT_MAX];

	if (prefix->len == 0)
		return;
	first.b[15] |= 1; /* both pools have host bits there (config_check) */
	addr_print(&first, text);
	if (prefix_is4(prefix))
		run_add(p, "ip -4 addr replace %s/32 dev %s", text, c->tun);
	else
		run_add(p, "ip -6 addr replace %s/128 dev %s nodad", text,
			c->tun);
	capture(p, c, prefix);
}

/* Port 53 from the LANs goes into the TUN. */
static void dns(struct plan *p, const struct config *c)
{
	static const char *const protocols[] = { "udp", "tcp" };

	for (size_t f = 0; f < 2 && c->lan_num > 0; f++) {
		run_add(p, "ip %s route replace default dev %s table %d",
			families[f], c->tun, PLAN_TABLE_DNS);
		run_add(p,
			"ip %s route replace unreachable default "
			"metric " METRIC_LAST " table %d",
			families[f], PLAN_TABLE_DNS);
	}
	for (size_t i = 0; i < c->lan_num * 4; i++) {
		struct plan_step *s;

		s = run_add(p,
			    "ip %s rule add iif %s ipproto %s dport 53 "
			    "lookup %d pref %d",
			    families[i / 2 % 2], c->lan[i / 4],
			    protocols[i % 2], PLAN_TABLE_DNS, PREF_DNS);
		s->done = "File exists";
	}
}

/* Real addresses go to the TUN or nowhere when they come from the LANs; the
 * daemon's own packets to the same hosts take the machine's other routes. */
static void real(struct plan *p, const struct config *c,
		 const struct prefix *prefix)
{
	const char *f = flag_of(prefix);
	char text[PREFIX_TEXT_MAX];
	struct plan_step *s;

	prefix_print(prefix, text);
	way(p, c, text, f);
	for (size_t i = 0; i < c->lan_num; i++) {
		s = run_add(p, "ip %s rule add iif %s to %s lookup %d pref %d",
			    f, c->lan[i], text, PLAN_TABLE_POOL, PREF_POOL);
		s->done = "File exists";
	}
}

static void proxy(struct plan *p, const struct config *c)
{
	struct plan_step *s;

	pool(p, c, &c->pool6);
	pool(p, c, &c->pool4);
	for (size_t i = 0; i < c->real_num; i++)
		real(p, c, &c->real[i]);
	dns(p, c);
	/* Where only this machine's own programs are clients, nothing is
	 * forwarded; with it on, the kernel would hear no more router
	 * advertisements. */
	if (c->lan_num == 0 && c->clients_num == 0)
		return;
	s = step_add(p, PLAN_SYSCTL);
	(void)snprintf(s->path, sizeof(s->path), "net/ipv4/ip_forward");
	s->value = "1";
	s->keep_old = true;
	s = sysctl_add(p, "ipv6", "all", "forwarding", "1");
	s->keep_old = true;
}

struct prefix plan_hits(void)
{
	static const uint8_t first[4] = { 0x20, 0x01, 0x00, 0x20 };
	struct prefix orchid = { .len = 28 };

	memcpy(orchid.addr.b, first, sizeof(first));
	return orchid;
}

static void host(struct plan *p, const struct config *c, const struct hit *hits,
		 size_t hits_num)
{
	const struct prefix orchid = plan_hits();
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < hits_num; i++)
		run_add(p, "ip -6 addr replace %s/128 dev %s nodad",
			hit_print(&hits[i], text), c->tun);
	capture(p, c, &orchid);
}

void plan_build(struct plan *p, const struct config *c, const struct hit *hits,
		size_t hits_num)
{
	p->num = 0;
	p->full = false;
	if (!c->proxy && !c->host)
		return;
	tun(p, c);
	own_tables(p);
	own_rules(p);
	if (c->host)
		host(p, c, hits, hits_num);
	if (c->proxy)
		proxy(p, c);
}
