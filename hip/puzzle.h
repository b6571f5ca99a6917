/* SPDX-License-Identifier: MIT */
/* The puzzle: making #I without state, checking, solving (7401 4.1.2, 6.3).
 *
 * THEORY OF OPERATION
 * A Responder keeps no state for an I1. Its #I is a keyed hash (BLAKE2b under
 * a random key of the epoch) over HIT-I, HIT-R and the Initiator's address,
 * so that an I2 shows by itself that its #I was ours, for this pair and this
 * address. The UDP port is left out: NATs may move it between I1 and I2, and
 * behind a rendezvous server the port of I1 is not known to us. The address
 * is that to which R1 goes (FROM's, when there was one). Epochs (which keys
 * are current) are the R1 pool's affair; Opaque may tell it which one.
 * Pure functions, any thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/suite.h"

#define PUZZLE_KEY_LEN 32

/* Whose puzzle it is; borrowed. */
struct puzzle_ends {
	const struct hit *hit_i;
	const struct hit *hit_r;
	const struct addr *initiator; /* IPv4 as ::ffff:a.b.c.d */
};

/* A puzzle as R1 or I2 has it; a value, so that it fits in a job. */
struct puzzle {
	const struct suite *rhash; /* of the Responder's HIT suite */
	struct hit hit_i;
	struct hit hit_r;
	uint8_t k;
	uint8_t i[SUITE_HASH_MAX]; /* rhash->hash_len octets */
};

/* A fresh epoch key (libsodium). */
void puzzle_key(uint8_t key[PUZZLE_KEY_LEN]);
/* Our #I: rhash->hash_len octets. */
void puzzle_make_i(const uint8_t key[PUZZLE_KEY_LEN],
		   const struct puzzle_ends *ends, const struct suite *rhash,
		   uint8_t *i);
/* Is this #I the one we would make under this key? Constant time. */
bool puzzle_is_ours(const uint8_t key[PUZZLE_KEY_LEN],
		    const struct puzzle_ends *ends, const struct suite *rhash,
		    const uint8_t *i);
/* Are the k low-order bits of RHASH(I | HIT-I | HIT-R | J) zero? j has
 * rhash->hash_len octets. */
bool puzzle_verify(const struct puzzle *p, const uint8_t *j);
/* Tries at most `tries` values from a random start; j gets
 * rhash->hash_len octets. cancel may be NULL; another thread may set it.
 * HG_EAGAIN: tries used up, or cancelled. */
int puzzle_solve(const struct puzzle *p, uint64_t tries,
		 const atomic_bool *cancel, uint8_t *j) HG_CHECK;
/* 2^(lifetime - 32) seconds in ns (7401 5.2.4); UINT64_MAX when more than
 * 64 bits hold. */
uint64_t puzzle_lifetime_ns(uint8_t lifetime);
