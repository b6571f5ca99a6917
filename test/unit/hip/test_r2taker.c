/* SPDX-License-Identifier: MIT */
/* An R2 with candidates (RFC 9028 4.3, 4.5); the rest is in
 * test_initiator.c. */
#include "hip/r2taker.h"

#include "hip/fields.h"
#include "test/unit/hip/natlab.h"

static struct nat_bed bed;

/* Where a peer cannot be, it is not looked for: the R2 counts for nothing
 * until its candidates can be, all of them. */
START_TEST(an_r2_whose_candidate_is_barred_is_dropped)
{
	struct hip_config cfg = lab_config();
	struct prefix barred;
	struct lab *lab;

	cfg.offer.nat[0] = FIELDS_NAT_ICE_HIP_UDP;
	cfg.offer.nat_num = 1;
	lab = nat_bed_with(&bed, &cfg);
	nat_put(lab, 1);
	nat_register(lab, 1);
	ck_assert_int_eq(prefix_parse("10.0.1.0/24", &barred), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[0].h, &barred, 1), HG_OK);
	nat_call(lab, 0, 1);
	ck_assert_uint_eq(lab_drops(lab, 0, REASON_HIP_LOCATOR_BARRED), 1);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I2_SENT);
	ck_assert_uint_eq(lab->host[0].count[HIP_SA_UP], 0);
	ck_assert_ptr_null(nat_assoc(lab, 0, 1)->paths);
	ck_assert_int_eq(hip_set_barred(lab->host[0].h, NULL, 0), HG_OK);
	lab_sleep(lab, 8 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

Suite *test_r2taker_suite(void);
Suite *test_r2taker_suite(void)
{
	Suite *s = suite_create("r2taker");
	TCase *tc = tcase_create("r2taker");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_r2_whose_candidate_is_barred_is_dropped);
	suite_add_tcase(s, tc);
	return s;
}
