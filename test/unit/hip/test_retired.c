/* SPDX-License-Identifier: MIT */
/* Replaced SAs: how many, how long. */
#include "hip/retired.h"

#include "test/unit/hip/rekey_bed.h"

static void replace(struct lab *lab, unsigned times)
{
	for (unsigned n = 0; n < times; n++) {
		ck_assert_int_eq(rekey(lab, 0, false), HG_OK);
		lab_run(lab);
		ck_assert(lab_agree(lab, 0, 1));
		lab_sleep(lab, 2 * LAB_S);
	}
}

START_TEST(each_opens_for_a_minute)
{
	struct lab *lab = up();
	uint32_t first = lab->host[0].sa.spi_in;
	uint32_t second;

	ck_assert_uint_eq(retired_deadline(assoc(lab, 0)), ENGINE_NEVER);
	replace(lab, 1);
	second = lab->host[0].sa.spi_in;
	lab_sleep(lab, 8 * LAB_S);
	replace(lab, 1);
	ck_assert_uint_le(retired_deadline(assoc(lab, 0)),
			  lab->now + 50 * LAB_S);
	ck_assert(lab_is_open(&lab->host[0], first));
	lab_sleep(lab, 50 * LAB_S);
	ck_assert(!lab_is_open(&lab->host[0], first));
	ck_assert(lab_is_open(&lab->host[0], second));
	lab_sleep(lab, 10 * LAB_S);
	ck_assert(!lab_is_open(&lab->host[0], second));
	ck_assert_uint_eq(retired_deadline(assoc(lab, 0)), ENGINE_NEVER);
	lab_free(lab);
}
END_TEST

START_TEST(of_too_many_the_oldest_goes_first)
{
	struct lab *lab = up();
	uint32_t first = lab->host[0].sa.spi_in;

	replace(lab, ASSOC_OLD_MAX);
	ck_assert_uint_eq(open_num(lab, 0), 1 + ASSOC_OLD_MAX);
	ck_assert(lab_is_open(&lab->host[0], first));
	replace(lab, 1);
	ck_assert_uint_eq(open_num(lab, 0), 1 + ASSOC_OLD_MAX);
	ck_assert(!lab_is_open(&lab->host[0], first));
	lab_free(lab);
}
END_TEST

START_TEST(a_close_takes_all_down_at_once)
{
	struct lab *lab = up();

	replace(lab, ASSOC_OLD_MAX);
	hip_close(lab->host[0].h, &lab->host[1].hit, lab->now);
	lab_drain(lab);
	ck_assert_uint_eq(open_num(lab, 0), 0);
	lab_free(lab);
}
END_TEST

Suite *test_retired_suite(void)
{
	Suite *s = suite_create("retired");
	TCase *t = tcase_create("retired");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, each_opens_for_a_minute);
	tcase_add_test(t, of_too_many_the_oldest_goes_first);
	tcase_add_test(t, a_close_takes_all_down_at_once);
	suite_add_tcase(s, t);
	return s;
}
