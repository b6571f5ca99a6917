/* SPDX-License-Identifier: MIT */
/* Initiator's job: verify R1, solve it, agree on keys, make I2 (7401 6.8). */
/* THEORY OF OPERATION
 * One run, no state but the job. Nothing of R1 is believed before its
 * signature has been verified under the Host Identity that hashes to the
 * HIT we asked for; only then the puzzle is solved and a DH key made. The
 * outcome is a signed I2 and the association's keys, or a reason.
 */
#include "hip/hipjob.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/agree.h"
#include "hip/auth.h"
#include "hip/encrypted.h"
#include "hip/fields.h"
#include "hip/ice.h"
#include "hip/puzzle.h"
#include "hip/relayed.h"

/* What R1 says, read. */
struct r1_view {
	struct hip_msg m;
	struct field_puzzle puzzle;
	struct field_dh dh;
	bool has_counter;
	struct field_r1_counter counter;
	const struct suite_cipher *cipher;
	uint16_t esp_suite;
	uint16_t nat; /* NAT traversal mode; 0: none */
	const struct suite *rhash;
	uint8_t j[SUITE_HASH_MAX];
	bool ask_reg; /* REG_REQUEST, for this lifetime: */
	uint8_t reg_code;
	bool ask_data; /*  and for data to be relayed */
};

static enum reason verify(struct hip_job *job, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_HOST_ID);
	struct identity_peer *peer = NULL;
	enum reason r;
	int err;

	if (!p)
		return REASON_HIP_MISSING;
	err = identity_peer_new(p->contents, p->len, &peer);
	if (err)
		return err == HG_EUNSUPP ? REASON_HIP_PROPOSAL
					 : REASON_HIP_BAD_HIT;
	/* RFC 7401 5.3.2: the HI must be the one we asked for. */
	if (hit_eq(identity_peer_hit(peer), &job->peer))
		r = auth_check_signature_2(m, peer);
	else
		r = REASON_HIP_BAD_HIT;
	identity_peer_free(peer);
	return r;
}

static enum reason read_puzzle(struct r1_view *v)
{
	const struct hip_param *p = param_find(&v->m, PARAM_PUZZLE);

	if (!p)
		return REASON_HIP_MISSING;
	if (!fields_get_puzzle(p, &v->puzzle) ||
	    v->puzzle.i_len != v->rhash->hash_len)
		return REASON_HIP_TLV;
	p = param_find(&v->m, PARAM_R1_COUNTER);
	if (!p)
		return REASON_NUM;
	v->has_counter = fields_get_r1_counter(p, &v->counter);
	return v->has_counter ? REASON_NUM : REASON_HIP_TLV;
}

/* RFC 7401 6.8 step 7; the choice is the first of the Responder's list
 * that ours holds (5.2.6). */
static enum reason read_dh(const struct offer *o, struct r1_view *v)
{
	const struct hip_param *p = param_find(&v->m, PARAM_DIFFIE_HELLMAN);
	const struct hip_param *list = param_find(&v->m, PARAM_DH_GROUP_LIST);

	if (!p || !list)
		return REASON_HIP_MISSING;
	if (!fields_get_dh(p, &v->dh))
		return REASON_HIP_TLV;
	if (!dh_group_find(v->dh.group) ||
	    dh_choose(list->contents, list->len, o->dh, o->dh_num) !=
		    v->dh.group)
		return REASON_HIP_DOWNGRADE;
	return REASON_NUM;
}

/* HIP_CIPHER, transport and ESP suite: the Responder's first that we have
 * (RFC 7401 6.8 steps 14 and 15, RFC 7402 6.4). */
static enum reason read_suites(const struct hip_job *job, struct r1_view *v)
{
	const struct hip_param *c = param_find(&v->m, PARAM_HIP_CIPHER);
	const struct hip_param *t =
		param_find(&v->m, PARAM_TRANSPORT_FORMAT_LIST);
	const struct hip_param *e = param_find(&v->m, PARAM_ESP_TRANSFORM);
	struct field_ids ids;

