/* SPDX-License-Identifier: MIT */
/* What a base exchange gives and ESP takes: suites, keys, a pair of SAs. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

/* ESP transform suite ids (RFC 7402 5.1.2). */
enum {
	SA_NULL_SHA256 = 7,	  /* no encryption: by policy for one peer */
	SA_AES128_CBC_SHA256 = 8, /* mandatory */
	SA_AES256_CBC_SHA256 = 9,
	SA_AES128_CCM8 = 10,
	SA_AES128_CCM16 = 11,
	SA_AES128_GCM8 = 12,
	SA_AES128_GCM16 = 13, /* preferred */
};

#define SA_ENC_MAX 36  /* AES-256 and a 4-octet salt */
#define SA_AUTH_MAX 32 /* HMAC-SHA-256 */

/* One suite. All lengths in octets. Keys are drawn from KEYMAT in the
 * order enc (cipher key, then salt), auth (RFC 7402 7, RFC 4106 8.1, RFC
 * 4309 7.1). */
struct sa_suite {
	uint16_t id;
	const char *name;
	uint8_t key_len;  /* cipher key */
	uint8_t salt_len; /* drawn right after the cipher key */
	uint8_t auth_len; /* HMAC key, 0 for AEAD */
	uint8_t iv_len;	  /* explicit IV on the wire */
	uint8_t icv_len;
	uint8_t block; /* plaintext + pad + 2 is a multiple of this */
};

/* Keys of one direction. Wiped by whoever owns it (sa_wipe). */
struct sa_keys {
	uint8_t enc[SA_ENC_MAX]; /* cipher key | salt */
	uint8_t auth[SA_AUTH_MAX];
};

/* Both directions between two HITs, as hip hands it to the daemon and the
 * daemon to esp. SPIs in host order. */
struct sa_pair {
	struct hit self;
	struct hit peer;
	uint16_t suite;
	uint32_t spi_in;  /* ours: chosen by us, what the peer sends to */
	uint32_t spi_out; /* the peer's */
	struct sa_keys in;
	struct sa_keys out;
};

/* The row of a suite id, or NULL when it is not implemented. */
const struct sa_suite *sa_suite_find(uint16_t id);
/* Octets of KEYMAT for one direction's enc field: key_len + salt_len. */
size_t sa_enc_len(const struct sa_suite *s);
void sa_wipe(struct sa_pair *pair);
