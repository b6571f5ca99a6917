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

/* When that many trials from 0 on are over. */
#define THEN ((DEAF_BAD - 1) * DEAF_RETRY_NS + 2 * SEC)

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

/* The newest ask of a trial like that. */
static const struct dns_effect *trial(uint16_t type,
				      const struct endpoint *server)
{
	for (size_t i = k.num; i-- > 0;) {
		const struct dns_effect *e = &k.got[i].e;

		if (e->kind == DNS_ASK && e->qtype == type &&
		    desk_is_chance(e->name) && endpoint_eq(&e->server, server))
			return e;
	}
	return NULL;
}

/* A is answered, and HIP only if it hears. */
static void tried(const struct endpoint *server, bool hears, uint64_t now)
{
	desk_nothing(&k, trial(SCAN_A, server), 0, now);
	if (hears)
		desk_nothing(&k, trial(SCAN_HIP, server), 0, now);
	dns_tick(k.d, now + HIP_RESEND);
	dns_tick(k.d, now + HIP_WAIT);
	desk_drain(&k);
}

/* One trial of the first server, from its beginning to its end. */
static void try_once(bool hears, uint64_t now)
{
	desk_forget(&k);
	dns_try(k.d, now);
	desk_drain(&k);
	tried(&servers[0], hears, now);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}

/* As many as it takes. */
static void find_out(bool hears, uint64_t now)
{
	for (unsigned i = 0; i < (hears ? 1 : DEAF_BAD); i++) {
		ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
		try_once(hears, now + i * DEAF_RETRY_NS);
	}
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
	struct endpoint deaf[2];

	ck_assert_uint_eq(dns_deaf(k.d, deaf, 2), 0);
	find_out(false, 0);
	e = desk_last(&k, DNS_DEAF);
	ck_assert_ptr_nonnull(e);
	ck_assert(endpoint_eq(&e->server, &servers[0]));
	ck_assert_uint_eq(dns_deaf(k.d, deaf, 2), 1);
	ck_assert(endpoint_eq(&deaf[0], &servers[0]));
	gets_its_answer_at_once("plain.test", THEN);
	gets_its_answer_at_once("other.test", THEN);
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
	ck_assert_ptr_null(trial(SCAN_A, &servers[0]));
	dns_try(k.d, DEAF_RETRY_NS);
	desk_drain(&k);
	ck_assert_ptr_nonnull(trial(SCAN_A, &servers[0]));
}
END_TEST

/* No cache holds the answer to one of them only, nobody has it ready. */
START_TEST(a_trial_is_for_one_name_that_is_new)
{
	char names[2][DNS_NAME_MAX];

	for (unsigned i = 0; i < 2; i++) {
		desk_forget(&k);
		dns_try(k.d, i * DEAF_RETRY_NS);
		desk_drain(&k);
		memcpy(names[i], trial(SCAN_A, &servers[0])->name,
		       DNS_NAME_MAX);
		ck_assert_str_eq(trial(SCAN_HIP, &servers[0])->name, names[i]);
		tried(&servers[0], true, i * DEAF_RETRY_NS);
	}
	ck_assert_str_ne(names[0], names[1]);
}
END_TEST

/* Loss and outages take questions for HIP alone at times: not thrice, each
 * time, and nothing for HIP answered in between. */
START_TEST(a_few_trials_that_lose_hip_make_no_server_deaf)
{
	uint64_t now = 0;

	for (unsigned i = 0; i < 9; i++, now += DEAF_RETRY_NS) {
		try_once(i % DEAF_BAD == DEAF_BAD - 1, now);
		ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
		ck_assert(!deaf_is(k.d, &servers[0]));
	}
	for (unsigned i = 0; i < DEAF_BAD - 1; i++, now += DEAF_RETRY_NS)
		try_once(false, now);
	waits("plain.test", now - SEC);
	desk_nothing(&k, desk_ask(&k, "plain.test", SCAN_HIP, false), 0,
		     now - SEC);
	for (unsigned i = 0; i < DEAF_BAD; i++, now += DEAF_RETRY_NS) {
		ck_assert(!deaf_is(k.d, &servers[0]));
		try_once(false, now);
	}
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 1);
	/* What it was it is, whatever it is silent to in all. */
	dns_try(k.d, now);
	dns_tick(k.d, now + HIP_RESEND);
	dns_tick(k.d, now + HIP_WAIT);
	ck_assert(deaf_is(k.d, &servers[0]));
}
END_TEST