	if (!c || !t || !e)
		return REASON_HIP_MISSING;
	if (!fields_get_cipher(c, &ids))
		return REASON_HIP_TLV;
	for (size_t i = 0; i < ids.num && !v->cipher; i++) {
		if (fields_ids_has(&job->offer.cipher, ids.id[i]))
			v->cipher = suite_cipher_find(ids.id[i]);
	}
	if (!v->cipher || !fields_has_transport(t, HIPJOB_TRANSPORT_ESP))
		return REASON_HIP_PROPOSAL;
	if (!fields_get_esp_transform(e, &ids))
		return REASON_HIP_TLV;
	v->esp_suite = offer_take_esp(&job->offer, &ids, job->u.r1.esp_null);
	return v->esp_suite ? REASON_NUM : REASON_HIP_PROPOSAL;
}

/* REG_INFO: is what we want offered, and for how long? (RFC 8003 4.2, 4.3) */
static enum reason read_reg(struct hip_job *job, struct r1_view *v)
{
	const struct hip_param *p = param_find(&v->m, PARAM_REG_INFO);
	struct hipjob_r1 *u = &job->u.r1;
	struct field_reg_info info;

	if (!p)
		return REASON_NUM;
	if (!fields_get_reg_info(p, &info))
		return REASON_HIP_TLV;
	u->reg_offered = fields_reg_services(&info);
	u->reg_min = info.min_lifetime;
	u->reg_max = info.max_lifetime;
	if (!u->reg_code || !(u->reg_offered >> u->reg_type & 1))
		return REASON_NUM;
	v->ask_reg = true;
	/* RFC 9028 4.1: what else there is for a relay's client. */
	v->ask_data = u->reg_type == FIELDS_REG_RELAY_UDP_HIP &&
		      u->reg_offered >> FIELDS_REG_RELAY_UDP_ESP & 1;
	v->reg_code = u->reg_code;
	if (v->reg_code > info.max_lifetime)
		v->reg_code = info.max_lifetime;
	if (v->reg_code < info.min_lifetime)
		v->reg_code = info.min_lifetime;
	return REASON_NUM;
}

/* NAT traversal mode: the Responder's first that we do (RFC 9028 4.3). It may
 * as well be ignored (4.7.3); but a relay passes no I2 without. */
static enum reason read_nat(struct hip_job *job, struct r1_view *v)
{
	const struct hip_param *p = param_find(&v->m, PARAM_NAT_TRAVERSAL_MODE);
	const struct hip_param *l = param_find(&v->m, PARAM_LOCATOR_SET);
	struct hipjob_r1 *u = &job->u.r1;
	struct field_ids ids;

	u->through_relay = param_find(&v->m, PARAM_RELAY_TO);
	if (!p)
		return REASON_NUM;
	if (!fields_get_nat_modes(p, &ids))
		return REASON_HIP_TLV;
	v->nat = offer_take_nat(&job->offer, &ids, u->through_relay);
	u->nat = v->nat;
	u->pace = ice_pace(&v->m);
	if (!v->nat && u->through_relay)
		return REASON_HIP_NAT_MODE;
	/* RFC 9028 4.7.2: else back to where R1 came from. */
	if (v->nat == FIELDS_NAT_UDP && u->through_relay && l)
		(void)relayed_get_locator(l, &u->reflexive);
	return REASON_NUM;
}

static enum reason read_r1(struct hip_job *job, struct r1_view *v)
{
	const struct hip_param *p = param_find(&v->m, PARAM_HIT_SUITE_LIST);
	struct addr via;
	enum reason r;

	if (!p)
		return REASON_HIP_MISSING;
	if (!fields_hit_suites_ok(p))
		return REASON_HIP_TLV;
	/* RFC 7401 6.8 step 6; initiator.c may have another identity */
	if (!fields_has_hit_suite(p, hit_suite(&job->self))) {
		job->u.r1.suites = fields_hit_suites(p);
		return REASON_HIP_PROPOSAL;
	}
	r = read_dh(&job->offer, v);
	if (r == REASON_NUM)
		r = read_puzzle(v);
	if (r == REASON_NUM)
		r = read_suites(job, v);
	if (r == REASON_NUM)
		r = read_reg(job, v);
	if (r == REASON_NUM)
		r = read_nat(job, v);
	if (r != REASON_NUM)
		return r;
	p = param_find(&v->m, PARAM_VIA_RVS);
	if (p && fields_get_via_rvs(p, &via)) {
		job->u.r1.has_via = true;
		job->u.r1.via = via;
	}
	return REASON_NUM;
}

