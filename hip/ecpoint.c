/* SPDX-License-Identifier: MIT */
/* Public keys of NIST curves as octets; contracts in ecpoint.h. */
#include "hip/ecpoint.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define UNCOMPRESSED 0x04 /* SEC 1 2.3.3 */

static int check_public(EVP_PKEY *pkey)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL);
	int ok = ctx ? EVP_PKEY_public_check_quick(ctx) : -1;

	EVP_PKEY_CTX_free(ctx);
	if (ok < 0)
		return HG_ECRYPTO;
	return ok ? HG_OK : HG_EFORMAT; /* RFC 7401 5.3.2 */
}

int ecpoint_get(const char *curve, const uint8_t *xy, size_t len,
		EVP_PKEY **out)
{
	uint8_t point[1 + ECPOINT_MAX];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
						  point, 1 + len),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx;
	int err;

	if (len > ECPOINT_MAX)
		return HG_EFORMAT;
	point[0] = UNCOMPRESSED;
	memcpy(point + 1, xy, len);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0) {
		EVP_PKEY_CTX_free(ctx);
		return HG_ECRYPTO;
	}
	/* The library decodes the point here and refuses one off the curve. */
	if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		pkey = NULL;
	EVP_PKEY_CTX_free(ctx);
	err = pkey ? check_public(pkey) : HG_EFORMAT;
	if (err) {
		EVP_PKEY_free(pkey);
		return err;
	}
	*out = pkey;
	return HG_OK;
}

/* One coordinate, left-padded to len octets. */
static int put_coordinate(const EVP_PKEY *pkey, const char *name, uint8_t *out,
			  size_t len)
{
	BIGNUM *n = NULL;
	int got = -1;

	if (EVP_PKEY_get_bn_param(pkey, name, &n))
		got = BN_bn2binpad(n, out, (int)len);
	BN_free(n);
	return got == (int)len ? HG_OK : HG_ECRYPTO;
}

int ecpoint_put(const EVP_PKEY *pkey, uint8_t *xy, size_t len)
{
	size_t half = len / 2;
	int err = put_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_X, xy, half);

	if (err)
		return err;
	return put_coordinate(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, xy + half, half);
}
