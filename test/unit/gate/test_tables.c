/* SPDX-License-Identifier: MIT */
/* The published tables: adding, finding, superseding, removing. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgated/tables.h"
#include "table_memory.h"

static struct tables t;

static void setup(void)
{
	ck_assert_int_eq(esp_setup(), HG_OK);
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&t), HG_OK);
}

static void teardown(void)
{
	tables_fini(&t);
	tables_thread_end();
}

static struct hit hit_of(uint8_t n)
{
	struct hit h = { { 0x20, 0x01, 0x00, 0x22 } };

	h.b[15] = n;
	return h;
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, &a), HG_OK);
	return a;
}

START_TEST(mapping_is_found_and_never_changes_its_meaning)
{
	struct addr virt = addr_of("2001:db8:401::5");
	struct addr other = addr_of("2001:db8:401::6");
	struct hit one = hit_of(1);
	struct hit two = hit_of(2);

	ck_assert_int_eq(tables_add_mapping(&t, &virt, 1, &one), HG_OK);
	ck_assert_int_eq(tables_add_mapping(&t, &virt, 1, &two), HG_EEXIST);
	ck_assert(hit_eq(&tables_mapping(&t, &virt)->peer, &one));
	ck_assert_ptr_null(tables_mapping(&t, &other));
	ck_assert_ptr_null(tables_mapping(&t, &addr_any6));
	ck_assert_uint_eq(t.mappings, 1);
}
END_TEST

START_TEST(both_addresses_of_a_host_are_one_mapping_or_none)
{
	struct addr both[] = { addr_of("2001:db8:401::5"),
			       addr_of("198.18.0.5") };
	struct addr half[] = { addr_of("2001:db8:401::6"), both[1] };
	struct hit one = hit_of(1);
	struct hit two = hit_of(2);
	const struct mapping *m;

	ck_assert_int_eq(tables_add_mapping(&t, both, 2, &one), HG_OK);
	m = tables_mapping(&t, &both[0]);
	ck_assert_ptr_nonnull(m);
	ck_assert_ptr_eq(tables_mapping(&t, &both[1]), m);
	ck_assert_uint_eq(t.mappings, 2);
	/* The IPv4 address is the other host's: nothing is added. */
	ck_assert_int_eq(tables_add_mapping(&t, half, 2, &two), HG_EEXIST);
	ck_assert_ptr_null(tables_mapping(&t, &half[0]));
	ck_assert_ptr_eq(tables_mapping(&t, &both[1]), m);
	ck_assert_uint_eq(t.mappings, 2);
	ck_assert_int_eq(tables_add_mapping(&t, half, 1, &two), HG_OK);
	ck_assert(hit_eq(&tables_mapping(&t, &half[0])->peer, &two));
	tables_del_mapping(&t, &both[1]);
	tables_del_mapping(&t, &both[1]);
	ck_assert_ptr_null(tables_mapping(&t, &both[0]));
	ck_assert_ptr_null(tables_mapping(&t, &both[1]));
	ck_assert_uint_eq(t.mappings, 1);
	tables_del_mapping(&t, &half[0]);
	ck_assert_ptr_null(tables_mapping(&t, &half[0]));
	ck_assert_uint_eq(t.mappings, 0);
}
END_TEST

static struct flow *flow_of(uint16_t client_port, uint16_t ext_port)
{
	struct flow *f = tables_new_flow(&t);

	ck_assert_ptr_nonnull(f);
	f->nat.key.client = addr_of("2001:db8:400::50");
	f->nat.key.virt = addr_of("2001:db8:401::5");
	f->nat.key.client_port = client_port;
	f->nat.key.virt_port = 10000;
	f->nat.key.proto = IP_PROTO_TCP;
	f->nat.back.self = hit_of(1);
	f->nat.back.peer = hit_of(2);
	f->nat.back.ext_port = ext_port;
	f->nat.back.peer_port = 10000;
	f->nat.back.proto = IP_PROTO_TCP;
	return f;
}

