/* SPDX-License-Identifier: MIT */
/* ENCRYPTED: known answers, round trips, mutations. */
#include <check.h>
#include <sodium.h>

#include "hip/encrypted.h"
#include "hip/fields.h"
#include "test/unit/hip/hex.h"

static const struct hit any_hit = { { 0x20, 0x01, 0, 0x22, 1 } };

/* HOST_ID with contents 00 01 .. (30 octets), PKCS5-padded by 8; IV a0 a1
 * .. af; key 00 01 ..; by Python cryptography's AES-CBC. The third is 26
 * octets of contents with no cipher padding at all (HIPL's way). */
static const struct vector {
	uint16_t cipher;
	uint8_t contents_len;
	const char *sealed;
} vectors[] = {
	{ SUITE_AES128_CBC, 30,
	  "8238e32a4346a1766ee818e92df819e073b692e82701496e1ffc175dc6f2b512"
	  "16d8c4b0c4f8a034b4ea6fa6e8444db2" },
	{ SUITE_AES256_CBC, 30,
	  "cd91177085fac4257954e07928c3285a1d18b0137595e4ffb44a891e5a2b2c90"
	  "c1d62a3e9b833ed498882aeaf91c427e" },
	{ SUITE_AES128_CBC, 26,
	  "316a95a328b45da59a787d4af4a7daf2928a38e2fc53606fde9480d91d4dd0c4" },
};

static size_t vector_contents(const struct vector *v, uint8_t *out)
{
	memset(out, 0, 4);
	for (size_t i = 0; i < 16; i++)
		out[4 + i] = (uint8_t)(0xa0 + i);
	return 20 + hex(v->sealed, out + 20);
}

static void key_of(uint8_t key[SUITE_KEY_MAX])
{
	for (size_t i = 0; i < SUITE_KEY_MAX; i++)
		key[i] = (uint8_t)i;
	ck_assert_int_eq(suite_setup(), 0);
}

START_TEST(opens_known_answers)
{
	const struct vector *v = &vectors[_i];
	const struct suite_cipher *c = suite_cipher_find(v->cipher);
	uint8_t contents[128];
	struct hip_param p = { .id = PARAM_ENCRYPTED, .contents = contents };
	const struct hip_param *host_id;
	struct encrypted_inner in;
	uint8_t key[SUITE_KEY_MAX];

	key_of(key);
	p.len = (uint16_t)vector_contents(v, contents);
	ck_assert_int_eq(encrypted_open(&p, HIP_I2, c, key, &in), REASON_NUM);
	ck_assert_uint_eq(in.params.num, 1);
	host_id = param_find(&in.params, PARAM_HOST_ID);
	ck_assert_ptr_nonnull(host_id);
	ck_assert_uint_eq(host_id->len, v->contents_len);
	for (size_t i = 0; i < host_id->len; i++)
		ck_assert_uint_eq(host_id->contents[i], i);
	encrypted_wipe(&in);
	/* mutations */
	p.len--;
	ck_assert_int_eq(encrypted_open(&p, HIP_I2, c, key, &in),
			 REASON_HIP_ENCRYPTED);
	p.len = 4 + 16;
	ck_assert_int_eq(encrypted_open(&p, HIP_I2, c, key, &in),
			 REASON_HIP_ENCRYPTED);
	p.len = 4;
	ck_assert_int_eq(encrypted_open(&p, HIP_I2, c, key, &in),
			 REASON_HIP_ENCRYPTED);
	p.len = (uint16_t)vector_contents(v, contents);
	contents[4 + 2] ^= 0xff; /* IV: the inner length becomes absurd */
	ck_assert_int_eq(encrypted_open(&p, HIP_I2, c, key, &in),
			 REASON_HIP_ENCRYPTED);
}
END_TEST

START_TEST(inner_parameters_are_judged)
{
	static const uint8_t unknown_critical[8] = { 0x7f, 0xff, 0, 4 };
	const struct suite_cipher *c = suite_cipher_find(SUITE_AES128_CBC);
	struct msg_builder inner;
	struct msg_builder b;
	struct encrypted_inner in;
	struct hip_msg m;
	uint8_t key[SUITE_KEY_MAX];

	key_of(key);
	message_begin_inner(&inner);
	memcpy(inner.buf, unknown_critical, 8);
	inner.len = 8;
	message_begin(&b, HIP_I2, &any_hit, &any_hit);
	ck_assert_int_eq(encrypted_seal(&b, &inner, c, key), 0);
	ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
	ck_assert_int_eq(encrypted_open(param_find(&m, PARAM_ENCRYPTED), HIP_I2,
					c, key, &in),
			 REASON_HIP_CRITICAL);
}
END_TEST

