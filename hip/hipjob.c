/* SPDX-License-Identifier: MIT */
/* Jobs: the expensive crypto of a handshake as plain values. */
/* THEORY OF OPERATION
 * A job holds copies of all it needs: the packet, addresses, HITs, the
 * peer's HOST_ID; beside them references to what never changes (our
 * identity, a DH key). So any thread may run it while the engine goes on,
 * closes the association, or ends. The engine keeps a list of jobs in
 * flight (bounded by hip_config.jobs_max) to know duplicates and to cancel
 * a puzzle search nobody needs any more; prev, next and cancel are the
 * only fields it touches meanwhile.
 */
#include "hip/hipjob.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/agree.h"
#include "hip/auth.h"
#include "hip/engine.h"
#include "hip/fields.h"

struct hip_job *hipjob_new(struct hip *h, enum hipjob_kind kind,
			   struct hip_identity *id)
{
	struct hip_job *job;

	if (h->job_num >= h->cfg.jobs_max)
		return NULL;
	job = calloc(1, sizeof(*job));
	if (!job)
		return NULL;
	job->kind = kind;
	job->reason = REASON_HIP_CRYPTO;
	if (id) {
		job->id = identity_ref(id);
		job->self = *hip_identity_hit(id);
	}
	job->offer = h->offer;
	atomic_init(&job->cancel, false);
	job->next = h->jobs;
	if (h->jobs)
		h->jobs->prev = job;
	h->jobs = job;
	h->job_num++;
	return job;
}

void hipjob_input(struct hip_job *job, const struct packet *p)
{
	job->self = p->m.receiver;
	job->peer = p->m.sender;
	job->from = *p->from;
	job->at = *p->at;
	job->relayed = p->relayed;
	job->by_port = p->source.port != 0;
	job->by_rvs = p->has_from;
	job->via = p->via;
	memcpy(job->in, p->m.raw, p->m.len);
	job->in_len = p->m.len;
}

bool hipjob_start(struct hip *h, struct hip_job *job)
{
	if (effects_job(&h->fx, job) == HG_OK)
		return true;
	hipjob_unlink(h, job);
	hipjob_free(job);
	return false;
}

void hipjob_unlink(struct hip *h, struct hip_job *job)
{
	if (job->prev)
		job->prev->next = job->next;
	else
		h->jobs = job->next;
	if (job->next)
		job->next->prev = job->prev;
	job->prev = NULL;
	job->next = NULL;
	h->job_num--;
}

void hipjob_free(struct hip_job *job)
{
	if (!job)
		return;
	hip_identity_free(job->id);
	if (job->kind == HIPJOB_POOL)
		dh_free(job->u.pool.dh);
	if (job->kind == HIPJOB_I2)
		dh_free(job->u.i2.dh);
	if (job->kind == HIPJOB_DH)
		dh_free(job->u.dh.mine);
	if (job->kind == HIPJOB_IDENTITY)
		hip_identity_free(job->u.identity.made);
	assoc_keys_free(job->keys);
	sodium_memzero(job, sizeof(*job));
	free(job);
}

/* The signature under a packet whose sender's HOST_ID we keep. */
static void check_run(struct hip_job *job)
{
	struct identity_peer *peer = NULL;
	struct hip_msg m;

	job->reason = param_parse(job->in, job->in_len, &m);
	if (job->reason != REASON_NUM)
		return;
	if (identity_peer_new(job->host_id, job->host_id_len, &peer)) {
		job->reason = REASON_HIP_CRYPTO;
		return;
	}
	job->reason = auth_check_signature(&m, peer);
	identity_peer_free(peer);
}

/* What is answered is in `in`: its unsigned echo requests come back behind
 * the signature (RFC 7401 5.2.21). */
static void sign_run(struct hip_job *job)
{
	struct hip_msg theirs;

	if (auth_put_signature(&job->out, job->id))
		return;
	if (job->in_len &&
	    param_parse(job->in, job->in_len, &theirs) == REASON_NUM)
		fields_put_echo(&job->out, &theirs, PARAM_ECHO_REQUEST_UNSIGNED,
				PARAM_ECHO_RESPONSE_UNSIGNED);
	if (message_finish(&job->out) == HG_OK)
		job->reason = REASON_NUM;
}

/* Elliptic: quick to make, and its HIT suite is everybody's. */
static void identity_run(struct hip_job *job)
{
	if (hip_identity_generate(HIP_ALG_ECDSA_P256, &job->u.identity.made))
		return;
	hip_identity_set_anonymous(job->u.identity.made);
	job->reason = REASON_NUM;
}

void hip_job_run(struct hip_job *job)
{
	static void (*const run[HIPJOB_NUM])(struct hip_job *) = {
		[HIPJOB_POOL] = r1maker_run, [HIPJOB_R1] = i2maker_run,
		[HIPJOB_I2] = r2maker_run,   [HIPJOB_R2] = check_run,
		[HIPJOB_CHECK] = check_run,  [HIPJOB_SIGN] = sign_run,
		[HIPJOB_DH] = agree_run,     [HIPJOB_IDENTITY] = identity_run,
	};

	run[job->kind](job);
	job->ran = true;
}

const char *hip_job_name(const struct hip_job *job)
{
	static const char *const name[HIPJOB_NUM] = {
		[HIPJOB_POOL] = "make DH key, sign R1",
		[HIPJOB_R1] = "verify R1, solve puzzle, DH, sign I2",
		[HIPJOB_I2] = "DH, verify I2, sign R2",
		[HIPJOB_R2] = "verify R2",
		[HIPJOB_CHECK] = "verify signature",
		[HIPJOB_SIGN] = "sign",
		[HIPJOB_DH] = "rekey: DH, new KEYMAT",
		[HIPJOB_IDENTITY] = "make an identity",
	};

	return name[job->kind];
}
