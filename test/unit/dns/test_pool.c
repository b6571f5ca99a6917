/* SPDX-License-Identifier: MIT */
/* The numbers of a pool. */
#include "test/unit/dns/desk.h"

#include "dns/pool.h"

START_TEST(pools_are_sane_or_not)
{
	static const struct {
		const char *six, *four;
		bool sane;
	} t[] = {
		{ "fd00::/64", "192.0.2.0/24", true },
		{ "fd00::/112", NULL, true },
		{ "fd00::/113", NULL, false },
		{ NULL, "10.0.0.0/8", true },
		{ NULL, "0.0.0.0/7", false },
		{ NULL, "192.0.2.0/30", true },
		{ NULL, "192.0.2.0/31", false },
		{ "192.0.2.0/24", NULL, false },
		{ NULL, "fd00::/112", false },
	};
	struct prefix none = { .len = 0 };
	struct prefix six = t[_i].six ? desk_prefix(t[_i].six) : none;
	struct prefix four = t[_i].four ? desk_prefix(t[_i].four) : none;

	ck_assert_int_eq(pool_is_sane(&six, &four), t[_i].sane);
}
END_TEST

START_TEST(an_ipv4_pool_has_just_those_that_it_gives)
{
	static const struct {
		const char *pool;
		uint32_t num;
		uint8_t first;
	} t[] = { { "192.0.2.0/30", 1, 2 },
		  { "192.0.2.0/29", 4, 3 },
		  { "192.0.2.64/28", 12, 67 } };
	struct prefix pool = desk_prefix(t[_i].pool);
	struct addr a = desk_addr("192.0.2.0");
	struct addr nth;

	ck_assert_uint_eq(pool_size4(&pool), t[_i].num);
	for (unsigned i = 0; i < 256; i++) {
		a.b[15] = (uint8_t)i;
		ck_assert_int_eq(pool_has4(&pool, &a),
				 i >= t[_i].first &&
					 i - t[_i].first < t[_i].num);
	}
	for (uint32_t n = 0; n < t[_i].num; n++) {
		nth = pool_nth4(&pool, n);
		ck_assert_uint_eq(nth.b[15], t[_i].first + n);
	}
	a = desk_addr("198.51.100.5");
	ck_assert(!pool_has4(&pool, &a));
	pool.len = 0;
	ck_assert(!pool_has4(&pool, &nth));
	ck_assert_uint_eq(pool_size4(&pool), 0);
}
END_TEST

START_TEST(an_ipv6_number_is_the_hash_unless_it_is_reserved)
{
	struct prefix pool = desk_prefix("fd00:5::/64");
	struct addr want = desk_addr("fd00:5::");
	uint8_t hash[16];
	struct addr a;

	memset(hash, 0xa5, sizeof(hash));
	memset(want.b + 8, 0xa5, 8);
	ck_assert(pool_put6(&pool, hash, &a));
	ck_assert(addr_eq(&a, &want));
	memset(hash, 0, sizeof(hash));
	hash[15] = 0xff;
	ck_assert(!pool_put6(&pool, hash, &a)); /* ::ff */
	hash[14] = 1;
	ck_assert(pool_put6(&pool, hash, &a)); /* ::1ff */
	memset(hash, 0xff, sizeof(hash));
	ck_assert(!pool_put6(&pool, hash, &a)); /* anycast */
	hash[15] = 0x7f;
	ck_assert(pool_put6(&pool, hash, &a));
}
END_TEST

START_TEST(the_address_of_dns_is_given_to_nobody)
{
	struct prefix pool = desk_prefix("192.0.2.0/29");
	struct addr a;

	ck_assert(lease_dns(&pool, &a));
	ck_assert(prefix_has(&pool, &a));
	ck_assert(!pool_has4(&pool, &a));
	pool = desk_prefix("192.0.2.0/30");
	ck_assert(!lease_dns(&pool, &a));
}
END_TEST

Suite *test_pool_suite(void);
Suite *test_pool_suite(void)
{
	Suite *s = suite_create("pool");
	TCase *tc = tcase_create("pool");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, pools_are_sane_or_not, 0, 9);
	tcase_add_loop_test(tc, an_ipv4_pool_has_just_those_that_it_gives, 0,
			    3);
	tcase_add_test(tc, an_ipv6_number_is_the_hash_unless_it_is_reserved);
	tcase_add_test(tc, the_address_of_dns_is_given_to_nobody);
	suite_add_tcase(s, tc);
	return s;
}
