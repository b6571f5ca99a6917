/* SPDX-License-Identifier: MIT */
/* From a name through CNAMEs to the records at their end (RFC 1034 3.6.2). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dns/dname.h"
#include "dns/scan.h"

#define CHAIN_MAX 16	      /* names */
#define CHAIN_RECORDS_MAX 512 /* of the answer section that are looked at */

/* An answer whose question was found to be ours; all borrowed. */
struct chain_answer {
	const uint8_t *msg;
	size_t len;
	size_t records_at; /* offset of the answer section */
	unsigned records_num;
	bool unsaid; /* none came: see cache.h */
};

struct chain {
	struct dname names[CHAIN_MAX]; /* the first is the one asked */
	size_t num;
	uint32_t ttl; /* the least of the CNAMEs' */
};

/* HG_ETRUNC: a record is broken. HG_EFORMAT: a loop, or too long. The
 * records of a truncated answer end early, which is not an error: cut. */
int chain_follow(struct chain *c, const struct dname *from,
		 const struct chain_answer *a) HG_CHECK;
/* Calls fn for each record of that type at the chain's end. */
void chain_each(const struct chain *c, const struct chain_answer *a,
		uint16_t type, void (*fn)(const struct scan_rr *rr, void *arg),
		void *arg);