/* Where HIP is required, or was seen, nothing goes clear. */
START_TEST(a_deaf_server_strips_no_hip_host)
{
	struct hit hit = desk_hit(1);

	find_out(false, 0);
	waits("x.require.test", THEN);
	dns_tick(k.d, THEN + 2 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_int_eq(dns_pin(k.d, "pinned.test", &hit), 0);
	waits("pinned.test", THEN + 2 * SEC);
	dns_tick(k.d, THEN + 4 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_DEAF), 0);
}
END_TEST

/* Its answer to HIP, if there is one after all, counts. */
START_TEST(what_a_deaf_server_says_in_time_is_used)
{
	find_out(false, 0);
	desk_query(&k, "h.test", SCAN_A, true, THEN);
	desk_hip_answer(&k, desk_ask(&k, "h.test", SCAN_HIP, false), "h.test",
			NULL, THEN);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_HEARS));
	desk_addr_answer(&k, desk_ask(&k, "h.test", SCAN_A, false), "h.test",
			 plain_at, THEN);
	dns_tick(k.d, THEN + SEC);
	desk_drain(&k);
	ck_assert_ptr_nonnull(desk_last(&k, DNS_NEED_ADDRESS));
}
END_TEST

START_TEST(it_is_tried_again_while_it_is_used_and_may_hear)
{
	uint64_t again = DEAF_BAD * DEAF_RETRY_NS;

	find_out(false, 0);
	gets_its_answer_at_once("a.test", again - 1);
	ck_assert_ptr_null(trial(SCAN_HIP, &servers[0]));
	/* During the trial it is what it was. */
	gets_its_answer_at_once("b.test", again);
	tried(&servers[0], true, again);
	ck_assert_uint_eq(desk_count(&k, DNS_HEARS), 1);
	waits("c.test", again + 2 * SEC);
}
END_TEST

/* A client's question that got no answer for HIP, while its own did; and
 * after a bad trial each that is asked. */
START_TEST(questions_in_vain_give_rise_to_trials)
{
	char name[32];

	teardown();
	open_with(0);
	for (unsigned i = 0; i < DEAF_BAD; i++) {
		uint64_t now = i * (DEAF_RETRY_NS + HIP_RESEND);

		snprintf(name, sizeof(name), "a%u.test", i);
		waits(name, now);
		ck_assert((trial(SCAN_HIP, &servers[0]) != NULL) == (i > 0));
		dns_tick(k.d, now + HIP_RESEND);
		desk_drain(&k);
		ck_assert_ptr_nonnull(trial(SCAN_HIP, &servers[0]));
		desk_nothing(&k, trial(SCAN_A, &servers[0]), 0,
			     now + HIP_RESEND);
		dns_tick(k.d, now + HIP_WAIT);
		desk_drain(&k);
		ck_assert(desk_last(&k, DNS_REPLY)->relayed);
		dns_tick(k.d, now + HIP_RESEND + HIP_WAIT);
		desk_drain(&k);
		ck_assert_uint_eq(desk_count(&k, DNS_DEAF), i == DEAF_BAD - 1);
	}
	gets_its_answer_at_once("b.test", 14 * SEC);
	ck_assert_ptr_null(trial(SCAN_HIP, &servers[0]));
	/* What one server is says nothing of another. */
	k.who.server = servers[1];
	waits("b.test", 14 * SEC);
}
END_TEST

/* Whoever owns a zone may drop questions for HIP records in it; who asks for
 * other names at the same server is not to be led around HIP by that. */
