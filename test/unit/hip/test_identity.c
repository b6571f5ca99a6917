/* SPDX-License-Identifier: MIT */
/* Host identities: HITs, HOST_ID, PEM, signatures, peers. */
#include <check.h>
#include <stdlib.h>

#include "hip/identity.h"
#include "test/unit/hip/hex.h"
#include "test/vectors/known_identity.h"

/* Keys, HITs and signatures are those of test/vectors/make.py; what other
 * forms of PEM there are, openssl made of the same keys. */
static const char pem_p256_sec1[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABI0VnoAoGCCqGSM49\n"
	"AwEHoUQDQgAECIu5/yKrKRp0yG/Gd7qJe6re43DMYSm4LRcLo/wmQVxELamnFgZ5\n"
	"VtkeqgK5OtQJSQ6HzV51jqajMaHet1uoRg==\n"
	"-----END EC PRIVATE KEY-----\n";
static const char pem_p384_sec1[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MIGkAgEBBDAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	"AAAAAAdlQyGgBwYFK4EEACKhZANiAASFaKNah5sNUGEymTxtkR0xNqcxQJq4xdJv\n"
	"16AegUJSgUU6bGrfTNLzjHelBCgV6kjoWsnN7tlcaZynmbnHMLEg85RUpTc+ofbG\n"
	"TEMZVTo4mij0a3pGF86HsmveF2lXOgk=\n"
	"-----END EC PRIVATE KEY-----\n";
static const char pem_p521[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAAAAAAAAAAAAAAAAA\n"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"
	"AAAAAAWhgYkDgYYABABlK/PFKSekMsc9vDORwE6wv3pZbv21Pw0kzwPauPF3rOQ4\n"
	"PAxtXjAUI3ES/q8TfnmjKdfh5tiTFzjVq1CW7I8weAFb5u8b3WYB1uyKK3MRSoES\n"
	"kRzY/o6HLgBR7dgXyaA0cIe7aJfJByzzdDEVQCEc9f950fAHJXNU9/gXPMPo3rCQ\n"
	"yw==\n"
	"-----END PRIVATE KEY-----\n";
static const char pem_ed25519[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n"
	"-----END PRIVATE KEY-----\n";
static const char pem_encrypted[] =
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
	"MIH0MF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBBV43opHUCUBBbtziOF\n"
	"qF2FAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQBtkn68mWyQrb4+Oc\n"
	"LV+r4wSBkP+hQ1UIgzRVJ+D6Oglq2RkoKLnCFjQOnTXRHZVdNBBhvv9Am0tIrtH8\n"
	"tVnFxG72DcQss9exYknNAQPo9cA/x85VoT2P4LooN8l/5a6NUaVSmrB9xQOyylRD\n"
	"gWnwiP8uprbU2XU/lm2+ONXnHkl+Js40Q/wiVy3zTYuautZvUC4XXxtRFKI4xOFA\n"
	"202ec6kMQA==\n"
	"-----END ENCRYPTED PRIVATE KEY-----\n";

/* By HIP_ALG_*. */
static const char *const sec1[] = { pem_p256_sec1, pem_p384_sec1 };

enum { KEYS_NUM = sizeof(known_keys) / sizeof(known_keys[0]) };

static struct hip_identity *identity_of(const char *pem)
{
	struct hip_identity *id;

	ck_assert_int_eq(hip_identity_from_pem(pem, strlen(pem), &id), 0);
	return id;
}

START_TEST(hit_and_host_id_of_a_known_key)
{
	const struct known_key *v = &known_keys[_i];
	struct hip_identity *id = identity_of(v->pem);
	size_t hi_len = strlen(v->hi) / 2;
	const uint8_t *host_id;
	const uint8_t *pk;
	uint8_t copy[IDENTITY_HOST_ID_MAX] = { 0 };
	uint8_t pk_alg;
	struct hit hit;
	size_t len;

	ck_assert_int_eq(hip_identity_alg(id), v->alg);
	ck_assert(hex_eq(hip_identity_hit(id)->b, 16, v->hit));
	ck_assert_uint_eq(hit_suite(hip_identity_hit(id)), v->suite);
	ck_assert_uint_eq(identity_suite(id)->id, v->suite);
	host_id = identity_host_id(id, &len);
	ck_assert_uint_eq(len, 6 + hi_len);
	ck_assert_uint_le(len, IDENTITY_HOST_ID_MAX);
	ck_assert_uint_eq(host_id[0] << 8 | host_id[1], hi_len);
	ck_assert_uint_eq(host_id[2] | host_id[3], 0);
	ck_assert_uint_eq(host_id[4] << 8 | host_id[5], v->suite == 1 ? 5 : 7);
	ck_assert(hex_eq(host_id + 6, hi_len, v->hi));
	/* DNS: x | y alone, or as in HOST_ID; and back to the same HIT */
	hip_identity_dns_key(id, &pk_alg, &pk, &len);
	ck_assert_uint_eq(pk_alg, v->dns_alg);
	ck_assert(hex_eq(pk, len, v->dns));
	ck_assert_int_eq(hip_hit_of_dns_key(pk_alg, pk, len, &hit), 0);
	ck_assert(hit_eq(&hit, hip_identity_hit(id)));
	memcpy(copy, pk, len);
	ck_assert_int_eq(hip_hit_of_dns_key(pk_alg ^ 1, copy, len, &hit),
			 HG_EUNSUPP);
	ck_assert_int_eq(hip_hit_of_dns_key(1, copy, len, &hit), HG_EUNSUPP);
	ck_assert_int_eq(hip_hit_of_dns_key(pk_alg, copy, 0, &hit), HG_EUNSUPP);
	ck_assert_int_eq(hip_hit_of_dns_key(pk_alg, copy, 1, &hit), HG_EUNSUPP);
	copy[len - 1] ^= 1; /* RSA: an even modulus; else another key */
	if (pk_alg == 2)
		ck_assert_int_eq(hip_hit_of_dns_key(2, copy, len, &hit),
				 HG_EUNSUPP);
	else
		ck_assert_int_eq(hip_hit_of_dns_key(3, copy, len - 1, &hit),
				 HG_EUNSUPP);
	hip_identity_free(id);
}
END_TEST

START_TEST(pem_round_trip)
{
	const struct known_key *v = &known_keys[_i];
	struct hip_identity *id = identity_of(v->pem);
	struct hip_identity *again;
	char *pem;

	ck_assert(hex_eq(hip_identity_hit(id)->b, 16, v->hit));
	ck_assert_int_eq(hip_identity_to_pem(id, &pem), 0);
	ck_assert_str_eq(pem, v->pem);
	again = identity_of(pem);
	ck_assert(hit_eq(hip_identity_hit(id), hip_identity_hit(again)));
	free(pem);
	hip_identity_free(again);
	hip_identity_free(id);
}
END_TEST

START_TEST(reads_sec1_too)
{
	struct hip_identity *id = identity_of(sec1[_i]);

	ck_assert(hex_eq(hip_identity_hit(id)->b, 16, known_keys[_i].hit));
	hip_identity_free(id);
}
END_TEST

START_TEST(makes_fresh_keys)
{
	struct hip_identity *id;
	struct hip_identity *again;
	char *pem;

	ck_assert_int_eq(hip_identity_generate((enum hip_alg)_i, &id), 0);
	ck_assert_int_eq(hip_identity_alg(id), _i);
	ck_assert_int_eq(hip_identity_to_pem(id, &pem), 0);
	again = identity_of(pem);
	ck_assert_int_eq(hip_identity_alg(again), _i);
	ck_assert(hit_eq(hip_identity_hit(id), hip_identity_hit(again)));
	free(pem);
	hip_identity_free(again);
	hip_identity_free(id);
}
END_TEST

START_TEST(refuses_other_pem)
{
	char text[512];
	struct hip_identity *id;

	ck_assert_int_eq(
		hip_identity_from_pem(pem_p521, sizeof(pem_p521) - 1, &id),
		HG_EUNSUPP);
	ck_assert_int_eq(hip_identity_from_pem(pem_ed25519,
					       sizeof(pem_ed25519) - 1, &id),
			 HG_EUNSUPP);
	ck_assert_int_eq(hip_identity_from_pem(pem_encrypted,
					       sizeof(pem_encrypted) - 1, &id),
			 HG_EFORMAT);
	ck_assert_int_eq(hip_identity_from_pem("", 0, &id), HG_EFORMAT);
	ck_assert_int_eq(hip_identity_from_pem("nonsense", 8, &id), HG_EFORMAT);
	ck_assert_int_eq(hip_identity_from_pem(known_keys[0].pem,
					       strlen(known_keys[0].pem) - 12,
					       &id),
			 HG_EFORMAT);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(
			hip_identity_from_pem(known_refused_keys[i].pem,
					      strlen(known_refused_keys[i].pem),
					      &id),
			HG_EUNSUPP);
	/* The private number changed, the public key left as it was. */
	strcpy(text, known_keys[0].pem);
	ck_assert_ptr_nonnull(strstr(text, "EjRWehRA"));
	memcpy(strstr(text, "EjRWehRA"), "EjRXehRA", 8);
	ck_assert_int_eq(hip_identity_from_pem(text, strlen(text), &id),
			 HG_EFORMAT);
	ck_assert_int_eq(hip_identity_generate(HIP_ALG_NUM, &id), HG_EUNSUPP);
	hip_identity_free(NULL);
}
END_TEST

static struct identity_peer *peer_of(const struct hip_identity *id)
{
	struct identity_peer *p;
	size_t len;
	const uint8_t *host_id = identity_host_id(id, &len);

	ck_assert_int_eq(identity_peer_new(host_id, len, &p), 0);
	ck_assert(hit_eq(identity_peer_hit(p), hip_identity_hit(id)));
	return p;
}

static uint16_t sig_alg(const struct known_key *v)
{
	return v->suite == 1 ? IDENTITY_RSA : IDENTITY_ECDSA;
}

START_TEST(verifies_known_signatures)
{
	const struct known_key *v = &known_keys[_i];
	struct hip_identity *id = identity_of(v->pem);
	struct identity_peer *p = peer_of(id);
	const struct suite_buf data = { "hipgate", 7 };
	const struct suite_buf other = { "hipgatf", 7 };
	const struct suite_buf less = { "hipgat", 6 };
	uint8_t sig[IDENTITY_SIG_MAX + 1] = { 0 };
	uint16_t alg = sig_alg(v);
	size_t n = hex(v->sig, sig);

	ck_assert_uint_eq(n, identity_sig_len(id));
	ck_assert_uint_eq(alg, identity_sig_alg(id));
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, n), 0);
	ck_assert_int_eq(identity_verify(p, alg, &other, sig, n), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, alg, &less, sig, n), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, alg ^ 2, &data, sig, n), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, n - 1), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, n + 1), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, 0), HG_EAUTH);
	for (size_t i = 0; i < n; i++) {
		sig[i] ^= 1;
		ck_assert_int_eq(identity_verify(p, alg, &data, sig, n),
				 HG_EAUTH);
		sig[i] ^= 1;
	}
	memset(sig, 0, n);
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, n), HG_EAUTH);
	memset(sig, 0xff, n);
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, n), HG_EAUTH);
	/* PSS without salt; an s that begins with zero */
	ck_assert_uint_eq(hex(v->sig_odd, sig), n);
	ck_assert_int_eq(identity_verify(p, alg, &data, sig, n), 0);
	ck_assert_int_eq(identity_verify(p, alg, &other, sig, n), HG_EAUTH);
	identity_peer_free(p);
	hip_identity_free(id);
}
END_TEST

