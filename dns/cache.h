/* SPDX-License-Identifier: MIT */
/* Answers to our own questions, for as long as they say (RFC 1035, 2308). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "dns/chain.h"
#include "dns/dname.h"

/* THEORY OF OPERATION
 * Whole answers, as they came, by {realm, name, type}; realm says whose they
 * are (upstream.h), so that a client who asks a server of its own choice
 * spoils nothing for others. An answer lives as long as its shortest record,
 * one that says "no" as long as its SOA does (RFC 2308 5; without an SOA it
 * is not kept), and CACHE_TTL_MAX at most. What is taken out has its TTLs
 * aged. That nobody said anything is kept, too (RFC 9520), CACHE_UNSAID at
 * most, and asked for again by the side at once (it may have been slow), and
 * when it is used after CACHE_UNSAID_OLD: a zone whose servers drop questions
 * for HIP records costs a client time once. It is not kept when the client's
 * own query was not answered either, or not by one of our servers, nor when
 * we or the network refused to ask; an answer that is bogus, or cannot be
 * used, ends it. Bounds: `max` octets in all; the one that was not used for the
 * longest time goes first. Owner: the control thread.
 */
#define CACHE_MAX_DEFAULT (8U << 20)
#define CACHE_TTL_MAX 3600 /* s */
#define CACHE_UNSAID 60	   /* s */
#define CACHE_UNSAID_OLD 5 /* s */

struct cache;

struct cache_key {
	struct endpoint realm;
	const struct dname *name;
	uint16_t type;
};

int cache_new(size_t max, struct cache **out) HG_CHECK;
void cache_free(struct cache *c);
/* Keeps a copy, in place of what was there. rcode: NOERROR or NXDOMAIN, else
 * nothing is kept. */
void cache_put(struct cache *c, const struct cache_key *key,
	       const struct chain_answer *a, unsigned rcode, uint64_t now);
/* No answer came; one that is kept stays. It is taken out as an answer
 * without records that says SERVFAIL, `unsaid`. */
void cache_put_unsaid(struct cache *c, const struct cache_key *key,
		      uint64_t now);
/* Nothing, if something else is kept. */
void cache_drop_unsaid(struct cache *c, const struct cache_key *key);
/* All that is kept of that realm goes. */
void cache_drop_realm(struct cache *c, const struct endpoint *realm);
/* False: not there, or too old. *out is valid until the next call. *stale:
 * little of its time is left, and this is the first to hear of it. */
bool cache_get(struct cache *c, const struct cache_key *key, uint64_t now,
	       struct chain_answer *out, bool *stale);
size_t cache_num(const struct cache *c);
