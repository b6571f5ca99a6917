/* SPDX-License-Identifier: MIT */
/* AES-128-GCM by libipsec-mb. Its manager only chooses functions for the
 * processor; they work on a key that stays as it is and on a context of the
 * caller's, so that threads share keys. */
#include "esp/gcm.h"

#ifdef HIPGATE_IPSEC_MB

#include <intel-ipsec-mb.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

/* Without these it computes AES by tables, slowly and not in constant time;
 * the self-test runs when the manager is made. */
#define WANTED                                                                 \
	(IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ | IMB_FEATURE_SELF_TEST_PASS)

enum { KEY_ALIGN = 64 };

static struct {
	aes_gcm_pre_t pre;
	aes_gcm_init_t init;
	aes_gcm_enc_dec_update_t update;
	aes_gcm_enc_dec_finalize_t final;
	aes_gcm_enc_dec_t dec;
} mb; /* const after gcm_ipsec_mb */

static void *key_new(const uint8_t key[GCM_KEY], bool seal)
{
	size_t size = (sizeof(struct gcm_key_data) + KEY_ALIGN - 1) /
		      KEY_ALIGN * KEY_ALIGN;
	struct gcm_key_data *k = aligned_alloc(KEY_ALIGN, size);

	(void)seal; /* the same for both */
	if (k)
		mb.pre(key, k);
	return k;
}

static void key_free(void *key)
{
	if (key)
		sodium_memzero(key, sizeof(struct gcm_key_data));
	free(key);
}

static bool seal(void *key, const struct gcm_packet *pkt,
		 const struct gcm_piece *in, size_t num, uint8_t *out)
{
	struct gcm_context_data ctx;

	mb.init(key, &ctx, pkt->nonce, pkt->aad, sizeof(pkt->aad));
	for (size_t i = 0; i < num; i++) {
		if (!in[i].len)
			continue;
		mb.update(key, &ctx, out, in[i].p, in[i].len);
		out += in[i].len;
	}
	mb.final(key, &ctx, out, pkt->icv_len);
	return true;
}

/* In constant time; sodium_memcmp goes octet by octet and took as long as a
 * tenth of the decryption. */
static bool differ(const uint8_t *a, const uint8_t *b, size_t len)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t x;
		uint64_t y;

		memcpy(&x, a + i, 8);
		memcpy(&y, b + i, 8);
		bits |= x ^ y;
	}
	return bits != 0;
}

static enum reason open_text(void *key, const struct gcm_packet *pkt,
			     uint8_t *text, size_t len)
{
	struct gcm_context_data ctx;
	uint8_t icv[16];

	mb.dec(key, &ctx, text, text, len, pkt->nonce, pkt->aad,
	       sizeof(pkt->aad), icv, pkt->icv_len);
	return differ(icv, text + len, pkt->icv_len) ? REASON_ESP_AUTH
						     : REASON_NUM;
}

static bool find(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);
	bool ok;

	if (!m)
		return false;
	init_mb_mgr_auto(m, NULL);
	ok = imb_get_errno(m) == 0 && (m->features & WANTED) == WANTED;
	if (ok) {
		mb.pre = m->gcm128_pre;
		mb.init = m->gcm128_init;
		mb.update = m->gcm128_enc_update;
		mb.final = m->gcm128_enc_finalize;
		mb.dec = m->gcm128_dec;
	}
	free_mb_mgr(m);
	return ok;
}

const struct gcm *gcm_ipsec_mb(void)
{
	static const struct gcm row = { .name = "libipsec-mb",
					.shared = true,
					.key_new = key_new,
					.key_free = key_free,
					.seal = seal,
					.open = open_text };

	return mb.pre || find() ? &row : NULL;
}

#else

const struct gcm *gcm_ipsec_mb(void)
{
	return NULL;
}

#endif
