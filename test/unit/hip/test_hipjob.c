/* SPDX-License-Identifier: MIT */
/* Jobs: lost ones, late ones, those of an engine that is gone. */
#include "test/unit/hip/lab.h"

#include "hip/engine.h"
#include "hip/hipjob.h"
#include "hip/message.h"

static struct lab *held(void)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	lab->hold_jobs = true;
	return lab;
}

START_TEST(a_job_that_was_not_run_counts_as_busy_and_i1_helps)
{
	struct lab *lab = held();

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab->held_num, 1);
	ck_assert_str_eq(hip_job_name(lab->held[0].job),
			 "verify R1, solve puzzle, DH, sign I2");
	hip_job_done(lab->host[0].h, lab->held[0].job, lab->now);
	lab->held_num = 0;
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BUSY), 1);
	ck_assert_uint_eq(lab->host[0].h->job_num, 0);
	lab->hold_jobs = false;
	lab_sleep(lab, LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(jobs_outlive_their_engine)
{
	struct lab *lab = held();
	struct hip_job *job;

	lab_want(lab, 0, 1);
	lab_run(lab);
	job = lab->held[0].job;
	lab->held_num = 0;
	hip_free(lab->host[0].h);
	lab->host[0].h = NULL;
	hip_job_run(job); /* cancelled, yet whole */
	hip_job_done(NULL, job, lab->now);
	lab_free(lab);
}
END_TEST

START_TEST(an_engine_that_ends_frees_jobs_nobody_took)
{
	struct hip_config cfg = lab_config();
	struct hip *h;

	ck_assert_int_eq(hip_new(&cfg, 0, &h), 0);
	ck_assert_int_eq(
		hip_add_identity(h, lab_identity(HIP_ALG_ECDSA_P256, 0), 0), 0);
	ck_assert_uint_eq(h->job_num, offer_default.dh_num);
	hip_free(h);
}
END_TEST

START_TEST(promised_spis_come_back_when_jobs_fail)
{
	struct lab *lab = held();

	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].h->assocs.spi_num, 1);
	hip_job_done(lab->host[0].h, lab->held[0].job, lab->now);
	lab->held_num = 0;
	ck_assert_uint_eq(lab->host[0].h->assocs.spi_num, 0);
	lab_free(lab);
}
END_TEST

START_TEST(a_search_past_the_puzzles_lifetime_is_cancelled)
{
	struct lab *lab = held();

	lab_want(lab, 0, 1);
	lab_run(lab);
	lab_sleep(lab, 31 * LAB_S); /* its lifetime is 32 s */
	ck_assert(!atomic_load(&lab->host[0].h->jobs->cancel));
	lab_sleep(lab, 2 * LAB_S);
	ck_assert(atomic_load(&lab->host[0].h->jobs->cancel));
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	ck_assert_uint_eq(lab->sent[HIP_I1], 1);
	/* It comes back; a new I1 brings a new puzzle. */
	lab->hold_jobs = false;
	hip_job_done(lab->host[0].h, lab->held[0].job, lab->now);
	lab->held_num = 0;
	lab_sleep(lab, LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(each_kind_of_job_has_its_name)
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

	for (int k = 0; k < HIPJOB_NUM; k++) {
		struct hip_job job = { .kind = (enum hipjob_kind)k };

		ck_assert_str_eq(hip_job_name(&job), name[k]);
	}
}
END_TEST

START_TEST(no_more_jobs_are_in_flight_than_allowed)
{
	struct hip_config cfg = lab_config();
	struct hip_identity *id = lab_identity(HIP_ALG_ECDSA_P256, 0);
	struct hip_job *job[3];
	struct hip *h;

	cfg.jobs_max = 3;
	ck_assert_int_eq(hip_new(&cfg, 0, &h), 0);
	for (int i = 0; i < 3; i++) {
		job[i] = hipjob_new(h, HIPJOB_SIGN, id);
		ck_assert_ptr_nonnull(job[i]);
		ck_assert(!job[i]->ran && !atomic_load(&job[i]->cancel));
		ck_assert_int_eq(job[i]->reason, REASON_HIP_CRYPTO);
		ck_assert(hit_eq(&job[i]->self, hip_identity_hit(id)));
	}
	ck_assert_ptr_null(hipjob_new(h, HIPJOB_SIGN, id));
	/* From the middle, the head and the tail of the list. */
	hip_job_done(h, job[1], 0);
	ck_assert_ptr_eq(h->jobs, job[2]);
	ck_assert_ptr_eq(job[2]->next, job[0]);
	ck_assert_ptr_eq(job[0]->prev, job[2]);
	job[1] = hipjob_new(h, HIPJOB_SIGN, id);
	ck_assert_ptr_nonnull(job[1]);
	ck_assert_ptr_null(hipjob_new(h, HIPJOB_SIGN, id));
	hip_job_done(h, job[1], 0);
	hip_job_done(h, job[0], 0);
	hip_job_done(h, job[2], 0);
	ck_assert_ptr_null(h->jobs);
	ck_assert_uint_eq(h->job_num, 0);
	hip_identity_free(id);
	hip_free(h);
}
END_TEST

START_TEST(without_a_free_job_an_r1_is_dropped_as_busy)
{
	struct lab *lab = held();

	lab->host[0].h->cfg.jobs_max = 1;
	ck_assert_ptr_nonnull(
		hipjob_new(lab->host[0].h, HIPJOB_SIGN, lab->host[0].h->id[0]));
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab->held_num, 0);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_BUSY), 1);
	ck_assert_uint_eq(lab->host[0].h->assocs.spi_num, 0);
	hip_job_done(lab->host[0].h, lab->host[0].h->jobs, lab->now);
	lab_free(lab);
}
END_TEST

