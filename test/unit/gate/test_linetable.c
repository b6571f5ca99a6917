/* SPDX-License-Identifier: MIT */
/* Hash tables of cache lines: against a stupid twin, through all that makes
 * them grow, and looked up while another thread writes. */
#include "cmd/hipgated/linetable.h"

#include <check.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_memory.h"

enum { MANY = 20000 };

bool table_memory_gone;

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return table_memory_gone ? NULL : __real_aligned_alloc(alignment, size);
}

struct number {
	_Alignas(64) struct rcu_head rcu;
	uint64_t n;
	uint64_t hash;
	bool in;
};

static struct linetable t;
static struct number *v;

static void setup(void)
{
	urcu_qsbr_register_thread();
	v = aligned_alloc(64, MANY * sizeof(*v));
	ck_assert_ptr_nonnull(v);
	memset(v, 0, MANY * sizeof(*v));
	ck_assert_int_eq(linetable_init(&t), HG_OK);
}

static void teardown(void)
{
	rcu_barrier();
	linetable_fini(&t);
	linetable_fini(&t); /* a second time does nothing */
	free(v);
	urcu_qsbr_unregister_thread();
}

static bool match(const void *item, const void *key)
{
	const struct number *x = item;

	return x->n == *(const uint64_t *)key;
}

static void *find(uint64_t n)
{
	return linetable_find(&t, v[n].hash, match, &n);
}

/* Good hashes; or all alike but for some bits. */
static void number_all(uint64_t mask)
{
	for (uint64_t n = 0; n < MANY; n++) {
		v[n].n = n;
		randombytes_buf(&v[n].hash, sizeof(v[n].hash));
		v[n].hash &= mask;
	}
}

static void add(uint64_t n)
{
	ck_assert_int_eq(linetable_add(&t, v[n].hash, &v[n]), HG_OK);
	v[n].in = true;
}

static void del(uint64_t n)
{
	linetable_del(&t, v[n].hash, &v[n]);
	v[n].in = false;
}

