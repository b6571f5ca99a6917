/* SPDX-License-Identifier: MIT */
/* KEYMAT: HKDF's output, the order of keys, both directions, the end. */
#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "hip/keymat.h"
#include "test/unit/hip/hex.h"
#include "test/vectors/known_keymat.h"

/* Constants: Python cryptography's HKDF(SHA384, 255*48, salt=I|J,
 * info=lesser|greater).derive(kij) with I = 00 01 .. 2f, J = 80 81 .. af,
 * kij = 00 01 .. 2f, lesser = 20010022 11.., greater = 20010022 99..; the
 * SHA-256 case likewise with 32 octets and 20010021. */
static struct hit lesser;
static struct hit greater;

static void seed_of(unsigned suite, struct keymat *km, bool swapped)
{
	uint8_t i[SUITE_HASH_MAX];
	uint8_t j[SUITE_HASH_MAX];
	struct keymat_seed seed = { .i = i, .j = j };

	ck_assert_int_eq(suite_setup(), 0);
	for (size_t n = 0; n < SUITE_HASH_MAX; n++) {
		i[n] = (uint8_t)n;
		j[n] = (uint8_t)(128 + n);
	}
	memset(&lesser, 0x11, sizeof(lesser));
	memset(&greater, 0x99, sizeof(greater));
	memcpy(lesser.b, "\x20\x01\x00", 3);
	memcpy(greater.b, "\x20\x01\x00", 3);
	lesser.b[3] = greater.b[3] = (uint8_t)(0x20 | suite);
	seed.rhash = suite_find(suite);
	seed.hit_a = swapped ? &greater : &lesser;
	seed.hit_b = swapped ? &lesser : &greater;
	ck_assert_int_eq(keymat_init(km, &seed, i, seed.rhash->hash_len), 0);
}

static void check_at(const struct keymat *km, size_t index, const char *want)
{
	uint8_t out[512];
	size_t len = strlen(want) / 2;

	ck_assert_int_eq(keymat_draw(km, index, out, len), 0);
	ck_assert(hex_eq(out, len, want));
}

START_TEST(hkdf_known_answers)
{
	struct keymat km;

	seed_of(2, &km, _i);
	check_at(&km, 0,
		 "d5659288743db4a18ad5bb01d5d30c167ca45f37f5d9c7ba0fcb00ca"
		 "a2d0844b51faa15c14ec99580b01b5037cb0298eaff35b6f516cfc52"
		 "e0af62ed777661a85a5cf7ea43e11d7f08ecdb895b0c1966f6c07d08"
		 "b5cbcca96b0e28bb488dd3fd");
	check_at(&km, 500, "d57226acfb5d2dfc3ee069a8738399029e0e12ce");
	check_at(&km, 255 * 48 - 16, "9ab92e1e61f41d589be52ff45f92d5ee");
	seed_of(1, &km, _i);
	check_at(&km, 500, "5a510c8e2189f31eceb4053606e91d547a14ea0c");
	check_at(&km, 255 * 32 - 16, "94ec0847fc8222a8e52c400c32b06fc7");
}
END_TEST

static struct hit hit_of(const char *text)
{
	struct hit h;

	hex(text, h.b);
	return h;
}

/* The second implementation's keys, for either host: index 96 and 160 among
 * them (checklist D13). */
