/* SPDX-License-Identifier: MIT */
/* DNS's ways in, and real addresses: what is taken, and what is refused. */
#include "cmd/config/config.h"

#include "test/unit/config/parse_bed.h"

#define D                                                                      \
	"[daemon]\nidentity = k\n[proxy]\nprefix = 2001:db8:401::/64\n"        \
	"prefix = 198.18.0.0/24\n"
#define REAL                                                                   \
	"dns-server = 192.0.2.53\nlan = lan0\ntransparent = 198.51.100.0/24\n"
#define RULE "[policy \"*.corp.example\"]\nhip = transparent\n"

START_TEST(all_is_taken)
{
	struct config *c = parse_ok(D "listen = 192.0.2.1\nlisten = ::1\n"
				      "listen = [::]:5353\n" REAL
				      "transparent = 2001:db8:600::/64\n" RULE);

	ck_assert_uint_eq(c->listen_num, 3);
	ck_assert_uint_eq(c->listen[0].port, 53);
	ck_assert_uint_eq(c->listen[2].port, 5353);
	ck_assert(addr_is_unspecified(&c->listen[2].addr));
	ck_assert_uint_eq(c->real_num, 2);
	ck_assert_uint_eq(c->real[1].len, 64);
	ck_assert_int_eq(c->rules[0].mode, DNS_TRANSPARENT);
	config_free(c);
}
END_TEST

START_TEST(a_listener_must_be_one)
{
	refused(D "listen = ff02::1\n",
		"f:6: bad value \"ff02::1\" for listen: expected an ADDRESS "
		"of this machine, or ADDRESS:PORT with an IPv6 address in []");
	refused(D "listen = 192.0.2.1\nlisten = 192.0.2.1:53\n",
		"f:7: listen = 192.0.2.1:53 is there already; remove one");
	refused(D "listen = 2001:db8:401::53\n",
		"f:3: listen = [2001:db8:401::53]:53 lies inside the prefix, "
		"which has an address for DNS already; name one of the "
		"machine's own");
}
END_TEST

START_TEST(nobody_asks_himself)
{
	refused(D "listen = 192.0.2.1\ndns-server = 192.0.2.1\n",
		"f:7: dns-server is listen = 192.0.2.1:53, so hipgate would "
		"ask itself; name the server that knows the answers");
	refused(D "listen = 0.0.0.0\ndns-server = 127.0.0.53\n",
		"f:7: dns-server is listen = 0.0.0.0:53, so hipgate would ask "
		"itself; name the server that knows the answers");
	config_free(parse_ok(D "listen = 0.0.0.0:5353\n"
			       "dns-server = 127.0.0.53\n"));
	config_free(parse_ok(D "listen = ::\ndns-server = 127.0.0.53\n"));
}
END_TEST

START_TEST(a_real_address_must_be_routed_to_us)
{
	refused(D RULE,
		"f:6: [policy \"*.corp.example\"] hip = transparent answers "
		"with real addresses, which must be routed into the TUN; add "
		"transparent = PREFIX for them to [proxy], and run "
		"hipgate-setup");
	refused(D REAL, "f:3: transparent = is for names with hip = "
			"transparent; add it to a [policy], or remove this");
	refused(D "lan = lan0\ntransparent = 198.51.100.0/24\n" RULE,
		"f:3: transparent = needs a server whose answers are believed, "
		"and the interfaces whose packets are routed; add dns-server "
		"= ADDRESS and lan = INTERFACE");
	refused(D REAL "transparent = 2001:db8::/32\n" RULE,
		"f:3: transparent = 2001:db8::/32 overlaps prefix, where there "
		"are no real addresses; name the HIP hosts' own");
	refused(D REAL "transparent = 2001::/16\n" RULE,
		"f:3: transparent = 2001::/16 overlaps prefix, where there are "
		"no real addresses; name the HIP hosts' own");
	refused(D REAL "transparent = 2001:20::/32\n" RULE,
		"f:3: transparent = 2001:20::/32 overlaps 2001:20::/28, which "
		"are HITs; name the HIP hosts' addresses");
	refused(D REAL "transparent = ::/0\n" RULE,
		"f:9: bad value \"::/0\" for transparent: expected "
		"ADDRESS/LENGTH but ::/0, with no bits set behind LENGTH");
	refused(D REAL "clients = 198.51.100.128/25\n" RULE,
		"f:9: clients lie inside transparent = 198.51.100.0/24, so "
		"that their packets would be taken for forged ones; name "
		"smaller prefixes");
}
END_TEST

Suite *test_config_ways_suite(void);
Suite *test_config_ways_suite(void)
{
	Suite *s = suite_create("config_ways");
	TCase *tc = tcase_create("config_ways");

	tcase_add_test(tc, all_is_taken);
	tcase_add_test(tc, a_listener_must_be_one);
	tcase_add_test(tc, nobody_asks_himself);
	tcase_add_test(tc, a_real_address_must_be_routed_to_us);
	suite_add_tcase(s, tc);
	return s;
}
