/* SPDX-License-Identifier: MIT */
/* What an UPDATE says: all of it, in the order of types, and no more. */
#include "hip/composer.h"

#include "hip/fields.h"
#include "test/unit/hip/move_bed.h"

/* What is composed, by the ids of its parameters. */
static void says(struct hip_job *job, const enum param *want, size_t num)
{
	struct hip_msg m;

	ck_assert_int_eq(message_finish(&job->out), HG_OK);
	ck_assert_int_eq(param_parse(job->out.buf, job->out.len, &m),
			 REASON_NUM);
	ck_assert_uint_eq(m.num, num);
	for (size_t i = 0; i < num; i++)
		ck_assert_int_eq(m.params[i].id, want[i]);
}

static struct hip_job *job_of(struct lab *lab, bool keep)
{
	struct hip_job *job =
		hipjob_new(lab->host[0].h, HIPJOB_SIGN, assoc(lab, 0)->id);

	ck_assert_ptr_nonnull(job);
	job->keep = keep;
	return job;
}

static void done(struct lab *lab, struct hip_job *job)
{
	hipjob_unlink(lab->host[0].h, job);
	hipjob_free(job);
}

START_TEST(a_probe_is_a_seq)
{
	static const enum param want[] = { PARAM_SEQ };
	struct lab *lab = up();
	struct hip_job *job = job_of(lab, true);

	ck_assert_int_eq(
		composer_update(lab->host[0].h, assoc(lab, 0), job, NULL, NULL),
		HG_OK);
	says(job, want, 1);
	done(lab, job);
	lab_free(lab);
}
END_TEST

START_TEST(a_move_names_its_sa_and_its_addresses)
{
	static const enum param want[] = { PARAM_ESP_INFO, PARAM_LOCATOR_SET,
					   PARAM_SEQ };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip_job *job = job_of(lab, true);

	assoc(lab, 0)->tell = true;
	ck_assert_int_eq(
		composer_update(lab->host[0].h, assoc(lab, 0), job, NULL, NULL),
		HG_OK);
	says(job, want, 3);
	done(lab, job);
	lab_free(lab);
}
END_TEST

START_TEST(an_answer_echoes_what_is_signed_and_says_nothing_of_its_own)
{
	static const enum param want[] = { PARAM_ACK,
					   PARAM_ECHO_RESPONSE_SIGNED };
	struct bed_net n;
	struct lab *lab = bed_up(&n);
	struct hip_job *job = job_of(lab, false);
	struct update_answer ans = { .seq = 7 };
	struct msg_builder b;
	struct hip_msg theirs;

	assoc(lab, 0)->tell = true;
	message_begin(&b, HIP_UPDATE, &lab->host[1].hit, &lab->host[0].hit);
	fields_put_seq(&b, 7);
	message_put(&b, PARAM_ECHO_REQUEST_SIGNED, "nonce", 5);
	ck_assert_int_eq(message_finish(&b), HG_OK);
	ck_assert_int_eq(param_parse(b.buf, b.len, &theirs), REASON_NUM);
	ck_assert_int_eq(composer_update(lab->host[0].h, assoc(lab, 0), job,
					 &ans, &theirs),
			 HG_OK);
	says(job, want, 2);
	done(lab, job);
	lab_free(lab);
}
END_TEST

Suite *test_composer_suite(void);
Suite *test_composer_suite(void)
{
	Suite *s = suite_create("composer");
	TCase *t = tcase_create("composer");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_probe_is_a_seq);
	tcase_add_test(t, a_move_names_its_sa_and_its_addresses);
	tcase_add_test(
		t, an_answer_echoes_what_is_signed_and_says_nothing_of_its_own);
	suite_add_tcase(s, t);
	return s;
}