START_TEST(signs_what_it_verifies)
{
	struct hip_identity *id = identity_of(known_keys[_i].pem);
	struct hip_identity *ref = identity_ref(id);
	struct identity_peer *p = peer_of(id);
	const struct suite_buf data = { "hipgate", 7 };
	uint8_t first[IDENTITY_SIG_MAX];
	uint8_t sig[IDENTITY_SIG_MAX];

	hip_identity_free(id); /* the reference keeps it alive */
	ck_assert_int_eq(identity_sign(ref, "hipgate", 7, first), 0);
	for (int i = 0; i < 10; i++) {
		ck_assert_int_eq(identity_sign(ref, "hipgate", 7, sig), 0);
		ck_assert_int_eq(identity_verify(p, identity_sig_alg(ref),
						 &data, sig,
						 identity_sig_len(ref)),
				 0);
		/* a nonce, a salt: never twice the same */
		ck_assert_mem_ne(sig, first, identity_sig_len(ref));
	}
	identity_peer_free(p);
	hip_identity_free(ref);
}
END_TEST

/* What holds for every kind; the kinds' own are in their files. */
START_TEST(host_id_mutations)
{
	struct hip_identity *id = identity_of(known_keys[_i].pem);
	struct identity_peer *p;
	uint8_t copy[IDENTITY_HOST_ID_MAX + 8] = { 0 };
	size_t len;
	const uint8_t *host_id = identity_host_id(id, &len);

	memcpy(copy, host_id, len);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(identity_peer_new(copy, cut, &p), HG_EFORMAT);
	ck_assert_int_eq(identity_peer_new(copy, len + 1, &p), HG_EFORMAT);
	copy[5] ^= 2; /* RSA for ECDSA, ECDSA for RSA */
	ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EUNSUPP);
	copy[5] = 13; /* EdDSA */
	ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EUNSUPP);
	copy[5] = host_id[5];
	/* with a domain identifier the HIT is the same */
	copy[2] = 0x10;
	copy[3] = 3;
	ck_assert_int_eq(identity_peer_new(copy, len + 3, &p), 0);
	ck_assert(hit_eq(identity_peer_hit(p), hip_identity_hit(id)));
	identity_peer_free(p);
	identity_peer_free(NULL);
	hip_identity_free(id);
}
END_TEST

