/* SPDX-License-Identifier: MIT */
/* HIT suites and HIP ciphers: tables, hash, HMAC (7401 5.2.8, 5.2.10).
 *
 * THEORY OF OPERATION
 * The library's algorithm objects are fetched once, by suite_setup, and then
 * shared read-only by all threads: they are the only state, and never
 * change after that. hip_new and the hip_identity_* doors call it; tests and
 * other users of this file call it first. It may be called again at any
 * time, from any thread. Everything else here is a pure function for any
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

#define SUITE_HASH_MAX 48
#define SUITE_KEY_MAX 32 /* cipher key */

/* A HIT suite: what RHASH is when the Responder's HIT is of this suite. */
struct suite {
	uint8_t id;	   /* HIT suite and OGA id: 1, 2 */
	uint8_t list_id;   /* as HIT_SUITE_LIST has it: 0x10, 0x20 */
	uint8_t hash_len;  /* of RHASH, and of HMAC keys and outputs */
	uint8_t block_len; /* what the hash works in; HMAC pads keys to it */
	const char *name;  /* "ECDSA/SHA-384" */
	const char *digest;
};

/* A HIP_CIPHER; key_len 0 is NULL-ENCRYPT. */
struct suite_cipher {
	uint16_t id; /* 2, 4; in debug builds 1 */
	uint8_t key_len;
	uint8_t iv_len;
	uint8_t block;
	const char *name;
};

enum { SUITE_NULL = 1, SUITE_AES128_CBC = 2, SUITE_AES256_CBC = 4 };
enum { SUITE_RSA_SHA256 = 1, SUITE_ECDSA_SHA384 = 2 };

/* Input in pieces. */
struct suite_buf {
	const void *p;
	size_t len;
};

/* HG_ECRYPTO: the library lacks an algorithm we need. */
int suite_setup(void) HG_CHECK;
/* The row, or NULL. */
const struct suite *suite_find(unsigned id);
const struct suite *suite_of_hit(const struct hit *h);
const struct suite_cipher *suite_cipher_find(uint16_t id);
/* Contents of HIT_SUITE_LIST, our preference first (7401 5.2.10). */
extern const uint8_t suite_list[];
extern const size_t suite_list_num;
/* RHASH over num pieces; out has s->hash_len octets. */
int suite_hash(const struct suite *s, const struct suite_buf *in, size_t num,
	       uint8_t *out) HG_CHECK;
/* HMAC-RHASH; key has key_len octets (0 is allowed). */
int suite_hmac(const struct suite *s, const struct suite_buf *key,
	       const struct suite_buf *in, size_t num, uint8_t *out) HG_CHECK;

/* For the other crypto files of this room; fetched objects, not owned. */
struct evp_md_st;
struct evp_cipher_st;
const struct evp_md_st *suite_evp_md(const struct suite *s);
const struct evp_cipher_st *suite_evp_cipher(const struct suite_cipher *c);
