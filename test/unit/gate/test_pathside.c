/* SPDX-License-Identifier: MIT */
/* Path sizes: from the route, by probes, published for the workers. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/hipgated/gate.h"

static const uint64_t second = UINT64_C(1000000000);

static struct gate *g;
static uv_loop_t loop;
static struct sa *sa;
static struct endpoint at;
static uint64_t now;
static unsigned route; /* what the kernel says */
static unsigned looks; /* how often it was asked */

unsigned __wrap_sockets_route_mtu(const struct addr *to);
unsigned __wrap_sockets_route_mtu(const struct addr *to)
{
	(void)to;
	looks++;
	return route;
}

static void on_wake(uv_async_t *a)
{
	(void)a;
}

static struct sa *sa_new(uint32_t spi, uint16_t suite)
{
	struct sa_pair pair = {
		.self = { { 0x20, 0x01, 0x00, 0x22, [15] = 1 } },
		.peer = { { 0x20, 0x01, 0x00, 0x22, [15] = 2 } },
		.suite = suite,
		.spi_in = spi,
		.spi_out = spi + 1,
	};
	struct path_ends ends = { .peer = at, .verified = true };
	struct sa *s;

	ck_assert_int_eq(
		tables_add_sa(&g->plane.tables, &pair, &ends, 1, true, 0),
		HG_OK);
	s = tables_sa_in(&g->plane.tables, spi);
	ck_assert_int_eq(pathside_move(g, s, &ends), HG_OK);
	return s;
}

static void start_at(const char *peer, uint16_t suite)
{
	g = calloc(1, sizeof(*g));
	ck_assert_ptr_nonnull(g);
	g->buf = malloc(65536);
	ck_assert_ptr_nonnull(g->buf);
	now = 1000 * second;
	looks = 0;
	ck_assert_int_eq(esp_setup(), HG_OK);
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(inbox_init(&g->workers[0].inbox, &loop, on_wake, NULL),
			 HG_OK);
	events_init(&g->events, "test");
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&g->plane.tables), HG_OK);
	g->plane.has_tun = true;
	g->plane.tun.mtu = 1500;
	ck_assert_int_eq(endpoint_parse(peer, 10500, &at), HG_OK);
	sa = sa_new(1000, suite);
	ck_assert_int_eq(tables_use_sa(&g->plane.tables, sa), HG_OK);
}

static void start(void)
{
	route = 1500;
	start_at("192.0.2.1", SA_AES128_GCM16);
}

static void stop(void)
{
	tables_fini(&g->plane.tables);
	tables_thread_end();
	events_fini(&g->events);
	uv_close((uv_handle_t *)&g->workers[0].inbox.async, NULL);
	while (uv_run(&loop, UV_RUN_NOWAIT))
		;
	inbox_fini(&g->workers[0].inbox);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	free(g->buf);
	free(g);
}

static const struct path_size *size(void)
{
	return &atomic_load(&sa->path)->size;
}

/* One second with traffic. */
static void tick(bool out, bool in)
{
	now += second;
	pathside_step(g, sa, out, in, now);
}

/* The probe that was given to the worker; NULL: none. The caller's. */
static struct msg *probe(void)
{
	return inbox_take(&g->workers[0].inbox);
}

static void answer(struct msg *m)
{
	uint64_t token = 0;

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(m->kind, MSG_PROBE);
	ck_assert_int_eq(esp_probe_get(IP_PROTO_ICMP6, m->data, m->len, &token),
			 ESP_PROBE_ASKS);
	esp_probe_put(m->data, ESP_PROBE_MIN, &sa->peer, &sa->self, true,
		      token);
	m->len = ESP_PROBE_MIN;
	pathside_answer(g, m, now);
	free(m);
}

