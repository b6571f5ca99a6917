/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman: NIST curves and MODP (7401 5.2.7, RFC 5903, 3526). */
#include "hip/dh.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <sodium.h>

#include "hip/ecpoint.h"
#include "hip/modp.h"

static const struct dh_group groups[] = {
	{ DH_MODP_1536, "MODP-1536", "modp_1536", false, 192, 192 },
	{ DH_MODP_3072, "MODP-3072", "modp_3072", false, 384, 384 },
	{ DH_P256, "P-256", "P-256", true, 64, 32 },
	{ DH_P384, "P-384", "P-384", true, 96, 48 },
	{ DH_P521, "P-521", "P-521", true, 132, 66 },
	{ DH_MODP_2048, "MODP-2048", "modp_2048", false, 256, 256 },
};

static_assert(DH_PUBLIC_MAX >= ECPOINT_MAX && DH_PUBLIC_MAX >= MODP_MAX &&
		      DH_SECRET_MAX >= MODP_MAX,
	      "room for each group");

struct dh_key {
	const struct dh_group *group;
	EVP_PKEY *pkey;	  /* NULL: packed */
	atomic_uint refs; /* the only field that changes */
	uint8_t n[]; /* the public value; packed: the private number, too */
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
	struct dh_key *key = calloc(1, sizeof(*key) + g->public_len);

	if (!key) {
		EVP_PKEY_free(pkey);
		return HG_ENOMEM;
	}
	key->group = g;
	key->pkey = pkey;
	atomic_init(&key->refs, 1);
	if (g->curve ? ecpoint_put(pkey, key->n, g->public_len)
		     : modp_put(pkey, key->n, g->public_len)) {
		dh_free(key);
		return HG_ECRYPTO;
	}
	*out = key;
	return HG_OK;
}

int dh_generate(const struct dh_group *g, struct dh_key **out)
{
	EVP_PKEY *pkey;
	int err = g->curve ? ecpoint_generate(g->group, &pkey)
			   : modp_generate(g->group, &pkey);

	return err ? err : key_of(g, pkey, out);
}

static OSSL_PARAM *import_params(const struct dh_group *g, const BIGNUM *priv,
				 const uint8_t *point)
{
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM *params = NULL;

	if (bld && priv &&
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
					    g->group, 0) &&
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, priv) &&
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
					     point, 1 + (size_t)g->public_len))
		params = OSSL_PARAM_BLD_to_param(bld);
	OSSL_PARAM_BLD_free(bld);
	return params;
}

static EVP_PKEY *import_curve(const struct dh_group *g,
			      const uint8_t *private_key,
			      const uint8_t *public_key)
{
	BIGNUM *priv = BN_bin2bn(private_key, g->secret_len, NULL);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[1 + ECPOINT_MAX] = { 0x04 };
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
	return pkey;
}

/* A whole key from its numbers. */
static int whole(const struct dh_group *g, const uint8_t *private_key,
		 const uint8_t *public_key, EVP_PKEY **out)
{
	const struct modp_key k = { .group = g->group,
				    .public = public_key,
				    .public_len = g->public_len,
				    .private = private_key,
				    .private_len = g->secret_len };

	if (!g->curve)
		return modp_get(&k, out);
	*out = import_curve(g, private_key, public_key);
	return *out ? HG_OK : HG_ECRYPTO;
}

int dh_import(const struct dh_group *g, const uint8_t *private_key,
	      const uint8_t *public_key, struct dh_key **out)
{
	EVP_PKEY *pkey = NULL;
	int err = whole(g, private_key, public_key, &pkey);

	return err ? err : key_of(g, pkey, out);
}

int dh_pack(struct dh_key *key, struct dh_key **out)
{
	const struct dh_group *g = key->group;
	BIGNUM *n = NULL;
	struct dh_key *p;
	bool ok;

	if (!key->pkey) {
		*out = dh_ref(key);
		return HG_OK;
	}
	p = calloc(1, sizeof(*p) + g->public_len + g->secret_len);
	if (!p)
		return HG_ENOMEM;
	p->group = g;
	atomic_init(&p->refs, 1);
	memcpy(p->n, key->n, g->public_len);
	ok = EVP_PKEY_get_bn_param(key->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &n) &&
	     BN_bn2binpad(n, p->n + g->public_len, g->secret_len) ==
		     g->secret_len;
	BN_clear_free(n);
	if (!ok) {
		dh_free(p);
		return HG_ECRYPTO;
	}
	*out = p;
	return HG_OK;
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
	if (!key->pkey)
		sodium_memzero(key->n + key->group->public_len,
			       key->group->secret_len);
	EVP_PKEY_free(key->pkey); /* wipes the private number */
	free(key);
}

const struct dh_group *dh_group(const struct dh_key *key)
{
	return key->group;
}

const uint8_t *dh_public(const struct dh_key *key)
{
	return key->n;
}

static int derive(const struct dh_group *g, EVP_PKEY *mine, EVP_PKEY *peer,
		  uint8_t *secret)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	/* The library's ECDH gives x in the field's width, with its leading
	 * zeros, as RFC 5903 7 wants it; its DH has to be asked to (RFC 7401
	 * 6.5). */
	size_t len = g->secret_len;
	/* 0: do not check the peer's value again, ecpoint_get or modp_get
	 * has. The library's own check multiplies it by the order, which on
	 * a curve of cofactor 1 says nothing new and costs as much as the
	 * secret. */
	bool ok = ctx && EVP_PKEY_derive_init(ctx) > 0 &&
		  (g->curve || EVP_PKEY_CTX_set_dh_pad(ctx, 1) > 0) &&
		  EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) > 0 &&
		  EVP_PKEY_derive(ctx, secret, &len) > 0 &&
		  len == g->secret_len;

	EVP_PKEY_CTX_free(ctx);
	return ok ? HG_OK : HG_ECRYPTO;
}

static int peer_key(const struct dh_group *g, const uint8_t *peer,
		    EVP_PKEY **out)
{
	const struct modp_key k = { .group = g->group,
				    .public = peer,
				    .public_len = g->public_len };

	if (g->curve)
		return ecpoint_get(g->group, peer, g->public_len, out);
	return modp_get(&k, out);
}

int dh_derive(const struct dh_key *key, const uint8_t *peer, size_t peer_len,
	      uint8_t secret[DH_SECRET_MAX])
{
	const struct dh_group *g = key->group;
	EVP_PKEY *mine = key->pkey;
	EVP_PKEY *pkey;
	int err;

	if (peer_len != g->public_len)
		return HG_EFORMAT;
	err = peer_key(g, peer, &pkey);
	if (err)
		return err;
	if (!mine)
		err = whole(g, key->n + g->public_len, key->n, &mine);
	if (!err)
		err = derive(g, mine, pkey, secret);
	EVP_PKEY_free(pkey);
	if (mine != key->pkey)
		EVP_PKEY_free(mine);
	if (err)
		sodium_memzero(secret, DH_SECRET_MAX);
	return err;
}
