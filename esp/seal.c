/* SPDX-License-Identifier: MIT */
/* Sealing: upper-layer octets become one ESP packet.
 *
 * RFC 4303 3.3, 4106 (GCM), 4309 (CCM), 4868 (HMAC-SHA-256-128), 7402 appendix B.
 */
#include <string.h>

#include "core/wire.h"
#include "esp/context.h"
#include "esp/esp.h"

/* What one call works on, so that no step needs ten parameters. */
struct job {
	const uint8_t *head;
	size_t head_len;
	const uint8_t *body;
	size_t body_len;
	uint8_t trailer[16 + 2]; /* padding, its length, next header */
	size_t trailer_len;
};

/* Padding 1, 2, 3, ... (RFC 4303 2.4), its length, the next header. */
static void make_trailer(struct job *j, size_t text, uint8_t next_header)
{
	size_t pad = text - j->head_len - j->body_len - 2;

	for (size_t i = 0; i < pad; i++)
		j->trailer[i] = (uint8_t)(i + 1);
	j->trailer[pad] = (uint8_t)pad;
	j->trailer[pad + 1] = next_header;
	j->trailer_len = pad + 2;
}

/* One chunk of plaintext; *p moves on by what came out (a block cipher
 * keeps the rest of a block for the next chunk). */
static bool chunk(EVP_CIPHER_CTX *ctx, uint8_t **p, const uint8_t *in,
		  size_t len)
{
	int n = 0;

	if (!len)
		return true;
	if (EVP_EncryptUpdate(ctx, *p, &n, in, (int)len) != 1)
		return false;
	*p += n;
	return true;
}

static bool encrypt_text(EVP_CIPHER_CTX *ctx, const struct job *j, uint8_t *p)
{
	int n = 0;

	return chunk(ctx, &p, j->head, j->head_len) &&
	       chunk(ctx, &p, j->body, j->body_len) &&
	       chunk(ctx, &p, j->trailer, j->trailer_len) &&
	       EVP_EncryptFinal_ex(ctx, p, &n) == 1;
}

/* The explicit IV is the sequence number: unique for each key, which is
 * all that GCM asks of it (RFC 4106 3.1). */
static bool seal_gcm(struct esp_ctx *c, uint64_t seq, const struct job *j,
		     uint8_t *out, size_t text)
{
	uint8_t *iv = out + ESP_HDR;
	const struct gcm_piece in[] = {
		{ j->head, j->head_len },
		{ j->body, j->body_len },
		{ j->trailer, j->trailer_len },
	};
	struct gcm_packet pkt;

	(void)text;
	put_be64(iv, seq);
	pkt = context_gcm(c, iv, seq);
	return c->gcm->seal(c->gcm_key, &pkt, in, 3, iv + 8);
}

/* Payload and trailer, one behind the other at p. */
static void gather(const struct job *j, uint8_t *p)
{
	if (j->head_len)
		memcpy(p, j->head, j->head_len);
	p += j->head_len;
	if (j->body_len)
		memcpy(p, j->body, j->body_len);
	memcpy(p + j->body_len, j->trailer, j->trailer_len);
}

/* As GCM; but the library's CCM takes its text in one piece. */
static bool seal_ccm(struct esp_ctx *c, uint64_t seq, const struct job *j,
		     uint8_t *out, size_t text)
{
	uint8_t *iv = out + ESP_HDR;
	uint8_t *p = iv + 8;
	int n = 0;

	put_be64(iv, seq);
	gather(j, p);
	return context_ccm(c, iv, seq, text, NULL) &&
	       EVP_EncryptUpdate(c->cipher, p, &n, p, (int)text) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->cipher, EVP_CTRL_AEAD_GET_TAG,
				   c->suite->icv_len, p + text) == 1;
}

static bool put_hmac(struct esp_ctx *c, uint64_t seq, uint8_t *out, size_t len)
{
	uint8_t icv[32];

	if (!context_hmac(c, out, len, seq, icv))
		return false;
	memcpy(out + len, icv, c->suite->icv_len); /* RFC 4868 2.1 */
	return true;
}

static bool seal_null(struct esp_ctx *c, uint64_t seq, const struct job *j,
		      uint8_t *out, size_t text)
{
	gather(j, out + ESP_HDR);
	return put_hmac(c, seq, out, ESP_HDR + text);
}

/* CBC wants an IV nobody can predict (RFC 3602 3). It is the sequence
 * number encrypted under the same key (SP 800-38A appendix C), and that is
 * what CBC itself makes of a leading block when it starts from zero: the
 * first block out is the IV, the rest chains on. */
static bool seal_cbc(struct esp_ctx *c, uint64_t seq, const struct job *j,
		     uint8_t *out, size_t text)
{
	static const uint8_t zero[16];
	uint8_t nonce[16] = { 0 };
	uint8_t *iv = out + ESP_HDR;
	int n = 0;

	put_be64(nonce + 8, seq);
	if (EVP_EncryptInit_ex2(c->cipher, NULL, NULL, zero, NULL) != 1 ||
	    EVP_EncryptUpdate(c->cipher, iv, &n, nonce, sizeof(nonce)) != 1 ||
	    n != sizeof(nonce) || !encrypt_text(c->cipher, j, iv + n))
		return false;
	return put_hmac(c, seq, out, ESP_HDR + sizeof(nonce) + text);
}

static bool (*const kinds[])(struct esp_ctx *c, uint64_t seq,
			     const struct job *j, uint8_t *out, size_t text) = {
	[ESP_CBC_HMAC] = seal_cbc,
	[ESP_NULL_HMAC] = seal_null,
	[ESP_GCM] = seal_gcm,
	[ESP_CCM] = seal_ccm,
};

enum reason esp_seal(struct esp_ctx *c, uint64_t seq, uint8_t next_header,
		     const uint8_t *head, size_t head_len, const uint8_t *body,
		     size_t body_len, uint8_t *out, size_t cap, size_t *len)
{
	const struct sa_suite *s = c->suite;
	struct job j = { .head = head,
			 .head_len = head_len,
			 .body = body,
			 .body_len = body_len };
	size_t wire;
	size_t text;

	if (seq == 0 || seq > ESP_SEQ_MAX)
		return REASON_ESP_SEQ_END; /* RFC 4303 3.3.3 */
	if (head_len > ESP_PACKET_MAX || body_len > ESP_PACKET_MAX - head_len)
		return REASON_TOO_BIG;
	wire = esp_wire_len(s, head_len + body_len);
	if (wire > ESP_PACKET_MAX || wire > cap)
		return REASON_TOO_BIG;
	if (!c->seal)
		return REASON_ESP_CRYPTO;
	text = wire - ESP_HDR - s->iv_len - s->icv_len;
	make_trailer(&j, text, next_header);
	put_be32(out, c->spi);
	put_be32(out + 4, (uint32_t)seq);
	if (!kinds[c->kind](c, seq, &j, out, text))
		return REASON_ESP_CRYPTO;
	*len = wire;
	return REASON_NUM;
}
