/* SPDX-License-Identifier: MIT */
/* Our own questions that come back are known, refused and counted. */
#include "test/unit/dns/desk.h"

#include "dns/upstream.h"

static struct desk k;
static struct endpoint servers[2];
static struct endpoint socket_at; /* where our asks leave from */

static bool own_ask(void *arg, uint32_t ask, const struct endpoint *from)
{
	ck_assert_ptr_eq(arg, &k);
	ck_assert_uint_ne(ask, 0);
	return endpoint_eq(from, &socket_at);
}

static void setup(void)
{
	struct dns_config cfg = desk_config();

	servers[0] = desk_at("10.0.0.53", 53);
	servers[1] = desk_at("10.0.0.54", 53);
	socket_at = desk_at("10.0.0.1", 33333);
	cfg.servers = servers;
	cfg.servers_num = 2;
	cfg.own_ask = own_ask;
	cfg.arg = &k;
	desk_open_with(&k, &cfg);
}

static void teardown(void)
{
	desk_close(&k);
}

/* Somebody passes an ask of ours on to us, with an id of his own. */
static void pass_on(const struct dns_effect *ask, uint16_t id,
		    const struct endpoint *from, uint64_t now)
{
	struct dns_asker who = { .client = *from, .here = true };
	uint8_t msg[512];

	ck_assert_uint_le(ask->msg_len, sizeof(msg));
	memcpy(msg, ask->msg, ask->msg_len);
	put_be16(msg, id);
	dns_query(k.d, &who, msg, ask->msg_len, now);
	desk_drain(&k);
}

static const struct dns_effect *nth_ask(unsigned n)
{
	for (size_t i = 0; i < k.num; i++) {
		if (k.got[i].e.kind == DNS_ASK && n-- == 0)
			return &k.got[i].e;
	}
	return NULL;
}

static void loop_said(const struct endpoint *server, uint64_t times)
{
	const struct dns_effect *e = desk_last(&k, DNS_REPLY);
	struct desk_reply p = desk_read(e);

	ck_assert_uint_eq(e->rcode, SCAN_REFUSED);
	ck_assert_int_eq(desk_ede(&p), 15);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_LOOP), times);
	e = desk_last(&k, DNS_LOOP);
	ck_assert_ptr_nonnull(e);
	ck_assert(endpoint_eq(&e->server, server));
}

static void ask_here(const char *name, uint64_t now)
{
	k.who.here = true;
	k.who.server = desk_at("fd00:5::53", 53);
	desk_query(&k, name, SCAN_A, true, now);
}

START_TEST(a_name_of_chance_comes_back_through_others)
{
	struct endpoint other = desk_at("10.9.9.9", 5353);

	dns_probe(k.d, 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 2);
	ck_assert(endpoint_eq(&nth_ask(0)->server, &servers[0]));
	ck_assert(endpoint_eq(&nth_ask(1)->server, &servers[1]));
	ck_assert_str_ne(nth_ask(0)->name, nth_ask(1)->name);
	pass_on(nth_ask(0), 1, &other, 0);
	loop_said(&servers[0], 1);
	desk_forget(&k);
	/* Only the other one is asked now. */
	ask_here("plain.test", SEC);
	ck_assert_uint_gt(desk_count(&k, DNS_ASK), 0);
	for (unsigned i = 0; nth_ask(i); i++)
		ck_assert(endpoint_eq(&nth_ask(i)->server, &servers[1]));
}
END_TEST

START_TEST(what_differs_is_no_loop)
{
	struct endpoint other = desk_at("10.9.9.9", 5353);
	const struct dns_effect *ask;
	uint16_t id;

	desk_query(&k, "h.test", SCAN_A, true, 0);
	ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	id = get_be16(ask->msg);
	pass_on(ask, (uint16_t)(id + 1), &socket_at, 0);
	pass_on(ask, id, &other, 0);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_LOOP), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_LOOP), 0);
	pass_on(ask, id, &socket_at, 0);
	loop_said(&ask->server, 1);
}
END_TEST

/* The client's own query leaves with its octets, and is known as well. */
START_TEST(the_clients_own_query_comes_back_straight)
{
	const struct dns_effect *ask;

	desk_query(&k, "h.test", 16, true, 0);
	ask = desk_ask(&k, "h.test", 16, false);
	pass_on(ask, get_be16(ask->msg), &socket_at, 0);
	loop_said(&k.who.server, 1);
}
END_TEST

START_TEST(when_all_go_round_nobody_is_asked_and_nothing_is_clear)
{
	struct endpoint other = desk_at("10.9.9.9", 5353);
	const struct dns_effect *e;
	struct desk_reply p;

	dns_probe(k.d, 0);
	desk_drain(&k);
	pass_on(nth_ask(0), 1, &other, 0);
	pass_on(nth_ask(1), 2, &other, 0);
	desk_forget(&k);
	/* Its own server is another one, and would answer. */
	k.who.server = desk_at("10.7.7.7", 53);
	desk_query(&k, "h.test", SCAN_A, true, SEC);
	e = desk_last(&k, DNS_REPLY);
	ck_assert_uint_eq(e->rcode, SCAN_SERVFAIL);
	p = desk_read(e);
	ck_assert_int_eq(desk_ede(&p), 0);
	desk_forget(&k);
	ask_here("x.test", SEC);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	ck_assert_uint_eq(dns_pending(k.d), 2); /* the probes */
	desk_forget(&k);
	ask_here("x.test", UPSTREAM_LOOP_NS);
	ck_assert_uint_gt(desk_count(&k, DNS_ASK), 0);
}
END_TEST

