/* SPDX-License-Identifier: MIT */
/* HIT suites, ciphers, RHASH and HMAC; theory in suite.h. */
#include "hip/suite.h"

#include <stdatomic.h>
#include <string.h>

#include <openssl/evp.h>
#include <sodium.h>

#include "hip/ciphers.h"

#define HMAC_BLOCK_MAX 128 /* SHA-384's (RFC 2104 2) */
#define IPAD 0x36
#define OPAD 0x5c

/* 7401 5.2.10. ECDSA_LOW/SHA-1 is not implemented. */
static const struct suite suites[] = {
	{ SUITE_RSA_SHA256, 0x10, 32, 64, "RSA/SHA-256", "SHA256" },
	{ SUITE_ECDSA_SHA384, 0x20, 48, 128, "ECDSA/SHA-384", "SHA384" },
};

#define SUITES_NUM (sizeof(suites) / sizeof(suites[0]))

const uint8_t suite_list[] = { 0x20, 0x10 };
const size_t suite_list_num = sizeof(suite_list);

/* The library's objects, by row; set once by suite_setup, then constant. */
static _Atomic(EVP_MD *) mds[SUITES_NUM];
static _Atomic(EVP_CIPHER *) evp_ciphers[CIPHERS_MAX];

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

int suite_setup(void)
{
	int err = HG_OK;

	for (size_t i = 0; !err && i < SUITES_NUM; i++)
		err = setup_md(i);
	for (size_t i = 0; !err && i < ciphers_num; i++)
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
	for (size_t i = 0; i < ciphers_num; i++)
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

/* A key as HMAC takes it, a block long (RFC 2104 2). */
static int hmac_key(const struct suite *s, const struct suite_buf *key,
		    uint8_t pad[HMAC_BLOCK_MAX])
{
	memset(pad, 0, HMAC_BLOCK_MAX);
	if (key->len > s->block_len)
		return suite_hash(s, key, 1, pad);
	if (key->len)
		memcpy(pad, key->p, key->len);
	return HG_OK;
}

static void hmac_xor(uint8_t pad[HMAC_BLOCK_MAX], uint8_t with)
{
	for (size_t i = 0; i < HMAC_BLOCK_MAX; i++)
		pad[i] ^= with;
}

/* By hand: the library's own looks up the digest by name for each message,
 * which takes longer than the message does. */
int suite_hmac(const struct suite *s, const struct suite_buf *key,
	       const struct suite_buf *in, size_t num, uint8_t *out)
{
	const EVP_MD *md = suite_evp_md(s);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t pad[HMAC_BLOCK_MAX];
	int ok = ctx && md && hmac_key(s, key, pad) == HG_OK;

	hmac_xor(pad, IPAD);
	ok = ok && EVP_DigestInit_ex2(ctx, md, NULL) &&
	     EVP_DigestUpdate(ctx, pad, s->block_len);
	for (size_t i = 0; ok && i < num; i++)
		ok = EVP_DigestUpdate(ctx, in[i].p, in[i].len);
	hmac_xor(pad, IPAD ^ OPAD);
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) &&
	     EVP_DigestInit_ex2(ctx, md, NULL) &&
	     EVP_DigestUpdate(ctx, pad, s->block_len) &&
	     EVP_DigestUpdate(ctx, out, s->hash_len) &&
	     EVP_DigestFinal_ex(ctx, out, NULL);
	sodium_memzero(pad, sizeof(pad));
	EVP_MD_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}
