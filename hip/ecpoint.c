/* SPDX-License-Identifier: MIT */
/* Keys of NIST curves as octets; contracts in ecpoint.h. */
/* THEORY OF OPERATION
 * To build a curve from its name costs the library four times what it takes
 * to read a point, and it does so for each key that is made from a name. So
 * there is one key without a point for each curve, made when it is first
 * asked for, and keys are copies of it. It is never changed or freed.
 */
#include "hip/ecpoint.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define UNCOMPRESSED 0x04 /* SEC 1 2.3.3 */
#define CURVES 3

/* The library knows each curve by two names. */
static const char *const names[CURVES][2] = {
	{ "P-256", "prime256v1" },
	{ "P-384", "secp384r1" },
	{ "P-521", "secp521r1" },
};

/* By row, a key that has the curve and nothing else; set once. */
static _Atomic(EVP_PKEY *) blanks[CURVES];

static EVP_PKEY *blank_new(const char *curve)
{
	EVP_PKEY *key = EVP_EC_gen(curve); /* for its curve's sake only */
	EVP_PKEY *blank = EVP_PKEY_new();

	if (!key || !blank || EVP_PKEY_copy_parameters(blank, key) <= 0) {
		EVP_PKEY_free(blank);
		blank = NULL;
	}
	EVP_PKEY_free(key);
	return blank;
}

/* Shared and constant; NULL: no such curve, or no memory. */
static EVP_PKEY *blank_of(const char *curve)
{
	EVP_PKEY *blank;
	EVP_PKEY *none = NULL;
	size_t i = 0;

	while (i < CURVES && strcmp(names[i][0], curve) != 0 &&
	       strcmp(names[i][1], curve) != 0)
		i++;
	if (i == CURVES)
		return NULL;
	blank = atomic_load(&blanks[i]);
	if (blank)
		return blank;
	blank = blank_new(curve);
	if (!blank || atomic_compare_exchange_strong(&blanks[i], &none, blank))
		return blank;
	EVP_PKEY_free(blank); /* another thread was first */
	return none;
}

int ecpoint_get(const char *curve, const uint8_t *xy, size_t len,
		EVP_PKEY **out)
{
	uint8_t point[1 + ECPOINT_MAX];
	EVP_PKEY *blank = blank_of(curve);
	EVP_PKEY *pkey;

	if (len > ECPOINT_MAX)
		return HG_EFORMAT;
	pkey = blank ? EVP_PKEY_dup(blank) : NULL;
	if (!pkey)
		return HG_ECRYPTO;
	point[0] = UNCOMPRESSED;
	memcpy(point + 1, xy, len);
	/* The library refuses coordinates beyond the field and points off
	 * the curve while it decodes; infinity has no form of this length.
	 * That is all there is to check with cofactor 1. RFC 7401 5.3.2 */
	if (EVP_PKEY_set1_encoded_public_key(pkey, point, 1 + len) <= 0) {
		EVP_PKEY_free(pkey);
		return HG_EFORMAT;
	}
	*out = pkey;
	return HG_OK;
}

int ecpoint_generate(const char *curve, EVP_PKEY **out)
{
	EVP_PKEY *blank = blank_of(curve);
	EVP_PKEY_CTX *ctx =
		blank ? EVP_PKEY_CTX_new_from_pkey(NULL, blank, NULL) : NULL;
	int ok;

	*out = NULL;
	ok = ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
	     EVP_PKEY_generate(ctx, out) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}

/* One coordinate, left-padded to len octets. */
static int put_coordinate(const OSSL_PARAM *p, uint8_t *out, size_t len)
{
	BIGNUM *n = NULL;
	int got = -1;

	if (OSSL_PARAM_get_BN(p, &n))
		got = BN_bn2binpad(n, out, (int)len);
	BN_free(n);
	return got == (int)len ? HG_OK : HG_ECRYPTO;
}

/* Both coordinates at once: the library inverts for each time it is asked. */
int ecpoint_put(const EVP_PKEY *pkey, uint8_t *xy, size_t len)
{
	uint8_t x[ECPOINT_MAX / 2];
	uint8_t y[ECPOINT_MAX / 2];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_EC_PUB_X, x, sizeof(x)),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_EC_PUB_Y, y, sizeof(y)),
		OSSL_PARAM_construct_end(),
	};
	size_t half = len / 2;
	int err;

	if (EVP_PKEY_get_params(pkey, params) <= 0)
		return HG_ECRYPTO;
	err = put_coordinate(&params[0], xy, half);
	if (err)
		return err;
	return put_coordinate(&params[1], xy + half, half);
}
