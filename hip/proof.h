/* SPDX-License-Identifier: MIT */
/* What proves that the peer is where it says (RFC 8046 5.4). */
#pragma once

#include "hip/engine.h"

/* THEORY OF OPERATION
 * Nonces are keyed hashes of association, Update ID and addresses: nothing is
 * kept for them. One under the signature proves its address as long as the
 * UPDATE went nowhere else; one behind it proves its own copy's.
 */

/* What an address must echo. */
struct proof_nonce {
	uint8_t b[16];
};
/* For the copy of the last UPDATE that goes from self to peer; self NULL: the
 * one under its signature. */
struct proof_nonce proof_nonce(const struct hip *h, const struct assoc *a,
			       const struct endpoint *self,
			       const struct endpoint *peer);
/* The path that this answer proves, or -1. */
int proof_of(const struct hip *h, const struct assoc *a,
	     const struct packet *pk);
/* Does it prove the path n by the copy of our UPDATE id that went there, be that
 * one acknowledged or not? */
bool proof_late(const struct hip *h, const struct assoc *a,
		const struct packet *pk, int n, uint32_t id);