START_TEST(round_trips_of_every_length)
{
	uint8_t octets[64];
	uint8_t key[SUITE_KEY_MAX];

	key_of(key);
	memset(octets, 0x5a, sizeof(octets));
	for (size_t len = 0; len <= sizeof(octets); len++) {
		const struct suite_cipher *c =
			suite_cipher_find(len % 2 ? 2 : 4);
		struct msg_builder inner;
		struct msg_builder b;
		struct encrypted_inner in;
		const struct hip_param *p;
		struct hip_msg m;

		message_begin_inner(&inner);
		message_put(&inner, PARAM_ECHO_REQUEST_SIGNED, octets, len);
		message_begin(&b, HIP_UPDATE, &any_hit, &any_hit);
		ck_assert_int_eq(encrypted_seal(&b, &inner, c, key), 0);
		ck_assert_int_eq(param_parse(b.buf, b.len, &m), REASON_NUM);
		p = param_find(&m, PARAM_ENCRYPTED);
		ck_assert_int_eq(encrypted_open(p, HIP_UPDATE, c, key, &in),
				 REASON_NUM);
		p = param_find(&in.params, PARAM_ECHO_REQUEST_SIGNED);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(p->len, len);
		ck_assert_mem_eq(p->contents, octets, len);
		encrypted_wipe(&in);
	}
}
END_TEST

START_TEST(two_seals_differ)
{
	const struct suite_cipher *c = suite_cipher_find(SUITE_AES128_CBC);
	struct msg_builder inner;
	struct msg_builder a;
	struct msg_builder b;
	uint8_t key[SUITE_KEY_MAX];

	key_of(key);
	message_begin_inner(&inner);
	message_put(&inner, PARAM_ECHO_REQUEST_SIGNED, "12345678", 8);
	message_begin(&a, HIP_UPDATE, &any_hit, &any_hit);
	message_begin(&b, HIP_UPDATE, &any_hit, &any_hit);
	ck_assert_int_eq(encrypted_seal(&a, &inner, c, key), 0);
	ck_assert_int_eq(encrypted_seal(&b, &inner, c, key), 0);
	ck_assert_uint_eq(a.len, b.len);
	ck_assert_mem_ne(a.buf + 48, b.buf + 48, 16); /* the IVs */
	ck_assert_mem_ne(a.buf + 64, b.buf + 64, 32);
}
END_TEST

START_TEST(too_much_does_not_fit)
{
	static const uint8_t big[1960];
	const struct suite_cipher *c = suite_cipher_find(SUITE_AES128_CBC);
	struct msg_builder inner;
	struct msg_builder b;
	uint8_t key[SUITE_KEY_MAX];

	key_of(key);
	message_begin_inner(&inner);
	message_put(&inner, PARAM_ECHO_REQUEST_SIGNED, big, sizeof(big));
	message_begin(&b, HIP_UPDATE, &any_hit, &any_hit);
	ck_assert_int_eq(encrypted_seal(&b, &inner, c, key), 0);
	message_begin(&b, HIP_UPDATE, &any_hit, &any_hit);
	fields_put_seq(&b, 1); /* 8 octets more: the last that fit */
	fields_put_ack(&b, &(struct field_ack){ .id = { 1 }, .num = 1 });
	ck_assert_int_eq(encrypted_seal(&b, &inner, c, key), HG_EFULL);
	ck_assert_int_eq(message_finish(&b), HG_EFULL);
}
END_TEST

Suite *test_encrypted_suite(void);
Suite *test_encrypted_suite(void)
{
	Suite *s = suite_create("hip/encrypted");
	TCase *tc = tcase_create("encrypted");

	tcase_add_loop_test(tc, opens_known_answers, 0,
			    sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(tc, inner_parameters_are_judged);
	tcase_add_test(tc, round_trips_of_every_length);
	tcase_add_test(tc, two_seals_differ);
	tcase_add_test(tc, too_much_does_not_fit);
	suite_add_tcase(s, tc);
	return s;
}
