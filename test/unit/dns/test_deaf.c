/* SPDX-License-Identifier: MIT */
/* Servers that drop HIP questions, or EDNS: plain names do not wait, HIP
 * hosts do not go clear. */
#include "test/unit/dns/desk.h"

#include "dns/cache.h"
#include "dns/deaf.h"
#include "dns/question.h"

static struct desk k;
static struct endpoint servers[2];
static const char *const plain_at = "192.0.2.1";

static void open_with(size_t servers_num)
{
	struct dns_config cfg = desk_config();

	servers[0] = desk_at("10.0.0.53", 53);
	servers[1] = desk_at("10.0.0.54", 53);
	cfg.servers = servers;
	cfg.servers_num = servers_num;
	desk_open_with(&k, &cfg);
	k.who.here = servers_num > 0;
	k.who.server = servers_num ? desk_at("fd00:5::53", 53) : servers[0];
}

static void setup(void)
{
	open_with(1);
}

static void teardown(void)
{
	desk_close(&k);
}

/* The newest ask like that of that server. */
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

static bool has_edns(const struct dns_effect *ask)
{
	return get_be16(ask->msg + 10) == 1;
}

static const char *root(void)
{
	static char text[DNS_NAME_MAX];
	struct dname n = { .len = 1 };

	ck_assert_int_eq(dname_print(&n, text), 0);
	return text;
}

/* It answers A of the root, and HIP of it only if it hears. */
static void tried(const struct endpoint *server, bool hears, uint64_t now)
{
	desk_nothing(&k, asked(root(), SCAN_A, server), 0, now);
	if (hears)
		desk_nothing(&k, asked(root(), SCAN_HIP, server), 0, now);
	dns_tick(k.d, now + HIP_RESEND);
	dns_tick(k.d, now + HIP_WAIT);
	desk_drain(&k);
}

/* A trial of the first server whose end that is. */
static void find_out(bool hears, uint64_t now)
{
	dns_try(k.d, now);
	desk_drain(&k);
	tried(&servers[0], hears, now);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}

static void gets_its_answer_at_once(const char *name, uint64_t now)
{
	const struct dns_effect *e;

	desk_forget(&k);
	desk_query(&k, name, SCAN_A, true, now);
	desk_addr_answer(&k, desk_ask(&k, name, SCAN_A, false), name, plain_at,
			 now);
	e = desk_last(&k, DNS_REPLY);
	ck_assert_ptr_nonnull(e);
	ck_assert(e->relayed);
}

static void waits(const char *name, uint64_t now)
{
	desk_forget(&k);
	desk_query(&k, name, SCAN_A, true, now);
	desk_addr_answer(&k, desk_ask(&k, name, SCAN_A, false), name, plain_at,
			 now);
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
}

START_TEST(a_plain_name_does_not_wait_for_a_deaf_server)
{
	const struct dns_effect *e;

	find_out(false, 0);
	e = desk_last(&k, DNS_DEAF);
	ck_assert_ptr_nonnull(e);
	ck_assert(endpoint_eq(&e->server, &servers[0]));
	gets_its_answer_at_once("plain.test", 2 * SEC);
	gets_its_answer_at_once("other.test", 2 * SEC);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_DEAF), 2);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(one_that_hears_is_waited_for)
{
	find_out(true, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
	waits("plain.test", 2 * SEC);
	desk_nothing(&k, desk_ask(&k, "plain.test", SCAN_HIP, false), 0,
		     2 * SEC);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_DEAF), 0);
}
END_TEST

/* One that is not there says nothing about HIP. */
START_TEST(silence_to_everything_is_not_deafness)
{
	dns_try(k.d, 0);
	dns_tick(k.d, HIP_RESEND);
	dns_tick(k.d, HIP_WAIT);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	waits("plain.test", 2 * SEC);
	desk_forget(&k);
	/* And it is tried again soon. */
	dns_try(k.d, DEAF_RETRY_NS - 1);
	desk_drain(&k);
	ck_assert_ptr_null(asked(root(), SCAN_A, &servers[0]));
	dns_try(k.d, DEAF_RETRY_NS);
	desk_drain(&k);
	ck_assert_ptr_nonnull(asked(root(), SCAN_A, &servers[0]));
}
END_TEST

/* Where HIP is required, or was seen, nothing goes clear. */
START_TEST(a_deaf_server_strips_no_hip_host)
{
	struct hit hit = desk_hit(1);

	find_out(false, 0);
	waits("x.require.test", 2 * SEC);
	dns_tick(k.d, 4 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_int_eq(dns_pin(k.d, "pinned.test", &hit), 0);
	waits("pinned.test", 5 * SEC);
	dns_tick(k.d, 7 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_DEAF), 0);
}
END_TEST