/* The job comes back, run, to an engine that has nothing to do with it. */
static void back_late(struct lab *lab, size_t i, enum reason r)
{
	struct hip_job *job = lab->held[0].job;
	uint64_t before = lab_drops(lab, i, r);
	unsigned sent = lab->host[i].count[HIP_SEND];

	ck_assert_uint_eq(lab->held[0].host, i);
	lab->held_num = 0;
	hip_job_run(job);
	hip_job_done(lab->host[i].h, job, lab->now);
	lab_effects(lab, i);
	ck_assert_msg(lab_drops(lab, i, r) == before + 1, "not %s",
		      reason_name(r));
	ck_assert_uint_eq(lab->host[i].count[HIP_SEND], sent);
	ck_assert_uint_eq(lab->host[i].h->assocs.spi_num, 0);
	ck_assert_uint_eq(lab->host[i].h->job_num, 0);
}

START_TEST(a_good_job_whose_association_is_gone_or_new_changes_nothing)
{
	struct lab *lab = held();

	lab_want(lab, 0, 1);
	lab_run(lab);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	ck_assert(atomic_load(&lab->held[0].job->cancel));
	atomic_store(&lab->held[0].job->cancel, false); /* too late to tell */
	back_late(lab, 0, REASON_HIP_STATE);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_UNASSOCIATED);
	/* Wanted again, it is another exchange. */
	lab->now += 100 * LAB_MS; /* and another I1 */
	lab_want(lab, 0, 1);
	lab_run(lab);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab->now += LAB_S;
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab->head = lab->tail; /* its I1 is lost */
	atomic_store(&lab->held[0].job->cancel, false);
	back_late(lab, 0, REASON_HIP_STATE);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_free(lab);
}
END_TEST

START_TEST(a_cancelled_search_comes_back_as_too_hard)
{
	struct hip_config cfg = lab_config();
	struct lab *lab = held();

	cfg.puzzle_k = 20; /* not solved by chance before it looks */
	lab->hold_jobs = false;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P256, 2);
	lab->hold_jobs = true;
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert_uint_eq(lab->held_num, 1);
	atomic_store(&lab->held[0].job->cancel, true);
	back_late(lab, 0, REASON_HIP_PUZZLE_HARD);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_free(lab);
}
END_TEST

/* A CLOSE signed by a, to b. */
static struct hip_job *signed_close(struct hip *h, struct hip_identity *a,
				    const struct hit *b)
{
	struct hip_job *job = hipjob_new(h, HIPJOB_SIGN, a);

	message_begin(&job->out, HIP_CLOSE, hip_identity_hit(a), b);
	message_put(&job->out, PARAM_ECHO_REQUEST_SIGNED, "nonce", 5);
	hip_job_run(job);
	ck_assert(job->ran);
	return job;
}

/* What CHECK says of the message and this HOST_ID. */
static enum reason verdict(struct hip *h, const uint8_t *msg, size_t len,
			   const uint8_t *host_id, size_t host_id_len)
{
	struct hip_job *job = hipjob_new(h, HIPJOB_CHECK, h->id[0]);
	enum reason r;

	memcpy(job->in, msg, len);
	job->in_len = len;
	memcpy(job->host_id, host_id, host_id_len);
	job->host_id_len = host_id_len;
	hip_job_run(job);
	r = job->reason;
	hipjob_unlink(h, job);
	hipjob_free(job);
	return r;
}

