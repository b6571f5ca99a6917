/* SPDX-License-Identifier: MIT */
/* KEYMAT by HKDF-RHASH, and the order of its keys (7401 6.5, 7402 7). */
#include "hip/keymat.h"

#include <string.h>

#include <sodium.h>

#define BLOCKS_MAX 255 /* RFC 5869 2.3 */

int keymat_init(struct keymat *km, const struct keymat_seed *seed,
		const uint8_t *kij, size_t kij_len)
{
	uint8_t salt[2 * SUITE_HASH_MAX];
	size_t n = seed->rhash->hash_len;
	bool a_first = hit_cmp(seed->hit_a, seed->hit_b) <= 0;
	const struct suite_buf key = { salt, 2 * n };
	const struct suite_buf in = { kij, kij_len };
	int err;

	memcpy(salt, seed->i, n); /* RFC 7401 6.5: salt = #I | #J */
	memcpy(salt + n, seed->j, n);
	memset(km, 0, sizeof(*km));
	km->rhash = seed->rhash;
	memcpy(km->info, a_first ? seed->hit_a : seed->hit_b, 16);
	memcpy(km->info + 16, a_first ? seed->hit_b : seed->hit_a, 16);
	err = suite_hmac(seed->rhash, &key, &in, 1, km->prk);
	if (err)
		keymat_wipe(km);
	return err;
}

/* T(n) from T(n - 1) in place; n counts from 1 (RFC 5869 2.3). */
static int next_block(const struct keymat *km, uint8_t n, uint8_t *t)
{
	const struct suite_buf prk = { km->prk, km->rhash->hash_len };
	const struct suite_buf in[] = {
		{ t, n == 1 ? 0 : km->rhash->hash_len },
		{ km->info, sizeof(km->info) },
		{ &n, 1 },
	};
	uint8_t next[SUITE_HASH_MAX];
	int err = suite_hmac(km->rhash, &prk, in, 3, next);

	if (!err)
		memcpy(t, next, km->rhash->hash_len);
	sodium_memzero(next, sizeof(next));
	return err;
}

size_t keymat_room(const struct keymat *km, size_t index)
{
	size_t limit = BLOCKS_MAX * km->rhash->hash_len;

	return index < limit ? limit - index : 0;
}

int keymat_draw(const struct keymat *km, size_t index, uint8_t *out, size_t len)
{
	size_t width = km->rhash->hash_len;
	size_t limit = BLOCKS_MAX * width;
	uint8_t t[SUITE_HASH_MAX];
	size_t at = 0; /* KEYMAT index of t[0] */
	int err = HG_OK;

	if (index > limit || len > limit - index) /* RFC 7402 5.1.1 */
		return HG_EFULL;
	for (unsigned n = 1; len > 0 && !err; n++, at += width) {
		size_t skip;
		size_t take;

		err = next_block(km, (uint8_t)n, t);
		if (err || index >= at + width)
			continue;
		skip = index - at;
		take = width - skip < len ? width - skip : len;
		memcpy(out, t + skip, take);
		out += take;
		index += take;
		len -= take;
	}
	sodium_memzero(t, sizeof(t));
	return err;
}

/* Copies from *at and moves it on. */
static void slice(const uint8_t **at, uint8_t *out, size_t len)
{
	memcpy(out, *at, len);
	*at += len;
}

/* All at once: every draw makes the blocks before it anew. */
int keymat_hip_keys(const struct keymat *km, const struct suite_cipher *c,
		    const struct hit *self, const struct hit *peer,
		    struct keymat_hip *out)
{
	bool greater = hit_cmp(self, peer) > 0;
	size_t n = km->rhash->hash_len;
	uint8_t all[2 * (SUITE_KEY_MAX + SUITE_HASH_MAX)];
	const uint8_t *at = all;
	int err = keymat_draw(km, 0, all, 2 * (c->key_len + n));

	memset(out, 0, sizeof(*out));
	if (err)
		return err;
	/* gl: what the host of the greater HIT sends. RFC 7401 6.5 */
	slice(&at, greater ? out->enc_out : out->enc_in, c->key_len);
	slice(&at, greater ? out->mac_out : out->mac_in, n);
	slice(&at, greater ? out->enc_in : out->enc_out, c->key_len);
	slice(&at, greater ? out->mac_in : out->mac_out, n);
	sodium_memzero(all, sizeof(all));
	return HG_OK;
}

uint16_t keymat_esp_index(const struct suite *rhash,
			  const struct suite_cipher *c)
{
	return (uint16_t)(2 * (c->key_len + rhash->hash_len));
}

static void slice_esp(const uint8_t **at, const struct sa_suite *s,
		      struct sa_keys *out)
{
	memset(out, 0, sizeof(*out));
	slice(at, out->enc, sa_enc_len(s));
	slice(at, out->auth, s->auth_len);
}

int keymat_esp_keys(const struct keymat *km, uint16_t index,
		    struct sa_pair *pair, uint16_t *next)
{
	const struct sa_suite *s = sa_suite_find(pair->suite);
	bool greater = hit_cmp(&pair->self, &pair->peer) > 0;
	uint8_t all[2 * sizeof(struct sa_keys)];
	const uint8_t *at = all;
	size_t len;
	int err;

	memset(&pair->in, 0, sizeof(pair->in));
	memset(&pair->out, 0, sizeof(pair->out));
	if (!s)
		return HG_EUNSUPP;
	len = 2 * (sa_enc_len(s) + s->auth_len);
	err = keymat_draw(km, index, all, len);
	if (err)
		return err;
	/* SA-gl, then SA-lg. RFC 7402 7 */
	slice_esp(&at, s, greater ? &pair->out : &pair->in);
	slice_esp(&at, s, greater ? &pair->in : &pair->out);
	sodium_memzero(all, sizeof(all));
	*next = (uint16_t)(index + len);
	return HG_OK;
}

void keymat_wipe(struct keymat *km)
{
	sodium_memzero(km, sizeof(*km));
}

void keymat_hip_wipe(struct keymat_hip *k)
{
	sodium_memzero(k, sizeof(*k));
}
