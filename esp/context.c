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
 * RFC 4303, 4106, 4868.
 */
#include "esp/context.h"

#include <openssl/core_names.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "esp/esp.h"

static struct {
	EVP_CIPHER *gcm128;
	EVP_CIPHER *cbc128;
	EVP_CIPHER *cbc256;
	EVP_MAC *hmac;
} algs; /* const after esp_setup */

int esp_setup(void)
{
	if (algs.hmac)
		return 0;
	if (sodium_init() < 0)
		return HG_ECRYPTO;
	algs.gcm128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	algs.cbc128 = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	algs.cbc256 = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
	algs.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	if (algs.gcm128 && algs.cbc128 && algs.cbc256 && algs.hmac)
		return 0;
	EVP_CIPHER_free(algs.gcm128);
	EVP_CIPHER_free(algs.cbc128);
	EVP_CIPHER_free(algs.cbc256);
	EVP_MAC_free(algs.hmac);
	memset(&algs, 0, sizeof(algs));
	return HG_ECRYPTO;
}

static const EVP_CIPHER *cipher_of(const struct sa_suite *s)
{
	switch (s->id) {
	case SA_AES128_CBC_SHA256:
		return algs.cbc128;
	case SA_AES256_CBC_SHA256:
		return algs.cbc256;
	case SA_AES128_GCM8:
	case SA_AES128_GCM16:
		return algs.gcm128;
	}
	return NULL;
}

static int key_cipher(struct esp_ctx *c, const struct sa_keys *keys)
{
	const EVP_CIPHER *alg = cipher_of(c->suite);

	if (!alg)
		return HG_EUNSUPP;
	c->cipher = EVP_CIPHER_CTX_new();
	if (!c->cipher)
		return HG_ENOMEM;
	if (EVP_CipherInit_ex2(c->cipher, alg, keys->enc, NULL, c->seal,
			       NULL) != 1)
		return HG_ECRYPTO;
	/* ESP pads by its own rule (RFC 4303 2.4). */
	if (EVP_CIPHER_CTX_set_padding(c->cipher, 0) != 1)
		return HG_ECRYPTO;
	memcpy(c->salt, keys->enc + c->suite->key_len, c->suite->salt_len);
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

	if (context_is_aead(c->suite))
		return 0;
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
	int err;

	*out = NULL;
	if (!s)
		return HG_EUNSUPP;
	if (!algs.hmac)
		return HG_EINVAL; /* esp_setup was not called */
	c = calloc(1, sizeof(*c));
	if (!c)
		return HG_ENOMEM;
	c->suite = s;
	c->spi = spi;
	c->seal = seal;
	err = key_cipher(c, keys);
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
	/* Both cleanse their key schedules when freed. */
	EVP_CIPHER_CTX_free(c->cipher);
	EVP_MAC_CTX_free(c->mac);
	sodium_memzero(c, sizeof(*c));
	free(c);
}

bool context_gcm_start(struct esp_ctx *c, uint64_t seq, const uint8_t iv[8])
{
	uint8_t nonce[ESP_GCM_NONCE];
	uint8_t aad[12];
	int n;

	memcpy(nonce, c->salt, 4);
	memcpy(nonce + 4, iv, 8);
	put_be32(aad, c->spi);
	put_be64(aad + 4, seq);
	return EVP_CipherInit_ex2(c->cipher, NULL, NULL, nonce, -1, NULL) ==
		       1 &&
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
