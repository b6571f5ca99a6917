/* SPDX-License-Identifier: MIT */
/* The numbers of a pool that can be substitutes. */
#include "dns/pool.h"

#include "core/wire.h"
#include "dns/dns.h"

#define POOL6_LEN_MAX 112
#define POOL4_LEN_MIN (96 + 8)
#define POOL4_LEN_MAX (96 + 30)

bool pool_is_sane(const struct prefix *p6, const struct prefix *p4)
{
	if (p6->len && (prefix_is4(p6) || p6->len > POOL6_LEN_MAX))
		return false;
	if (p4->len && (!prefix_is4(p4) || p4->len < POOL4_LEN_MIN ||
			p4->len > POOL4_LEN_MAX))
		return false;
	return true;
}

/* Numbers a network keeps for itself: ::0 to ::ff (routers, the TUN) and
 * the subnet anycast addresses at the top (RFC 2526). */
static bool host6_is_reserved(const struct addr *a, unsigned prefix_len)
{
	bool zeros = true;
	bool ones = true;

	for (unsigned bit = prefix_len; bit < 121; bit++) {
		bool set = a->b[bit / 8] & (0x80 >> bit % 8);

		ones = ones && set;
		zeros = zeros && (!set || bit == 120);
	}
	return zeros || ones;
}

bool pool_put6(const struct prefix *pool6, const uint8_t hash[16],
	       struct addr *out)
{
	unsigned len = pool6->len;

	*out = pool6->addr;
	for (unsigned i = len / 8; i < 16; i++) {
		uint8_t host = 0xff;

		if (i == len / 8)
			host = (uint8_t)(0xff >> len % 8);
		out->b[i] = (uint8_t)(out->b[i] | (hash[i] & host));
	}
	return !host6_is_reserved(out, len);
}

/* The network, the first (the TUN's own), and the second (DNS) where there
 * is room for it. */
static uint32_t first4(const struct prefix *pool4)
{
	return pool4->len == POOL4_LEN_MAX ? 2 : 3;
}

/* Not those, and not the broadcast address. */
uint32_t pool_size4(const struct prefix *p)
{
	return p->len ? (1U << (128 - p->len)) - 1 - first4(p) : 0;
}

struct addr pool_nth4(const struct prefix *pool4, uint32_t n)
{
	struct addr a = pool4->addr;

	put_be32(a.b + 12, get_be32(a.b + 12) + first4(pool4) + n);
	return a;
}

bool pool_has4(const struct prefix *pool4, const struct addr *a)
{
	uint32_t n;

	if (!pool4->len || !prefix_has(pool4, a))
		return false;
	n = get_be32(a->b + 12) - get_be32(pool4->addr.b + 12);
	return n >= first4(pool4) && n - first4(pool4) < pool_size4(pool4);
}

bool lease_dns(const struct prefix *pool, struct addr *out)
{
	*out = pool->addr;
	if (pool->len == 0 || pool->len == POOL4_LEN_MAX)
		return false;
	out->b[15] = (uint8_t)(out->b[15] + (prefix_is4(pool) ? 2 : 0x53));
	return true;
}
