/* SPDX-License-Identifier: MIT */
/* When an SA is replaced: after so much, after so long, if it is used. */
#include "hip/wear.h"

#include "test/unit/hip/rekey_bed.h"

static void used(struct lab *lab, uint64_t packets, uint64_t bytes)
{
	hip_used(lab->host[0].h, &lab->host[0].hit, &lab->host[1].hit,
		 lab->host[0].sa.spi_in, packets, bytes, lab->now);
	hip_traffic(lab->host[0].h, &lab->host[0].hit, &lab->host[1].hit, true,
		    lab->now);
	lab_drain(lab);
}

START_TEST(limits_of_bytes_packets_and_time_begin_a_rekey)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;

	cfg.rekey = (struct hip_rekey){ .after_s = 600,
					.after_bytes = 1000000,
					.after_packets = 1000 };
	lab = up_with(&cfg, false);
	used(lab, 899, 899999);
	ck_assert_uint_eq(view(lab, 0).rekeys, 0);
	used(lab, 1000, 1000);
	ck_assert_uint_eq(view(lab, 0).rekeys, 1);
	lab_sleep(lab, 2 * LAB_S);
	used(lab, 10, 1000000);
	ck_assert_uint_eq(view(lab, 0).rekeys, 2);
	/* Of the new SA nothing is known yet: time alone does not. */
	lab_sleep(lab, 700 * LAB_S);
	ck_assert_uint_eq(view(lab, 0).rekeys, 2);
	used(lab, 1, 1);
	lab_sleep(lab, LAB_S);
	ck_assert_uint_eq(view(lab, 0).rekeys, 3);
	used(lab, 1, 1);
	lab_sleep(lab, 530 * LAB_S);
	ck_assert_uint_eq(view(lab, 0).rekeys, 3);
	used(lab, 1, 1);
	lab_sleep(lab, 75 * LAB_S);
	ck_assert_uint_eq(view(lab, 0).rekeys, 4);
	ck_assert(lab_agree(lab, 0, 1));
	/* A new Diffie-Hellman each time, unless it says otherwise. */
	ck_assert_uint_eq(assoc(lab, 0)->keys->keymat_next, 40);
	lab_free(lab);
}
END_TEST

START_TEST(by_policy_keymat_is_used_further)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;
	uint16_t next;

	cfg.rekey = (struct hip_rekey){ .after_packets = 1000, .reuse = true };
	lab = up_with(&cfg, false);
	next = assoc(lab, 0)->keys->keymat_next;
	used(lab, 1000, 0);
	ck_assert_uint_eq(view(lab, 0).rekeys, 1);
	ck_assert_uint_eq(assoc(lab, 0)->keys->keymat_next, next + 40);
	lab_free(lab);
}
END_TEST

START_TEST(counts_of_another_sa_mean_nothing)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;

	cfg.rekey.after_packets = 1000;
	lab = up_with(&cfg, false);
	hip_used(lab->host[0].h, &lab->host[0].hit, &lab->host[1].hit,
		 lab->host[0].sa.spi_in + 1, 5000, 5000, lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(view(lab, 0).rekeys, 0);
	lab_free(lab);
}
END_TEST

/* hip_close of all comes first, then a peer makes an association. */
START_TEST(who_leaves_begins_none_and_stays_not_due)
{
	struct hip_config cfg = lab_config();
	struct lab *lab;
	struct hip *h;

	cfg.rekey.after_s = 600;
	lab = up_with(&cfg, false);
	h = lab->host[0].h;
	h->leaving = true;
	used(lab, 1, 1);
	lab->now += 600 * LAB_S;
	hip_tick(h, lab->now);
	lab_effects(lab, 0);
	ck_assert_uint_gt(hip_deadline(h), lab->now);
	ck_assert_int_eq(assoc(lab, 0)->state, HIP_ESTABLISHED);
	ck_assert_ptr_null(assoc(lab, 0)->rekey);
	lab_free(lab);
}
END_TEST

START_TEST(each_sa_draws_its_own_limits)
{
	struct lab *lab = up();
	struct assoc *a = assoc(lab, 0);
	struct assoc_wear first = a->wear;
	unsigned other = 0;

	for (int n = 0; n < 20; n++) {
		wear_begin(lab->host[0].h, a, lab->now);
		ck_assert_uint_le(a->wear.due, lab->now + 3600 * LAB_S);
		ck_assert_uint_ge(a->wear.due, lab->now + 3240 * LAB_S);
		ck_assert_uint_le(a->wear.bytes, UINT64_C(64) << 30);
		ck_assert_uint_le(a->wear.packets, UINT64_C(1) << 32);
		ck_assert_uint_ge(a->wear.packets, UINT64_C(3865470566));
		other += a->wear.bytes != first.bytes;
	}
	ck_assert_uint_ge(other, 19);
	lab_free(lab);
}
END_TEST

Suite *test_wear_suite(void)
{
	Suite *s = suite_create("wear");
	TCase *t = tcase_create("wear");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, limits_of_bytes_packets_and_time_begin_a_rekey);
	tcase_add_test(t, by_policy_keymat_is_used_further);
	tcase_add_test(t, counts_of_another_sa_mean_nothing);
	tcase_add_test(t, who_leaves_begins_none_and_stays_not_due);
	tcase_add_test(t, each_sa_draws_its_own_limits);
	suite_add_tcase(s, t);
	return s;
}
