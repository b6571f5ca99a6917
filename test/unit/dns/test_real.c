/* SPDX-License-Identifier: MIT */
/* Real addresses are answered where all of them are routed to us. */
#include "test/unit/dns/desk.h"

static struct desk k;

static const struct dns_rule rules[] = {
	{ "*.real.test", DNS_TRANSPARENT },
};

static void setup(void)
{
	struct dns_config cfg = desk_config();
	struct prefix real[2] = { desk_prefix("192.0.2.0/24"),
				  desk_prefix("2001:db8:1::/48") };
	struct endpoint server = desk_at("10.0.0.53", 53);

	cfg.rules = rules;
	cfg.rules_num = 1;
	cfg.real = real;
	cfg.real_num = 2;
	cfg.servers = &server;
	cfg.servers_num = 1;
	desk_open_with(&k, &cfg);
}

static void teardown(void)
{
	desk_close(&k);
}

static const struct dns_effect *ask(uint16_t type)
{
	return desk_ask(&k, "h.real.test", type, false);
}

static void query(bool validates)
{
	desk_start(&k, 0x1234, SCAN_RD | (validates ? SCAN_CD : 0));
	desk_question(&k, "h.real.test", SCAN_A);
	desk_opt(&k, validates, 0);
	dns_query(k.d, &k.who, k.buf, wr_len(&k.w), 0);
	desk_drain(&k);
}

/* The host with its A records; two: NULL for one only. */
static void answers(const char *rvs, const char *one, const char *two)
{
	const struct dns_effect *e;

	desk_hip_answer(&k, ask(SCAN_HIP), "h.real.test", rvs, 0);
	desk_nothing(&k, ask(SCAN_AAAA), 0, 0);
	e = ask(SCAN_A);
	desk_answer_to(&k, e, 0);
	desk_rr_addr(&k, "h.real.test", 600, one);
	if (two)
		desk_rr_addr(&k, "h.real.test", 600, two);
	desk_hand_in(&k, e, 0);
}

/* The server's answer as it came, but for the id. */
static void relayed(void)
{
	const struct dns_effect *e = desk_last(&k, DNS_REPLY);

	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->msg_len, wr_len(&k.w));
	ck_assert_mem_eq(e->msg + 2, k.buf + 2, e->msg_len - 2);
	ck_assert_uint_eq(get_be16(e->msg), 0x1234);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 1);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}

static void give_real(int err)
{
	const struct dns_effect *e = desk_last(&k, DNS_NEED_REAL);

	ck_assert_ptr_nonnull(e);
	ck_assert_ptr_null(desk_last(&k, DNS_REPLY));
	dns_give_real(k.d, e->question, err, 0);
	desk_drain(&k);
}

static void substitute_wanted(void)
{
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 1);
	ck_assert_uint_eq(desk_count(&k, DNS_REPLY), 0);
}

START_TEST(real_addresses_are_given_once_they_are_mapped)
{
	const struct dns_effect *e;

	query(false);
	answers(NULL, "192.0.2.7", "192.0.2.9");
	e = desk_last(&k, DNS_NEED_REAL);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->host->real_num, 2);
	ck_assert(addr_eq(&e->host->real[1],
			  &(struct addr[]){ desk_addr("192.0.2.9") }[0]));
	give_real(0);
	relayed();
}
END_TEST

START_TEST(an_address_elsewhere_gives_a_substitute)
{
	query(false);
	answers(NULL, "192.0.3.7", NULL);
	substitute_wanted();
	ck_assert_ptr_null(desk_last(&k, DNS_NEED_REAL));
}
END_TEST

START_TEST(a_prefix_of_the_other_family_routes_nothing)
{
	struct dns_config cfg = desk_config();
	struct prefix all = desk_prefix("::/0");
	struct endpoint server = desk_at("10.0.0.53", 53);

	desk_close(&k);
	cfg.rules = rules;
	cfg.rules_num = 1;
	cfg.real = &all;
	cfg.real_num = 1;
	cfg.servers = &server;
	cfg.servers_num = 1;
	desk_open_with(&k, &cfg);
	query(false);
	answers(NULL, "192.0.2.7", NULL);
	substitute_wanted();
}
END_TEST

