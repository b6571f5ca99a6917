/* SPDX-License-Identifier: MIT */
/* A new KEYMAT for an old association: what it is made of, and its job
 * (RFC 7402 6.10 steps 1 and 2). */
#include "hip/agree.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/hipjob.h"

int agree_keep(struct assoc_keys *k, const struct keymat_seed *seed,
	       struct dh_key *dh, const uint8_t *peer_public)
{
	size_t len = dh_group(dh)->public_len;

	k->peer_public = malloc(len);
	if (!k->peer_public)
		return HG_ENOMEM;
	memcpy(k->peer_public, peer_public, len);
	memcpy(k->i, seed->i, seed->rhash->hash_len);
	memcpy(k->j, seed->j, seed->rhash->hash_len);
	return dh_pack(dh, &k->dh); /* it is seldom used again */
}

static int derive(struct hip_job *job)
{
	struct hipjob_dh *u = &job->u.dh;
	const struct dh_group *g = dh_group(u->mine);
	struct keymat_seed seed = { .rhash = u->rhash,
				    .i = u->i,
				    .j = u->j,
				    .hit_a = &job->self,
				    .hit_b = &job->peer };
	uint8_t secret[DH_SECRET_MAX];
	int err;

	err = dh_derive(u->mine, u->peer_public, g->public_len, secret);
	if (!err)
		err = keymat_init(&u->km, &seed, secret, g->secret_len);
	sodium_memzero(secret, sizeof(secret));
	return err;
}

enum reason agree_fits(const struct assoc_keys *k, uint16_t index,
		       const struct field_dh *dh)
{
	const struct dh_group *g = dh_group(k->dh);

	/* A new one: the old one again could give the old KEYMAT again. */
	if (dh->group != g->id || dh->public_len != g->public_len || index ||
	    memcmp(dh->public, k->peer_public, g->public_len) == 0)
		return REASON_HIP_DH;
	return REASON_NUM;
}

void agree_run(struct hip_job *job)
{
	struct hipjob_dh *u = &job->u.dh;
	int err = HG_OK;

	if (!u->mine)
		err = dh_generate(u->group, &u->mine);
	if (!err && u->agree)
		err = derive(job);
	if (err)
		job->reason =
			err == HG_EFORMAT ? REASON_HIP_DH : REASON_HIP_CRYPTO;
	else
		job->reason = REASON_NUM;
}
