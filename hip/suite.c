/* SPDX-License-Identifier: MIT */
/* HIT suites, ciphers, RHASH and HMAC; theory in suite.h. */
#include "hip/suite.h"

#include <stdatomic.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

/* 7401 5.2.10. ECDSA_LOW/SHA-1 is not implemented. */
static const struct suite suites[] = {
	{ SUITE_RSA_SHA256, 0x10, 32, "RSA/SHA-256", "SHA256" },
	{ SUITE_ECDSA_SHA384, 0x20, 48, "ECDSA/SHA-384", "SHA384" },
};

#define SUITES_NUM (sizeof(suites) / sizeof(suites[0]))

/* 7401 5.2.8. NULL-ENCRYPT is neither offered nor accepted. */
static const struct suite_cipher ciphers[] = {
	{ SUITE_AES128_CBC, 16, 16, 16, "AES-128-CBC" },
	{ SUITE_AES256_CBC, 32, 16, 16, "AES-256-CBC" },
};

#define CIPHERS_NUM (sizeof(ciphers) / sizeof(ciphers[0]))

const uint16_t suite_cipher_ids[] = { SUITE_AES256_CBC, SUITE_AES128_CBC };
const size_t suite_cipher_ids_num = CIPHERS_NUM;

/* The library's objects, by row; set once by suite_setup, then constant. */
static _Atomic(EVP_MD *) mds[SUITES_NUM];
static _Atomic(EVP_CIPHER *) evp_ciphers[CIPHERS_NUM];
static _Atomic(EVP_MAC *) hmac_mac;

static int setup_md(size_t i)
{
	EVP_MD *none = NULL;
	EVP_MD *md;

	if (atomic_load(&mds[i]))
		return HG_OK;
	md = EVP_MD_fetch(NULL, suites[i].digest, NULL);
	if (!md)
		return HG_ECRYPTO;
	if (!atomic_compare_exchange_strong(&mds[i], &none, md))
		EVP_MD_free(md);
	return HG_OK;
}

static int setup_cipher(size_t i)
{
	EVP_CIPHER *none = NULL;
	EVP_CIPHER *c;

	if (atomic_load(&evp_ciphers[i]))
		return HG_OK;
	c = EVP_CIPHER_fetch(NULL, ciphers[i].name, NULL);
	if (!c)
		return HG_ECRYPTO;
	if (!atomic_compare_exchange_strong(&evp_ciphers[i], &none, c))
		EVP_CIPHER_free(c);
	return HG_OK;
}

static int setup_hmac(void)
{
	EVP_MAC *none = NULL;
	EVP_MAC *mac;

	if (atomic_load(&hmac_mac))
		return HG_OK;
	mac = EVP_MAC_fetch(NULL, OSSL_MAC_NAME_HMAC, NULL);
	if (!mac)
		return HG_ECRYPTO;
	if (!atomic_compare_exchange_strong(&hmac_mac, &none, mac))
		EVP_MAC_free(mac);
	return HG_OK;
}

int suite_setup(void)
{
	int err = setup_hmac();

	for (size_t i = 0; !err && i < SUITES_NUM; i++)
		err = setup_md(i);
	for (size_t i = 0; !err && i < CIPHERS_NUM; i++)
		err = setup_cipher(i);
	return err;
}

const struct suite *suite_find(unsigned id)
{
	for (size_t i = 0; i < SUITES_NUM; i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}

const struct suite *suite_of_hit(const struct hit *h)
{
	return hit_is_orchid(h->b) ? suite_find(hit_suite(h)) : NULL;
}

const struct suite_cipher *suite_cipher_find(uint16_t id)
{
	for (size_t i = 0; i < CIPHERS_NUM; i++)
		if (ciphers[i].id == id)
			return &ciphers[i];
	return NULL;
}

const EVP_MD *suite_evp_md(const struct suite *s)
{
	return atomic_load(&mds[s - suites]);
}

const EVP_CIPHER *suite_evp_cipher(const struct suite_cipher *c)
{
	return atomic_load(&evp_ciphers[c - ciphers]);
}

int suite_hash(const struct suite *s, const struct suite_buf *in, size_t num,
	       uint8_t *out)
{
	const EVP_MD *md = suite_evp_md(s);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx && md && EVP_DigestInit_ex2(ctx, md, NULL);

	for (size_t i = 0; ok && i < num; i++)
		ok = EVP_DigestUpdate(ctx, in[i].p, in[i].len);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL);
	EVP_MD_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}

int suite_hmac(const struct suite *s, const struct suite_buf *key,
	       const struct suite_buf *in, size_t num, uint8_t *out)
{
	static const uint8_t no_key[1];
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 (char *)s->digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = atomic_load(&hmac_mac);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t len = 0;
	int ok = ctx && EVP_MAC_init(ctx, key->len ? key->p : no_key, key->len,
				     params);

	for (size_t i = 0; ok && i < num; i++)
		ok = EVP_MAC_update(ctx, in[i].p, in[i].len);
	ok = ok && EVP_MAC_final(ctx, out, &len, s->hash_len);
	EVP_MAC_CTX_free(ctx);
	return ok && len == s->hash_len ? HG_OK : HG_ECRYPTO;
}
