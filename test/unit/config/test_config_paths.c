/* SPDX-License-Identifier: MIT */
/* [paths]: what it takes, and what is refused. */
#include "cmd/config/config.h"

#include <stdio.h>

#include "test/unit/config/parse_bed.h"

#define D "[daemon]\nidentity = k\n[host]\n[paths]\n"

START_TEST(every_key_is_taken)
{
	struct config *c = parse_ok(D "prefer = order\norder = ipv6\n"
				      "order = 192.0.2.0/24\norder = ipv4\n"
				      "silence = 250\nreturn = 3600\n");
	struct addr a;

	ck_assert_int_eq(c->paths.prefer, HIP_PREFER_ORDER);
	ck_assert_uint_eq(c->paths.order_num, 3);
	ck_assert_int_eq(addr_parse("198.51.100.1", &a), HG_OK);
	ck_assert(!prefix_has(&c->paths.order[0].prefix, &a));
	ck_assert(!prefix_has(&c->paths.order[1].prefix, &a));
	ck_assert(prefix_has(&c->paths.order[2].prefix, &a));
	ck_assert_int_eq(addr_parse("2001:db8::1", &a), HG_OK);
	ck_assert(prefix_has(&c->paths.order[0].prefix, &a));
	ck_assert(!prefix_has(&c->paths.order[2].prefix, &a));
	ck_assert_uint_eq(c->paths.silence_ms, 250);
	ck_assert_uint_eq(c->paths.return_s, 3600);
	config_free(c);
	c = parse_ok(D "prefer = order\norder = link wwan0\n"
		       "order = link eth0.7\norder = ipv4\n");
	ck_assert_uint_eq(c->paths.order_num, 3);
	ck_assert_str_eq(c->paths.order[0].link, "wwan0");
	ck_assert_str_eq(c->paths.order[1].link, "eth0.7");
	ck_assert_str_eq(c->paths.order[2].link, "");
	config_free(c);
	c = parse_ok(D "prefer = link\n");
	ck_assert_int_eq(c->paths.prefer, HIP_PREFER_LINK);
	config_free(c);
}
END_TEST

START_TEST(nothing_said_leaves_it_to_the_engine)
{
	struct config *c = parse_ok(D);

	ck_assert_int_eq(c->paths.prefer, HIP_PREFER_ANNOUNCED);
	ck_assert_uint_eq(c->paths.order_num, 0);
	ck_assert_uint_eq(c->paths.silence_ms, 0);
	ck_assert_uint_eq(c->paths.return_s, 0);
	config_free(c);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
	static const char *const no_link[] = {
		"eth0",	    "link",	      "link -x",
		"link a/b", "link eth0 eth1", "link abcdefghijklmnop",
	};

	refused(D "prefer = best\n",
		"f:5: bad value \"best\" for prefer: expected announced, order "
		"or link");
	refused(D "prefer = order\n",
		"f:4: prefer = order, but no order is given; add order = ipv6, "
		"order = link INTERFACE or prefixes");
	refused(D "order = ipv4\n",
		"f:4: order = is for prefer = order only; add that or remove "
		"it");
	refused(D "silence = 249\n",
		"f:5: bad value \"249\" for silence: expected milliseconds, "
		"250 to 60000");
	refused(D "return = 3601\n",
		"f:5: bad value \"3601\" for return: expected seconds, 1 to "
		"3600");
	refused(D "order = 192.0.2.1/24\n",
		"f:5: bad value \"192.0.2.1/24\" for order: expected ipv4, "
		"ipv6, ADDRESS/LENGTH with no bits set behind LENGTH, or link "
		"INTERFACE");
	for (size_t i = 0; i < sizeof(no_link) / sizeof(no_link[0]); i++) {
		char text[128];
		char want[256];

		(void)snprintf(text, sizeof(text), D "order = %s\n",
			       no_link[i]);
		(void)snprintf(want, sizeof(want),
			       "f:5: bad value \"%s\" for order: expected "
			       "ipv4, ipv6, ADDRESS/LENGTH with no bits set "
			       "behind LENGTH, or link INTERFACE",
			       no_link[i]);
		refused(text, want);
	}
	refused(D "prefer = order\norder = link eth0\norder = link eth0\n",
		"f:7: order = link eth0 is there already; remove one");
}
END_TEST

Suite *test_config_paths_suite(void);
Suite *test_config_paths_suite(void)
{
	Suite *s = suite_create("config_paths");
	TCase *t = tcase_create("paths");

	tcase_add_test(t, every_key_is_taken);
	tcase_add_test(t, nothing_said_leaves_it_to_the_engine);
	tcase_add_test(t, what_is_wrong_is_named);
	suite_add_tcase(s, t);
	return s;
}
