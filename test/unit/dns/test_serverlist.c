/* SPDX-License-Identifier: MIT */
/* The list of servers changes: who goes on, who begins anew, and what of
 * those who are gone counts no more. */
#include "test/unit/dns/desk.h"

#include "dns/deaf.h"
#include "dns/question.h"

static struct desk k;
static struct endpoint a, b, own;

static void open_as(const struct endpoint *servers, size_t num,
		    enum dns_dnssec dnssec)
{
	struct dns_config cfg = desk_config();

	cfg.servers = servers;
	cfg.servers_num = num;
	cfg.dnssec = dnssec;
	desk_open_with(&k, &cfg);
	k.who.server = own;
}

static void setup(void)
{
	a = desk_at("192.0.2.53", 53);
	b = desk_at("192.0.2.54", 53);
	own = desk_at("10.0.0.53", 53); /* the client's */
	open_as(&a, 1, DNS_DNSSEC_OFF);
}

static void teardown(void)
{
	ck_assert_uint_eq(dns_pending(k.d), k.d->num);
	desk_close(&k);
}

static void reopen(const struct endpoint *servers, size_t num,
		   enum dns_dnssec dnssec)
{
	desk_close(&k);
	open_as(servers, num, dnssec);
}

static void ask_here(void)
{
	k.who.here = true;
	k.who.server = desk_at("fd00:5::53", 53);
}

/* What happened before is forgotten. */
static void set(const struct endpoint *servers, size_t num, uint64_t now)
{
	desk_forget(&k);
	dns_set_servers(k.d, servers, num, now);
	desk_drain(&k);
}

/* The newest ask like that of that server; NULL: none. */
static const struct dns_effect *asked(const char *name, uint16_t type,
				      const struct endpoint *server)
{
	for (size_t i = k.num; i-- > 0;) {
		const struct dns_effect *e = &k.got[i].e;

		if (e->kind == DNS_ASK && e->qtype == type &&
		    strcmp(e->name, name) == 0 &&
		    endpoint_eq(&e->server, server))
			return e;
	}
	return NULL;
}

static bool is_done(uint32_t ask)
{
	for (size_t i = 0; i < k.num; i++) {
		if (k.got[i].e.kind == DNS_ASK_DONE && k.got[i].e.ask == ask)
			return true;
	}
	return false;
}

/* Asks of names that are not of chance: of clients. */
static size_t asks(void)
{
	size_t n = 0;

	for (size_t i = 0; i < k.num; i++)
		n += k.got[i].e.kind == DNS_ASK &&
		     !desk_is_chance(k.got[i].e.name);
	return n;
}

/* h.test is asked of `server`, which says that it is a HIP host at .9. */
static void answer_all(const struct endpoint *server, uint64_t now)
{
	desk_hip_answer(&k, asked("h.test", SCAN_HIP, server), "h.test", NULL,
			now);
	desk_addr_answer(&k, asked("h.test", SCAN_A, server), "h.test",
			 "192.0.2.9", now);
	if (asked("h.test", SCAN_AAAA, server))
		desk_addr_answer(&k, asked("h.test", SCAN_AAAA, server),
				 "h.test", "2001:db8::9", now);
	dns_tick(k.d, now + LOCATE_GRACE);
	desk_drain(&k);
}

static const struct dns_host *found(void)
{
	const struct dns_effect *e = desk_last(&k, DNS_NEED_ADDRESS);

	ck_assert_ptr_nonnull(e);
	return e->host;
}

static void gets_an_address(uint64_t now)
{
	struct addr sub = desk_addr("198.18.0.7");

	dns_give(k.d, desk_last(&k, DNS_NEED_ADDRESS)->question, 0, &addr_any6,
		 &sub, NULL, now);
	desk_drain(&k);
	ck_assert(desk_last(&k, DNS_REPLY)->substituted);
	ck_assert(!dns_waits(k.d, &k.who));
}

START_TEST(the_same_list_changes_nothing)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	set(&a, 1, 0);
	ck_assert_uint_eq(k.num, 0);
}
END_TEST

