/* SPDX-License-Identifier: MIT */
/* Tests of esp/gcm_ipsec_mb.c, against make.py. */
#include "test/unit/esp/gcm_bed.h"

START_TEST(seals_the_known_answers)
{
	gcm_bed_each(gcm_ipsec_mb(), gcm_bed_seals);
}
END_TEST

START_TEST(opens_them_and_nothing_else)
{
	gcm_bed_each(gcm_ipsec_mb(), gcm_bed_opens);
}
END_TEST

START_TEST(serves_several_threads_as_it_says)
{
	gcm_bed_each(gcm_ipsec_mb(), gcm_bed_threads);
}
END_TEST

/* Packets of all lengths, sealed by one library and opened by the other. */
START_TEST(agrees_with_openssl_at_every_length)
{
	const struct gcm *gcm[] = { gcm_openssl(), gcm_ipsec_mb() };
	static uint8_t plain[1600];
	static uint8_t out[2][1616];
	void *seal[2];
	void *open[2];

	if (!gcm[1])
		return;
	randombytes_buf(plain, sizeof(plain));
	for (int k = 0; k < 2; k++) {
		seal[k] = gcm[k]->key_new(plain, true);
		open[k] = gcm[k]->key_new(plain, false);
	}
	for (size_t len = 1; len <= sizeof(plain); len++) {
		struct gcm_packet pkt = { .icv_len = len % 2 ? 16 : 8 };
		const struct gcm_piece in[] = {
			{ plain, len % 61 < len ? len % 61 : len },
			{ plain + in[0].len, len - in[0].len },
		};

		randombytes_buf(pkt.nonce, sizeof(pkt.nonce));
		randombytes_buf(pkt.aad, sizeof(pkt.aad));
		for (int k = 0; k < 2; k++)
			ck_assert(gcm[k]->seal(seal[k], &pkt, in, 2, out[k]));
		ck_assert_mem_eq(out[0], out[1], len + pkt.icv_len);
		for (int k = 0; k < 2; k++)
			ck_assert_int_eq(
				gcm[k]->open(open[k], &pkt, out[!k], len),
				REASON_NUM);
		ck_assert_mem_eq(out[0], plain, len);
		ck_assert_mem_eq(out[1], plain, len);
	}
	for (int k = 0; k < 2; k++) {
		gcm[k]->key_free(seal[k]);
		gcm[k]->key_free(open[k]);
	}
}
END_TEST

Suite *test_gcm_ipsec_mb_suite(void)
{
	Suite *s = suite_create("gcm_ipsec_mb");
	TCase *t = tcase_create("gcm_ipsec_mb");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, seals_the_known_answers);
	tcase_add_test(t, opens_them_and_nothing_else);
	tcase_add_test(t, serves_several_threads_as_it_says);
	tcase_add_test(t, agrees_with_openssl_at_every_length);
	suite_add_tcase(s, t);
	return s;
}
