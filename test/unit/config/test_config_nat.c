/* SPDX-License-Identifier: MIT */
/* The keys about NATs and control relays: what they take, what not. */
#include "cmd/config/config.h"

#include <stdio.h>
#include <string.h>

#include "test/unit/config/parse_bed.h"

#define HIT "2001:22:1:2:3:4:5:6"
#define D "[daemon]\nidentity = k\n"

START_TEST(every_key_is_taken)
{
	struct config *c =
		parse_ok(D "behind-nat = yes\nkeepalive = 30\n[rendezvous]\n"
			   "relay = no\n[register " HIT "]\n"
			   "address = 192.0.2.1\nrelay = yes\n");

	ck_assert_int_eq(c->behind_nat, HIP_NAT_YES);
	ck_assert_uint_eq(c->keepalive_s, 30);
	ck_assert(!c->relay);
	ck_assert(c->reg[0].relay);
	config_free(c);
}
END_TEST

START_TEST(outer_addresses_are_taken)
{
	struct config *c =
		parse_ok(D "outer-address = 203.0.113.5\n"
			   "outer-address = 2001:db8::5 for fd00::5\n"
			   "outer-address = 203.0.113.6 for 192.168.1.6\n"
			   "[host]\n");
	struct addr a;

	ck_assert_uint_eq(c->outer_num, 3);
	ck_assert_int_eq(addr_parse("203.0.113.5", &a), HG_OK);
	ck_assert(addr_eq(&c->outer[0].outer, &a));
	ck_assert(addr_is_unspecified(&c->outer[0].inner));
	ck_assert_int_eq(addr_parse("fd00::5", &a), HG_OK);
	ck_assert(addr_eq(&c->outer[1].inner, &a));
	ck_assert_int_eq(addr_parse("192.168.1.6", &a), HG_OK);
	ck_assert(addr_eq(&c->outer[2].inner, &a));
	config_free(c);
}
END_TEST

static const char *const no_outer[] = {
	"",
	"for 10.0.0.5",
	"203.0.113.5 for",
	"203.0.113.5 10.0.0.5",
	"203.0.113.5 for 0.0.0.0",
	"203.0.113.5 for ::",
	"203.0.113.5 for fd00::5",
	"2001:db8::5",
	"2001:db8::5 for 10.0.0.5",
	"127.0.0.1",
	"224.0.0.1",
	"fe80::1 for fe80::2",
	"203.0.113.5:10500",
	"somewhere",
	"203.0.113.5 for 10.0.0.5 for",
};

START_TEST(outer_addresses_that_are_none)
{
	char text[256];
	char why[256];

	(void)snprintf(text, sizeof(text), D "outer-address = %s\n[host]\n",
		       no_outer[_i]);
	(void)snprintf(why, sizeof(why),
		       "f:3: bad value \"%s\" for outer-address: expected "
		       "ADDRESS (IPv4), or ADDRESS for ADDRESS of one family, "
		       "each once",
		       no_outer[_i]);
	refused(text, why);
	/* The same outer, or the same inner one, twice. */
	(void)snprintf(text, sizeof(text),
		       D "outer-address = 203.0.113.5%s\n"
			 "outer-address = 203.0.113.%d\n[host]\n",
		       _i % 2 ? " for 10.0.0.1" : "", _i % 2 ? 5 : 6);
	(void)snprintf(why, sizeof(why),
		       "f:4: bad value \"203.0.113.%d\" for outer-address: "
		       "expected ADDRESS (IPv4), or ADDRESS for ADDRESS of one "
		       "family, each once",
		       _i % 2 ? 5 : 6);
	refused(text, why);
}
END_TEST

START_TEST(nothing_said_is_auto_and_a_server_relays)
{
	struct config *c = parse_ok(D "[rendezvous]\n[register " HIT "]\n"
				      "address = 192.0.2.1\n");

	ck_assert_int_eq(c->behind_nat, HIP_NAT_AUTO);
	ck_assert_uint_eq(c->keepalive_s, 0);
	ck_assert(c->relay);
	ck_assert(!c->reg[0].relay);
	config_free(c);
}
END_TEST

