/* SPDX-License-Identifier: MIT */
/* Host identities; theory in identity.h (7401 3.2, 5.2.9, 7343, 4754). */
#include "hip/identity.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/wire.h"
#include "hip/ecpoint.h"
#include "hip/fields.h"

#define HOST_ID_HEAD 6	/* HI length, DI type and length, algorithm */
#define ECDSA_HI_HEAD 3 /* curve id, 0x04 */
#define UNCOMPRESSED 0x04
#define SIG_DER_MAX 128
#define HIT_BITS_LEN 12 /* octets of hash in a HIT */

struct alg;
typedef int sign_fn(const struct alg *a, EVP_PKEY *key,
		    const struct suite_buf *data, uint8_t *sig);
typedef int verify_fn(const struct alg *a, EVP_PKEY *key,
		      const struct suite_buf *data, const uint8_t *sig);

/* How one kind of Host Identity works. */
struct alg {
	enum hip_alg id;
	uint16_t hi_alg; /* 7401 5.2.9 */
	uint16_t curve;	 /* ECC Curve of the HI */
	uint8_t suite;	 /* HIT suite (7401 5.2.10) */
	uint8_t dns_alg; /* 8005 5.5 */
	uint16_t public_len;
	uint16_t sig_len;
	const char *group; /* the library's name of the curve */
	/* The key of an HI field, and the HI field of a key. */
	int (*get_hi)(const struct alg *a, const uint8_t *hi, size_t len,
		      EVP_PKEY **out);
	int (*put_hi)(const struct alg *a, const EVP_PKEY *key, uint8_t *hi,
		      size_t *len);
	sign_fn *sign;
	verify_fn *verify;
};

struct hip_identity {
	const struct alg *alg;
	EVP_PKEY *key;
	struct hit hit;
	uint8_t host_id[IDENTITY_HOST_ID_MAX];
	size_t host_id_len;
	atomic_uint refs; /* the only field that changes */
};

struct identity_peer {
	const struct alg *alg;
	EVP_PKEY *key;
	struct hit hit;
};

/* ---- ECDSA ----------------------------------------------------------- */

static int ecdsa_get_hi(const struct alg *a, const uint8_t *hi, size_t len,
			EVP_PKEY **out)
{
	if (len != ECDSA_HI_HEAD + (size_t)a->public_len ||
	    hi[2] != UNCOMPRESSED)
		return HG_EFORMAT;
	return ecpoint_get(a->group, hi + ECDSA_HI_HEAD, a->public_len, out);
}

static void ecdsa_put_head(const struct alg *a, uint8_t *hi)
{
	put_be16(hi, a->curve);
	hi[2] = UNCOMPRESSED;
}

static int ecdsa_put_hi(const struct alg *a, const EVP_PKEY *key, uint8_t *hi,
			size_t *len)
{
	ecdsa_put_head(a, hi);
	*len = ECDSA_HI_HEAD + (size_t)a->public_len;
	return ecpoint_put(key, hi + ECDSA_HI_HEAD, a->public_len);
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

static int ecdsa_sign(const struct alg *a, EVP_PKEY *key,
		      const struct suite_buf *data, uint8_t *sig)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t der[SIG_DER_MAX];
	size_t der_len = sizeof(der);
	int ok = ctx &&
		 EVP_DigestSignInit_ex(ctx, NULL, suite_find(a->suite)->digest,
				       NULL, NULL, key, NULL) > 0 &&
		 EVP_DigestSign(ctx, der, &der_len, data->p, data->len) > 0;

	EVP_MD_CTX_free(ctx);
	if (!ok)
		return HG_ECRYPTO;
	return der_to_fixed(der, der_len, sig, a->sig_len / 2);
}

static int ecdsa_verify(const struct alg *a, EVP_PKEY *key,
			const struct suite_buf *data, const uint8_t *sig)
{
	uint8_t der[SIG_DER_MAX];
	size_t der_len = fixed_to_der(sig, a->sig_len / 2, der);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int init =
		der_len && ctx &&
		EVP_DigestVerifyInit_ex(ctx, NULL, suite_find(a->suite)->digest,
					NULL, NULL, key, NULL) > 0;
	int ok = init &&
		 EVP_DigestVerify(ctx, der, der_len, data->p, data->len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!init)
		return HG_ECRYPTO;
	return ok ? HG_OK : HG_EAUTH;
}

/* ---- the table ------------------------------------------------------- */

/* A P-256 HI belongs to suite 2 as well: its RHASH and its signature's hash
 * are SHA-384 (7401 5.2.10). */
