/* SPDX-License-Identifier: MIT */
/* How many I1 a source may send: token buckets per prefix (RFC 7401 6.7). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

/* Fixed table; sources whose prefixes fall into one place share it. */
#define I1RATE_SLOTS 4096

struct i1rate_bucket {
	uint32_t tokens; /* in 1/1024 */
	uint64_t at;	 /* ns, when tokens was right */
};

struct i1rate {
	uint8_t key[16]; /* which place a prefix takes is nobody's to choose */
	uint32_t per_s;
	uint32_t burst;
	struct i1rate_bucket all;     /* over all sources: 100 times one */
	struct i1rate_bucket *bucket; /* I1RATE_SLOTS */
};

int i1rate_init(struct i1rate *r, uint32_t per_s, uint32_t burst, uint64_t now)
	__attribute__((warn_unused_result));
void i1rate_fini(struct i1rate *r);
/* Takes a token of the source's /32 (IPv4) or /56 (IPv6). */
bool i1rate_allow(struct i1rate *r, const struct addr *source, uint64_t now);
