/* SPDX-License-Identifier: MIT */
/* Jobs: lost ones, late ones, those of an engine that is gone. */
#include "test/unit/hip/lab.h"

#include "hip/engine.h"
#include "hip/hipjob.h"

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
	ck_assert_uint_eq(h->job_num, 2);
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
	suite_add_tcase(s, t);
	return s;
}
