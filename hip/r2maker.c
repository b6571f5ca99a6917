/* SPDX-License-Identifier: MIT */
/* Responder's job: verify I2, agree on keys, make R2 (RFC 7401 6.9). */
/* THEORY OF OPERATION
 * The engine has checked what is cheap: the puzzle, that each choice is
 * one we offered. Here comes the rest: DH, KEYMAT, then the MAC before
 * anything is decrypted, HI against HIT, the signature; and the R2, so
 * that nothing but sending is left. No state but the job.
 */
#include "hip/hipjob.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/agree.h"
#include "hip/auth.h"
#include "hip/encrypted.h"
#include "hip/fields.h"
#include "hip/registrar.h"

/* What I2 says, read. */
struct i2_view {
	struct hip_msg m;
	struct field_esp_info info;
	struct field_solution sol;
	struct field_dh dh;
	struct field_ids cipher; /* one id each */
	struct field_ids esp;
};

static bool read_i2(struct i2_view *v)
{
	return fields_get_esp_info(param_find(&v->m, PARAM_ESP_INFO),
				   &v->info) &&
	       fields_get_solution(param_find(&v->m, PARAM_SOLUTION),
				   &v->sol) &&
	       fields_get_dh(param_find(&v->m, PARAM_DIFFIE_HELLMAN), &v->dh) &&
	       fields_get_cipher(param_find(&v->m, PARAM_HIP_CIPHER),
				 &v->cipher) &&
	       fields_get_esp_transform(param_find(&v->m, PARAM_ESP_TRANSFORM),
					&v->esp);
}

static enum reason agree(struct hip_job *job, const struct i2_view *v)
{
	const struct suite *rhash = identity_suite(job->id);
	struct keymat_seed seed = { .rhash = rhash,
				    .i = v->sol.i,
				    .j = v->sol.j,
				    .hit_a = &job->self,
				    .hit_b = &job->peer };
	struct dh_key *dh = job->u.i2.dh;
	struct assoc_keys *k = job->keys;
	uint8_t secret[DH_SECRET_MAX];
	int err;

	err = dh_derive(dh, v->dh.public, v->dh.public_len, secret);
	if (err)
		return err == HG_EFORMAT ? REASON_HIP_DH : REASON_HIP_CRYPTO;
	k->rhash = rhash;
	k->cipher = suite_cipher_find(v->cipher.id[0]);
	err = agree_keep(k, &seed, dh, v->dh.public);
	k->sa = (struct sa_pair){ .self = job->self,
				  .peer = job->peer,
				  .suite = v->esp.id[0],
				  .spi_in = job->u.i2.spi,
				  .spi_out = v->info.new_spi };
	if (!err)
		err = keymat_init(&k->km, &seed, secret,
				  dh_group(dh)->secret_len);
	if (!err)
		err = keymat_hip_keys(&k->km, k->cipher, &job->self, &job->peer,
				      &k->hip);
	if (!err)
		err = keymat_esp_keys(&k->km, v->info.keymat_index, &k->sa,
				      &k->keymat_next);
	sodium_memzero(secret, sizeof(secret));
	return err ? REASON_HIP_CRYPTO : REASON_NUM;
}

static enum reason check_host_id(struct hip_job *job, const struct hip_msg *m,
				 const struct hip_param *p)
{
	struct assoc_keys *k = job->keys;
	struct identity_peer *peer = NULL;
	enum reason r;
	int err;

	err = identity_peer_new(p->contents, p->len, &peer);
	if (err)
		return err == HG_EUNSUPP ? REASON_HIP_PROPOSAL
					 : REASON_HIP_BAD_HIT;
	if (hit_eq(identity_peer_hit(peer), &job->peer))
		r = auth_check_signature(m, peer);
	else
		r = REASON_HIP_BAD_HIT; /* RFC 7401 6.9 step 12 */
	identity_peer_free(peer);
	if (r != REASON_NUM)
		return r;
	k->host_id = malloc(p->len);
	if (!k->host_id)
		return REASON_HIP_CRYPTO;
	memcpy(k->host_id, p->contents, p->len);
	k->host_id_len = p->len;
	return REASON_NUM;
}

/* HOST_ID in the clear or inside ENCRYPTED (RFC 7401 5.3.3). */
static enum reason identify(struct hip_job *job, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_HOST_ID);
	struct encrypted_inner *in;
	enum reason r;

	if (p)
		return check_host_id(job, m, p);
	p = param_find(m, PARAM_ENCRYPTED);
	if (!p)
		return REASON_HIP_MISSING;
	in = malloc(sizeof(*in));
	if (!in)
		return REASON_HIP_CRYPTO;
	r = encrypted_open(p, HIP_I2, job->keys->cipher, job->keys->hip.enc_in,
			   in);
	if (r == REASON_NUM) {
		p = param_find(&in->params, PARAM_HOST_ID);
		/* RFC 7401 6.9 step 11 */
		r = p ? check_host_id(job, m, p) : REASON_HIP_ENCRYPTED;
	}
	encrypted_wipe(in);
	free(in);
	return r;
}

/* RFC 9028 4.3, 4.5. */
static int put_candidates(struct hip_job *job)
{
	struct msg_builder inner;

	message_begin_inner(&inner);
	locset_put(&inner, &job->u.i2.candidates);
	return encrypted_seal(&job->out, &inner, job->keys->cipher,
			      job->keys->hip.enc_out);
}

static enum reason make_r2(struct hip_job *job, const struct i2_view *v)
{
	struct msg_builder *b = &job->out;
	struct field_esp_info info = { .keymat_index = v->info.keymat_index,
				       .new_spi = job->u.i2.spi };
	struct suite_buf host_id;
	int err = HG_OK;

	host_id.p = identity_host_id(job->id, &host_id.len);
	message_begin(b, HIP_R2, &job->self, &job->peer);
	fields_put_esp_info(b, &info);
	if (job->u.i2.ice)
		err = put_candidates(job);
	registrar_put(b, &job->u.i2.answer);
	/* RFC 7401 5.2.20, 5.2.21: a middlebox may have asked, too. */
	fields_put_echo(b, &v->m, PARAM_ECHO_REQUEST_SIGNED,
			PARAM_ECHO_RESPONSE_SIGNED);
	registrar_put_relayed(b, &job->u.i2.answer);
	if (!err)
		err = auth_put_mac_2(b, job->keys->rhash,
				     job->keys->hip.mac_out, &host_id);
	if (!err)
		err = auth_put_signature(b, job->id);
	fields_put_echo(b, &v->m, PARAM_ECHO_REQUEST_UNSIGNED,
			PARAM_ECHO_RESPONSE_UNSIGNED);
	if (!err)
		err = message_finish(b);
	/* Full: an echo too large to send back. */
	if (err)
		return err == HG_EFULL ? REASON_HIP_TLV : REASON_HIP_CRYPTO;
	return REASON_NUM;
}

void r2maker_run(struct hip_job *job)
{
	struct i2_view v;
	enum reason r = param_parse(job->in, job->in_len, &v.m);

	if (r == REASON_NUM && !read_i2(&v))
		r = REASON_HIP_TLV;
	if (r == REASON_NUM) {
		job->keys = calloc(1, sizeof(*job->keys));
		r = job->keys ? agree(job, &v) : REASON_HIP_CRYPTO;
	}
	if (r == REASON_NUM)
		r = auth_check_mac(&v.m, job->keys->rhash,
				   job->keys->hip.mac_in);
	if (r == REASON_NUM)
		r = identify(job, &v.m); /* and the signature */
	if (r == REASON_NUM)
		r = make_r2(job, &v);
	job->reason = r;
}
