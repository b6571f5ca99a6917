/* SPDX-License-Identifier: MIT */
/* Keys of NIST curves: new ones, and public ones as octets x | y.
 *
 * identity.c and dh.c share this. For any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

#define ECPOINT_MAX 132 /* P-521: x | y */

struct evp_pkey_st;

/* A public key from x | y (len octets, two coordinates of equal width) on
 * the named curve. HG_EFORMAT: not a point of the curve, or infinity; the
 * curves have cofactor 1, so such a point has full order (RFC 5903 9). The
 * caller frees *out with EVP_PKEY_free. */
int ecpoint_get(const char *curve, const uint8_t *xy, size_t len,
		struct evp_pkey_st **out) HG_CHECK;
/* A new key pair on the named curve; the caller frees it likewise. */
int ecpoint_generate(const char *curve, struct evp_pkey_st **out) HG_CHECK;
/* The public key of pkey as x | y of exactly len octets. */
int ecpoint_put(const struct evp_pkey_st *pkey, uint8_t *xy,
		size_t len) HG_CHECK;
