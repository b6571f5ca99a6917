/* SPDX-License-Identifier: MIT */
/* One client, or one domain, does not take all leases. */
#include "test/unit/dns/desk.h"

#include "dns/quota.h"

static struct quota *q;

static void setup(void)
{
	ck_assert_int_eq(quota_new(8192, &q), 0);
}

static void teardown(void)
{
	quota_free(q);
}

/* n names, each of a domain of its own. */
static void fill_client(const struct addr *client, unsigned n)
{
	char name[32];

	for (unsigned i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "h.d%u.example", i);
		ck_assert(quota_allows(q, client, name));
		quota_count(q, client, name);
	}
}

START_TEST(a_client_has_its_share)
{
	struct addr a = desk_addr("192.0.2.1");
	struct addr b = desk_addr("192.0.2.2");

	fill_client(&a, QUOTA_CLIENT);
	ck_assert(!quota_allows(q, &a, "h.new.example"));
	ck_assert(quota_allows(q, &b, "h.new.example"));
	ck_assert(quota_allows(q, NULL, "h.new.example"));
}
END_TEST

START_TEST(addresses_of_one_network_are_one_client)
{
	struct addr a = desk_addr("2001:db8::1");
	struct addr same = desk_addr("2001:db8::ffff:1");
	struct addr other = desk_addr("2001:db8:0:1::1");

	fill_client(&a, QUOTA_CLIENT);
	ck_assert(!quota_allows(q, &same, "h.new.example"));
	ck_assert(quota_allows(q, &other, "h.new.example"));
}
END_TEST

struct pair {
	const char *full, *name;
	bool same;
};

static const struct pair pairs[] = {
	{ "evil.example", "a.evil.example", true },
	{ "evil.example", "a.b.c.evil.example", true },
	{ "evil.example", "a.good.example", false },
	{ "evil.example", "notevil.example", false },
	{ "evil.example", "example", false },
	{ "evil.co.uk", "a.evil.co.uk", true },
	{ "evil.co.uk", "a.good.co.uk", false },
	{ "evil.com.au", "a.good.com.au", false },
	{ "evil.de", "a.evil.de", true },
	{ "evil.de", "a.good.de", false },
	{ "host", "host", true },
	{ "host", "other", false },
};

START_TEST(a_domain_has_its_share)
{
	const struct pair *p = &pairs[_i];

	for (unsigned i = 0; i < QUOTA_DOMAIN; i++) {
		ck_assert(quota_allows(q, NULL, p->full));
		quota_count(q, NULL, p->full);
	}
	ck_assert(!quota_allows(q, NULL, p->full));
	ck_assert_int_eq(quota_allows(q, NULL, p->name), !p->same);
}
END_TEST

/* 8 leases can have 16 counters, which all have room. */
START_TEST(the_table_has_room_for_all_leases)
{
	struct quota *small;
	char name[32];

	ck_assert_int_eq(quota_new(64, &small), 0);
	for (unsigned i = 0; i < 64; i++) {
		struct addr a = desk_addr("192.0.2.0");

		a.b[15] = (uint8_t)i;
		snprintf(name, sizeof(name), "h.d%u.example", i);
		quota_count(small, &a, name);
		ck_assert(quota_allows(small, &a, name));
	}
	quota_free(small);
}
END_TEST

Suite *test_quota_suite(void);
Suite *test_quota_suite(void)
{
	Suite *s = suite_create("quota");
	TCase *tc = tcase_create("quota");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_client_has_its_share);
	tcase_add_test(tc, addresses_of_one_network_are_one_client);
	tcase_add_loop_test(tc, a_domain_has_its_share, 0,
			    sizeof(pairs) / sizeof(pairs[0]));
	tcase_add_test(tc, the_table_has_room_for_all_leases);
	suite_add_tcase(s, tc);
	return s;
}
