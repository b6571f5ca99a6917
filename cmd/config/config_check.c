/* SPDX-License-Identifier: MIT */
/* What must hold between the values of a whole configuration.
 *
 * Runs once, behind the last line of a file that parsed. Each message names
 * the line that is at fault and the mend.
 */
#include "cmd/config/config_check.h"

#include <string.h>

#include "cmd/config/config_dns.h"
#include "cmd/config/config_seeing.h"
#include "cmd/config/config_ways.h"

enum { POOL6_LEN_MAX = 112, POOL4_LEN_MAX = 96 + 30 };

/* Where no substitute address may lie. */
static const struct reserved {
	const char *prefix;
	const char *what;
} reserved[] = {
	{ "::/96", "the unspecified and loopback addresses" },
	{ "::ffff:0.0.0.0/96", "IPv4-mapped addresses" },
	{ "2001:20::/28", "HITs (RFC 7343)" },
	{ "fe80::/10", "link-local addresses" },
	{ "ff00::/8", "multicast" },
	{ "0.0.0.0/8", "addresses of this network" },
	{ "127.0.0.0/8", "loopback" },
	{ "169.254.0.0/16", "link-local addresses" },
	{ "224.0.0.0/4", "multicast" },
	{ "255.255.255.255/32", "broadcast" },
};

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return prefix_has(a, &b->addr) || prefix_has(b, &a->addr);
}

/* prefix_parse reads "::ffff:0:0/96" as IPv6 text of IPv4 space: build it. */
static struct prefix reserved_prefix(const struct reserved *r)
{
	struct prefix p = { .len = 96 };
	static const uint8_t zero[4];

	if (strncmp(r->prefix, "::ffff:", 7) == 0)
		p.addr = addr_from4(zero);
	else if (prefix_parse(r->prefix, &p))
		p.len = 128; /* unreachable: the table is constant */
	return p;
}

static void check_reserved(struct config_parse *p, const struct prefix *pool,
			   unsigned line)
{
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		struct prefix r = reserved_prefix(&reserved[i]);

		/* An IPv4 pool lies inside the mapped range by its form. */
		if (prefix_is4(pool) && r.len <= 96)
			continue;
		if (!overlap(pool, &r))
			continue;
		config_parse_fail(p, line,
				  "prefix %s overlaps %s, which are %s; take "
				  "another prefix",
				  prefix_print(pool, text), reserved[i].prefix,
				  reserved[i].what);
		return;
	}
}

/* Clients around the pool are usual ("::/0": anyone); inside it there are
 * none. */
static void check_clients(struct config_parse *p, const struct prefix *pool)
{
	char a[PREFIX_TEXT_MAX];
	char b[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < p->c->clients_num; i++) {
		const struct prefix *clients = &p->c->clients[i];

		if (clients->len < pool->len ||
		    !prefix_has(pool, &clients->addr))
			continue;
		config_parse_fail(p, p->clients_at[i],
				  "clients = %s lies inside prefix = %s, "
				  "where only substitute addresses are; name "
				  "the clients' own addresses",
				  prefix_print(clients, a),
				  prefix_print(pool, b));
		return;
	}
}

static void check_pool(struct config_parse *p, const struct prefix *pool,
		       unsigned line)
{
	bool four = prefix_is4(pool);
	char text[PREFIX_TEXT_MAX];

	if (pool->len == 0)
		return;
	if (!four && pool->len > POOL6_LEN_MAX)
		config_parse_fail(p, line,
				  "prefix %s has too few addresses; take "
				  "/112 or shorter, best a /64",
				  prefix_print(pool, text));
	if (four && pool->len > POOL4_LEN_MAX)
		config_parse_fail(p, line,
				  "prefix %s has too few addresses; take "
				  "/30 or shorter",
				  prefix_print(pool, text));
	check_reserved(p, pool, line);
	check_clients(p, pool);
	for (size_t i = 0; i < p->c->dns_servers_num; i++) {
		if (!prefix_has(pool, &p->c->dns_servers[i].addr))
			continue;
		config_parse_fail(p, p->dns_server_at[i],
				  "dns-server lies inside prefix = %s, where "
				  "only substitute addresses are",
				  prefix_print(pool, text));
	}
}

static void check_lans(struct config_parse *p)
{
	for (size_t i = 0; i < p->c->lan_num; i++) {
		if (strcmp(p->c->lan[i], p->c->tun) == 0)
			config_parse_fail(p, p->lan_at[i],
					  "lan = %s is the TUN itself; name "
					  "the interface the clients are on",
					  p->c->lan[i]);
	}
}

static bool any_esp_null(const struct config *c)
{
	for (size_t i = 0; i < c->peers_num; i++) {
		if (c->peers[i].esp_null)
			return true;
	}
	return false;
}

