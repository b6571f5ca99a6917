/* SPDX-License-Identifier: MIT */
/* The kinds of Host Identity: one row each (7401 5.2.9, 5.2.10, 8005 5).
 *
 * THEORY OF OPERATION
 * identity.c does what all kinds share (HOST_ID, HIT, PEM, references) and
 * asks a row for the rest: what the octets of the HI field are, and how to
 * sign. identity_ecdsa.c and identity_rsa.c hold the rows' functions; all
 * are pure, for any thread, and never see a key that is not of their row.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "hip/hip.h"
#include "hip/suite.h"

#define IDENTITY_ALG_HI_MAX 520 /* HI field: RSA-4096 with its exponent */

struct evp_pkey_st;
struct evp_md_ctx_st;

/* One row: a kind and its size. */
struct identity_alg {
	enum hip_alg id;
	const struct identity_kind *kind;
	uint16_t curve;	   /* ECDSA: ECC Curve of the HI */
	uint16_t half;	   /* ECDSA: octets of one coordinate */
	const char *group; /* ECDSA: the library's name of the curve */
	uint16_t bits;	   /* RSA: the least modulus of this row */
};

/* A kind: its numbers, and what it can do. */
struct identity_kind {
	uint16_t hi_alg; /* 7401 5.2.9 */
	uint8_t suite;	 /* HIT suite (7401 5.2.10) */
	uint8_t dns_alg; /* 8005 5 */
	/* Octets that the HI field has before what the DNS record holds. */
	uint8_t dns_skip;
	int (*generate)(const struct identity_alg *a, struct evp_pkey_st **out);
	/* Is this private key, are these octets of an HI field of hi_alg, of
	 * this row? */
	bool (*owns_key)(const struct identity_alg *a,
			 const struct evp_pkey_st *key);
	bool (*owns_hi)(const struct identity_alg *a, const uint8_t *hi,
			size_t len);
	/* The HI field of a DNS record's key (8005 5); hi has room for
	 * IDENTITY_ALG_HI_MAX. False: not of this row. */
	bool (*dns_hi)(const struct identity_alg *a, const uint8_t *pk,
		       size_t pk_len, uint8_t *hi, size_t *len);
	/* HG_OK: the private half belongs to the public one, and both may be
	 * used. Milliseconds. */
	int (*check)(const struct identity_alg *a, struct evp_pkey_st *key);
	/* The key of an HI field that owns_hi knows, and the HI field of a
	 * key (room as above). HG_EFORMAT: not a usable key. */
	int (*get_hi)(const struct identity_alg *a, const uint8_t *hi,
		      size_t len, struct evp_pkey_st **out);
	int (*put_hi)(const struct identity_alg *a,
		      const struct evp_pkey_st *key, uint8_t *hi, size_t *len);
	size_t (*sig_len)(const struct identity_alg *a,
			  const struct evp_pkey_st *key);
	/* sig has sig_len octets. verify: HG_EAUTH when it is wrong. */
	int (*sign)(const struct identity_alg *a, struct evp_pkey_st *key,
		    const struct suite_buf *data, uint8_t *sig);
	int (*verify)(const struct identity_alg *a, struct evp_pkey_st *key,
		      const struct suite_buf *data, const uint8_t *sig);
};

extern const struct identity_kind identity_ecdsa;
extern const struct identity_kind identity_rsa;
