/* SPDX-License-Identifier: MIT */
/* Who abuses DNS harms himself: memory is bounded, others are served, and
 * each kind is counted by its name (product.md T10..T13). */
#include "test/unit/dns/desk.h"

static struct desk k;

static void setup(void)
{
	desk_open(&k);
}

static void teardown(void)
{
	desk_close(&k);
}

static const struct dns_effect *hip_ask(void)
{
	return desk_ask(&k, "h.test", SCAN_HIP, false);
}

/* The question about h.test came to this end, and left nothing. */
static void refused(enum reason why, uint64_t times)
{
	ck_assert_uint_eq(desk_reason(&k, why), times);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}

START_TEST(random_names_of_one_client_leave_room_for_another)
{
	enum { NAMES = 1000000 };
	char name[32];
	size_t most = 0;

	for (unsigned i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		desk_query(&k, name, 16, false, 0);
		if (dns_pending(k.d) > most)
			most = dns_pending(k.d);
		desk_forget(&k);
	}
	ck_assert_uint_eq(most, 256);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BUSY), NAMES - 256);
	k.who.client = desk_at("10.0.0.3", 40000);
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(hip_ask());
	dns_tick(k.d, 20 * SEC);
	desk_forget(&k);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

/* Sources that are forged all over: nobody is to blame, least of all the LAN
 * that has a few questions, so the next one is refused. */
START_TEST(many_small_networks_cost_nobody_his_question)
{
	for (unsigned i = 0; i < 4096; i++) {
		k.who.client = desk_at("2001:db8::1", (uint16_t)(1000 + i));
		put_be16(k.who.client.addr.b + 4, (uint16_t)(i < 4 ? 9999 : i));
		desk_query(&k, "dead.test", 16, false, i);
		desk_forget(&k);
	}
	ck_assert_uint_eq(dns_pending(k.d), 4096);
	k.who.client = desk_at("10.0.0.3", 40000);
	desk_query(&k, "new.test", SCAN_A, true, 5000);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->who.client.port, 40000);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(dns_pending(k.d), 4096);
	desk_forget(&k);
}
END_TEST

/* A network that fills the table, with as many sources as it likes, pays for
 * the questions of others with its oldest; and so it does for its own. */
START_TEST(one_network_does_not_fill_the_table_for_others)
{
	const char *net = _i ? "10.1.1.0" : "2001:db8::1:0";
	struct endpoint at = desk_at(net, 40000);
	const struct dns_effect *e;
	struct desk_reply r;

	for (unsigned i = 0; i < 4096; i++) {
		k.who.client = at;
		if (_i) /* 17 ports of each of 255 sources */
			k.who.client.addr.b[15] = (uint8_t)(i % 255);
		else
			put_be16(k.who.client.addr.b + 14, (uint16_t)i);
		k.who.client.port = (uint16_t)(40000 + i);
		desk_query(&k, "dead.test", 16, false, i);
		ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
		desk_forget(&k);
	}
	ck_assert_uint_eq(dns_pending(k.d), 4096);
	for (unsigned i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%u.test", i);
		k.who.client = desk_at("10.0.0.3", 40000);
		desk_query(&k, name, SCAN_A, true, 5000);
		ck_assert_ptr_nonnull(desk_ask(&k, name, SCAN_HIP, false));
		e = desk_last(&k, DNS_REPLY);
		ck_assert_ptr_nonnull(e);
		ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
		ck_assert_uint_eq(e->who.client.port, 40000 + i);
		ck_assert_uint_eq(e->rcode, SCAN_SERVFAIL);
		r = desk_read(e);
		ck_assert_str_eq(e->name, "dead.test");
		ck_assert(!r.has_opt); /* nor had its question */
		desk_forget(&k);
	}
	ck_assert_uint_eq(dns_pending(k.d), 4096);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BUSY), 200);
	k.who.client = at; /* one of its own, with EDNS */
	k.who.client.addr.b[14] = 0xff;
	k.who.client.port = 1;
	desk_query(&k, "new.test", 16, true, 5000);
	ck_assert_uint_eq(dns_pending(k.d), 4096);
	ck_assert_int_eq(
		dns_resolve(k.d, "own.test", NULL, &k.who.server, 9, 5000), 0);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_ask(&k, "own.test", SCAN_HIP, false));
	ck_assert_uint_eq(dns_pending(k.d), 4096);
}
END_TEST