START_TEST(one_of_two_elsewhere_gives_a_substitute)
{
	query(false);
	answers(NULL, "192.0.2.7", "192.0.3.7");
	substitute_wanted();
}
END_TEST

START_TEST(one_that_nobody_can_use_gives_a_substitute)
{
	query(false);
	answers(NULL, "192.0.2.7", "127.0.0.1");
	substitute_wanted();
}
END_TEST

/* They are not the host's, but a client would take them. */
START_TEST(one_beside_the_chain_gives_a_substitute)
{
	const struct dns_effect *e;

	query(false);
	desk_hip_answer(&k, ask(SCAN_HIP), "h.real.test", NULL, 0);
	desk_nothing(&k, ask(SCAN_AAAA), 0, 0);
	e = ask(SCAN_A);
	desk_answer_to(&k, e, 0);
	desk_rr_addr(&k, "h.real.test", 600, "192.0.2.7");
	desk_rr_addr(&k, _i == 0 ? "other.test" : "h.real.test", 600,
		     _i == 0 ? "192.0.2.8" : "2001:db8::8");
	desk_hand_in(&k, e, 0);
	substitute_wanted();
}
END_TEST

START_TEST(behind_a_rendezvous_server_it_may_not_be_the_hosts)
{
	query(false);
	answers("h.real.test", "192.0.2.7", NULL);
	substitute_wanted();
}
END_TEST

START_TEST(what_a_server_of_the_clients_choice_says_is_not_given)
{
	k.who.server = desk_at("10.6.6.6", 53);
	query(false);
	desk_hip_answer(&k, ask(SCAN_HIP), "h.real.test", NULL, 0);
	desk_nothing(&k, ask(SCAN_AAAA), 0, 0);
	for (size_t i = 0; i < k.num; i++) {
		struct dns_effect e = k.got[i].e;

		if (e.kind == DNS_ASK && e.qtype == SCAN_A)
			desk_addr_answer(&k, &e, "h.real.test", "192.0.2.7", 0);
	}
	substitute_wanted();
}
END_TEST

START_TEST(one_that_denotes_another_host_gives_a_substitute)
{
	query(false);
	answers(NULL, "192.0.2.7", NULL);
	give_real(HG_EEXIST);
	substitute_wanted();
	ck_assert_uint_eq(desk_reason(&k, REASON_DNS_REAL), 1);
	/* A second answer to the first question changes nothing. */
	dns_give_real(k.d, desk_last(&k, DNS_NEED_REAL)->question, 0, 0);
	desk_drain(&k);
	substitute_wanted();
}
END_TEST

START_TEST(no_answer_of_the_daemon_is_no_address)
{
	query(false);
	answers(NULL, "192.0.2.7", NULL);
	dns_tick(k.d, 11 * SEC);
	desk_drain(&k);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_SERVFAIL);
	ck_assert_uint_eq(dns_pending(k.d), 0);
}
END_TEST

START_TEST(who_validates_gets_the_real_one_or_nothing)
{
	query(true);
	answers(NULL, "192.0.2.7", NULL);
	give_real(0);
	relayed();
	desk_forget(&k);
	dns_forget(k.d, "h.real.test");
	query(true);
	/* HIP is known; the client's own query is asked again. */
	desk_nothing(&k, ask(SCAN_AAAA), 0, 0);
	desk_addr_answer(&k, ask(SCAN_A), "h.real.test", "192.0.3.7", 0);
	ck_assert_uint_eq(desk_last(&k, DNS_REPLY)->rcode, SCAN_REFUSED);
	ck_assert_uint_eq(desk_count(&k, DNS_NEED_ADDRESS), 0);
}
END_TEST

