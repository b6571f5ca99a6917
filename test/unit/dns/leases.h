/* SPDX-License-Identifier: MIT */
/* A table of leases in its tests. */
#pragma once

#include "test/unit/dns/desk.h"

static inline struct lease_config lease_config_of(const char *six,
						  const char *four,
						  uint32_t max)
{
	struct lease_config c = { .max = max };

	if (six)
		c.pool6 = desk_prefix(six);
	if (four)
		c.pool4 = desk_prefix(four);
	memset(c.site_key, 0x5a, sizeof(c.site_key));
	return c;
}

static inline struct hit nth_hit(uint32_t n)
{
	struct hit h = desk_hit(0);

	put_be32(h.b + 12, n);
	return h;
}

static inline struct lease *open_lease(const struct lease_config *c)
{
	struct lease *l;

	ck_assert_int_eq(lease_new(c, &l), 0);
	return l;
}

static inline int ask(struct lease *l, uint32_t n, uint64_t now,
		      struct lease_entry *out)
{
	struct lease_asker who = { .client = desk_addr("192.0.2.1"),
				   .now = now };
	struct hit h = nth_hit(n);
	bool fresh;

	return lease_ask(l, &h, "n", &who, out, &fresh);
}