/* Stops after the puzzle's lifetime: the engine then sets cancel (RFC 7401
 * 6.8 step 12). 2^5 times the mean suffices but once in e^32. */
static enum reason solve(struct hip_job *job, struct r1_view *v)
{
	struct puzzle z = { .rhash = v->rhash,
			    .hit_i = job->self,
			    .hit_r = job->peer,
			    .k = v->puzzle.k };
	int err;

	if (z.k > job->u.r1.k_max || z.k > 48)
		return REASON_HIP_PUZZLE_HARD;
	memcpy(z.i, v->puzzle.i, v->puzzle.i_len);
	err = puzzle_solve(&z, UINT64_C(32) << z.k, &job->cancel, v->j);
	if (err == HG_EAGAIN)
		return REASON_HIP_PUZZLE_HARD;
	return err ? REASON_HIP_CRYPTO : REASON_NUM;
}

static int keep_host_id(struct assoc_keys *k, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_HOST_ID);

	k->host_id = malloc(p->len);
	if (!k->host_id)
		return HG_ENOMEM;
	memcpy(k->host_id, p->contents, p->len);
	k->host_id_len = p->len;
	return HG_OK;
}

static enum reason agree(struct hip_job *job, const struct r1_view *v,
			 struct dh_key *dh)
{
	struct keymat_seed seed = { .rhash = v->rhash,
				    .i = v->puzzle.i,
				    .j = v->j,
				    .hit_a = &job->self,
				    .hit_b = &job->peer };
	struct assoc_keys *k = job->keys;
	uint8_t secret[DH_SECRET_MAX];
	uint16_t index = keymat_esp_index(v->rhash, v->cipher);
	int err;

	err = dh_derive(dh, v->dh.public, v->dh.public_len, secret);
	if (err)
		return err == HG_EFORMAT ? REASON_HIP_DH : REASON_HIP_CRYPTO;
	k->rhash = v->rhash;
	k->cipher = v->cipher;
	err = agree_keep(k, &seed, dh, v->dh.public);
	k->sa = (struct sa_pair){ .self = job->self,
				  .peer = job->peer,
				  .suite = v->esp_suite,
				  .spi_in = job->u.r1.spi };
	if (!err)
		err = keymat_init(&k->km, &seed, secret,
				  dh_group(dh)->secret_len);
	if (!err)
		err = keymat_hip_keys(&k->km, v->cipher, &job->self, &job->peer,
				      &k->hip);
	if (!err)
		err = keymat_esp_keys(&k->km, index, &k->sa, &k->keymat_next);
	if (!err)
		err = keep_host_id(k, &v->m);
	sodium_memzero(secret, sizeof(secret));
	return err ? REASON_HIP_CRYPTO : REASON_NUM;
}

/* HOST_ID, and the candidates (RFC 9028 4.3). */
static int put_encrypted(struct hip_job *job, const struct r1_view *v)
{
	struct msg_builder inner;
	const uint8_t *host_id;
	size_t len;

	host_id = identity_host_id(job->id, &len);
	message_begin_inner(&inner);
	if (v->nat == FIELDS_NAT_ICE_HIP_UDP)
		locset_put(&inner, &job->u.r1.candidates);
	message_put(&inner, PARAM_HOST_ID, host_id, len);
	return encrypted_seal(&job->out, &inner, v->cipher,
			      job->keys->hip.enc_out);
}

