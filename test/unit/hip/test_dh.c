/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman: RFC 5903 vectors, leading zeros, bad points, choice. */
#include <check.h>

#include "hip/dh.h"
#include "hip/offer.h"
#include "test/unit/hip/hex.h"
#include "test/vectors/known_dh.h"

/* RFC 5903 8.1, 8.2; the others are test/vectors/make.py's. */
static const struct known_dh rfc5903[] = {
	{ DH_P256,
	  "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
	  "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
	  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
	  "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
	  "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
	  "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de" },
	{ DH_P384,
	  "099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
	  "e35b538041e649ee3faef896783ab194",
	  "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6"
	  "de3ac808acb4bdb4c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f"
	  "65032149e0e144ada024181535a0f38eeb9fcff3c2c947dae69b4c634573a81c",
	  "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d"
	  "0d1ac43a0336def96fda41d0774a3571dcfbec7aacf3196472169e838430367f"
	  "66eebe3c6e70c416dd5f0c68759dd1fff83fa40142209dff5eaad96db9e6386c",
	  "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4"
	  "d603135569b9e9d09cf5d4a270f59746" },
};

static void check_known(const struct known_dh *v)
{
	const struct dh_group *g = dh_group_find(v->group);
	uint8_t private[DH_SECRET_MAX];
	uint8_t public[DH_PUBLIC_MAX];
	uint8_t peer[DH_PUBLIC_MAX + 1];
	uint8_t kij[DH_SECRET_MAX];
	struct dh_key *key;
	size_t len;

	hex(v->private, private);
	ck_assert_uint_eq(hex(v->public, public), g->public_len);
	len = hex(v->peer, peer);
	ck_assert_int_eq(dh_import(g, private, public, &key), 0);
	ck_assert_mem_eq(dh_public(key), public, g->public_len);
	ck_assert_int_eq(dh_derive(key, peer, len, kij), 0);
	ck_assert(hex_eq(kij, g->secret_len, v->kij));
	/* one less, one more, zero, above the prime */
	ck_assert_int_eq(dh_derive(key, peer, len - 1, kij), HG_EFORMAT);
	ck_assert_int_eq(dh_derive(key, peer, len + 1, kij), HG_EFORMAT);
	ck_assert_int_eq(dh_derive(key, peer, 0, kij), HG_EFORMAT);
	peer[len - 1] ^= 1;
	if (g->curve)
		ck_assert_int_eq(dh_derive(key, peer, len, kij), HG_EFORMAT);
	memset(peer, 0, len);
	ck_assert_int_eq(dh_derive(key, peer, len, kij), HG_EFORMAT);
	memset(peer, 0xff, len); /* above the prime */
	ck_assert_int_eq(dh_derive(key, peer, len, kij), HG_EFORMAT);
	dh_free(key);
}

START_TEST(known_answers)
{
	check_known(&known_dhs[_i]);
	/* every second secret begins with a zero octet */
	if (_i % 2)
		ck_assert_int_eq(strncmp(known_dhs[_i].kij, "00", 2), 0);
}
END_TEST

START_TEST(rfc5903_answers)
{
	check_known(&rfc5903[_i]);
}
END_TEST

/* A value outside of the subgroup would tell the lowest bit of our private
 * number (RFC 2785 3.1): p - 2 is in range and no square. */
START_TEST(other_subgroups_are_refused)
{
	const struct known_prime *v = &known_primes[_i];
	const struct dh_group *g = dh_group_find(v->group);
	uint8_t kij[DH_SECRET_MAX];
	uint8_t y[DH_PUBLIC_MAX];
	struct dh_key *key;
	size_t len = hex(v->p, y);

	ck_assert_uint_eq(len, g->public_len);
	ck_assert_int_eq(dh_generate(g, &key), 0);
	y[len - 1] -= 1;
	ck_assert_int_eq(dh_derive(key, y, len, kij), HG_EFORMAT);
	y[len - 1] -= 1;
	ck_assert_int_eq(dh_derive(key, y, len, kij), HG_EFORMAT);
	memset(y, 0, len);
	y[len - 1] = 4;
	ck_assert_int_eq(dh_derive(key, y, len, kij), 0);
	dh_free(key);
}
END_TEST

