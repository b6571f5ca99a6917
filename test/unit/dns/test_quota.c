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
		ck_assert(quota_allows(q, client, name, false));
		quota_count(q, client, name, false);
	}
}

START_TEST(a_client_has_its_share)
{
	struct addr a = desk_addr("192.0.2.1");
	struct addr b = desk_addr("192.0.2.2");

	fill_client(&a, QUOTA_CLIENT);
	ck_assert(!quota_allows(q, &a, "h.new.example", false));
	ck_assert(quota_allows(q, &b, "h.new.example", false));
}
END_TEST

START_TEST(addresses_of_one_network_are_one_client)
{
	struct addr a = desk_addr("2001:db8::1");
	struct addr same = desk_addr("2001:db8::ffff:1");
	struct addr other = desk_addr("2001:db8:0:1::1");

	fill_client(&a, QUOTA_CLIENT);
	ck_assert(!quota_allows(q, &same, "h.new.example", false));
	ck_assert(quota_allows(q, &other, "h.new.example", false));
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
	struct addr a = desk_addr("192.0.2.1");

	for (unsigned i = 0; i < QUOTA_DOMAIN; i++) {
		ck_assert(quota_allows(q, &a, p->full, false));
		quota_count(q, &a, p->full, false);
	}
	ck_assert(!quota_allows(q, &a, p->full, false));
	ck_assert_int_eq(quota_allows(q, &a, p->name, false), !p->same);
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
		quota_count(small, &a, name, false);
		ck_assert(quota_allows(small, &a, name, false));
	}
	quota_free(small);
}
END_TEST

/* Who asks a server of its own fills its own share of a name, and of no
 * other's. */
START_TEST(what_a_clients_own_server_says_takes_nothing_from_others)
{
	struct addr a = desk_addr("192.0.2.1");
	struct addr b = desk_addr("192.0.2.2");

	for (unsigned i = 0; i < QUOTA_DOMAIN; i++) {
		ck_assert(quota_allows(q, &a, "h.victim.example", true));
		quota_count(q, &a, "h.victim.example", true);
	}
	ck_assert(!quota_allows(q, &a, "x.victim.example", true));
	ck_assert(quota_allows(q, &a, "x.victim.example", false));
	ck_assert(quota_allows(q, &b, "x.victim.example", true));
	ck_assert(quota_allows(q, &b, "x.victim.example", false));
}
END_TEST

START_TEST(it_begins_anew_when_told_or_when_it_is_half_full)
{
	struct addr a = desk_addr("192.0.2.1");
	struct quota *small;
	char name[32];

	fill_client(&a, QUOTA_CLIENT);
	quota_clear(q);
	ck_assert(quota_allows(q, &a, "h.new.example", false));
	ck_assert_int_eq(quota_new(16, &small), 0); /* 64 counters */
	for (unsigned i = 0; i < 10000; i++) {
		put_be16(a.b + 14, (uint16_t)i);
		snprintf(name, sizeof(name), "h.d%u.example", i);
		ck_assert(quota_allows(small, &a, name, false));
		quota_count(small, &a, name, false);
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
	tcase_add_test(
		tc, what_a_clients_own_server_says_takes_nothing_from_others);
	tcase_add_test(tc, it_begins_anew_when_told_or_when_it_is_half_full);
	suite_add_tcase(s, tc);
	return s;
}
