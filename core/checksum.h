/* SPDX-License-Identifier: MIT */
/* Internet checksum (RFC 1071), full and incremental (RFC 1624). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

/* Sums are unfolded one's-complement sums of 16-bit words in network
 * order; add them with +, finish once. */

/* Adds len octets to sum (an odd last octet counts as the high half, so
 * only the last chunk may be odd). */
uint64_t csum_add(uint64_t sum, const void *data, size_t len);
/* Folds to 16 bits, not complemented. */
uint16_t csum_fold(uint64_t sum);
/* The complement of the fold: what goes into a header field. */
uint16_t csum_finish(uint64_t sum);
/* Pseudo-header sums: IPv4 (RFC 793) when both are IPv4, else IPv6
 * (RFC 8200 8.1). len is the upper-layer length. */
uint64_t csum_pseudo(const struct addr *from, const struct addr *to,
		     uint8_t proto, uint32_t len);
/* The same over HITs (RFC 7401 4.5.1). */
uint64_t csum_pseudo_hit(const struct hit *from, const struct hit *to,
			 uint8_t proto, uint32_t len);
/* RFC 1624 eqn 3: the field after old_sum's words became new_sum's. Both
 * are unfolded sums of what leaves and what comes. */
uint16_t csum_update(uint16_t field, uint64_t old_sum, uint64_t new_sum);
