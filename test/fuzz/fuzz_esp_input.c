/* SPDX-License-Identifier: MIT */
/* Fuzzes esp_open. room: esp
 *
 * The first octet chooses the suite and the mode. Mode 0: the rest is the
 * packet as it is. Mode 1: the rest is plaintext that is sealed with an
 * authentic ICV over any trailer the fuzzer likes, so that what stands
 * behind the ICV (padding, dummies) is reached too.
 */
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "esp/context.h"
#include "esp/esp.h"

enum { SPI = 0xa1b2c3, MAX = 4096 };

/* The corpus knows the first four by their places. */
static const uint16_t suites[] = { SA_AES128_CBC_SHA256, SA_AES256_CBC_SHA256,
				   SA_AES128_GCM8,	 SA_AES128_GCM16,
				   SA_AES128_CCM8,	 SA_AES128_CCM16,
				   SA_NULL_SHA256 };
#define SUITES_NUM (sizeof(suites) / sizeof(suites[0]))
static struct esp_ctx *opener[SUITES_NUM];
static struct esp_ctx *sealer[SUITES_NUM];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void setup(void)
{
	struct sa_keys keys = { .enc = { 1, 2, 3 }, .auth = { 4, 5, 6 } };

	if (esp_setup() != 0)
		abort();
	for (size_t i = 0; i < SUITES_NUM; i++)
		if (esp_ctx_new(suites[i], &keys, SPI, false, &opener[i]) ||
		    esp_ctx_new(suites[i], &keys, SPI, true, &sealer[i]))
			abort();
}

static bool forge_gcm(struct esp_ctx *c, const uint8_t *iv, const uint8_t *text,
		      size_t len, uint8_t *p)
{
	const struct gcm_piece in = { text, len };
	struct gcm_packet about = context_gcm(c, iv, 1);

	return c->gcm->seal(c->gcm_key, &about, &in, 1, p);
}

static bool forge_ccm(struct esp_ctx *c, const uint8_t *iv, const uint8_t *text,
		      size_t len, uint8_t *p)
{
	int n = 0;

	return context_ccm(c, iv, 1, len, NULL) &&
	       EVP_EncryptUpdate(c->cipher, p, &n, text, (int)len) == 1 &&
	       EVP_EncryptFinal_ex(c->cipher, p + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG,
				   c->suite->icv_len, p + len) == 1;
}

/* An authentic packet with that text, trailer included, which esp_seal
 * itself would never make. */
static size_t forge(size_t i, const uint8_t *text, size_t len, uint8_t *out)
{
	struct esp_ctx *c = sealer[i];
	const struct sa_suite *s = c->suite;
	uint8_t *iv = out + ESP_HDR;
	uint8_t *p = iv + s->iv_len;
	uint8_t icv[32];
	int n = 0;

	put_be32(out, SPI);
	put_be32(out + 4, 1);
	memset(iv, 7, s->iv_len);
	if (s->auth_len == 0) {
		if (c->kind == ESP_GCM ? !forge_gcm(c, iv, text, len, p)
				       : !forge_ccm(c, iv, text, len, p))
			abort();
		return (size_t)(p - out) + len + s->icv_len;
	}
	if (c->kind == ESP_NULL_HMAC)
		memcpy(p, text, len);
	else if (EVP_EncryptInit_ex2(c->cipher, NULL, NULL, iv, NULL) != 1 ||
		 EVP_EncryptUpdate(c->cipher, p, &n, text, (int)len) != 1)
		abort();
	if (c->kind == ESP_CBC_HMAC &&
	    len % 16) /* leaves the rest of a block as it is */
		memcpy(p + n, text + n, len - (size_t)n);
	if (!context_hmac(c, out, (size_t)(p - out) + len, 1, icv))
		abort();
	memcpy(p + len, icv, s->icv_len);
	return (size_t)(p - out) + len + s->icv_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct esp_replay r;
	struct esp_plain plain;
	uint8_t *pkt;
	enum reason why;
	size_t i;

	if (!opener[0])
		setup();
	if (len < 1 || len > MAX)
		return 0;
	i = data[0] & 3;
	if (data[0] & 8)
		i = (i + 4) % SUITES_NUM;
	pkt = malloc(len + ESP_OVERHEAD_MAX);
	if (!pkt)
		abort();
	esp_replay_init(&r);
	if (data[0] & 4) {
		len = forge(i, data + 1, len - 1, pkt);
	} else {
		len--;
		memcpy(pkt, data + 1, len);
		put_be32(pkt, SPI);
		/* exactly as large as the packet: ASan sees any overrun */
	}
	pkt = realloc(pkt, len ? len : 1);
	why = esp_open(opener[i], &r, pkt, len, &plain);
	if (why == REASON_NUM) {
		if (plain.data < pkt || plain.data + plain.len > pkt + len ||
		    r.top == 0)
			abort();
	} else if (r.top != 0) {
		abort();
	}
	free(pkt);
	return 0;
}
