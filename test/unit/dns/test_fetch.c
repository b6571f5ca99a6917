/* SPDX-License-Identifier: MIT */
/* Answers that are known, shared, fetched ahead, and asked for elsewhere. */
#include "test/unit/dns/desk.h"

static struct desk k;
static struct addr sub6;
static struct addr sub4;

static void setup(void)
{
	desk_open(&k);
	sub6 = desk_addr("fd00:5::5");
	sub4 = desk_addr("198.18.0.5");
}

static void teardown(void)
{
	desk_close(&k);
}

static void give(uint64_t now)
{
	const struct dns_effect *e = desk_last(&k, DNS_NEED_ADDRESS);

	ck_assert_ptr_nonnull(e);
	dns_give(k.d, e->question, 0, &sub6, &sub4, NULL, now);
	desk_drain(&k);
}

/* The first look-up of h.test, a HIP host: all of it is asked for. */
static void learn(uint64_t now)
{
	desk_query(&k, "h.test", SCAN_AAAA, true, now);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, now);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), "h.test",
			 "2001:db8::1", now);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.1", now);
	give(now);
	ck_assert(desk_last(&k, DNS_REPLY)->substituted);
	desk_forget(&k);
}

START_TEST(what_is_known_is_answered_without_a_server)
{
	struct desk_reply p;

	learn(0);
	desk_query(&k, "H.test", SCAN_AAAA, true, 280 * SEC / 2);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	ck_assert_uint_eq(desk_last(&k, DNS_NEED_ADDRESS)->host->ttl, 160);
	give(140 * SEC);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.rr.ttl, 60);
	desk_query(&k, "h.test", SCAN_A, true, 299 * SEC);
	ck_assert_uint_eq(desk_last(&k, DNS_NEED_ADDRESS)->host->ttl, 1);
	give(299 * SEC);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.rr.ttl, 1);
	desk_forget(&k);
	desk_query(&k, "h.test", SCAN_AAAA, true, 300 * SEC);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0); /* it waits */
}
END_TEST

START_TEST(clients_of_another_server_hear_nothing_of_it)
{
	learn(0);
	k.who.server = desk_at("10.0.0.54", 53);
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	ck_assert_ptr_nonnull(desk_ask(&k, "h.test", SCAN_HIP, false));
}
END_TEST

START_TEST(no_hip_record_is_known_too_and_the_rest_is_relayed)
{
	uint8_t soa[22] = { [21] = 60 };
	const struct dns_effect *e;

	desk_query(&k, "plain.test", SCAN_A, true, 0);
	e = desk_ask(&k, "plain.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	desk_rr(&k, 2, "test", SCAN_SOA, 60, soa, sizeof(soa));
	desk_hand_in(&k, e, 0);
	desk_addr_answer(&k, desk_ask(&k, "plain.test", SCAN_A, false),
			 "plain.test", "192.0.2.1", 0);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	desk_forget(&k);
	k.who.client.port++;
	desk_query(&k, "plain.test", SCAN_A, true, SEC);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 1); /* its own */
	desk_addr_answer(&k, desk_last(&k, DNS_ASK), "plain.test", "192.0.2.9",
			 SEC);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	ck_assert(!desk_last(&k, DNS_REPLY)->substituted);
}
END_TEST

START_TEST(a_record_in_use_is_fetched_before_it_is_too_old)
{
	const struct dns_effect *e;

	learn(0);
	desk_query(&k, "h.test", SCAN_AAAA, true, 275 * SEC);
	e = desk_last(&k, DNS_ASK);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->qtype, SCAN_HIP);
	give(275 * SEC); /* the client does not wait for it */
	ck_assert_uint_eq(dns_pending(k.d), 1);
	desk_hip_answer(&k, e, "h.test", NULL, 275 * SEC);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	desk_forget(&k);
	desk_query(&k, "h.test", SCAN_AAAA, true, 540 * SEC);
	ck_assert_ptr_null(desk_ask(&k, "h.test", SCAN_HIP, false));
}
END_TEST

START_TEST(fetching_ahead_ends_when_no_answer_comes)
{
	learn(0);
	desk_query(&k, "h.test", SCAN_AAAA, true, 275 * SEC);
	give(275 * SEC);
	dns_tick(k.d, 276 * SEC);
	dns_tick(k.d, 277 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK),
			  desk_count(&k, DNS_ASK_DONE));
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
}
END_TEST

