/* SPDX-License-Identifier: MIT */
/* Where HIP may be sent to (product.md T13). */
#include "test/unit/dns/desk.h"
#include "dns/locator.h"

START_TEST(unusable_addresses_are_known_in_every_form)
{
	static const struct {
		const char *addr;
		bool usable;
	} t[] = {
		{ "192.0.2.1", true },
		{ "10.1.2.3", true },
		{ "2001:db8::1", true },
		{ "fd12::1", true },
		{ "127.0.0.1", false },
		{ "0.0.0.0", false },
		{ "224.0.0.1", false },
		{ "255.255.255.255", false },
		{ "169.254.1.1", false },
		{ "198.19.255.1", false },
		{ "::", false },
		{ "::1", false },
		{ "ff02::1", false },
		{ "fe80::1", false },
		{ "2001:20::5", false },
		{ "fd00:5::77", false },
		{ "::192.0.2.1", false },
		{ "2002:7f00:1::1", false },
		{ "2002:c000:201::1", true },
		{ "64:ff9b::7f00:1", false },
		{ "64:ff9b::c000:201", true },
		{ "64:ff9b::c612:1", false },
		{ "2002:c612:1::", false },
	};
	struct prefix p6 = desk_prefix("fd00:5::/64");
	struct prefix p4 = desk_prefix("198.18.0.0/15");
	struct prefix none = { .len = 0 };
	struct addr a = desk_addr(t[_i].addr);

	ck_assert_int_eq(locator_is_usable(&a, !addr_is4(&a), &p6, &p4),
			 t[_i].usable);
	if (t[_i].usable)
		ck_assert(locator_is_usable(&a, !addr_is4(&a), &none, &none));
	if (addr_is4(&a)) /* mapped in an AAAA record */
		ck_assert(!locator_is_usable(&a, true, &p6, &p4));
}
END_TEST

Suite *test_locator_suite(void);
Suite *test_locator_suite(void)
{
	Suite *s = suite_create("locator");
	TCase *tc = tcase_create("locator");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, unusable_addresses_are_known_in_every_form, 0,
			    23);
	suite_add_tcase(s, tc);
	return s;
}