START_TEST(flow_is_found_by_both_keys_until_removed)
{
	struct flow *f = flow_of(5000, 5001);
	struct nat_key key = f->nat.key;
	struct nat_back back = f->nat.back;

	ck_assert_int_eq(tables_add_flow(&t, f), HG_OK);
	ck_assert_ptr_eq(tables_flow(&t, &key), f);
	ck_assert_ptr_eq(tables_flow_back(&t, &back), f);
	key.client_port++;
	back.peer_port++;
	ck_assert_ptr_null(tables_flow(&t, &key));
	ck_assert_ptr_null(tables_flow_back(&t, &back));
	tables_del_flow(&t, f);
	key.client_port--;
	back.peer_port--;
	ck_assert_ptr_null(tables_flow(&t, &key));
	ck_assert_ptr_null(tables_flow_back(&t, &back));
	tables_free_flow(&t, f);
	ck_assert_uint_eq(t.flows, 0);
}
END_TEST

START_TEST(flow_whose_key_or_port_is_taken_is_refused_whole)
{
	struct flow *f = flow_of(5000, 5001);
	struct flow *same_back = flow_of(5001, 5001);
	struct flow *same_key = flow_of(5000, 5002);
	struct nat_key key = f->nat.key;

	ck_assert_int_eq(tables_add_flow(&t, f), HG_OK);
	ck_assert_int_eq(tables_add_flow(&t, same_back), HG_EEXIST);
	ck_assert_int_eq(tables_add_flow(&t, same_key), HG_EEXIST);
	ck_assert_uint_eq(t.flows, 1);
	ck_assert_uint_eq(tables_flow(&t, &key)->nat.back.ext_port, 5001);
	/* The half that was in before the refusal is out again. */
	ck_assert_ptr_null(tables_flow_back(&t, &same_key->nat.back));
	ck_assert_int_eq(tables_add_flow(&t, flow_of(5003, 5002)), HG_OK);
	tables_free_flow(&t, same_key);
	tables_free_flow(&t, same_back);
}
END_TEST

static struct sa_pair pair_of(uint32_t spi_in)
{
	struct sa_pair p = { .self = hit_of(1),
			     .peer = hit_of(2),
			     .suite = SA_AES128_GCM16,
			     .spi_in = spi_in,
			     .spi_out = spi_in + 1 };

	memset(&p.in, 1, sizeof(p.in));
	memset(&p.out, 2, sizeof(p.out));
	return p;
}

static struct path_ends ends_to(const char *peer)
{
	return (struct path_ends){ .peer = { addr_of(peer), 10500 },
				   .verified = true };
}

START_TEST(sa_sends_when_told_and_the_older_still_opens)
{
	struct path_ends at = ends_to("192.0.2.1");
	struct sa_pair a = pair_of(1000);
	struct sa_pair b = pair_of(2001);

	ck_assert_int_eq(tables_add_sa(&t, &a, &at, 2, true, 0), HG_OK);
	ck_assert_ptr_null(tables_sa_out(&t, &a.self, &a.peer));
	ck_assert_int_eq(tables_use_sa(&t, tables_sa_in(&t, 1000)), HG_OK);
	ck_assert_uint_eq(tables_sa_out(&t, &a.self, &a.peer)->spi_in, 1000);
	ck_assert_int_eq(tables_add_sa(&t, &b, &at, 2, true, 0), HG_OK);
	ck_assert_uint_eq(tables_sa_out(&t, &a.self, &a.peer)->spi_in, 1000);
	ck_assert_int_eq(tables_use_sa(&t, tables_sa_in(&t, 2001)), HG_OK);
	ck_assert_uint_eq(tables_sa_out(&t, &a.self, &a.peer)->spi_in, 2001);
	ck_assert_uint_eq(tables_sa_in(&t, 1000)->owner, 0);
	ck_assert_uint_eq(tables_sa_in(&t, 2001)->owner, 1);
	tables_del_sa(&t, 1000);
	ck_assert_ptr_null(tables_sa_in(&t, 1000));
	ck_assert_uint_eq(tables_sa_out(&t, &a.self, &a.peer)->spi_in, 2001);
	tables_del_sa(&t, 2001);
	ck_assert_ptr_null(tables_sa_out(&t, &a.self, &a.peer));
	ck_assert_uint_eq(t.sas, 0);
}
END_TEST

