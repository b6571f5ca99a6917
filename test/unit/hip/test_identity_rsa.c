/* SPDX-License-Identifier: MIT */
/* RSA Host Identities: exponents, moduli, what we refuse. */
#include <check.h>

#include "hip/identity.h"
#include "test/unit/hip/hex.h"
#include "test/vectors/known_identity.h"

enum { RSA_2048 = 2, RSA_2052 = 3, RSA_4096 = 5 }; /* of known_keys */

static uint8_t host_id[600];

/* HOST_ID with this HI. */
static int take(const uint8_t *hi, size_t len)
{
	struct identity_peer *p = NULL;
	int err = suite_setup();

	ck_assert_int_eq(err, 0);
	memset(host_id, 0, 6);
	host_id[0] = (uint8_t)(len >> 8);
	host_id[1] = (uint8_t)len;
	host_id[5] = IDENTITY_RSA;
	memcpy(host_id + 6, hi, len);
	err = identity_peer_new(host_id, 6 + len, &p);
	identity_peer_free(p);
	return err;
}

/* HI of an exponent and the modulus of RSA-2048. */
static size_t with_exponent(const char *e, uint8_t *hi)
{
	size_t len = hex(e, hi + 1);
	uint8_t old[600];
	size_t n = hex(known_keys[RSA_2048].hi, old);

	hi[0] = (uint8_t)len;
	memcpy(hi + 1 + len, old + 4, n - 4);
	return 1 + len + n - 4;
}

START_TEST(exponents)
{
	static const struct {
		const char *e;
		int want;
	} rows[] = {
		{ "010001", HG_OK },
		{ "03", HG_OK },
		{ "11", HG_OK },
		{ "ffffffff", HG_OK },
		{ "01", HG_EFORMAT },	    /* signs nothing */
		{ "02", HG_EFORMAT },	    /* even */
		{ "010000", HG_EFORMAT },   /* even */
		{ "00", HG_EUNSUPP },	    /* zero */
		{ "00010001", HG_EUNSUPP }, /* a leading zero (RFC 3110 2) */
		{ "0100000001", HG_EUNSUPP },
	};
	uint8_t hi[600];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(take(hi, with_exponent(rows[i].e, hi)) ==
				      rows[i].want,
			      "e = %s", rows[i].e);
}
END_TEST

START_TEST(three_octet_exponent_length_is_refused)
{
	uint8_t hi[600] = { 0, 0, 3 };
	size_t n = hex(known_keys[RSA_2048].hi, hi + 2);

	hi[0] = 0; /* 00 00 03 01 00 01 ... (RFC 3110 2: only above 255) */
	hi[2] = 3;
	ck_assert_int_eq(take(hi, n + 2), HG_EUNSUPP);
}
END_TEST

START_TEST(moduli)
{
	uint8_t hi[600];
	size_t n;

	for (int i = RSA_2048; i <= RSA_4096; i++) {
		n = hex(known_keys[i].hi, hi);
		ck_assert_int_eq(take(hi, n), HG_OK);
		hi[n - 1] ^= 1; /* even */
		ck_assert_int_eq(take(hi, n), HG_EFORMAT);
	}
	for (int i = 0; i < 2; i++) { /* 2040 and 4104 bits */
		n = hex(known_refused_keys[i].hi, hi);
		ck_assert_int_eq(take(hi, n), HG_EUNSUPP);
	}
	n = hex(known_keys[RSA_2048].hi, hi);
	hi[4] &= 0x7f; /* 2047 bits */
	ck_assert_int_eq(take(hi, n), HG_EUNSUPP);
	hi[4] = 0; /* a leading zero */
	ck_assert_int_eq(take(hi, n), HG_EUNSUPP);
	ck_assert_int_eq(take(hi, 4), HG_EUNSUPP); /* an exponent alone */
	ck_assert_int_eq(take(hi, 1), HG_EUNSUPP);
}
END_TEST

START_TEST(a_row_has_every_modulus_up_to_the_next)
{
	struct hip_identity *id;

	ck_assert_int_eq(hip_identity_from_pem(known_keys[RSA_2052].pem,
					       strlen(known_keys[RSA_2052].pem),
					       &id),
			 0);
	ck_assert_int_eq(hip_identity_alg(id), HIP_ALG_RSA_2048);
	ck_assert_uint_eq(identity_sig_len(id), 257);
	hip_identity_free(id);
}
END_TEST

/* The private exponent changed, the rest left as it was: base64 of some
 * octets in the middle of the file. */
START_TEST(halves_that_do_not_match_are_refused)
{
	char text[4000];
	struct hip_identity *id;
	size_t len = strlen(known_keys[RSA_2048].pem);
	int refused = 0;

	for (size_t at = 100; at < len - 100; at += 64) {
		strcpy(text, known_keys[RSA_2048].pem);
		if (text[at] == '\n')
			at++;
		text[at] = text[at] == 'A' ? 'B' : 'A';
		if (hip_identity_from_pem(text, len, &id) == 0)
			hip_identity_free(id); /* a number that CRT spares */
		else
			refused++;
	}
	ck_assert_int_ge(refused, 5); /* all lines of the modulus */
}
END_TEST

Suite *test_identity_rsa_suite(void);
Suite *test_identity_rsa_suite(void)
{
	Suite *s = suite_create("hip/identity_rsa");
	TCase *tc = tcase_create("rsa");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, exponents);
	tcase_add_test(tc, three_octet_exponent_length_is_refused);
	tcase_add_test(tc, moduli);
	tcase_add_test(tc, a_row_has_every_modulus_up_to_the_next);
	tcase_add_test(tc, halves_that_do_not_match_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