START_TEST(a_zone_that_drops_hip_questions_makes_no_server_deaf)
{
	char name[32];
	unsigned trials = 0;

	find_out(true, 0);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t now = (2 + 2 * i) * SEC;

		snprintf(name, sizeof(name), "n%u.mute.test", i);
		waits(name, now);
		dns_tick(k.d, now + HIP_RESEND);
		desk_drain(&k);
		if (trial(SCAN_HIP, &servers[0])) {
			tried(&servers[0], true, now + HIP_RESEND);
			trials++;
		}
		dns_tick(k.d, now + HIP_WAIT);
		desk_drain(&k);
		ck_assert(desk_last(&k, DNS_REPLY)->relayed);
		ck_assert(!deaf_is(k.d, &servers[0]));
	}
	ck_assert_uint_ge(trials, DEAF_BAD);
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
	for (unsigned i = 0; i < DEAF_BAD; i++) {
		desk_forget(&k);
		dns_try(k.d, i * DEAF_RETRY_NS);
		desk_drain(&k);
		desk_nothing(&k, trial(SCAN_A, &servers[1]), 0,
			     i * DEAF_RETRY_NS);
		desk_nothing(&k, trial(SCAN_HIP, &servers[1]), 0,
			     i * DEAF_RETRY_NS);
		tried(&servers[0], false, i * DEAF_RETRY_NS);
	}
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 1);
	waits("h.test", THEN);
	ck_assert_ptr_null(asked("h.test", SCAN_HIP, &servers[0]));
	ck_assert_ptr_nonnull(asked("h.test", SCAN_A, &servers[0]));
	desk_hip_answer(&k, asked("h.test", SCAN_HIP, &servers[1]), "h.test",
			NULL, THEN);
	dns_tick(k.d, THEN + SEC);
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
	ck_assert(has_edns(trial(SCAN_HIP, &servers[0])));
	dns_tick(k.d, HIP_RESEND);
	desk_drain(&k);
	ck_assert(!has_edns(trial(SCAN_HIP, &servers[0])));
	ck_assert(!has_edns(trial(SCAN_A, &servers[0])));
	desk_nothing(&k, trial(SCAN_HIP, &servers[0]), 0, HIP_RESEND);
	desk_nothing(&k, trial(SCAN_A, &servers[0]), 0, HIP_RESEND);
	ck_assert_uint_eq(dns_pending(k.d), 0);
	ck_assert_uint_eq(desk_count(&k, DNS_DEAF), 0);
	desk_query(&k, "h.test", SCAN_A, false, 2 * SEC);
	ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	ck_assert(!has_edns(ask));
	desk_hip_answer(&k, ask, "h.test", NULL, 2 * SEC);
	/* In use it is tried with EDNS at times, which it may take by now. */
	desk_forget(&k);
	desk_query(&k, "i.test", SCAN_A, false, DEAF_RETRY_NS);
	ck_assert(!has_edns(desk_ask(&k, "i.test", SCAN_HIP, false)));
	ask = trial(SCAN_HIP, &servers[0]);
	ck_assert(has_edns(ask));
	desk_nothing(&k, ask, 0, DEAF_RETRY_NS);
	desk_query(&k, "j.test", SCAN_A, false, DEAF_RETRY_NS);
	ck_assert(has_edns(desk_ask(&k, "j.test", SCAN_HIP, false)));
}
END_TEST

/* Silence to a client's question may be loss, or its zone's. */
START_TEST(a_lost_question_says_nothing_of_edns)
{
	const struct dns_effect *ask;

	desk_query(&k, "h.test", SCAN_A, false, 0);
	dns_tick(k.d, HIP_RESEND);
	desk_drain(&k);
	ask = desk_ask(&k, "h.test", SCAN_HIP, false);
	ck_assert(!has_edns(ask));
	desk_hip_answer(&k, ask, "h.test", NULL, HIP_RESEND);
	desk_query(&k, "i.test", SCAN_A, false, SEC);
	ck_assert(has_edns(desk_ask(&k, "i.test", SCAN_HIP, false)));
}
END_TEST

static bool is_done(uint32_t ask)
{
	for (size_t i = 0; i < k.num; i++) {
		if (k.got[i].e.kind == DNS_ASK_DONE && k.got[i].e.ask == ask)
			return true;
	}
	return false;
}

