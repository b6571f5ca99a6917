/* SPDX-License-Identifier: MIT */
/* Hash tables that grow: as many buckets as nodes, whoever adds how fast. */
#include <check.h>
#include <stdlib.h>

#include "cmd/hipgated/lftable.h"

enum { NODES = 5000 };

struct number {
	struct cds_lfht_node node;
	struct rcu_head rcu;
	unsigned long n;
};

static struct lftable t;

static void setup(void)
{
	urcu_qsbr_register_thread();
	ck_assert_int_eq(lftable_init(&t), HG_OK);
}

static void teardown(void)
{
	urcu_qsbr_unregister_thread();
}

static int match(struct cds_lfht_node *node, const void *key)
{
	const struct number *x = caa_container_of(node, struct number, node);

	return x->n == *(const unsigned long *)key;
}

static struct number *find(unsigned long n)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t.ht, n * 2654435761u, match, &n, &it);
	node = cds_lfht_iter_get_node(&it);
	return node ? caa_container_of(node, struct number, node) : NULL;
}

START_TEST(a_table_has_grown_as_often_as_it_is_asked_to)
{
	static struct number v[NODES];

	for (unsigned long n = 0; n < NODES; n++) {
		v[n].n = n;
		cds_lfht_node_init(&v[n].node);
		cds_lfht_add(t.ht, n * 2654435761u, &v[n].node);
		lftable_added(&t);
		ck_assert_ptr_eq(find(n), &v[n]); /* while it grows, too */
		if (n % 100 == 0)
			rcu_barrier();
	}
	rcu_barrier();
	ck_assert(!atomic_load(&t.growing));
	ck_assert_uint_ge(t.size, NODES);
	ck_assert_uint_lt(t.size, 2 * NODES);
	ck_assert_uint_eq(t.num, NODES);
	for (unsigned long n = 0; n < NODES; n++) {
		ck_assert_ptr_eq(find(n), &v[n]);
		ck_assert_int_eq(cds_lfht_del(t.ht, &v[n].node), 0);
		lftable_removed(&t);
		ck_assert_ptr_null(find(n));
	}
	ck_assert_uint_eq(t.num, 0);
	synchronize_rcu();
	lftable_fini(&t);
	lftable_fini(&t); /* a second time does nothing */
}
END_TEST

START_TEST(it_may_end_while_it_grows)
{
	static struct number v[NODES];

	for (unsigned long n = 0; n < NODES; n++) {
		cds_lfht_node_init(&v[n].node);
		cds_lfht_add(t.ht, n, &v[n].node);
		lftable_added(&t);
	}
	for (unsigned long n = 0; n < NODES; n++)
		ck_assert_int_eq(cds_lfht_del(t.ht, &v[n].node), 0);
	lftable_fini(&t);
	ck_assert_ptr_null(t.ht);
}
END_TEST

Suite *test_lftable_suite(void);
Suite *test_lftable_suite(void)
{
	Suite *s = suite_create("lftable");
	TCase *tc = tcase_create("lftable");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_table_has_grown_as_often_as_it_is_asked_to);
	tcase_add_test(tc, it_may_end_while_it_grows);
	suite_add_tcase(s, tc);
	return s;
}
