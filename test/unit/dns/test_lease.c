/* SPDX-License-Identifier: MIT */
/* Substitutes: stable, unique, journalled. */
#include "test/unit/dns/leases.h"

static bool is_of(const struct lease *l, const struct addr *sub,
		  const struct hit *hit)
{
	struct lease_entry e;

	return lease_find(l, sub, &e) && hit_eq(&e.hit, hit) &&
	       (addr_eq(&e.sub6, sub) || addr_eq(&e.sub4, sub)) &&
	       strcmp(e.name, "n") == 0;
}

START_TEST(the_ipv6_substitute_is_a_function_of_hit_and_key)
{
	struct lease_config c =
		lease_config_of("fd00:5::/64", "198.18.0.0/15", 0);
	struct lease *one = open_lease(&c);
	struct lease *two = open_lease(&c);
	struct lease *three;
	struct lease_entry a;
	struct lease_entry b;
	struct addr golden = desk_addr("fd00:5::b77a:1008:72f5:43e7");
	struct hit h;
	bool fresh;

	c.site_key[0] ^= 1;
	three = open_lease(&c);
	for (uint32_t i = 1; i < 200; i++) {
		h = nth_hit(200 - i);
		ck_assert_int_eq(lease_get(two, &h, "b", &b, &fresh), 0);
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(one, &h, "a", &a, &fresh), 0);
		ck_assert(fresh);
		ck_assert(prefix_has(&c.pool6, &a.sub6));
		ck_assert(prefix_has(&c.pool4, &a.sub4));
	}
	for (uint32_t i = 1; i < 200; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(one, &h, "x", &a, &fresh), 0);
		ck_assert(!fresh);
		ck_assert_str_eq(a.name, "a");
		ck_assert_int_eq(lease_get(two, &h, "x", &b, &fresh), 0);
		ck_assert(addr_eq(&a.sub6, &b.sub6));
		ck_assert_int_eq(lease_get(three, &h, "x", &b, &fresh), 0);
		ck_assert(!addr_eq(&a.sub6, &b.sub6));
		if (i == 1)
			ck_assert(addr_eq(&a.sub6, &golden));
	}
	lease_free(one);
	lease_free(two);
	lease_free(three);
}
END_TEST

START_TEST(no_address_ever_denotes_two_hits)
{
	static const struct {
		const char *six, *four;
		uint32_t usable4;
		bool collide;
	} t[] = {
		{ "fd00:5::/64", "192.0.2.0/28", 12, false },
		{ "fd00:5::/112", "192.0.2.0/24", 252, true },
		{ NULL, "192.0.2.0/30", 1, false },
		{ "fd00:5::/109", NULL, 0, false },
	};
	struct lease_config c = lease_config_of(t[_i].six, t[_i].four, 3000);
	struct lease *l = open_lease(&c);
	uint32_t given4 = 0;
	uint32_t refused = 0;
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 2000; i++) {
		h = nth_hit(i);
		int err = lease_get(l, &h, "n", &e, &fresh);

		if (err) {
			ck_assert_int_eq(err, HG_EEXIST);
			refused++;
			continue;
		}
		ck_assert(hit_eq(&e.hit, &h));
		if (t[_i].six)
			ck_assert(is_of(l, &e.sub6, &h));
		if (addr_is_unspecified(&e.sub4))
			continue;
		given4++;
		ck_assert(addr_is4(&e.sub4));
		ck_assert(is_of(l, &e.sub4, &h));
	}
	ck_assert_uint_eq(given4, t[_i].usable4);
	if (t[_i].collide)
		ck_assert_uint_gt(refused, 0);
	ck_assert_uint_lt(refused, 100);
	ck_assert(!lease_find(l, &addr_any6, &e));
	lease_free(l);
}
END_TEST

