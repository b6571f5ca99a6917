/* SPDX-License-Identifier: MIT */
/* Tests of esp/probe.c: a probe, its answer, and what is neither. */
#include <check.h>
#include <string.h>

#include "core/checksum.h"
#include "core/ip.h"
#include "esp/esp.h"

static const struct hit a = { { 0x20, 0x01, 0x00, 0x22, [15] = 1 } };
static const struct hit b = { { 0x20, 0x01, 0x00, 0x22, [15] = 2 } };
static const uint64_t token = UINT64_C(0x0123456789abcdef);

START_TEST(a_probe_of_any_length_is_a_correct_echo_request)
{
	uint8_t pkt[1500];

	for (size_t len = ESP_PROBE_MIN; len <= sizeof(pkt); len++) {
		uint64_t got = 0;
		uint64_t sum;

		memset(pkt, 0xff, sizeof(pkt));
		esp_probe_put(pkt, len, &a, &b, false, token);
		sum = csum_pseudo_hit(&a, &b, IP_PROTO_ICMP6, (uint32_t)len);
		ck_assert_uint_eq(csum_finish(csum_add(sum, pkt, len)), 0);
		ck_assert_uint_eq(pkt[0], 128);
		ck_assert_int_eq(esp_probe_get(IP_PROTO_ICMP6, pkt, len, &got),
				 ESP_PROBE_ASKS);
		ck_assert(got == token);
		if (len < sizeof(pkt))
			ck_assert_uint_eq(pkt[len], 0xff);
	}
}
END_TEST

START_TEST(an_answer_is_known_and_has_the_token)
{
	uint8_t pkt[ESP_PROBE_MIN];
	uint64_t got = 0;

	esp_probe_put(pkt, sizeof(pkt), &b, &a, true, token);
	ck_assert_uint_eq(pkt[0], 129);
	ck_assert_int_eq(esp_probe_get(IP_PROTO_ICMP6, pkt, sizeof(pkt), &got),
			 ESP_PROBE_ANSWERS);
	ck_assert(got == token);
}
END_TEST

START_TEST(what_is_not_quite_a_probe_is_none)
{
	uint8_t pkt[100];
	uint64_t got = 77;

	esp_probe_put(pkt, sizeof(pkt), &a, &b, false, token);
	ck_assert_int_eq(esp_probe_get(IP_PROTO_UDP, pkt, sizeof(pkt), &got),
			 ESP_PROBE_NONE);
	for (size_t len = 0; len < ESP_PROBE_MIN; len++)
		ck_assert_int_eq(esp_probe_get(IP_PROTO_ICMP6, pkt, len, &got),
				 ESP_PROBE_NONE);
	for (size_t i = 0; i < 16; i++) {
		/* Checksum, identifier and number may be anything. */
		if (i >= 2 && i < 8)
			continue;
		pkt[i] ^= 2;
		ck_assert_int_eq(
			esp_probe_get(IP_PROTO_ICMP6, pkt, sizeof(pkt), &got),
			ESP_PROBE_NONE);
		pkt[i] ^= 2;
	}
	ck_assert(got == 77);
	ck_assert_int_eq(esp_probe_get(IP_PROTO_ICMP6, pkt, sizeof(pkt), &got),
			 ESP_PROBE_ASKS);
}
END_TEST

Suite *test_probe_suite(void);
Suite *test_probe_suite(void)
{
	Suite *s = suite_create("probe");
	TCase *tc = tcase_create("probe");

	tcase_add_test(tc, a_probe_of_any_length_is_a_correct_echo_request);
	tcase_add_test(tc, an_answer_is_known_and_has_the_token);
	tcase_add_test(tc, what_is_not_quite_a_probe_is_none);
	suite_add_tcase(s, tc);
	return s;
}