START_TEST(known_keys_of_both_hosts)
{
	const struct known_keymat *v = &known_keymats[_i];
	const struct suite_cipher *c = suite_cipher_find(v->cipher);
	const struct sa_suite *s = sa_suite_find(v->esp);
	struct sa_pair p = { .self = hit_of(v->self),
			     .peer = hit_of(v->peer),
			     .suite = v->esp };
	uint8_t kij[66];
	uint8_t i[SUITE_HASH_MAX];
	uint8_t j[SUITE_HASH_MAX];
	struct keymat_seed seed = {
		.i = i, .j = j, .hit_a = &p.self, .hit_b = &p.peer
	};
	struct keymat_hip k;
	struct keymat km;
	uint16_t next;

	for (size_t n = 0; n < SUITE_HASH_MAX; n++) {
		i[n] = (uint8_t)n;
		j[n] = (uint8_t)(128 + n);
	}
	ck_assert_int_eq(suite_setup(), 0);
	seed.rhash = suite_find(v->rhash);
	ck_assert_int_eq(keymat_init(&km, &seed, kij, hex(v->kij, kij)), 0);
	ck_assert_int_eq(keymat_hip_keys(&km, c, &p.self, &p.peer, &k), 0);
	ck_assert(hex_eq(k.enc_out, c->key_len, v->enc_out));
	ck_assert(hex_eq(k.enc_in, c->key_len, v->enc_in));
	ck_assert(hex_eq(k.mac_out, seed.rhash->hash_len, v->mac_out));
	ck_assert(hex_eq(k.mac_in, seed.rhash->hash_len, v->mac_in));
	ck_assert_uint_eq(keymat_esp_index(seed.rhash, c), v->index);
	ck_assert_int_eq(keymat_esp_keys(&km, v->index, &p, &next), 0);
	ck_assert_uint_eq(next, v->next);
	ck_assert(hex_eq(p.out.enc, sa_enc_len(s), v->esp_out_enc));
	ck_assert(hex_eq(p.out.auth, s->auth_len, v->esp_out_auth));
	ck_assert(hex_eq(p.in.enc, sa_enc_len(s), v->esp_in_enc));
	ck_assert(hex_eq(p.in.auth, s->auth_len, v->esp_in_auth));
}
END_TEST

START_TEST(ends_after_255_hashes)
{
	uint8_t out[64];
	struct keymat km;

	seed_of(2, &km, false);
	ck_assert_int_eq(keymat_draw(&km, 255 * 48 - 1, out, 1), 0);
	ck_assert_int_eq(keymat_draw(&km, 255 * 48, out, 0), 0);
	ck_assert_int_eq(keymat_draw(&km, 255 * 48, out, 1), HG_EFULL);
	ck_assert_int_eq(keymat_draw(&km, 255 * 48 - 1, out, 2), HG_EFULL);
	ck_assert_int_eq(keymat_draw(&km, 65535, out, 1), HG_EFULL);
	ck_assert_int_eq(keymat_draw(&km, SIZE_MAX, out, 2), HG_EFULL);
	keymat_wipe(&km);
	ck_assert_uint_eq(km.prk[0] | km.info[0], 0);
}
END_TEST

START_TEST(draws_are_windows_of_one_stream)
{
	unsigned seed = randombytes_random();
	uint8_t all[1000];
	uint8_t part[1000];
	struct keymat km;

	printf("keymat: seed %u\n", seed);
	srand(seed);
	seed_of(2, &km, false);
	ck_assert_int_eq(keymat_draw(&km, 0, all, sizeof(all)), 0);
	for (int n = 0; n < 300; n++) {
		size_t at = (size_t)rand() % sizeof(all);
		size_t len = (size_t)rand() % (sizeof(all) - at);

		ck_assert_int_eq(keymat_draw(&km, at, part, len), 0);
		ck_assert_mem_eq(part, all + at, len);
	}
}
END_TEST

/* The same stream cut by hand (see above): AES-256, SHA-384. */
static const char gl_enc[] =
	"d5659288743db4a18ad5bb01d5d30c167ca45f37f5d9c7ba0fcb00caa2d0844b";
static const char gl_mac[] =
	"51faa15c14ec99580b01b5037cb0298eaff35b6f516cfc52e0af62ed777661a8"
	"5a5cf7ea43e11d7f08ecdb895b0c1966";
static const char lg_enc[] =
	"f6c07d08b5cbcca96b0e28bb488dd3fdd2c0e0197f2f16268d42975abe9210f3";
static const char lg_mac[] =
	"b45c35325f472c8b71388e4ee3ed6a2635282e5ffa8fb57126934066ef11ce3f"
	"d760f9c149fe3c75df414d41da234721";