START_TEST(network_tun_and_broadcast_addresses_are_never_given)
{
	static const char *const never[] = { "192.0.2.0", "192.0.2.1",
					     "192.0.2.2", "192.0.2.15" };
	struct lease_config c = lease_config_of(NULL, "192.0.2.0/28", 0);
	struct lease *l = open_lease(&c);
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 20; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(l, &h, "n", &e, &fresh), 0);
	}
	for (unsigned i = 0; i < 16; i++) {
		struct addr a = desk_addr("192.0.2.0");

		a.b[15] = (uint8_t)i;
		ck_assert_int_eq(lease_find(l, &a, &e), i > 2 && i != 15);
	}
	for (unsigned i = 0; i < 4; i++) {
		struct lease_entry x = { .hit = nth_hit(99) };

		x.sub4 = desk_addr(never[i]);
		ck_assert_int_eq(lease_restore(l, &x), 0);
		ck_assert(addr_is_unspecified(&x.sub4));
		x.sub4 = desk_addr(never[i]);
		ck_assert(!lease_find(l, &x.sub4, &e));
	}
	lease_free(l);
}
END_TEST

struct saved {
	struct lease_entry e[300];
	size_t num;
};

static void save(const struct lease_entry *e, void *arg)
{
	struct saved *s = arg;

	s->e[s->num++] = *e;
}

START_TEST(a_restart_gives_everybody_the_same)
{
	static struct saved first;
	static struct saved second;
	struct lease_config c =
		lease_config_of("fd00:5::/64", "192.0.2.0/24", 0);
	struct lease *l = open_lease(&c);
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 100; i++) {
		h = nth_hit(i * 7);
		ck_assert_int_eq(lease_get(l, &h, "n", &e, &fresh), 0);
	}
	lease_each(l, save, &first);
	lease_free(l);
	ck_assert_uint_eq(first.num, 100);
	l = open_lease(&c);
	for (size_t i = first.num; i-- > 0;) {
		ck_assert_int_eq(lease_restore(l, &first.e[i]), 0);
		ck_assert_int_eq(lease_restore(l, &first.e[i]), 0);
	}
	for (uint32_t i = 1; i <= 700; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(l, &h, "n", &e, &fresh), 0);
		ck_assert_int_eq(fresh, i % 7 != 0);
		if (i % 7 == 0)
			ck_assert_mem_eq(&e, &first.e[i / 7 - 1], sizeof(e));
		if (i == 7)
			lease_each(l, save, &second);
	}
	lease_free(l);
}
END_TEST

START_TEST(a_journal_that_contradicts_is_refused)
{
	struct lease_config c =
		lease_config_of("fd00:5::/64", "192.0.2.0/24", 0);
	struct lease *l = open_lease(&c);
	struct hit one = nth_hit(1);
	struct hit two = nth_hit(2);
	struct lease_entry e;
	struct lease_entry x;
	bool fresh;
	int want = HG_EFORMAT;

	ck_assert_int_eq(lease_get(l, &two, "n", &e, &fresh), 0);
	x = e;
	lease_free(l);
	l = open_lease(&c);
	ck_assert_int_eq(lease_get(l, &one, "n", &e, &fresh), 0);
	switch (_i) {
	case 0:
		x.sub4 = e.sub4; /* another's */
		want = HG_EEXIST;
		break;
	case 1:
		x = e; /* its own, moved */
		x.sub4.b[15] = e.sub4.b[15] == 9 ? 10 : 9;
		want = HG_EEXIST;
		break;
	case 2:
		x.hit.b[0] = 0x30;
		break;
	default:
		memset(x.name, 'a', sizeof(x.name));
	}
	ck_assert_int_eq(lease_restore(l, &x), want);
	ck_assert_int_eq(lease_get(l, &two, "n", &e, &fresh), 0);
	ck_assert(fresh); /* nothing was half done */
	lease_free(l);
}
END_TEST

enum changed { KEY, PREFIX, NO_PREFIX, WIDE4, OTHER4, CHANGED_NUM };

/* What the proxy has after the change. */
static struct lease_config changed(enum changed what)
{
	struct lease_config c =
		lease_config_of(what == PREFIX	    ? "fd00:6::/64"
				: what == NO_PREFIX ? NULL
						    : "fd00:5::/64",
				what == WIDE4	 ? "192.0.2.0/23"
				: what == OTHER4 ? "198.51.100.0/24"
						 : "192.0.2.0/24",
				0);

