/* SPDX-License-Identifier: MIT */
/* Real addresses that are mapped instead of substitutes. */
#include "test/unit/gate/lease_bed.h"

static void tell_real(const struct hit *hit, const char *real)
{
	struct dns_host h = { .hit = *hit, .local = true, .real_num = 1 };
	struct dns_effect e = { .kind = DNS_NEED_REAL, .host = &h };

	strcpy(h.name, "h.test");
	h.real[0] = desk_addr(real);
	h.locators[0] = h.real[0];
	h.locators_num = 1;
	dnslease_need_real(g, &e);
}

START_TEST(a_real_address_denotes_one_host_for_ever)
{
	struct tables *t = &g->plane.tables;
	struct addr a = desk_addr("192.0.2.7");
	struct hit other = desk_hit(9);
	const struct mapping *m;

	ck_assert_int_eq(tables_init(t), HG_OK);
	tell_real(hip_identity_hit(id), "192.0.2.7");
	m = tables_mapping(t, &a);
	ck_assert_ptr_nonnull(m);
	ck_assert(hit_eq(&m->peer, hip_identity_hit(id)));
	tell_real(hip_identity_hit(id), "192.0.2.7"); /* again: as it is */
	tell_real(&other, "192.0.2.7");
	m = tables_mapping(t, &a);
	ck_assert(hit_eq(&m->peer, hip_identity_hit(id)));
	ck_assert_uint_eq(t->mappings, 1);
	ck_assert_uint_eq(g->dnsside->reals, 1);
	/* Our own HIT has no address that leads to it. */
	tell_real(&g->selves[0], "192.0.2.8");
	ck_assert_uint_eq(t->mappings, 1);
	tables_fini(t);
}
END_TEST

Suite *test_dnsreal_suite(void);
Suite *test_dnsreal_suite(void)
{
	Suite *s = suite_create("dnsreal");
	TCase *tc = tcase_create("dnsreal");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_real_address_denotes_one_host_for_ever);
	suite_add_tcase(s, tc);
	return s;
}