static const struct alg algs[HIP_ALG_NUM] = {
	[HIP_ALG_ECDSA_P256] = { HIP_ALG_ECDSA_P256, IDENTITY_ECDSA, 1,
				 SUITE_ECDSA_SHA384, IDENTITY_DNS_ECDSA, 64, 64,
				 "prime256v1", ecdsa_get_hi, ecdsa_put_hi,
				 ecdsa_sign, ecdsa_verify },
	[HIP_ALG_ECDSA_P384] = { HIP_ALG_ECDSA_P384, IDENTITY_ECDSA, 2,
				 SUITE_ECDSA_SHA384, IDENTITY_DNS_ECDSA, 96, 96,
				 "secp384r1", ecdsa_get_hi, ecdsa_put_hi,
				 ecdsa_sign, ecdsa_verify },
};

/* The row of a received HI; all of ours name a curve first. */
static const struct alg *alg_of_hi(const struct field_host_id *f)
{
	for (size_t i = 0; i < HIP_ALG_NUM; i++)
		if (algs[i].hi_alg == f->alg && f->hi_len >= 2 &&
		    algs[i].curve == get_be16(f->hi))
			return &algs[i];
	return NULL;
}

static const struct alg *alg_of_dns(uint8_t pk_alg, size_t pk_len)
{
	for (size_t i = 0; i < HIP_ALG_NUM; i++)
		if (algs[i].dns_alg == pk_alg && algs[i].public_len == pk_len)
			return &algs[i];
	return NULL;
}

static const struct alg *alg_of_key(const EVP_PKEY *key)
{
	char group[32];

	if (!EVP_PKEY_is_a(key, "EC") ||
	    !EVP_PKEY_get_group_name(key, group, sizeof(group), NULL))
		return NULL;
	for (size_t i = 0; i < HIP_ALG_NUM; i++)
		if (strcmp(algs[i].group, group) == 0)
			return &algs[i];
	return NULL;
}

int identity_hit(const struct suite *s, const uint8_t *hi, size_t hi_len,
		 struct hit *out)
{
	static const uint8_t context[16] = { /* RFC 7401 3.2 */
					     0xf0, 0xef, 0xf0, 0x2f, 0xbf, 0xf4,
					     0x3d, 0x0f, 0xe7, 0x93, 0x0c, 0x3c,
					     0x6e, 0x61, 0x74, 0xea
	};
	const struct suite_buf in[] = {
		{ context, sizeof(context) },
		{ hi, hi_len },
	};
	uint8_t hash[SUITE_HASH_MAX];
	int err = suite_hash(s, in, 2, hash);

	if (err)
		return err;
	/* 2001:20::/28, OGA id, middle 96 bits. RFC 7343 2 */
	out->b[0] = 0x20;
	out->b[1] = 0x01;
	out->b[2] = 0x00;
	out->b[3] = (uint8_t)(0x20 | s->id);
	memcpy(out->b + 4, hash + (s->hash_len - HIT_BITS_LEN) / 2,
	       HIT_BITS_LEN);
	return HG_OK;
}

/* ---- our own --------------------------------------------------------- */

/* Takes key, also when it fails. */
static int identity_of_key(EVP_PKEY *key, const struct alg *a,
			   struct hip_identity **out)
{
	struct hip_identity *id = calloc(1, sizeof(*id));
	uint8_t *hi;
	size_t hi_len;
	int err;

	if (!id) {
		EVP_PKEY_free(key);
		return HG_ENOMEM;
	}
	id->alg = a;
	id->key = key;
	atomic_init(&id->refs, 1);
	hi = id->host_id + HOST_ID_HEAD;
	err = a->put_hi(a, key, hi, &hi_len);
	if (!err)
		err = identity_hit(suite_find(a->suite), hi, hi_len, &id->hit);
	if (err) {
		hip_identity_free(id);
		return err;
	}
	put_be16(id->host_id, (uint16_t)hi_len);
	put_be16(id->host_id + 4, a->hi_alg); /* DI: none, as calloc left it */
	id->host_id_len = HOST_ID_HEAD + hi_len;
	*out = id;
	return HG_OK;
}

int hip_identity_generate(enum hip_alg alg, struct hip_identity **out)
{
	int err = suite_setup();
	EVP_PKEY *key;

	if (err)
		return err;
	if ((unsigned)alg >= HIP_ALG_NUM)
		return HG_EUNSUPP;
	key = EVP_EC_gen(algs[alg].group);
	if (!key)
		return HG_ECRYPTO;
	return identity_of_key(key, &algs[alg], out);
}

