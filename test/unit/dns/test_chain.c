/* SPDX-License-Identifier: MIT */
/* CNAME chains: order, loops, length, work. */
#include "test/unit/dns/desk.h"
#include "dns/chain.h"

static struct desk k;
static struct chain c;

static void begin(void)
{
	desk_start(&k, 1, 0x8180);
	desk_question(&k, "a0.test", SCAN_A);
}

static struct chain_answer answer(void)
{
	struct chain_answer a = {
		.msg = k.buf,
		.len = wr_len(&k.w),
		.records_at = 12 + 9 + 4,
		.records_num = get_be16(k.buf + 6),
	};

	ck_assert(!k.w.bad);
	return a;
}

static void link_name(unsigned from, unsigned to, uint32_t ttl)
{
	char n1[20];
	char n2[20];

	snprintf(n1, sizeof(n1), "a%u.test", from);
	snprintf(n2, sizeof(n2), "a%u.test", to);
	desk_rr_cname(&k, n1, ttl, n2);
}

static void count(const struct scan_rr *rr, void *arg)
{
	(void)rr;
	++*(unsigned *)arg;
}

START_TEST(a_chain_in_any_order_is_followed)
{
	struct dname from = desk_name("A0.test");
	struct dname end = desk_name("a9.test");
	struct chain_answer a;
	unsigned n = 0;

	begin();
	for (unsigned i = 0; i < 9; i++)
		link_name(_i ? i : 8 - i, _i ? i + 1 : 9 - i, 100 + i);
	desk_rr_addr(&k, "a9.test", 5, "192.0.2.1");
	desk_rr_addr(&k, "a8.test", 5, "192.0.2.2");
	a = answer();
	ck_assert_int_eq(chain_follow(&c, &from, &a), 0);
	ck_assert_uint_eq(c.num, 10);
	ck_assert_uint_eq(c.ttl, 100);
	ck_assert(dname_eq(&c.names[9], &end));
	chain_each(&c, &a, SCAN_A, count, &n);
	ck_assert_uint_eq(n, 1);
	for (size_t len = a.records_at; len < wr_len(&k.w); len++) {
		a.len = len;
		ck_assert_int_eq(chain_follow(&c, &from, &a), HG_ETRUNC);
	}
}
END_TEST

START_TEST(loops_and_long_chains_are_refused)
{
	struct dname from = desk_name("a0.test");
	struct chain_answer a;
	unsigned len = _i == 2 ? CHAIN_MAX - 1 : CHAIN_MAX;

	begin();
	if (_i == 0) {
		link_name(0, 1, 9);
		link_name(1, 0, 9);
	} else {
		for (unsigned i = 0; i < len; i++)
			link_name(i, i + 1, 9);
	}
	a = answer();
	ck_assert_int_eq(chain_follow(&c, &from, &a), _i == 2 ? 0 : HG_EFORMAT);
}
END_TEST

START_TEST(only_so_many_records_are_looked_at)
{
	struct dname from = desk_name("a0.test");
	struct chain_answer a;

	begin();
	for (unsigned i = 0; i < CHAIN_RECORDS_MAX; i++)
		desk_rr_addr(&k, "x", 1, "192.0.2.1");
	a = answer();
	ck_assert_int_eq(chain_follow(&c, &from, &a), 0);
	desk_rr_addr(&k, "x", 1, "192.0.2.1");
	a = answer();
	ck_assert_int_eq(chain_follow(&c, &from, &a), HG_EFORMAT);
}
END_TEST

Suite *test_chain_suite(void);
Suite *test_chain_suite(void)
{
	Suite *s = suite_create("chain");
	TCase *tc = tcase_create("chain");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, a_chain_in_any_order_is_followed, 0, 2);
	tcase_add_loop_test(tc, loops_and_long_chains_are_refused, 0, 3);
	tcase_add_test(tc, only_so_many_records_are_looked_at);
	suite_add_tcase(s, tc);
	return s;
}
