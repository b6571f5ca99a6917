/* SPDX-License-Identifier: MIT */
/* The validator as the daemon runs it: what it refuses to start with, and
 * that nothing is left of what was asked. */
#include "test/unit/dns/desk.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/hipgated/dnssec.h"
#include "cmd/hipgated/gate.h"
#include "cmd/hipgated/sockets.h"

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
	struct hip_config hc = { .puzzle_k_max = 20 };

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
	/* What gate_pump looks at. */
	ck_assert_int_eq(hip_new(&hc, uv_hrtime(), &g.hip), 0);
	ck_assert_int_eq(uv_timer_init(&loop, &g.timer), 0);
	g.timer.data = &g;
}

static void count_polls(uv_handle_t *h, void *arg)
{
	*(unsigned *)arg += h->type == UV_POLL && uv_is_active(h);
}

/* Contexts that are listened to. */
static unsigned contexts(void)
{
	unsigned n = 0;

	uv_walk(&loop, count_polls, &n);
	return n;
}

static void teardown(void)
{
	dnssec_stop(s);
	uv_close((uv_handle_t *)&g.timer, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	dnssec_fini(s);
	hip_free(g.hip);
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

START_TEST(other_servers_are_asked_by_another_one)
{
	anchor_is_there();
	ck_assert_int_eq(dnssec_start(&g, &s, why, sizeof(why)), 0);
	ck_assert_uint_eq(contexts(), 1);
	ck_assert_int_eq(dnssec_ask(s, 7, "h.test", SCAN_HIP), 0);
	cfg.dns_servers[0].port = 2;
	dnssec_forward(s);
	ck_assert_uint_eq(contexts(), 0); /* what it says is not heard */
	dnssec_end(s, 7);		  /* as the engine does */
	ck_assert_int_eq(dnssec_ask(s, 8, "h.test", SCAN_HIP), 0);
	ck_assert_int_eq(dnssec_ask(s, 9, "i.test", SCAN_HIP), 0);
	dnssec_end(s, 8); /* it has not been sent */
	cfg.dns_servers[0].port = 3;
	dnssec_forward(s); /* before there is one */
	ck_assert_int_eq(dnssec_ask(s, 10, "i.test", SCAN_HIP), 0);
	while (!contexts())
		(void)uv_run(&loop, UV_RUN_ONCE);
	ck_assert_int_eq(dnssec_ask(s, 11, "j.test", SCAN_HIP), 0);
	dnssec_end(s, 10);
	ck_assert_uint_eq(contexts(), 1);
	dnssec_forward(s); /* and the end comes before it is made */
}
END_TEST

/* Though the one before it was still being made. */
START_TEST(the_last_list_counts)
{
	struct endpoint at = desk_at("127.0.0.1", 0);
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&at, &ss);
	struct pollfd p = { socket(AF_INET, SOCK_DGRAM, 0), POLLIN, 0 };

	ck_assert_int_ge(p.fd, 0);
	ck_assert_int_eq(bind(p.fd, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(getsockname(p.fd, (struct sockaddr *)&ss, &len), 0);
	anchor_is_there();
	ck_assert_int_eq(dnssec_start(&g, &s, why, sizeof(why)), 0);
	cfg.dns_servers[0].port = 2;
	dnssec_forward(s);
	cfg.dns_servers[0] = sockets_endpoint((struct sockaddr *)&ss);
	dnssec_forward(s);
	/* libunbound answers for "test" itself. */
	ck_assert_int_eq(dnssec_ask(s, 7, "h.example", SCAN_HIP), 0);
	while (!contexts())
		(void)uv_run(&loop, UV_RUN_ONCE);
	ck_assert_int_eq(poll(&p, 1, 20000), 1);
	(void)close(p.fd);
}
END_TEST

START_TEST(one_that_cannot_be_made_is_tried_again)
{
	anchor_is_there();
	ck_assert_int_eq(dnssec_start(&g, &s, why, sizeof(why)), 0);
	strcpy(cfg.trust_anchor, "/nowhere/anchor");
	dnssec_forward(s);
	ck_assert_int_eq(dnssec_ask(s, 7, "h.test", SCAN_HIP), 0);
	(void)uv_run(&loop, UV_RUN_DEFAULT); /* nothing is left to wait for */
	ck_assert_uint_eq(contexts(), 0);
	/* Not with each question. */
	ck_assert_int_eq(dnssec_ask(s, 8, "h.test", SCAN_HIP), HG_ESYS);
	anchor_is_there();
	dnssec_forward(s);
	ck_assert_int_eq(dnssec_ask(s, 9, "h.test", SCAN_HIP), 0);
	while (!contexts())
		(void)uv_run(&loop, UV_RUN_ONCE);
	ck_assert_int_eq(dnssec_ask(s, 10, "h.test", SCAN_HIP), 0);
	dnssec_forward(NULL);
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
	tcase_add_test(tc, other_servers_are_asked_by_another_one);
	tcase_add_test(tc, the_last_list_counts);
	tcase_add_test(tc, one_that_cannot_be_made_is_tried_again);
	suite_add_tcase(suite, tc);
	return suite;
}
