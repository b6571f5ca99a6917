/* SPDX-License-Identifier: MIT */
/* The list of clients: each flow is counted once, whatever happens between
 * two pieces of it. */
#include "cmd/hipgated/viewclients.h"

#include <check.h>

#include "cmd/hipgated/gate.h"

enum { FLOWS = 3000, CLIENTS = 700 };

static struct gate g;
static unsigned made;

static void setup(void)
{
	memset(&g, 0, sizeof(g));
	made = 0;
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&g.plane.tables), HG_OK);
}

static void teardown(void)
{
	tables_fini(&g.plane.tables);
	tables_thread_end();
}

/* Of one client after the other; each has carried two packets out. */
static void add_flows(unsigned num)
{
	for (unsigned end = made + num; made < end; made++) {
		struct flow *f = tables_new_flow(&g.plane.tables);
		uint8_t c[4] = { 192, 0, (uint8_t)(made % CLIENTS / 250),
				 (uint8_t)(made % CLIENTS % 250) };

		ck_assert_ptr_nonnull(f);
		f->nat.key.client = addr_from4(c);
		f->nat.key.client_port = (uint16_t)made;
		f->nat.back.ext_port = (uint16_t)made;
		atomic_init(&f->nat.out_packets, 2);
		ck_assert_int_eq(tables_add_flow(&g.plane.tables, f), HG_OK);
	}
}

static json_int_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* The list; so many flows more come after its first piece. */
static json_t *list(unsigned more, unsigned *pieces)
{
	struct views_walk w = { .at = 0 };
	json_t *all = json_array();
	bool go_on = true;

	for (*pieces = 0; go_on; ++*pieces) {
		size_t before = json_array_size(all);

		go_on = viewclients_more(&g, &w, all);
		ck_assert_uint_le(json_array_size(all) - before, VIEWS_ROWS);
		add_flows(more);
		more = 0;
	}
	views_give_up(&w);
	ck_assert_ptr_null(w.sums);
	return all;
}

static void check_sums(const json_t *rows, unsigned flows)
{
	json_t *seen = json_object();
	json_int_t sum = 0;
	json_int_t out = 0;
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *who =
			json_string_value(json_object_get(row, "client"));

		ck_assert_int_eq(json_object_set_new(seen, who, json_null()),
				 0);
		ck_assert_int_ge(number(row, "flows"), flows / CLIENTS);
		ck_assert_int_le(number(row, "flows"), flows / CLIENTS + 1);
		sum += number(row, "flows");
		out += number(row, "out_packets");
	}
	ck_assert_uint_eq(json_object_size(seen), CLIENTS);
	ck_assert_uint_eq(json_array_size(rows), CLIENTS);
	ck_assert_int_eq(sum, flows);
	ck_assert_int_eq(out, 2 * flows);
	json_decref(seen);
}

START_TEST(each_client_is_once_in_the_list_with_all_its_flows)
{
	unsigned pieces;
	json_t *rows;

	add_flows(FLOWS);
	rows = list(0, &pieces);
	check_sums(rows, FLOWS);
	ck_assert_uint_ge(pieces, FLOWS / VIEWS_SEEN + CLIENTS / VIEWS_ROWS);
	json_decref(rows);
}
END_TEST

START_TEST(a_table_that_grows_has_no_flow_counted_twice)
{
	const void *place;
	unsigned pieces;
	json_t *rows;

	add_flows(FLOWS);
	place = linetable_place(&g.plane.tables.flow_key);
	rows = list(5 * FLOWS, &pieces);
	ck_assert_ptr_ne(linetable_place(&g.plane.tables.flow_key), place);
	check_sums(rows, 6 * FLOWS);
	json_decref(rows);
}
END_TEST

START_TEST(no_flow_is_no_client_in_one_piece)
{
	unsigned pieces;
	json_t *rows = list(0, &pieces);

	ck_assert_uint_eq(pieces, 1);
	ck_assert_uint_eq(json_array_size(rows), 0);
	json_decref(rows);
}
END_TEST

START_TEST(a_list_may_be_given_up_anywhere)
{
	struct views_walk w = { .at = 0 };
	json_t *rows = json_array();

	views_give_up(&w);
	add_flows(FLOWS);
	ck_assert(viewclients_more(&g, &w, rows));
	ck_assert_ptr_nonnull(w.sums);
	ck_assert_uint_eq(json_array_size(rows), 0);
	views_give_up(&w);
	ck_assert_ptr_null(w.sums);
	ck_assert_uint_eq(w.at, 0);
	json_decref(rows);
}
END_TEST

/* Each holds its sums until it has been read. */
START_TEST(one_list_too_many_is_told_why)
{
	struct views_walk w[VIEWCLIENTS_MAX + 1] = { { .at = 0 } };
	struct views_walk *one_more = &w[VIEWCLIENTS_MAX];
	json_t *rows = json_array();

	add_flows(FLOWS);
	for (unsigned i = 0; i < VIEWCLIENTS_MAX; i++)
		ck_assert(viewclients_more(&g, &w[i], rows));
	ck_assert(!viewclients_more(&g, one_more, rows));
	ck_assert_ptr_nonnull(strstr(one_more->why, "ask again"));
	ck_assert_uint_eq(json_array_size(rows), 0);
	views_give_up(one_more);
	ck_assert_ptr_null(one_more->why);
	views_give_up(&w[0]);
	ck_assert(viewclients_more(&g, one_more, rows));
	ck_assert_ptr_null(one_more->why);
	for (unsigned i = 0; i <= VIEWCLIENTS_MAX; i++)
		views_give_up(&w[i]);
	ck_assert_uint_eq(g.client_lists, 0);
	json_decref(rows);
}
END_TEST

Suite *test_viewclients_suite(void);
Suite *test_viewclients_suite(void)
{
	Suite *s = suite_create("viewclients");
	TCase *tc = tcase_create("viewclients");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_client_is_once_in_the_list_with_all_its_flows);
	tcase_add_test(tc, a_table_that_grows_has_no_flow_counted_twice);
	tcase_add_test(tc, no_flow_is_no_client_in_one_piece);
	tcase_add_test(tc, a_list_may_be_given_up_anywhere);
	tcase_add_test(tc, one_list_too_many_is_told_why);
	suite_add_tcase(s, tc);
	return s;
}
