/* SPDX-License-Identifier: MIT */
/* The validator as the daemon runs it: what it refuses to start with, and
 * that nothing is left of what was asked. */
#include "test/unit/dns/desk.h"

#include <unistd.h>

#include "cmd/hipgated/dnssec.h"
#include "cmd/hipgated/gate.h"

static struct gate g;
static struct config cfg;
static uv_loop_t loop;
static struct desk k;
static struct dnssec *s;
static char why[600];
static char dir[40];

static const char *in_dir(const char *name)
{
	static char path[80];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* The key of a zone where nobody ever is. */
static void anchor_is_there(void)
{
	FILE *f = fopen(in_dir("anchor"), "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs("test. IN DS 12345 13 2 "
			       "00112233445566778899aabbccddeeff"
			       "00112233445566778899aabbccddeeff\n",
			       f),
			 0);
	ck_assert_int_eq(fclose(f), 0);
	strcpy(cfg.trust_anchor, in_dir("anchor"));
}

static void setup(void)
{
	memset(&g, 0, sizeof(g));
	memset(&cfg, 0, sizeof(cfg));
	strcpy(dir, "/tmp/hipgate-dnssec-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	strcpy(cfg.state, dir);
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
	(void)unlink(in_dir("anchor"));
	(void)unlink(in_dir("trust-anchor"));
	(void)unlink(in_dir("trust-anchor.origin"));
	ck_assert_int_eq(rmdir(dir), 0);
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
	anchor_is_there();
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