/* Its client's own query is answered, and HIP is not; now: that is so. */
static bool is_held_back(const char *name, uint64_t now)
{
	desk_forget(&k);
	desk_query(&k, name, SCAN_A, true, now);
	desk_addr_answer(&k, desk_ask(&k, name, SCAN_A, false), name,
			 "192.0.2.80", now);
	return desk_last(&k, DNS_REPLY) == NULL;
}

/* Nobody says anything of HIP, then, and once more by the side. */
static void in_vain(const char *name, uint64_t now)
{
	ck_assert(is_held_back(name, now));
	dns_tick(k.d, now + 750 * MSEC);
	dns_tick(k.d, now + 1500 * MSEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_REPLY));
	dns_tick(k.d, now + 3 * SEC);
	dns_tick(k.d, now + 5 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}

START_TEST(silence_costs_a_client_time_once)
{
	const struct dns_effect *e;

	in_vain("mute.test", 0);
	ck_assert(!is_held_back("mute.test", 9 * SEC));
	/* By the side it is asked again, and may be answered then. */
	e = desk_ask(&k, "mute.test", SCAN_HIP, false);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	ck_assert(!is_held_back("mute.test", 10 * SEC));
	ck_assert_ptr_null(desk_ask(&k, "mute.test", SCAN_HIP, false));
	dns_tick(k.d, 11 * SEC);
	/* That was in vain, too: kept for longer. */
	ck_assert(!is_held_back("mute.test", 65 * SEC));
	e = desk_ask(&k, "mute.test", SCAN_HIP, false);
	desk_hip_answer(&k, e, "mute.test", NULL, 65 * SEC);
	desk_forget(&k);
	desk_query(&k, "mute.test", SCAN_AAAA, true, 66 * SEC);
	desk_addr_answer(&k, desk_ask(&k, "mute.test", SCAN_AAAA, false),
			 "mute.test", "2001:db8::1", 66 * SEC);
	dns_tick(k.d, 67 * SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
}
END_TEST

/* A name that nobody has asked for takes the server long, all types of it:
 * what it said too late it says at once now. */
START_TEST(slowness_is_mended_by_the_side)
{
	uint64_t late = 1600 * MSEC;
	const struct dns_effect *e;
	struct dns_effect own;

	desk_query(&k, "cold.test", SCAN_A, true, 0);
	own = *desk_ask(&k, "cold.test", SCAN_A, false);
	dns_tick(k.d, 750 * MSEC);
	dns_tick(k.d, 1500 * MSEC);
	desk_drain(&k);
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
	desk_addr_answer(&k, &own, "cold.test", "192.0.2.80", late);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	e = desk_ask(&k, "cold.test", SCAN_HIP, false);
	desk_hip_answer(&k, e, "cold.test", NULL, late);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	desk_query(&k, "cold.test", SCAN_AAAA, true, late);
	desk_addr_answer(&k, desk_ask(&k, "cold.test", SCAN_AAAA, false),
			 "cold.test", "2001:db8::1", late);
	dns_tick(k.d, late + SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
}
END_TEST

/* All who waited in vain have it asked for once more by the side, not each. */
START_TEST(what_many_wait_for_is_asked_once_by_the_side)
{
	unsigned asks = 0;

	for (unsigned i = 0; i < 4; i++) {
		k.who.client.port++;
		ck_assert(is_held_back("mute.test", 0));
	}
	dns_tick(k.d, 750 * MSEC);
	desk_drain(&k);
	desk_forget(&k);
	dns_tick(k.d, 1500 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 4);
	for (size_t i = 0; i < k.num; i++)
		asks += k.got[i].e.kind == DNS_ASK &&
			k.got[i].e.qtype == SCAN_HIP &&
			strcmp(k.got[i].e.name, "mute.test") == 0;
	ck_assert_uint_eq(asks, 1);
}
END_TEST

/* Where the record is required it is asked for each time; nor does silence
 * take the place of a record that was there. */
START_TEST(silence_about_what_counts_is_not_kept)
{
	ck_assert(is_held_back("x.require.test", 0));
	dns_tick(k.d, 750 * MSEC);
	dns_tick(k.d, 1500 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert(is_held_back("x.require.test", 2 * SEC));
	dns_tick(k.d, 10 * SEC);
	dns_tick(k.d, 20 * SEC);
	desk_drain(&k);
	desk_forget(&k);
	learn(100 * SEC);
	desk_query(&k, "h.test", SCAN_AAAA, true, 399 * SEC);
	give(399 * SEC);
	dns_tick(k.d, 400 * SEC);
	dns_tick(k.d, 401 * SEC); /* it is too old, and none has come */
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert(is_held_back("h.test", 402 * SEC));
}
END_TEST

START_TEST(a_lost_ask_waits_for_its_second_and_then_fails)
{
	const char *name = "x.require.test";
	const struct dns_effect *e;

	desk_query(&k, name, SCAN_A, true, 0);
	dns_ask_failed(k.d, desk_ask(&k, name, SCAN_HIP, false)->ask, 0);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	dns_tick(k.d, 750 * MSEC);
	desk_drain(&k);
	dns_ask_failed(k.d, desk_ask(&k, name, SCAN_HIP, false)->ask, 0);
	desk_drain(&k);
	e = desk_last(&k, DNS_REPLY);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(a_record_that_cannot_be_used_is_not_kept)
{
	const struct dns_effect *e;

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	e = desk_ask(&k, "h.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	desk_rr(&k, 1, "h.test", SCAN_HIP, 300, "lies", 4);
	desk_hand_in(&k, e, 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	desk_forget(&k);
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	ck_assert_ptr_nonnull(desk_ask(&k, "h.test", SCAN_HIP, false));
}
END_TEST

/* What was silence once and is a record now, usable or not: no clear address
 * any more. */
START_TEST(a_bad_record_ends_what_is_kept_of_silence)
{
	const struct dns_effect *e;

	in_vain("h.test", 0);
	ck_assert(!is_held_back("h.test", 11 * SEC));
	e = desk_ask(&k, "h.test", SCAN_HIP, false);
	desk_answer_to(&k, e, 0);
	if (_i) {
		desk_rr_hip(&k, "h.test", 300, 1, NULL);
		put_be16(k.buf + 2, get_be16(k.buf + 2) | SCAN_TC);
	} else {
		desk_rr(&k, 1, "h.test", SCAN_HIP, 300, "lies", 4);
	}
	desk_hand_in(&k, e, 11 * SEC);
	if (_i) /* and TCP fails */
		dns_ask_failed(k.d, desk_ask(&k, "h.test", SCAN_HIP, true)->ask,
			       11 * SEC);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert(is_held_back("h.test", 12 * SEC));
}
END_TEST

/* What the daemon says of it stands where there is none, and only there. */
START_TEST(no_address_in_one_family_has_its_reason)
{
	static const char text[] = "none left";
	const struct dns_effect *need;
	struct desk_reply p;
	const uint8_t *ede;
	uint16_t len = 0;

	desk_query(&k, "h.test", _i ? SCAN_AAAA : SCAN_A, true, 0);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), "h.test",
			 "2001:db8::1", 0);
	desk_nothing(&k, desk_ask(&k, "h.test", SCAN_A, false), 0, 0);
	need = desk_last(&k, DNS_NEED_ADDRESS);
	dns_give(k.d, need->question, 0, &sub6, &addr_any6, text, 0);
	desk_drain(&k);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(scan_rcode(&p.header), 0);
	ck_assert_uint_eq(p.header.count[1], _i);
	ck_assert_uint_eq(p.header.count[2], !_i); /* an SOA */
	ck_assert_int_eq(desk_ede(&p), 4);
	ede = desk_option(&p, 15, &len);
	ck_assert_int_eq(len == 2 + strlen(text) &&
				 memcmp(ede + 2, text, len - 2u) == 0,
			 !_i);
}
END_TEST

/* ---- together -------------------------------------------------------------- */

START_TEST(one_answer_serves_all_who_wait_for_it)
{
	for (unsigned i = 0; i < 10; i++) {
		k.who.client.port = (uint16_t)(4000 + i);
		desk_query(&k, i % 2 ? "H.test" : "h.TEST", SCAN_AAAA, true, 0);
	}
	/* Ten of their own, and one of each of ours. */
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 12);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.1", 0);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 0);
	/* Each knows an address; the other family is waited for in vain. */
	dns_tick(k.d, SEC / 2);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 10);
}
END_TEST

START_TEST(a_follower_asks_itself_when_none_comes)
{
	size_t before;

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	before = desk_count(&k, DNS_ASK);
	ck_assert_uint_eq(before, 3);
	dns_tick(k.d, 750 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), before + 2);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 751 * MSEC);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	dns_tick(k.d, 6 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

/* ---- elsewhere ------------------------------------------------------------- */

static struct endpoint server[2];

static void two_servers(void)
{
	struct dns_config cfg = desk_config();

	server[0] = desk_at("192.0.2.53", 53);
	server[1] = desk_at("192.0.2.54", 53);
	cfg.servers = server;
	cfg.servers_num = 2;
	desk_close(&k);
	desk_open_with(&k, &cfg);
}

/* That is no silence of one name's servers alone: nothing is kept. */
enum weak { WEAK_SERVFAIL, WEAK_REFUSED, WEAK_FOREIGN, WEAK_NUM };

START_TEST(what_is_no_silence_is_not_kept)
{
	static const char *const name = "mute.test";
	const struct dns_effect *own;

	two_servers();
	k.who.here = _i != WEAK_FOREIGN;
	desk_query(&k, name, SCAN_A, true, 0);
	own = desk_ask(&k, name, SCAN_A, false);
	if (_i == WEAK_FOREIGN)
		own = &k.got[0].e;
	if (_i == WEAK_SERVFAIL)
		desk_nothing(&k, own, SCAN_SERVFAIL, 0);
	else
		desk_addr_answer(&k, own, name, "192.0.2.80", 0);
	for (unsigned i = 0; i < 2; i++) {
		if (_i == WEAK_REFUSED)
			dns_ask_failed(k.d,
				       desk_ask(&k, name, SCAN_HIP, false)->ask,
				       0);
		dns_tick(k.d, (i + 1) * 750 * MSEC);
		desk_drain(&k);
	}
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	k.who.here = true;
	ck_assert(is_held_back(name, 2 * SEC));
	ck_assert_ptr_nonnull(desk_ask(&k, name, SCAN_HIP, false));
}
END_TEST

/* Its own server says that the name leads to one that HIP is required for:
 * that makes it stricter, though nothing else of it is believed. */
START_TEST(an_alias_at_a_foreign_server_does_not_go_round_hip)
{
	static const char *const to[] = { "h.require.test", "pinned.test",
					  "plain.test" };
	uint16_t type = _i % 2 ? SCAN_AAAA : SCAN_A;
	const struct dns_effect *own;
	struct hit hit = desk_hit(1);

	two_servers();
	ck_assert_int_eq(dns_pin(k.d, "pinned.test", &hit), 0);
	desk_query(&k, "www.test", type, true, 0);
	own = &k.got[0].e;
	ck_assert(endpoint_eq(&own->server, &k.who.server));
	desk_nothing(&k, desk_ask(&k, "www.test", SCAN_HIP, false), 0, 0);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	desk_answer_to(&k, own, 0);
	desk_rr_cname(&k, "www.test", 60, to[_i / 2]);
	desk_rr_addr(&k, to[_i / 2], 60, _i % 2 ? "2001:db8::1" : "192.0.2.80");
	desk_hand_in(&k, own, 0);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed == (_i / 2 == 2));
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode,
			  _i / 2 == 2 ? SCAN_NOERROR : SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_STRIPPED), _i / 2 == 1);
}
END_TEST

