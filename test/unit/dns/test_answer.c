/* SPDX-License-Identifier: MIT */
/* Which answers are ours, and what is taken from them. */
#include "test/unit/dns/desk.h"

static struct desk k;

static const struct dns_effect *begin(uint16_t type)
{
	const struct dns_effect *e;

	desk_open(&k);
	desk_query(&k, "Hip.foo.com", SCAN_AAAA, true, 0);
	e = desk_ask(&k, "hip.foo.com", type, false);
	ck_assert_ptr_nonnull(e);
	desk_answer_to(&k, e, 0);
	if (type == SCAN_HIP)
		desk_rr_hip(&k, "hip.foo.com", 60, 1, NULL);
	else
		desk_rr_addr(&k, "hip.foo.com", 60, "2001:db8::1");
	return e;
}

/* Question starts at 12: length octet, "Hip" from 13; type at 25. */
START_TEST(a_spoofed_answer_counts_and_the_right_one_still_comes)
{
	static const struct {
		size_t at;
		uint8_t flip;
		bool own; /* a mismatch for the client's own query, too */
	} t[] = {
		{ 0, 0x01, true },  { 1, 0x80, true },	 { 2, 0x80, true },
		{ 2, 0x08, true },  { 5, 0x03, true },	 { 13, 0x20, false },
		{ 14, 0x01, true }, { 26, 0x02, true },	 { 25, 0x01, true },
		{ 28, 0x02, true }, { 17, 0x20, false },
	};
	static const uint16_t types[] = { SCAN_HIP, SCAN_AAAA };

	for (unsigned i = 0; i < 2; i++) {
		const struct dns_effect *e = begin(types[i]);
		bool wrong = i == 0 || t[_i].own;
		bool by_tcp = i == 0 && !t[_i].own; /* asked instead */

		k.buf[t[_i].at] ^= t[_i].flip;
		desk_hand_in(&k, e, 0);
		ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), wrong);
		ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE),
				  !wrong || by_tcp);
		if (by_tcp)
			e = desk_ask(&k, "hip.foo.com", SCAN_HIP, true);
		put_be16(k.buf, get_be16(e->msg));
		k.buf[t[_i].at] ^= t[_i].at > 1 ? t[_i].flip : 0;
		desk_hand_in(&k, e, 0);
		ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 1 + by_tcp);
		desk_close(&k);
	}
}
END_TEST

START_TEST(an_ask_that_we_could_not_send_never_goes_clear)
{
	const struct dns_effect *e = begin(SCAN_AAAA);

	desk_hand_in(&k, e, 0); /* the address is known already */
	e = desk_ask(&k, "hip.foo.com", SCAN_HIP, false);
	dns_ask_refused(k.d, e->ask);
	desk_drain(&k);
	e = desk_last(&k, DNS_REPLY);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	dns_ask_refused(k.d, 12345); /* nobody's */
	desk_close(&k);
}
END_TEST

static int by_value(const void *a, const void *b)
{
	return *(const uint16_t *)a - *(const uint16_t *)b;
}

/* Nobody can tell from one what the next will be. */
START_TEST(ids_are_drawn)
{
	enum { NUM = 1000 };
	static uint16_t id[NUM];
	unsigned next = 0;
	unsigned same = 0;
	char name[32];

	desk_open(&k);
	for (unsigned i = 0; i < NUM; i++) {
		snprintf(name, sizeof(name), "n%u.off.test", i);
		k.who.client.addr.b[15] = (uint8_t)(i / 100);
		desk_query(&k, name, 16, false, 0);
		id[i] = get_be16(desk_last(&k, DNS_ASK)->msg);
		desk_forget(&k);
		next += i && (uint16_t)(id[i] - id[i - 1]) < 16;
	}
	qsort(id, NUM, sizeof(id[0]), by_value);
	for (unsigned i = 1; i < NUM; i++)
		same += id[i] == id[i - 1];
	/* By chance: 0.2 and 7.6. */
	ck_assert_uint_lt(next, 10);
	ck_assert_uint_lt(same, 40);
	desk_close(&k);
}
END_TEST

START_TEST(an_answer_from_elsewhere_or_to_another_ask_is_none)
{
	const struct dns_effect *e = begin(SCAN_HIP);
	const struct dns_effect *other =
		desk_ask(&k, "hip.foo.com", SCAN_A, false);
	struct endpoint from = e->server;
	uint32_t ask = e->ask;

	if (_i == 0)
		from.port++;
	else if (_i == 1)
		from.addr.b[15] ^= 1;
	else
		ask = _i == 2 ? other->ask : 0xdeadbeef;
	dns_answer(k.d, ask, &from, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 1);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 0);
	desk_close(&k);
}
END_TEST

START_TEST(an_answer_taken_is_not_taken_twice)
{
	const struct dns_effect *e = begin(SCAN_HIP);

	desk_hand_in(&k, e, 0);
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 1);
	desk_close(&k);
}
END_TEST

START_TEST(each_shorter_hip_answer_is_malformed)
{
	size_t len;

	begin(SCAN_HIP);
	len = wr_len(&k.w);
	desk_close(&k);
	for (size_t n = 0; n < len; n++) {
		const struct dns_effect *e = begin(SCAN_HIP);

		dns_answer(k.d, e->ask, &e->server, k.buf, n, 0);
		desk_drain(&k);
		ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MALFORMED), 1);
		ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0);
		desk_close(&k);
	}
}
END_TEST

