/* SPDX-License-Identifier: MIT */
/* Base exchanges between engines: the good ways. */
#include "test/unit/hip/lab.h"

static void bex(enum hip_alg a, enum hip_alg b, bool greater)
{
	struct lab *lab = lab_pair(a, b, greater);

	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_I1_SENT);
	lab_run(lab);
	ck_assert_int_eq(lab_state(lab, 0, 1), HIP_ESTABLISHED);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_R2_SENT);
	ck_assert(lab_agree(lab, 0, 1));
	ck_assert_uint_eq(lab->host[0].sa.suite, SA_AES128_GCM16);
	ck_assert_uint_gt(lab->host[0].sa.spi_in, 255);
	/* Data take the Responder to ESTABLISHED. */
	hip_traffic(lab->host[1].h, &lab->host[1].hit, &lab->host[0].hit, true,
		    lab->now);
	lab_drain(lab);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	lab_free(lab);
}

START_TEST(bex_p256_lesser_hit_begins)
{
	bex(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);
}
END_TEST

START_TEST(bex_p256_greater_hit_begins)
{
	bex(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, true);
}
END_TEST

START_TEST(bex_p256_with_p384)
{
	bex(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P384, false);
	bex(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P384, true);
}
END_TEST

START_TEST(effects_come_in_the_order_that_is_safe_to_carry_out)
{
	static const enum hip_effect_kind initiator[] = {
		HIP_SEND,    HIP_CHANGED,	       /* I1 */
		HIP_LOCATOR, HIP_SEND,	  HIP_CHANGED, /* I2 */
		HIP_SA_UP,   HIP_LOCATOR, HIP_CHANGED
	};
	static const enum hip_effect_kind responder[] = { HIP_SEND, /* R1 */
							  HIP_SA_UP,
							  HIP_LOCATOR, HIP_SEND,
							  HIP_CHANGED };
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert_uint_eq(lab->host[0].order_num, 8);
	ck_assert_mem_eq(lab->host[0].order, initiator, sizeof(initiator));
	ck_assert_uint_eq(lab->host[1].order_num, 5);
	ck_assert_mem_eq(lab->host[1].order, responder, sizeof(responder));
	ck_assert(lab->host[0].last[HIP_LOCATOR].committed);
	lab_free(lab);
}
END_TEST

Suite *test_engine_suite(void)
{
	Suite *s = suite_create("engine");
	TCase *t = tcase_create("base exchange");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, bex_p256_lesser_hit_begins);
	tcase_add_test(t, bex_p256_greater_hit_begins);
	tcase_add_test(t, bex_p256_with_p384);
	tcase_add_test(t, effects_come_in_the_order_that_is_safe_to_carry_out);
	suite_add_tcase(s, t);
	return s;
}