/* A client that has its share costs nobody a question. */
START_TEST(who_has_his_share_takes_none_of_others)
{
	struct desk small;
	struct dns_config cfg = desk_config();
	const struct dns_effect *e;
	struct desk_reply r;

	cfg.questions_max = 3;
	cfg.client_max = 2;
	desk_open_with(&small, &cfg);
	desk_query(&small, "a.test", 16, true, 0);
	desk_query(&small, "b.test", 16, true, 0);
	small.who.client = desk_at("10.1.0.3", 40000);
	desk_query(&small, "a.test", 16, true, 0);
	small.who.client = desk_at("10.0.0.2", 40000);
	desk_query(&small, "c.test", 16, true, 0);
	e = desk_last(&small, DNS_REPLY);
	ck_assert_uint_eq(desk_count(&small, DNS_REPLY), 1);
	ck_assert_str_eq(e->name, "c.test");
	ck_assert_uint_eq(dns_pending(small.d), 3);
	/* Another one of that network: its oldest goes, and hears why. */
	small.who.client = desk_at("10.0.0.9", 40000);
	desk_query(&small, "d.test", 16, true, 0);
	e = desk_last(&small, DNS_REPLY);
	ck_assert_uint_eq(desk_count(&small, DNS_REPLY), 2);
	ck_assert_str_eq(e->name, "a.test");
	r = desk_read(e);
	ck_assert_int_eq(desk_ede(&r), 14);
	ck_assert_uint_eq(dns_pending(small.d), 3);
	desk_close(&small);
}
END_TEST

/* Every name there is has a HIP record: what is kept of them is bounded by
 * the cache and by the pins of one HIT (test_cache.c, test_pins.c), and
 * nothing else is kept. */
START_TEST(a_wildcard_zone_leaves_no_question_behind)
{
	char name[32];

	for (unsigned i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%u.test", i);
		desk_query(&k, name, SCAN_HTTPS, false, 0);
		desk_hip_answer(&k, desk_ask(&k, name, SCAN_HIP, false), name,
				NULL, 0);
		ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, 0);
		ck_assert_uint_eq(dns_pending(k.d), 0);
		desk_forget(&k);
	}
}
END_TEST

START_TEST(a_record_of_64_kilobytes_is_no_record)
{
	static uint8_t rdata[65000];
	const struct dns_effect *e;
	size_t len = desk_hip(rdata, sizeof(rdata), 1, NULL);

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	e = hip_ask();
	desk_answer_to(&k, e, 0);
	/* As if thousands of rendezvous servers came behind: names of one
	 * label, and the last one without an end. */
	for (size_t i = len; i + 3 <= sizeof(rdata); i += 3)
		memcpy(rdata + i, "\1a\0", 3);
	rdata[sizeof(rdata) - 1] = 63;
	desk_rr(&k, 1, "h.test", SCAN_HIP, 300, rdata, sizeof(rdata));
	desk_hand_in(&k, e, 0);
	refused(REASON_DNS_BAD_HIP, 1);
}
END_TEST

START_TEST(a_pointer_that_loops_is_malformed)
{
	const struct dns_effect *e;
	size_t at;

	desk_query(&k, "h.require.test", SCAN_HTTPS, true, 0);
	e = desk_ask(&k, "h.require.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	at = wr_len(&k.w);
	wr_be16(&k.w, (uint16_t)(0xc000 | at)); /* to itself */
	wr_be16(&k.w, SCAN_HIP);
	wr_be16(&k.w, 1);
	wr_be32(&k.w, 300);
	wr_be16(&k.w, 0);
	desk_bump(&k, 1);
	desk_hand_in(&k, e, 0);
	refused(REASON_DNS_MALFORMED, 1);
}
END_TEST

START_TEST(addresses_that_lead_home_are_no_locators)
{
	static const char *const six[] = { "::1", "ff02::1", "fe80::1",
					   "fd00:5::7", "64:ff9b::127.0.0.1" };
	static const char *const four[] = { "127.0.0.1", "224.0.0.1",
					    "198.18.0.9", "169.254.1.1" };
	const struct dns_effect *e;

	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_hip_answer(&k, hip_ask(), "h.test", NULL, 0);
	e = desk_ask(&k, "h.test", SCAN_AAAA, false);
	desk_answer_to(&k, e, 0);
	for (size_t i = 0; i < 5; i++)
		desk_rr_addr(&k, "h.test", 300, six[i]);
	desk_hand_in(&k, e, 0);
	e = desk_ask(&k, "h.test", SCAN_A, false);
	desk_answer_to(&k, e, 0);
	for (size_t i = 0; i < 4; i++)
		desk_rr_addr(&k, "h.test", 300, four[i]);
	desk_hand_in(&k, e, 0);
	refused(REASON_DNS_LOCATOR, 9);
}
END_TEST

Suite *test_abuse_suite(void);
Suite *test_abuse_suite(void)
{
	Suite *s = suite_create("abuse");
	TCase *tc = tcase_create("abuse");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, random_names_of_one_client_leave_room_for_another);
	tcase_add_test(tc, many_small_networks_cost_nobody_his_question);
	tcase_add_loop_test(tc, one_network_does_not_fill_the_table_for_others,
			    0, 2);
	tcase_add_test(tc, who_has_his_share_takes_none_of_others);
	tcase_add_test(tc, a_wildcard_zone_leaves_no_question_behind);
	tcase_add_test(tc, a_record_of_64_kilobytes_is_no_record);
	tcase_add_test(tc, a_pointer_that_loops_is_malformed);
	tcase_add_test(tc, addresses_that_lead_home_are_no_locators);
	suite_add_tcase(s, tc);
	return s;
}
