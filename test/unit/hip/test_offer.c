/* SPDX-License-Identifier: MIT */
/* Offers: defaults, what a configuration makes of them, what is refused. */
#include <check.h>
#include <string.h>

#include "core/sa.h"
#include "hip/dh.h"
#include "hip/offer.h"
#include "hip/suite.h"

START_TEST(defaults)
{
	static const uint8_t dh[] = { 7, 8, 9, 4, 11, 3 };
	struct hip_config cfg = { .responder = true };
	struct offer o;

	ck_assert_int_eq(offer_init(&o, &cfg), 0);
	ck_assert_mem_eq(&o, &offer_default, sizeof(o));
	ck_assert_uint_eq(o.dh_num, sizeof(dh));
	ck_assert_mem_eq(o.dh, dh, sizeof(dh));
	ck_assert_uint_eq(o.esp.num, 3);
	ck_assert_uint_eq(o.esp.id[0], 13);
	ck_assert_uint_eq(o.esp.id[1], 8); /* RFC 7402 5.1.2: MUST */
	ck_assert_uint_eq(o.esp.id[2], 9);
	/* each implemented, and none without encryption */
	for (size_t i = 0; i < o.dh_num; i++)
		ck_assert_ptr_nonnull(dh_group_find(o.dh[i]));
	for (size_t i = 0; i < o.cipher.num; i++) {
		ck_assert_ptr_nonnull(suite_cipher_find(o.cipher.id[i]));
		ck_assert_uint_ne(o.cipher.id[i], SUITE_NULL);
	}
	for (size_t i = 0; i < o.esp_taken.num; i++)
		ck_assert_uint_gt(sa_suite_find(o.esp_taken.id[i])->key_len, 0);
}
END_TEST

START_TEST(a_configured_list_is_taken_as_it_is)
{
	struct hip_config cfg = { .offer = { .dh = { 3, 7 },
					     .dh_num = 2,
					     .cipher = { 2 },
					     .cipher_num = 1,
					     .esp = { 12, 8 },
					     .esp_num = 2 } };
	struct offer o;

	ck_assert_int_eq(offer_init(&o, &cfg), 0);
	ck_assert_uint_eq(o.dh_num, 2);
	ck_assert_uint_eq(o.dh[0], 3);
	ck_assert_uint_eq(o.dh[1], 7);
	ck_assert_uint_eq(o.cipher.num, 1);
	ck_assert_uint_eq(o.cipher.id[0], 2);
	ck_assert_uint_eq(o.esp.num, 2);
	ck_assert_mem_eq(&o.esp, &o.esp_taken, sizeof(o.esp));
	ck_assert(offer_has_esp(&o, 12, false));
	ck_assert(!offer_has_esp(&o, 13, false));
}
END_TEST

START_TEST(what_cannot_be_offered_is_refused)
{
	const struct hip_config good = { .offer = { .dh = { 7, 8 },
						    .dh_num = 2,
						    .cipher = { 4, 2 },
						    .cipher_num = 2,
						    .esp = { 13, 8 },
						    .esp_num = 2 } };
	const struct hit peer = { .b = { 0x20, 1, 0, 0x22 } };
	struct offer before;
	struct offer o;
	struct hip_config c;

	memset(&o, 0x5a, sizeof(o));
	before = o;
#define REFUSED(err, ...)                                                      \
	do {                                                                   \
		c = good;                                                      \
		__VA_ARGS__;                                                   \
		ck_assert_int_eq(offer_init(&o, &c), err);                     \
		ck_assert_mem_eq(&o, &before, sizeof(o));                      \
	} while (0)
	REFUSED(HG_EUNSUPP, c.offer.dh[1] = 10);
	REFUSED(HG_EUNSUPP, c.offer.dh[1] = 0);
	REFUSED(HG_EUNSUPP, c.offer.dh[1] = 256 + 7);
	REFUSED(HG_EEXIST, c.offer.dh[1] = 7);
	REFUSED(HG_EFULL, c.offer.dh_num = 7);
	REFUSED(HG_EUNSUPP, c.offer.cipher[0] = 3);
	REFUSED(HG_EEXIST, c.offer.cipher[0] = 2);
	REFUSED(HG_EUNSUPP, c.offer.esp[0] = 1);
	REFUSED(HG_EUNSUPP, c.offer.esp[0] = 14);
	REFUSED(HG_EEXIST, c.offer.esp[0] = 8);
	REFUSED(HG_EINVAL, c.offer.esp[0] = 7); /* RFC 7402 3.3.5 */
	REFUSED(HG_EFULL,
		memcpy(c.offer.esp, (uint16_t[]){ 8, 9, 10, 11, 12, 13 }, 12);
		c.offer.esp_num = 6; c.esp_null = &peer; c.esp_null_num = 1);
	REFUSED(HG_EUNSUPP, c.offer.nat[0] = 2; c.offer.nat_num = 1);
	REFUSED(HG_EEXIST, c.offer.nat[0] = c.offer.nat[1] = 1;
		c.offer.nat_num = 2);
#undef REFUSED
	if (!suite_cipher_find(SUITE_NULL)) {
		c = good;
		c.offer.cipher[0] = SUITE_NULL;
		ck_assert_int_eq(offer_init(&o, &c), HG_EUNSUPP);
	}
	ck_assert_int_eq(offer_init(&o, &good), 0);
}
END_TEST

