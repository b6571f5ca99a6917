/* SPDX-License-Identifier: MIT */
/* LOCATOR_SET: reading, judging and writing it (8046 4, 5.3; 9028 5.7). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/reason.h"
#include "hip/hip.h"
#include "hip/message.h"

#define LOCSET_LOOK_MAX 32 /* entries of one set; more is refused */
#define LOCSET_FOREVER UINT32_MAX

/* What a transport address is (9028 5.7). */
enum locator_kind {
	LOCATOR_HOST,
	LOCATOR_SERVER_REFLEXIVE,
	LOCATOR_PEER_REFLEXIVE,
	LOCATOR_RELAYED,
	LOCATOR_KIND_NUM
};

struct locator {
	struct endpoint at; /* port 0: the type has none */
	uint32_t spi;	    /* of the SA it belongs to; 0: of any */
	uint32_t lifetime_s;
	bool preferred;
	uint8_t kind;	   /* enum locator_kind, or a higher one */
	uint32_t priority; /* RFC 8445 5.1.2; 0: it is no candidate */
};

struct locset {
	struct locator v[HIP_LOCATORS_MAX]; /* the preferred one first */
	size_t num;
	bool unsupported; /* one of a type we do not know is preferred */
	/* For HIP only (traffic type 1), the first with a port: whoever passes
	 * HIP packets on (9028 4.5). Port 0: none. */
	struct endpoint server;
};

/* Where nobody can be, beside what locset_read knows by itself. */
struct locset_rules {
	const struct prefix *barred;
	size_t barred_num;
};

/* The contents of a LOCATOR_SET. REASON_NUM: out holds its locators for
 * signalling and data (traffic type 0), at most HIP_LOCATORS_MAX, each
 * endpoint once, the preferred one first and the others as listed; none: all
 * are withdrawn (8046 4). Left out are unknown locator types, the other
 * traffic types and link-local addresses, which have no scope here.
 * The whole set is refused as HIP_LOCATOR: malformed, or a lifetime or UDP
 * port of 0; HIP_LOCATOR_MANY: more than LOCSET_LOOK_MAX entries;
 * HIP_LOCATOR_ADDR: one that is nobody's (8046 5.3); HIP_LOCATOR_BARRED;
 * HIP_LOCATOR_TYPE: entries, but none that could be used. */
enum reason locset_read(const uint8_t *contents, size_t len,
			const struct locset_rules *rules,
			struct locset *out) HG_CHECK;
/* Can this be the address of a peer at all? */
bool locset_place_ok(const struct addr *a, const struct locset_rules *rules);
/* Type 1 where spi is set, else 0; type 2 where the port is not HIP_PORT, and
 * for candidates. The given order; then the server, if it has a port. */
void locset_put(struct msg_builder *b, const struct locset *set);
