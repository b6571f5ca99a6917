/* SPDX-License-Identifier: MIT */
/* Tests of esp/seal.c, against make.py. */
#include <stdio.h>
#include <stdlib.h>

#include "test/unit/esp/esp_bed.h"

START_TEST(equals_the_known_answers_however_the_input_is_split)
{
	const struct known_esp *v = &known_esps[_i];
	struct esp_ctx *c = bed_ctx(v->suite, true);
	uint8_t want[256];
	size_t want_len = bed_hex(want, sizeof(want), v->hex);
	uint8_t plain[64];

	bed_payload(plain, v->plain);
	for (size_t cut = 0; cut <= v->plain; cut++) {
		uint8_t out[256] = { 0 };
		size_t len = 0;

		ck_assert_int_eq(esp_seal(c, v->seq, 6, plain, cut, plain + cut,
					  v->plain - cut, out, want_len, &len),
				 REASON_NUM);
		ck_assert_uint_eq(len, want_len);
		ck_assert_mem_eq(out, want, want_len);
		ck_assert_uint_eq(
			len, esp_wire_len(sa_suite_find(v->suite), v->plain));
	}
	esp_ctx_free(c);
}
END_TEST

START_TEST(too_small_a_buffer_is_refused_and_not_overrun)
{
	const struct known_esp *v = &known_esps[_i];
	struct esp_ctx *c = bed_ctx(v->suite, true);
	size_t need = strlen(v->hex) / 2;
	uint8_t plain[64];
	size_t len;

	bed_payload(plain, v->plain);
	for (size_t cap = 0; cap < need; cap++) {
		uint8_t *out = malloc(cap ? cap : 1);

		ck_assert_int_eq(esp_seal(c, v->seq, 6, plain, v->plain, NULL,
					  0, out, cap, &len),
				 REASON_TOO_BIG);
		free(out);
	}
	esp_ctx_free(c);
}
END_TEST

START_TEST(absurd_lengths_are_refused_before_they_are_added)
{
	struct esp_ctx *c = bed_ctx(SA_AES128_GCM16, true);
	static uint8_t big[70000];
	static uint8_t out[70000];
	size_t len;

	ck_assert_int_eq(esp_seal(c, 1, 6, big, SIZE_MAX, big, 2, out,
				  sizeof(out), &len),
			 REASON_TOO_BIG);
	ck_assert_int_eq(esp_seal(c, 1, 6, big, 2, big, SIZE_MAX, out,
				  sizeof(out), &len),
			 REASON_TOO_BIG);
	ck_assert_int_eq(
		esp_seal(c, 1, 6, big, 65535, NULL, 0, out, sizeof(out), &len),
		REASON_TOO_BIG);
	ck_assert_int_eq(
		esp_seal(c, 1, 6, big, 65000, NULL, 0, out, sizeof(out), &len),
		REASON_NUM);
	esp_ctx_free(c);
}
END_TEST

START_TEST(sequence_numbers_end_instead_of_wrapping)
{
	struct esp_ctx *c = bed_ctx(SA_AES128_GCM16, true);
	uint8_t out[64];
	size_t len;

	ck_assert_int_eq(esp_seal(c, 0, 6, NULL, 0, NULL, 0, out, 64, &len),
			 REASON_ESP_SEQ_END);
	ck_assert_int_eq(
		esp_seal(c, ESP_SEQ_MAX, 6, NULL, 0, NULL, 0, out, 64, &len),
		REASON_NUM);
	ck_assert_int_eq(esp_seal(c, ESP_SEQ_MAX + 1, 6, NULL, 0, NULL, 0, out,
				  64, &len),
			 REASON_ESP_SEQ_END);
	ck_assert_int_eq(
		esp_seal(c, UINT64_MAX, 6, NULL, 0, NULL, 0, out, 64, &len),
		REASON_ESP_SEQ_END);
	esp_ctx_free(c);
}
END_TEST

/* SP 800-38A appendix C: never twice, and not the counter itself. */
START_TEST(cbc_ivs_are_unique_and_do_not_show_the_counter)
{
	struct esp_ctx *c = bed_ctx(SA_AES128_CBC_SHA256, true);
	enum { NUM = 300 };
	static uint8_t ivs[NUM][16];
	uint8_t out[64];
	size_t len;

	for (int i = 0; i < NUM; i++) {
		uint64_t seq = (i < 150 ? 0 : 1ULL << 32) + i + 1;

		ck_assert_int_eq(
			esp_seal(c, seq, 6, NULL, 0, NULL, 0, out, 64, &len),
			REASON_NUM);
		memcpy(ivs[i], out + 8, 16);
		ck_assert(!sodium_is_zero(ivs[i], 8));
		for (int k = 0; k < i; k++)
			ck_assert_mem_ne(ivs[i], ivs[k], 16);
	}
	esp_ctx_free(c);
}
END_TEST

START_TEST(random_packets_open_again_to_what_was_sealed)
{
	static const uint16_t ids[] = { 7, 8, 9, 10, 11, 12, 13 };
	struct esp_ctx *sealer = bed_ctx(ids[_i], true);
	struct esp_ctx *opener = bed_ctx(ids[_i], false);
	unsigned seed = randombytes_random();
	static uint8_t plain[9000];
	static uint8_t out[9100];
	struct esp_replay r;

	printf("seal seed %u\n", seed);
	srand(seed);
	randombytes_buf(plain, sizeof(plain));
	esp_replay_init(&r);
	for (uint64_t seq = 1; seq < 2000; seq++) {
		size_t total = (size_t)rand() % (rand() % 8 ? 1500 : 9000);
		size_t cut = (size_t)rand() % (total + 1);
		uint8_t nh = (uint8_t)(rand() % 59);
		struct esp_plain p;
		size_t len;

		ck_assert_int_eq(esp_seal(sealer, seq, nh, plain, cut,
					  plain + cut, total - cut, out,
					  sizeof(out), &len),
				 REASON_NUM);
		ck_assert_int_eq(esp_open(opener, &r, out, len, &p),
				 REASON_NUM);
		ck_assert_uint_eq(p.len, total);
		ck_assert_uint_eq(p.next_header, nh);
		ck_assert_uint_eq(p.seq, seq);
		ck_assert_mem_eq(p.data, plain, total);
	}
	esp_ctx_free(sealer);
	esp_ctx_free(opener);
}
END_TEST

Suite *test_seal_suite(void);
Suite *test_seal_suite(void)
{
	const int num = (int)(sizeof(known_esps) / sizeof(known_esps[0]));
	Suite *s = suite_create("seal");
	TCase *t = tcase_create("seal");

	/* Once here, not in each test's process. */
	if (esp_setup() != 0)
		abort();
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(
		t, equals_the_known_answers_however_the_input_is_split, 0, num);
	tcase_add_loop_test(t, too_small_a_buffer_is_refused_and_not_overrun, 0,
			    num);
	tcase_add_test(t, absurd_lengths_are_refused_before_they_are_added);
	tcase_add_test(t, sequence_numbers_end_instead_of_wrapping);
	tcase_add_test(t, cbc_ivs_are_unique_and_do_not_show_the_counter);
	tcase_add_loop_test(t, random_packets_open_again_to_what_was_sealed, 0,
			    7);
	suite_add_tcase(s, t);
	return s;
}
