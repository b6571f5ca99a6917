/* SPDX-License-Identifier: MIT */
/* Diffie-Hellman: RFC 5903 vectors, leading zeros, bad points, choice. */
#include <check.h>

#include "hip/dh.h"
#include "test/unit/hip/hex.h"

/* First two: RFC 5903 8.1, 8.2. Last two: Python cryptography,
 * ec.derive_private_key(0x1234567 or 0x7654321, curve) with the first peer
 * scalar (206, 207) whose shared x begins with a zero octet. */
static const struct vector {
	uint8_t group;
	const char *private;
	const char *public;
	const char *peer;
	const char *kij;
} vectors[] = {
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
	{ DH_P256,
	  "0000000000000000000000000000000000000000000000000000000001234567",
	  "088bb9ff22ab291a74c86fc677ba897baadee370cc6129b82d170ba3fc26415c"
	  "442da9a716067956d91eaa02b93ad409490e87cd5e758ea6a331a1deb75ba846",
	  "2a32ff07aadc2950afbeee66c3c84c485d0f06f9657f86a42dee8584d1a65119"
	  "47c8d489fc600dd8da02dd56979f287d89af43839e86017fa7e9cf67c02ecdce",
	  "009613d064a5ef4a470b32b47925c7d4fb11a8953987f6e0a9bb6019dc5080c6" },
	{ DH_P384,
	  "0000000000000000000000000000000000000000000000000000000000000000"
	  "00000000000000000000000007654321",
	  "8568a35a879b0d506132993c6d911d3136a731409ab8c5d26fd7a01e81425281"
	  "453a6c6adf4cd2f38c77a5042815ea48e85ac9cdeed95c699ca799b9c730b120"
	  "f39454a5373ea1f6c64c4319553a389a28f46b7a4617ce87b26bde1769573a09",
	  "305c56243e0b016397ee25f87dd5765223dd9c9abaa304951b5842304e8736e5"
	  "31a1f27163f0a54cc7781ba60f319d612727a1316287f4a5fcfd3fce68d0daa2"
	  "1508449076e69776bc1612696fe9338cd25835565f08173cf17304f0b4137845",
	  "005131f3d680a4abefc0d58ff9d1a265f0e6fe873b37a6c70029c7260775af5d"
	  "f216fc604ddf8691ac2828daf741e339" },
};

START_TEST(known_answers)
{
	const struct vector *v = &vectors[_i];
	const struct dh_group *g = dh_group_find(v->group);
	uint8_t private[DH_SECRET_MAX];
	uint8_t public[DH_PUBLIC_MAX];
	uint8_t peer[DH_PUBLIC_MAX + 1];
	uint8_t kij[DH_SECRET_MAX];
	struct dh_key *key;
	size_t len;

	hex(v->private, private);
	hex(v->public, public);
	len = hex(v->peer, peer);
	ck_assert_int_eq(dh_import(g, private, public, &key), 0);
	ck_assert_mem_eq(dh_public(key), public, g->public_len);
	ck_assert_int_eq(dh_derive(key, peer, len, kij), 0);
	ck_assert(hex_eq(kij, g->secret_len, v->kij));
	/* one less, one more, one flipped, infinity's stand-in */
	ck_assert_int_eq(dh_derive(key, peer, len - 1, kij), HG_EFORMAT);
	ck_assert_int_eq(dh_derive(key, peer, len + 1, kij), HG_EFORMAT);
	ck_assert_int_eq(dh_derive(key, peer, 0, kij), HG_EFORMAT);
	peer[len - 1] ^= 1;
	ck_assert_int_eq(dh_derive(key, peer, len, kij), HG_EFORMAT);
	memset(peer, 0, len);
	ck_assert_int_eq(dh_derive(key, peer, len, kij), HG_EFORMAT);
	memset(peer, 0xff, len); /* above the field's prime */
	ck_assert_int_eq(dh_derive(key, peer, len, kij), HG_EFORMAT);
	dh_free(key);
}
END_TEST

START_TEST(both_sides_agree)
{
	for (size_t i = 0; i < dh_group_ids_num; i++) {
		const struct dh_group *g = dh_group_find(dh_group_ids[i]);
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
	ck_assert_ptr_null(dh_group_find(3));
	ck_assert_ptr_null(dh_group_find(0));
}
END_TEST

Suite *test_dh_suite(void);
Suite *test_dh_suite(void)
{
	Suite *s = suite_create("hip/dh");
	TCase *tc = tcase_create("dh");

	tcase_add_loop_test(tc, known_answers, 0,
			    sizeof(vectors) / sizeof(vectors[0]));
	tcase_add_test(tc, both_sides_agree);
	tcase_add_test(tc, choice_follows_the_responder);
	suite_add_tcase(s, tc);
	return s;
}