/* The first server's word comes when the second is asked already. */
START_TEST(who_does_not_understand_is_asked_again_and_no_other)
{
	struct dns_effect first;
	struct dns_effect second;
	const struct dns_effect *ask;

	teardown();
	open_with(2);
	desk_query(&k, "h.test", SCAN_A, false, 0);
	first = *asked("h.test", SCAN_HIP, &servers[0]);
	dns_tick(k.d, HIP_RESEND);
	desk_drain(&k);
	second = *asked("h.test", SCAN_HIP, &servers[1]);
	ck_assert(has_edns(&second));
	desk_nothing(&k, &first, SCAN_FORMERR, HIP_RESEND);
	ask = asked("h.test", SCAN_HIP, &servers[0]);
	ck_assert_uint_ne(ask->ask, first.ask);
	ck_assert(!has_edns(ask));
	ck_assert(is_done(first.ask));
	ck_assert(!is_done(second.ask));
	if (_i)
		desk_hip_answer(&k, &second, "h.test", NULL, SEC);
	else
		desk_hip_answer(&k, ask, "h.test", NULL, SEC);
	/* It is the first that takes none, if it has said so. */
	desk_query(&k, "i.test", SCAN_A, false, SEC);
	ask = asked("i.test", SCAN_HIP, &servers[0]);
	ck_assert(has_edns(ask) == _i);
	dns_tick(k.d, SEC + HIP_RESEND);
	desk_drain(&k);
	ck_assert(has_edns(asked("i.test", SCAN_HIP, &servers[1])));
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
	open_with(2); /* it is the same one of them */
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
		for (unsigned n = 0; n < DEAF_BAD; n++) {
			uint64_t now = (i * DEAF_BAD + n) * DEAF_RETRY_NS;

			desk_forget(&k);
			deaf_suspect(k.d, &servers[0], now);
			desk_drain(&k);
			tried(&servers[0], false, now);
		}
		ck_assert(deaf_is(k.d, &servers[0]));
	}
	ck_assert_uint_eq(k.d->deaf.num, DEAF_SERVERS);
	servers[1] = desk_at("10.1.0.0", 53);
	ck_assert(!deaf_is(k.d, &servers[1]));
}
END_TEST

START_TEST(no_more_trials_are_made_at_a_time)
{
	struct endpoint at[DEAF_TRIALS + 1];
	char text[32];

	for (unsigned i = 0; i <= DEAF_TRIALS; i++) {
		snprintf(text, sizeof(text), "10.1.0.%u", i);
		at[i] = desk_at(text, 53);
		deaf_suspect(k.d, &at[i], 0);
	}
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), DEAF_TRIALS);
	ck_assert_ptr_null(trial(SCAN_HIP, &at[DEAF_TRIALS]));
	/* However one ends, there is room for the next. */
	if (_i) {
		dns_ask_refused(k.d, trial(SCAN_HIP, &at[0])->ask);
	} else {
		desk_nothing(&k, trial(SCAN_A, &at[0]), 0, 0);
		desk_nothing(&k, trial(SCAN_HIP, &at[0]), 0, 0);
	}
	ck_assert_uint_eq(dns_pending(k.d), DEAF_TRIALS - 1);
	deaf_suspect(k.d, &at[DEAF_TRIALS], 0);
	deaf_suspect(k.d, &at[0], DEAF_RETRY_NS);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), DEAF_TRIALS);
	ck_assert_ptr_nonnull(trial(SCAN_HIP, &at[DEAF_TRIALS]));
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
	tcase_add_test(tc, a_trial_is_for_one_name_that_is_new);
	tcase_add_test(tc, a_few_trials_that_lose_hip_make_no_server_deaf);
	tcase_add_test(tc, questions_in_vain_give_rise_to_trials);
	tcase_add_test(tc,
		       a_zone_that_drops_hip_questions_makes_no_server_deaf);
	tcase_add_test(tc, of_two_servers_the_one_that_hears_is_asked_for_hip);
	tcase_add_test(tc, a_server_that_drops_edns_is_asked_without);
	tcase_add_test(tc, a_lost_question_says_nothing_of_edns);
	tcase_add_loop_test(
		tc, who_does_not_understand_is_asked_again_and_no_other, 0, 2);
	tcase_add_test(tc, a_server_that_cannot_read_edns_is_asked_without);
	tcase_add_test(tc, one_that_understands_nothing_is_asked_twice);
	tcase_add_test(tc,
		       no_more_servers_are_remembered_than_there_is_room_for);
	tcase_add_loop_test(tc, no_more_trials_are_made_at_a_time, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
