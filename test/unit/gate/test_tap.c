/* SPDX-License-Identifier: MIT */
/* A capture over the control socket: what it sends, its end, and a reader
 * that does not read or goes away. */
#include "cmd/hipgated/tap.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cmd/hipgated/control.h"
#include "cmd/hipgated/tapring.h"
#include "core/wire.h"
#include "test/unit/gate/reload_bed.h"

static struct reload_bed *b;
static struct gate *g;

static void setup(void)
{
	char err[256] = "";

	(void)signal(SIGPIPE, SIG_IGN); /* as hipgated has it */
	b = reload_bed_new("[daemon]\nidentity = %/a.pem\ncontrol = %/sock\n"
			   "[host]\n");
	g = &b->g;
	g->loop = uv_default_loop();
	g->plane.workers_num = 1;
	strcpy(g->plane.tun.name, "hip7");
	ck_assert_int_eq(uv_timer_init(g->loop, &g->timer), 0);
	ck_assert_int_eq(control_start(g, &g->control, err, sizeof(err)), 0);
}

static void turn(void)
{
	for (unsigned i = 0; i < 8; i++)
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
}

static void teardown(void)
{
	tap_stop(g);
	control_stop(g->control);
	uv_close((uv_handle_t *)&g->timer, NULL);
	while (uv_run(g->loop, UV_RUN_NOWAIT))
		;
	control_fini(g->control);
	(void)unlink(g->cfg->control);
	reload_bed_free(b);
}

/* ---- the reader --------------------------------------------------------------- */

static uint8_t got[1 << 20];
static size_t have, used;

static int begun(const char *request)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	uint8_t *end;
	ssize_t n;

	strcpy(sun.sun_path, g->cfg->control);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	ck_assert_int_eq(write(fd, request, strlen(request)),
			 (ssize_t)strlen(request));
	turn();
	n = read(fd, got, sizeof(got));
	ck_assert_int_gt(n, 0);
	have = (size_t)n;
	end = memchr(got, '\n', have);
	ck_assert_ptr_nonnull(end);
	*end = '\0';
	used = (size_t)(end + 1 - got);
	return fd;
}

/* The next frame's type, its content at *p; 0: there is none. */
static char frame(int fd, const uint8_t **p, size_t *len)
{
	ssize_t n = read(fd, got + have, sizeof(got) - have);

	have += n > 0 ? (size_t)n : 0;
	if (have - used < 5)
		return 0;
	*len = get_be32(got + used) - 1;
	if (*len > have - used - 5)
		return 0; /* not all of it, yet */
	*p = got + used + 5;
	used += *len + 5;
	return (char)got[used - *len - 1];
}

static json_t *stats(const uint8_t *p, size_t len)
{
	json_t *o = json_loadb((const char *)p, len, 0, NULL);

	ck_assert_ptr_nonnull(o);
	return o;
}

