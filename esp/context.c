/* SPDX-License-Identifier: MIT */
/* Keyed cipher and MAC contexts of one direction of an SA.
 *
 * THEORY OF OPERATION
 * Fetching an algorithm and expanding a key cost far more than sealing a
 * small packet, so both happen here and never on the packet path: esp_setup
 * fetches once for the process, esp_ctx_new expands once for each SA,
 * direction and thread. A packet only sets its IV. `algs` is written by
 * esp_setup before any thread exists and is constant from then on.
 *
 * RFC 4303, 4106, 4309, 4868.
 */
#include "esp/context.h"

#include <openssl/core_names.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "esp/esp.h"

/* What makes each suite of core/sa.c work. */
static const struct row {
	uint16_t suite;
	enum esp_kind kind;
	const char *cipher; /* OpenSSL's name; NULL: none */
} rows[] = {
	{ SA_NULL_SHA256, ESP_NULL_HMAC, NULL },
	{ SA_AES128_CBC_SHA256, ESP_CBC_HMAC, "AES-128-CBC" },
	{ SA_AES256_CBC_SHA256, ESP_CBC_HMAC, "AES-256-CBC" },
	{ SA_AES128_CCM8, ESP_CCM, "AES-128-CCM" },
	{ SA_AES128_CCM16, ESP_CCM, "AES-128-CCM" },
	{ SA_AES128_GCM8, ESP_GCM, NULL }, /* gcm.h */
	{ SA_AES128_GCM16, ESP_GCM, NULL },
};

#define ROWS_NUM (sizeof(rows) / sizeof(rows[0]))

static struct {
	EVP_CIPHER *cipher[ROWS_NUM];
	EVP_MAC *hmac;
	const struct gcm *gcm;
} algs; /* const after esp_setup */

int esp_setup(void)
{
	bool ok;

	if (algs.hmac)
		return 0;
	if (sodium_init() < 0)
		return HG_ECRYPTO;
	algs.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	algs.gcm = gcm_ipsec_mb();
	if (!algs.gcm)
		algs.gcm = gcm_openssl();
	ok = algs.hmac && algs.gcm;
	for (size_t i = 0; ok && i < ROWS_NUM; i++) {
		if (!rows[i].cipher)
			continue;
		algs.cipher[i] = EVP_CIPHER_fetch(NULL, rows[i].cipher, NULL);
		ok = algs.cipher[i];
	}
	if (ok)
		return 0;
	for (size_t i = 0; i < ROWS_NUM; i++)
		EVP_CIPHER_free(algs.cipher[i]);
	EVP_MAC_free(algs.hmac);
	memset(&algs, 0, sizeof(algs));
	return HG_ECRYPTO;
}

const char *esp_gcm_name(void)
{
	return algs.gcm ? algs.gcm->name : "none";
}

/* The row of a suite, or ROWS_NUM. */
static size_t row_of(const struct sa_suite *s)
{
	size_t i = 0;

	while (i < ROWS_NUM && rows[i].suite != s->id)
		i++;
	return i;
}

/* CCM's lengths come before the key: they shape its first block. */
static bool shape_ccm(struct esp_ctx *c)
{
	return EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_IVLEN,
				   c->suite->salt_len + c->suite->iv_len,
				   NULL) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG,
				   c->suite->icv_len, NULL) == 1;
}

static int key_gcm(struct esp_ctx *c, const struct sa_keys *keys)
{
	c->gcm = algs.gcm;
	c->gcm_key = c->gcm->key_new(keys->enc, c->seal);
	return c->gcm_key ? 0 : HG_ENOMEM;
}

static int key_cipher(struct esp_ctx *c, const EVP_CIPHER *alg,
		      const struct sa_keys *keys)
{
	memcpy(c->salt, keys->enc + c->suite->key_len, c->suite->salt_len);
	if (c->kind == ESP_NULL_HMAC)
		return 0;
	if (c->kind == ESP_GCM)
		return key_gcm(c, keys);
	c->cipher = EVP_CIPHER_CTX_new();
	if (!c->cipher)
		return HG_ENOMEM;
	if (EVP_CipherInit_ex2(c->cipher, alg, NULL, NULL, c->seal, NULL) != 1)
		return HG_ECRYPTO;
	if (c->kind == ESP_CCM && !shape_ccm(c))
		return HG_ECRYPTO;
	if (EVP_CipherInit_ex2(c->cipher, NULL, keys->enc, NULL, c->seal,
			       NULL) != 1)
		return HG_ECRYPTO;
	/* ESP pads by its own rule (RFC 4303 2.4). */
	if (EVP_CIPHER_CTX_set_padding(c->cipher, 0) != 1)
		return HG_ECRYPTO;
	return 0;
}

