/* SPDX-License-Identifier: MIT */
/* AES-128-GCM by OpenSSL's EVP. A key belongs to one thread: each packet
 * sets its nonce in it and leaves the key schedule alone. */
#include <openssl/evp.h>

#include "esp/gcm.h"

static EVP_CIPHER *alg; /* const after gcm_openssl */

static void *key_new(const uint8_t key[GCM_KEY], bool seal)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (c && EVP_CipherInit_ex2(c, alg, key, NULL, seal, NULL) == 1)
		return c;
	EVP_CIPHER_CTX_free(c);
	return NULL;
}

static void key_free(void *key)
{
	EVP_CIPHER_CTX_free(key); /* cleanses the key schedule */
}

static bool begin(EVP_CIPHER_CTX *c, const struct gcm_packet *pkt)
{
	int n;

	return EVP_CipherInit_ex2(c, NULL, NULL, pkt->nonce, -1, NULL) == 1 &&
	       EVP_CipherUpdate(c, NULL, &n, pkt->aad, sizeof(pkt->aad)) == 1;
}

static bool seal(void *key, const struct gcm_packet *pkt,
		 const struct gcm_piece *in, size_t num, uint8_t *out)
{
	bool ok = begin(key, pkt);
	int n = 0;

	for (size_t i = 0; ok && i < num; i++) {
		if (!in[i].len)
			continue;
		ok = EVP_EncryptUpdate(key, out, &n, in[i].p, (int)in[i].len) ==
		     1;
		out += n;
	}
	return ok && EVP_EncryptFinal_ex(key, out, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(key, EVP_CTRL_AEAD_GET_TAG,
				   (int)pkt->icv_len, out) == 1;
}

static enum reason open_text(void *key, const struct gcm_packet *pkt,
			     uint8_t *text, size_t len)
{
	int n = 0;

	if (!begin(key, pkt) ||
	    EVP_CIPHER_CTX_ctrl(key, EVP_CTRL_AEAD_SET_TAG, (int)pkt->icv_len,
				text + len) != 1 ||
	    EVP_DecryptUpdate(key, text, &n, text, (int)len) != 1)
		return REASON_ESP_CRYPTO;
	/* Compares the tags in constant time. */
	return EVP_DecryptFinal_ex(key, text + n, &n) == 1 ? REASON_NUM
							   : REASON_ESP_AUTH;
}

const struct gcm *gcm_openssl(void)
{
	static const struct gcm row = { .name = "OpenSSL",
					.key_new = key_new,
					.key_free = key_free,
					.seal = seal,
					.open = open_text };

	if (!alg)
		alg = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	return alg ? &row : NULL;
}