/* A record is about to be too old, and there is nobody to ask for it. */
START_TEST(fetching_ahead_ends_when_all_go_round)
{
	struct endpoint other = desk_at("10.9.9.9", 5353);
	struct addr sub6 = desk_addr("fd00:5::5");
	const struct dns_effect *e;
	size_t pending;

	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_AAAA, false), "h.test",
			 "2001:db8::1", 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 "192.0.2.1", 0);
	e = desk_last(&k, DNS_NEED_ADDRESS);
	dns_give(k.d, e->question, 0, &sub6, NULL, NULL, 0);
	desk_drain(&k);
	desk_forget(&k);
	dns_probe(k.d, 274 * SEC);
	desk_drain(&k);
	pass_on(nth_ask(0), 1, &other, 274 * SEC);
	pass_on(nth_ask(1), 2, &other, 274 * SEC);
	pending = dns_pending(k.d);
	desk_query(&k, "h.test", SCAN_AAAA, true, 275 * SEC);
	e = desk_last(&k, DNS_NEED_ADDRESS);
	ck_assert_ptr_nonnull(e);
	dns_give(k.d, e->question, 0, &sub6, NULL, NULL, 275 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), pending);
	dns_tick(k.d, 300 * SEC);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(a_server_that_falls_silent_is_tried_for_a_loop)
{
	ask_here("h.test", 0);
	for (unsigned s = 1; s < 8; s++) {
		dns_tick(k.d, s * SEC);
		desk_drain(&k);
	}
	ck_assert_ptr_nonnull(nth_ask(0));
	for (unsigned i = 0; nth_ask(i); i++) {
		if (nth_ask(i)->qtype == 16)
			return;
	}
	ck_abort_msg("no name of chance was asked for");
}
END_TEST

START_TEST(who_asks_the_gateway_itself_is_served_by_our_servers)
{
	const struct dns_effect *e;
	struct desk_reply p;

	ask_here("plain.test", 0);
	e = desk_ask(&k, "plain.test", SCAN_A, false);
	ck_assert(endpoint_eq(&e->server, &servers[0]));
	desk_nothing(&k, desk_ask(&k, "plain.test", SCAN_HIP, false), 0, 0);
	/* Lost: the next one is asked. */
	dns_tick(k.d, 1100 * MSEC);
	desk_drain(&k);
	e = desk_ask(&k, "plain.test", SCAN_A, false);
	ck_assert(endpoint_eq(&e->server, &servers[1]));
	desk_addr_answer(&k, e, "plain.test", "192.0.2.1", 2 * SEC);
	e = desk_last(&k, DNS_REPLY);
	ck_assert(endpoint_eq(&e->who.server, &k.who.server));
	p = desk_read(e);
	ck_assert_uint_eq(p.rr.type, SCAN_A);
	ck_assert_uint_eq(p.header.id, 0x1234);
}
END_TEST

START_TEST(silence_and_no_server_are_told_to_who_asked_the_gateway)
{
	struct dns_config cfg = desk_config();
	struct desk_reply p;

	ask_here("plain.test", 0);
	for (unsigned s = 1; s < 8; s++) {
		dns_tick(k.d, s * SEC);
		desk_drain(&k);
	}
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_int_eq(desk_ede(&p), 22);
	desk_close(&k);
	desk_open_with(&k, &cfg);
	ask_here("plain.test", 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_int_eq(desk_ede(&p), 0);
}
END_TEST

START_TEST(strangers_are_refused)
{
	struct desk_reply p;

	k.who.stranger = true;
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_REFUSED);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_int_eq(desk_ede(&p), 18);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_CLIENT), 1);
}
END_TEST

Suite *test_loop_suite(void);
Suite *test_loop_suite(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_name_of_chance_comes_back_through_others);
	tcase_add_test(tc, what_differs_is_no_loop);
	tcase_add_test(tc, the_clients_own_query_comes_back_straight);
	tcase_add_test(tc,
		       when_all_go_round_nobody_is_asked_and_nothing_is_clear);
	tcase_add_test(tc, fetching_ahead_ends_when_all_go_round);
	tcase_add_test(tc, a_server_that_falls_silent_is_tried_for_a_loop);
	tcase_add_test(tc,
		       who_asks_the_gateway_itself_is_served_by_our_servers);
	tcase_add_test(tc,
		       silence_and_no_server_are_told_to_who_asked_the_gateway);
	tcase_add_test(tc, strangers_are_refused);
	suite_add_tcase(s, tc);
	return s;
}
