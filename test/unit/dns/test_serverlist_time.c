/* SPDX-License-Identifier: MIT */
/* The list of servers changes while a question has asked nobody, or has heard
 * one who is gone: it must not have less time at the new ones, and nothing of
 * what he said, for then a HIP host is a plain one. */
#include "test/unit/dns/desk.h"

#include "dns/question.h"

#define LATE (HIP_RESEND - 1)

static struct desk k;
static struct endpoint a, b;

static void setup(void)
{
	struct dns_config cfg = desk_config();

	a = desk_at("192.0.2.53", 53);
	b = desk_at("192.0.2.54", 53);
	cfg.servers = &a;
	cfg.servers_num = 1;
	desk_open_with(&k, &cfg);
	k.who.server = desk_at("10.0.0.53", 53); /* the client's */
}

static void teardown(void)
{
	desk_close(&k);
}

/* The newest ask for h.test; *num: how many there are. */
static const struct dns_effect *asked(uint16_t type, size_t *num)
{
	const struct dns_effect *found = NULL;

	*num = 0;
	for (size_t i = 0; i < k.num; i++) {
		const struct dns_effect *e = &k.got[i].e;

		if (e->kind != DNS_ASK || e->qtype != type ||
		    strcmp(e->name, "h.test") != 0)
			continue;
		found = e;
		++*num;
	}
	ck_assert_ptr_nonnull(found);
	return found;
}

/* The client's own server answers; only our question holds that back. */
static void own_answers(uint64_t now)
{
	size_t num;

	desk_nothing(&k, asked(SCAN_HTTPS, &num), 0, now);
}

static void moves(void)
{
	const struct dns_effect *e;
	size_t num;

	desk_forget(&k);
	dns_set_servers(k.d, &b, 1, LATE);
	desk_drain(&k);
	e = asked(SCAN_HIP, &num);
	ck_assert_uint_eq(num, 1);
	ck_assert(endpoint_eq(&e->server, &b));
}

static size_t replies_at(uint64_t now)
{
	dns_tick(k.d, now);
	desk_drain(&k);
	return desk_count(&k, DNS_REPLY);
}

static void has_all_of_its_time(void)
{
	own_answers(LATE);
	ck_assert_uint_eq(replies_at(LATE + HIP_RESEND), 0);
	ck_assert_uint_eq(replies_at(LATE + HIP_WAIT - 1), 0);
}

START_TEST(who_waits_for_others_has_all_of_its_time)
{
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	k.who.client.port++;
	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	own_answers(0);
	moves();
	has_all_of_its_time();
}
END_TEST

START_TEST(who_waits_for_the_next_try_has_all_of_its_time)
{
	size_t num;

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	own_answers(0);
	/* As when the old network is gone, and ICMP says so. */
	dns_ask_failed(k.d, asked(SCAN_HIP, &num)->ask, 0);
	moves();
	has_all_of_its_time();
	ck_assert_uint_eq(replies_at(LATE + HIP_WAIT), 1);
}
END_TEST

/* He said that it is no HIP host, and only the client's own server was waited
 * for: what the new ones say of it counts. */
START_TEST(what_who_is_gone_has_said_is_asked_again)
{
	size_t num;

	desk_query(&k, "h.test", SCAN_HTTPS, true, 0);
	desk_nothing(&k, asked(SCAN_HIP, &num), 0, 0);
	moves();
	own_answers(LATE);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
	desk_hip_answer(&k, asked(SCAN_HIP, &num), "h.test", NULL, LATE);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	ck_assert(!desk_last(&k, DNS_REPLY)->relayed);
}
END_TEST

Suite *test_serverlist_time_suite(void);
Suite *test_serverlist_time_suite(void)
{
	Suite *s = suite_create("serverlist_time");
	TCase *t = tcase_create("serverlist_time");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, who_waits_for_others_has_all_of_its_time);
	tcase_add_test(t, who_waits_for_the_next_try_has_all_of_its_time);
	tcase_add_test(t, what_who_is_gone_has_said_is_asked_again);
	suite_add_tcase(s, t);
	return s;
}
