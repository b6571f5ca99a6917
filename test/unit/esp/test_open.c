/* SPDX-License-Identifier: MIT */
/* Tests of esp/open.c: make.py's packets and every mutation of them. */
#include <stdlib.h>

#include "test/unit/esp/esp_bed.h"
#include "test/vectors/known_esp_odd.h"

/* The window as it is when the vector's packet is due. */
static struct esp_replay window_before(uint64_t seq)
{
	struct esp_replay r;

	esp_replay_init(&r);
	if (seq > 1)
		esp_replay_commit(&r, seq - 1);
	return r;
}

/* Opens a copy of just that many octets, so that ASan sees any overrun; a
 * refused packet must leave the window as it was. */
static enum reason try_open(struct esp_ctx *c, uint64_t seq, const uint8_t *pkt,
			    size_t len)
{
	struct esp_replay r = window_before(seq);
	struct esp_replay before = r;
	uint8_t *copy = malloc(len ? len : 1);
	struct esp_plain p;
	enum reason why;

	memcpy(copy, pkt, len);
	why = esp_open(c, &r, copy, len, &p);
	if (why != REASON_NUM)
		ck_assert_mem_eq(&r, &before, sizeof(r));
	free(copy);
	return why;
}

START_TEST(opens_the_known_answers_and_moves_the_window)
{
	const struct known_esp *v = &known_esps[_i];
	struct esp_ctx *c = bed_ctx(v->suite, false);
	struct esp_replay r = window_before(v->seq);
	struct esp_plain p;
	uint8_t pkt[256];
	uint8_t again[256];
	uint8_t want[64];
	size_t len = bed_hex(pkt, sizeof(pkt), v->hex);

	bed_payload(want, v->plain);
	memcpy(again, pkt, len);
	ck_assert_uint_eq(esp_spi(pkt), KNOWN_ESP_SPI);
	ck_assert_int_eq(esp_open(c, &r, pkt, len, &p), REASON_NUM);
	ck_assert_uint_eq(p.len, v->plain);
	ck_assert_uint_eq(p.next_header, 6);
	ck_assert_uint_eq(p.seq, v->seq);
	ck_assert_mem_eq(p.data, want, v->plain);
	ck_assert(p.data >= pkt && p.data + p.len <= pkt + len);
	ck_assert_uint_eq(r.top, v->seq);
	ck_assert_int_eq(esp_open(c, &r, again, len, &p), REASON_ESP_REPLAY);
	esp_ctx_free(c);
}
END_TEST

/* The reason for one flipped bit at an offset. */
static enum reason flip_reason(const struct known_esp *v, size_t at,
			       uint8_t bit)
{
	uint32_t low = (uint32_t)v->seq;

	if (at < 4)
		return REASON_ESP_SPI;
	if (at >= 8)
		return REASON_ESP_AUTH;
	low ^= (uint32_t)bit << (8 * (7 - at));
	/* 0 never is one; the number before it was marked as seen. */
	if ((v->seq >> 32 == 0 && low == 0) || low == (uint32_t)v->seq - 1)
		return REASON_ESP_REPLAY;
	return REASON_ESP_AUTH;
}

START_TEST(every_flipped_bit_is_noticed)
{
	const struct known_esp *v = &known_esps[_i];
	struct esp_ctx *c = bed_ctx(v->suite, false);
	uint8_t pkt[256];
	size_t len = bed_hex(pkt, sizeof(pkt), v->hex);

	for (size_t at = 0; at < len; at++) {
		for (int b = 0; b < 8; b++) {
			uint8_t bit = (uint8_t)(1 << b);
			enum reason why;

			pkt[at] ^= bit;
			why = try_open(c, v->seq, pkt, len);
			ck_assert_msg(why == flip_reason(v, at, bit),
				      "octet %zu bit %d: %d", at, b, why);
			pkt[at] ^= bit;
		}
	}
	ck_assert_int_eq(try_open(c, v->seq, pkt, len), REASON_NUM);
	esp_ctx_free(c);
}
END_TEST

START_TEST(every_other_length_is_noticed)
{
	const struct known_esp *v = &known_esps[_i];
	const struct sa_suite *s = sa_suite_find(v->suite);
	struct esp_ctx *c = bed_ctx(v->suite, false);
	uint8_t pkt[256] = { 0 };
	size_t len = bed_hex(pkt, sizeof(pkt) - 32, v->hex);

	for (size_t n = 0; n < len + 32; n++) {
		enum reason want = n == len		    ? REASON_NUM
				   : n < esp_wire_len(s, 0) ? REASON_ESP_SHORT
							    : REASON_ESP_AUTH;

		ck_assert_int_eq(try_open(c, v->seq, pkt, n), want);
	}
	esp_ctx_free(c);
}
END_TEST

START_TEST(the_high_half_of_the_sequence_number_is_authenticated)
{
	const struct known_esp *v = &known_esps[_i];
	struct esp_ctx *c = bed_ctx(v->suite, false);
	uint8_t pkt[256];
	size_t len = bed_hex(pkt, sizeof(pkt), v->hex);

	ck_assert_int_eq(try_open(c, v->seq + (1ULL << 32), pkt, len),
			 REASON_ESP_AUTH);
	ck_assert_int_eq(try_open(c, v->seq ^ (1ULL << 63), pkt, len),
			 REASON_ESP_AUTH);
	esp_ctx_free(c);
}
END_TEST