/* Its answer to HIP, if there is one after all, counts. */
START_TEST(what_a_deaf_server_says_in_time_is_used)
{
	find_out(false, 0);
	desk_query(&k, "h.test", SCAN_A, true, 2 * SEC);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, 2 * SEC);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_HEARS));
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 plain_at, 2 * SEC);
	dns_tick(k.d, 3 * SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
}
END_TEST

START_TEST(it_is_tried_again_while_it_is_used_and_may_hear)
{
	uint64_t again = HIP_WAIT + DEAF_AGAIN_NS;

	find_out(false, 0);
	gets_its_answer_at_once("a.test", again - 1);
	ck_assert_ptr_null(asked(root(), SCAN_HIP, &servers[0]));
	/* During the trial it is what it was. */
	gets_its_answer_at_once("b.test", again);
	tried(&servers[0], true, again);
	ck_assert_uint_eq(desk_count(&k, DNS_HEARS), 1);
	waits("c.test", again + 2 * SEC);
}
END_TEST

/* A client's question that got no answer for HIP, while its own did. */
START_TEST(a_question_in_vain_gives_rise_to_one_trial)
{
	teardown();
	open_with(0);
	waits("a.test", 0);
	dns_tick(k.d, HIP_RESEND);
	desk_drain(&k);
	ck_assert_ptr_nonnull(asked(root(), SCAN_HIP, &servers[0]));
	ck_assert_ptr_nonnull(asked(root(), SCAN_A, &servers[0]));
	desk_nothing(&k, asked(root(), SCAN_A, &servers[0]), 0, HIP_RESEND);
	dns_tick(k.d, HIP_WAIT);
	desk_drain(&k);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	dns_tick(k.d, HIP_RESEND + HIP_WAIT);
	desk_drain(&k);
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 1);
	gets_its_answer_at_once("b.test", 3 * SEC);
	ck_assert_ptr_null(asked(root(), SCAN_HIP, &servers[0]));
	/* What one server is says nothing of another. */
	k.who.server = servers[1];
	waits("b.test", 3 * SEC);
}
END_TEST

/* Whoever owns a zone may drop questions for HIP records in it; who asks for
 * other names at the same server is not to be led around HIP by that. */
START_TEST(a_zone_that_drops_hip_questions_makes_no_server_deaf)
{
	char name[32];

	find_out(true, 0);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t now = (2 + 2 * i) * SEC;

		snprintf(name, sizeof(name), "n%u.mute.test", i);
		waits(name, now);
		dns_tick(k.d, now + HIP_RESEND);
		dns_tick(k.d, now + HIP_WAIT);
		desk_drain(&k);
		ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	}
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
	waits("h.test", 50 * SEC);
	/* A name of that zone costs that time once. */
	gets_its_answer_at_once(name, 50 * SEC);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_DEAF), 0);
}
END_TEST

START_TEST(of_two_servers_the_one_that_hears_is_asked_for_hip)
{
	teardown();
	open_with(2);
	dns_try(k.d, 0);
	desk_drain(&k);
	desk_nothing(&k, asked(root(), SCAN_A, &servers[1]), 0, 0);
	desk_nothing(&k, asked(root(), SCAN_HIP, &servers[1]), 0, 0);
	tried(&servers[0], false, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 1);
	waits("h.test", 2 * SEC);
	ck_assert_ptr_null(asked("h.test", SCAN_HIP, &servers[0]));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &servers[0]));
	desk_hip_answer(&k, asked("h.test", SCAN_HIP, &servers[1]), "h.test",
			NULL, 2 * SEC);
	dns_tick(k.d, 3 * SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
}
END_TEST

/* ---- EDNS ---------------------------------------------------------------- */

/* Silence to a question with EDNS, then an answer to one without. */
START_TEST(a_server_that_drops_edns_is_asked_without)
{
	const struct dns_effect *ask;

	dns_try(k.d, 0);
	desk_drain(&k);
	ck_assert(has_edns(asked(root(), SCAN_HIP, &servers[0])));
	dns_tick(k.d, HIP_RESEND);
	desk_drain(&k);
	ck_assert(!has_edns(asked(root(), SCAN_HIP, &servers[0])));
	ck_assert(!has_edns(asked(root(), SCAN_A, &servers[0])));
	desk_nothing(&k, asked(root(), SCAN_HIP, &servers[0]), 0, HIP_RESEND);
	desk_nothing(&k, asked(root(), SCAN_A, &servers[0]), 0, HIP_RESEND);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
	desk_query(&k, "h.test", SCAN_A, false, 2 * SEC);
	ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	ck_assert(!has_edns(ask));
	desk_hip_answer(&k, ask, "h.test", NULL, 2 * SEC);
	/* In use it is tried with EDNS at times, which it may take by now. */
	desk_forget(&k);
	desk_query(&k, "i.test", SCAN_A, false, DEAF_AGAIN_NS + 2 * SEC);
	ck_assert(!has_edns(desk_ask(&k, "i.test", SCAN_HIP, false)));
	ask = asked(root(), SCAN_HIP, &servers[0]);
	ck_assert(has_edns(ask));
	desk_nothing(&k, ask, 0, DEAF_AGAIN_NS + 2 * SEC);
	desk_query(&k, "j.test", SCAN_A, false, DEAF_AGAIN_NS + 2 * SEC);
	ck_assert(has_edns(desk_ask(&k, "j.test", SCAN_HIP, false)));
}
END_TEST

