/* SPDX-License-Identifier: MIT */
/* Host identities: HITs, HOST_ID, PEM, signatures, peers. */
#include <check.h>
#include <stdlib.h>

#include "hip/identity.h"
#include "test/unit/hip/hex.h"

/* Constants: Python cryptography, ec.derive_private_key(0x1234567, P-256)
 * and (0x7654321, P-384); HIT = 2001:22 | sha384(Context ID | HI)[18:30];
 * signatures over b"hipgate" with SHA-384, as r | s. Test keys only. */
static const char pem_p256[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA\n"
	"AAAAAAAAAAAAAAAAAAAAAAEjRWehRANCAAQIi7n/IqspGnTIb8Z3uol7qt7jcMxh\n"
	"KbgtFwuj/CZBXEQtqacWBnlW2R6qArk61AlJDofNXnWOpqMxod63W6hG\n"
	"-----END PRIVATE KEY-----\n";
static const char pem_p256_sec1[] =
	"-----BEGIN EC PRIVATE KEY-----\n"
	"MHcCAQEEIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABI0VnoAoGCCqGSM49\n"
	"AwEHoUQDQgAECIu5/yKrKRp0yG/Gd7qJe6re43DMYSm4LRcLo/wmQVxELamnFgZ5\n"
	"VtkeqgK5OtQJSQ6HzV51jqajMaHet1uoRg==\n"
	"-----END EC PRIVATE KEY-----\n";
static const char pem_p384[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIG2AgEAMBAGByqGSM49AgEGBSuBBAAiBIGeMIGbAgEBBDAAAAAAAAAAAAAAAAAA\n"
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAdlQyGhZANiAASFaKNah5sN\n"
	"UGEymTxtkR0xNqcxQJq4xdJv16AegUJSgUU6bGrfTNLzjHelBCgV6kjoWsnN7tlc\n"
	"aZynmbnHMLEg85RUpTc+ofbGTEMZVTo4mij0a3pGF86HsmveF2lXOgk=\n"
	"-----END PRIVATE KEY-----\n";
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

static const struct vector {
	enum hip_alg alg;
	uint16_t curve;
	const char *pem;
	const char *sec1;
	const char *xy;
	const char *hit;
	const char *sig;
} vectors[] = {
	{ HIP_ALG_ECDSA_P256, 1, pem_p256, pem_p256_sec1,
	  "088bb9ff22ab291a74c86fc677ba897baadee370cc6129b82d170ba3fc26415c"
	  "442da9a716067956d91eaa02b93ad409490e87cd5e758ea6a331a1deb75ba846",
	  "200100220b025ab45b391257105e78d9",
	  "72484a548c56db1f094c6b6f0e577ee09175a5df0d82d3e7f7d71e512424a680"
	  "a367b839e5990d01ac072d75166fe1647f959463f7a71d9f179d27c9c998020f" },
	{ HIP_ALG_ECDSA_P384, 2, pem_p384, pem_p384_sec1,
	  "8568a35a879b0d506132993c6d911d3136a731409ab8c5d26fd7a01e81425281"
	  "453a6c6adf4cd2f38c77a5042815ea48e85ac9cdeed95c699ca799b9c730b120"
	  "f39454a5373ea1f6c64c4319553a389a28f46b7a4617ce87b26bde1769573a09",
	  "200100228f2dce5fe829a8dc4fe805cc",
	  "7fc33a1e788667834ca9f878d3814e2749b12b5b03dec6436ba710b9eebb2bf9"
	  "0542fde31eb9305292861dc7ad43b6a1733269b3cf0661ec6c57be6029639884"
	  "8de16192b7a7589d01e05051bd048150d04bd4949fcff1e54205469970fcb5a3" },
};

#define VECTORS_NUM (sizeof(vectors) / sizeof(vectors[0]))

static struct hip_identity *identity_of(const char *pem)
{
	struct hip_identity *id;

	ck_assert_int_eq(hip_identity_from_pem(pem, strlen(pem), &id), 0);
	return id;
}

START_TEST(hit_and_host_id_of_a_known_key)
{
	const struct vector *v = &vectors[_i];
	struct hip_identity *id = identity_of(v->pem);
	size_t half = strlen(v->xy) / 2;
	const uint8_t *host_id;
	const uint8_t *pk;
	uint8_t pk_alg;
	struct hit hit;
	size_t len;

	ck_assert_int_eq(hip_identity_alg(id), v->alg);
	ck_assert(hex_eq(hip_identity_hit(id)->b, 16, v->hit));
	ck_assert_uint_eq(hit_suite(hip_identity_hit(id)), 2);
	ck_assert_uint_eq(identity_suite(id)->id, 2);
	host_id = identity_host_id(id, &len);
	ck_assert_uint_eq(len, 6 + 3 + half);
	ck_assert_uint_eq(host_id[1], 3 + half);
	ck_assert_uint_eq(host_id[0] | host_id[2] | host_id[3], 0);
	ck_assert_uint_eq(host_id[4] << 8 | host_id[5], 7);
	ck_assert_uint_eq(host_id[6] << 8 | host_id[7], v->curve);
	ck_assert_uint_eq(host_id[8], 4);
	ck_assert(hex_eq(host_id + 9, half, v->xy));
	/* DNS: x | y alone, and back to the same HIT (8005 5.5) */
	hip_identity_dns_key(id, &pk_alg, &pk, &len);
	ck_assert_uint_eq(pk_alg, 3);
	ck_assert(hex_eq(pk, len, v->xy));
	ck_assert_int_eq(hip_hit_of_dns_key(pk_alg, pk, len, &hit), 0);
	ck_assert(hit_eq(&hit, hip_identity_hit(id)));
	ck_assert_int_eq(hip_hit_of_dns_key(2, pk, len, &hit), HG_EUNSUPP);
	ck_assert_int_eq(hip_hit_of_dns_key(3, pk, len - 1, &hit), HG_EUNSUPP);
	ck_assert_int_eq(hip_hit_of_dns_key(3, pk, 0, &hit), HG_EUNSUPP);
	hip_identity_free(id);
}
END_TEST

START_TEST(pem_round_trip)
{
	const struct vector *v = &vectors[_i];
	struct hip_identity *id = identity_of(v->sec1);
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
	/* a fresh one, too */
	ck_assert_int_eq(hip_identity_generate(v->alg, &id), 0);
	ck_assert_int_eq(hip_identity_alg(id), v->alg);
	ck_assert_int_eq(hip_identity_to_pem(id, &pem), 0);
	again = identity_of(pem);
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
	ck_assert_int_eq(
		hip_identity_from_pem(pem_p256, sizeof(pem_p256) - 12, &id),
		HG_EFORMAT);
	/* The private number changed, the public key left as it was. */
	strcpy(text, pem_p256);
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

START_TEST(verifies_a_known_signature)
{
	const struct vector *v = &vectors[_i];
	struct hip_identity *id = identity_of(v->pem);
	struct identity_peer *p = peer_of(id);
	const struct suite_buf data = { "hipgate", 7 };
	const struct suite_buf other = { "hipgatf", 7 };
	const struct suite_buf less = { "hipgat", 6 };
	uint8_t sig[IDENTITY_SIG_MAX + 1] = { 0 };
	size_t n = hex(v->sig, sig);

	ck_assert_uint_eq(n, identity_sig_len(id));
	ck_assert_int_eq(identity_verify(p, 7, &data, sig, n), 0);
	ck_assert_int_eq(identity_verify(p, 7, &other, sig, n), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, 7, &less, sig, n), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, 5, &data, sig, n), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, 7, &data, sig, n - 1), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, 7, &data, sig, n + 1), HG_EAUTH);
	ck_assert_int_eq(identity_verify(p, 7, &data, sig, 0), HG_EAUTH);
	for (size_t i = 0; i < n; i++) {
		sig[i] ^= 1;
		ck_assert_int_eq(identity_verify(p, 7, &data, sig, n),
				 HG_EAUTH);
		sig[i] ^= 1;
	}
	memset(sig, 0, n);
	ck_assert_int_eq(identity_verify(p, 7, &data, sig, n), HG_EAUTH);
	memset(sig, 0xff, n);
	ck_assert_int_eq(identity_verify(p, 7, &data, sig, n), HG_EAUTH);
	identity_peer_free(p);
	hip_identity_free(id);
}
END_TEST

