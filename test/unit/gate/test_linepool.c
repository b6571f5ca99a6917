/* SPDX-License-Identifier: MIT */
/* Memory of flows and mappings: what comes back, when; and flows that end in
 * one thread while another binds new ones in their places. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgated/tables.h"
#include "nat/nat.h"

enum { MANY = 30000 }; /* more than two chunks */

static struct tables t;

static void setup(void)
{
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&t), HG_OK);
}

static void teardown(void)
{
	tables_fini(&t);
	tables_thread_end();
}

static bool zero(const struct flow *f)
{
	static const struct flow none;

	return memcmp(f, &none, sizeof(none)) == 0;
}

START_TEST(flows_are_aligned_zeroed_and_never_the_same)
{
	struct flow **f = calloc(MANY, sizeof(*f));
	unsigned wrong = 0;

	for (unsigned i = 0; i < MANY; i++) {
		f[i] = linepool_take(&t.flow_pool);
		ck_assert_ptr_nonnull(f[i]);
		wrong += (uintptr_t)f[i] % 64 != 0 || !zero(f[i]);
		f[i]->nat.owner = i + 1;
	}
	for (unsigned i = 0; i < MANY; i++)
		wrong += f[i]->nat.owner != i + 1;
	ck_assert_uint_eq(wrong, 0);
	for (unsigned i = 0; i < MANY; i++)
		linepool_give(&t.flow_pool, f[i]);
	/* The last comes first, and clean. */
	ck_assert_ptr_eq(linepool_take(&t.flow_pool), f[MANY - 1]);
	ck_assert(zero(f[MANY - 1]));
	free(f);
}
END_TEST

START_TEST(a_retired_flow_is_used_again_after_its_grace_period_only)
{
	struct flow *f = linepool_take(&t.flow_pool);

	/* This thread is a reader and online: there can be no end of it. */
	linepool_retire(&t.flow_pool, f);
	ck_assert_ptr_null(atomic_load(&t.flow_pool.returned));
	for (unsigned i = 0; i < MANY; i++)
		ck_assert_ptr_ne(linepool_take(&t.flow_pool), f);
	rcu_barrier();
	ck_assert_ptr_eq(linepool_take(&t.flow_pool), f);
}
END_TEST

/* The smallest there are, in small chunks: linked by their chunk, too. */
START_TEST(mappings_come_back_to_their_own_pool)
{
	struct mapping *m = NULL;

	for (unsigned i = 0; i < 3000; i++) { /* of the third chunk */
		m = linepool_take(&t.mapping_pool);
		ck_assert_ptr_nonnull(m);
		ck_assert_uint_eq((uintptr_t)m % 64, 0);
		memset(m, 0xff, sizeof(*m));
	}
	linepool_retire(&t.mapping_pool, m);
	rcu_barrier();
	ck_assert_ptr_null(atomic_load(&t.flow_pool.returned));
	ck_assert_ptr_eq(linepool_take(&t.mapping_pool), m);
	ck_assert(addr_eq(&m->virt[0], &addr_any6));
}
END_TEST

/* ---- two threads -------------------------------------------------------- */

enum { ROUNDS = 20000, PORTS = 64, LIVE = 8 };

static struct nat *nat;
static _Atomic bool done;
static unsigned evicted;

static struct nat_key key_of(uint16_t port)
{
	struct nat_key k = { .client_port = port,
			     .virt_port = 80,
			     .proto = IP_PROTO_TCP };

	k.client.b[15] = 1;
	k.virt.b[15] = 2;
	return k;
}

static void unpublish(void *arg, struct nat_flow *f)
{
	/* Those that are kept open are never touched. */
	ck_assert_uint_ge(f->key.client_port, LIVE);
	tables_del_flow(arg, caa_container_of(f, struct flow, nat));
	evicted++;
}

static void discard(void *arg, struct nat_flow *f)
{
	tables_free_flow(arg, caa_container_of(f, struct flow, nat));
}

/* A worker: ends flows and begins them anew, all but some. */
static void *work(void *arg)
{
	static const struct ip_offload none;
	uint8_t tcp[TCP_HDR] = { 0 };
	struct nat_packet p = { .ip = { .proto = IP_PROTO_TCP,
					.l4 = tcp,
					.l4_len = sizeof(tcp) } };
	uint16_t port = 0;

	(void)arg;
	tables_thread_begin();
	for (uint64_t n = 0; !atomic_load(&done); n++) {
		struct nat_key k = key_of(port);
		struct flow *f = tables_flow(&t, &k);

		tcp[13] = n % 3 ? TCP_RST : TCP_SYN;
		if (port < LIVE)
			tcp[13] = TCP_ACK;
		if (f && nat_to_hip(&f->nat, &p, &none, 0, 1) != REASON_NUM)
			abort();
		port = (uint16_t)((port + 1) % PORTS);
		urcu_qsbr_quiescent_state();
	}
	tables_thread_end();
	return NULL;
}

static void make_flow(uint16_t port, uint64_t now)
{
	struct hit self = { { 1 } };
	struct hit peer = { { 2 } };
	struct nat_key k = key_of(port);
	struct flow *f;
	enum reason why;

	if (tables_flow(&t, &k))
		return;
	f = tables_new_flow(&t);
	ck_assert_ptr_nonnull(f);
	if (nat_bind(nat, &k, &self, &peer, true, now, &f->nat, &why))
		tables_give_flow(&t, f);
	else
		ck_assert_int_eq(tables_add_flow(&t, f), HG_OK);
}

START_TEST(a_worker_ends_flows_while_control_reuses_their_places)
{
	struct nat_config cfg = { .flows_max = PORTS / 2,
				  .flows_per_client = PORTS,
				  .unpublish = unpublish,
				  .discard = discard,
				  .arg = &t };
	pthread_t worker;
	struct nat_key k;

	ck_assert_int_eq(nat_new(&cfg, &nat), HG_OK);
	atomic_store(&done, false);
	evicted = 0;
	for (uint16_t port = 0; port < LIVE; port++)
		make_flow(port, 1);
	ck_assert_int_eq(pthread_create(&worker, NULL, work, NULL), 0);
	for (unsigned i = 0; i < ROUNDS || evicted < 100; i++) {
		make_flow((uint16_t)(LIVE + i % (PORTS - LIVE)),
			  UINT64_C(10000000000));
		urcu_qsbr_quiescent_state();
	}
	atomic_store(&done, true);
	tables_offline(); /* the worker may wait for a grace period */
	ck_assert_int_eq(pthread_join(worker, NULL), 0);
	tables_online();
	for (uint16_t port = 0; port < LIVE; port++) {
		k = key_of(port);
		ck_assert_ptr_nonnull(tables_flow(&t, &k));
	}
	nat_free(nat);
}
END_TEST

Suite *test_linepool_suite(void);
Suite *test_linepool_suite(void)
{
	Suite *s = suite_create("linepool");
	TCase *tc = tcase_create("linepool");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, flows_are_aligned_zeroed_and_never_the_same);
	tcase_add_test(
		tc, a_retired_flow_is_used_again_after_its_grace_period_only);
	tcase_add_test(tc, mappings_come_back_to_their_own_pool);
	tcase_add_test(tc,
		       a_worker_ends_flows_while_control_reuses_their_places);
	suite_add_tcase(s, tc);
	return s;
}