START_TEST(who_is_gone_is_asked_no_more_and_not_heard)
{
	const struct dns_effect *was;
	struct endpoint from = a;
	uint8_t old[512];
	uint32_t ask;
	size_t len;

	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_uint_eq(k.seen, 1);
	was = asked("h.test", SCAN_HIP, &a);
	ask = was->ask;
	desk_answer_to(&k, was, 0); /* that there is none */
	len = wr_len(&k.w);
	memcpy(old, k.buf, len);
	set(&b, 1, SEC);
	ck_assert_uint_eq(k.seen, 1); /* it is the same query */
	ck_assert(is_done(ask));
	dns_answer(k.d, ask, &from, old, len, SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_MISMATCH), 1);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &b));
	ck_assert_ptr_null(asked("h.test", SCAN_HIP, &a));
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
	answer_all(&b, SEC);
	ck_assert(!found()->theirs);
	/* Its own probe and trial are all that is left. */
	dns_tick(k.d, 10 * SEC);
	desk_drain(&k);
	gets_an_address(10 * SEC);
}
END_TEST

/* Half of a wait would make a HIP host a plain one. */
START_TEST(what_begins_anew_has_all_of_its_time)
{
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	dns_tick(k.d, HIP_WAIT - 1);
	set(&b, 1, HIP_WAIT - 1);
	dns_tick(k.d, 2 * HIP_WAIT - 2);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
	answer_all(&b, 2 * HIP_WAIT - 2);
	(void)found();
}
END_TEST

START_TEST(what_is_asked_of_who_stays_goes_on)
{
	struct endpoint both[] = { b, a };
	uint32_t hip;
	size_t pending;

	desk_query(&k, "own.test", SCAN_A, true, 0); /* its own query, too */
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	hip = asked("h.test", SCAN_HIP, &a)->ask;
	pending = dns_pending(k.d);
	set(both, 2, 0);
	ck_assert_uint_eq(asks(), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 0);
	ck_assert(!is_done(hip));
	/* The new one is probed and tried, as at the start. */
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), 3);
	for (size_t i = 0; i < k.num; i++)
		ck_assert(endpoint_eq(&k.got[i].e.server, &b));
	ck_assert_uint_eq(dns_pending(k.d), pending + 2);
	/* The first of the list is asked next. */
	desk_query(&k, "i.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(asked("i.test", SCAN_HIP, &b));
}
END_TEST

START_TEST(probes_and_trials_end_with_their_server)
{
	dns_probe(k.d, 0);
	dns_try(k.d, 0);
	ck_assert_uint_eq(k.d->deaf.trials, 1);
	set(&b, 1, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 3);
	ck_assert_uint_eq(k.d->deaf.trials, 1);
	ck_assert_uint_eq(dns_pending(k.d), 2);
	set(NULL, 0, 0);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(k.d->deaf.trials, 0);
}
END_TEST

START_TEST(a_new_server_that_asks_us_is_found_out)
{
	struct endpoint other = desk_at("10.9.9.9", 5353);
	struct dns_asker who = { .client = other, .here = true };
	struct endpoint both[] = { b, a };
	const struct dns_effect *e;

	set(&b, 1, 0);
	e = desk_last(&k, DNS_ASK);
	for (size_t i = 0; i < k.num; i++) {
		if (k.got[i].e.kind == DNS_ASK && k.got[i].e.qtype == 16)
			e = &k.got[i].e;
	}
	ck_assert_uint_eq(e->qtype, 16);
	dns_query(k.d, &who, e->msg, e->msg_len, 0);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_LOOP), 1);
	ck_assert(endpoint_eq(&desk_last(&k, DNS_LOOP)->server, &b));
	/* And it is not forgotten as long as it is in the list. */
	set(both, 2, SEC);
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, SEC);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &a));
	ck_assert_ptr_null(asked("h.test", SCAN_HIP, &b));
}
END_TEST

