/* SPDX-License-Identifier: MIT */
/* The library's own loops; contracts in speed_ref.h. */
#include "test/speed/speed_ref.h"

#include <stddef.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#define SECRET_MAX 1024

/* RFC 7401 5.2.7, as the library calls them. */
static const struct ref_group {
	uint8_t id;
	const char *type;
	const char *name;
} groups[] = {
	{ 3, "DH", "modp_1536" }, { 4, "DH", "modp_3072" },
	{ 7, "EC", "P-256" },	  { 8, "EC", "P-384" },
	{ 9, "EC", "P-521" },	  { 11, "DH", "modp_2048" },
};

static double cpu_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const struct ref_group *find(uint8_t id)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

static EVP_PKEY_CTX *keygen_ctx(const struct ref_group *g)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, g->type, NULL);

	if (ctx && EVP_PKEY_keygen_init(ctx) > 0 &&
	    EVP_PKEY_CTX_set_group_name(ctx, g->name) > 0)
		return ctx;
	EVP_PKEY_CTX_free(ctx);
	return NULL;
}

static int loop_keygen(EVP_PKEY_CTX *ctx, double seconds, double *out)
{
	double begin = cpu_s();
	unsigned n = 0;

	do {
		EVP_PKEY *key = NULL;

		if (EVP_PKEY_generate(ctx, &key) <= 0)
			return HG_ECRYPTO;
		EVP_PKEY_free(key);
		n++;
	} while (cpu_s() - begin < seconds);
	*out = (cpu_s() - begin) / n * 1e9;
	return HG_OK;
}

static int loop_derive(EVP_PKEY_CTX *ctx, EVP_PKEY *peer, double seconds,
		       double *out)
{
	uint8_t secret[SECRET_MAX];
	double begin;
	unsigned n = 0;

	if (EVP_PKEY_derive_init(ctx) <= 0 ||
	    EVP_PKEY_derive_set_peer(ctx, peer) <= 0)
		return HG_ECRYPTO;
	begin = cpu_s();
	do {
		size_t len = sizeof(secret);

		if (EVP_PKEY_derive(ctx, secret, &len) <= 0)
			return HG_ECRYPTO;
		n++;
	} while (cpu_s() - begin < seconds);
	*out = (cpu_s() - begin) / n * 1e9;
	return HG_OK;
}

static int time_derive(EVP_PKEY_CTX *gen, double seconds, double *out)
{
	EVP_PKEY *mine = NULL;
	EVP_PKEY *peer = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	int err = HG_ECRYPTO;

	if (EVP_PKEY_generate(gen, &mine) > 0 &&
	    EVP_PKEY_generate(gen, &peer) > 0)
		ctx = EVP_PKEY_CTX_new_from_pkey(NULL, mine, NULL);
	if (ctx)
		err = loop_derive(ctx, peer, seconds, out);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(mine);
	EVP_PKEY_free(peer);
	return err;
}

int speed_ref(uint8_t group, enum speed_ref_op op, double seconds, double *out)
{
	const struct ref_group *g = find(group);
	EVP_PKEY_CTX *ctx = g ? keygen_ctx(g) : NULL;
	int err;

	if (!g)
		return HG_EUNSUPP;
	if (!ctx)
		return HG_ECRYPTO;
	if (op == SPEED_REF_KEYGEN)
		err = loop_keygen(ctx, seconds, out);
	else
		err = time_derive(ctx, seconds, out);
	EVP_PKEY_CTX_free(ctx);
	return err;
}
