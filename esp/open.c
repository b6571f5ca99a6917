/* SPDX-License-Identifier: MIT */
/* Opening: an ESP packet becomes upper-layer octets, in place.
 *
 * THEORY OF OPERATION
 * The order is RFC 4303 3.4's: cheap checks first (length, replay window),
 * then the ICV, and only octets that it covers are looked at further. The
 * window moves last, so that no forged or broken packet can move it.
 *
 * RFC 4303 3.4, 4106, 4309, 4868, 7402 appendix B.
 */
#include <sodium.h>

#include "core/wire.h"
#include "esp/context.h"
#include "esp/esp.h"

uint32_t esp_spi(const uint8_t *pkt)
{
	return get_be32(pkt);
}

/* text octets after the IV are decrypted in place. AEAD: the ICV decides. */
static enum reason open_gcm(struct esp_ctx *c, uint64_t seq, uint8_t *pkt,
			    size_t text)
{
	uint8_t *iv = pkt + ESP_HDR;
	struct gcm_packet about = context_gcm(c, iv, seq);

	return c->gcm->open(c->gcm_key, &about, iv + c->suite->iv_len, text);
}

/* The library's CCM compares the tags as it decrypts, in one step. */
static enum reason open_ccm(struct esp_ctx *c, uint64_t seq, uint8_t *pkt,
			    size_t text)
{
	uint8_t *iv = pkt + ESP_HDR;
	uint8_t *p = iv + c->suite->iv_len;
	int n = 0;

	if (!context_ccm(c, iv, seq, text, p + text))
		return REASON_ESP_CRYPTO;
	if (EVP_DecryptUpdate(c->cipher, p, &n, p, (int)text) != 1)
		return REASON_ESP_AUTH;
	return REASON_NUM;
}

static enum reason check_hmac(struct esp_ctx *c, uint64_t seq, uint8_t *pkt,
			      size_t text)
{
	size_t len = ESP_HDR + (size_t)c->suite->iv_len + text;
	uint8_t icv[32];

	if (!context_hmac(c, pkt, len, seq, icv))
		return REASON_ESP_CRYPTO;
	if (sodium_memcmp(icv, pkt + len, c->suite->icv_len) != 0)
		return REASON_ESP_AUTH;
	return REASON_NUM;
}

static enum reason open_cbc(struct esp_ctx *c, uint64_t seq, uint8_t *pkt,
			    size_t text)
{
	const struct sa_suite *s = c->suite;
	uint8_t *iv = pkt + ESP_HDR;
	uint8_t *p = iv + s->iv_len;
	enum reason why = check_hmac(c, seq, pkt, text);
	int n = 0;
	int rest = 0;

	if (why != REASON_NUM)
		return why;
	if (text % s->block)
		return REASON_ESP_PADDING;
	if (EVP_DecryptInit_ex2(c->cipher, NULL, NULL, iv, NULL) != 1 ||
	    EVP_DecryptUpdate(c->cipher, p, &n, p, (int)text) != 1 ||
	    EVP_DecryptFinal_ex(c->cipher, p + n, &rest) != 1)
		return REASON_ESP_CRYPTO;
	return REASON_NUM;
}

/* Padding must be 1, 2, 3, ... and fit (RFC 4303 2.4). A dummy packet's
 * plaintext need not be well-formed (RFC 4303 2.6). */
static enum reason strip_trailer(uint8_t *p, size_t text, size_t block,
				 struct esp_plain *out)
{
	size_t pad = p[text - 2];

	out->data = p;
	out->next_header = p[text - 1];
	out->len = 0;
	if (text % block)
		return REASON_ESP_PADDING;
	if (out->next_header == 59) /* RFC 4303 2.6 */
		return REASON_NUM;
	if (pad > text - 2)
		return REASON_ESP_PADDING;
	out->len = text - 2 - pad;
	for (size_t i = 0; i < pad; i++)
		if (p[out->len + i] != i + 1)
			return REASON_ESP_PADDING;
	return REASON_NUM;
}

static enum reason (*const kinds[])(struct esp_ctx *c, uint64_t seq,
				    uint8_t *pkt, size_t text) = {
	[ESP_CBC_HMAC] = open_cbc,
	[ESP_NULL_HMAC] = check_hmac,
	[ESP_GCM] = open_gcm,
	[ESP_CCM] = open_ccm,
};

enum reason esp_open(struct esp_ctx *c, struct esp_replay *r, uint8_t *pkt,
		     size_t len, struct esp_plain *out)
{
	const struct sa_suite *s = c->suite;
	size_t fixed = (size_t)ESP_HDR + s->iv_len + s->icv_len;
	enum reason why;
	uint64_t seq;
	size_t text;

	if (len < fixed + s->block)
		return REASON_ESP_SHORT;
	if (len > ESP_PACKET_MAX)
		return REASON_TOO_BIG;
	if (esp_spi(pkt) != c->spi)
		return REASON_ESP_SPI;
	if (c->seal)
		return REASON_ESP_CRYPTO;
	seq = esp_replay_infer(r, get_be32(pkt + 4));
	if (!esp_replay_check(r, seq))
		return REASON_ESP_REPLAY;
	text = len - fixed;
	why = kinds[c->kind](c, seq, pkt, text);
	if (why != REASON_NUM)
		return why;
	why = strip_trailer(pkt + ESP_HDR + s->iv_len, text, s->block, out);
	if (why != REASON_NUM)
		return why;
	out->seq = seq;
	esp_replay_commit(r, seq);
	return REASON_NUM;
}
