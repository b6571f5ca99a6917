/* SPDX-License-Identifier: MIT */
/* What is dear in an engine, made cheap for most runs. */
#include "test/sim/simcrypto.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/dh.h"
#include "hip/identity.h"
#include "hip/spent.h"

#define TABLES 16 /* kept for new engines */

static bool is_cheap;
static struct spent table[TABLES];
static unsigned tables;

void simcrypto_cheap(bool cheap)
{
	is_cheap = cheap;
}

void __real_spent_fini(struct spent *s);

void simcrypto_free(void)
{
	while (tables)
		__real_spent_fini(&table[--tables]);
}

/* ---- signatures ---------------------------------------------------------- */

/* Named by the linker's --wrap. */
int __real_identity_sign(const struct hip_identity *id, const void *data,
			 size_t len, uint8_t sig[IDENTITY_SIG_MAX]);
int __wrap_identity_sign(const struct hip_identity *id, const void *data,
			 size_t len, uint8_t sig[IDENTITY_SIG_MAX]);
int __real_identity_verify(const struct identity_peer *p, uint16_t sig_alg,
			   const struct suite_buf *data, const uint8_t *sig,
			   size_t sig_len);
int __wrap_identity_verify(const struct identity_peer *p, uint16_t sig_alg,
			   const struct suite_buf *data, const uint8_t *sig,
			   size_t sig_len);
struct dh_key *__real_dh_ref(struct dh_key *key);
struct dh_key *__wrap_dh_ref(struct dh_key *key);
int __real_dh_pack(struct dh_key *key, struct dh_key **out);
int __wrap_dh_pack(struct dh_key *key, struct dh_key **out);
void __real_dh_free(struct dh_key *key);
void __wrap_dh_free(struct dh_key *key);
const struct dh_group *__real_dh_group(const struct dh_key *key);
const struct dh_group *__wrap_dh_group(const struct dh_key *key);
const uint8_t *__real_dh_public(const struct dh_key *key);
const uint8_t *__wrap_dh_public(const struct dh_key *key);
int __real_dh_generate(const struct dh_group *g, struct dh_key **out);
int __wrap_dh_generate(const struct dh_group *g, struct dh_key **out);
int __real_dh_derive(const struct dh_key *key, const uint8_t *peer,
		     size_t peer_len, uint8_t secret[DH_SECRET_MAX]);
int __wrap_dh_derive(const struct dh_key *key, const uint8_t *peer,
		     size_t peer_len, uint8_t secret[DH_SECRET_MAX]);

/* sig_len octets. */
static void cheap_sign(const struct hit *signer, uint16_t alg,
		       const struct suite_buf *data, uint8_t *sig,
		       size_t sig_len)
{
	uint8_t key[16 + sizeof(alg) + sizeof(sig_len)];
	uint8_t hash[32];

	memcpy(key, signer->b, 16);
	memcpy(key + 16, &alg, sizeof(alg));
	memcpy(key + 16 + sizeof(alg), &sig_len, sizeof(sig_len));
	crypto_generichash(hash, sizeof(hash), data->p, data->len, key,
			   sizeof(key));
	for (size_t i = 0; i < sig_len; i++)
		sig[i] = hash[i % sizeof(hash)];
}

int __wrap_identity_sign(const struct hip_identity *id, const void *data,
			 size_t len, uint8_t sig[IDENTITY_SIG_MAX])
{
	const struct suite_buf buf = { data, len };

	if (!is_cheap)
		return __real_identity_sign(id, data, len, sig);
	cheap_sign(hip_identity_hit(id), identity_sig_alg(id), &buf, sig,
		   identity_sig_len(id));
	return HG_OK;
}