START_TEST(a_pin_does_not_end_it)
{
	struct hit hit = desk_hit(1);

	ck_assert_int_eq(dns_pin(k.d, "h.real.test", &hit), HG_OK);
	query(true);
	answers(NULL, "192.0.2.7", NULL);
	give_real(0);
	relayed();
}
END_TEST

START_TEST(a_family_it_does_not_have_is_relayed)
{
	const struct dns_effect *e;

	query(false);
	desk_hip_answer(&k, ask(SCAN_HIP), "h.real.test", NULL, 0);
	desk_addr_answer(&k, ask(SCAN_AAAA), "h.real.test", "2001:db8:1::7", 0);
	e = ask(SCAN_A);
	desk_nothing(&k, e, 0, 0);
	relayed();
	ck_assert_ptr_null(desk_last(&k, DNS_NEED_REAL));
}
END_TEST

START_TEST(a_name_without_a_record_is_as_everywhere)
{
	query(false);
	desk_nothing(&k, ask(SCAN_HIP), 0, 0);
	desk_addr_answer(&k, ask(SCAN_A), "h.real.test", "192.0.3.7", 0);
	relayed();
}
END_TEST

START_TEST(hints_are_not_given)
{
	desk_query(&k, "h.real.test", SCAN_HTTPS, true, 0);
	desk_hip_answer(&k, ask(SCAN_HIP), "h.real.test", NULL, 0);
	ck_assert_uint_eq(desk_read(desk_last(&k, DNS_REPLY)).rr.type,
			  SCAN_SOA);
}
END_TEST

/* The grace for the other family is over, but the answer must come yet. */
START_TEST(the_own_answer_is_waited_for_beyond_the_grace)
{
	query(false);
	desk_hip_answer(&k, ask(SCAN_HIP), "h.real.test", NULL, 0);
	desk_addr_answer(&k, ask(SCAN_AAAA), "h.real.test", "2001:db8:1::7", 0);
	dns_tick(k.d, 500 * MSEC);
	desk_drain(&k);
	ck_assert_uint_eq(dns_pending(k.d), 1);
	ck_assert_uint_eq(dns_deadline(k.d), SEC);
	desk_addr_answer(&k, ask(SCAN_A), "h.real.test", "192.0.2.7", 0);
	give_real(0);
	relayed();
}
END_TEST

Suite *test_real_suite(void);
Suite *test_real_suite(void)
{
	Suite *s = suite_create("real");
	TCase *tc = tcase_create("real");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, real_addresses_are_given_once_they_are_mapped);
	tcase_add_test(tc, an_address_elsewhere_gives_a_substitute);
	tcase_add_test(tc, a_prefix_of_the_other_family_routes_nothing);
	tcase_add_test(tc, one_of_two_elsewhere_gives_a_substitute);
	tcase_add_test(tc, one_that_nobody_can_use_gives_a_substitute);
	tcase_add_loop_test(tc, one_beside_the_chain_gives_a_substitute, 0, 2);
	tcase_add_test(tc, behind_a_rendezvous_server_it_may_not_be_the_hosts);
	tcase_add_test(tc,
		       what_a_server_of_the_clients_choice_says_is_not_given);
	tcase_add_test(tc, one_that_denotes_another_host_gives_a_substitute);
	tcase_add_test(tc, no_answer_of_the_daemon_is_no_address);
	tcase_add_test(tc, who_validates_gets_the_real_one_or_nothing);
	tcase_add_test(tc, a_pin_does_not_end_it);
	tcase_add_test(tc, a_family_it_does_not_have_is_relayed);
	tcase_add_test(tc, a_name_without_a_record_is_as_everywhere);
	tcase_add_test(tc, hints_are_not_given);
	tcase_add_test(tc, the_own_answer_is_waited_for_beyond_the_grace);
	suite_add_tcase(s, tc);
	return s;
}
