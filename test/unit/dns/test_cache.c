/* SPDX-License-Identifier: MIT */
/* What is kept of answers, for how long, and what goes when it is full. */
#include "test/unit/dns/desk.h"

#include "dns/cache.h"

static struct desk k; /* for its messages only */
static struct cache *c;
static struct dname name;

static void setup(void)
{
	ck_assert_int_eq(cache_new(64 << 10, &c), 0);
	name = desk_name("h.test");
}

static void teardown(void)
{
	cache_free(c);
}

static struct cache_key key_of(uint16_t type)
{
	struct cache_key key = { .name = &name, .type = type };

	return key;
}

static void begin(uint16_t type)
{
	desk_start(&k, 1, 0x8180);
	desk_question(&k, "h.test", type);
}

/* The message that stands in k.buf. */
static void put(uint16_t type, unsigned rcode, uint64_t now)
{
	struct cache_key key = key_of(type);
	struct chain_answer a = {
		.msg = k.buf,
		.len = wr_len(&k.w),
		.records_at = 12 + 8 + 4,
		.records_num = get_be16(k.buf + 6),
	};

	cache_put(c, &key, &a, rcode, now);
}

/* The TTL of the first record that is got; -1: none. */
static long got(uint16_t type, uint64_t now, bool *stale)
{
	struct cache_key key = key_of(type);
	struct chain_answer a;
	struct scan_rr rr;
	struct rd r;

	if (!cache_get(c, &key, now, &a, stale))
		return -1;
	if (a.records_num == 0)
		return 0;
	r = rd_init(a.msg + a.records_at, a.len - a.records_at);
	scan_rr(&r, a.msg, &rr);
	ck_assert(!r.bad);
	return rr.ttl;
}

static void put_soa(uint32_t ttl, uint32_t least)
{
	uint8_t rdata[22] = { 0 };

	put_be32(rdata + 18, least);
	desk_rr(&k, 2, "test", SCAN_SOA, ttl, rdata, sizeof(rdata));
}

START_TEST(an_answer_lives_as_long_as_its_shortest_record)
{
	bool stale;

	begin(SCAN_A);
	desk_rr_addr(&k, "h.test", 100, "192.0.2.1");
	desk_rr_addr(&k, "h.test", 90, "192.0.2.2");
	put(SCAN_A, 0, 5 * SEC);
	ck_assert_int_eq(got(SCAN_A, 5 * SEC, &stale), 100);
	ck_assert_int_eq(got(SCAN_A, 15 * SEC, &stale), 90);
	ck_assert(!stale);
	ck_assert_int_eq(got(SCAN_A, 95 * SEC - 1, &stale), 11);
	ck_assert(stale);
	ck_assert_int_eq(got(SCAN_A, 95 * SEC - 1, &stale), 11);
	ck_assert(!stale); /* said once */
	ck_assert_int_eq(got(SCAN_A, 95 * SEC, &stale), -1);
	ck_assert_uint_eq(cache_num(c), 0);
}
END_TEST

START_TEST(type_realm_and_name_must_be_the_same_but_not_case)
{
	struct cache_key key = key_of(SCAN_A);
	struct chain_answer a;
	bool stale;

	begin(SCAN_A);
	desk_rr_addr(&k, "h.test", 100, "192.0.2.1");
	put(SCAN_A, 0, 0);
	ck_assert_int_eq(got(SCAN_AAAA, 0, &stale), -1);
	key.realm = desk_at("10.0.0.1", 53);
	ck_assert(!cache_get(c, &key, 0, &a, &stale));
	name = desk_name("g.test");
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
	name = desk_name("H.Test");
	ck_assert_int_eq(got(SCAN_A, 0, &stale), 100);
}
END_TEST

START_TEST(a_no_lives_as_long_as_its_soa_says)
{
	bool stale;

	begin(SCAN_HIP);
	put_soa(300, 60);
	put(SCAN_HIP, _i ? SCAN_NXDOMAIN : SCAN_NOERROR, 0);
	ck_assert_int_eq(got(SCAN_HIP, 60 * SEC - 1, &stale), 0);
	ck_assert_int_eq(got(SCAN_HIP, 60 * SEC, &stale), -1);
	begin(SCAN_HIP);
	put_soa(30, 60);
	put(SCAN_HIP, 0, 0);
	ck_assert_int_eq(got(SCAN_HIP, 30 * SEC, &stale), -1);
	begin(SCAN_HIP);
	desk_rr_cname(&k, "h.test", 20, "g.test");
	put_soa(300, 60);
	put(SCAN_HIP, 0, 0);
	ck_assert_int_eq(got(SCAN_HIP, 19 * SEC, &stale), 1);
	ck_assert_int_eq(got(SCAN_HIP, 20 * SEC, &stale), -1);
}
END_TEST

START_TEST(what_says_nothing_lasting_is_not_kept)
{
	bool stale;

	begin(SCAN_HIP); /* no SOA */
	put(SCAN_HIP, 0, 0);
	ck_assert_int_eq(got(SCAN_HIP, 0, &stale), -1);
	begin(SCAN_A);
	desk_rr_addr(&k, "h.test", 0, "192.0.2.1");
	put(SCAN_A, 0, 0);
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
	begin(SCAN_A);
	desk_rr_addr(&k, "h.test", 100, "192.0.2.1");
	put(SCAN_A, SCAN_SERVFAIL, 0);
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
	k.w.p--; /* cut short */
	put(SCAN_A, 0, 0);
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
	/* A failure takes what was there before with it: no old truth. */
	k.w.p++;
	put(SCAN_A, 0, 0);
	ck_assert_int_eq(got(SCAN_A, 0, &stale), 100);
	put(SCAN_A, SCAN_SERVFAIL, 0);
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
}
END_TEST

