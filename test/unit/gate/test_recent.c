/* SPDX-License-Identifier: MIT */
/* The last find is used for its own key only. */
#include "cmd/hipgated/recent.h"

#include <check.h>
#include <stdlib.h>

static struct tables t;
static struct flow *flow[2];
static struct sa *sa[2];

static struct hit hit_of(uint8_t n)
{
	struct hit h = { { 0x20, 0x01, 0x00, 0x22, [15] = n } };

	return h;
}

static void one(int i)
{
	struct path_ends at = {
		.peer = { addr_from4((uint8_t[]){ 192, 0, 2, 1 }), 10500 },
		.verified = true,
	};
	struct sa_pair pair = { .self = hit_of(9),
				.peer = hit_of((uint8_t)i),
				.spi_in = 1000u + (unsigned)i,
				.spi_out = 2000u + (unsigned)i,
				.suite = SA_AES128_GCM16 };

	flow[i] = tables_new_flow(&t);
	ck_assert_ptr_nonnull(flow[i]);
	flow[i]->nat.key.client_port = (uint16_t)(100 + i);
	flow[i]->nat.back.ext_port = (uint16_t)(200 + i);
	ck_assert_int_eq(tables_add_flow(&t, flow[i]), HG_OK);
	ck_assert_int_eq(tables_add_sa(&t, &pair, &at, 2, true, 1), HG_OK);
	sa[i] = tables_sa_in(&t, pair.spi_in);
	tables_use_sa(&t, sa[i]);
}

static void setup(void)
{
	ck_assert_int_eq(esp_setup(), HG_OK);
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&t), HG_OK);
	one(0);
	one(1);
}

static void teardown(void)
{
	tables_fini(&t);
	tables_thread_end();
}

START_TEST(alternating_keys_find_their_own)
{
	struct recent r = { 0 };
	struct hit self = hit_of(9);

	for (int n = 0; n < 8; n++) {
		int i = n % 4 / 2; /* 0 0 1 1: a find and its repetition */
		struct hit peer = hit_of((uint8_t)i);
		struct nat_key key = flow[i]->nat.key;
		struct nat_back back = flow[i]->nat.back;

		ck_assert_ptr_eq(recent_flow(&r, &t, &key), flow[i]);
		ck_assert_ptr_eq(recent_back(&r, &t, &back), flow[i]);
		ck_assert_ptr_eq(recent_in(&r, &t, sa[i]->spi_in), sa[i]);
		ck_assert_ptr_eq(recent_out(&r, &t, &self, &peer), sa[i]);
	}
}
END_TEST

START_TEST(a_key_that_is_nobodys_finds_nothing)
{
	struct recent r = {
		.flow = flow[0], .back = flow[0], .in = sa[0], .out = sa[0]
	};
	struct nat_key key = flow[0]->nat.key;
	struct nat_back back = flow[0]->nat.back;
	struct hit self = hit_of(9);
	struct hit other = hit_of(8);

	key.virt_port ^= 1;
	back.proto ^= 1;
	ck_assert_ptr_null(recent_flow(&r, &t, &key));
	ck_assert_ptr_null(recent_back(&r, &t, &back));
	ck_assert_ptr_null(recent_in(&r, &t, 999));
	ck_assert_ptr_null(recent_out(&r, &t, &self, &other));
	r.out = sa[0];
	other = hit_of(0);
	self = hit_of(8);
	ck_assert_ptr_null(recent_out(&r, &t, &self, &other));
	/* That nothing was found is not remembered. */
	key.virt_port ^= 1;
	ck_assert_ptr_eq(recent_flow(&r, &t, &key), flow[0]);
}
END_TEST

START_TEST(after_the_next_wake_up_what_is_gone_is_gone)
{
	struct recent r = { 0 };
	struct nat_key key = flow[0]->nat.key;

	ck_assert_ptr_eq(recent_flow(&r, &t, &key), flow[0]);
	ck_assert_ptr_eq(recent_in(&r, &t, 1000), sa[0]);
	tables_del_flow(&t, flow[0]);
	tables_free_flow(flow[0]);
	tables_del_sa(&t, 1000);
	recent_clear(&r);
	ck_assert_ptr_null(recent_flow(&r, &t, &key));
	ck_assert_ptr_null(recent_in(&r, &t, 1000));
}
END_TEST

Suite *test_recent_suite(void)
{
	Suite *s = suite_create("recent");
	TCase *tc = tcase_create("recent");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, alternating_keys_find_their_own);
	tcase_add_test(tc, a_key_that_is_nobodys_finds_nothing);
	tcase_add_test(tc, after_the_next_wake_up_what_is_gone_is_gone);
	suite_add_tcase(s, tc);
	return s;
}
