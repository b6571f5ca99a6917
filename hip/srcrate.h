/* SPDX-License-Identifier: MIT */
/* How often a source may cause something: buckets per prefix (7401 6.7). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

/* Fixed table; sources whose prefixes fall into one place share it. */
#define SRCRATE_SLOTS 4096

struct srcrate_bucket {
	uint32_t tokens; /* in 1/1024 */
	uint64_t at;	 /* ns, when tokens was right */
};

/* Times a second, and times at once: by one source, and by all of them. */
struct srcrate_limits {
	uint32_t per_s;
	uint32_t burst;
	uint32_t all_per_s;
	uint32_t all_burst;
};
#define SRCRATE_MAX 100000u /* none of them is larger */

struct srcrate {
	uint8_t key[16]; /* which place a prefix takes is nobody's to choose */
	struct srcrate_limits limits;
	struct srcrate_bucket all;
	struct srcrate_bucket *bucket; /* SRCRATE_SLOTS */
};

int srcrate_init(struct srcrate *r, const struct srcrate_limits *limits,
		 uint64_t now) HG_CHECK;
void srcrate_fini(struct srcrate *r);
/* The source's prefix, /32 (IPv4) or /56 (IPv6), the rest zero. */
struct addr srcrate_prefix(const struct addr *source);
/* Takes a token of the source's prefix and one of all. */
bool srcrate_allow(struct srcrate *r, const struct addr *source, uint64_t now);
