/* SPDX-License-Identifier: MIT */
/* What becomes of answers that a validator has judged. */
#include "test/unit/dns/desk.h"

static struct desk k;

static void open_as(enum dns_dnssec dnssec)
{
	struct dns_config cfg = desk_config();

	cfg.dnssec = dnssec;
	desk_open_with(&k, &cfg);
}

static void teardown(void)
{
	desk_close(&k);
}

/* Asks for HTTPS of h.test, and has the validator answer its HIP question
 * with what stands behind; rdata NULL: no record. Returns the rcode. */
static unsigned judged(enum dns_security security, unsigned rcode,
		       bool with_record)
{
	const struct dns_effect *e;

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	e = desk_last(&k, DNS_VALIDATE);
	ck_assert_ptr_nonnull(e);
	ck_assert_str_eq(e->name, "h.test");
	ck_assert_uint_eq(e->qtype, SCAN_HIP);
	ck_assert_ptr_null(desk_ask(&k, "h.test", SCAN_HIP, false));
	desk_answer_to(&k, e, rcode);
	put_be16(k.buf, 0); /* its id is not ours */
	if (with_record)
		desk_rr_hip(&k, "h.test", 300, 1, NULL);
	dns_validated(k.d, e->ask, security, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
	e = desk_last(&k, DNS_REPLY);
	if (!e) {
		desk_nothing(&k, desk_last(&k, DNS_ASK), 0, 0);
		e = desk_last(&k, DNS_REPLY);
	}
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	return e->rcode;
}

/* What is relayed has no SOA here, what is made has. */
static bool is_made(void)
{
	struct desk_reply p = desk_read(desk_last(&k, DNS_REPLY));

	return p.records > 0;
}

static const struct {
	enum dns_dnssec dnssec;
	enum dns_security security;
	unsigned rcode;
	bool record;
	unsigned want;
	bool made;
	int ede;
} rows[] = {
	{ DNS_DNSSEC_REQUIRE, DNS_SECURE, 0, true, 0, true, 4 },
	{ DNS_DNSSEC_REQUIRE, DNS_INSECURE, 0, true, 2, false, 6 },
	{ DNS_DNSSEC_REQUIRE, DNS_BOGUS, 0, true, 2, false, 6 },
	{ DNS_DNSSEC_REQUIRE, DNS_BOGUS, 0, false, 2, false, 6 },
	{ DNS_DNSSEC_REQUIRE, DNS_INSECURE, 2, false, 2, false, 6 },
	{ DNS_DNSSEC_REQUIRE, DNS_INSECURE, 0, false, 0, false, -1 },
	{ DNS_DNSSEC_REQUIRE, DNS_SECURE, 3, false, 0, false, -1 },
	{ DNS_DNSSEC_PREFER, DNS_SECURE, 0, true, 0, true, 4 },
	{ DNS_DNSSEC_PREFER, DNS_INSECURE, 0, true, 0, true, 4 },
	{ DNS_DNSSEC_PREFER, DNS_BOGUS, 0, true, 2, false, 6 },
	{ DNS_DNSSEC_PREFER, DNS_INSECURE, 2, false, 0, false, -1 },
};

START_TEST(each_judgement_has_its_answer)
{
	struct desk_reply p;

	open_as(rows[_i].dnssec);
	ck_assert_uint_eq(
		judged(rows[_i].security, rows[_i].rcode, rows[_i].record),
		rows[_i].want);
	ck_assert(is_made() == rows[_i].made);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_int_eq(desk_ede(&p), rows[_i].ede);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BOGUS), rows[_i].ede == 6);
}
END_TEST

START_TEST(only_a_proof_ends_a_pin)
{
	static const struct {
		enum dns_security security;
		unsigned rcode;
		bool ends;
	} cases[] = {
		{ DNS_SECURE, 0, true },    { DNS_SECURE, 3, true },
		{ DNS_INSECURE, 0, false }, { DNS_INSECURE, 3, false },
		{ DNS_BOGUS, 0, false },    { DNS_SECURE, 2, false },
	};
	struct hit hit = desk_hit(1);

	open_as(DNS_DNSSEC_PREFER);
	ck_assert_int_eq(dns_pin(k.d, "h.test", &hit), 0);
	ck_assert_uint_eq(judged(cases[_i].security, cases[_i].rcode, false),
			  cases[_i].ends ? 0 : SCAN_SERVFAIL);
	ck_assert(dns_pinned(k.d, "h.test") == !cases[_i].ends);
	ck_assert_uint_eq(desk_count(&k, DNS_UNPINNED), cases[_i].ends);
}
END_TEST