START_TEST(hit_takes_the_middle_of_the_hash)
{
	struct hit hit;

	ck_assert_int_eq(suite_setup(), 0);
	/* Python: hashlib.sha256(ctx + b"abc").digest()[10:22], and
	 * sha384(...)[18:30]. */
	ck_assert_int_eq(
		identity_hit(suite_find(1), (const uint8_t *)"abc", 3, &hit),
		0);
	ck_assert(hex_eq(hit.b, 16, "20010021b5fddb2c999303c8e766379e"));
	ck_assert_int_eq(
		identity_hit(suite_find(2), (const uint8_t *)"abc", 3, &hit),
		0);
	ck_assert(hex_eq(hit.b, 16, "200100220b17141f4d6217bebb2f7fcf"));
}
END_TEST

Suite *test_identity_suite(void);
Suite *test_identity_suite(void)
{
	Suite *s = suite_create("hip/identity");
	TCase *tc = tcase_create("identity");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, hit_and_host_id_of_a_known_key, 0, KEYS_NUM);
	tcase_add_loop_test(tc, pem_round_trip, 0, KEYS_NUM);
	tcase_add_loop_test(tc, reads_sec1_too, 0, 2);
	/* RSA-4096 needs seconds to be found. */
	tcase_add_loop_test(tc, makes_fresh_keys, 0, HIP_ALG_RSA_4096);
	tcase_add_test(tc, refuses_other_pem);
	tcase_add_loop_test(tc, verifies_known_signatures, 0, KEYS_NUM);
	tcase_add_loop_test(tc, signs_what_it_verifies, 0, KEYS_NUM);
	tcase_add_loop_test(tc, host_id_mutations, 0, KEYS_NUM);
	tcase_add_test(tc, hit_takes_the_middle_of_the_hash);
	suite_add_tcase(s, tc);
	return s;
}
