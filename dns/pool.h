/* SPDX-License-Identifier: MIT */
/* The numbers of a pool that can be substitutes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

/* Is one of IPv6, or none, and one of IPv4, or none, each of a size that can
 * be used? */
bool pool_is_sane(const struct prefix *pool6, const struct prefix *pool4);
/* The address with the host part of hash. False: that number is reserved,
 * draw again. */
bool pool_put6(const struct prefix *pool6, const uint8_t hash[16],
	       struct addr *out);
/* Addresses of an IPv4 pool that can be given out, and each of them, n below
 * that. */
uint32_t pool_size4(const struct prefix *pool4);
struct addr pool_nth4(const struct prefix *pool4, uint32_t n);
/* Is it one of them? */
bool pool_has4(const struct prefix *pool4, const struct addr *a);
