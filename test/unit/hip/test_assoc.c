/* SPDX-License-Identifier: MIT */
/* The table of associations and the set of SPIs, large and random. */
#include "test/unit/hip/lab.h"

#include "hip/assoc.h"
#include "hip/engine.h"

static struct hip *engine(uint32_t max)
{
	struct hip_config cfg = lab_config();
	struct hip *h;
	struct hip_effect e;

	cfg.assoc_max = max;
	ck_assert_int_eq(hip_new(&cfg, 0, &h), 0);
	ck_assert_int_eq(
		hip_add_identity(h, lab_identity(HIP_ALG_ECDSA_P256, 0), 0), 0);
	while (hip_effect(h, &e)) {
		if (e.kind == HIP_JOB)
			hip_job_done(h, e.job, 0);
	}
	return h;
}

START_TEST(spis_are_unique_and_come_back)
{
	struct assocs t = { 0 };
	static uint32_t v[5000];

	ck_assert_int_eq(assoc_table_init(&t, 10), 0);
	for (int i = 0; i < 5000; i++) {
		v[i] = assoc_spi_take(&t);
		ck_assert_uint_gt(v[i], 255);
	}
	for (int i = 0; i < 5000; i += 2)
		assoc_spi_give(&t, v[i]);
	ck_assert_uint_eq(t.spi_num, 2500);
	for (int i = 1; i < 5000; i += 2)
		assoc_spi_give(&t, v[i]);
	ck_assert_uint_eq(t.spi_num, 0);
	for (uint32_t i = 0; i < t.spi_slots; i++)
		ck_assert_uint_eq(t.spi[i], 0);
	assoc_spi_give(&t, 0);
	assoc_spi_give(&t, 12345);
	free(t.bucket);
	free(t.spi);
}
END_TEST

START_TEST(twenty_thousand_associations_are_found_and_timed)
{
	struct hip *h = engine(20000);
	struct endpoint at = lab_at(5);
	struct hit p = { { 0x20, 1, 0, 0x21 } };
	struct hip_effect e;

	for (unsigned i = 0; i < 20000; i++) {
		p.b[14] = (uint8_t)(i >> 8);
		p.b[15] = (uint8_t)i;
		ck_assert_int_eq(hip_want(h, NULL, &p, &at, 1, i), HG_OK);
		while (hip_effect(h, &e))
			;
	}
	p.b[10] = 1;
	ck_assert_int_eq(hip_want(h, NULL, &p, &at, 1, 0), HG_EFULL);
	/* All give up, then all are forgotten. */
	for (uint64_t now = 0; now < 60 * LAB_S;) {
		uint64_t d = hip_deadline(h);

		now = d == UINT64_MAX ? UINT64_MAX : d > now ? d : now;
		if (now == UINT64_MAX)
			break;
		hip_tick(h, now);
		while (hip_effect(h, &e)) {
			if (e.kind == HIP_JOB)
				hip_job_done(h, e.job, now);
		}
	}
	ck_assert_uint_eq(h->assocs.num, 0);
	hip_free(h);
}
END_TEST

Suite *test_assoc_suite(void)
{
	Suite *s = suite_create("assoc");
	TCase *t = tcase_create("assoc");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, spis_are_unique_and_come_back);
	tcase_add_test(t, twenty_thousand_associations_are_found_and_timed);
	suite_add_tcase(s, t);
	return s;
}
