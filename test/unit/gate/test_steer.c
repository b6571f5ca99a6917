/* SPDX-License-Identifier: MIT */
/* What a packet from the TUN is, with the daemon's own addresses and real
 * ones (nat/classify.c has its own tests). */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgated/steer.h"

static struct steer s;
static struct config *cfg;

static struct addr at(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), 0);
	return a;
}

static struct prefix net(const char *text)
{
	struct prefix p;

	ck_assert_int_eq(prefix_parse(text, &p), 0);
	return p;
}

static void setup(void)
{
	cfg = calloc(1, sizeof(*cfg));
	cfg->pool6 = net("2001:db8:401::/64");
	cfg->pool4 = net("198.18.0.0/24");
	cfg->clients[cfg->clients_num++] = net("2001:db8:400::/64");
	cfg->clients[cfg->clients_num++] = net("192.0.2.0/26");
	cfg->real[cfg->real_num++] = net("2001:db8:600::/64");
	cfg->real[cfg->real_num++] = net("198.51.100.12/30");
	steer_init(&s, cfg);
}

static void teardown(void)
{
	free(cfg);
}

static enum nat_class classify(const char *from, const char *to, uint16_t port,
			       struct nat_packet *out)
{
	static uint8_t pkt[256];
	struct endpoint a = { at(from), 40000 };
	struct endpoint b = { at(to), port };
	size_t n = ip_build_udp(pkt, sizeof(pkt), &a, &b, "x", 1);

	ck_assert_uint_ne(n, 0);
	return steer_classify(&s, pkt, n, out);
}

/* DROP: -1 and the reason in *why. */
struct row {
	const char *from, *to;
	uint16_t port;
	enum nat_class class;
	enum reason why;
};

static const struct row rows[] = {
	/* the prefix's own address */
	{ "2001:db8:400::50", "2001:db8:401::53", 53, NAT_DNS, REASON_NUM },
	{ "192.0.2.50", "198.18.0.2", 53, NAT_DNS, REASON_NUM },
	{ "2001:db8:400::50", "2001:db8:401::53", 54, NAT_DATA, REASON_NUM },
	{ "2001:db8:400::50", "2001:db8:401::54", 53, NAT_DATA, REASON_NUM },
	{ "2001:db8:999::50", "2001:db8:401::53", 53, NAT_DROP,
	  REASON_NOT_A_CLIENT },
	/* this machine's programs */
	{ "2001:db8:401::1", "2001:db8:401::53", 53, NAT_DNS, REASON_NUM },
	{ "198.18.0.1", "198.18.0.2", 53, NAT_DNS, REASON_NUM },
	{ "2001:db8:401::1", "2001:db8:100::53", 53, NAT_DNS, REASON_NUM },
	{ "2001:db8:401::1", "2001:db8:401::abcd", 443, NAT_DATA, REASON_NUM },
	{ "2001:db8:401::1", "2001:db8:100::53", 10500, NAT_DROP, REASON_LOOP },
	{ "2001:db8:401::1", "2001:db8:100::53", 80, NAT_DROP,
	  REASON_IP_BAD_ADDR },
	/* forged */
	{ "2001:db8:401::9", "2001:db8:401::53", 53, NAT_DROP,
	  REASON_IP_BAD_ADDR },
	{ "2001:db8:401::9", "2001:db8:600::1", 443, NAT_DROP,
	  REASON_IP_BAD_ADDR },
	{ "2001:db8:600::9", "2001:db8:600::1", 443, NAT_DROP,
	  REASON_NOT_A_CLIENT },
	/* real addresses */
	{ "2001:db8:400::50", "2001:db8:600::1", 443, NAT_DATA, REASON_NUM },
	{ "192.0.2.50", "198.51.100.13", 443, NAT_DATA, REASON_NUM },
	{ "192.0.2.50", "198.51.100.17", 443, NAT_DROP, REASON_IP_BAD_ADDR },
	{ "192.0.2.99", "198.51.100.13", 443, NAT_DROP, REASON_NOT_A_CLIENT },
	{ "192.0.2.50", "198.51.100.13", 10500, NAT_DROP, REASON_LOOP },
	{ "192.0.2.50", "198.51.100.13", 53, NAT_DNS, REASON_NUM },
};

START_TEST(each_packet_is_what_it_should)
{
	const struct row *r = &rows[_i];
	struct nat_packet p;
	enum nat_class class = classify(r->from, r->to, r->port, &p);

	ck_assert_msg(class == r->class && p.reason == r->why,
		      "%s -> %s port %u: class %d, %s", r->from, r->to, r->port,
		      (int)class,
		      p.reason == REASON_NUM ? "-" : reason_name(p.reason));
	if (class == NAT_DATA)
		ck_assert(
			addr_eq(&p.key.virt, &(struct addr[]){ at(r->to) }[0]));
}
END_TEST

START_TEST(without_pools_nothing_is_ours)
{
	struct nat_packet p;

	cfg->pool6.len = 0;
	cfg->real_num = 0;
	steer_init(&s, cfg);
	ck_assert(!steer_is_dns(&s, &addr_any6));
	ck_assert_int_eq(
		classify("2001:db8:400::50", "2001:db8:401::53", 54, &p),
		NAT_DROP);
	ck_assert_int_eq(
		classify("2001:db8:401::1", "2001:db8:600::1", 443, &p),
		NAT_DROP);
}
END_TEST

START_TEST(the_smallest_pool_has_no_address_for_dns)
{
	struct addr a;
	struct prefix small = net("192.0.2.0/30");
	struct prefix none = { .len = 0 };

	ck_assert(!lease_dns(&small, &a));
	ck_assert(!lease_dns(&none, &a));
	small.len--;
	ck_assert(lease_dns(&small, &a));
	ck_assert(addr_eq(&a, &(struct addr[]){ at("192.0.2.2") }[0]));
}
END_TEST

Suite *test_steer_suite(void);
Suite *test_steer_suite(void)
{
	Suite *suite = suite_create("steer");
	TCase *tc = tcase_create("steer");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, each_packet_is_what_it_should, 0,
			    sizeof(rows) / sizeof(rows[0]));
	tcase_add_test(tc, without_pools_nothing_is_ours);
	tcase_add_test(tc, the_smallest_pool_has_no_address_for_dns);
	suite_add_tcase(suite, tc);
	return suite;
}