START_TEST(what_sign_makes_check_takes_and_nothing_else)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P384, false);
	struct hip *h = lab->host[0].h;
	struct hip_job *job = signed_close(h, h->id[0], &lab->host[1].hit);
	const uint8_t *msg = job->out.buf;
	size_t len = job->out.len;
	size_t id_len;
	size_t other_len;
	const uint8_t *id = identity_host_id(h->id[0], &id_len);
	const uint8_t *other =
		identity_host_id(lab->host[1].h->id[0], &other_len);
	uint8_t bad[HIP_MSG_MAX] = { 0 };

	ck_assert_int_eq(job->reason, REASON_NUM);
	ck_assert_int_eq(verdict(h, msg, len, id, id_len), REASON_NUM);
	ck_assert_int_eq(verdict(h, msg, len, other, other_len),
			 REASON_HIP_SIGNATURE);
	ck_assert_int_eq(verdict(h, msg, len, id, id_len - 1),
			 REASON_HIP_CRYPTO);
	ck_assert_int_eq(verdict(h, msg, len, bad, id_len), REASON_HIP_CRYPTO);
	ck_assert_int_ne(verdict(h, msg, len - 1, id, id_len), REASON_NUM);
	ck_assert_int_ne(verdict(h, msg, 0, id, id_len), REASON_NUM);
	for (size_t i = 8; i < 40 + 4 + 5; i++) { /* HITs, nonce */
		memcpy(bad, msg, len);
		bad[i] ^= 1;
		ck_assert_int_ne(verdict(h, bad, len, id, id_len), REASON_NUM);
	}
	/* One for whom there is no association comes back to nobody. */
	hip_job_done(h, job, lab->now);
	lab_effects(lab, 0);
	ck_assert_uint_eq(lab->host[0].count[HIP_SEND], 0);
	lab_free(lab);
}
END_TEST

START_TEST(what_does_not_fit_is_not_signed)
{
	struct lab *lab = held();
	struct hip *h = lab->host[0].h;
	struct hip_job *job = hipjob_new(h, HIPJOB_SIGN, h->id[0]);
	uint8_t much[1960] = { 0 };

	message_begin(&job->out, HIP_CLOSE, &lab->host[0].hit,
		      &lab->host[1].hit);
	message_put(&job->out, PARAM_ECHO_REQUEST_SIGNED, much, sizeof(much));
	hip_job_run(job);
	ck_assert_int_eq(job->reason, REASON_HIP_CRYPTO);
	hip_job_done(h, job, lab->now);
	hipjob_free(NULL);
	lab_free(lab);
}
END_TEST

START_TEST(jobs_that_were_run_free_what_they_made)
{
	struct hip_config cfg = lab_config();
	struct lab *lab = calloc(1, sizeof(*lab));

	/* An engine that ends between the run and the return: DH key, R1. */
	lab->now = LAB_S;
	lab->hold_jobs = true;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	ck_assert_uint_eq(lab->held_num, offer_default.dh_num);
	hip_job_run(lab->held[0].job);
	ck_assert_ptr_nonnull(lab->held[0].job->u.pool.dh);
	hip_free(lab->host[0].h);
	lab->host[0].h = NULL;
	ck_assert(atomic_load(&lab->held[0].job->cancel));
	ck_assert_ptr_null(lab->held[0].job->next);
	lab_free(lab); /* brings them back to NULL */
}
END_TEST

Suite *test_hipjob_suite(void)
{
	Suite *s = suite_create("hipjob");
	TCase *t = tcase_create("hipjob");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_job_that_was_not_run_counts_as_busy_and_i1_helps);
	tcase_add_test(t, jobs_outlive_their_engine);
	tcase_add_test(t, an_engine_that_ends_frees_jobs_nobody_took);
	tcase_add_test(t, promised_spis_come_back_when_jobs_fail);
	tcase_add_test(t, a_search_past_the_puzzles_lifetime_is_cancelled);
	tcase_add_test(t, each_kind_of_job_has_its_name);
	tcase_add_test(t, no_more_jobs_are_in_flight_than_allowed);
	tcase_add_test(t, without_a_free_job_an_r1_is_dropped_as_busy);
	tcase_add_test(
		t, a_good_job_whose_association_is_gone_or_new_changes_nothing);
	tcase_add_test(t, a_cancelled_search_comes_back_as_too_hard);
	tcase_add_test(t, what_sign_makes_check_takes_and_nothing_else);
	tcase_add_test(t, what_does_not_fit_is_not_signed);
	tcase_add_test(t, jobs_that_were_run_free_what_they_made);
	suite_add_tcase(s, t);
	return s;
}