	c.site_key[0] ^= what == KEY;
	return c;
}

/* Of what the journal says all stays that can: above all, no address of it
 * comes to denote another HIT, in whatever order they are asked for. */
START_TEST(a_substitute_outlives_what_became_of_the_other)
{
	enum changed what = (enum changed)_i;
	struct lease_config c = changed(CHANGED_NUM);
	struct lease *l = open_lease(&c);
	struct lease_entry was[100];
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 0; i < 100; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(l, &h, "n", &was[i], &fresh), 0);
	}
	lease_free(l);
	c = changed(what);
	l = open_lease(&c);
	for (uint32_t i = 0; i < 100; i++) {
		e = was[i];
		ck_assert_int_eq(lease_restore(l, &e), 0);
		ck_assert_int_eq(addr_eq(&e.sub6, &was[i].sub6), what >= WIDE4);
		ck_assert_int_eq(addr_is_unspecified(&e.sub6), what < WIDE4);
		ck_assert_int_eq(addr_eq(&e.sub4, &was[i].sub4),
				 what != OTHER4);
		ck_assert_str_eq(e.name, "n");
	}
	for (uint32_t i = 150; i-- > 0;) {
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(l, &h, "x", &e, &fresh), 0);
		ck_assert_int_eq(fresh, i >= 100 || (what != NO_PREFIX &&
						     what != WIDE4));
		ck_assert_int_eq(addr_is_unspecified(&e.sub6),
				 what == NO_PREFIX);
		if (i < 100 && what != OTHER4)
			ck_assert(addr_eq(&e.sub4, &was[i].sub4));
		ck_assert(prefix_has(&c.pool4, &e.sub4));
	}
	lease_free(l);
}
END_TEST

/* An IPv4 substitute is not forgotten for want of room: others are. */
START_TEST(a_lower_bound_forgets_no_ipv4_substitute)
{
	struct lease_config c =
		lease_config_of("fd00:5::/64", "192.0.2.0/24", 2);
	struct lease *l = open_lease(&c);
	struct lease_entry e = { .name = "n" };
	struct lease_entry x;
	struct hit h = nth_hit(9);
	bool fresh;

	for (uint32_t i = 1; i <= 4; i++) {
		e.hit = nth_hit(i);
		e.sub6 = addr_any6;
		e.sub4 = desk_addr("192.0.2.100");
		e.sub4.b[15] = (uint8_t)(100 + i);
		ck_assert_int_eq(lease_restore(l, &e), 0);
		ck_assert(is_of(l, &e.sub4, &e.hit));
	}
	e.hit = h;
	e.sub4 = addr_any6;
	ck_assert_int_eq(lease_restore(l, &e), HG_EFULL);
	ck_assert_int_eq(lease_get(l, &h, "n", &x, &fresh), HG_EFULL);
	ck_assert_uint_eq(lease_num(l), 4);
	lease_free(l);
}
END_TEST

START_TEST(what_was_missing_is_added_later)
{
	struct lease_config c =
		lease_config_of("fd00:5::/64", "192.0.2.0/24", 0);
	struct lease *l = open_lease(&c);
	struct lease_entry x = { .hit = nth_hit(5), .name = "h" };
	struct lease_entry e;
	bool fresh;

	ck_assert_int_eq(lease_restore(l, &x), 0);
	ck_assert_int_eq(lease_get(l, &x.hit, "n", &e, &fresh), 0);
	ck_assert(fresh);
	ck_assert(!addr_is_unspecified(&e.sub6));
	ck_assert(!addr_is_unspecified(&e.sub4));
	ck_assert_int_eq(lease_get(l, &x.hit, "n", &e, &fresh), 0);
	ck_assert(!fresh);
	lease_free(l);
}
END_TEST

