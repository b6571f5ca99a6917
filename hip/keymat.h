/* SPDX-License-Identifier: MIT */
/* KEYMAT: keying material of an association (7401 6.5, 7402 7, RFC 5869).
 *
 * KEYMAT is HKDF's output, addressed by octet index. The struct keeps only
 * HKDF's pseudorandom key, and draws compute from the start what they need,
 * so an association holds 100 octets, not 12 KiB. It is a value and a
 * secret: wipe it with keymat_wipe. Pure functions, any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/sa.h"
#include "hip/suite.h"

struct keymat {
	const struct suite *rhash;
	uint8_t prk[SUITE_HASH_MAX];
	uint8_t info[32]; /* lesser HIT | greater HIT */
};

/* What goes in beside Kij; all borrowed. */
struct keymat_seed {
	const struct suite *rhash; /* of the Responder's HIT suite */
	const uint8_t *i;	   /* rhash->hash_len octets each */
	const uint8_t *j;
	const struct hit *hit_a; /* the two hosts, in any order */
	const struct hit *hit_b;
};

/* Keys of the control messages, by direction as one host sees it. */
struct keymat_hip {
	uint8_t enc_out[SUITE_KEY_MAX]; /* cipher's key_len octets in use */
	uint8_t enc_in[SUITE_KEY_MAX];
	uint8_t mac_out[SUITE_HASH_MAX]; /* rhash's hash_len octets in use */
	uint8_t mac_in[SUITE_HASH_MAX];
};

int keymat_init(struct keymat *km, const struct keymat_seed *seed,
		const uint8_t *kij, size_t kij_len) HG_CHECK;
/* Octets index .. index + len of KEYMAT. HG_EFULL: beyond 255 hashes (7402
 * 5.1.1: time for a new Diffie-Hellman). */
int keymat_draw(const struct keymat *km, size_t index, uint8_t *out,
		size_t len) HG_CHECK;
/* Octets there are from index on. */
size_t keymat_room(const struct keymat *km, size_t index);
/* The four HIP keys, from index 0: gl encryption, gl integrity, lg
 * encryption, lg integrity; gl is what the host of the greater HIT sends
 * (7401 6.5). */
int keymat_hip_keys(const struct keymat *km, const struct suite_cipher *c,
		    const struct hit *self, const struct hit *peer,
		    struct keymat_hip *out) HG_CHECK;
/* Where the ESP keys begin after the HIP keys: the KEYMAT Index of a base
 * exchange. */
uint16_t keymat_esp_index(const struct suite *rhash,
			  const struct suite_cipher *c);
/* Fills in pair->in and pair->out from index on, by pair->self, peer and
 * suite (7402 7); *next is the first unused index. HG_EUNSUPP: unknown ESP
 * suite. */
int keymat_esp_keys(const struct keymat *km, uint16_t index,
		    struct sa_pair *pair, uint16_t *next) HG_CHECK;
void keymat_wipe(struct keymat *km);
void keymat_hip_wipe(struct keymat_hip *k);
