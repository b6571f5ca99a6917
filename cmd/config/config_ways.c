/* SPDX-License-Identifier: MIT */
/* DNS's ways in, and where real addresses may be answered. */
#include "cmd/config/config_ways.h"

#include "cmd/config/config_parse.h"
#include "cmd/config/config_value.h"

enum { PORT_DNS = 53 };

int config_ways_listen(struct config *c, const char *v)
{
	struct endpoint e;
	int err = endpoint_parse(v, PORT_DNS, &e);

	if (err)
		return err;
	if (addr_is_unusable(&e.addr) && !addr_is_unspecified(&e.addr) &&
	    !config_value_loopback(&e.addr))
		return HG_EFORMAT;
	for (size_t i = 0; i < c->listen_num; i++) {
		if (endpoint_eq(&c->listen[i], &e))
			return HG_EEXIST;
	}
	if (c->listen_num == CONFIG_LISTEN)
		return HG_EFULL;
	c->listen[c->listen_num++] = e;
	return HG_OK;
}

int config_ways_transparent(struct config *c, const char *v)
{
	struct prefix p;

	/* ::/0 would have the pools and the HITs in it. */
	if (prefix_parse(v, &p) || p.len == 0)
		return HG_EFORMAT;
	for (size_t i = 0; i < c->real_num; i++) {
		if (c->real[i].len == p.len &&
		    addr_eq(&c->real[i].addr, &p.addr))
			return HG_EEXIST;
	}
	if (c->real_num == DNS_REAL_MAX)
		return HG_EFULL;
	c->real[c->real_num++] = p;
	return HG_OK;
}

bool config_ways_same(const struct endpoint *listen,
		      const struct endpoint *server)
{
	static const uint8_t any4[4];
	struct addr none4 = addr_from4(any4);
	bool any = addr_is_unspecified(&listen->addr) ||
		   addr_eq(&listen->addr, &none4);

	if (listen->port != server->port ||
	    addr_is4(&listen->addr) != addr_is4(&server->addr))
		return false;
	return any ? config_value_loopback(&server->addr)
		   : addr_eq(&listen->addr, &server->addr);
}

static void check_listen(struct config_parse *p, const struct endpoint *listen)
{
	const struct config *c = p->c;
	const struct prefix *pool =
		addr_is4(&listen->addr) ? &c->pool4 : &c->pool6;
	char a[ENDPOINT_TEXT_MAX];

	endpoint_print(listen, a);
	for (size_t i = 0; i < c->dns_servers_num; i++) {
		if (config_ways_same(listen, &c->dns_servers[i]))
			config_parse_fail(p, p->dns_server_at[i],
					  "dns-server is listen = %s, so "
					  "hipgate would ask itself; name the "
					  "server that knows the answers",
					  a);
	}
	if (pool->len && prefix_has(pool, &listen->addr))
		config_parse_fail(p, p->at[CONFIG_PROXY],
				  "listen = %s lies inside the prefix, which "
				  "has an address for DNS already; name one "
				  "of the machine's own",
				  a);
}

static bool overlap(const struct prefix *a, const struct prefix *b)
{
	return a->len && b->len &&
	       (prefix_has(a, &b->addr) || prefix_has(b, &a->addr));
}

static void check_real(struct config_parse *p, const struct prefix *real)
{
	const struct config *c = p->c;
	struct prefix orchid;
	char text[PREFIX_TEXT_MAX];

	prefix_print(real, text);
	if (overlap(real, &c->pool6) || overlap(real, &c->pool4))
		config_parse_fail(p, p->at[CONFIG_PROXY],
				  "transparent = %s overlaps prefix, where "
				  "there are no real addresses; name the HIP "
				  "hosts' own",
				  text);
	if (prefix_parse("2001:20::/28", &orchid) == HG_OK &&
	    overlap(real, &orchid))
		config_parse_fail(p, p->at[CONFIG_PROXY],
				  "transparent = %s overlaps 2001:20::/28, "
				  "which are HITs; name the HIP hosts' "
				  "addresses",
				  text);
	for (size_t i = 0; i < c->clients_num; i++) {
		if (c->clients[i].len >= real->len &&
		    prefix_has(real, &c->clients[i].addr))
			config_parse_fail(p, p->clients_at[i],
					  "clients lie inside transparent = "
					  "%s, so that their packets would be "
					  "taken for forged ones; name smaller "
					  "prefixes",
					  text);
	}
}

/* A real address that is not routed into the TUN would be clear text. */
static void check_transparent(struct config_parse *p)
{
	const struct config *c = p->c;
	size_t i = 0;

	while (i < c->rules_num && c->rules[i].mode != DNS_TRANSPARENT)
		i++;
	if (i < c->rules_num && !c->real_num)
		config_parse_fail(p, p->at[CONFIG_SECTION_POLICY],
				  "[policy \"%s\"] hip = transparent answers "
				  "with real addresses, which must be routed "
				  "into the TUN; add transparent = PREFIX for "
				  "them to [proxy], and run hipgate-setup",
				  c->rules[i].pattern);
	if (i == c->rules_num && c->real_num)
		config_parse_fail(p, p->at[CONFIG_PROXY],
				  "transparent = is for names with hip = "
				  "transparent; add it to a [policy], or "
				  "remove this");
	if (c->real_num && (!c->dns_servers_num || !c->lan_num))
		config_parse_fail(p, p->at[CONFIG_PROXY],
				  "transparent = needs a server whose answers "
				  "are believed, and the interfaces whose "
				  "packets are routed; add dns-server = "
				  "ADDRESS and lan = INTERFACE");
}

void config_ways_check(struct config_parse *p)
{
	for (size_t i = 0; i < p->c->listen_num; i++)
		check_listen(p, &p->c->listen[i]);
	for (size_t i = 0; i < p->c->real_num; i++)
		check_real(p, &p->c->real[i]);
	check_transparent(p);
}
