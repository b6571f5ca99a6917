/* SPDX-License-Identifier: MIT */
/* Faults of the way: TUN device, rule, route, other routes, DNS steering. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate/doctor.h"
#include "cmd/hipgate/iproute.h"

/* What hipgate-setup makes (plan.c). */
enum {
	TABLE_POOL = 10500,
	TABLE_DNS = 10553,
	PREF_POOL = 10500,
	PREF_DNS = 10501
};

#define HITS "2001:20::/28"

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static bool needs_tun(const struct doctor *d, struct doctor_finding *f)
{
	if (d->c->proxy || d->c->host)
		return true;
	doctor_say(f, DOCTOR_SKIP, "this role has no TUN device");
	return false;
}

/* ip(8) failed: what it said, or that there is none. */
static void no_ip(int err, json_t *said, struct doctor_finding *f)
{
	doctor_say(f, DOCTOR_SKIP, "ip: %s",
		   err == HG_ENOENT	  ? "not installed (iproute2)"
		   : json_is_string(said) ? json_string_value(said)
					  : "no answer");
	json_decref(said);
}

/* What leads into the TUN: the pools, and for a host all HITs. */
static size_t ours(const struct config *c, struct prefix out[3])
{
	size_t n = 0;

	if (c->proxy && c->pool6.len)
		out[n++] = c->pool6;
	if (c->proxy && c->pool4.len)
		out[n++] = c->pool4;
	if (c->host && prefix_parse(HITS, &out[n]) == HG_OK)
		n++;
	return n;
}

static const char *flag_of(const struct prefix *p)
{
	return prefix_is4(p) ? "-4" : "-6";
}

/* ---- the device ------------------------------------------------------------------- */

static bool has_flag(const json_t *link, const char *flag)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(link, "flags"), i, v)
	{
		if (strcmp(json_string_value(v), flag) == 0)
			return true;
	}
	return false;
}

static void judge_tun(const struct config *c, const json_t *link,
		      struct doctor_finding *f)
{
	const json_t *info =
		json_object_get(json_object_get(link, "linkinfo"), "info_data");
	const char *user = text_of(info, "user");

	if (strcmp(text_of(info, "type"), "tun") != 0 ||
	    !json_is_true(json_object_get(info, "vnet_hdr")) ||
	    !json_is_true(json_object_get(info, "multi_queue"))) {
		doctor_say(f, DOCTOR_FAULT,
			   "%s is there, but is no TUN device with multi_queue "
			   "and vnet_hdr",
			   c->tun);
		doctor_mend(f, "ip link del dev %s && hipgate-setup", c->tun);
	} else if (user[0] && strcmp(user, c->user) != 0) {
		doctor_say(f, DOCTOR_FAULT,
			   "%s belongs to user %s; hipgated runs as %s", c->tun,
			   user, c->user);
		doctor_mend(f,
			    "ip link del dev %s && hipgate-setup, or user = %s "
			    "in [daemon]",
			    c->tun, user);
	} else if (!has_flag(link, "UP")) {
		doctor_say(f, DOCTOR_FAULT, "%s is down", c->tun);
		doctor_mend(f, "hipgate-setup");
	} else {
		doctor_say(
			f, DOCTOR_GOOD, "%s, user %s, MTU %d", c->tun, user,
			(int)json_integer_value(json_object_get(link, "mtu")));
	}
}

void doctor_tun(const struct doctor *d, struct doctor_finding *f)
{
	const char *words[] = { "-d", "link", "show", "dev", d->c->tun, NULL };
	json_t *links;
	int err;

	if (!needs_tun(d, f))
		return;
	if (if_nametoindex(d->c->tun) == 0) {
		doctor_say(f, DOCTOR_FAULT, "%s is not there", d->c->tun);
		doctor_mend(f, "hipgate-setup --config %s", d->path);
		return;
	}
	err = iproute(words, &links);
	if (err) {
		no_ip(err, links, f);
		return;
	}
	judge_tun(d->c, json_array_get(links, 0), f);
	json_decref(links);
}

/* ---- rule and route ----------------------------------------------------------------- */

/* Have the rules one to this table for that prefix (NULL: for what comes in
 * from `iif`)? */
static bool has_rule(const json_t *rules, const struct prefix *p,
		     const char *iif, const char *table)
{
	char want[ADDR_TEXT_MAX] = "";
	const json_t *r;
	size_t i;
	int len = p ? prefix_is4(p) ? p->len - 96 : p->len : 0;

	if (p)
		addr_print(&p->addr, want);
	json_array_foreach(rules, i, r)
	{
		if (strcmp(text_of(r, "table"), table) != 0)
			continue;
		if (iif && strcmp(text_of(r, "iif"), iif) == 0)
			return true;
		if (p && strcmp(text_of(r, "dst"), want) == 0 &&
		    json_integer_value(json_object_get(r, "dstlen")) == len)
			return true;
	}
	return false;
}

