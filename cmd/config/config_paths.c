/* SPDX-License-Identifier: MIT */
/* [paths]: which of several ways to a HIP host is taken. */
#include "cmd/config/config_paths.h"

#include <string.h>

#include "cmd/config/config_value.h"

_Static_assert(CONFIG_ORDER == HIP_ORDER_MAX, "as many as hip takes");

const char *const config_paths_prefers[HIP_PREFER_NUM] = {
	[HIP_PREFER_ANNOUNCED] = "announced",
	[HIP_PREFER_ORDER] = "order",
	[HIP_PREFER_LINK] = "link",
};

int config_paths_prefer(struct config *c, const char *v)
{
	int i = config_value_word(v, config_paths_prefers, HIP_PREFER_NUM);

	if (i < 0)
		return i;
	c->paths.prefer = (enum hip_prefer)i;
	return HG_OK;
}

/* A family stands for all of its addresses. */
static int order_of(const char *v, struct config_order *out)
{
	static const uint8_t zero[4];
	struct prefix *p = &out->prefix;

	*out = (struct config_order){ .link = "" };
	if (strncmp(v, "link ", 5) == 0)
		return config_value_interface(v + 5, out->link);
	if (strcmp(v, "ipv4") == 0)
		*p = (struct prefix){ .addr = addr_from4(zero), .len = 96 };
	else if (strcmp(v, "ipv6") == 0)
		/* Global unicast: ::/0 would have IPv4 in it, too. */
		return prefix_parse("2000::/3", p);
	else
		return prefix_parse(v, p);
	return HG_OK;
}

static bool is_same(const struct config_order *a, const struct config_order *b)
{
	return strcmp(a->link, b->link) == 0 &&
	       a->prefix.len == b->prefix.len &&
	       addr_eq(&a->prefix.addr, &b->prefix.addr);
}

int config_paths_order(struct config *c, const char *v)
{
	struct config_paths *p = &c->paths;
	struct config_order one;

	if (order_of(v, &one))
		return HG_EFORMAT;
	for (size_t i = 0; i < p->order_num; i++) {
		if (is_same(&p->order[i], &one))
			return HG_EEXIST;
	}
	if (p->order_num == CONFIG_ORDER)
		return HG_EFULL;
	p->order[p->order_num++] = one;
	return HG_OK;
}

int config_paths_silence(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 250, 60000, &n);

	if (!err)
		c->paths.silence_ms = (uint32_t)n;
	return err;
}

int config_paths_return(struct config *c, const char *v)
{
	unsigned long n;
	int err = config_value_number(v, 1, 3600, &n);

	if (!err)
		c->paths.return_s = (uint32_t)n;
	return err;
}