START_TEST(the_bound_holds_and_bad_pools_are_refused)
{
	struct lease_config c = lease_config_of("fd00:5::/64", NULL, 2);
	struct lease *l = open_lease(&c);
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 3; i++) {
		h = nth_hit(i);
		ck_assert_int_eq(lease_get(l, &h, "n", &e, &fresh),
				 i == 3 ? HG_EFULL : 0);
	}
	h = nth_hit(1);
	ck_assert_int_eq(lease_get(l, &h, "n", &e, &fresh), 0);
	h = nth_hit(1);
	h.b[0] = 0x30;
	ck_assert_int_eq(lease_get(l, &h, "n", &e, &fresh), HG_EINVAL);
	lease_free(l);
	c = lease_config_of("fd00:5::/113", NULL, 2);
	ck_assert_int_eq(lease_new(&c, &l), HG_EINVAL);
	c = lease_config_of(NULL, "192.0.2.0/31", 2);
	ck_assert_int_eq(lease_new(&c, &l), HG_EINVAL);
	c = lease_config_of("192.0.2.0/24", NULL, 2);
	ck_assert_int_eq(lease_new(&c, &l), HG_EINVAL);
}
END_TEST

START_TEST(reserved_ipv6_numbers_are_not_given)
{
	struct lease_config c = lease_config_of("fd00:5::/112", NULL, 65536);
	struct lease *l = open_lease(&c);
	struct lease_entry e;
	struct hit h;
	bool fresh;

	for (uint32_t i = 1; i <= 30000; i++) {
		h = nth_hit(i);
		if (lease_get(l, &h, "n", &e, &fresh))
			continue;
		ck_assert_uint_ge(get_be16(e.sub6.b + 14), 0x100);
		ck_assert_uint_lt(get_be16(e.sub6.b + 14), 0xff80);
	}
	lease_free(l);
}
END_TEST

/* ---- those that end -------------------------------------------------------- */

static struct hit used[4]; /* by flows and the like */
static unsigned asked_for, gone;

static bool let_go(void *arg, const struct hit *hit)
{
	(void)arg;
	asked_for++;
	for (size_t i = 0; i < 4; i++)
		if (hit_eq(&used[i], hit))
			return false;
	gone++;
	return true;
}

static struct lease *full_lease(const char *four)
{
	struct lease_config c = lease_config_of("fd00:5::/64", four, 4);
	struct lease_entry e;
	struct lease *l;

	c.let_go = let_go;
	c.keep = 10;
	l = open_lease(&c);
	memset(used, 0, sizeof(used));
	asked_for = gone = 0;
	for (uint32_t i = 1; i <= 4; i++)
		ck_assert_int_eq(ask(l, i, 100 + i, &e), 0);
	return l;
}

START_TEST(the_one_that_was_not_asked_for_the_longest_time_ends)
{
	struct lease *l = full_lease(NULL);
	struct lease_entry first;
	struct lease_entry e;
	struct hit h = nth_hit(2);

	ck_assert_int_eq(ask(l, 1, 109, &first), 0);
	ck_assert_int_eq(ask(l, 5, 111, &e), HG_EFULL); /* 9 ns: too young */
	ck_assert_uint_eq(asked_for, 0);
	ck_assert_int_eq(ask(l, 5, 112, &e), 0);
	ck_assert_uint_eq(gone, 1);
	ck_assert(is_of(l, &first.sub6, &first.hit));
	ck_assert(is_of(l, &e.sub6, &e.hit));
	/* Number 2 is gone, and would have the same address again. */
	ck_assert_int_eq(ask(l, 2, 200, &e), 0);
	ck_assert_uint_eq(gone, 2);
	ck_assert(is_of(l, &e.sub6, &h));
	lease_free(l);
}
END_TEST

START_TEST(what_is_in_use_stays)
{
	struct lease *l = full_lease(NULL);
	struct lease_entry e;

	used[0] = nth_hit(1);
	used[1] = nth_hit(2);
	ck_assert_int_eq(ask(l, 5, 200, &e), 0);
	ck_assert_uint_eq(asked_for, 3);
	ck_assert_uint_eq(gone, 1);
	ck_assert_int_eq(ask(l, 1, 201, &e), 0);
	ck_assert_int_eq(ask(l, 2, 202, &e), 0);
	ck_assert_uint_eq(gone, 1); /* both were there */
	for (uint32_t i = 0; i < 4; i++)
		used[i] = nth_hit(i < 2 ? i + 1 : i + 2);
	used[3] = nth_hit(5);
	ck_assert_int_eq(ask(l, 6, 400, &e), HG_EFULL);
	ck_assert_uint_eq(gone, 1);
	lease_free(l);
}
END_TEST

