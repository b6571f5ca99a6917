/* SPDX-License-Identifier: MIT */
/* Single handshake jobs, and R1s and I2s remade with other parameters. */
#pragma once

#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/hipjob.h"
#include "test/unit/hip/lab.h"

#define BENCH_SPI_I 0x12345678
#define BENCH_SPI_R 0x23456789
#define BENCH_OPAQUE 0xabcd
#define BENCH_I_LEN 48 /* RHASH of all our identities: SHA-384 */

/* One parameter instead of those of this id; contents NULL: none. */
struct bench_edit {
	enum param id;
	const void *contents;
	size_t len;
};

struct bench_edits {
	struct bench_edit e[4];
	size_t num;
	const struct hip_identity *signer; /* NULL: the true one */
};

struct bench {
	struct hip_identity *i;
	struct hip_identity *r;
	struct hip_identity *other; /* a stranger */
	struct hip_job *pool;	    /* the Responder's R1 */
};

/* Both jobs of a bench offer P-384 first. */
static inline struct offer bench_offer(void)
{
	struct offer o = offer_default;

	o.dh[0] = DH_P384;
	o.dh[1] = DH_P256;
	o.dh_num = 2;
	return o;
}

static inline struct hip_job *bench_job(enum hipjob_kind kind,
					struct hip_identity *id)
{
	struct hip_job *job = calloc(1, sizeof(*job));

	job->kind = kind;
	job->reason = REASON_HIP_CRYPTO;
	job->id = identity_ref(id);
	job->self = *hip_identity_hit(id);
	job->offer = bench_offer();
	atomic_init(&job->cancel, false);
	return job;
}

static inline struct hip_job *bench_pool(struct hip_identity *id, uint8_t group,
					 bool rendezvous)
{
	struct hip_job *job = bench_job(HIPJOB_POOL, id);

	job->u.pool.group = dh_group_find(group);
	job->u.pool.k = 3;
	job->u.pool.rendezvous = rendezvous;
	job->u.pool.counter = UINT64_C(0x0102030405060708);
	r1maker_run(job);
	ck_assert_int_eq(job->reason, REASON_NUM);
	return job;
}

/* greater: the Initiator's HIT is. */
static inline struct bench bench_new(bool greater)
{
	struct bench b = { .i = lab_identity(HIP_ALG_ECDSA_P256, 0),
			   .r = lab_identity(HIP_ALG_ECDSA_P384, 1),
			   .other = lab_identity(HIP_ALG_ECDSA_P384, 2) };

	if ((hit_cmp(hip_identity_hit(b.i), hip_identity_hit(b.r)) > 0) !=
	    greater) {
		struct hip_identity *i = b.i;

		b.i = b.r;
		b.r = i;
	}
	b.pool = bench_pool(b.r, DH_P384, false);
	return b;
}

static inline void bench_free(struct bench *b)
{
	hipjob_free(b->pool);
	hip_identity_free(b->i);
	hip_identity_free(b->r);
	hip_identity_free(b->other);
}

static inline struct hip_msg bench_parsed(const uint8_t *raw, size_t len)
{
	struct hip_msg m;

	ck_assert_int_eq(param_parse(raw, len, &m), REASON_NUM);
	return m;
}

static inline const struct hip_param *bench_param(const struct hip_msg *m,
						  enum param id)
{
	const struct hip_param *p = param_find(m, id);

	ck_assert_msg(p, "%s is missing", param_name(id));
	return p;
}

/* Exactly these parameters, on the wire, in this order. */
static inline void bench_types(const uint8_t *raw, size_t len,
			       const uint16_t *type, size_t num)
{
	size_t at = PARAM_HEADER_LEN;

	ck_assert_uint_eq(len, ((size_t)raw[1] + 1) * 8);
	for (size_t i = 0; i < num; i++) {
		size_t n = (size_t)raw[at + 2] << 8 | raw[at + 3];

		ck_assert_uint_lt(at, len);
		ck_assert_uint_eq(raw[at] << 8 | raw[at + 1], type[i]);
		at += (4 + n + 7) / 8 * 8;
	}
	ck_assert_uint_eq(at, len);
}

static inline struct identity_peer *bench_peer(const struct hip_identity *id)
{
	struct identity_peer *peer;
	size_t len;
	const uint8_t *host_id = identity_host_id(id, &len);

	ck_assert_int_eq(identity_peer_new(host_id, len, &peer), 0);
	return peer;
}

/* The parameters from..end of m, as edited. */
static inline void bench_copy(struct msg_builder *out, const struct hip_msg *m,
			      const struct bench_edits *e, unsigned from,
			      unsigned end)
{
	for (unsigned id = from; id < end; id++) {
		const struct hip_param *p = param_find(m, (enum param)id);

		for (size_t n = 0; n < e->num; n++) {
			if (e->e[n].id != id)
				continue;
			p = NULL;
			if (e->e[n].contents)
				message_put(out, e->e[n].id, e->e[n].contents,
					    e->e[n].len);
		}
		for (; p; p = param_next(m, p))
			message_put(out, p->id, p->contents, p->len);
	}
}

static inline bool bench_edited(const struct bench_edits *e, enum param id)
{
	for (size_t n = 0; n < e->num; n++) {
		if (e->e[n].id == id)
			return true;
	}
	return false;
}

static inline void bench_i(uint8_t i[BENCH_I_LEN])
{
	for (size_t n = 0; n < BENCH_I_LEN; n++)
		i[n] = (uint8_t)(0x40 + n);
}

/* The R1 as edited, signed again, aimed at the Initiator. */
static inline void bench_r1(const struct bench *b, const struct bench_edits *e,
			    struct msg_builder *out)
{
	struct hip_msg m = bench_parsed(b->pool->out.buf, b->pool->out.len);
	const enum param sig = PARAM_HIP_SIGNATURE_2;
	uint8_t i[BENCH_I_LEN];

	message_begin(out, HIP_R1, &m.sender, NULL);
	bench_copy(out, &m, e, 0, sig);
	/* Without a PUZZLE there is nothing to sign: the old one stands. */
	if (bench_edited(e, sig) ||
	    auth_put_signature_2(out, e->signer ? e->signer : b->r))
		bench_copy(out, &m, e, sig, sig + 1);
	bench_copy(out, &m, e, sig + 1, PARAM_NUM);
	ck_assert_int_eq(message_finish(out), 0);
	bench_i(i);
	memcpy(out->buf + 24, hip_identity_hit(b->i)->b, 16);
	if (!bench_edited(e, PARAM_PUZZLE))
		ck_assert_int_eq(message_aim_r1(out->buf, out->len,
						hip_identity_hit(b->i),
						BENCH_OPAQUE, i, sizeof(i)),
				 0);
}

/* The Initiator's job for this R1; not run yet. */
static inline struct hip_job *bench_r1_job(const struct bench *b,
					   const struct msg_builder *r1)
{
	struct hip_job *job = bench_job(HIPJOB_R1, b->i);

	job->peer = *hip_identity_hit(b->r);
	memcpy(job->in, r1->buf, r1->len);
	job->in_len = r1->len;
	job->u.r1.k_max = 10;
	job->u.r1.spi = BENCH_SPI_I;
	return job;
}

/* And run. */
static inline struct hip_job *bench_answer(const struct bench *b,
					   const struct bench_edits *e)
{
	struct msg_builder r1;
	struct hip_job *job;

	bench_r1(b, e, &r1);
	job = bench_r1_job(b, &r1);
	i2maker_run(job);
	return job;
}