/* "I do not understand" says nothing of HIP: asked again, at once. */
static void not_understood(unsigned rcode)
{
	const struct dns_effect *ask;

	desk_query(&k, "h.test", SCAN_A, false, 0);
	ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	ck_assert(has_edns(ask));
	desk_nothing(&k, ask, rcode, 0);
	ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	ck_assert(!has_edns(ask));
	ck_assert(endpoint_eq(&ask->server, &servers[0]));
	desk_hip_answer(&k, ask, "h.test", NULL, 0);
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 plain_at, 0);
	dns_tick(k.d, SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
	/* That is remembered. */
	desk_query(&k, "i.test", SCAN_A, false, SEC);
	ck_assert(!has_edns(desk_ask(&k, "i.test", SCAN_HIP, false)));
}

START_TEST(a_server_that_cannot_read_edns_is_asked_without)
{
	not_understood(SCAN_FORMERR);
	teardown();
	setup();
	not_understood(SCAN_NOTIMP);
}
END_TEST

/* One that says so whatever it is asked: it has said nothing, once. */
START_TEST(one_that_understands_nothing_is_asked_twice)
{
	const struct dns_effect *ask;
	size_t asks;

	waits("plain.test", 0);
	ask = desk_ask(&k, "plain.test", SCAN_HIP, false);
	desk_nothing(&k, ask, SCAN_FORMERR, 0);
	ask = desk_ask(&k, "plain.test", SCAN_HIP, false);
	asks = desk_count(&k, DNS_ASK);
	desk_nothing(&k, ask, SCAN_FORMERR, 0);
	ck_assert_uint_eq(desk_count(&k, DNS_ASK), asks);
	ck_assert(desk_last(&k, DNS_REPLY)->relayed);
	/* It was the type: EDNS is not to blame. */
	desk_query(&k, "other.test", SCAN_A, false, SEC);
	ck_assert(has_edns(desk_ask(&k, "other.test", SCAN_HIP, false)));
}
END_TEST

/* ---- bounds ---------------------------------------------------------------- */

/* However many servers a client makes up, so many are remembered. */
START_TEST(no_more_servers_are_remembered_than_there_is_room_for)
{
	char text[32];

	teardown();
	open_with(0);
	for (unsigned i = 0; i < 3 * DEAF_SERVERS; i++) {
		snprintf(text, sizeof(text), "10.1.%u.%u", i / 200, i % 200);
		servers[0] = desk_at(text, 53);
		deaf_suspect(k.d, &servers[0], i * SEC);
		desk_drain(&k);
		tried(&servers[0], false, i * SEC);
		ck_assert(deaf_is(k.d, &servers[0]));
		desk_forget(&k);
	}
	ck_assert_uint_eq(k.d->deaf.num, DEAF_SERVERS);
	servers[1] = desk_at("10.1.0.0", 53);
	ck_assert(!deaf_is(k.d, &servers[1]));
}
END_TEST

Suite *test_deaf_suite(void);
Suite *test_deaf_suite(void)
{
	Suite *s = suite_create("deaf");
	TCase *tc = tcase_create("deaf");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_plain_name_does_not_wait_for_a_deaf_server);
	tcase_add_test(tc, one_that_hears_is_waited_for);
	tcase_add_test(tc, silence_to_everything_is_not_deafness);
	tcase_add_test(tc, a_deaf_server_strips_no_hip_host);
	tcase_add_test(tc, what_a_deaf_server_says_in_time_is_used);
	tcase_add_test(tc, it_is_tried_again_while_it_is_used_and_may_hear);
	tcase_add_test(tc, a_question_in_vain_gives_rise_to_one_trial);
	tcase_add_test(tc,
		       a_zone_that_drops_hip_questions_makes_no_server_deaf);
	tcase_add_test(tc, of_two_servers_the_one_that_hears_is_asked_for_hip);
	tcase_add_test(tc, a_server_that_drops_edns_is_asked_without);
	tcase_add_test(tc, a_server_that_cannot_read_edns_is_asked_without);
	tcase_add_test(tc, one_that_understands_nothing_is_asked_twice);
	tcase_add_test(tc,
		       no_more_servers_are_remembered_than_there_is_room_for);
	suite_add_tcase(s, tc);
	return s;
}
