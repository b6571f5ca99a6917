/* SPDX-License-Identifier: MIT */
/* A new KEYMAT: both sides the same, and no good value no KEYMAT. */
#include "hip/agree.h"

#include "hip/hipjob.h"
#include "test/unit/hip/rekey_bed.h"

/* Host i's job with these two values; mine NULL: it makes one. */
static struct hip_job *job_of(struct lab *lab, size_t i, struct dh_key *mine,
			      const uint8_t *peer)
{
	const struct assoc *a = assoc(lab, i);
	struct hip_job *job = calloc(1, sizeof(*job));
	struct hipjob_dh *u = &job->u.dh;

	job->kind = HIPJOB_DH;
	job->self = a->self;
	job->peer = a->peer;
	u->group = dh_group(a->keys->dh);
	u->mine = mine ? dh_ref(mine) : NULL;
	u->agree = peer;
	u->rhash = a->keys->rhash;
	memcpy(u->i, a->keys->i, sizeof(u->i));
	memcpy(u->j, a->keys->j, sizeof(u->j));
	if (peer)
		memcpy(u->peer_public, peer, u->group->public_len);
	hip_job_run(job);
	return job;
}

/* bit 0: host 0 has a new value; bit 1: host 1 has. */
START_TEST(both_make_the_same_keymat_of_the_newest_values)
{
	struct lab *lab = up();
	struct dh_key *dh[2];
	struct hip_job *job[2];

	for (size_t i = 0; i < 2; i++) {
		struct hip_job *made = job_of(lab, i, NULL, NULL);

		ck_assert_int_eq(made->reason, REASON_NUM);
		dh[i] = dh_ref(_i >> i & 1 ? made->u.dh.mine
					   : assoc(lab, i)->keys->dh);
		hipjob_free(made);
	}
	for (size_t i = 0; i < 2; i++) {
		job[i] = job_of(lab, i, dh[i], dh_public(dh[!i]));
		ck_assert_int_eq(job[i]->reason, REASON_NUM);
	}
	ck_assert_mem_eq(&job[0]->u.dh.km, &job[1]->u.dh.km,
			 sizeof(struct keymat));
	/* The old values again: the KEYMAT of the base exchange (#I, #J). */
	ck_assert_int_eq(memcmp(&job[0]->u.dh.km, &assoc(lab, 0)->keys->km,
				sizeof(struct keymat)) == 0,
			 _i == 0);
	for (size_t i = 0; i < 2; i++) {
		dh_free(dh[i]);
		hipjob_free(job[i]);
	}
	lab_free(lab);
}
END_TEST

START_TEST(what_the_base_exchange_keeps_is_the_peers_value)
{
	struct lab *lab = up();

	for (size_t i = 0; i < 2; i++)
		ck_assert_mem_eq(assoc(lab, i)->keys->peer_public,
				 dh_public(assoc(lab, !i)->keys->dh),
				 dh_group(assoc(lab, i)->keys->dh)->public_len);
	ck_assert_mem_eq(assoc(lab, 0)->keys->i, assoc(lab, 1)->keys->i,
			 SUITE_HASH_MAX);
	ck_assert_mem_eq(assoc(lab, 0)->keys->j, assoc(lab, 1)->keys->j,
			 SUITE_HASH_MAX);
	lab_free(lab);
}
END_TEST

START_TEST(a_value_that_is_none_gives_no_keymat)
{
	struct lab *lab = up();
	struct dh_key *mine = assoc(lab, 0)->keys->dh;
	uint8_t bad[DH_PUBLIC_MAX];
	struct hip_job *job;

	memcpy(bad, dh_public(mine), dh_group(mine)->public_len);
	bad[3] ^= 1;
	job = job_of(lab, 0, mine, bad);
	ck_assert_int_eq(job->reason, REASON_HIP_DH);
	ck_assert_ptr_null(job->u.dh.km.rhash);
	hipjob_free(job);
	lab_free(lab);
}
END_TEST

/* RFC 7402 6.9 */
START_TEST(which_values_fit)
{
	struct lab *lab = up();
	const struct assoc_keys *k = assoc(lab, 0)->keys;
	struct hip_job *made = job_of(lab, 1, NULL, NULL);
	struct field_dh dh = { .group = dh_group(k->dh)->id,
			       .public = dh_public(made->u.dh.mine),
			       .public_len = dh_group(k->dh)->public_len };
	struct field_dh bad = dh;

	ck_assert_int_eq(agree_fits(k, 0, &dh), REASON_NUM);
	ck_assert_int_eq(agree_fits(k, 1, &dh), REASON_HIP_DH);
	bad.group++;
	ck_assert_int_eq(agree_fits(k, 0, &bad), REASON_HIP_DH);
	bad = dh;
	bad.public_len--;
	ck_assert_int_eq(agree_fits(k, 0, &bad), REASON_HIP_DH);
	bad = dh;
	bad.public = k->peer_public; /* the old one */
	ck_assert_int_eq(agree_fits(k, 0, &bad), REASON_HIP_DH);
	hipjob_free(made);
	lab_free(lab);
}
END_TEST

Suite *test_agree_suite(void)
{
	Suite *s = suite_create("agree");
	TCase *t = tcase_create("agree");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, both_make_the_same_keymat_of_the_newest_values,
			    0, 4);
	tcase_add_test(t, what_the_base_exchange_keeps_is_the_peers_value);
	tcase_add_test(t, a_value_that_is_none_gives_no_keymat);
	tcase_add_test(t, which_values_fit);
	suite_add_tcase(s, t);
	return s;
}