/* Its IPv4 address could come to denote another. */
START_TEST(what_has_an_ipv4_substitute_lasts)
{
	struct lease *l = full_lease("192.0.2.0/24");
	struct lease_entry e;

	/* Half of them have one. */
	ck_assert_int_eq(ask(l, 2, 120, &e), 0);
	ck_assert(!addr_is_unspecified(&e.sub4));
	ck_assert_int_eq(ask(l, 3, 121, &e), 0);
	ck_assert(addr_is_unspecified(&e.sub4));
	for (uint32_t i = 10; i < 20; i++)
		ck_assert_int_eq(ask(l, i, 100 * i, &e), 0);
	ck_assert_uint_eq(gone, 10);
	ck_assert_int_eq(ask(l, 1, 5000, &e), 0);
	ck_assert_int_eq(ask(l, 2, 5000, &e), 0);
	ck_assert_uint_eq(gone, 10);
	lease_free(l);
}
END_TEST

/* What a lost journal had given must not come to denote another. */
START_TEST(no_ipv4_substitute_is_made_while_they_are_held_back)
{
	struct lease_config c =
		lease_config_of("fd00:5::/64", "192.0.2.0/24", 64);
	struct lease_entry first = { .hit = nth_hit(1), .name = "n" };
	struct lease_entry e;
	struct lease *l;

	c.hold4 = _i ? 10 : 1000;
	l = open_lease(&c);
	lease_hold4(l, _i ? 1000 : 999);
	first.sub4 = desk_addr("192.0.2.77");
	ck_assert_int_eq(lease_restore(l, &first), 0);
	ck_assert_int_eq(ask(l, 1, 1, &e), 0);
	ck_assert(addr_eq(&e.sub4, &first.sub4)); /* it is known */
	ck_assert_int_eq(ask(l, 2, 999, &e), 0);
	ck_assert(!addr_is_unspecified(&e.sub6));
	ck_assert(addr_is_unspecified(&e.sub4));
	ck_assert_int_eq(ask(l, 2, 1000, &e), 0);
	ck_assert(!addr_is_unspecified(&e.sub4));
	ck_assert(is_of(l, &e.sub4, &e.hit));
	lease_free(l);
}
END_TEST

Suite *test_lease_suite(void);
Suite *test_lease_suite(void)
{
	Suite *s = suite_create("lease");
	TCase *tc = tcase_create("lease");

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, the_ipv6_substitute_is_a_function_of_hit_and_key);
	tcase_add_loop_test(tc, no_address_ever_denotes_two_hits, 0, 4);
	tcase_add_test(tc, network_tun_and_broadcast_addresses_are_never_given);
	tcase_add_test(tc, a_restart_gives_everybody_the_same);
	tcase_add_loop_test(tc, a_journal_that_contradicts_is_refused, 0, 4);
	tcase_add_loop_test(tc, a_substitute_outlives_what_became_of_the_other,
			    0, CHANGED_NUM);
	tcase_add_test(tc, a_lower_bound_forgets_no_ipv4_substitute);
	tcase_add_test(tc, what_was_missing_is_added_later);
	tcase_add_test(tc, the_bound_holds_and_bad_pools_are_refused);
	tcase_add_test(tc, reserved_ipv6_numbers_are_not_given);
	tcase_add_test(tc,
		       the_one_that_was_not_asked_for_the_longest_time_ends);
	tcase_add_test(tc, what_is_in_use_stays);
	tcase_add_test(tc, what_has_an_ipv4_substitute_lasts);
	tcase_add_loop_test(
		tc, no_ipv4_substitute_is_made_while_they_are_held_back, 0, 2);
	suite_add_tcase(s, tc);
	return s;
}
