/* SPDX-License-Identifier: MIT */
/* Tables and hashes of hip/suite.c. */
#include <check.h>
#include <string.h>

#include "hip/suite.h"
#include "test/unit/hip/hex.h"

/* Constants: hashlib.sha384(b"abc"), hmac.new(b"", b"abc", "sha384"), and
 * RFC 4231 test case 2 ("Jefe"). */
static const char sha384_abc[] =
	"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
	"8086072ba1e7cc2358baeca134c825a7";
static const char hmac_empty[] =
	"948f7c5caa500c31d7d4a0f52f3e3da7e33c8a9fe6ef528b8a9ac3e4adc4e24d"
	"908e6f40b737510e82354759dc5e9f06";
static const char hmac_jefe256[] =
	"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
/* RFC 4231 test case 6: a key of 131 octets aa; and hmac.new(b"\xaa" * 128,
 * ...): one of SHA-384's block. */
static const char long_key256[] =
	"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
static const char long_key384[] =
	"4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	"0c2ef6ab4030fe8296248df163f44952";
static const char block_key384[] =
	"d46cb7fc966871f46e151ab056e572d1dd8e829dfd994f59046118c881fbd584"
	"39d9b3098725cd8570c4d361b7b4772c";

START_TEST(hash_in_pieces)
{
	const struct suite_buf in[] = { { "a", 1 }, { "", 0 }, { "bc", 2 } };
	uint8_t out[SUITE_HASH_MAX];

	ck_assert_int_eq(suite_setup(), 0);
	ck_assert_int_eq(suite_setup(), 0); /* may be called again */
	ck_assert_int_eq(suite_hash(suite_find(2), in, 3, out), 0);
	ck_assert(hex_eq(out, 48, sha384_abc));
}
END_TEST

START_TEST(hmac_vectors)
{
	const struct suite_buf empty = { NULL, 0 };
	const struct suite_buf jefe = { "Jefe", 4 };
	const struct suite_buf abc = { "abc", 3 };
	const struct suite_buf what = { "what do ya want for nothing?", 28 };
	uint8_t out[SUITE_HASH_MAX];

	ck_assert_int_eq(suite_setup(), 0);
	ck_assert_int_eq(suite_hmac(suite_find(2), &empty, &abc, 1, out), 0);
	ck_assert(hex_eq(out, 48, hmac_empty));
	ck_assert_int_eq(suite_hmac(suite_find(1), &jefe, &what, 1, out), 0);
	ck_assert(hex_eq(out, 32, hmac_jefe256));
}
END_TEST

START_TEST(hmac_keys_up_to_a_block_and_beyond)
{
	const struct suite_buf text = {
		"Test Using Larger Than Block-Size Key - Hash Key First", 54
	};
	struct suite_buf key = { NULL, 131 };
	uint8_t out[SUITE_HASH_MAX];
	uint8_t aa[131];

	memset(aa, 0xaa, sizeof(aa));
	key.p = aa;
	ck_assert_int_eq(suite_setup(), 0);
	ck_assert_int_eq(suite_hmac(suite_find(1), &key, &text, 1, out), 0);
	ck_assert(hex_eq(out, 32, long_key256));
	ck_assert_int_eq(suite_hmac(suite_find(2), &key, &text, 1, out), 0);
	ck_assert(hex_eq(out, 48, long_key384));
	key.len = 128;
	ck_assert_int_eq(suite_hmac(suite_find(2), &key, &text, 1, out), 0);
	ck_assert(hex_eq(out, 48, block_key384));
	key.len = 127;
	ck_assert_int_eq(suite_hmac(suite_find(2), &key, &text, 1, out), 0);
	ck_assert(!hex_eq(out, 48, block_key384));
}
END_TEST

START_TEST(tables)
{
	struct hit h;

	ck_assert_uint_eq(suite_find(1)->hash_len, 32);
	ck_assert_uint_eq(suite_find(1)->list_id, 0x10);
	ck_assert_uint_eq(suite_find(2)->hash_len, 48);
	ck_assert_uint_eq(suite_find(2)->list_id, 0x20);
	ck_assert_ptr_null(suite_find(0));
	ck_assert_ptr_null(suite_find(3));
	ck_assert_int_eq(hit_parse("2001:22::1", &h), 0);
	ck_assert_ptr_eq(suite_of_hit(&h), suite_find(2));
	h.b[3] = 0x21;
	ck_assert_ptr_eq(suite_of_hit(&h), suite_find(1));
	h.b[3] = 0x32; /* not an ORCHID */
	ck_assert_ptr_null(suite_of_hit(&h));
	ck_assert_uint_eq(suite_cipher_find(2)->key_len, 16);
	ck_assert_uint_eq(suite_cipher_find(4)->key_len, 32);
	ck_assert_uint_eq(suite_list_num, 2); /* ECDSA is preferred */
	ck_assert_uint_eq(suite_list[0], suite_find(2)->list_id);
	ck_assert_uint_eq(suite_list[1], suite_find(1)->list_id);
}
END_TEST

Suite *test_suite_suite(void);
Suite *test_suite_suite(void)
{
	Suite *s = suite_create("hip/suite");
	TCase *tc = tcase_create("suite");

	tcase_add_test(tc, hash_in_pieces);
	tcase_add_test(tc, hmac_vectors);
	tcase_add_test(tc, hmac_keys_up_to_a_block_and_beyond);
	tcase_add_test(tc, tables);
	suite_add_tcase(s, tc);
	return s;
}