START_TEST(a_data_relay_is_asked_for)
{
	struct config *c = parse_ok(D "[rendezvous]\n");

	ck_assert(!c->data_relay);
	ck_assert_uint_eq(c->relay_port, 0);
	ck_assert_uint_eq(c->relay_ports_num, 64);
	ck_assert_uint_eq(c->relay_rate_mbit, 100);
	config_free(c);
	c = parse_ok(D "[rendezvous]\ndata-relay = yes\n"
		       "relay-ports = 20000-21023\nrelay-rate = 0\n");
	ck_assert(c->data_relay);
	ck_assert_uint_eq(c->relay_port, 20000);
	ck_assert_uint_eq(c->relay_ports_num, 1024);
	ck_assert_uint_eq(c->relay_rate_mbit, 0);
	config_free(c);
	c = parse_ok(D "[rendezvous]\nrelay-ports = any 7\n");
	ck_assert_uint_eq(c->relay_port, 0);
	ck_assert_uint_eq(c->relay_ports_num, 7);
	config_free(c);
}
END_TEST

static const char *const no_ports[] = {
	"20000",       "20000-19999", "20000-21024", "1023-1030",
	"65000-65536", "any",	      "any 0",	     "any 1025",
	"-",	       "-20000",      "20000-",	     "1111111111111111111-2",
};

START_TEST(ports_that_are_none)
{
	char text[256];
	char why[256];

	(void)snprintf(text, sizeof(text), D "[rendezvous]\nrelay-ports = %s\n",
		       no_ports[_i]);
	(void)snprintf(why, sizeof(why),
		       "f:4: bad value \"%s\" for relay-ports: expected "
		       "FIRST-LAST (1024 ports at most), or any NUMBER",
		       no_ports[_i]);
	refused(text, why);
}
END_TEST

/* An agent may be reached by both families. */
START_TEST(an_agent_has_several_addresses)
{
	char text[1024] = D "[host]\n[register " HIT "]\n";
	struct config *c =
		parse_ok(D "[host]\n[register " HIT "]\naddress = 192.0.2.1\n"
			   "address = [2001:db8::1]:99\n");
	size_t len;

	ck_assert_uint_eq(c->reg[0].at_num, 2);
	ck_assert(addr_is4(&c->reg[0].at[0].addr));
	ck_assert_uint_eq(c->reg[0].at[0].port, 10500);
	ck_assert_uint_eq(c->reg[0].at[1].port, 99);
	config_free(c);
	refused(D "[host]\n[register " HIT "]\naddress = 192.0.2.1\n"
		  "address = 192.0.2.1\n",
		"f:6: address = 192.0.2.1 is there already; remove one");
	refused(D "opportunistic = yes\n[host]\n[register opportunistic]\n"
		  "address = 192.0.2.2\naddress = 192.0.2.3\n",
		"f:5: [register opportunistic] takes one address: at each "
		"somebody else may answer; write the agent's HIT");
	len = strlen(text);
	for (unsigned i = 1; i <= CONFIG_REGISTER_ADDRS; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"address = 192.0.2.%u\n", i);
	config_free(parse_ok(text));
	(void)snprintf(text + len, sizeof(text) - len, "address = 192.0.2.9\n");
	refused(text, "f:13: too many lines address =; at most 8");
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	refused(D "[rendezvous]\nrelay-rate = 100001\n",
		"f:4: bad value \"100001\" for relay-rate: expected Mbit/s of "
		"each client, 0 (no limit) to 100000");
	refused(D "behind-nat = maybe\n[host]\n",
		"f:3: bad value \"maybe\" for behind-nat: expected auto, yes "
		"or "
		"no");
	refused(D "keepalive = 14\n[host]\n",
		"f:3: bad value \"14\" for keepalive: expected seconds, 15 to "
		"3600");
	refused(D "[rendezvous]\nrelay = 1\n",
		"f:4: bad value \"1\" for relay: expected yes or no");
	refused(D "[host]\n[register " HIT "]\naddress = 192.0.2.1\n"
		  "relay = auto\n",
		"f:6: bad value \"auto\" for relay: expected yes or no");
}
END_TEST

Suite *test_config_nat_suite(void);
Suite *test_config_nat_suite(void)
{
	Suite *s = suite_create("config_nat");
	TCase *t = tcase_create("nat");

	tcase_add_test(t, outer_addresses_are_taken);
	tcase_add_loop_test(t, outer_addresses_that_are_none, 0,
			    sizeof(no_outer) / sizeof(no_outer[0]));
	tcase_add_test(t, every_key_is_taken);
	tcase_add_test(t, nothing_said_is_auto_and_a_server_relays);
	tcase_add_test(t, a_data_relay_is_asked_for);
	tcase_add_loop_test(t, ports_that_are_none, 0,
			    sizeof(no_ports) / sizeof(no_ports[0]));
	tcase_add_test(t, an_agent_has_several_addresses);
	tcase_add_test(t, what_is_wrong_is_named);
	suite_add_tcase(s, t);
	return s;
}
