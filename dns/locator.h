/* SPDX-License-Identifier: MIT */
/* May HIP be sent to an address that DNS gave? (product.md T13) */
#pragma once

#include <stdbool.h>

#include "core/addr.h"

/* Not to what addr_is_unusable says, link-local addresses, the substitute
 * pools (len 0: none), nor to any of these written as a 6to4 or NAT64
 * address; and not to IPv4 dressed up as IPv6 (mapped or compatible):
 * in_aaaa says that the address came from an AAAA record. */
bool locator_is_usable(const struct addr *a, bool in_aaaa,
		       const struct prefix *pool6, const struct prefix *pool4);