START_TEST(a_datagram_is_no_judgement_and_a_judgement_no_datagram)
{
	const struct dns_effect *e;

	open_as(DNS_DNSSEC_REQUIRE);
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	e = desk_last(&k, DNS_VALIDATE);
	desk_answer_to(&k, e, 0);
	desk_rr_hip(&k, "h.test", 300, 1, NULL);
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 1);
	e = desk_ask(&k, "h.test", SCAN_A, false);
	dns_validated(k.d, e->ask, DNS_SECURE, k.buf, wr_len(&k.w), 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 2);
	dns_validated(k.d, 0, DNS_SECURE, k.buf, wr_len(&k.w), 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 3);
	ck_assert_uint_eq(dns_pending(k.d), 1);
}
END_TEST

START_TEST(a_validator_that_fails_or_is_silent_ends_the_question)
{
	const struct dns_effect *e;

	open_as(DNS_DNSSEC_REQUIRE);
	desk_query(&k, "h.require.test", SCAN_HTTPS, true, 0);
	e = desk_last(&k, DNS_VALIDATE);
	if (_i == 0)
		dns_ask_failed(k.d, e->ask, 0);
	else
		dns_tick(k.d, 5 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_count(&k, DNS_VALIDATE), 1);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

/* A client asks for both families at once: each hears the judgement. */
START_TEST(each_of_equal_questions_is_judged)
{
	struct dns_effect asks[2];
	size_t num = 0;

	open_as(DNS_DNSSEC_PREFER);
	desk_query(&k, "h.test", SCAN_A, true, 0);
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_VALIDATE), 2);
	for (size_t i = 0; i < k.num; i++) {
		if (k.got[i].e.kind == DNS_VALIDATE)
			asks[num++] = k.got[i].e;
	}
	for (size_t i = 0; i < num; i++) {
		dns_validated(k.d, asks[i].ask, DNS_BOGUS, NULL, 0, 0);
		desk_drain(&k);
		ck_assert_uint_eq(desk_count(&k, DNS_REPLY), i + 1);
		ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode,
				  SCAN_SERVFAIL);
	}
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

/* A validator that is too slow once; it is asked again by the side. */
static const struct dns_effect *too_slow(void)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.80", 0);
	dns_tick(k.d, 4500 * MSEC - 1);
	desk_drain(&k);
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
	desk_forget(&k);
	dns_tick(k.d, 4500 * MSEC);
	desk_drain(&k);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	return desk_last(&k, DNS_VALIDATE);
}

/* How the next client fares, of whose question the same is said. */
static unsigned next_has(enum dns_security security, uint64_t now)
{
	const struct dns_effect *e;

	desk_forget(&k);
	desk_query(&k, "h.test", SCAN_A, true, now);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.80", now);
	e = desk_last(&k, DNS_VALIDATE);
	if (e)
		dns_validated(k.d, e->ask, security, NULL, 0, now);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_REPLY));
	return desk_last(&k, DNS_REPLY)->rcode;
}

START_TEST(what_turns_out_bogus_does_not_go_clear)
{
	const struct dns_effect *e;

	open_as(DNS_DNSSEC_PREFER);
	e = too_slow();
	ck_assert_ptr_nonnull(e);
	/* It has the same time as ever. */
	dns_tick(k.d, 8 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	ck_assert_uint_eq(next_has(DNS_BOGUS, 8 * SEC), 0);
	dns_validated(k.d, e->ask, DNS_BOGUS, NULL, 0, 8 * SEC);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(next_has(DNS_BOGUS, 8 * SEC), SCAN_SERVFAIL);
}
END_TEST

/* One client hears nothing, and what another one hears is worse. */
START_TEST(what_another_client_heard_was_bogus_counts)
{
	uint32_t second;

	open_as(DNS_DNSSEC_PREFER);
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.80", 0);
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_HTTPS, true, SEC);
	second = desk_last(&k, DNS_VALIDATE)->ask;
	dns_tick(k.d, 5 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	k.who.client.port++;
	ck_assert_uint_eq(next_has(DNS_BOGUS, 5 * SEC), 0);
	dns_validated(k.d, second, DNS_BOGUS, NULL, 0, 5 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(next_has(DNS_BOGUS, 5 * SEC), SCAN_SERVFAIL);
}
END_TEST

Suite *test_validated_suite(void);
Suite *test_validated_suite(void)
{
	Suite *s = suite_create("validated");
	TCase *tc = tcase_create("validated");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_loop_test(tc, each_judgement_has_its_answer, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_loop_test(tc, only_a_proof_ends_a_pin, 0, 6);
	tcase_add_test(tc,
		       a_datagram_is_no_judgement_and_a_judgement_no_datagram);
	tcase_add_loop_test(
		tc, a_validator_that_fails_or_is_silent_ends_the_question, 0,
		2);
	tcase_add_test(tc, each_of_equal_questions_is_judged);
	tcase_add_test(tc, what_turns_out_bogus_does_not_go_clear);
	tcase_add_test(tc, what_another_client_heard_was_bogus_counts);
	suite_add_tcase(s, tc);
	return s;
}