START_TEST(what_who_is_gone_said_is_not_kept)
{
	struct endpoint both[] = { a, b };

	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	answer_all(&a, 0);
	gets_an_address(0);
	set(both, 2, 0); /* another one comes: all is as good as it was */
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_uint_eq(asks(), 0);
	gets_an_address(0);
	set(&b, 1, 0);
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &b));
}
END_TEST

START_TEST(what_the_daemon_sees_to_goes_on)
{
	struct addr sub = desk_addr("198.18.0.7");
	uint32_t question;

	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	answer_all(&a, 0);
	question = desk_last(&k, DNS_NEED_ADDRESS)->question;
	set(&b, 1, 0);
	ck_assert_uint_eq(asks(), 0);
	dns_give(k.d, question, 0, &addr_any6, &sub, NULL, 0);
	desk_drain(&k);
	ck_assert(desk_last(&k, DNS_REPLY)->substituted);
}
END_TEST

/* ---- a list, and none -------------------------------------------------- */

/* What a client's own server says must not come to be for all. */
START_TEST(with_a_first_list_the_clients_server_says_no_more_of_hip)
{
	struct endpoint from = own;
	uint8_t old[512];
	uint32_t ask;
	size_t len;

	reopen(NULL, 0, DNS_DNSSEC_OFF);
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_answer_to(&k, asked("h.test", SCAN_HIP, &own), 0);
	desk_rr_hip(&k, "h.test", 300, 6, NULL);
	ask = asked("h.test", SCAN_HIP, &own)->ask;
	len = wr_len(&k.w);
	memcpy(old, k.buf, len);
	set(&a, 1, 0);
	ck_assert(is_done(ask));
	dns_answer(k.d, ask, &from, old, len, 0);
	desk_drain(&k);
	ck_assert_ptr_null(desk_last(&k, DNS_NEED_ADDRESS));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &own)); /* its own */
	answer_all(&a, 0);
	ck_assert(!found()->theirs);
	ck_assert_uint_eq(found()->hit.b[15], 1);
}
END_TEST

START_TEST(what_was_said_to_clients_of_a_server_stays_theirs)
{
	reopen(NULL, 0, DNS_DNSSEC_OFF);
	desk_query(&k, "h.test", SCAN_A, true, 0);
	answer_all(&own, 0);
	ck_assert(found()->theirs);
	set(&a, 1, 0); /* while it is being given: it is as it was said */
	ck_assert_uint_eq(asks(), 0);
	desk_query(&k, "i.test", SCAN_AAAA, true, 0);
	desk_query(&k, "h.test", SCAN_AAAA, true, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &a));
	/* The same server in the list makes it no better. */
	set(&own, 1, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &own));
	answer_all(&own, 0);
	ck_assert(!found()->theirs);
	/* And without a list it is known again: it still holds. */
	set(NULL, 0, SEC);
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_A, true, SEC);
	ck_assert_ptr_null(asked("h.test", SCAN_HIP, &own));
	ck_assert(found()->theirs);
}
END_TEST

START_TEST(without_a_list_the_gateways_own_clients_have_nobody)
{
	struct desk_reply p;

	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	set(NULL, 0, 0);
	p = desk_read(desk_last(&k, DNS_REPLY));
	ck_assert_uint_eq(p.header.flags & 15, SCAN_SERVFAIL);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	desk_query(&k, "mx.test", 15, true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 2);
}
END_TEST

START_TEST(without_a_list_the_clients_server_is_asked)
{
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &a));
	set(NULL, 0, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &own));
	answer_all(&own, 0);
	ck_assert(found()->theirs);
}
END_TEST

/* A pin holds, and one without a list is made by nobody. */
START_TEST(pins_stay)
{
	struct hit hit = desk_hit(1);

	ck_assert_int_eq(dns_pin(k.d, "h.test", &hit), 0);
	set(&b, 1, 0);
	set(NULL, 0, 0);
	ck_assert(dns_pinned(k.d, "h.test"));
	desk_query(&k, "h.test", SCAN_A, true, 0);
	desk_nothing(&k, asked("h.test", SCAN_HIP, &own), 0, 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
}
END_TEST

START_TEST(the_clients_server_comes_into_the_list_and_goes)
{
	struct endpoint both[] = { a, own };

	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &a));
	set(both, 2, 0);
	/* The client's own query is the one for A from now on. */
	ck_assert_ptr_null(asked("h.test", SCAN_A, &a));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &own));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &a));
	set(&a, 1, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &a));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &own));
	answer_all(&a, 0);
	(void)found();
}
END_TEST

