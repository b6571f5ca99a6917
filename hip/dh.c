/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman over NIST curves (7401 5.2.7, RFC 5903). */
#include "hip/dh.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "hip/ecpoint.h"

static const struct dh_group groups[] = {
	{ DH_P256, "P-256", "P-256", 64, 32 },
	{ DH_P384, "P-384", "P-384", 96, 48 },
};

/* Stronger first (7401 5.2.6). */
const uint8_t dh_group_ids[] = { DH_P384, DH_P256 };
const size_t dh_group_ids_num = sizeof(dh_group_ids);

struct dh_key {
	const struct dh_group *group;
	EVP_PKEY *pkey;
	uint8_t public[DH_PUBLIC_MAX];
	atomic_uint refs; /* the only field that changes */
};

const struct dh_group *dh_group_find(uint8_t id)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

uint8_t dh_choose(const uint8_t *responder, size_t responder_num,
		  const uint8_t *initiator, size_t initiator_num)
{
	for (size_t i = 0; i < responder_num; i++) /* RFC 7401 5.2.6 */
		if (initiator_num &&
		    memchr(initiator, responder[i], initiator_num))
			return responder[i];
	return 0;
}

/* Takes pkey, also when it fails. */
static int key_of(const struct dh_group *g, EVP_PKEY *pkey, struct dh_key **out)
{
	struct dh_key *key = calloc(1, sizeof(*key));

	if (!key) {
		EVP_PKEY_free(pkey);
		return HG_ENOMEM;
	}
	key->group = g;
	key->pkey = pkey;
	atomic_init(&key->refs, 1);
	if (ecpoint_put(pkey, key->public, g->public_len)) {
		dh_free(key);
		return HG_ECRYPTO;
	}
	*out = key;
	return HG_OK;
}

int dh_generate(const struct dh_group *g, struct dh_key **out)
{
	EVP_PKEY *pkey;
	int err = ecpoint_generate(g->curve, &pkey);

	return err ? err : key_of(g, pkey, out);
}

static OSSL_PARAM *import_params(const struct dh_group *g, const BIGNUM *priv,
				 const uint8_t *point)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (bld && priv &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
					    g->curve, 0) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, priv) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
					     point, 1 + (size_t)g->public_len))
		params = OSSL_PARAM_BLD_to_param(bld);
	OSSL_PARAM_BLD_free(bld);
	return params;
}

int dh_import(const struct dh_group *g, const uint8_t *private_key,
	      const uint8_t *public_key, struct dh_key **out)
{
	BIGNUM *priv = BN_bin2bn(private_key, g->secret_len, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[1 + DH_PUBLIC_MAX] = { 0x04 };
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *params;

	memcpy(point + 1, public_key, g->public_len);
	params = import_params(g, priv, point);
	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) <= 0)
		pkey = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(ctx);
	BN_clear_free(priv);
	return pkey ? key_of(g, pkey, out) : HG_ECRYPTO;
}

struct dh_key *dh_ref(struct dh_key *key)
{
	atomic_fetch_add_explicit(&key->refs, 1, memory_order_relaxed);
	return key;
}

void dh_free(struct dh_key *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) != 1)
		return;
	EVP_PKEY_free(key->pkey); /* wipes the private number */
	free(key);
}

const struct dh_group *dh_group(const struct dh_key *key)
{
	return key->group;
}

const uint8_t *dh_public(const struct dh_key *key)
{
	return key->public;
}

static int derive(const struct dh_key *key, EVP_PKEY *peer, uint8_t *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key->pkey, NULL);
	/* The library's ECDH gives x in the field's width, with its leading
	 * zeros, as RFC 5903 7 wants it. */
	size_t len = key->group->secret_len;
	/* 0: do not check the peer's point again, ecpoint_get has. The
	 * library's own check multiplies it by the order, which on a curve
	 * of cofactor 1 says nothing new and costs as much as the secret. */
	bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 &&
		  EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) > 0 &&
		  EVP_PKEY_derive(ctx, secret, &len) > 0 &&
		  len == key->group->secret_len;

	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}

int dh_derive(const struct dh_key *key, const uint8_t *peer, size_t peer_len,
	      uint8_t secret[DH_SECRET_MAX])
{
	EVP_PKEY *pkey;
	int err;

	if (peer_len != key->group->public_len)
		return HG_EFORMAT;
	err = ecpoint_get(key->group->curve, peer, peer_len, &pkey);
	if (err)
		return err;
	err = derive(key, pkey, secret);
	EVP_PKEY_free(pkey);
	if (err)
		sodium_memzero(secret, DH_SECRET_MAX);
	return err;
}
