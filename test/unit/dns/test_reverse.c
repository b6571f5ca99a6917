/* SPDX-License-Identifier: MIT */
/* Reverse names of addresses. */
#include "test/unit/dns/desk.h"
#include "dns/reverse.h"

START_TEST(reverse_names_give_addresses_or_not)
{
	static const struct {
		const char *name, *addr;
	} t[] = {
		{ "5.2.0.192.in-addr.arpa", "192.0.2.5" },
		{ "5.2.0.192.IN-ADDR.ARPA", "192.0.2.5" },
		{ "2.0.192.in-addr.arpa", NULL },
		{ "9.5.2.0.192.in-addr.arpa", NULL },
		{ "256.2.0.192.in-addr.arpa", NULL },
		{ "05.2.0.192.in-addr.arpa", NULL },
		{ "x.2.0.192.in-addr.arpa", NULL },
		{ "5.2.0.192.in-addr.test", NULL },
		{ "f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1"
		  ".0.0.2.ip6.arpa",
		  "2001:db8::f" },
		{ "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1"
		  ".0.0.2.ip6.arpa",
		  NULL },
		{ "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1"
		  ".0.0.2.ip6.arpa",
		  NULL },
	};
	struct dname n = desk_name(t[_i].name);
	struct addr a;
	struct addr want;

	ck_assert_int_eq(reverse_addr(&n, &a), t[_i].addr != NULL);
	if (!t[_i].addr)
		return;
	want = desk_addr(t[_i].addr);
	ck_assert(addr_eq(&a, &want));
}
END_TEST

Suite *test_reverse_suite(void);
Suite *test_reverse_suite(void)
{
	Suite *s = suite_create("reverse");
	TCase *tc = tcase_create("reverse");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, reverse_names_give_addresses_or_not, 0, 11);
	suite_add_tcase(s, tc);
	return s;
}