/* What product.md promises, and CBC, whose blocks are larger. */
START_TEST(a_route_gives_what_the_product_page_says)
{
	static const struct {
		const char *peer;
		uint16_t suite;
		unsigned route, l4_most;
	} row[] = {
		{ "192.0.2.1", SA_AES128_GCM16, 1500, 1438 },
		{ "2001:db8::1", SA_AES128_GCM16, 1500, 1418 },
		{ "192.0.2.1", SA_AES128_CBC_SHA256, 1500, 1422 },
		{ "2001:db8::1", SA_AES128_CBC_SHA256, 1500, 1406 },
		{ "192.0.2.1", SA_AES128_GCM16, 1296, 1234 },
		{ "2001:db8::1", SA_AES128_GCM16, 1296, 1214 },
		/* no less than 1280, whatever the kernel says */
		{ "2001:db8::1", SA_AES128_GCM16, 576, 1198 },
		{ "2001:db8::1", SA_AES128_GCM16, 0, 1198 },
	};

	route = row[_i].route;
	start_at(row[_i].peer, row[_i].suite);
	ck_assert_uint_eq(size()->l4_most, row[_i].l4_most);
	ck_assert_uint_eq(size()->mss, row[_i].l4_most - 20);
	ck_assert_int_eq(size()->by, ESP_PMTU_BY_ROUTE);
	ck_assert(!size()->df);
	stop();
}
END_TEST

START_TEST(the_mss_is_no_more_than_the_tun_carries)
{
	route = 9000;
	start_at("192.0.2.1", SA_AES128_GCM16);
	ck_assert_uint_ge(size()->l4_most, 1480);
	ck_assert_uint_eq(size()->mss, 1440);
	stop();
}
END_TEST

START_TEST(an_answered_probe_sets_df_and_is_as_large_as_data)
{
	struct msg *m;

	tick(true, true);
	ck_assert(!size()->df);
	ck_assert(atomic_load(&sa->probed));
	m = probe();
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->len, 1438);
	ck_assert_ptr_null(probe());
	answer(m);
	ck_assert(size()->df);
	ck_assert_int_eq(size()->by, ESP_PMTU_BY_PROBE);
	ck_assert_uint_eq(size()->outer, 1500);
	ck_assert_ptr_null(probe());
}
END_TEST

START_TEST(an_sa_nobody_uses_is_neither_probed_nor_looked_at)
{
	unsigned before = looks;

	for (unsigned i = 0; i < 100; i++)
		tick(false, true);
	ck_assert_ptr_null(probe());
	ck_assert_uint_eq(looks, before);
}
END_TEST

START_TEST(the_kernel_is_asked_every_five_seconds_or_when_it_refuses)
{
	unsigned before;

	tick(true, true);
	answer(probe());
	before = looks;
	for (unsigned i = 0; i < 20; i++)
		tick(true, true);
	ck_assert_uint_eq(looks, before + 4);
	tick(true, true);
	before = looks;
	atomic_store(&atomic_load(&sa->path)->refused, true);
	tick(true, true);
	ck_assert_uint_eq(looks, before + 1);
	ck_assert(!atomic_load(&atomic_load(&sa->path)->refused));
	answer(probe()); /* and the size is doubted */
	ck_assert_uint_eq(size()->outer, 1500);
}
END_TEST

START_TEST(what_the_kernel_believes_is_tried_not_used)
{
	struct msg *m;

	tick(true, true);
	answer(probe());
	route = 1300;
	for (unsigned i = 0; i < 5; i++)
		tick(true, true);
	m = probe();
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->len, 1438);
	ck_assert_uint_eq(size()->outer, 1500);
	answer(m);
	ck_assert_uint_eq(size()->outer, 1500);
	ck_assert_uint_eq(reason_get(&g->drops, REASON_PROBE_LOST), 0);
}
END_TEST

START_TEST(three_lost_probes_and_the_routes_size_is_tried)
{
	struct msg *m;

	tick(true, true);
	answer(probe());
	route = 1300;
	for (unsigned i = 0; i < 8; i++)
		tick(true, true);
	while ((m = probe()) && m->len == 1438)
		free(m);
	ck_assert_uint_eq(reason_get(&g->drops, REASON_PROBE_LOST), 3);
	ck_assert_uint_eq(size()->outer, 1500);
	answer(m);
	ck_assert_uint_eq(size()->outer, 1300);
	ck_assert(size()->df);
}
END_TEST

START_TEST(seconds_with_nothing_back_are_a_doubt)
{
	tick(true, true);
	answer(probe());
	for (unsigned i = 0; i < 30; i++)
		tick(true, true);
	ck_assert_ptr_null(probe());
	for (unsigned i = 0; i < 8; i++)
		tick(true, false);
	answer(probe());
	ck_assert_uint_eq(size()->outer, 1500);
}
END_TEST

