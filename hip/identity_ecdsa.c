/* SPDX-License-Identifier: MIT */
/* ECDSA Host Identities: HI field and signatures (7401 5.2.9, 4754). */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "core/wire.h"
#include "hip/ecpoint.h"
#include "hip/identity.h"
#include "hip/identity_alg.h"

#define HEAD 3 /* curve id, 0x04 */
#define UNCOMPRESSED 0x04
#define SIG_DER_MAX 128

static size_t hi_len(const struct identity_alg *a)
{
	return HEAD + 2 * (size_t)a->half;
}

static size_t sig_len(const struct identity_alg *a, const EVP_PKEY *key)
{
	(void)key; /* the curve says it */
	return 2 * (size_t)a->half;
}

static int generate(const struct identity_alg *a, EVP_PKEY **out)
{
	return ecpoint_generate(a->group, out);
}

static bool owns_key(const struct identity_alg *a, const EVP_PKEY *key)
{
	char group[32];

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) &&
	       strcmp(a->group, group) == 0;
}

static bool owns_hi(const struct identity_alg *a, const uint8_t *hi, size_t len)
{
	return len >= 2 && get_be16(hi) == a->curve;
}

static bool dns_hi(const struct identity_alg *a, const uint8_t *pk,
		   size_t pk_len, uint8_t *hi, size_t *len)
{
	if (pk_len != 2 * (size_t)a->half)
		return false;
	/* RFC 8005 5.5: the curve is left out there */
	put_be16(hi, a->curve);
	hi[2] = UNCOMPRESSED;
	memcpy(hi + HEAD, pk, pk_len);
	*len = HEAD + pk_len;
	return true;
}

static int check(const struct identity_alg *a, EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	int ok = ctx && EVP_PKEY_public_check(ctx) == 1 &&
		 EVP_PKEY_pairwise_check(ctx) == 1;

	(void)a; /* the key knows its curve */
	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_EFORMAT;
}

static int get_hi(const struct identity_alg *a, const uint8_t *hi, size_t len,
		  EVP_PKEY **out)
{
	if (len != hi_len(a) || hi[2] != UNCOMPRESSED)
		return HG_EFORMAT;
	return ecpoint_get(a->group, hi + HEAD, len - HEAD, out);
}

static int put_hi(const struct identity_alg *a, const EVP_PKEY *key,
		  uint8_t *hi, size_t *len)
{
	put_be16(hi, a->curve);
	hi[2] = UNCOMPRESSED;
	*len = hi_len(a);
	return ecpoint_put(key, hi + HEAD, *len - HEAD);
}

/* DER to r | s of fixed width (RFC 4754 3). */
static int der_to_fixed(const uint8_t *der, size_t der_len, uint8_t *sig,
			int half)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
	int ok = s && BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, half) == half &&
		 BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + half, half) == half;

	ECDSA_SIG_free(s);
	return ok ? HG_OK : HG_ECRYPTO;
}

/* And back; returns DER's length, 0 on failure. */
static size_t fixed_to_der(const uint8_t *sig, int half,
			   uint8_t der[SIG_DER_MAX])
{
	BIGNUM *r = BN_bin2bn(sig, half, NULL);
	BIGNUM *s = BN_bin2bn(sig + half, half, NULL);
	ECDSA_SIG *both = ECDSA_SIG_new();
	int len = -1;

	if (!r || !s || !both || !ECDSA_SIG_set0(both, r, s)) {
		BN_free(r);
		BN_free(s);
	} else {
		len = i2d_ECDSA_SIG(both, NULL);
		if (len > 0 && len <= SIG_DER_MAX)
			len = i2d_ECDSA_SIG(both, &der);
		else
			len = -1;
	}
	ECDSA_SIG_free(both);
	return len > 0 ? (size_t)len : 0;
}

static int sign(const struct identity_alg *a, EVP_PKEY *key,
		const struct suite_buf *data, uint8_t *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[SIG_DER_MAX];
	size_t der_len = sizeof(der);
	int ok = ctx &&
		 EVP_DigestSignInit_ex(ctx, NULL,
				       suite_find(a->kind->suite)->digest, NULL,
				       NULL, key, NULL) > 0 &&
		 EVP_DigestSign(ctx, der, &der_len, data->p, data->len) > 0;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return HG_ECRYPTO;
	return der_to_fixed(der, der_len, sig, a->half);
}

static int verify(const struct identity_alg *a, EVP_PKEY *key,
		  const struct suite_buf *data, const uint8_t *sig)
{
	uint8_t der[SIG_DER_MAX];
	size_t der_len = fixed_to_der(sig, a->half, der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int init = der_len && ctx &&
		   EVP_DigestVerifyInit_ex(ctx, NULL,
					   suite_find(a->kind->suite)->digest,
					   NULL, NULL, key, NULL) > 0;
	int ok = init &&
		 EVP_DigestVerify(ctx, der, der_len, data->p, data->len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!init)
		return HG_ECRYPTO;
	return ok ? HG_OK : HG_EAUTH;
}

const struct identity_kind identity_ecdsa = {
	.hi_alg = IDENTITY_ECDSA,
	/* P-256 as well: RHASH and the signature's hash are SHA-384. */
	.suite = SUITE_ECDSA_SHA384,
	.dns_alg = IDENTITY_DNS_ECDSA,
	.dns_skip = HEAD,
	.generate = generate,
	.owns_key = owns_key,
	.owns_hi = owns_hi,
	.dns_hi = dns_hi,
	.check = check,
	.get_hi = get_hi,
	.put_hi = put_hi,
	.sig_len = sig_len,
	.sign = sign,
	.verify = verify,
};
