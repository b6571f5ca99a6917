/* SPDX-License-Identifier: MIT */
/* Which look-ups say where a HIP host is, and in which order. */
#include "test/unit/dns/desk.h"

#include "dns/place.h"

static struct question q;
static struct place p;

static void setup(void)
{
	memset(&q, 0, sizeof(q));
	memset(&p, 0, sizeof(p));
	q.place = &p;
	q.asked.name = desk_name("alias.test");
	p.owner = desk_name("h.test");
	p.host.ttl = 100;
}

static void says(enum slot slot, const char *at, uint32_t ttl)
{
	struct slot_state *s = question_slot(&q, slot);

	s->found = FOUND_ANSWERED;
	s->ttl = ttl;
	s->addrs[s->num++] = desk_addr(at);
}

static void is_at(size_t n, const char *at)
{
	struct addr want = desk_addr(at);

	ck_assert_uint_lt(n, p.host.locators_num);
	ck_assert(addr_eq(&p.host.locators[n], &want));
}

START_TEST(without_servers_the_names_own_addresses_say_so)
{
	enum slot list[SLOT_NUM];

	ck_assert_uint_eq(place_slots(&q, list), 2);
	ck_assert_uint_eq(list[0], SLOT_AAAA);
	ck_assert_uint_eq(list[1], SLOT_A);
}
END_TEST

/* One that is the record's owner, or the name asked, needs no look-up of its
 * own. */
START_TEST(servers_come_in_the_records_order)
{
	static const enum slot want[] = { SLOT_RVS + 1, SLOT_RVS,  SLOT_AAAA,
					  SLOT_A,	SLOT_AAAA, SLOT_A };
	enum slot list[SLOT_NUM];

	p.rvs_num = 3;
	p.rvs[0] = desk_name("rvs.test");
	p.rvs[1] = desk_name("H.test");
	p.rvs[2] = desk_name("alias.test");
	ck_assert_uint_eq(place_slots(&q, list), 6);
	ck_assert_mem_eq(list, want, sizeof(want));
}
END_TEST

START_TEST(what_is_known_is_collected_with_the_least_time)
{
	uint32_t ttl;

	says(SLOT_AAAA, "2001:db8::1", 70);
	says(SLOT_A, "192.0.2.1", 80);
	ck_assert(!place_collect(&q, &ttl));
	ck_assert_uint_eq(ttl, 70);
	ck_assert_uint_eq(p.host.locators_num, 2);
	is_at(0, "2001:db8::1");
	is_at(1, "192.0.2.1");
	/* What is still asked for, or failed, adds nothing. */
	q.slots[SLOT_AAAA].found = FOUND_WAIT;
	ck_assert(place_collect(&q, &ttl));
	ck_assert_uint_eq(ttl, 80);
	ck_assert_uint_eq(p.host.locators_num, 1);
	q.slots[SLOT_AAAA].found = FOUND_FAILED;
	q.slots[SLOT_A].num = 0;
	ck_assert(!place_collect(&q, &ttl));
	ck_assert_uint_eq(ttl, 100);
	ck_assert_uint_eq(p.host.locators_num, 0);
}
END_TEST

START_TEST(many_of_one_family_do_not_hide_the_other)
{
	char text[32];
	uint32_t ttl;

	for (unsigned i = 0; i < DNS_LOCATORS_MAX; i++) {
		snprintf(text, sizeof(text), "2001:db8::%x", i + 1);
		says(SLOT_AAAA, text, 70);
	}
	says(SLOT_A, "192.0.2.1", 70);
	says(SLOT_A, "192.0.2.1", 70);
	ck_assert(!place_collect(&q, &ttl));
	ck_assert_uint_eq(p.host.locators_num, DNS_LOCATORS_MAX / 2 + 1);
	is_at(DNS_LOCATORS_MAX / 2, "192.0.2.1");
}
END_TEST

Suite *test_place_suite(void);
Suite *test_place_suite(void)
{
	Suite *s = suite_create("place");
	TCase *tc = tcase_create("place");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, without_servers_the_names_own_addresses_say_so);
	tcase_add_test(tc, servers_come_in_the_records_order);
	tcase_add_test(tc, what_is_known_is_collected_with_the_least_time);
	tcase_add_test(tc, many_of_one_family_do_not_hide_the_other);
	suite_add_tcase(s, tc);
	return s;
}
