/* SPDX-License-Identifier: MIT */
/* MODP public values: range, subgroup, padding. */
#include <check.h>
#include <openssl/evp.h>

#include "hip/modp.h"
#include "test/unit/hip/hex.h"
#include "test/vectors/known_dh.h"

static const char *name_of(uint8_t group)
{
	switch (group) {
	case 3:
		return "modp_1536";
	case 4:
		return "modp_3072";
	default:
		return "modp_2048";
	}
}

static int take(const struct known_prime *v, const uint8_t *y, size_t len)
{
	const struct modp_key k = { .group = name_of(v->group),
				    .public = y,
				    .public_len = len };
	EVP_PKEY *pkey = NULL;
	int err = modp_get(&k, &pkey);

	EVP_PKEY_free(pkey);
	return err;
}

/* 2 .. p - 2, and of those the squares (RFC 2785 3.1). */
START_TEST(range_and_subgroup)
{
	const struct known_prime *v = &known_primes[_i];
	uint8_t y[MODP_MAX + 1] = { 0 };
	uint8_t p[MODP_MAX];
	size_t len = hex(v->p, p);

	ck_assert_int_eq(take(v, y, len), HG_EFORMAT); /* 0 */
	y[len - 1] = 1;
	ck_assert_int_eq(take(v, y, len), HG_EFORMAT);
	y[len - 1] = 2; /* the generator */
	ck_assert_int_eq(take(v, y, len), HG_OK);
	y[len - 1] = 4;
	ck_assert_int_eq(take(v, y, len), HG_OK);
	memcpy(y, p, len);
	ck_assert_int_eq(take(v, y, len), HG_EFORMAT); /* p */
	y[len - 1] -= 1;			       /* p - 1, of order 2 */
	ck_assert_int_eq(take(v, y, len), HG_EFORMAT);
	/* p - 2, p - 4: -1 is no square for p = 3 mod 4, so they are none */
	y[len - 1] = (uint8_t)(p[len - 1] - 2);
	ck_assert_int_eq(take(v, y, len), HG_EFORMAT);
	y[len - 1] = (uint8_t)(p[len - 1] - 4);
	ck_assert_int_eq(take(v, y, len), HG_EFORMAT);
	memset(y, 0xff, len);
	ck_assert_int_eq(take(v, y, len), HG_EFORMAT); /* above p */
}
END_TEST

START_TEST(lengths)
{
	const struct known_prime *v = &known_primes[_i];
	uint8_t y[MODP_MAX + 1] = { 0 };
	size_t len = strlen(v->p) / 2;

	y[len - 2] = 4;
	ck_assert_int_eq(take(v, y, len - 1), HG_ECRYPTO); /* dh.c's length */
	ck_assert_int_eq(take(v, y, MODP_MAX + 1), HG_EFORMAT);
}
END_TEST

START_TEST(round_trip_keeps_leading_zeros)
{
	const struct known_prime *v = &known_primes[_i];
	uint8_t y[MODP_MAX] = { 0 };
	uint8_t again[MODP_MAX];
	size_t len = strlen(v->p) / 2;
	const struct modp_key k = { .group = name_of(v->group),
				    .public = y,
				    .public_len = len };
	EVP_PKEY *pkey;

	y[5] = 0x40; /* a power of two */
	ck_assert_int_eq(modp_get(&k, &pkey), 0);
	ck_assert_int_eq(modp_put(pkey, again, len), 0);
	ck_assert_mem_eq(y, again, len);
	ck_assert_int_eq(modp_put(pkey, again, 8), HG_ECRYPTO);
	EVP_PKEY_free(pkey);
}
END_TEST

Suite *test_modp_suite(void);
Suite *test_modp_suite(void)
{
	Suite *s = suite_create("hip/modp");
	TCase *tc = tcase_create("modp");
	const int num = (int)(sizeof(known_primes) / sizeof(known_primes[0]));

	tcase_add_loop_test(tc, range_and_subgroup, 0, num);
	tcase_add_loop_test(tc, lengths, 0, num);
	tcase_add_loop_test(tc, round_trip_keeps_leading_zeros, 0, num);
	suite_add_tcase(s, tc);
	return s;
}
