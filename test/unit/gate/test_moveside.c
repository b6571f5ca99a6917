/* SPDX-License-Identifier: MIT */
/* What the engine says of paths becomes the path of the SA that sends. */
#include "reload_bed.h"

#include "esp/esp.h"

static struct reload_bed *b;
static struct sa *sa;
static struct hip_effect e;

static struct endpoint at(const char *text)
{
	struct endpoint out;

	ck_assert_int_eq(endpoint_parse(text, 10500, &out), HG_OK);
	return out;
}

static void setup(void)
{
	struct sa_pair pair = { .suite = SA_AES128_GCM16,
				.spi_in = 1000,
				.spi_out = 2000 };
	struct path_ends ends = { .peer = at("192.0.2.1"), .verified = true };

	ck_assert_int_eq(esp_setup(), HG_OK);
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\n[host]\n");
	pair.self = b->g.selves[0];
	memset(pair.peer.b, 7, sizeof(pair.peer.b));
	ck_assert_int_eq(
		tables_add_sa(&b->g.plane.tables, &pair, &ends, 1, true, 0),
		HG_OK);
	sa = tables_sa_in(&b->g.plane.tables, 1000);
	ck_assert_int_eq(tables_use_sa(&b->g.plane.tables, sa), HG_OK);
	e = (struct hip_effect){ .kind = HIP_LOCATOR,
				 .self = pair.self,
				 .peer = pair.peer,
				 .self_at = at("198.51.100.9"),
				 .peer_at = at("198.51.100.1"),
				 .committed = true,
				 .verified = true };
}

static void teardown(void)
{
	reload_bed_free(b);
}

static const struct path *path(void)
{
	return atomic_load(&sa->path);
}

START_TEST(a_locator_is_the_path)
{
	moveside_locator(&b->g, &e);
	ck_assert(endpoint_eq(&path()->ends.peer, &e.peer_at));
	ck_assert(addr_eq(&path()->ends.from.self, &e.self_at.addr));
	ck_assert(path()->ends.verified);
	ck_assert_int_eq(atomic_load(&path()->credit), 0);
}
END_TEST

START_TEST(what_is_not_committed_moves_nothing)
{
	const struct path *was = path();

	e.committed = false;
	moveside_locator(&b->g, &e);
	ck_assert_ptr_eq(path(), was);
	e.committed = true;
	e.peer.b[3]++; /* nobody */
	moveside_locator(&b->g, &e);
	ck_assert_ptr_eq(path(), was);
}
END_TEST

START_TEST(credit_adds_up_until_it_is_verified)
{
	e.verified = false;
	e.credit = 1000;
	moveside_locator(&b->g, &e);
	ck_assert(!path()->ends.verified);
	ck_assert_int_eq(atomic_load(&path()->credit), 1000);
	e.credit = 500;
	moveside_locator(&b->g, &e);
	ck_assert_int_eq(atomic_load(&path()->credit), 1500);
	e.peer_at.port++; /* elsewhere: nothing is carried over */
	e.credit = 70;
	moveside_locator(&b->g, &e);
	ck_assert_int_eq(atomic_load(&path()->credit), 70);
	e.verified = true;
	moveside_locator(&b->g, &e);
	ck_assert(path()->ends.verified);
}
END_TEST

START_TEST(active_ones_are_kept_in_mind)
{
	ck_assert_int_eq(uv_timer_init(uv_default_loop(), &b->g.pulse), 0);
	for (uint32_t i = 0; i < 1000; i++)
		moveside_active(&b->g, i);
	ck_assert_uint_eq(b->g.active.num, 1000);
	for (uint32_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(b->g.active.spi[i], i);
	ck_assert(uv_is_active((uv_handle_t *)&b->g.pulse));
	/* The loop outlives it. */
	uv_close((uv_handle_t *)&b->g.pulse, NULL);
	(void)uv_run(uv_default_loop(), UV_RUN_NOWAIT);
	free(b->g.active.spi);
}
END_TEST

Suite *test_moveside_suite(void);
Suite *test_moveside_suite(void)
{
	Suite *s = suite_create("moveside");
	TCase *t = tcase_create("paths");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_locator_is_the_path);
	tcase_add_test(t, what_is_not_committed_moves_nothing);
	tcase_add_test(t, credit_adds_up_until_it_is_verified);
	tcase_add_test(t, active_ones_are_kept_in_mind);
	suite_add_tcase(s, t);
	return s;
}
