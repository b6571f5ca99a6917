/* SPDX-License-Identifier: MIT */
/* Access rules in the configuration: allow = and deny =, role by role. */
#include <stdlib.h>
#include <string.h>

#include "cmd/config/config_value.h"

static bool same(const struct config_rule *a, const struct config_rule *b)
{
	if (a->by_hit != b->by_hit)
		return false;
	if (a->by_hit)
		return hit_eq(&a->hit, &b->hit);
	return a->prefix.len == b->prefix.len &&
	       addr_eq(&a->prefix.addr, &b->prefix.addr);
}

static bool grow(struct config_access *a)
{
	size_t room = a->room ? 2 * a->room : 16;
	struct config_rule *more = realloc(a->rules, room * sizeof(*more));

	if (!more)
		return false;
	a->rules = more;
	a->room = room;
	return true;
}

/* A second rule on the same HIT or prefix could never decide: the first one
 * that fits does. */
static int rule(struct config *c, enum config_role role, bool allow,
		const char *v)
{
	struct config_access *a = &c->access[role];
	struct config_rule r = { .allow = allow };

	r.by_hit = hit_parse(v, &r.hit) == HG_OK;
	if (!r.by_hit && prefix_parse(v, &r.prefix))
		return HG_EFORMAT;
	/* Nobody's address; of HITs there are no prefixes to speak of. */
	if (!r.by_hit && r.prefix.len >= 28 && hit_is_orchid(r.prefix.addr.b))
		return HG_EFORMAT;
	for (size_t i = 0; i < a->num; i++) {
		if (same(&a->rules[i], &r))
			return HG_EEXIST;
	}
	if (a->num == CONFIG_ACCESS || (a->num == a->room && !grow(a)))
		return HG_EFULL;
	a->rules[a->num++] = r;
	return HG_OK;
}

int config_value_host_allow(struct config *c, const char *v)
{
	return rule(c, CONFIG_ROLE_HOST, true, v);
}

int config_value_host_deny(struct config *c, const char *v)
{
	return rule(c, CONFIG_ROLE_HOST, false, v);
}

int config_value_rendezvous_allow(struct config *c, const char *v)
{
	return rule(c, CONFIG_ROLE_RENDEZVOUS, true, v);
}

int config_value_rendezvous_deny(struct config *c, const char *v)
{
	return rule(c, CONFIG_ROLE_RENDEZVOUS, false, v);
}

int config_value_proxy_allow(struct config *c, const char *v)
{
	return rule(c, CONFIG_ROLE_PROXY, true, v);
}

int config_value_proxy_deny(struct config *c, const char *v)
{
	return rule(c, CONFIG_ROLE_PROXY, false, v);
}

int config_value_answers(struct config *c, const char *v)
{
	if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
		return HG_EFORMAT;
	/* Either section's yes is the daemon's: there is one engine. */
	c->answers_opportunistic |= strcmp(v, "yes") == 0;
	return HG_OK;
}

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

size_t config_identity(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->identity_num; i++) {
		if (strcmp(c->identity[i], name) == 0)
			return i;
	}
	for (size_t i = 0; i < c->identity_num; i++) {
		if (strcmp(last_part(c->identity[i]), name) == 0)
			return i;
	}
	return c->identity_num;
}