static json_t *rules_of(const char *flag, const char *pref,
			struct doctor_finding *f)
{
	const char *words[] = { flag, "rule", "show", "pref", pref, NULL };
	json_t *rules;
	int err = iproute(words, &rules);

	if (!err)
		return rules;
	no_ip(err, rules, f);
	return NULL;
}

void doctor_rule(const struct doctor *d, struct doctor_finding *f)
{
	struct prefix p[3];
	char text[PREFIX_TEXT_MAX];
	char table[12];
	char pref[12];
	size_t n = ours(d->c, p);

	if (!needs_tun(d, f))
		return;
	(void)snprintf(table, sizeof(table), "%d", TABLE_POOL);
	(void)snprintf(pref, sizeof(pref), "%d", PREF_POOL);
	doctor_say(f, DOCTOR_GOOD, "%zu prefixes are looked up in table %d", n,
		   TABLE_POOL);
	for (size_t i = 0; i < n; i++) {
		json_t *rules = rules_of(flag_of(&p[i]), pref, f);
		bool there = has_rule(rules, &p[i], NULL, table);

		json_decref(rules);
		if (!rules)
			return;
		if (there)
			continue;
		prefix_print(&p[i], text);
		doctor_say(
			f, DOCTOR_FAULT,
			"no rule for %s: a more specific route, from DHCP or "
			"a router advertisement, could lead it elsewhere",
			text);
		doctor_mend(f, "ip %s rule add to %s lookup %d pref %d",
			    flag_of(&p[i]), text, TABLE_POOL, PREF_POOL);
		return;
	}
}

/* Where the kernel would send it; false: f says what is wrong. */
static bool leads_to_tun(const struct doctor *d, const struct prefix *p,
			 struct doctor_finding *f)
{
	struct addr a = p->addr;
	char text[ADDR_TEXT_MAX];
	const char *words[] = { flag_of(p), "route", "get", text, NULL };
	json_t *routes;
	int err;

	a.b[15] |= 2; /* the first is the TUN's own */
	addr_print(&a, text);
	err = iproute(words, &routes);
	if (err == HG_ENOENT) {
		no_ip(err, routes, f);
		return false;
	}
	if (!err &&
	    strcmp(text_of(json_array_get(routes, 0), "dev"), d->c->tun) == 0) {
		json_decref(routes);
		return true;
	}
	if (err)
		doctor_say(f, DOCTOR_FAULT, "%s leads nowhere: %s", text,
			   json_string_value(routes));
	else
		doctor_say(f, DOCTOR_FAULT,
			   "%s leads to %s, not to %s: clients' clear text "
			   "would go there",
			   text, text_of(json_array_get(routes, 0), "dev"),
			   d->c->tun);
	doctor_mend(f, "hipgate-setup --config %s", d->path);
	json_decref(routes);
	return false;
}

void doctor_route(const struct doctor *d, struct doctor_finding *f)
{
	struct prefix p[3];
	size_t n = ours(d->c, p);

	if (!needs_tun(d, f))
		return;
	for (size_t i = 0; i < n; i++) {
		if (!leads_to_tun(d, &p[i], f))
			return;
	}
	doctor_say(f, DOCTOR_GOOD, "%zu prefixes lead to %s", n, d->c->tun);
}

/* ---- other routes -------------------------------------------------------------------- */

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_has(a, &b->addr) || prefix_has(b, &a->addr);
}

/* A default route is no rival, nor is what is ours. */
static bool rival(const struct doctor *d, const json_t *route,
		  const struct prefix *pool)
{
	struct prefix p;
	int table = atoi(text_of(route, "table"));

	if (strcmp(text_of(route, "dev"), d->c->tun) == 0 ||
	    table == TABLE_POOL || table == TABLE_DNS)
		return false;
	/* "default" is none, and neither is what has host bits. */
	return prefix_parse(text_of(route, "dst"), &p) == HG_OK &&
	       p.len > (prefix_is4(&p) ? 96 : 0) &&
	       prefix_is4(&p) == prefix_is4(pool) && overlap(&p, pool);
}

/* False: f says which one. */
static bool alone(const struct doctor *d, const struct prefix *pool,
		  struct doctor_finding *f)
{
	const char *words[] = { flag_of(pool), "route", "show",
				"table",       "all",	NULL };
	char text[PREFIX_TEXT_MAX];
	json_t *routes;
	const json_t *r;
	size_t i;
	int err = iproute(words, &routes);
	bool is = true;

	if (err) {
		no_ip(err, routes, f);
		return false;
	}
	json_array_foreach(routes, i, r)
	{
		if (!is || !rival(d, r, pool))
			continue;
		is = false;
		doctor_say(f, DOCTOR_FAULT,
			   "prefix %s overlaps the route to %s by %s: one of "
			   "the two cannot be reached",
			   prefix_print(pool, text), text_of(r, "dst"),
			   text_of(r, "dev"));
		doctor_mend(f,
			    "take another prefix = in [proxy] of %s, then "
			    "hipgate-setup",
			    d->path);
	}
	json_decref(routes);
	return is;
}

