/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman groups of HIP and the choice among them (7401 5.2.6-7).
 *
 * A key is immutable once made and counts its references, so the R1 pool and
 * any number of jobs may share one. All functions are for any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define DH_PUBLIC_MAX 96 /* P-384: x | y */
#define DH_SECRET_MAX 48 /* P-384: x */

enum { DH_P256 = 7, DH_P384 = 8 };

/* One group. Public values and secrets have fixed lengths, left-padded
 * (RFC 5903 7). */
struct dh_group {
	uint8_t id;
	const char *name;
	const char *curve; /* the library's name for it */
	uint16_t public_len;
	uint16_t secret_len;
};

struct dh_key;

/* Our list in order of preference: contents of DH_GROUP_LIST. */
extern const uint8_t dh_group_ids[];
extern const size_t dh_group_ids_num;

/* The row, or NULL. */
const struct dh_group *dh_group_find(uint8_t id);
/* The first of the Responder's list that the Initiator's list holds (7401
 * 5.2.6), known to us or not; 0: none. Both roles use it: the Responder to
 * choose, the Initiator to detect a downgrade. */
uint8_t dh_choose(const uint8_t *responder, size_t responder_num,
		  const uint8_t *initiator, size_t initiator_num);
int dh_generate(const struct dh_group *g, struct dh_key **out) HG_CHECK;
/* A key made elsewhere: the private number (secret_len octets, big-endian)
 * and its public value; so that tests can use published vectors. */
int dh_import(const struct dh_group *g, const uint8_t *private_key,
	      const uint8_t *public_key, struct dh_key **out) HG_CHECK;
struct dh_key *dh_ref(struct dh_key *key);
/* Drops one reference; the last one wipes and frees. */
void dh_free(struct dh_key *key);
const struct dh_group *dh_group(const struct dh_key *key);
/* g->public_len octets, borrowed. */
const uint8_t *dh_public(const struct dh_key *key);
/* Kij with a peer's public value of the same group. HG_EFORMAT: wrong
 * length or not a valid point (7401 5.3.2). secret gets secret_len octets of
 * the group; wipe it. */
int dh_derive(const struct dh_key *key, const uint8_t *peer, size_t peer_len,
	      uint8_t secret[DH_SECRET_MAX]) HG_CHECK;
