/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman groups of HIP and the choice among them (7401 5.2.6-7).
 *
 * A key is immutable once made and counts its references, so the R1 pool and
 * any number of jobs may share one. All functions are for any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define DH_PUBLIC_MAX 384 /* MODP-3072 */
#define DH_SECRET_MAX 384

enum {
	DH_MODP_1536 = 3, /* mandatory */
	DH_MODP_3072 = 4,
	DH_P256 = 7,
	DH_P384 = 8,
	DH_P521 = 9,
	DH_MODP_2048 = 11,
};

/* One group. Public values and secrets have fixed lengths, left-padded
 * (7401 5.2.7, 6.5, RFC 5903 7). */
struct dh_group {
	uint8_t id;
	const char *name;
	const char *group; /* the library's name for it */
	bool curve;	   /* ECDH; else MODP */
	uint16_t public_len;
	uint16_t secret_len;
};

struct dh_key;

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
/* The same key as its two numbers, for whoever keeps many and seldom derives:
 * a twentieth of the octets; dh_derive takes longer. A new
 * reference. */
int dh_pack(struct dh_key *key, struct dh_key **out) HG_CHECK;
struct dh_key *dh_ref(struct dh_key *key);
/* Drops one reference; the last one wipes and frees. */
void dh_free(struct dh_key *key);
const struct dh_group *dh_group(const struct dh_key *key);
/* g->public_len octets, borrowed. */
const uint8_t *dh_public(const struct dh_key *key);
/* Kij with a peer's public value of the same group. HG_EFORMAT: wrong
 * length, not a valid point, not in the subgroup (7401 5.3.2, RFC 2785).
 * secret gets secret_len octets of the group; wipe it. */
int dh_derive(const struct dh_key *key, const uint8_t *peer, size_t peer_len,
	      uint8_t secret[DH_SECRET_MAX]) HG_CHECK;
