/* SPDX-License-Identifier: MIT */
/* Host identities; theory in identity.h (7401 3.2, 5.2.9, 7343). */
#include "hip/identity.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "core/wire.h"
#include "hip/fields.h"
#include "hip/identity_alg.h"

#define HOST_ID_HEAD 6	/* HI length, DI type and length, algorithm */
#define HIT_BITS_LEN 12 /* octets of hash in a HIT */

static_assert(IDENTITY_HOST_ID_MAX >= HOST_ID_HEAD + IDENTITY_ALG_HI_MAX,
	      "our HOST_ID has room for every row");

struct hip_identity {
	const struct identity_alg *alg;
	EVP_PKEY *key;
	struct hit hit;
	uint8_t host_id[IDENTITY_HOST_ID_MAX];
	size_t host_id_len;
	bool anonymous;
	atomic_uint refs; /* the only field that changes when it is shared */
};

struct identity_peer {
	const struct identity_alg *alg;
	EVP_PKEY *key;
	struct hit hit;
};

/* ---- the table ------------------------------------------------------- */

static const struct identity_alg algs[HIP_ALG_NUM] = {
	{ HIP_ALG_ECDSA_P256, &identity_ecdsa, 1, 32, "prime256v1", 0 },
	{ HIP_ALG_ECDSA_P384, &identity_ecdsa, 2, 48, "secp384r1", 0 },
	{ HIP_ALG_RSA_2048, &identity_rsa, 0, 0, NULL, 2048 },
	{ HIP_ALG_RSA_3072, &identity_rsa, 0, 0, NULL, 3072 },
	{ HIP_ALG_RSA_4096, &identity_rsa, 0, 0, NULL, 4096 },
};

static const struct identity_alg *alg_of_hi(const struct field_host_id *f)
{
	for (size_t i = 0; i < HIP_ALG_NUM; i++)
		if (algs[i].kind->hi_alg == f->alg &&
		    algs[i].kind->owns_hi(&algs[i], f->hi, f->hi_len))
			return &algs[i];
	return NULL;
}

static const struct identity_alg *alg_of_key(const EVP_PKEY *key)
{
	for (size_t i = 0; i < HIP_ALG_NUM; i++)
		if (algs[i].kind->owns_key(&algs[i], key))
			return &algs[i];
	return NULL;
}

int identity_hit(const struct suite *s, const uint8_t *hi, size_t hi_len,
		 struct hit *out)
{
	static const uint8_t context[16] = { /* RFC 7401 3.2 */
					     0xf0, 0xef, 0xf0, 0x2f, 0xbf, 0xf4,
					     0x3d, 0x0f, 0xe7, 0x93, 0x0c, 0x3c,
					     0x6e, 0x61, 0x74, 0xea
	};
	const struct suite_buf in[] = {
		{ context, sizeof(context) },
		{ hi, hi_len },
	};
	uint8_t hash[SUITE_HASH_MAX];
	int err = suite_hash(s, in, 2, hash);

	if (err)
		return err;
	/* 2001:20::/28, OGA id, middle 96 bits. RFC 7343 2 */
	out->b[0] = 0x20;
	out->b[1] = 0x01;
	out->b[2] = 0x00;
	out->b[3] = (uint8_t)(0x20 | s->id);
	memcpy(out->b + 4, hash + (s->hash_len - HIT_BITS_LEN) / 2,
	       HIT_BITS_LEN);
	return HG_OK;
}

/* ---- our own --------------------------------------------------------- */

/* Takes key, also when it fails. */
static int identity_of_key(EVP_PKEY *key, const struct identity_alg *a,
			   struct hip_identity **out)
{
	struct hip_identity *id = calloc(1, sizeof(*id));
	uint8_t *hi;
	size_t hi_len;
	int err;

	if (!id) {
		EVP_PKEY_free(key);
		return HG_ENOMEM;
	}
	id->alg = a;
	id->key = key;
	atomic_init(&id->refs, 1);
	hi = id->host_id + HOST_ID_HEAD;
	err = a->kind->put_hi(a, key, hi, &hi_len);
	if (!err)
		err = identity_hit(suite_find(a->kind->suite), hi, hi_len,
				   &id->hit);
	if (err) {
		hip_identity_free(id);
		return err;
	}
	put_be16(id->host_id, (uint16_t)hi_len);
	put_be16(id->host_id + 4,
		 a->kind->hi_alg); /* DI: none, as calloc left it */
	id->host_id_len = HOST_ID_HEAD + hi_len;
	*out = id;
	return HG_OK;
}

int hip_identity_generate(enum hip_alg alg, struct hip_identity **out)
{
	int err = suite_setup();
	EVP_PKEY *key;

	if (err)
		return err;
	if ((unsigned)alg >= HIP_ALG_NUM)
		return HG_EUNSUPP;
	err = algs[alg].kind->generate(&algs[alg], &key);
	if (err)
		return err;
	return identity_of_key(key, &algs[alg], out);
}

void hip_identity_set_anonymous(struct hip_identity *id)
{
	id->anonymous = true;
}

bool hip_identity_anonymous(const struct hip_identity *id)
{
	return id->anonymous;
}