START_TEST(an_error_in_a_header_alone_is_an_answer)
{
	const struct dns_effect *e = begin(SCAN_HIP);

	put_be16(k.buf + 2, (uint16_t)(0x8180 | (_i ? SCAN_FORMERR : 0)));
	memset(k.buf + 4, 0, 8);
	dns_answer(k.d, e->ask, &e->server, k.buf, 12, 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), !_i);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), _i);
	if (_i) { /* asked again, without EDNS */
		e = desk_last(&k, DNS_ASK);
		put_be16(k.buf, get_be16(e->msg));
		dns_answer(k.d, e->ask, &e->server, k.buf, 12, 0);
		desk_drain(&k);
	}
	/* HIP and A are no longer of interest: the client's own is */
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), _i ? 3 : 0);
	desk_close(&k);
}
END_TEST

/* Of our own ask, in other letters: it may be a guess, so TCP is asked, at
 * once; what comes that way is no guess. */
START_TEST(a_server_that_does_not_keep_case_is_asked_over_tcp)
{
	const struct dns_effect *e;

	desk_open(&k);
	desk_query(&k, "H.Test", SCAN_A, false, 0);
	e = desk_ask(&k, "h.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	k.buf[SCAN_HEADER + 1] ^= 0x20;
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 1);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_SPOOFED), 0);
	e = desk_ask(&k, "h.test", SCAN_HIP, true);
	ck_assert_ptr_nonnull(e);
	desk_answer_to(&k, e, 0);
	k.buf[SCAN_HEADER + 1] ^= 0x20;
	desk_rr_hip(&k, "h.test", 300, 1, NULL);
	desk_hand_in(&k, e, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.1", 0);
	dns_tick(k.d, SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
	desk_close(&k);
}
END_TEST

START_TEST(records_outside_the_answer_section_mean_nothing)
{
	const struct dns_effect *e = begin(SCAN_HIP);

	put_be16(k.buf + 10, 1); /* the HIP record becomes additional */
	put_be16(k.buf + 6, 0);
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 2);
	desk_close(&k);
}
END_TEST

START_TEST(a_full_message_of_pointer_chains_is_cheap)
{
	const struct dns_effect *e = begin(SCAN_HIP);
	size_t names = 0;

	desk_answer_to(&k, e, 0);
	/* pointers to pointers, then records that use them */
	while (wr_len(&k.w) < 16000) {
		wr_be16(&k.w, (uint16_t)(0xc000 | (wr_len(&k.w) - 2)));
		names++;
	}
	put_be16(k.buf + 6, 65535);
	for (unsigned i = 0; i < 200; i++) {
		desk_hand_in(&k, e, 0);
		desk_forget(&k);
	}
	ck_assert_uint_gt(names, 7000);
	desk_close(&k);
}
END_TEST

START_TEST(random_answers_never_harm)
{
	uint32_t seed = randombytes_random();
	uint8_t key[randombytes_SEEDBYTES] = { (uint8_t)_i };
	uint8_t noise[64];

	put_be32(key + 4, seed);
	printf("random_answers_never_harm: seed %u.%d\n", seed, _i);
	for (unsigned i = 0; i < 3000; i++) {
		const struct dns_effect *e =
			begin(i % 2 ? SCAN_HIP : SCAN_AAAA);
		size_t len = wr_len(&k.w);

		put_be32(key + 8, i);
		randombytes_buf_deterministic(noise, sizeof(noise), key);
		for (unsigned m = 0; m < 1U + noise[0] % 4; m++)
			k.buf[12 + (get_be16(noise + 4 + 4 * m) % (len - 12))] =
				noise[6 + 4 * m];
		desk_hand_in(&k, e, 0);
		for (unsigned s = 1; s < 30; s++)
			dns_tick(k.d, s * SEC);
		ck_assert_uint_eq(dns_pending(k.d), 0);
		desk_drain(&k);
		ck_assert_uint_eq(desk_count(&k, DNS_ASK),
				  desk_count(&k, DNS_ASK_DONE));
		desk_close(&k);
	}
}
END_TEST

Suite *test_answer_suite(void);
Suite *test_answer_suite(void)
{
	Suite *s = suite_create("answer");
	TCase *tc = tcase_create("answer");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(
		tc, a_spoofed_answer_counts_and_the_right_one_still_comes, 0,
		11);
	tcase_add_loop_test(
		tc, an_answer_from_elsewhere_or_to_another_ask_is_none, 0, 4);
	tcase_add_test(tc, ids_are_drawn);
	tcase_add_test(tc, an_answer_taken_is_not_taken_twice);
	tcase_add_test(tc, each_shorter_hip_answer_is_malformed);
	tcase_add_loop_test(tc, an_error_in_a_header_alone_is_an_answer, 0, 2);
	tcase_add_test(tc, an_ask_that_we_could_not_send_never_goes_clear);
	tcase_add_test(tc, a_server_that_does_not_keep_case_is_asked_over_tcp);
	tcase_add_test(tc, records_outside_the_answer_section_mean_nothing);
	tcase_add_test(tc, a_full_message_of_pointer_chains_is_cheap);
	tcase_add_loop_test(tc, random_answers_never_harm, 0, 4);
	suite_add_tcase(s, tc);
	return s;
}