START_TEST(stray_answers_are_counted_and_change_nothing)
{
	struct msg *m = inbox_msg(MSG_PROBE, NULL, 0, now);

	tick(true, true);
	m->back.self = sa->self;
	m->back.peer = sa->peer;
	pathside_answer(g, m, now); /* no probe at all */
	free(m);
	m = probe();
	pathside_answer(g, m, now); /* a request */
	esp_probe_put(m->data, ESP_PROBE_MIN, &sa->peer, &sa->self, true,
		      sa->pmtu.token + 1);
	pathside_answer(g, m, now); /* another's token */
	m->back.peer.b[15]++;
	pathside_answer(g, m, now); /* no SA */
	free(m);
	ck_assert_uint_eq(reason_get(&g->drops, REASON_PROBE_STRAY), 4);
	ck_assert_int_eq(size()->by, ESP_PMTU_BY_ROUTE);
}
END_TEST

START_TEST(who_succeeds_an_sa_knows_its_path)
{
	struct sa *next;

	tick(true, true);
	answer(probe());
	route = 1300;
	next = sa_new(2000, SA_AES128_CBC_SHA256);
	ck_assert_uint_eq(atomic_load(&next->path)->size.outer, 1500);
	ck_assert(atomic_load(&next->path)->size.df);
	ck_assert_uint_eq(atomic_load(&next->path)->size.l4_most, 1422);
}
END_TEST

START_TEST(another_place_is_another_path)
{
	struct path_ends ends = { .verified = true };

	tick(true, true);
	answer(probe());
	route = 1400;
	ck_assert_int_eq(endpoint_parse("2001:db8::9", 10500, &ends.peer),
			 HG_OK);
	ck_assert_int_eq(pathside_move(g, sa, &ends), HG_OK);
	ck_assert(endpoint_eq(&atomic_load(&sa->path)->ends.peer, &ends.peer));
	ck_assert_uint_eq(size()->outer, 1400);
	ck_assert_int_eq(size()->by, ESP_PMTU_BY_ROUTE);
	ck_assert(!size()->df);
}
END_TEST

START_TEST(without_a_tun_nothing_is_sized)
{
	g->plane.has_tun = false;
	g->plane.tun.mtu = 0;
	sa = sa_new(3000, SA_AES128_GCM16);
	ck_assert_int_eq(tables_use_sa(&g->plane.tables, sa), HG_OK);
	tick(true, false);
	ck_assert_uint_eq(size()->outer, 0);
	ck_assert_uint_eq(size()->l4_most, UINT32_MAX);
	ck_assert_ptr_null(probe());
}
END_TEST

Suite *test_pathside_suite(void);
Suite *test_pathside_suite(void)
{
	Suite *s = suite_create("pathside");
	TCase *sizes = tcase_create("sizes");
	TCase *tc = tcase_create("probes");

	tcase_add_loop_test(sizes, a_route_gives_what_the_product_page_says, 0,
			    8);
	tcase_add_test(sizes, the_mss_is_no_more_than_the_tun_carries);
	suite_add_tcase(s, sizes);
	tcase_add_checked_fixture(tc, start, stop);
	tcase_add_test(tc, an_answered_probe_sets_df_and_is_as_large_as_data);
	tcase_add_test(tc, an_sa_nobody_uses_is_neither_probed_nor_looked_at);
	tcase_add_test(
		tc, the_kernel_is_asked_every_five_seconds_or_when_it_refuses);
	tcase_add_test(tc, what_the_kernel_believes_is_tried_not_used);
	tcase_add_test(tc, three_lost_probes_and_the_routes_size_is_tried);
	tcase_add_test(tc, seconds_with_nothing_back_are_a_doubt);
	tcase_add_test(tc, stray_answers_are_counted_and_change_nothing);
	tcase_add_test(tc, who_succeeds_an_sa_knows_its_path);
	tcase_add_test(tc, another_place_is_another_path);
	tcase_add_test(tc, without_a_tun_nothing_is_sized);
	suite_add_tcase(s, tc);
	return s;
}