START_TEST(our_questions_go_to_our_servers_and_the_clients_to_its_own)
{
	two_servers();
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 4);
	for (size_t i = 0; i < k.num; i++)
		ck_assert(endpoint_eq(&k.got[i].e.server,
				      i ? &server[0] : &k.who.server));
	/* And what is theirs to say is not believed from another. */
	desk_answer_to(&k, &k.got[1].e, 0);
	desk_rr_hip(&k, "h.test", 300, 1, NULL);
	dns_answer(k.d, k.got[1].e.ask, &k.who.server, k.buf, wr_len(&k.w), 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 1);
}
END_TEST

START_TEST(whose_server_said_so_is_told)
{
	if (_i)
		two_servers();
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), "h.test",
			 "2001:db8::1", 0);
	desk_nothing(&k, desk_ask(&k, "h.test", SCAN_A, false), 0, 0);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
	ck_assert(desk_last(&k, DNS_NEED_ADDRESS)->host->theirs == !_i);
}
END_TEST

START_TEST(the_second_server_is_asked_when_the_first_is_silent)
{
	const struct dns_effect *e;

	two_servers();
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	dns_tick(k.d, 750 * MSEC);
	desk_drain(&k);
	e = desk_ask(&k, "h.test", SCAN_HIP, false);
	ck_assert(endpoint_eq(&e->server, &server[1]));
	desk_hip_answer(&k, e, "h.test", NULL, 751 * MSEC);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, 0);
	/* Silent twice: from now on the second comes first. */
	for (unsigned i = 0; i < 2; i++) {
		desk_forget(&k);
		desk_query(&k, i ? "j.test" : "i.test", SCAN_HTTPS, true, SEC);
		e = desk_ask(&k, i ? "j.test" : "i.test", SCAN_HIP, false);
		ck_assert(endpoint_eq(&e->server, &server[i]));
		dns_tick(k.d, 1751 * MSEC);
	}
}
END_TEST

