/* SPDX-License-Identifier: MIT */
/* Sealing and opening ENCRYPTED; contracts in encrypted.h (7401 5.2.18). */
#include "hip/encrypted.h"

#include <assert.h>
#include <stdbool.h>

#include <openssl/evp.h>
#include <sodium.h>

#define RESERVED_LEN 4

/* Runs the whole cipher over in; out has in_len octets, and a block more
 * when sealing. padding: add PKCS5 padding (seal), or leave it in (open). */
struct cipher_run {
	const struct suite_cipher *cipher;
	const uint8_t *key;
	const uint8_t *iv;
	bool seal;
};

static int run_cipher(const struct cipher_run *c, const uint8_t *in,
		      size_t in_len, uint8_t *out, size_t *out_len)
{
	const EVP_CIPHER *evp = suite_evp_cipher(c->cipher);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;
	int last = 0;
	bool ok = evp && ctx &&
		  EVP_CipherInit_ex2(ctx, evp, c->key, c->iv, c->seal, NULL) &&
		  EVP_CIPHER_CTX_set_padding(ctx, c->seal) &&
		  EVP_CipherUpdate(ctx, out, &n, in, (int)in_len) &&
		  EVP_CipherFinal_ex(ctx, out + n, &last);

	EVP_CIPHER_CTX_free(ctx);
	*out_len = (size_t)n + (size_t)last;
	return ok ? HG_OK : HG_ECRYPTO;
}

/* PKCS5: 1..block octets. RFC 7401 5.2.18 */
static size_t padding(const struct suite_cipher *c, size_t len)
{
	return c->block > 1 ? c->block - len % c->block : 0;
}

int encrypted_seal(struct msg_builder *b, const struct msg_builder *inner,
		   const struct suite_cipher *c, const uint8_t *key)
{
	size_t sealed = inner->len + padding(c, inner->len);
	struct cipher_run run = { c, key, NULL, true };
	size_t len = 0;
	uint8_t *p;
	int err;

	assert(inner->inner);
	if (inner->bad)
		return HG_EFULL;
	p = message_reserve(b, PARAM_ENCRYPTED,
			    RESERVED_LEN + c->iv_len + sealed);
	if (!p)
		return HG_EFULL;
	p += RESERVED_LEN;
	randombytes_buf(p, c->iv_len);
	run.iv = p;
	err = run_cipher(&run, inner->buf, inner->len, p + c->iv_len, &len);
	if (err)
		return err;
	return len == sealed ? HG_OK : HG_ECRYPTO;
}

enum reason encrypted_open(const struct hip_param *p, uint8_t type,
			   const struct suite_cipher *c, const uint8_t *key,
			   struct encrypted_inner *out)
{
	size_t head = RESERVED_LEN + (size_t)c->iv_len;
	struct cipher_run run = { c, key, NULL, false };
	enum reason why;

	if (p->len < head + c->block || (p->len - head) % c->block != 0)
		return REASON_HIP_ENCRYPTED;
	run.iv = p->contents + RESERVED_LEN;
	if (run_cipher(&run, p->contents + head, p->len - head, out->plain,
		       &out->plain_len))
		return REASON_HIP_CRYPTO;
	why = param_parse_inner(out->plain, out->plain_len, type, &out->params);
	if (why == REASON_NUM && out->params.num == 0)
		why = REASON_HIP_ENCRYPTED;
	if (why != REASON_NUM)
		encrypted_wipe(out);
	return why;
}

void encrypted_wipe(struct encrypted_inner *in)
{
	sodium_memzero(in, sizeof(*in));
}
