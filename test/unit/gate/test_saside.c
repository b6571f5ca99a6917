/* SPDX-License-Identifier: MIT */
/* SAs of the engine for the workers: which are published, when one rests. */
#include "reload_bed.h"

#include "esp/esp.h"

static struct reload_bed *b;
static struct hip_effect e;
static uv_loop_t loop;

static void on_wake(uv_async_t *a)
{
	(void)a;
}

static void setup(void)
{
	ck_assert_int_eq(esp_setup(), HG_OK);
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\n[host]\n");
	ck_assert_int_eq(uv_loop_init(&loop), 0);
	ck_assert_int_eq(
		inbox_init(&b->g.workers[0].inbox, &loop, on_wake, NULL),
		HG_OK);
	b->g.loop = &loop;
	b->g.plane.has_tun = true;
	b->g.plane.tun.mtu = 1500;
	b->g.plane.workers_num = 1;
	ck_assert_int_eq(uv_timer_init(&loop, &b->g.pulse), 0);
	e = (struct hip_effect){ .kind = HIP_SA_UP, .self = b->g.selves[0] };
	memset(e.peer.b, 7, sizeof(e.peer.b));
	ck_assert_int_eq(endpoint_parse("192.0.2.1", 10500, &e.peer_at), HG_OK);
	e.sa = (struct sa_pair){ .self = e.self,
				 .peer = e.peer,
				 .suite = SA_AES128_GCM16,
				 .spi_in = 1000,
				 .spi_out = 2000 };
	memset(&e.sa.in, 5, sizeof(e.sa.in));
	memset(&e.sa.out, 6, sizeof(e.sa.out));
}

static void close_one(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void teardown(void)
{
	uv_walk(&loop, close_one, NULL);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	inbox_fini(&b->g.workers[0].inbox);
	ck_assert_int_eq(uv_loop_close(&loop), 0);
	free(b->g.active.spi);
	reload_bed_free(b);
}

static struct sa *sa(void)
{
	return tables_sa_in(&b->g.plane.tables, 1000);
}

static bool rests(void)
{
	return !atomic_load(&sa()->contexts);
}

static void seconds(unsigned n)
{
	while (n--)
		saside_traffic(&b->g);
}

START_TEST(an_sa_is_published_and_its_effect_wiped)
{
	static const struct sa_keys none;

	ck_assert_int_eq(saside_up(&b->g, &e), HG_OK);
	ck_assert_ptr_nonnull(sa());
	ck_assert_ptr_eq(tables_sa_out(&b->g.plane.tables, &e.self, &e.peer),
			 sa());
	ck_assert_mem_eq(&e.sa.in, &none, sizeof(none));
	ck_assert_mem_eq(&e.sa.out, &none, sizeof(none));
}
END_TEST

START_TEST(without_a_tun_nothing_is_published)
{
	static const struct sa_keys none;

	b->g.plane.has_tun = false;
	ck_assert_int_eq(saside_up(&b->g, &e), HG_OK);
	ck_assert_mem_eq(&e.sa.in, &none, sizeof(none));
	ck_assert_uint_eq(b->g.plane.tables.sas, 0);
	/* What comes of it later has nothing to do. */
	e.sa.spi_in = 1000;
	ck_assert_int_eq(saside_switch(&b->g, &e), HG_OK);
	moveside_locator(&b->g, &e);
	saside_traffic(&b->g);
	saside_down(&b->g, &e);
	ck_assert_uint_eq(b->g.plane.tables.sas, 0);
}
END_TEST

START_TEST(an_sa_rests_after_a_minute_without_use)
{
	ck_assert_int_eq(saside_up(&b->g, &e), HG_OK);
	seconds(59);
	ck_assert(!rests());
	atomic_fetch_add(&sa()->in_packets, 1);
	seconds(60);
	ck_assert(!rests());
	seconds(1);
	ck_assert(rests());
	seconds(200);
	ck_assert(rests());
	ck_assert_int_eq(tables_wake_sa(sa()), HG_OK);
	seconds(59);
	ck_assert(!rests());
	seconds(1);
	ck_assert(rests());
}
END_TEST

START_TEST(esp_wakes_its_sa_and_goes_to_its_worker)
{
	static const uint8_t esp[] = { 0, 0, 0x03, 0xe8, 0, 0, 0, 1 };
	static const uint8_t other[] = { 0, 0, 0x03, 0xe9, 0, 0, 0, 1 };
	struct inbox *in = &b->g.workers[0].inbox;
	struct msg *m;

	ck_assert_int_eq(saside_up(&b->g, &e), HG_OK);
	tables_rest_sa(sa());
	saside_wake(&b->g, inbox_msg(MSG_ESP, other, sizeof(other), 1));
	ck_assert(rests());
	ck_assert_ptr_null(inbox_take(in));
	ck_assert_uint_eq(reason_get(&b->g.drops, REASON_ESP_SPI), 1);
	saside_wake(&b->g, inbox_msg(MSG_ESP, esp, sizeof(esp), 1));
	ck_assert(!rests());
	m = inbox_take(in);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(m->kind, MSG_ESP);
	ck_assert_mem_eq(m->data, esp, sizeof(esp));
	free(m);
}
END_TEST

Suite *test_saside_suite(void);
Suite *test_saside_suite(void)
{
	Suite *s = suite_create("saside");
	TCase *tc = tcase_create("saside");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, an_sa_is_published_and_its_effect_wiped);
	tcase_add_test(tc, without_a_tun_nothing_is_published);
	tcase_add_test(tc, an_sa_rests_after_a_minute_without_use);
	tcase_add_test(tc, esp_wakes_its_sa_and_goes_to_its_worker);
	suite_add_tcase(s, tc);
	return s;
}