/* Never ask at a terminal: an encrypted key cannot be read. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

static int check_private(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	int ok = ctx && EVP_PKEY_public_check(ctx) == 1 &&
		 EVP_PKEY_pairwise_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_EFORMAT;
}

int hip_identity_from_pem(const char *pem, size_t len,
			  struct hip_identity **out)
{
	const struct alg *a;
	EVP_PKEY *key;
	BIO *bio;
	int err = suite_setup();

	if (err)
		return err;
	if (len == 0 || len > INT_MAX)
		return HG_EFORMAT;
	bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return HG_ENOMEM;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (!key)
		return HG_EFORMAT;
	a = alg_of_key(key);
	err = a ? check_private(key) : HG_EUNSUPP;
	if (err) {
		EVP_PKEY_free(key);
		return err;
	}
	return identity_of_key(key, a, out);
}

int hip_identity_to_pem(const struct hip_identity *id, char **out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	char *data;
	long len;

	if (!bio)
		return HG_ENOMEM;
	if (PEM_write_bio_PKCS8PrivateKey(bio, id->key, NULL, NULL, 0, NULL,
					  NULL) == 1) {
		len = BIO_get_mem_data(bio, &data);
		text = strndup(data, (size_t)len);
	}
	BIO_free(bio); /* wipes its buffer */
	*out = text;
	return text ? HG_OK : HG_ECRYPTO;
}

const struct hit *hip_identity_hit(const struct hip_identity *id)
{
	return &id->hit;
}

enum hip_alg hip_identity_alg(const struct hip_identity *id)
{
	return id->alg->id;
}

void hip_identity_dns_key(const struct hip_identity *id, uint8_t *pk_alg,
			  const uint8_t **pk, size_t *pk_len)
{
	*pk_alg = id->alg->dns_alg;
	*pk = id->host_id + HOST_ID_HEAD + ECDSA_HI_HEAD; /* RFC 8005 5.5 */
	*pk_len = id->alg->public_len;
}

struct hip_identity *identity_ref(struct hip_identity *id)
{
	atomic_fetch_add_explicit(&id->refs, 1, memory_order_relaxed);
	return id;
}

void hip_identity_free(struct hip_identity *id)
{
	if (!id || atomic_fetch_sub(&id->refs, 1) != 1)
		return;
	EVP_PKEY_free(id->key); /* wipes the private number */
	free(id);
}

int hip_hit_of_dns_key(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
		       struct hit *out)
{
	const struct alg *a = alg_of_dns(pk_alg, pk_len);
	uint8_t hi[ECDSA_HI_HEAD + ECPOINT_MAX];
	int err = suite_setup();

	if (err)
		return err;
	if (!a)
		return HG_EUNSUPP;
	ecdsa_put_head(a, hi); /* RFC 8005 5.5: the curve is left out there */
	memcpy(hi + ECDSA_HI_HEAD, pk, pk_len);
	return identity_hit(suite_find(a->suite), hi, ECDSA_HI_HEAD + pk_len,
			    out);
}

const uint8_t *identity_host_id(const struct hip_identity *id, size_t *len)
{
	*len = id->host_id_len;
	return id->host_id;
}

const struct suite *identity_suite(const struct hip_identity *id)
{
	return suite_find(id->alg->suite);
}

uint16_t identity_sig_alg(const struct hip_identity *id)
{
	return id->alg->hi_alg;
}

size_t identity_sig_len(const struct hip_identity *id)
{
	return id->alg->sig_len;
}

int identity_sign(const struct hip_identity *id, const void *data, size_t len,
		  uint8_t sig[IDENTITY_SIG_MAX])
{
	const struct suite_buf buf = { data, len };

	return id->alg->sign(id->alg, id->key, &buf, sig);
}

/* ---- peers ----------------------------------------------------------- */

int identity_peer_new(const uint8_t *host_id, size_t len,
		      struct identity_peer **out)
{
	struct identity_peer *p;
	struct field_host_id f;
	const struct alg *a;
	int err;

	if (!fields_read_host_id(host_id, len, &f))
		return HG_EFORMAT;
	a = alg_of_hi(&f);
	if (!a)
		return HG_EUNSUPP;
	p = calloc(1, sizeof(*p));
	if (!p)
		return HG_ENOMEM;
	p->alg = a;
	err = a->get_hi(a, f.hi, f.hi_len, &p->key);
	if (!err)
		err = identity_hit(suite_find(a->suite), f.hi, f.hi_len,
				   &p->hit);
	if (err) {
		identity_peer_free(p);
		return err;
	}
	*out = p;
	return HG_OK;
}

void identity_peer_free(struct identity_peer *p)
{
	if (!p)
		return;
	EVP_PKEY_free(p->key);
	free(p);
}

const struct hit *identity_peer_hit(const struct identity_peer *p)
{
	return &p->hit;
}

int identity_verify(const struct identity_peer *p, uint16_t sig_alg,
		    const struct suite_buf *data, const uint8_t *sig,
		    size_t sig_len)
{
	if (sig_alg != p->alg->hi_alg || sig_len != p->alg->sig_len)
		return HG_EAUTH;
	return p->alg->verify(p->alg, p->key, data, sig);
}
