/* SPDX-License-Identifier: MIT */
/* The counted map, against an array that does the same. */
#include "nat/tally.h"

#include <check.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { KEYS = 700 };

static void key_of(unsigned i, uint8_t key[16])
{
	memset(key, 0, 16);
	memcpy(key + 3, &i, sizeof(i));
}

static void compare(const struct tally *t, const unsigned *twin)
{
	uint8_t key[16];
	size_t used = 0;

	for (unsigned i = 0; i < KEYS; i++) {
		const struct tally_cell *c;

		key_of(i, key);
		c = tally_find(t, key);
		ck_assert_uint_eq(c ? c->count : 0, twin[i]);
		if (c)
			ck_assert_uint_eq(c->value, i);
		used += twin[i] != 0;
	}
	ck_assert_uint_eq(t->used, used);
}

START_TEST(random_adds_and_drops_agree_with_the_stupid_twin)
{
	static unsigned twin[KEYS];
	unsigned char seed[randombytes_SEEDBYTES];
	uint32_t pick[60000];
	struct tally t;
	uint8_t key[16];

	randombytes_buf(seed, sizeof(seed));
	printf("tally seed:");
	for (size_t i = 0; i < sizeof(seed); i++)
		printf("%02x", seed[i]);
	printf("\n");
	randombytes_buf_deterministic(pick, sizeof(pick), seed);
	tally_init(&t, 16);
	for (size_t n = 0; n < sizeof(pick) / sizeof(pick[0]); n++) {
		unsigned i = (pick[n] >> 8) % KEYS;
		/* Waves: mostly adding, then mostly dropping. */
		bool add = (pick[n] & 0xff) < (n / 5000 % 2 ? 90 : 166);

		key_of(i, key);
		if (add) {
			ck_assert_int_eq(tally_reserve(&t, 1), 0);
			tally_add(&t, key)->value = i;
			twin[i]++;
		} else if (twin[i]) {
			tally_drop(&t, key);
			twin[i]--;
		}
		if (n % 500 == 0)
			compare(&t, twin);
	}
	compare(&t, twin);
	ck_assert_uint_le(t.cap, 1024);
	tally_fini(&t);
}
END_TEST

START_TEST(an_empty_tally_finds_nothing_and_a_dropped_value_is_gone)
{
	uint8_t key[16] = { 7 };
	struct tally t;

	tally_init(&t, 16);
	ck_assert_ptr_null(tally_find(&t, key));
	ck_assert_int_eq(tally_reserve(&t, 1), 0);
	tally_add(&t, key)->value = 9;
	ck_assert_uint_eq(tally_find(&t, key)->value, 9);
	tally_drop(&t, key);
	ck_assert_ptr_null(tally_find(&t, key));
	ck_assert_uint_eq(tally_add(&t, key)->value, 0);
	tally_fini(&t);
}
END_TEST

START_TEST(each_key_is_visited_once)
{
	const struct tally_cell *cell;
	uint8_t key[16];
	unsigned seen[KEYS] = { 0 };
	struct tally t;
	size_t at = 0;

	tally_init(&t, 16);
	ck_assert_ptr_null(tally_each(&t, &at));
	for (unsigned i = 0; i < KEYS; i++) {
		key_of(i, key);
		ck_assert_int_eq(tally_reserve(&t, 1), 0);
		tally_add(&t, key)->value = i;
	}
	while ((cell = tally_each(&t, &at)))
		seen[cell->value]++;
	for (unsigned i = 0; i < KEYS; i++)
		ck_assert_uint_eq(seen[i], 1);
	tally_fini(&t);
}
END_TEST

Suite *test_tally_suite(void)
{
	Suite *s = suite_create("tally");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, random_adds_and_drops_agree_with_the_stupid_twin);
	tcase_add_test(
		t, an_empty_tally_finds_nothing_and_a_dropped_value_is_gone);
	tcase_add_test(t, each_key_is_visited_once);
	suite_add_tcase(s, t);
	return s;
}
