/* SPDX-License-Identifier: MIT */
/* An I2 with candidates (RFC 9028 4.3, 4.5); the rest is in
 * test_responder.c. */
#include "hip/i2taker.h"

#include "hip/fields.h"
#include "test/unit/hip/natlab.h"

static struct nat_bed bed;

START_TEST(an_i2_whose_candidate_is_barred_is_dropped)
{
	struct hip_config cfg = lab_config();
	struct prefix barred;
	struct lab *lab;

	cfg.offer.nat[0] = FIELDS_NAT_ICE_HIP_UDP;
	cfg.offer.nat_num = 1;
	lab = nat_bed_with(&bed, &cfg);
	nat_put(lab, 0);
	nat_register(lab, 1);
	ck_assert_int_eq(prefix_parse("10.0.0.0/24", &barred), HG_OK);
	ck_assert_int_eq(hip_set_barred(lab->host[1].h, &barred, 1), HG_OK);
	nat_call(lab, 0, 1);
	ck_assert_uint_eq(lab_drops(lab, 1, REASON_HIP_LOCATOR_BARRED), 1);
	ck_assert_ptr_null(nat_assoc(lab, 1, 0));
	ck_assert_int_eq(hip_set_barred(lab->host[1].h, NULL, 0), HG_OK);
	lab_sleep(lab, 8 * LAB_S);
	ck_assert(lab_agree(lab, 0, 1));
	lab_free(lab);
}
END_TEST

START_TEST(an_i2_of_before_the_last_exchange_is_stale)
{
	struct assoc a = { .fresh_from = 100 };

	ck_assert(!i2taker_stale(NULL, 0));
	ck_assert(i2taker_stale(&a, 99));
	ck_assert(!i2taker_stale(&a, 100));
}
END_TEST

Suite *test_i2taker_suite(void);
Suite *test_i2taker_suite(void)
{
	Suite *s = suite_create("i2taker");
	TCase *tc = tcase_create("i2taker");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_i2_whose_candidate_is_barred_is_dropped);
	tcase_add_test(tc, an_i2_of_before_the_last_exchange_is_stale);
	suite_add_tcase(s, tc);
	return s;
}