/* R1 has room for six (RFC 7402 5.1.2). */
static void check_suites(struct config_parse *p)
{
	if (p->c->offer.esp_num == HIP_OFFER_MAX && any_esp_null(p->c))
		config_parse_fail(p, p->at[CONFIG_SECTION_PEER],
				  "esp-null = yes offers a suite more, and "
				  "esp-suites has %d already; leave one out "
				  "there",
				  HIP_OFFER_MAX);
}

static void check_paths(struct config_parse *p)
{
	const struct config_paths *paths = &p->c->paths;
	unsigned line = p->at[CONFIG_SECTION_PATHS];

	if (paths->prefer == HIP_PREFER_ORDER && !paths->order_num)
		config_parse_fail(p, line,
				  "prefer = order, but no order is given; add "
				  "order = ipv6, order = link INTERFACE or "
				  "prefixes");
	if (paths->prefer != HIP_PREFER_ORDER && paths->order_num)
		config_parse_fail(
			p, line,
			"order = is for prefer = order only; add that "
			"or remove it");
}

static void check_roles(struct config_parse *p)
{
	const struct config *c = p->c;

	if (!c->proxy && !c->host && !c->rendezvous)
		config_parse_fail(p, 0,
				  "no role; add a section [proxy], [host] or "
				  "[rendezvous]");
	if (!c->proxy && c->rules_num > 0)
		config_parse_fail(p, p->at[CONFIG_SECTION_POLICY],
				  "[policy] serves the proxy only; add "
				  "[proxy] or remove it");
	if (c->identity_num == 0)
		config_parse_fail(p, 0,
				  "no identity; make one with \"hipgate "
				  "keygen FILE\" and add identity = FILE to "
				  "[daemon]");
	else if (c->anonymous[0])
		config_parse_fail(p, 0,
				  "the first identity is the default one and "
				  "cannot be anonymous; put an identity = FILE "
				  "before anonymous = %s",
				  c->identity[0]);
}

/* An address serves the host's own programs, an identity the proxy's
 * clients: a program of the host chooses its HIT itself. */
static void check_peers(struct config_parse *p)
{
	const struct config *c = p->c;

	for (size_t i = 0; i < c->peers_num; i++) {
		const struct config_peer *peer = &c->peers[i];

		if (!peer->at_num && !peer->identity[0] && !peer->esp_null)
			config_parse_fail(p, p->peer_at[i],
					  "[peer] says nothing; add address = "
					  "ADDRESS or identity = FILE");
		if (peer->at_num && !c->host && !peer->esp_null)
			config_parse_fail(p, p->peer_at[i],
					  "address in [peer] serves the host "
					  "role only; add [host] or remove it");
		if (peer->identity[0] && !c->proxy)
			config_parse_fail(p, p->peer_identity_at[i],
					  "identity in [peer] serves the proxy "
					  "only; add [proxy] or remove it");
	}
}

static void check_identity(struct config_parse *p, const char *name,
			   unsigned line)
{
	if (!name[0] || strcmp(name, CONFIG_EPHEMERAL) == 0 ||
	    config_identity(p->c, name) < p->c->identity_num)
		return;
	config_parse_fail(p, line,
			  "identity = %s is none of [daemon]; add identity = "
			  "FILE or anonymous = FILE there, or write "
			  "ephemeral",
			  name);
}

static void check_identities(struct config_parse *p)
{
	for (size_t i = 0; i < p->c->peers_num; i++)
		check_identity(p, p->c->peers[i].identity,
			       p->peer_identity_at[i]);
	for (size_t i = 0; i < p->c->rules_num; i++)
		check_identity(p, p->c->rule_identity[i],
			       p->rule_identity_at[i]);
}

static void check_registers(struct config_parse *p)
{
	for (size_t i = 0; i < p->c->reg_num; i++) {
		if (!hit_is_null(&p->c->reg[i].rvs))
			continue;
		if (p->c->reg[i].at_num > 1)
			config_parse_fail(p, p->register_at[i],
					  "[register opportunistic] takes one "
					  "address: at each somebody else may "
					  "answer; write the agent's HIT");
		if (!p->c->opportunistic)
			config_parse_fail(p, p->register_at[i],
					  "[register opportunistic] trusts "
					  "whoever answers; write the agent's "
					  "HIT, or allow it with opportunistic "
					  "= yes in [daemon]");
	}
}

void config_check(struct config_parse *p)
{
	check_roles(p);
	check_peers(p);
	check_identities(p);
	check_registers(p);
	config_dns_check(p);
	config_ways_check(p);
	config_seeing_check(p);
	check_pool(p, &p->c->pool6, p->pool6_at);
	check_pool(p, &p->c->pool4, p->pool4_at);
	check_lans(p);
	check_suites(p);
	check_paths(p);
}
