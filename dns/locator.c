/* SPDX-License-Identifier: MIT */
/* May HIP be sent to an address that DNS gave? (product.md T13) */
#include "dns/locator.h"

#include <string.h>

static bool in_pool(const struct addr *a, const struct prefix *pool)
{
	return pool->len && prefix_has(pool, a);
}

/* The IPv4 address inside an IPv6 one that a translator or tunnel on the
 * way would send to; NULL: none. */
static const uint8_t *inner_four(const struct addr *a)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (a->b[0] == 0x20 && a->b[1] == 0x02) /* RFC 3056 */
		return a->b + 2;
	if (memcmp(a->b, nat64, sizeof(nat64)) == 0) /* RFC 6052 */
		return a->b + 12;
	return NULL;
}

static bool is_disguised4(const struct addr *a)
{
	static const uint8_t zero[12];

	return addr_is4(a) || memcmp(a->b, zero, sizeof(zero)) == 0;
}

static bool plain_is_usable(const struct addr *a, const struct prefix *pool6,
			    const struct prefix *pool4)
{
	return !addr_is_unusable(a) && !addr_is_linklocal(a) &&
	       !in_pool(a, pool6) && !in_pool(a, pool4);
}

bool locator_is_usable(const struct addr *a, bool in_aaaa,
		       const struct prefix *pool6, const struct prefix *pool4)
{
	const uint8_t *four;
	struct addr inner;

	if (in_aaaa && is_disguised4(a))
		return false;
	if (!plain_is_usable(a, pool6, pool4))
		return false;
	four = in_aaaa ? inner_four(a) : NULL;
	if (!four)
		return true;
	inner = addr_from4(four);
	return plain_is_usable(&inner, pool6, pool4);
}
