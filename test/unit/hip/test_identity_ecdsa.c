/* SPDX-License-Identifier: MIT */
/* ECDSA Host Identities: points, curves, widths. */
#include <check.h>

#include "hip/identity.h"
#include "test/unit/hip/hex.h"
#include "test/vectors/known_identity.h"

/* The first two of known_keys. */
static size_t host_id_of(const struct known_key *v, uint8_t *out)
{
	size_t len = hex(v->hi, out + 6);

	memset(out, 0, 6);
	out[1] = (uint8_t)len;
	out[5] = IDENTITY_ECDSA;
	return 6 + len;
}

START_TEST(host_id_mutations)
{
	uint8_t id[IDENTITY_HOST_ID_MAX];
	size_t len = host_id_of(&known_keys[_i], id);
	struct identity_peer *p;
	struct hit hit;

	ck_assert_int_eq(suite_setup(), 0);
	ck_assert_int_eq(identity_peer_new(id, len, &p), 0);
	hit = *identity_peer_hit(p);
	identity_peer_free(p);
	ck_assert(hex_eq(hit.b, 16, known_keys[_i].hit));
	for (size_t at = 9; at < len; at++) { /* off the curve */
		id[at] ^= 0x10;
		ck_assert_int_eq(identity_peer_new(id, len, &p), HG_EFORMAT);
		id[at] ^= 0x10;
	}
	id[8] = 2; /* a compressed point */
	ck_assert_int_eq(identity_peer_new(id, len, &p), HG_EFORMAT);
	id[8] = 4;
	id[7] ^= 3; /* the other curve: its length does not fit */
	ck_assert_int_eq(identity_peer_new(id, len, &p), HG_EFORMAT);
	id[7] = 9;
	ck_assert_int_eq(identity_peer_new(id, len, &p), HG_EUNSUPP);
	id[7] = 0;
	ck_assert_int_eq(identity_peer_new(id, len, &p), HG_EUNSUPP);
}
END_TEST

START_TEST(short_numbers_are_padded)
{
	struct hip_identity *id;
	uint8_t sig[IDENTITY_SIG_MAX];
	size_t n;

	ck_assert_int_eq(hip_identity_from_pem(known_keys[_i].pem,
					       strlen(known_keys[_i].pem), &id),
			 0);
	n = identity_sig_len(id);
	memset(sig, 0xff, sizeof(sig));
	/* Until an s is short and has to be padded: one in 256. */
	for (int i = 0; i < 20000 && sig[n / 2]; i++)
		ck_assert_int_eq(identity_sign(id, "hipgate", 7, sig), 0);
	ck_assert_uint_eq(sig[n / 2], 0);
	ck_assert_uint_eq(sig[n], 0xff);
	hip_identity_free(id);
}
END_TEST

Suite *test_identity_ecdsa_suite(void);
Suite *test_identity_ecdsa_suite(void)
{
	Suite *s = suite_create("hip/identity_ecdsa");
	TCase *tc = tcase_create("ecdsa");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, host_id_mutations, 0, 2);
	tcase_add_loop_test(tc, short_numbers_are_padded, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