START_TEST(nothing_lives_longer_than_an_hour)
{
	bool stale;

	begin(SCAN_A);
	desk_rr_addr(&k, "h.test", 0x7fffffff, "192.0.2.1");
	put(SCAN_A, 0, 0);
	ck_assert_int_gt(got(SCAN_A, 3599 * SEC, &stale), 0);
	ck_assert_int_eq(got(SCAN_A, 3600 * SEC, &stale), -1);
}
END_TEST

/* A million names: the memory is bounded, and what is used stays. */
START_TEST(the_one_that_was_not_used_for_longest_goes_first)
{
	char text[32];
	bool stale;

	begin(SCAN_A);
	desk_rr_addr(&k, "h.test", 100, "192.0.2.1");
	put(SCAN_A, 0, 0);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "n%u.test", i);
		name = desk_name(text);
		put(SCAN_A, 0, 0);
		name = desk_name("h.test");
		ck_assert_int_eq(got(SCAN_A, 0, &stale), 100);
	}
	ck_assert_uint_lt(cache_num(c), 64 * 1024 / 300);
	ck_assert_uint_gt(cache_num(c), 64);
	name = desk_name("n0.test");
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
	name = desk_name("n19999.test");
	ck_assert_int_eq(got(SCAN_A, 0, &stale), 100);
}
END_TEST

START_TEST(one_large_answer_does_not_push_out_the_rest)
{
	static uint8_t text[5000];
	bool stale;

	begin(SCAN_A);
	desk_rr(&k, 1, "h.test", SCAN_A, 100, text, sizeof(text));
	put(SCAN_A, 0, 0);
	ck_assert_int_eq(got(SCAN_A, 0, &stale), -1);
}
END_TEST

static void put_unsaid(uint64_t now)
{
	struct cache_key key = key_of(SCAN_HIP);

	cache_put_unsaid(c, &key, now);
}

static void drop_unsaid(void)
{
	struct cache_key key = key_of(SCAN_HIP);

	cache_drop_unsaid(c, &key);
}

static bool is_unsaid(uint64_t now, bool *stale)
{
	struct cache_key key = key_of(SCAN_HIP);
	struct chain_answer a;

	return cache_get(c, &key, now, &a, stale) && a.unsaid &&
	       a.records_num == 0 && (a.msg[3] & 15) == SCAN_SERVFAIL;
}

START_TEST(that_nobody_answered_is_kept_for_a_minute)
{
	bool stale;

	put_unsaid(0);
	ck_assert(is_unsaid(0, &stale));
	ck_assert(!stale);
	ck_assert(is_unsaid(CACHE_UNSAID_OLD * SEC, &stale));
	ck_assert(stale); /* said once */
	ck_assert(is_unsaid(CACHE_UNSAID_OLD * SEC, &stale));
	ck_assert(!stale);
	put_unsaid(10 * SEC);
	ck_assert(is_unsaid((CACHE_UNSAID + 9) * SEC, &stale));
	ck_assert(!is_unsaid((CACHE_UNSAID + 10) * SEC, &stale));
	drop_unsaid(); /* there is none */
	put_unsaid(0);
	drop_unsaid();
	ck_assert(!is_unsaid(0, &stale));
	ck_assert_uint_eq(cache_num(c), 0);
}
END_TEST

/* It never takes a record's place while that lives; a record takes its. */
START_TEST(an_answer_is_better_than_none)
{
	bool stale;

	begin(SCAN_HIP);
	desk_rr_hip(&k, "h.test", 100, 1, NULL);
	put(SCAN_HIP, 0, 0);
	drop_unsaid();
	put_unsaid(99 * SEC);
	ck_assert(!is_unsaid(99 * SEC, &stale));
	ck_assert_int_eq(got(SCAN_HIP, 99 * SEC, &stale), 1);
	put_unsaid(100 * SEC);
	ck_assert(is_unsaid(100 * SEC, &stale));
	put(SCAN_HIP, 0, 101 * SEC);
	ck_assert(!is_unsaid(101 * SEC, &stale));
	ck_assert_int_eq(got(SCAN_HIP, 101 * SEC, &stale), 100);
}
END_TEST

Suite *test_cache_suite(void);
Suite *test_cache_suite(void)
{
	Suite *s = suite_create("cache");
	TCase *tc = tcase_create("cache");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, an_answer_lives_as_long_as_its_shortest_record);
	tcase_add_test(tc, type_realm_and_name_must_be_the_same_but_not_case);
	tcase_add_loop_test(tc, a_no_lives_as_long_as_its_soa_says, 0, 2);
	tcase_add_test(tc, what_says_nothing_lasting_is_not_kept);
	tcase_add_test(tc, nothing_lives_longer_than_an_hour);
	tcase_add_test(tc, the_one_that_was_not_used_for_longest_goes_first);
	tcase_add_test(tc, one_large_answer_does_not_push_out_the_rest);
	tcase_add_test(tc, that_nobody_answered_is_kept_for_a_minute);
	tcase_add_test(tc, an_answer_is_better_than_none);
	suite_add_tcase(s, tc);
	return s;
}