START_TEST(a_spoofer_is_met_with_tcp)
{
	const struct dns_effect *e;

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	e = desk_ask(&k, "h.test", SCAN_HIP, false);
	for (unsigned i = 0; i < 100000; i++) {
		desk_answer_to(&k, e, 0);
		put_be16(k.buf, (uint16_t)(get_be16(k.buf) + 1));
		desk_rr_hip(&k, "h.test", 300, 9, NULL);
		dns_answer(k.d, e->ask, &e->server, k.buf, wr_len(&k.w), 0);
	}
	desk_drain(&k);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 100000);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_SPOOFED), 1);
	e = desk_ask(&k, "h.test", SCAN_HIP, true);
	ck_assert_ptr_nonnull(e);
	desk_hip_answer(&k, e, "h.test", NULL, 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, 0);
}
END_TEST

Suite *test_fetch_suite(void);
Suite *test_fetch_suite(void)
{
	Suite *s = suite_create("fetch");
	TCase *tc = tcase_create("fetch");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_known_is_answered_without_a_server);
	tcase_add_test(tc, clients_of_another_server_hear_nothing_of_it);
	tcase_add_test(tc, no_hip_record_is_known_too_and_the_rest_is_relayed);
	tcase_add_test(tc, a_record_in_use_is_fetched_before_it_is_too_old);
	tcase_add_test(tc, fetching_ahead_ends_when_no_answer_comes);
	tcase_add_test(tc, silence_costs_a_client_time_once);
	tcase_add_test(tc, slowness_is_mended_by_the_side);
	tcase_add_test(tc, what_many_wait_for_is_asked_once_by_the_side);
	tcase_add_loop_test(tc, a_bad_record_ends_what_is_kept_of_silence, 0,
			    2);
	tcase_add_loop_test(tc, what_is_no_silence_is_not_kept, 0, WEAK_NUM);
	tcase_add_loop_test(
		tc, an_alias_at_a_foreign_server_does_not_go_round_hip, 0, 6);
	tcase_add_test(tc, silence_about_what_counts_is_not_kept);
	tcase_add_test(tc, a_lost_ask_waits_for_its_second_and_then_fails);
	tcase_add_test(tc, a_record_that_cannot_be_used_is_not_kept);
	tcase_add_loop_test(tc, no_address_in_one_family_has_its_reason, 0, 2);
	tcase_add_test(tc, one_answer_serves_all_who_wait_for_it);
	tcase_add_test(tc, a_follower_asks_itself_when_none_comes);
	tcase_add_test(
		tc, our_questions_go_to_our_servers_and_the_clients_to_its_own);
	tcase_add_loop_test(tc, whose_server_said_so_is_told, 0, 2);
	tcase_add_test(tc, the_second_server_is_asked_when_the_first_is_silent);
	tcase_add_test(tc, a_spoofer_is_met_with_tcp);
	suite_add_tcase(s, tc);
	return s;
}