int __wrap_identity_verify(const struct identity_peer *p, uint16_t sig_alg,
			   const struct suite_buf *data, const uint8_t *sig,
			   size_t sig_len)
{
	uint8_t want[IDENTITY_SIG_MAX];

	if (!is_cheap)
		return __real_identity_verify(p, sig_alg, data, sig, sig_len);
	if (sig_len > sizeof(want))
		return HG_EAUTH;
	cheap_sign(identity_peer_hit(p), sig_alg, data, want, sig_len);
	return memcmp(want, sig, sig_len) ? HG_EAUTH : HG_OK;
}

/* ---- Diffie-Hellman ------------------------------------------------------- */

/* In the place of struct dh_key, which nobody sees into. */
struct cheap_key {
	const struct dh_group *group;
	unsigned refs;
	uint8_t public[DH_PUBLIC_MAX];
};

int __wrap_dh_generate(const struct dh_group *g, struct dh_key **out)
{
	struct cheap_key *key;

	if (!is_cheap)
		return __real_dh_generate(g, out);
	key = calloc(1, sizeof(*key));
	if (!key)
		return HG_ENOMEM;
	key->group = g;
	key->refs = 1;
	randombytes_buf(key->public, g->public_len);
	*out = (struct dh_key *)key;
	return HG_OK;
}

struct dh_key *__wrap_dh_ref(struct dh_key *key)
{
	if (!is_cheap)
		return __real_dh_ref(key);
	((struct cheap_key *)key)->refs++;
	return key;
}

int __wrap_dh_pack(struct dh_key *key, struct dh_key **out)
{
	if (!is_cheap)
		return __real_dh_pack(key, out);
	*out = __wrap_dh_ref(key);
	return HG_OK;
}

void __wrap_dh_free(struct dh_key *key)
{
	if (!is_cheap)
		__real_dh_free(key);
	else if (key && --((struct cheap_key *)key)->refs == 0)
		free(key);
}

const struct dh_group *__wrap_dh_group(const struct dh_key *key)
{
	return is_cheap ? ((const struct cheap_key *)key)->group
			: __real_dh_group(key);
}

const uint8_t *__wrap_dh_public(const struct dh_key *key)
{
	return is_cheap ? ((const struct cheap_key *)key)->public
			: __real_dh_public(key);
}

/* A hash of both public values, the lesser first. */
int __wrap_dh_derive(const struct dh_key *key, const uint8_t *peer,
		     size_t peer_len, uint8_t secret[DH_SECRET_MAX])
{
	const struct dh_group *g = __wrap_dh_group(key);
	const uint8_t *mine = __wrap_dh_public(key);
	crypto_generichash_state h;
	uint8_t hash[32];
	bool first;

	if (!is_cheap)
		return __real_dh_derive(key, peer, peer_len, secret);
	if (peer_len != g->public_len)
		return HG_EFORMAT;
	first = memcmp(mine, peer, peer_len) < 0;
	crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	crypto_generichash_update(&h, first ? mine : peer, peer_len);
	crypto_generichash_update(&h, first ? peer : mine, peer_len);
	crypto_generichash_final(&h, hash, sizeof(hash));
	for (size_t i = 0; i < g->secret_len; i++)
		secret[i] = hash[i % sizeof(hash)];
	return HG_OK;
}

/* ---- tables ----------------------------------------------------------------- */

int __real_spent_init(struct spent *s);
int __wrap_spent_init(struct spent *s);
void __wrap_spent_fini(struct spent *s);

int __wrap_spent_init(struct spent *s)
{
	struct spent_mark *mark;

	if (!is_cheap || !tables)
		return __real_spent_init(s);
	mark = table[--tables].mark;
	memset(mark, 0, sizeof(*mark) * SPENT_SETS * SPENT_WAYS);
	*s = (struct spent){ .mark = mark };
	randombytes_buf(s->key, sizeof(s->key));
	return HG_OK;
}

void __wrap_spent_fini(struct spent *s)
{
	if (!is_cheap || !s->mark || tables == TABLES) {
		__real_spent_fini(s);
		return;
	}
	table[tables++] = *s;
	s->mark = NULL;
}
