/* SPDX-License-Identifier: MIT */
/* No R1 is more than five times what asked for it (RFC 7401 6.7, 8). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

#define I1CREDIT_FACTOR 5u
#define I1CREDIT_SETS 8192u /* a power of 2 */
#define I1CREDIT_WAYS 4u
/* Longer than the longest wait between two I1 of one exchange (8 s). */
#define I1CREDIT_LAPSE_NS UINT64_C(16000000000)

struct i1credit_mark {
	struct addr prefix; /* all zero: empty */
	uint64_t at;	    /* ns, of its last I1 */
	uint32_t octets;    /* that may be sent there */
};

struct i1credit {
	uint8_t key[16]; /* which set a prefix takes is nobody's to choose */
	struct i1credit_mark *mark; /* I1CREDIT_SETS * I1CREDIT_WAYS */
};

int i1credit_init(struct i1credit *c) HG_CHECK;
void i1credit_fini(struct i1credit *c);
/* Octets on the wire of a HIP message of len octets to or from this address:
 * IP header, UDP header and the four zeros (RFC 9028 5.1) included. */
size_t i1credit_wire(const struct addr *a, size_t len);
/* May an answer of `out` octets on the wire go to this address for an I1 of
 * `in` octets that claims to come from there? false: not yet; the I1 is
 * remembered as credit of its prefix, and one of the next will do. */
bool i1credit_pays(struct i1credit *c, const struct addr *to, size_t in,
		   size_t out, uint64_t now);