/* Packed, twice: the same key. */
static void packed_as_well(struct dh_key *a, const struct dh_key *b,
			   const uint8_t *kij)
{
	const struct dh_group *g = dh_group(a);
	uint8_t k[DH_SECRET_MAX];
	struct dh_key *p;
	struct dh_key *again;

	ck_assert_int_eq(dh_pack(a, &p), 0);
	ck_assert_int_eq(dh_pack(p, &again), 0);
	ck_assert_ptr_ne(p, a);
	ck_assert_ptr_eq(again, p);
	dh_free(p);
	ck_assert_ptr_eq(dh_group(p), g);
	ck_assert_mem_eq(dh_public(p), dh_public(a), g->public_len);
	memset(k, 0x5a, sizeof(k));
	ck_assert_int_eq(dh_derive(p, dh_public(b), g->public_len, k), 0);
	ck_assert_mem_eq(k, kij, g->secret_len);
	ck_assert_int_eq(dh_derive(p, dh_public(b), g->public_len - 1u, k),
			 HG_EFORMAT);
	dh_free(p);
}

START_TEST(both_sides_agree)
{
	for (size_t i = 0; i < offer_default.dh_num; i++) {
		const struct dh_group *g = dh_group_find(offer_default.dh[i]);
		uint8_t ka[DH_SECRET_MAX];
		uint8_t kb[DH_SECRET_MAX];
		struct dh_key *a;
		struct dh_key *b;

		ck_assert_ptr_nonnull(g);
		ck_assert_int_eq(dh_generate(g, &a), 0);
		ck_assert_int_eq(dh_generate(g, &b), 0);
		ck_assert_ptr_eq(dh_group(dh_ref(a)), g);
		dh_free(a); /* the reference just taken */
		ck_assert_int_eq(dh_derive(a, dh_public(b), g->public_len, ka),
				 0);
		ck_assert_int_eq(dh_derive(b, dh_public(a), g->public_len, kb),
				 0);
		ck_assert_mem_eq(ka, kb, g->secret_len);
		packed_as_well(a, b, ka);
		ck_assert_mem_ne(dh_public(a), dh_public(b), g->public_len);
		dh_free(a);
		dh_free(b);
	}
	dh_free(NULL);
}
END_TEST

START_TEST(choice_follows_the_responder)
{
	static const uint8_t r[] = { 8, 7, 4 };
	static const uint8_t i[] = { 3, 7, 8 };
	static const uint8_t none[] = { 3, 9 };

	ck_assert_uint_eq(dh_choose(r, 3, i, 3), 8);
	ck_assert_uint_eq(dh_choose(i, 3, r, 3), 7);
	ck_assert_uint_eq(dh_choose(r + 1, 2, i, 3), 7);
	ck_assert_uint_eq(dh_choose(r, 3, none, 2), 0);
	ck_assert_uint_eq(dh_choose(r, 3, NULL, 0), 0);
	ck_assert_uint_eq(dh_choose(NULL, 0, i, 3), 0);
	ck_assert_ptr_null(dh_group_find(1));
	ck_assert_ptr_null(dh_group_find(10));
	ck_assert_ptr_null(dh_group_find(0));
}
END_TEST

Suite *test_dh_suite(void);
Suite *test_dh_suite(void)
{
	Suite *s = suite_create("hip/dh");
	TCase *tc = tcase_create("dh");

	tcase_add_loop_test(tc, known_answers, 0,
			    sizeof(known_dhs) / sizeof(known_dhs[0]));
	tcase_add_loop_test(tc, rfc5903_answers, 0, 2);
	tcase_add_loop_test(tc, other_subgroups_are_refused, 0, 3);
	tcase_add_test(tc, both_sides_agree);
	tcase_add_test(tc, choice_follows_the_responder);
	suite_add_tcase(s, tc);
	return s;
}