/* Without memory for its place it does not send, and that is told. */
START_TEST(an_sa_that_finds_no_place_is_an_error)
{
	enum { NUM = 600 };
	struct path_ends at = ends_to("192.0.2.1");
	unsigned refused = 0;

	for (uint32_t n = 0; n < NUM; n++) {
		struct sa_pair p = pair_of(1000 + 2 * n);

		memcpy(p.peer.b + 12, &n, sizeof(n));
		ck_assert_int_eq(tables_add_sa(&t, &p, &at, 1, true, 0), HG_OK);
	}
	table_memory_gone = true;
	for (uint32_t n = 0; n < NUM; n++) {
		struct sa *sa = tables_sa_in(&t, 1000 + 2 * n);
		int err = tables_use_sa(&t, sa);

		ck_assert(err == HG_OK || err == HG_ENOMEM);
		ck_assert_ptr_eq(tables_sa_out(&t, &sa->self, &sa->peer),
				 err ? NULL : sa);
		refused += err != HG_OK;
	}
	table_memory_gone = false;
	ck_assert_uint_gt(refused, 0);
	ck_assert_uint_lt(refused, NUM);
}
END_TEST

START_TEST(credit_goes_to_who_succeeds_on_the_same_way)
{
	struct path_ends at = ends_to("192.0.2.1");
	struct path_ends to = ends_to("192.0.2.2");
	struct path_size size = { .l4_most = 1418 };
	struct sa_pair a = pair_of(1000);
	struct sa_pair b = pair_of(2000);
	struct sa *x, *y;

	at.verified = to.verified = false;
	ck_assert_int_eq(tables_add_sa(&t, &a, &at, 1, true, 0), HG_OK);
	ck_assert_int_eq(tables_add_sa(&t, &b, &to, 1, true, 0), HG_OK);
	x = tables_sa_in(&t, 1000);
	y = tables_sa_in(&t, 2000);
	tables_credit_sa(x, 500);
	tables_inherit_credit(y, x); /* elsewhere */
	ck_assert_int_eq(atomic_load(&y->path)->credit, 0);
	ck_assert_int_eq(atomic_load(&x->path)->credit, 500);
	ck_assert_int_eq(tables_move_sa(y, &at, &size), HG_OK);
	tables_credit_sa(y, 30);
	tables_inherit_credit(y, x);
	ck_assert_int_eq(atomic_load(&y->path)->credit, 530);
	ck_assert_int_eq(atomic_load(&x->path)->credit, 0);
	at.verified = true; /* needs none */
	ck_assert_int_eq(tables_move_sa(x, &at, &size), HG_OK);
	tables_inherit_credit(x, y);
	ck_assert_int_eq(atomic_load(&y->path)->credit, 530);
}
END_TEST

START_TEST(second_sa_of_one_spi_is_refused_and_changes_nothing)
{
	struct path_ends at = ends_to("192.0.2.1");
	struct sa_pair a = pair_of(1000);
	struct sa_pair bad = pair_of(3000);
	struct sa *first;

	bad.suite = 77; /* there is none */
	ck_assert_int_eq(tables_add_sa(&t, &a, &at, 1, true, 0), HG_OK);
	first = tables_sa_in(&t, 1000);
	ck_assert_int_eq(tables_use_sa(&t, first), HG_OK);
	ck_assert_int_eq(tables_add_sa(&t, &a, &at, 1, true, 0), HG_EEXIST);
	ck_assert_int_ne(tables_add_sa(&t, &bad, &at, 1, true, 0), HG_OK);
	ck_assert_ptr_eq(tables_sa_out(&t, &a.self, &a.peer), first);
	ck_assert_uint_eq(t.sas, 1);
	tables_del_sa(&t, 1000);
	ck_assert_ptr_null(tables_sa_out(&t, &a.self, &a.peer));
}
END_TEST