static int key_mac(struct esp_ctx *c, const struct sa_keys *keys)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest,
						 0),
		OSSL_PARAM_construct_end(),
	};

	if (c->suite->auth_len == 0)
		return 0; /* AEAD */
	c->mac = EVP_MAC_CTX_new(algs.hmac);
	if (!c->mac)
		return HG_ENOMEM;
	if (EVP_MAC_init(c->mac, keys->auth, c->suite->auth_len, params) != 1)
		return HG_ECRYPTO;
	return 0;
}

int esp_ctx_new(uint16_t suite, const struct sa_keys *keys, uint32_t spi,
		bool seal, struct esp_ctx **out)
{
	const struct sa_suite *s = sa_suite_find(suite);
	struct esp_ctx *c;
	size_t row;
	int err;

	*out = NULL;
	row = s ? row_of(s) : ROWS_NUM;
	if (row == ROWS_NUM)
		return HG_EUNSUPP;
	if (!algs.hmac)
		return HG_EINVAL; /* esp_setup was not called */
	c = calloc(1, sizeof(*c));
	if (!c)
		return HG_ENOMEM;
	c->suite = s;
	c->spi = spi;
	c->seal = seal;
	c->kind = rows[row].kind;
	err = key_cipher(c, algs.cipher[row], keys);
	if (!err)
		err = key_mac(c, keys);
	if (err) {
		esp_ctx_free(c);
		return err;
	}
	*out = c;
	return 0;
}

void esp_ctx_free(struct esp_ctx *c)
{
	if (!c)
		return;
	/* All cleanse their key schedules when freed. */
	if (c->gcm)
		c->gcm->key_free(c->gcm_key);
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_MAC_CTX_free(c->mac);
	sodium_memzero(c, sizeof(*c));
	free(c);
}

bool esp_ctx_shared(const struct esp_ctx *c)
{
	return c->gcm && c->gcm->shared;
}

static void put_aad(const struct esp_ctx *c, uint64_t seq, uint8_t aad[12])
{
	put_be32(aad, c->spi);
	put_be64(aad + 4, seq);
}

static void put_nonce(const struct esp_ctx *c, const uint8_t iv[8],
		      uint8_t nonce[ESP_NONCE_MAX])
{
	memcpy(nonce, c->salt, c->suite->salt_len);
	memcpy(nonce + c->suite->salt_len, iv, 8);
}

struct gcm_packet context_gcm(const struct esp_ctx *c, const uint8_t iv[8],
			      uint64_t seq)
{
	struct gcm_packet pkt = { .icv_len = c->suite->icv_len };

	put_nonce(c, iv, pkt.nonce);
	put_aad(c, seq, pkt.aad);
	return pkt;
}

bool context_ccm(struct esp_ctx *c, const uint8_t iv[8], uint64_t seq,
		 size_t text, uint8_t *icv)
{
	uint8_t nonce[ESP_NONCE_MAX];
	uint8_t aad[12];
	int n;

	put_nonce(c, iv, nonce);
	put_aad(c, seq, aad);
	if (EVP_CipherInit_ex2(c->cipher, NULL, NULL, nonce, -1, NULL) != 1)
		return false;
	if (icv && EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_SET_TAG,
				       c->suite->icv_len, icv) != 1)
		return false;
	return EVP_CipherUpdate(c->cipher, NULL, &n, NULL, (int)text) == 1 &&
	       EVP_CipherUpdate(c->cipher, NULL, &n, aad, sizeof(aad)) == 1;
}

bool context_hmac(struct esp_ctx *c, const uint8_t *pkt, size_t len,
		  uint64_t seq, uint8_t out[32])
{
	uint8_t high[4];
	size_t n = 0;

	put_be32(high, (uint32_t)(seq >> 32));
	return EVP_MAC_init(c->mac, NULL, 0, NULL) == 1 &&
	       EVP_MAC_update(c->mac, pkt, len) == 1 &&
	       EVP_MAC_update(c->mac, high, sizeof(high)) == 1 &&
	       EVP_MAC_final(c->mac, out, &n, 32) == 1 && n == 32;
}
