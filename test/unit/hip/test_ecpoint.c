/* SPDX-License-Identifier: MIT */
/* Curve points as octets. */
#include <check.h>
#include <openssl/evp.h>

#include "hip/ecpoint.h"
#include "test/unit/hip/hex.h"

/* The base point's 0x1234567th multiple on P-256 (Python cryptography). */
static const char xy_text[] =
	"088bb9ff22ab291a74c86fc677ba897baadee370cc6129b82d170ba3fc26415c"
	"442da9a716067956d91eaa02b93ad409490e87cd5e758ea6a331a1deb75ba846";

/* A point with a small x, its y; and the field's prime plus that x, which
 * names the same residue and must not be taken for it (SEC 1 2.3.4). */
static const char small_x[] =
	"0000000000000000000000000000000000000000000000000000000000000005";
static const char small_x_plus_p[] =
	"ffffffff00000001000000000000000000000001000000000000000000000004";
static const char small_y[] =
	"459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc";

START_TEST(round_trip)
{
	uint8_t xy[64];
	uint8_t again[64];
	EVP_PKEY *key;

	hex(xy_text, xy);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 64, &key), 0);
	ck_assert_int_eq(ecpoint_put(key, again, 64), 0);
	ck_assert_mem_eq(xy, again, 64);
	ck_assert_int_eq(ecpoint_put(key, again, 32), HG_ECRYPTO);
	EVP_PKEY_free(key);
}
END_TEST

START_TEST(refuses_what_is_not_a_point)
{
	uint8_t xy[128] = { 0 };
	EVP_PKEY *key;

	ck_assert_int_eq(ecpoint_get("P-256", xy, 64, &key), HG_EFORMAT);
	hex(xy_text, xy);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 63, &key), HG_EFORMAT);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 96, &key), HG_EFORMAT);
	ck_assert_int_eq(ecpoint_get("P-384", xy, 96, &key), HG_EFORMAT);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 128, &key), HG_EFORMAT);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 0, &key), HG_EFORMAT);
	for (size_t i = 0; i < 64; i++) {
		xy[i] ^= 0x10;
		ck_assert_int_eq(ecpoint_get("P-256", xy, 64, &key),
				 HG_EFORMAT);
		xy[i] ^= 0x10;
	}
}
END_TEST

START_TEST(refuses_coordinates_beyond_the_field)
{
	uint8_t xy[64];
	EVP_PKEY *key;

	hex(small_x, xy);
	hex(small_y, xy + 32);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 64, &key), 0);
	EVP_PKEY_free(key);
	hex(small_x_plus_p, xy);
	ck_assert_int_eq(ecpoint_get("P-256", xy, 64, &key), HG_EFORMAT);
}
END_TEST

/* Made keys are new ones on the curve that was asked for, by either of its
 * names, and what was made is read again. */
START_TEST(generates)
{
	uint8_t xy[2][96];
	EVP_PKEY *key;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(ecpoint_generate("P-384", &key), 0);
		ck_assert_int_eq(ecpoint_put(key, xy[i], 96), 0);
		EVP_PKEY_free(key);
		ck_assert_int_eq(ecpoint_get("secp384r1", xy[i], 96, &key), 0);
		EVP_PKEY_free(key);
	}
	ck_assert_mem_ne(xy[0], xy[1], 96);
	ck_assert_int_eq(ecpoint_generate("P-111", &key), HG_ECRYPTO);
	ck_assert_ptr_null(key);
	ck_assert_int_eq(ecpoint_get("P-111", xy[0], 96, &key), HG_ECRYPTO);
}
END_TEST

Suite *test_ecpoint_suite(void);
Suite *test_ecpoint_suite(void)
{
	Suite *s = suite_create("hip/ecpoint");
	TCase *tc = tcase_create("ecpoint");

	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, refuses_what_is_not_a_point);
	tcase_add_test(tc, refuses_coordinates_beyond_the_field);
	tcase_add_test(tc, generates);
	suite_add_tcase(s, tc);
	return s;
}
