/* SPDX-License-Identifier: MIT */
/* Puzzles: known answers, the solver, and #I without state. */
#include <check.h>
#include <stdlib.h>

#include "hip/puzzle.h"
#include "test/unit/hip/hex.h"

static struct puzzle sample(unsigned suite, uint8_t k)
{
	struct puzzle p = { .rhash = suite_find(suite), .k = k };

	ck_assert_int_eq(suite_setup(), 0);
	p.hit_i.b[0] = p.hit_r.b[0] = 0x20;
	p.hit_i.b[1] = p.hit_r.b[1] = 0x01;
	p.hit_i.b[3] = p.hit_r.b[3] = (uint8_t)(0x20 | suite);
	memset(p.hit_i.b + 4, 0x11, 12);
	memset(p.hit_r.b + 4, 0x99, 12);
	for (size_t i = 0; i < p.rhash->hash_len; i++)
		p.i[i] = (uint8_t)i;
	return p;
}

/* Python: the first j with exactly k low zero bits of
 * int.from_bytes(hashlib.sha384(I+HITI+HITR+j.to_bytes(48,'big')).digest(),
 * 'big'). */
static const struct known {
	unsigned suite;
	uint8_t k;
	uint16_t j;
} known[] = { { 2, 0, 2 },   { 2, 1, 5 },     { 2, 7, 451 }, { 2, 8, 176 },
	      { 2, 9, 699 }, { 2, 12, 6443 }, { 1, 10, 185 } };

START_TEST(known_answers)
{
	const struct known *v = &known[_i];
	struct puzzle p = sample(v->suite, v->k);
	uint8_t j[SUITE_HASH_MAX] = { 0 };

	j[p.rhash->hash_len - 1] = (uint8_t)v->j;
	j[p.rhash->hash_len - 2] = (uint8_t)(v->j >> 8);
	ck_assert(puzzle_verify(&p, j));
	p.k++;
	ck_assert(!puzzle_verify(&p, j));
	p.k = 255; /* more than will ever be found, yet in bounds */
	ck_assert(!puzzle_verify(&p, j));
}
END_TEST

START_TEST(solver_finds_what_verify_accepts)
{
	uint8_t j[SUITE_HASH_MAX];
	struct puzzle p = sample(2, 8);
	struct puzzle other;

	ck_assert_int_eq(puzzle_solve(&p, 1u << 16, NULL, j), 0);
	ck_assert(puzzle_verify(&p, j));
	p = sample(1, 10);
	ck_assert_int_eq(puzzle_solve(&p, 1u << 16, NULL, j), 0);
	ck_assert(puzzle_verify(&p, j));
	p.k = 10;
	other = p; /* HIT-I and HIT-R must not be mixed up */
	other.hit_i = p.hit_r;
	other.hit_r = p.hit_i;
	other.k = 32;
	ck_assert(!puzzle_verify(&other, j));
}
END_TEST

START_TEST(solver_is_bounded)
{
	uint8_t j[SUITE_HASH_MAX];
	struct puzzle p = sample(2, 200);
	atomic_bool cancel = false;

	ck_assert_int_eq(puzzle_solve(&p, 0, NULL, j), HG_EAGAIN);
	ck_assert_int_eq(puzzle_solve(&p, 100, &cancel, j), HG_EAGAIN);
	atomic_store(&cancel, true);
	ck_assert_int_eq(puzzle_solve(&p, UINT64_MAX, &cancel, j), HG_EAGAIN);
	p.k = 0; /* nothing to look for: the first try does */
	ck_assert_int_eq(puzzle_solve(&p, 1, NULL, j), 0);
}
END_TEST

START_TEST(i_is_ours_only_for_its_ends)
{
	struct puzzle p = sample(2, 0);
	struct addr a = addr_from4((const uint8_t[]){ 192, 0, 2, 1 });
	struct puzzle_ends ends = { &p.hit_i, &p.hit_r, &a };
	uint8_t key[PUZZLE_KEY_LEN];
	uint8_t i[SUITE_HASH_MAX];

	puzzle_key(key);
	puzzle_make_i(key, &ends, p.rhash, i);
	ck_assert(puzzle_is_ours(key, &ends, p.rhash, i));
	for (size_t n = 0; n < 16; n++) {
		p.hit_i.b[n] ^= 1;
		ck_assert(!puzzle_is_ours(key, &ends, p.rhash, i));
		p.hit_i.b[n] ^= 1;
		p.hit_r.b[n] ^= 1;
		ck_assert(!puzzle_is_ours(key, &ends, p.rhash, i));
		p.hit_r.b[n] ^= 1;
		a.b[n] ^= 1;
		ck_assert(!puzzle_is_ours(key, &ends, p.rhash, i));
		a.b[n] ^= 1;
	}
	for (size_t n = 0; n < p.rhash->hash_len; n++) {
		i[n] ^= 0x80;
		ck_assert(!puzzle_is_ours(key, &ends, p.rhash, i));
		i[n] ^= 0x80;
	}
	key[0] ^= 1; /* another epoch */
	ck_assert(!puzzle_is_ours(key, &ends, p.rhash, i));
}
END_TEST

START_TEST(lifetimes)
{
	ck_assert_uint_eq(puzzle_lifetime_ns(32), 1000000000u);
	ck_assert_uint_eq(puzzle_lifetime_ns(37), 32000000000u);
	ck_assert_uint_eq(puzzle_lifetime_ns(31), 500000000u);
	ck_assert_uint_eq(puzzle_lifetime_ns(0), 0);
	ck_assert_uint_eq(puzzle_lifetime_ns(66), UINT64_C(1000000000) << 34);
	ck_assert_uint_eq(puzzle_lifetime_ns(67), UINT64_MAX);
	ck_assert_uint_eq(puzzle_lifetime_ns(255), UINT64_MAX);
}
END_TEST

Suite *test_puzzle_suite(void);
Suite *test_puzzle_suite(void)
{
	Suite *s = suite_create("hip/puzzle");
	TCase *tc = tcase_create("puzzle");

	tcase_add_loop_test(tc, known_answers, 0,
			    sizeof(known) / sizeof(known[0]));
	tcase_add_test(tc, solver_finds_what_verify_accepts);
	tcase_add_test(tc, solver_is_bounded);
	tcase_add_test(tc, i_is_ours_only_for_its_ends);
	tcase_add_test(tc, lifetimes);
	suite_add_tcase(s, tc);
	return s;
}