START_TEST(no_encryption_is_for_listed_peers_and_last)
{
	const struct hit listed = { .b = { 0x20, 1, 0, 0x22, 1 } };
	const struct hit other = { .b = { 0x20, 1, 0, 0x22, 2 } };
	struct hip_config cfg = { .esp_null = &listed, .esp_null_num = 1 };
	struct field_ids theirs = { { 12, 13, 7 }, 3 };
	struct offer o;

	ck_assert_int_eq(offer_init(&o, &cfg), 0);
	ck_assert_uint_eq(o.esp.num, 4);
	ck_assert_uint_eq(o.esp.id[3], 7);
	ck_assert(offer_null_allowed(&cfg, &listed));
	ck_assert(!offer_null_allowed(&cfg, &other));
	/* Responder */
	ck_assert(offer_has_esp(&o, 7, true));
	ck_assert(!offer_has_esp(&o, 7, false));
	ck_assert(offer_has_esp(&o, 13, false));
	ck_assert(!offer_has_esp(&o, 12, true));
	ck_assert(!offer_has_esp(&offer_default, 7, true)); /* not offered */
	/* Initiator: the Responder's order, but for suite 7 */
	ck_assert_uint_eq(offer_take_esp(&o, &theirs, false), 12);
	ck_assert_uint_eq(offer_take_esp(&o, &theirs, true), 7);
	theirs.num = 2;
	ck_assert_uint_eq(offer_take_esp(&o, &theirs, true), 12);
	theirs = (struct field_ids){ { 7, 1, 14, 15 }, 4 };
	ck_assert_uint_eq(offer_take_esp(&o, &theirs, false), 0);
}
END_TEST

/* RFC 9028 4.3: the Responder's first that we do; the rest is no harm. */
START_TEST(a_nat_traversal_mode_is_chosen)
{
	struct field_ids theirs = { { 3, 2, 1 }, 3 };

	ck_assert_uint_eq(offer_take_nat(&offer_default, &theirs, true), 3);
	theirs = (struct field_ids){ { 2, 1, 3 }, 3 };
	ck_assert_uint_eq(offer_take_nat(&offer_default, &theirs, true), 1);
	theirs.num = 1;
	ck_assert_uint_eq(offer_take_nat(&offer_default, &theirs, true), 0);
	/* RFC 9028 4.7.3: straight, no checks are needed. */
	theirs = (struct field_ids){ { 3, 1 }, 2 };
	ck_assert_uint_eq(offer_take_nat(&offer_default, &theirs, false), 1);
	theirs.num = 1;
	ck_assert_uint_eq(offer_take_nat(&offer_default, &theirs, false), 0);
}
END_TEST

Suite *test_offer_suite(void);
Suite *test_offer_suite(void)
{
	Suite *s = suite_create("hip/offer");
	TCase *tc = tcase_create("offer");

	tcase_add_test(tc, defaults);
	tcase_add_test(tc, a_configured_list_is_taken_as_it_is);
	tcase_add_test(tc, what_cannot_be_offered_is_refused);
	tcase_add_test(tc, a_nat_traversal_mode_is_chosen);
	tcase_add_test(tc, no_encryption_is_for_listed_peers_and_last);
	suite_add_tcase(s, tc);
	return s;
}