/* Is there what should be, and is each met once by who walks? */
static void compare(void)
{
	static unsigned met[MANY];
	const struct number *x;
	unsigned wrong = 0;
	size_t num = 0;
	size_t i = 0;

	memset(met, 0, sizeof(met));
	while ((x = linetable_each(&t, &i)))
		met[x->n]++;
	for (uint64_t n = 0; n < MANY; n++) {
		wrong += find(n) != (v[n].in ? &v[n] : NULL);
		wrong += met[n] != v[n].in;
		num += v[n].in;
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_eq(t.num, num);
}

static uint64_t lines(void)
{
	return atomic_load(&t.set)->mask + 1;
}

START_TEST(it_grows_to_what_it_holds)
{
	number_all(UINT64_MAX);
	compare();
	for (uint64_t n = 0; n < MANY; n++) {
		add(n);
		ck_assert_ptr_eq(find(n), &v[n]);
		ck_assert_uint_le(t.num, 4 * lines());
	}
	compare();
	ck_assert_uint_eq(lines(), 8192);
	for (uint64_t n = 0; n < MANY; n++)
		del(n);
	compare();
	ck_assert_uint_eq(lines(), 8192);
}
END_TEST

/* Adds what finds room; how many did not. */
static unsigned try_all(uint64_t from, uint64_t to)
{
	unsigned refused = 0;

	for (uint64_t n = from; n < to; n++) {
		int err = linetable_add(&t, v[n].hash, &v[n]);

		ck_assert(err == HG_OK || err == HG_ENOMEM);
		v[n].in = !err;
		refused += err != HG_OK;
	}
	return refused;
}

START_TEST(without_memory_what_is_there_stays_and_is_met)
{
	number_all(UINT64_MAX);
	table_memory_gone = true;
	ck_assert_uint_gt(try_all(0, MANY), 0);
	compare();
	table_memory_gone = false;
	for (uint64_t n = 0; n < MANY; n++) {
		if (!v[n].in)
			add(n);
	}
	compare();
}
END_TEST

/* Whoever walks amid a growth that no memory lets end meets some twice, and
 * misses none. */
START_TEST(a_walk_without_memory_meets_both_sets)
{
	static unsigned met[MANY];
	const struct number *x;
	unsigned twice = 0;

	number_all(UINT64_C(0xf00000000000000f));
	for (uint64_t n = 0; n < 2000; n++) {
		size_t i = 0;

		table_memory_gone = n % 2;
		(void)try_all(n, n + 1);
		table_memory_gone = true;
		memset(met, 0, sizeof(met));
		while ((x = linetable_each(&t, &i)))
			met[x->n]++;
		for (uint64_t k = 0; k <= n; k++) {
			ck_assert(v[k].in ? met[k] : !met[k]);
			twice += met[k] > 1;
		}
	}
	table_memory_gone = false;
	ck_assert_uint_gt(twice, 0); /* there were two sets */
	compare();
}
END_TEST

START_TEST(what_comes_and_goes_is_there_while_it_should_be)
{
	number_all(UINT64_MAX);
	for (unsigned i = 0; i < 400000; i++) {
		uint64_t n = randombytes_uniform(MANY);

		if (v[n].in)
			del(n);
		else
			add(n);
		if (i % 50000 == 0)
			compare();
		if (i % 1000 == 0)
			urcu_qsbr_quiescent_state();
	}
	compare();
	/* Lines that went on and are empty do not make it larger: half of
	 * all are in. */
	ck_assert_uint_le(lines(), 4096);
}
END_TEST

/* The worst hashes: few lines for all, and at last one. */
START_TEST(hashes_that_are_alike_cost_time_and_nothing_else)
{
	number_all(_i ? 0x7f : 0);
	for (uint64_t n = 0; n < 1000; n++)
		add(n);
	compare();
	for (uint64_t n = 0; n < 1000; n += 2)
		del(n);
	compare();
	for (uint64_t n = 0; n < 1000; n += 2)
		add(n);
	compare();
}
END_TEST

/* By two hashes that always come to one line, as the two addresses of a
 * mapping may: other bits of them are kept, or not even those. */
START_TEST(an_item_that_is_there_twice_stays_so_when_it_grows)
{
	uint64_t flip = UINT64_C(1) << (_i ? 40 : 27);
	unsigned wrong = 0;
	size_t i = 0;

	number_all(UINT64_MAX);
	for (uint64_t n = 0; n < MANY; n++) {
		ck_assert_int_eq(linetable_add(&t, v[n].hash, &v[n]), HG_OK);
		ck_assert_int_eq(linetable_add(&t, v[n].hash ^ flip, &v[n]),
				 HG_OK);
	}
	ck_assert_uint_gt(lines(), 64);
	for (uint64_t n = 0; n < MANY; n++) {
		wrong += find(n) != &v[n];
		wrong += linetable_find(&t, v[n].hash ^ flip, match, &n) !=
			 &v[n];
	}
	ck_assert_uint_eq(wrong, 0);
	for (uint64_t n = 0; n < MANY; n++) {
		linetable_del(&t, v[n].hash, &v[n]);
		ck_assert_ptr_eq(
			linetable_find(&t, v[n].hash ^ flip, match, &n), &v[n]);
		linetable_del(&t, v[n].hash ^ flip, &v[n]);
		ck_assert_ptr_null(find(n));
	}
	ck_assert_ptr_null(linetable_each(&t, &i));
	ck_assert_uint_eq(t.num, 0);
}
END_TEST

START_TEST(another_takes_the_place_of_one)
{
	number_all(UINT64_MAX);
	add(0);
	add(1);
	v[2].hash = v[0].hash;
	linetable_replace(&t, v[0].hash, &v[0], &v[2]);
	v[0].in = false;
	v[2].in = true;
	compare();
	ck_assert_uint_eq(t.num, 2);
	del(2);
	compare();
}
END_TEST

START_TEST(a_guess_is_right_where_hashes_differ)
{
	unsigned right = 0;

	number_all(UINT64_MAX);
	ck_assert_ptr_null(linetable_guess(&t, v[0].hash));
	for (uint64_t n = 0; n < MANY; n++)
		add(n);
	for (uint64_t n = 0; n < MANY; n++) {
		linetable_prefetch(&t, v[n].hash);
		right += linetable_guess(&t, v[n].hash) == &v[n];
	}
	/* All but what stands in a line that goes on. */
	ck_assert_uint_gt(right, MANY / 10 * 9);
}
END_TEST

/* ---- two threads -------------------------------------------------------- */

enum { STAY = 500, ROUNDS = 60000 };

static _Atomic bool done;
static _Atomic unsigned missed;

/* Those that stay are found, whatever happens to the others. */
static void *reader(void *arg)
{
	(void)arg;
	urcu_qsbr_register_thread();
	while (!atomic_load(&done)) {
		for (uint64_t n = 0; n < STAY; n++)
			if (find(n) != &v[n])
				atomic_fetch_add(&missed, 1);
		(void)find(STAY + 1);
		urcu_qsbr_quiescent_state();
	}
	urcu_qsbr_unregister_thread();
	return NULL;
}

START_TEST(who_looks_up_never_misses_what_stays)
{
	pthread_t other;

	number_all(UINT64_MAX);
	for (uint64_t n = 0; n < STAY; n++)
		add(n);
	atomic_store(&done, false);
	atomic_store(&missed, 0);
	ck_assert_int_eq(pthread_create(&other, NULL, reader, NULL), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t n = STAY + 2 + randombytes_uniform(MANY - STAY - 2);

		if (v[n].in)
			del(n);
		else
			add(n);
		if (i % 64 == 0)
			urcu_qsbr_quiescent_state();
	}
	atomic_store(&done, true);
	urcu_qsbr_thread_offline(); /* it may wait for a grace period */
	ck_assert_int_eq(pthread_join(other, NULL), 0);
	urcu_qsbr_thread_online();
	ck_assert_uint_eq(atomic_load(&missed), 0);
	ck_assert_uint_gt(lines(), 2048); /* it did grow meanwhile */
	compare();
}
END_TEST

Suite *test_linetable_suite(void);
Suite *test_linetable_suite(void)
{
	Suite *s = suite_create("linetable");
	TCase *tc = tcase_create("linetable");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_grows_to_what_it_holds);
	tcase_add_test(tc, without_memory_what_is_there_stays_and_is_met);
	tcase_add_test(tc, a_walk_without_memory_meets_both_sets);
	tcase_add_test(tc, what_comes_and_goes_is_there_while_it_should_be);
	tcase_add_loop_test(
		tc, hashes_that_are_alike_cost_time_and_nothing_else, 0, 2);
	tcase_add_loop_test(
		tc, an_item_that_is_there_twice_stays_so_when_it_grows, 0, 2);
	tcase_add_test(tc, another_takes_the_place_of_one);
	tcase_add_test(tc, a_guess_is_right_where_hashes_differ);
	tcase_add_test(tc, who_looks_up_never_misses_what_stays);
	suite_add_tcase(s, tc);
	return s;
}