/* ---- others ------------------------------------------------------------- */

START_TEST(relaying_to_the_clients_server_is_nobodys_business)
{
	desk_query(&k, "h.test", 15, true, 0);
	ck_assert_ptr_nonnull(asked("h.test", 15, &own));
	set(&b, 1, 0);
	ck_assert_uint_eq(asks(), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK_DONE), 0);
	set(NULL, 0, 0);
	ck_assert_uint_eq(asks(), 0);
	/* What was asked of ours goes to the other. */
	set(&a, 1, 0);
	ask_here();
	desk_query(&k, "i.test", 15, true, 0);
	set(&b, 1, 0);
	ck_assert_ptr_nonnull(asked("i.test", 15, &b));
	desk_nothing(&k, asked("i.test", 15, &b), 0, 0);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
}
END_TEST

START_TEST(the_daemons_own_look_ups_go_on_elsewhere)
{
	struct hit want = desk_hit(1);

	ck_assert_int_eq(dns_resolve(k.d, "h.test", &want, &a, 99, 0), 0);
	set(&b, 1, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_UNRESOLVED), 0);
	answer_all(&b, 0);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_RESOLVED));
	ck_assert_uint_eq(desk_last(&k, DNS_RESOLVED)->token, 99);
	ck_assert_int_eq(dns_resolve(k.d, "i.test", NULL, &b, 98, 0), 0);
	set(NULL, 0, 0);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_UNRESOLVED));
	ck_assert_uint_eq(desk_last(&k, DNS_UNRESOLVED)->token, 98);
	ck_assert_str_eq(desk_last(&k, DNS_UNRESOLVED)->name, "i.test");
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(the_validator_is_asked_anew)
{
	struct endpoint both[] = { a, b };
	uint32_t ask;

	reopen(&a, 1, DNS_DNSSEC_REQUIRE);
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ask = desk_last(&k, DNS_VALIDATE)->ask;
	set(both, 2, 0); /* it knows the servers, and asks whom it likes */
	ck_assert(is_done(ask));
	ck_assert_uint_eq(desk_count(&k, DNS_VALIDATE), 1);
	ck_assert_uint_ne(desk_last(&k, DNS_VALIDATE)->ask, ask);
}
END_TEST

/* Two clients, one question for the HIP record. */
START_TEST(who_waits_for_others_is_not_forgotten)
{
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_A, true, 0);
	set(&b, 1, 0);
	answer_all(&b, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 2);
}
END_TEST

START_TEST(who_waits_for_a_refresh_asks_itself)
{
	struct endpoint both[] = { a, b };
	struct question *q;
	uint32_t ask;

	/* Our refresh of h.test's HIP record at A is under way. */
	reopen(both, 2, DNS_DNSSEC_OFF);
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	ask = asked("h.test", SCAN_HIP, &a)->ask;
	q = question_find_ask(k.d, ask)->q;
	q->kind = QUESTION_REFRESH;
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	ck_assert_uint_eq(asked("h.test", SCAN_HIP, &a)->ask, ask);
	set(&b, 1, 0);
	ck_assert(is_done(ask));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &b));
}
END_TEST

