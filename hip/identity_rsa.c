/* SPDX-License-Identifier: MIT */
/* RSA Host Identities: HI field and PSS (7401 5.2.9, 5.2.14, 3110).
 *
 * THEORY OF OPERATION
 * A modulus of 2048 to 4096 bits and an odd exponent of 3 up to 32 bits are
 * what we call an RSA key; anything else is refused before the library sees
 * it, so nobody can make a verification slow. A row of the table stands for
 * the moduli from its own size up to the next row's, and the key itself
 * says how long a signature is.
 *
 * Signatures are PSS with the hash of HIT suite 1 for message and mask and
 * a salt of the hash's length; any salt length is verified.
 */
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "hip/identity.h"
#include "hip/identity_alg.h"

#define BITS_MIN 2048
#define BITS_MAX 4096
#define BITS_STEP 1024 /* from one row to the next */
#define E_MAX 4	       /* octets of a public exponent */

/* Exponent and modulus of an HI field, borrowed (RFC 3110 2). */
struct rsa_public {
	const uint8_t *e;
	size_t e_len;
	const uint8_t *n;
	size_t n_len;
	unsigned bits; /* of n */
};

/* The length of an exponent above 255 octets would take three octets and
 * begin with 0; we take no such exponent. RFC 3110 2: no leading zeros. */
static bool read_hi(const uint8_t *hi, size_t len, struct rsa_public *out)
{
	if (len < 1 || hi[0] == 0 || hi[0] > E_MAX || len < 2u + hi[0])
		return false;
	out->e = hi + 1;
	out->e_len = hi[0];
	out->n = out->e + out->e_len;
	out->n_len = len - 1 - out->e_len;
	if (out->e[0] == 0 || out->n[0] == 0 || out->n_len > BITS_MAX / 8)
		return false;
	out->bits = (unsigned)out->n_len * 8;
	for (unsigned top = out->n[0]; top < 0x80; top <<= 1)
		out->bits--;
	return true;
}

/* Can these be a key: both odd, e at least 3? */
static bool sane(const struct rsa_public *p)
{
	uint8_t e_last = p->e[p->e_len - 1];

	return (e_last & 1) && (p->e_len > 1 || e_last >= 3) &&
	       (p->n[p->n_len - 1] & 1);
}

static bool row_has(const struct identity_alg *a, unsigned bits)
{
	if (bits < a->bits || bits > BITS_MAX)
		return false;
	return bits < a->bits + (unsigned)BITS_STEP;
}

static int generate(const struct identity_alg *a, EVP_PKEY **out)
{
	*out = EVP_RSA_gen((size_t)a->bits);
	return *out ? HG_OK : HG_ECRYPTO;
}

static bool owns_key(const struct identity_alg *a, const EVP_PKEY *key)
{
	int bits = EVP_PKEY_get_bits(key);

	return EVP_PKEY_is_a(key, "RSA") && bits > 0 &&
	       row_has(a, (unsigned)bits);
}

static bool owns_hi(const struct identity_alg *a, const uint8_t *hi, size_t len)
{
	struct rsa_public p;

	return read_hi(hi, len, &p) && row_has(a, p.bits);
}

static bool dns_hi(const struct identity_alg *a, const uint8_t *pk,
		   size_t pk_len, uint8_t *hi, size_t *len)
{
	struct rsa_public p;

	if (!read_hi(pk, pk_len, &p) || !row_has(a, p.bits) || !sane(&p))
		return false;
	memcpy(hi, pk, pk_len); /* RFC 8005 5.3: as in HOST_ID */
	*len = pk_len;
	return true;
}

static OSSL_PARAM *public_params(const struct rsa_public *p)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	BIGNUM *n = BN_bin2bn(p->n, (int)p->n_len, NULL);
	BIGNUM *e = BN_bin2bn(p->e, (int)p->e_len, NULL);
	OSSL_PARAM *params = NULL;

	if (bld && n && e &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
		params = OSSL_PARAM_BLD_to_param(bld);
	BN_free(n);
	BN_free(e);
	OSSL_PARAM_BLD_free(bld);
	return params;
}

static int get_hi(const struct identity_alg *a, const uint8_t *hi, size_t len,
		  EVP_PKEY **out)
{
	struct rsa_public p;
	OSSL_PARAM *params;
	EVP_PKEY_CTX *ctx;
	int ok;

	if (!read_hi(hi, len, &p) || !row_has(a, p.bits) || !sane(&p))
		return HG_EFORMAT;
	params = public_params(&p);
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	ok = params && ctx && EVP_PKEY_fromdata_init(ctx) > 0 &&
	     EVP_PKEY_fromdata(ctx, out, EVP_PKEY_PUBLIC_KEY, params) > 0;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}