/* Never ask at a terminal: an encrypted key cannot be read. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf;
	(void)size;
	(void)rwflag;
	(void)arg;
	return -1;
}

int hip_identity_from_pem(const char *pem, size_t len,
			  struct hip_identity **out)
{
	const struct identity_alg *a;
	EVP_PKEY *key;
	BIO *bio;
	int err = suite_setup();

	if (err)
		return err;
	if (len == 0 || len > INT_MAX)
		return HG_EFORMAT;
	bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		return HG_ENOMEM;
	key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	BIO_free(bio);
	if (!key)
		return HG_EFORMAT;
	a = alg_of_key(key);
	err = a ? a->kind->check(a, key) : HG_EUNSUPP;
	if (err) {
		EVP_PKEY_free(key);
		return err;
	}
	return identity_of_key(key, a, out);
}

int hip_identity_to_pem(const struct hip_identity *id, char **out)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	char *data;
	long len;

	if (!bio)
		return HG_ENOMEM;
	if (PEM_write_bio_PKCS8PrivateKey(bio, id->key, NULL, NULL, 0, NULL,
					  NULL) == 1) {
		len = BIO_get_mem_data(bio, &data);
		text = strndup(data, (size_t)len);
	}
	BIO_free(bio); /* wipes its buffer */
	*out = text;
	return text ? HG_OK : HG_ECRYPTO;
}

const struct hit *hip_identity_hit(const struct hip_identity *id)
{
	return &id->hit;
}

enum hip_alg hip_identity_alg(const struct hip_identity *id)
{
	return id->alg->id;
}

void hip_identity_dns_key(const struct hip_identity *id, uint8_t *pk_alg,
			  const uint8_t **pk, size_t *pk_len)
{
	*pk_alg = id->alg->kind->dns_alg;
	*pk = id->host_id + HOST_ID_HEAD +
	      id->alg->kind->dns_skip; /* RFC 8005 5 */
	*pk_len = id->host_id_len - HOST_ID_HEAD - id->alg->kind->dns_skip;
}

struct hip_identity *identity_ref(struct hip_identity *id)
{
	atomic_fetch_add_explicit(&id->refs, 1, memory_order_relaxed);
	return id;
}

void hip_identity_free(struct hip_identity *id)
{
	if (!id || atomic_fetch_sub(&id->refs, 1) != 1)
		return;
	EVP_PKEY_free(id->key); /* wipes the private number */
	free(id);
}

int hip_hit_of_dns_key(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
		       struct hit *out)
{
	uint8_t hi[IDENTITY_ALG_HI_MAX];
	size_t len;
	int err = suite_setup();

	if (err)
		return err;
	for (size_t i = 0; i < HIP_ALG_NUM; i++) {
		const struct identity_alg *a = &algs[i];

		if (a->kind->dns_alg == pk_alg &&
		    a->kind->dns_hi(a, pk, pk_len, hi, &len))
			return identity_hit(suite_find(a->kind->suite), hi, len,
					    out);
	}
	return HG_EUNSUPP;
}

const uint8_t *identity_host_id(const struct hip_identity *id, size_t *len)
{
	*len = id->host_id_len;
	return id->host_id;
}

const struct suite *identity_suite(const struct hip_identity *id)
{
	return suite_find(id->alg->kind->suite);
}

uint16_t identity_sig_alg(const struct hip_identity *id)
{
	return id->alg->kind->hi_alg;
}

size_t identity_sig_len(const struct hip_identity *id)
{
	return id->alg->kind->sig_len(id->alg, id->key);
}

int identity_sign(const struct hip_identity *id, const void *data, size_t len,
		  uint8_t sig[IDENTITY_SIG_MAX])
{
	const struct suite_buf buf = { data, len };

	return id->alg->kind->sign(id->alg, id->key, &buf, sig);
}

/* ---- peers ----------------------------------------------------------- */

int identity_peer_new(const uint8_t *host_id, size_t len,
		      struct identity_peer **out)
{
	struct identity_peer *p;
	struct field_host_id f;
	const struct identity_alg *a;
	int err;

	if (!fields_read_host_id(host_id, len, &f))
		return HG_EFORMAT;
	a = alg_of_hi(&f);
	if (!a)
		return HG_EUNSUPP;
	p = calloc(1, sizeof(*p));
	if (!p)
		return HG_ENOMEM;
	p->alg = a;
	err = a->kind->get_hi(a, f.hi, f.hi_len, &p->key);
	if (!err)
		err = identity_hit(suite_find(a->kind->suite), f.hi, f.hi_len,
				   &p->hit);
	if (err) {
		identity_peer_free(p);
		return err;
	}
	*out = p;
	return HG_OK;
}

void identity_peer_free(struct identity_peer *p)
{
	if (!p)
		return;
	EVP_PKEY_free(p->key);
	free(p);
}

const struct hit *identity_peer_hit(const struct identity_peer *p)
{
	return &p->hit;
}

int identity_verify(const struct identity_peer *p, uint16_t sig_alg,
		    const struct suite_buf *data, const uint8_t *sig,
		    size_t sig_len)
{
	if (sig_alg != p->alg->kind->hi_alg ||
	    sig_len != p->alg->kind->sig_len(p->alg, p->key))
		return HG_EAUTH;
	return p->alg->kind->verify(p->alg, p->key, data, sig);
}