START_TEST(deafness_is_of_who_stays)
{
	struct endpoint both[] = { a, b };
	struct endpoint deaf[2];

	k.d->deaf.num = 2;
	k.d->deaf.servers[0] = (struct deaf_server){ .at = own, .bad = 3 };
	k.d->deaf.servers[1] = (struct deaf_server){ .at = a, .bad = 3 };
	set(both, 2, 0);
	ck_assert_uint_eq(dns_deaf(k.d, deaf, 2), 1);
	ck_assert(endpoint_eq(&deaf[0], &a));
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	ck_assert_ptr_nonnull(asked("h.test", SCAN_HIP, &b));
	set(&b, 1, 0);
	ck_assert_uint_eq(dns_deaf(k.d, deaf, 2), 0);
	set(both, 2, 0); /* nothing is known of him */
	ck_assert_uint_eq(dns_deaf(k.d, deaf, 2), 0);
}
END_TEST

/* One after the other, as when somebody walks from net to net. */
START_TEST(a_question_outlives_many_lists)
{
	ask_here();
	desk_query(&k, "h.test", SCAN_A, true, 0);
	for (unsigned i = 0; i < 100; i++) {
		set(&b, 1, i * MSEC);
		set(&a, 1, i * MSEC);
	}
	answer_all(&a, SEC);
	dns_tick(k.d, 10 * SEC);
	desk_drain(&k);
	gets_an_address(10 * SEC);
}
END_TEST

/* Full of one network's questions, and all of them begin anew. */
START_TEST(a_full_table_begins_anew)
{
	struct dns_config cfg = desk_config();
	struct dns_effect e;
	size_t asked_b = 0;

	desk_close(&k);
	cfg.servers = &a;
	cfg.servers_num = 1;
	cfg.questions_max = 64;
	desk_open_with(&k, &cfg);
	ask_here();
	for (unsigned i = 0; i < 64; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "h%u.test", i);
		desk_query(&k, name, SCAN_HTTPS, true, 0);
		desk_forget(&k);
	}
	ck_assert_uint_eq(dns_pending(k.d), 64);
	dns_set_servers(k.d, &b, 1, 0);
	ck_assert_uint_eq(dns_pending(k.d), 64);
	while (dns_effect(k.d, &e)) {
		ck_assert_int_ne(e.kind, DNS_REPLY);
		asked_b += e.kind == DNS_ASK && endpoint_eq(&e.server, &b) &&
			   e.qtype == SCAN_HIP;
	}
	ck_assert_uint_eq(asked_b, 64);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_BUSY), 0);
}
END_TEST

Suite *test_serverlist_suite(void);
Suite *test_serverlist_suite(void)
{
	Suite *s = suite_create("serverlist");
	TCase *t = tcase_create("serverlist");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_same_list_changes_nothing);
	tcase_add_test(t, who_is_gone_is_asked_no_more_and_not_heard);
	tcase_add_test(t, what_begins_anew_has_all_of_its_time);
	tcase_add_test(t, what_is_asked_of_who_stays_goes_on);
	tcase_add_test(t, probes_and_trials_end_with_their_server);
	tcase_add_test(t, a_new_server_that_asks_us_is_found_out);
	tcase_add_test(t, what_who_is_gone_said_is_not_kept);
	tcase_add_test(t, what_the_daemon_sees_to_goes_on);
	tcase_add_test(
		t, with_a_first_list_the_clients_server_says_no_more_of_hip);
	tcase_add_test(t, what_was_said_to_clients_of_a_server_stays_theirs);
	tcase_add_test(t, without_a_list_the_gateways_own_clients_have_nobody);
	tcase_add_test(t, without_a_list_the_clients_server_is_asked);
	tcase_add_test(t, pins_stay);
	tcase_add_test(t, the_clients_server_comes_into_the_list_and_goes);
	tcase_add_test(t, relaying_to_the_clients_server_is_nobodys_business);
	tcase_add_test(t, the_daemons_own_look_ups_go_on_elsewhere);
	tcase_add_test(t, the_validator_is_asked_anew);
	tcase_add_test(t, who_waits_for_others_is_not_forgotten);
	tcase_add_test(t, who_waits_for_a_refresh_asks_itself);
	tcase_add_test(t, deafness_is_of_who_stays);
	tcase_add_test(t, a_question_outlives_many_lists);
	tcase_add_test(t, a_full_table_begins_anew);
	suite_add_tcase(s, t);
	return s;
}