void doctor_overlap(const struct doctor *d, struct doctor_finding *f)
{
	struct prefix p[3];
	size_t n;

	if (!d->c->proxy) {
		doctor_say(f, DOCTOR_SKIP,
			   "no proxy role: there are no "
			   "substitute addresses");
		return;
	}
	n = ours(d->c, p);
	for (size_t i = 0; i < n; i++) {
		if (!alone(d, &p[i], f))
			return;
	}
	doctor_say(f, DOCTOR_GOOD, "no other route has these addresses");
}

/* RFC 6724 2.1: label 13 ranks below IPv4. */
void doctor_prefix(const struct doctor *d, struct doctor_finding *f)
{
	const struct config *c = d->c;

	if (!c->proxy || !c->pool6.len) {
		doctor_say(f, DOCTOR_SKIP, "no IPv6 prefix");
	} else if ((c->pool6.addr.b[0] & 0xfe) == 0xfc && !c->pool4.len) {
		doctor_say(
			f, DOCTOR_NOTE,
			"the prefix is a ULA, which clients with IPv4 rank "
			"lowest (RFC 6724); without an IPv4 prefix beside it "
			"some take long");
		doctor_mend(f, "add prefix = 198.18.0.0/16, or take a /64 of "
			       "your own global space");
	} else {
		doctor_say(f, DOCTOR_GOOD, "clients take it");
	}
}

/* ---- DNS -------------------------------------------------------------------------------- */

static void lan_steered(const struct doctor *d, struct doctor_finding *f)
{
	static const char *const flags[] = { "-6", "-4" };
	char table[12];
	char pref[12];

	(void)snprintf(table, sizeof(table), "%d", TABLE_DNS);
	(void)snprintf(pref, sizeof(pref), "%d", PREF_DNS);
	for (size_t k = 0; k < 2 * d->c->lan_num; k++) {
		const char *lan = d->c->lan[k / 2];
		json_t *rules = rules_of(flags[k % 2], pref, f);
		bool there = has_rule(rules, NULL, lan, table);

		json_decref(rules);
		if (!rules)
			return;
		if (there && if_nametoindex(lan))
			continue;
		doctor_say(
			f, DOCTOR_FAULT,
			there ? "lan = %s: there is no such interface (IPv%s)"
			      : "port 53 from %s is not steered into the TUN "
				"(IPv%s)",
			lan, flags[k % 2] + 1);
		doctor_mend(f,
			    there ? "mend lan = in %s"
				  : "hipgate-setup --config %s",
			    d->path);
		return;
	}
	doctor_say(f, DOCTOR_GOOD, "port 53 of %zu LANs comes to the TUN",
		   d->c->lan_num);
}

/* Is that address hipgate's own DNS? */
static bool is_dns(const struct config *c, const struct addr *a)
{
	const struct prefix *pools[] = { &c->pool6, &c->pool4 };
	struct addr dns;

	for (size_t i = 0; i < 2; i++) {
		if (pools[i]->len && lease_dns(pools[i], &dns) &&
		    addr_eq(&dns, a))
			return true;
	}
	for (size_t i = 0; i < c->listen_num; i++) {
		if (addr_eq(&c->listen[i].addr, a))
			return true;
	}
	return false;
}

/* This machine's own programs are the clients. */
static void host_steered(const struct doctor *d, struct doctor_finding *f)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[512];
	char word[64] = "none";
	struct addr a;

	doctor_say(f, DOCTOR_FAULT, "nothing asks hipgate");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "nameserver %63s", word) != 1 ||
		    addr_parse(word, &a))
			continue;
		if (is_dns(d->c, &a))
			doctor_say(f, DOCTOR_GOOD, "this machine asks %s",
				   word);
		else if (a.b[12] == 127 || word[0] == ':')
			doctor_say(f, DOCTOR_NOTE,
				   "this machine asks a forwarder at %s; "
				   "whether that asks hipgate is not seen here",
				   word);
		else
			continue;
		break;
	}
	if (file)
		(void)fclose(file); /* it was only read */
	if (f->verdict == DOCTOR_FAULT)
		doctor_say(f, DOCTOR_FAULT,
			   "DNS is not steered: no lan = in [proxy], and this "
			   "machine asks %s",
			   word);
	if (f->verdict != DOCTOR_GOOD)
		doctor_mend(f, "\"hipgate doctor dns\" prints what to write "
			       "where");
}

void doctor_steering(const struct doctor *d, struct doctor_finding *f)
{
	if (!d->c->proxy)
		doctor_say(f, DOCTOR_SKIP, "no proxy role");
	else if (d->c->lan_num)
		lan_steered(d, f);
	else
		host_steered(d, f);
}