/* Type order (RFC 7401 5.2.1, 5.3.3; RFC 7402 5.2.1.2). */
static enum reason make_i2(struct hip_job *job, const struct r1_view *v,
			   const struct dh_key *dh)
{
	struct msg_builder *b = &job->out;
	struct field_esp_info info = {
		.keymat_index = keymat_esp_index(v->rhash, v->cipher),
		.new_spi = job->u.r1.spi,
	};
	struct field_solution sol = { .k = v->puzzle.k,
				      .opaque = v->puzzle.opaque,
				      .i = v->puzzle.i,
				      .j = v->j,
				      .i_len = v->puzzle.i_len };
	struct field_dh mine = { .group = v->dh.group,
				 .public = dh_public(dh),
				 .public_len = dh_group(dh)->public_len };
	struct field_ids ids = { .id = { v->cipher->id }, .num = 1 };
	const uint8_t types[] = { job->u.r1.reg_type,
				  FIELDS_REG_RELAY_UDP_ESP };
	struct field_reg reg = { .first = v->reg_code,
				 .types = types,
				 .types_num = v->ask_data ? 2 : 1 };
	int err;

	message_begin(b, HIP_I2, &job->self, &job->peer);
	if (hip_identity_anonymous(job->id))
		message_set_anonymous(b); /* RFC 7401 5.3.3 */
	fields_put_esp_info(b, &info);
	if (v->has_counter)
		fields_put_r1_counter(b, &v->counter);
	if (job->u.r1.here.num && v->nat != FIELDS_NAT_ICE_HIP_UDP)
		locset_put(b, &job->u.r1.here); /* RFC 8047 4.2.8 */
	fields_put_solution(b, &sol);
	fields_put_dh(b, &mine);
	fields_put_cipher(b, &ids);
	if (v->nat) {
		ids.id[0] = v->nat;
		fields_put_nat_modes(b, &ids);
	}
	if (v->nat == FIELDS_NAT_ICE_HIP_UDP) /* RFC 9028 4.4: not less */
		fields_put_number(b, PARAM_TRANSACTION_PACING, job->u.r1.pace);
	err = put_encrypted(job, v);
	if (err)
		return err == HG_EFULL ? REASON_HIP_TLV : REASON_HIP_CRYPTO;
	if (v->ask_reg)
		fields_put_reg(b, PARAM_REG_REQUEST, &reg);
	fields_put_echo(b, &v->m, PARAM_ECHO_REQUEST_SIGNED,
			PARAM_ECHO_RESPONSE_SIGNED);
	ids.id[0] = HIPJOB_TRANSPORT_ESP;
	fields_put_transport(b, &ids);
	ids.id[0] = v->esp_suite;
	fields_put_esp_transform(b, &ids);
	err = auth_put_mac(b, v->rhash, job->keys->hip.mac_out);
	if (!err)
		err = auth_put_signature(b, job->id);
	fields_put_echo(b, &v->m, PARAM_ECHO_REQUEST_UNSIGNED,
			PARAM_ECHO_RESPONSE_UNSIGNED);
	if (!err)
		err = message_finish(b);
	/* Echoes too large to send back: nothing we could answer with. */
	if (err == HG_EFULL)
		return REASON_HIP_TLV;
	return err ? REASON_HIP_CRYPTO : REASON_NUM;
}

static enum reason answer(struct hip_job *job, struct r1_view *v)
{
	struct dh_key *dh = NULL;
	enum reason r;

	job->keys = calloc(1, sizeof(*job->keys));
	if (!job->keys || dh_generate(dh_group_find(v->dh.group), &dh))
		return REASON_HIP_CRYPTO;
	r = agree(job, v, dh);
	if (r == REASON_NUM)
		r = make_i2(job, v, dh);
	dh_free(dh);
	return r;
}

void i2maker_run(struct hip_job *job)
{
	struct r1_view v = { .cipher = NULL };
	enum reason r = param_parse(job->in, job->in_len, &v.m);

	v.rhash = suite_of_hit(&job->peer);
	if (r == REASON_NUM && !v.rhash)
		r = REASON_HIP_PROPOSAL;
	if (r == REASON_NUM)
		r = verify(job, &v.m); /* RFC 7401 6.8 steps 4 and 10 */
	if (r == REASON_NUM)
		r = read_r1(job, &v);
	if (r == REASON_NUM)
		r = solve(job, &v);
	if (r == REASON_NUM)
		r = answer(job, &v);
	job->u.r1.has_counter = v.has_counter;
	job->u.r1.counter = v.counter.counter;
	job->u.r1.k = v.puzzle.k;
	job->reason = r;
	sodium_memzero(&v, sizeof(v));
}
