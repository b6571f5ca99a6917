/* SPDX-License-Identifier: MIT */
/* The validator as the daemon runs it: what it refuses to start with, and
 * that nothing is left of what was asked. */
#include "test/unit/dns/desk.h"

#include "cmd/hipgated/dnssec.h"
#include "cmd/hipgated/gate.h"

static struct gate g;
static struct config cfg;
static uv_loop_t loop;
static struct desk k;
static struct dnssec *s;
static char why[600];

static void setup(void)
{
	memset(&g, 0, sizeof(g));
	memset(&cfg, 0, sizeof(cfg));
	s = NULL;
	desk_open(&k);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	g.loop = &loop;
	g.cfg = &cfg;
	g.dns = k.d;
	/* Nobody is there; nothing is waited for. */
	cfg.dns_servers[0] = desk_at("127.0.0.1", 1);
	cfg.dns_servers_num = 1;
}

static void teardown(void)
{
	dnssec_stop(s);
	(void)uv_run(&loop, UV_RUN_NOWAIT);
	dnssec_fini(s);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	desk_close(&k);
}

START_TEST(an_anchor_that_is_not_there_is_named)
{
	strcpy(cfg.trust_anchor, "/nowhere/anchor");
	ck_assert_int_eq(dnssec_start(&g, &s, why, sizeof(why)), HG_EFORMAT);
	ck_assert_ptr_nonnull(strstr(why, "trust-anchor = /nowhere/anchor: "));
	ck_assert_ptr_nonnull(strstr(why, "DS or DNSKEY records"));
}
END_TEST

START_TEST(what_is_no_longer_wanted_goes)
{
	strcpy(cfg.trust_anchor, "/dev/null");
	ck_assert_int_eq(dnssec_start(&g, &s, why, sizeof(why)), 0);
	ck_assert_int_eq(dnssec_ask(s, 7, "h.test", SCAN_HIP), 0);
	ck_assert_int_eq(dnssec_ask(s, 8, "i.test", SCAN_HIP), 0);
	dnssec_end(s, 7);
	dnssec_end(s, 7);
	dnssec_end(s, 99); /* none of its */
			   /* 8 goes with it. */
}
END_TEST

START_TEST(without_a_validator_nothing_is_asked)
{
	ck_assert_int_ne(dnssec_ask(NULL, 7, "h.test", SCAN_HIP), 0);
	dnssec_end(NULL, 7);
}
END_TEST

Suite *test_dnssec_suite(void);
Suite *test_dnssec_suite(void)
{
	Suite *suite = suite_create("dnssec");
	TCase *tc = tcase_create("dnssec");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, an_anchor_that_is_not_there_is_named);
	tcase_add_test(tc, what_is_no_longer_wanted_goes);
	tcase_add_test(tc, without_a_validator_nothing_is_asked);
	suite_add_tcase(suite, tc);
	return suite;
}