START_TEST(move_changes_only_where_packets_go)
{
	struct path_ends at = ends_to("192.0.2.1");
	struct path_ends to = ends_to("2001:db8::9");
	struct path_size size = { .l4_most = 1418, .mss = 1398 };
	struct sa_pair a = pair_of(1000);
	const struct path *path;
	struct sa *s;

	ck_assert_int_eq(tables_add_sa(&t, &a, &at, 1, true, 0), HG_OK);
	s = tables_sa_in(&t, 1000);
	ck_assert_uint_eq(atomic_load(&s->path)->size.l4_most, UINT32_MAX);
	ck_assert_int_eq(tables_move_sa(s, &to, &size), HG_OK);
	path = atomic_load(&s->path);
	ck_assert(endpoint_eq(&path->ends.peer, &to.peer));
	ck_assert_uint_eq(path->size.l4_most, 1418);
	ck_assert_uint_eq(path->size.mss, 1398);
	ck_assert_ptr_eq(tables_sa_in(&t, 1000), s);
	/* The same again is no new path. */
	ck_assert_int_eq(tables_move_sa(s, &to, &size), HG_OK);
	ck_assert_ptr_eq(atomic_load(&s->path), path);
	size.mss--;
	ck_assert_int_eq(tables_move_sa(s, &to, &size), HG_OK);
	ck_assert_ptr_ne(atomic_load(&s->path), path);
	ck_assert_uint_eq(atomic_load(&s->path)->size.mss, 1397);
	/* So is each part of where it leaves from, and of what is known. */
	path = atomic_load(&s->path);
	to.from.self = addr_of("2001:db8::1");
	ck_assert_int_eq(tables_move_sa(s, &to, &size), HG_OK);
	ck_assert_ptr_ne(atomic_load(&s->path), path);
	path = atomic_load(&s->path);
	to.from.link = 3;
	ck_assert_int_eq(tables_move_sa(s, &to, &size), HG_OK);
	ck_assert_ptr_ne(atomic_load(&s->path), path);
	path = atomic_load(&s->path);
	to.verified = false;
	ck_assert_int_eq(tables_move_sa(s, &to, &size), HG_OK);
	ck_assert_ptr_ne(atomic_load(&s->path), path);
}
END_TEST

START_TEST(credit_stays_with_the_address_of_the_peer)
{
	struct path_ends at = ends_to("192.0.2.1");
	struct path_size size = { .l4_most = 1418 };
	struct sa_pair a = pair_of(1000);
	struct sa *s;

	ck_assert_int_eq(tables_add_sa(&t, &a, &at, 1, true, 0), HG_OK);
	s = tables_sa_in(&t, 1000);
	at = ends_to("192.0.2.2");
	at.verified = false;
	ck_assert_int_eq(tables_move_sa(s, &at, &size), HG_OK);
	ck_assert_int_eq(atomic_load(&s->path)->credit, 0);
	tables_credit_sa(s, 3000);
	tables_credit_sa(s, 500);
	ck_assert_int_eq(atomic_load(&s->path)->credit, 3500);
	/* Another size, another address of ours: it is the same peer's. */
	size.l4_most = 1200;
	at.from.self = addr_of("192.0.2.9");
	ck_assert_int_eq(tables_move_sa(s, &at, &size), HG_OK);
	ck_assert_int_eq(atomic_load(&s->path)->credit, 3500);
	/* Another place begins anew. */
	at.peer.port++;
	ck_assert_int_eq(tables_move_sa(s, &at, &size), HG_OK);
	ck_assert_int_eq(atomic_load(&s->path)->credit, 0);
	tables_credit_sa(s, UINT64_MAX);
	tables_credit_sa(s, UINT64_MAX);
	ck_assert_int_eq(atomic_load(&s->path)->credit, 2 * (int64_t)INT32_MAX);
}
END_TEST

Suite *test_tables_suite(void);
Suite *test_tables_suite(void)
{
	Suite *s = suite_create("tables");
	TCase *tc = tcase_create("tables");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, mapping_is_found_and_never_changes_its_meaning);
	tcase_add_test(tc, both_addresses_of_a_host_are_one_mapping_or_none);
	tcase_add_test(tc, flow_is_found_by_both_keys_until_removed);
	tcase_add_test(tc, flow_whose_key_or_port_is_taken_is_refused_whole);
	tcase_add_test(tc, sa_sends_when_told_and_the_older_still_opens);
	tcase_add_test(tc, an_sa_that_finds_no_place_is_an_error);
	tcase_add_test(tc, credit_goes_to_who_succeeds_on_the_same_way);
	tcase_add_test(tc, second_sa_of_one_spi_is_refused_and_changes_nothing);
	tcase_add_test(tc, move_changes_only_where_packets_go);
	tcase_add_test(tc, credit_stays_with_the_address_of_the_peer);
	suite_add_tcase(s, tc);
	return s;
}