START_TEST(hip_keys_by_direction)
{
	const struct suite_cipher *c = suite_cipher_find(SUITE_AES256_CBC);
	struct keymat_hip k;
	struct keymat km;

	seed_of(2, &km, false);
	ck_assert_int_eq(keymat_hip_keys(&km, c, &greater, &lesser, &k), 0);
	ck_assert(hex_eq(k.enc_out, 32, gl_enc));
	ck_assert(hex_eq(k.mac_out, 48, gl_mac));
	ck_assert(hex_eq(k.enc_in, 32, lg_enc));
	ck_assert(hex_eq(k.mac_in, 48, lg_mac));
	ck_assert_int_eq(keymat_hip_keys(&km, c, &lesser, &greater, &k), 0);
	ck_assert(hex_eq(k.enc_in, 32, gl_enc));
	ck_assert(hex_eq(k.mac_in, 48, gl_mac));
	ck_assert(hex_eq(k.enc_out, 32, lg_enc));
	ck_assert(hex_eq(k.mac_out, 48, lg_mac));
	keymat_hip_wipe(&k);
	ck_assert_uint_eq(k.enc_in[0] | k.mac_out[0], 0);
}
END_TEST

START_TEST(esp_index_of_a_base_exchange)
{
	/* checklist D13: 2 * (16 + 32), 2 * (32 + 48) */
	ck_assert_uint_eq(keymat_esp_index(suite_find(1), suite_cipher_find(2)),
			  96);
	ck_assert_uint_eq(keymat_esp_index(suite_find(2), suite_cipher_find(4)),
			  160);
}
END_TEST

START_TEST(esp_keys_gcm)
{
	struct sa_pair p = { .suite = SA_AES128_GCM16 };
	struct keymat km;
	uint16_t next;

	seed_of(2, &km, false);
	p.self = greater;
	p.peer = lesser;
	ck_assert_int_eq(keymat_esp_keys(&km, 160, &p, &next), 0);
	ck_assert_uint_eq(next, 200);
	ck_assert(hex_eq(p.out.enc, 20,
			 "0941aaef2d22e7bd4d57d599836c31d782b46a46"));
	ck_assert(hex_eq(p.in.enc, 20,
			 "a6bf55e478519482b5526a6a1de61f9dffe37004"));
	p.self = lesser;
	p.peer = greater;
	ck_assert_int_eq(keymat_esp_keys(&km, 160, &p, &next), 0);
	ck_assert(hex_eq(p.in.enc, 20,
			 "0941aaef2d22e7bd4d57d599836c31d782b46a46"));
}
END_TEST

START_TEST(esp_keys_cbc)
{
	struct sa_pair p = { .suite = SA_AES128_CBC_SHA256 };
	struct keymat km;
	uint16_t next;

	seed_of(2, &km, false);
	p.self = greater;
	p.peer = lesser;
	ck_assert_int_eq(keymat_esp_keys(&km, 160, &p, &next), 0);
	ck_assert_uint_eq(next, 256);
	ck_assert(hex_eq(p.out.enc, 16, "0941aaef2d22e7bd4d57d599836c31d7"));
	ck_assert(hex_eq(p.out.auth, 32,
			 "82b46a46a6bf55e478519482b5526a6a"
			 "1de61f9dffe37004011775415fdd1856"));
	ck_assert(hex_eq(p.in.enc, 16, "6df0e417bfef4393f84dac00c12422c3"));
	ck_assert(hex_eq(p.in.auth, 32,
			 "6d95b17b832452359eefbab3ed753ed8"
			 "8c9447933dcc28520d8081cd4db5d9ad"));
	ck_assert_int_eq(keymat_esp_keys(&km, 255 * 48 - 95, &p, &next),
			 HG_EFULL);
	ck_assert_uint_eq(p.out.enc[0] | p.in.enc[0], 0);
	p.suite = 1;
	ck_assert_int_eq(keymat_esp_keys(&km, 160, &p, &next), HG_EUNSUPP);
}
END_TEST

Suite *test_keymat_suite(void);
Suite *test_keymat_suite(void)
{
	Suite *s = suite_create("hip/keymat");
	TCase *tc = tcase_create("keymat");

	tcase_add_loop_test(tc, hkdf_known_answers, 0, 2);
	tcase_add_loop_test(tc, known_keys_of_both_hosts, 0,
			    sizeof(known_keymats) / sizeof(known_keymats[0]));
	tcase_add_test(tc, ends_after_255_hashes);
	tcase_add_test(tc, draws_are_windows_of_one_stream);
	tcase_add_test(tc, hip_keys_by_direction);
	tcase_add_test(tc, esp_index_of_a_base_exchange);
	tcase_add_test(tc, esp_keys_gcm);
	tcase_add_test(tc, esp_keys_cbc);
	suite_add_tcase(s, tc);
	return s;
}
