/* SPDX-License-Identifier: MIT */
/* The zone-file form, read back by ldns. */
#include "test/unit/dns/desk.h"
#include "dns/hiprr.h"

#include <ldns/ldns.h>

static char text[4000];

static const char *const rvs[] = { "rvs1.foo.com.", "rvs2.foo.com." };

static int print(size_t cap, uint8_t alg, size_t pk_len, size_t rvs_num)
{
	struct hit h = desk_hit(0xab);
	uint8_t pk[DNS_HI_MAX + 1];

	for (size_t i = 0; i < sizeof(pk); i++)
		pk[i] = (uint8_t)i;
	return dns_record_print(text, cap, "hip.foo.com.", 300, &h, alg, pk,
				pk_len, rvs, rvs_num);
}

START_TEST(the_golden_record)
{
	static const char want[] =
		"hip.foo.com. 300 IN HIP ( 3 200100220000000000000000000000AB"
		" AAECAw== rvs1.foo.com. )\n";

	ck_assert_int_eq(print(sizeof(text), 3, 4, 1), sizeof(want) - 1);
	ck_assert_str_eq(text, want);
}
END_TEST

START_TEST(ldns_reads_it_and_hiprr_reads_what_ldns_makes)
{
	ldns_rr *rr = NULL;
	ldns_buffer *b = ldns_buffer_new(4000);
	struct hit h = desk_hit(0xab);
	struct hiprr got;
	size_t pk_len = _i == 2 ? DNS_HI_MAX : 64;

	ck_assert_int_gt(print(sizeof(text), _i == 2 ? 2 : 3, pk_len, _i), 0);
	ck_assert_int_eq(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL),
			 LDNS_STATUS_OK);
	ck_assert_int_eq(ldns_rr_get_type(rr), LDNS_RR_TYPE_HIP);
	ck_assert_uint_eq(ldns_rr_ttl(rr), 300);
	ck_assert_int_eq(ldns_rr_rdata2buffer_wire(b, rr), LDNS_STATUS_OK);
	/* two octets of rdata length first */
	int err =
		hiprr_get(ldns_buffer_begin(b), ldns_buffer_position(b), &got);
	ck_assert_int_eq(err, 0);
	ck_assert(hit_eq(&got.hit, &h));
	ck_assert_uint_eq(got.pk_len, pk_len);
	ck_assert_uint_eq(got.pk[5], 5);
	ck_assert_uint_eq(got.rvs_num, _i);
	ldns_rr_free(rr);
	ldns_buffer_free(b);
}
END_TEST

START_TEST(too_little_room_and_bad_parts_are_refused)
{
	static const char *const bad[] = { "a b", "a\nb", "a;b",   "a..b",
					   "",	  "(",	  "\"x\"", "$INCLUDE" };
	struct hit h = desk_hit(1);
	int len = print(sizeof(text), 3, 64, 2);

	for (int cap = 0; cap <= len; cap++)
		ck_assert_int_eq(print((size_t)cap, 3, 64, 2), HG_EFULL);
	ck_assert_int_eq(print((size_t)len + 1, 3, 64, 2), len);
	ck_assert_int_eq(print(sizeof(text), 3, 0, 0), HG_EINVAL);
	ck_assert_int_eq(print(sizeof(text), 3, DNS_HI_MAX + 1, 0), HG_EINVAL);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ck_assert_int_eq(dns_record_print(text, sizeof(text), bad[i], 1,
						  &h, 3, h.b, 16, NULL, 0),
				 HG_EINVAL);
		ck_assert_int_eq(dns_record_print(text, sizeof(text), "a", 1,
						  &h, 3, h.b, 16, &bad[i], 1),
				 HG_EINVAL);
	}
}
END_TEST

Suite *test_record_suite(void);
Suite *test_record_suite(void)
{
	Suite *s = suite_create("record");
	TCase *tc = tcase_create("record");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_golden_record);
	tcase_add_loop_test(tc, ldns_reads_it_and_hiprr_reads_what_ldns_makes,
			    0, 3);
	tcase_add_test(tc, too_little_room_and_bad_parts_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