/* A number without leading zeros behind *at; *at moves on. max: room. */
static bool put_number(const EVP_PKEY *key, const char *name, size_t max,
		       uint8_t **at)
{
	BIGNUM *n = NULL;
	bool ok = EVP_PKEY_get_bn_param(key, name, &n) &&
		  (size_t)BN_num_bytes(n) <= max;

	if (ok)
		*at += BN_bn2bin(n, *at);
	BN_free(n);
	return ok;
}

static int put_hi(const struct identity_alg *a, const EVP_PKEY *key,
		  uint8_t *hi, size_t *len)
{
	uint8_t *at = hi + 1;
	struct rsa_public p;

	if (!put_number(key, OSSL_PKEY_PARAM_RSA_E, E_MAX, &at))
		return HG_EUNSUPP;
	hi[0] = (uint8_t)(at - hi - 1);
	if (!put_number(key, OSSL_PKEY_PARAM_RSA_N, BITS_MAX / 8, &at))
		return HG_EUNSUPP;
	*len = (size_t)(at - hi);
	if (!read_hi(hi, *len, &p) || !row_has(a, p.bits) || !sane(&p))
		return HG_EUNSUPP;
	return HG_OK;
}

static size_t sig_len(const struct identity_alg *a, const EVP_PKEY *key)
{
	int len = EVP_PKEY_get_size(key);

	(void)a; /* a row has keys of many sizes */
	return len > 0 ? (size_t)len : 0;
}

/* RFC 7401 5.2.9: PSS; salt is the hash's length, or any on receipt. */
static bool set_pss(EVP_PKEY_CTX *ctx, const char *digest, int salt)
{
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, digest, NULL) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt) > 0;
}

static int sign(const struct identity_alg *a, EVP_PKEY *key,
		const struct suite_buf *data, uint8_t *sig)
{
	const char *digest = suite_find(a->kind->suite)->digest;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	size_t want = sig_len(a, key);
	size_t len = want;
	EVP_PKEY_CTX *pctx; /* the md context's own */
	int ok = ctx &&
		 EVP_DigestSignInit_ex(ctx, &pctx, digest, NULL, NULL, key,
				       NULL) > 0 &&
		 set_pss(pctx, digest, RSA_PSS_SALTLEN_DIGEST) &&
		 EVP_DigestSign(ctx, sig, &len, data->p, data->len) > 0;

	EVP_MD_CTX_free(ctx);
	return ok && len == want ? HG_OK : HG_ECRYPTO;
}

static int verify(const struct identity_alg *a, EVP_PKEY *key,
		  const struct suite_buf *data, const uint8_t *sig)
{
	const char *digest = suite_find(a->kind->suite)->digest;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx; /* the md context's own */
	int init = ctx &&
		   EVP_DigestVerifyInit_ex(ctx, &pctx, digest, NULL, NULL, key,
					   NULL) > 0 &&
		   set_pss(pctx, digest, RSA_PSS_SALTLEN_AUTO);
	int ok = init && EVP_DigestVerify(ctx, sig, sig_len(a, key), data->p,
					  data->len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!init)
		return HG_ECRYPTO;
	return ok ? HG_OK : HG_EAUTH;
}

/* The library's own check tests two primes for seconds. Whether the private
 * half belongs to the public one shows in a signature; and a modulus of
 * another make than two primes would harm none but its owner. */
static int check(const struct identity_alg *a, EVP_PKEY *key)
{
	static const uint8_t text[] = "hipgate";
	const struct suite_buf data = { text, sizeof(text) };
	uint8_t sig[IDENTITY_SIG_MAX];
	uint8_t hi[IDENTITY_ALG_HI_MAX];
	size_t len;
	int err = put_hi(a, key, hi, &len);

	if (err)
		return err;
	if (sign(a, key, &data, sig) || verify(a, key, &data, sig))
		return HG_EFORMAT;
	return HG_OK;
}

const struct identity_kind identity_rsa = {
	.hi_alg = IDENTITY_RSA,
	.suite = SUITE_RSA_SHA256,
	.dns_alg = IDENTITY_DNS_RSA,
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
