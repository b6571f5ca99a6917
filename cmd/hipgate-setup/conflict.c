/* SPDX-License-Identifier: MIT */
/* Routes and addresses of others that a prefix of ours would take.
 *
 * THEORY OF OPERATION
 * ip itself selects: `root PREFIX` are the routes inside of ours, `match
 * PREFIX` those around it, so that a router with a million routes prints a
 * few. Table local is among them, and with it each address.
 *
 * Ours is what leads into the TUN and what stands in our two tables. Around
 * a prefix there may be what sends packets nowhere (the unreachable route of
 * a site's whole /48, of which a /64 is ours), and what is as wide as a
 * default route. All else is somebody's who could not be reached any more.
 */
#include "cmd/hipgate-setup/conflict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgate-setup/plan.h"
#include "cmd/hipgate-setup/spawn.h"

/* Wider ones are default routes in parts: 0.0.0.0/1, 2000::/3. */
enum { WIDE = 8, ROUTES_MAX = 16384 };

/* A line of `ip route show`; texts are in the line. */
struct route {
	const char *type; /* "unicast", "local", "unreachable"... */
	const char *dst;
	const char *dev;   /* "": none */
	const char *table; /* "main" if it does not say */
};

static bool is_type(const char *word)
{
	static const char *const types[] = {
		"unicast",     "local",	    "broadcast", "multicast", "anycast",
		"unreachable", "blackhole", "prohibit",	 "throw",
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(word, types[i]) == 0)
			return true;
	}
	return false;
}

static bool leads_nowhere(const struct route *r)
{
	return strcmp(r->type, "unreachable") == 0 ||
	       strcmp(r->type, "blackhole") == 0 ||
	       strcmp(r->type, "prohibit") == 0 ||
	       strcmp(r->type, "throw") == 0;
}

/* False: an empty line. */
static bool route_split(char *line, struct route *r)
{
	char *save = NULL;
	char *word = strtok_r(line, " \t", &save);
	const char *last = "";

	*r = (struct route){ .type = "unicast", .dev = "", .table = "main" };
	if (word && is_type(word)) {
		r->type = word;
		word = strtok_r(NULL, " \t", &save);
	}
	if (!word)
		return false;
	r->dst = word;
	while ((word = strtok_r(NULL, " \t", &save))) {
		if (strcmp(last, "dev") == 0)
			r->dev = word;
		else if (strcmp(last, "table") == 0)
			r->table = word;
		last = word;
	}
	return true;
}

static bool is_ours(const struct config *c, const struct route *r)
{
	int table = atoi(r->table); /* 0: one with a name */

	return strcmp(r->dev, c->tun) == 0 || table == PLAN_TABLE_POOL ||
	       table == PLAN_TABLE_DNS;
}

/* May there be such a route around one of ours? */
static bool may_be_around(const struct route *r)
{
	struct prefix p;
	unsigned len;

	if (leads_nowhere(r) || prefix_parse(r->dst, &p))
		return true; /* "default" is no prefix */
	len = p.len - (prefix_is4(&p) ? 96 : 0);
	return len < WIDE;
}

static int conflict_say(const struct prefix *p, const struct route *r,
			bool hits, char *err, size_t cap)
{
	char text[PREFIX_TEXT_MAX];
	bool address = strcmp(r->type, "local") == 0;

	(void)snprintf(err, cap,
		       "%s%s overlaps %s %s%s%s%s%s: one of the two could not "
		       "be reached; %s, or say --allow-overlap",
		       hits ? "the HITs' " : "prefix = ", prefix_print(p, text),
		       address ? "the address" : "the route to", r->dst,
		       r->dev[0] ? " of " : "", r->dev,
		       address ? "" : ", table ", address ? "" : r->table,
		       hits ? "remove that" : "take another prefix");
	return HG_EEXIST;
}

/* inside: the routes inside of p, else those around it. */
static int look(const struct config *c, const struct prefix *p, bool inside,
		char *err, size_t cap)
{
	bool hits = !prefix_is4(p) && hit_is_orchid(p->addr.b);
	char text[PREFIX_TEXT_MAX];
	char command[160];
	char *said = calloc(1, ROUTES_MAX);
	char *next = said;
	char *line;
	int rc = said ? HG_OK : HG_ENOMEM;
	int status = 0;

	(void)snprintf(command, sizeof(command),
		       "ip %s route show table all %s %s",
		       prefix_is4(p) ? "-4" : "-6", inside ? "root" : "match",
		       prefix_print(p, text));
	if (!rc && spawn_lines(command, &status, said, ROUTES_MAX)) {
		(void)snprintf(err, cap, "%s: cannot be run: %s%s", command,
			       strerror(errno),
			       errno == ENOENT ? "; install iproute2" : "");
		rc = HG_ESYS;
	} else if (!rc && status) {
		(void)snprintf(err, cap, "%s: exit status %d: %s", command,
			       status, said);
		rc = HG_ESYS;
	}
	while (!rc && (line = strsep(&next, "\n"))) {
		struct route r;

		if (route_split(line, &r) && !is_ours(c, &r) &&
		    (inside || !may_be_around(&r)))
			rc = conflict_say(p, &r, hits, err, cap);
	}
	free(said);
	return rc;
}

int conflict_find(const struct config *c, char *err, size_t cap)
{
	const struct prefix hits = plan_hits();
	const struct prefix *all[3];
	size_t num = 0;
	int rc = HG_OK;

	if (c->proxy && c->pool6.len)
		all[num++] = &c->pool6;
	if (c->proxy && c->pool4.len)
		all[num++] = &c->pool4;
	if (c->host)
		all[num++] = &hits;
	for (size_t i = 0; !rc && i < num; i++) {
		rc = look(c, all[i], true, err, cap);
		if (!rc)
			rc = look(c, all[i], false, err, cap);
	}
	return rc;
}