START_TEST(a_wrong_key_or_salt_is_noticed)
{
	const struct known_esp *v = &known_esps[_i];
	const struct sa_suite *s = sa_suite_find(v->suite);
	uint8_t pkt[256];
	size_t len = bed_hex(pkt, sizeof(pkt), v->hex);
	struct sa_keys k = bed_keys();
	struct esp_ctx *c;

	if (s->auth_len)
		k.auth[s->auth_len - 1] ^= 1;
	else /* AEAD */
		k.enc[s->key_len + s->salt_len - 1] ^= 1;
	ck_assert_int_eq(esp_setup(), 0);
	ck_assert_int_eq(esp_ctx_new(v->suite, &k, KNOWN_ESP_SPI, false, &c),
			 0);
	ck_assert_int_eq(try_open(c, v->seq, pkt, len), REASON_ESP_AUTH);
	esp_ctx_free(c);
}
END_TEST

START_TEST(odd_trailers_are_taken_or_refused_as_the_rfc_says)
{
	const struct known_esp_odd *v = &known_esp_odds[_i];
	struct esp_ctx *c = bed_ctx(v->suite, false);
	struct esp_replay r = window_before(0x101);
	struct esp_plain p;
	uint8_t pkt[256];
	size_t len = bed_hex(pkt, sizeof(pkt), v->hex);
	enum reason why = esp_open(c, &r, pkt, len, &p);

	ck_assert_msg(why == (v->len < 0 ? REASON_ESP_PADDING : REASON_NUM),
		      "suite %d, %s: %d", v->suite, v->what, why);
	ck_assert_uint_eq(r.top, v->len < 0 ? 0x100 : 0x101);
	if (v->len >= 0)
		ck_assert_uint_eq(p.len, (size_t)v->len);
	esp_ctx_free(c);
}
END_TEST

START_TEST(packets_across_the_wrap_open_in_any_order)
{
	static const int64_t order[] = { -3, 2, -1, 1, -2, 0, 8000, -100 };
	const uint64_t wrap = 7ULL << 32;
	struct esp_ctx *sealer = bed_ctx(SA_AES128_CBC_SHA256, true);
	struct esp_ctx *opener = bed_ctx(SA_AES128_CBC_SHA256, false);
	struct esp_replay r = window_before(wrap - 10);

	for (int i = 0; i < 8; i++) {
		uint64_t seq = wrap + (uint64_t)order[i];
		struct esp_plain p;
		uint8_t pkt[128];
		size_t len;

		ck_assert_int_eq(esp_seal(sealer, seq, 17, (uint8_t *)"ab", 2,
					  NULL, 0, pkt, sizeof(pkt), &len),
				 REASON_NUM);
		ck_assert_int_eq(esp_open(opener, &r, pkt, len, &p),
				 REASON_NUM);
		ck_assert_uint_eq(p.seq, seq);
	}
	ck_assert_uint_eq(r.top, wrap + 8000);
	esp_ctx_free(sealer);
	esp_ctx_free(opener);
}
END_TEST

/* A failed packet must not spoil the context for the next. */
START_TEST(a_good_packet_opens_after_a_bad_one)
{
	const struct known_esp *v = &known_esps[_i];
	struct esp_ctx *c = bed_ctx(v->suite, false);
	uint8_t pkt[256];
	size_t len = bed_hex(pkt, sizeof(pkt), v->hex);

	for (int i = 0; i < 3; i++) {
		pkt[len - 1] ^= 1;
		ck_assert_int_eq(try_open(c, v->seq, pkt, len),
				 REASON_ESP_AUTH);
		pkt[len - 1] ^= 1;
		ck_assert_int_eq(try_open(c, v->seq, pkt, len), REASON_NUM);
	}
	esp_ctx_free(c);
}
END_TEST

Suite *test_open_suite(void);
Suite *test_open_suite(void)
{
	const int num = (int)(sizeof(known_esps) / sizeof(known_esps[0]));
	const int odd =
		(int)(sizeof(known_esp_odds) / sizeof(known_esp_odds[0]));
	Suite *s = suite_create("open");
	TCase *t = tcase_create("open");

	/* Once here, not in each test's process. */
	if (esp_setup() != 0)
		abort();
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, opens_the_known_answers_and_moves_the_window, 0,
			    num);
	tcase_add_loop_test(t, every_flipped_bit_is_noticed, 0, num);
	tcase_add_loop_test(t, every_other_length_is_noticed, 0, num);
	tcase_add_loop_test(
		t, the_high_half_of_the_sequence_number_is_authenticated, 0,
		num);
	tcase_add_loop_test(t, a_wrong_key_or_salt_is_noticed, 0, num);
	tcase_add_loop_test(
		t, odd_trailers_are_taken_or_refused_as_the_rfc_says, 0, odd);
	tcase_add_test(t, packets_across_the_wrap_open_in_any_order);
	tcase_add_loop_test(t, a_good_packet_opens_after_a_bad_one, 0, num);
	suite_add_tcase(s, t);
	return s;
}