static json_int_t number(json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

/* As a worker does; what has no room is lost. */
static void worker_puts(unsigned num, size_t len)
{
	struct tapring *r = atomic_load(&g->workers[0].tap);

	ck_assert_ptr_nonnull(r);
	for (unsigned i = 0; i < num; i++) {
		struct tap_record *rec =
			tapring_put(r, TAP_TUN_IN, uv_hrtime(), len);

		if (!rec)
			continue;
		memset(rec->data, (int)i, rec->caplen);
		rec->reason = REASON_NO_MAPPING;
	}
	tapring_publish(r);
}

static void stop(int fd)
{
	static const char stop[] = "{\"verb\":\"capture\",\"stop\":true}\n";

	ck_assert_int_eq(write(fd, stop, sizeof(stop) - 1), sizeof(stop) - 1);
	turn();
}

/* ---- tests ---------------------------------------------------------------------- */

START_TEST(what_was_under_way_comes_before_the_end)
{
	int fd = begun("{\"verb\":\"capture\"}\n");
	uint8_t own[40] = { 0x60 };
	const uint8_t *p;
	size_t len;
	json_t *o;

	ck_assert_ptr_nonnull(strstr((char *)got, "\"ok\":true"));
	ck_assert_ptr_nonnull(strstr((char *)got, "\"tun\":\"hip7\""));
	worker_puts(3, 60);
	tap_tun(g, own, sizeof(own));
	stop(fd); /* no tick has passed: all is in the rings */
	for (unsigned i = 0; i < 4; i++) {
		uint16_t comment;

		ck_assert_int_eq(frame(fd, &p, &len), 'P');
		comment = get_be16(p + 14);
		ck_assert_uint_eq(p[8], 0); /* the TUN's side */
		ck_assert_uint_eq(p[9], i < 3 ? 1 : 2);
		ck_assert_uint_eq(get_be32(p + 10), i < 3 ? 60 : sizeof(own));
		ck_assert_uint_eq(len, 16 + comment + get_be32(p + 10));
		ck_assert_uint_eq(p[16 + comment], i < 3 ? i : 0x60);
		if (i < 3)
			ck_assert_ptr_nonnull(
				memmem(p + 16, comment, "no-mapping", 10));
	}
	ck_assert_int_eq(frame(fd, &p, &len), 'S');
	o = stats(p, len);
	ck_assert(json_is_true(json_object_get(o, "end")));
	ck_assert_int_eq(number(o, "packets"), 4);
	ck_assert_int_eq(number(o, "lost"), 0);
	json_decref(o);
	ck_assert_int_eq(frame(fd, &p, &len), 0);
	ck_assert_ptr_null(g->tap);
	ck_assert_ptr_null(atomic_load(&g->workers[0].tap));
	close(fd);
}
END_TEST

START_TEST(each_packet_is_cut_to_the_snaplen)
{
	int fd = begun("{\"verb\":\"capture\",\"snaplen\":20}\n");
	const uint8_t *p;
	size_t len;

	worker_puts(1, 1000);
	stop(fd);
	ck_assert_int_eq(frame(fd, &p, &len), 'P');
	ck_assert_uint_eq(get_be32(p + 10), 1000);
	ck_assert_uint_eq(len, 16u + get_be16(p + 14) + 20);
	close(fd);
}
END_TEST

/* More than the bounds hold: packets are lost and counted, the end is not. */
START_TEST(who_does_not_read_loses_packets_and_gets_the_end)
{
	int fd = begun("{\"verb\":\"capture\"}\n");
	uint64_t packets = 0;
	const uint8_t *p;
	size_t len;
	json_t *o = NULL;
	char type = 0;

	for (unsigned i = 0; i < 40; i++) {
		worker_puts(200, 1400);
		(void)uv_run(g->loop, UV_RUN_ONCE); /* a tick */
	}
	stop(fd);
	for (unsigned idle = 0; !o && idle < 1000; idle++) {
		while ((type = frame(fd, &p, &len))) {
			packets += type == 'P';
			if (type == 'S' && !o) {
				o = stats(p, len);
				if (!json_is_true(json_object_get(o, "end"))) {
					json_decref(o);
					o = NULL;
				}
			}
			if (have > sizeof(got) / 2 && used == have)
				have = used = 0;
		}
		memmove(got, got + used, have - used);
		have -= used;
		used = 0;
		turn();
	}
	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(number(o, "packets"), (json_int_t)packets);
	ck_assert_int_gt(number(o, "lost"), 0);
	ck_assert_int_eq(number(o, "packets") + number(o, "lost"), 40 * 200);
	json_decref(o);
	close(fd);
}
END_TEST

START_TEST(a_reader_that_goes_away_ends_it)
{
	int fd = begun("{\"verb\":\"capture\"}\n");

	worker_puts(3, 60);
	ck_assert_ptr_nonnull(g->tap);
	close(fd);
	for (unsigned i = 0; g->tap && i < 100; i++)
		(void)uv_run(g->loop, UV_RUN_ONCE);
	ck_assert_ptr_null(g->tap);
	ck_assert_ptr_null(atomic_load(&g->workers[0].tap));
	/* And the next one may begin. */
	fd = begun("{\"verb\":\"capture\"}\n");
	ck_assert_ptr_nonnull(strstr((char *)got, "\"ok\":true"));
	close(fd);
}
END_TEST

START_TEST(there_is_one_at_a_time_and_nobody_ends_anothers)
{
	int fd = begun("{\"verb\":\"capture\"}\n");
	int other = begun("{\"verb\":\"capture\"}\n");

	ck_assert_ptr_nonnull(strstr((char *)got, "another capture"));
	stop(other);
	ck_assert_ptr_nonnull(g->tap);
	stop(fd);
	ck_assert_ptr_null(g->tap);
	close(fd);
	close(other);
}
END_TEST

Suite *test_tap_suite(void);
Suite *test_tap_suite(void)
{
	Suite *s = suite_create("tap");
	TCase *tc = tcase_create("tap");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_was_under_way_comes_before_the_end);
	tcase_add_test(tc, each_packet_is_cut_to_the_snaplen);
	tcase_add_test(tc, who_does_not_read_loses_packets_and_gets_the_end);
	tcase_add_test(tc, a_reader_that_goes_away_ends_it);
	tcase_add_test(tc, there_is_one_at_a_time_and_nobody_ends_anothers);
	suite_add_tcase(s, tc);
	return s;
}