START_TEST(signs_what_it_verifies)
{
	struct hip_identity *id = identity_of(vectors[_i].pem);
	struct hip_identity *ref = identity_ref(id);
	struct identity_peer *p = peer_of(id);
	const struct suite_buf data = { "hipgate", 7 };
	uint8_t sig[IDENTITY_SIG_MAX];

	hip_identity_free(id); /* the reference keeps it alive */
	memset(sig, 0xff, sizeof(sig));
	/* Until an s is short and has to be padded: one in 256. */
	for (int i = 0; i < 20000 && sig[identity_sig_len(ref) / 2]; i++) {
		ck_assert_int_eq(identity_sign(ref, "hipgate", 7, sig), 0);
		ck_assert_int_eq(identity_verify(p, identity_sig_alg(ref),
						 &data, sig,
						 identity_sig_len(ref)),
				 0);
	}
	ck_assert_uint_eq(sig[identity_sig_len(ref) / 2], 0);
	identity_peer_free(p);
	hip_identity_free(ref);
}
END_TEST

START_TEST(host_id_mutations)
{
	struct hip_identity *id = identity_of(vectors[_i].pem);
	struct identity_peer *p;
	uint8_t copy[IDENTITY_HOST_ID_MAX + 8] = { 0 };
	size_t len;
	const uint8_t *host_id = identity_host_id(id, &len);

	memcpy(copy, host_id, len);
	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(identity_peer_new(copy, cut, &p), HG_EFORMAT);
	ck_assert_int_eq(identity_peer_new(copy, len + 1, &p), HG_EFORMAT);
	for (size_t at = 9; at < len; at++) { /* off the curve */
		copy[at] ^= 0x10;
		ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EFORMAT);
		copy[at] ^= 0x10;
	}
	copy[8] = 2; /* a compressed point */
	ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EFORMAT);
	copy[8] = 4;
	copy[7] ^= 3; /* the other curve: its length does not fit */
	ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EFORMAT);
	copy[7] ^= 3;
	copy[7] = 9;
	ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EUNSUPP);
	copy[7] = host_id[7];
	copy[5] = 5; /* RSA */
	ck_assert_int_eq(identity_peer_new(copy, len, &p), HG_EUNSUPP);
	copy[5] = 7;
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

	tcase_add_loop_test(tc, hit_and_host_id_of_a_known_key, 0, VECTORS_NUM);
	tcase_add_loop_test(tc, pem_round_trip, 0, VECTORS_NUM);
	tcase_add_test(tc, refuses_other_pem);
	tcase_add_loop_test(tc, verifies_a_known_signature, 0, VECTORS_NUM);
	tcase_add_loop_test(tc, signs_what_it_verifies, 0, VECTORS_NUM);
	tcase_set_timeout(tc, 30);
	tcase_add_loop_test(tc, host_id_mutations, 0, VECTORS_NUM);
	tcase_add_test(tc, hit_takes_the_middle_of_the_hash);
	suite_add_tcase(s, tc);
	return s;
}
