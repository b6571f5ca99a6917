/* SPDX-License-Identifier: MIT */
/* Public values of the MODP groups as octets; contracts in modp.h. */
#include "hip/modp.h"

#include <stdbool.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

/* Half of the numbers of 1 .. p - 1 are squares, and to be one is to have
 * the Legendre symbol 1: far cheaper than raising to (p - 1) / 2. */
static int check_range(const BIGNUM *y, const BIGNUM *p)
{
	BIGNUM *top = BN_dup(p);
	BN_CTX *ctx = BN_CTX_new();
	int err = HG_ECRYPTO;

	if (top && ctx && BN_sub_word(top, 2)) {
		err = HG_EFORMAT;
		if (BN_cmp(y, BN_value_one()) > 0 && BN_cmp(y, top) <= 0 &&
		    BN_kronecker(y, p, ctx) == 1)
			err = HG_OK;
	}
	BN_CTX_free(ctx);
	BN_free(top);
	return err;
}

static OSSL_PARAM *params_of(const struct modp_key *k, const BIGNUM *y,
			     const BIGNUM *x)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (bld &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
					    k->group, 0) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PUB_KEY, y) &&
	    (!x || OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, x)))
		params = OSSL_PARAM_BLD_to_param(bld);
	OSSL_PARAM_BLD_free(bld);
	return params;
}

static EVP_PKEY *build(const struct modp_key *k, const BIGNUM *y)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	BIGNUM *x = NULL;
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	if (k->private_len)
		x = BN_bin2bn(k->private, (int)k->private_len, NULL);
	params = params_of(k, y, x);
	if (!ctx || !params || (k->private_len && !x) ||
	    EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey,
			      x ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			      params) <= 0)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(x);
	return pkey;
}

static int check(const EVP_PKEY *pkey, const BIGNUM *y, size_t len)
{
	BIGNUM *p = NULL;
	int err = HG_ECRYPTO;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_FFC_P, &p) &&
	    (size_t)BN_num_bytes(p) == len)
		err = check_range(y, p);
	BN_free(p);
	return err;
}

int modp_get(const struct modp_key *k, EVP_PKEY **out)
{
	EVP_PKEY *pkey = NULL;
	BIGNUM *y;
	int err;

	if (k->public_len > MODP_MAX)
		return HG_EFORMAT;
	y = BN_bin2bn(k->public, (int)k->public_len, NULL);
	if (y)
		pkey = build(k, y);
	err = pkey ? check(pkey, y, k->public_len) : HG_ECRYPTO;
	BN_free(y);
	if (err) {
		EVP_PKEY_free(pkey);
		return err;
	}
	*out = pkey;
	return HG_OK;
}

int modp_generate(const char *group, EVP_PKEY **out)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)group, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
	bool ok;

	*out = NULL;
	ok = ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
	     EVP_PKEY_CTX_set_params(ctx, params) > 0 &&
	     EVP_PKEY_generate(ctx, out) > 0;
	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}

int modp_put(const EVP_PKEY *pkey, uint8_t *out, size_t len)
{
	BIGNUM *y = NULL;
	int got = -1;

	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PUB_KEY, &y))
		got = BN_bn2binpad(y, out, (int)len);
	BN_free(y);
	return got == (int)len ? HG_OK : HG_ECRYPTO;
}
