/* SPDX-License-Identifier: MIT */
/* The control socket: whom a slow reader slows, and what it is told. */
#include "cmd/hipgated/control.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/hipgated/gate.h"
#include "test/unit/gate/socket_bed.h"

static struct gate *g;
static char dir[] = "/tmp/test_control.XXXXXX";

static void setup(void)
{
	char err[256] = "";

	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	g = calloc(1, sizeof(*g));
	g->cfg = calloc(1, sizeof(*g->cfg));
	g->loop = uv_default_loop();
	events_init(&g->events, "proxy");
	(void)snprintf(g->cfg->control, sizeof(g->cfg->control), "%s/sock",
		       dir);
	ck_assert_int_eq(control_start(g, &g->control, err, sizeof(err)), 0);
}

static void teardown(void)
{
	control_stop(g->control);
	while (uv_run(g->loop, UV_RUN_NOWAIT))
		;
	control_fini(g->control);
	events_fini(&g->events);
	(void)unlink(g->cfg->control);
	(void)rmdir(dir);
	free(g->cfg);
	free(g);
}

static void turn(void)
{
	for (unsigned i = 0; i < 8; i++)
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
}

static int asked(const char *request)
{
	int fd = socket_ask(g->cfg->control, request, SOCK_NONBLOCK);

	turn();
	return fd;
}

/* All there is to read, NUL-terminated; heap. */
static char *all_of(int fd)
{
	size_t len = 0;
	char *text = malloc(64 << 20);
	ssize_t n;

	do {
		n = read(fd, text + len, (64 << 20) - 1 - len);
		if (n > 0)
			len += (size_t)n;
		turn();
	} while (n > 0);
	text[len] = '\0';
	return text;
}

static void one_event(unsigned i)
{
	events_add(&g->events, uv_hrtime(), "", "test",
		   json_pack("{s:i}", "n", (int)i), "%0300u", i);
}

static unsigned count(const char *text, const char *word)
{
	unsigned n = 0;

	while ((text = strstr(text, word))) {
		text++;
		n++;
	}
	return n;
}

START_TEST(follower_is_told)
{
	int fd = asked("{\"verb\":\"events\",\"follow\":true}\n");
	char *text;

	one_event(1);
	turn();
	text = all_of(fd);
	ck_assert_uint_eq(count(text, "\"event\":\"test\""), 1);
	ck_assert_uint_eq(count(text, "\"lost\""), 0);
	free(text);
	close(fd);
}
END_TEST

START_TEST(slow_follower_loses_and_is_told_how_many)
{
	enum { EVENTS = 20000 };
	int fd = asked("{\"verb\":\"events\",\"follow\":true}\n");
	char *text, *at;
	unsigned seen;
	long lost;

	for (unsigned i = 0; i < EVENTS; i++)
		one_event(i);
	turn();
	text = all_of(fd); /* what was kept for it, then how many were not */
	seen = count(text, "\"event\":\"test\"");
	ck_assert_uint_lt(seen, EVENTS);
	/* No more than the bound, and what the kernel holds. */
	ck_assert_uint_lt(strlen(text), 2 * CONTROL_BEHIND + (4 << 20));
	at = strstr(text, "\"lost\":");
	ck_assert_ptr_nonnull(at);
	lost = strtol(at + 7, NULL, 10);
	ck_assert_int_eq((long)seen + lost, EVENTS);
	ck_assert_uint_eq(count(text, "\"event\":\"lost\""), 1);
	free(text);
	/* It reads again, so it is told again. */
	one_event(EVENTS);
	turn();
	text = all_of(fd);
	ck_assert_uint_eq(count(text, "\"event\":\"test\""), 1);
	free(text);
	close(fd);
}
END_TEST

START_TEST(one_who_asks_without_reading_is_cut_off)
{
	char request[] = "{\"verb\":\"events\"}\n";
	int fd, other;
	ssize_t n = 1;
	char *text;

	for (unsigned i = 0; i < EVENTS_KEPT; i++)
		one_event(i);
	fd = asked(request);
	for (unsigned i = 0; i < 64 && n > 0; i++) {
		n = send(fd, request, strlen(request), MSG_NOSIGNAL);
		turn();
	}
	ck_assert_int_lt(n, 0);
	close(fd);
	/* Others are served. */
	other = asked("{\"verb\":\"version\"}\n");
	text = all_of(other);
	ck_assert_uint_eq(count(text, "\"protocol\":1"), 1);
	free(text);
	close(other);
}
END_TEST

START_TEST(what_is_wrong_is_said_with_a_code)
{
	static const char *const wrong[][2] = {
		{ "{\"verb\":\"frob\"}\n", "\"code\":\"unknown-verb\"" },
		{ "{\"verb\":7}\n", "\"code\":\"bad-request\"" },
		{ "rubbish\n", "\"code\":\"bad-request\"" },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		int fd = asked(wrong[i][0]);
		char *text = all_of(fd);

		ck_assert_uint_eq(count(text, wrong[i][1]), 1);
		ck_assert_uint_eq(count(text, "\"ok\":false"), 1);
		ck_assert_uint_eq(count(text, HIPGATE_VERSION), 1 + (i == 0));
		free(text);
		close(fd);
	}
}
END_TEST

START_TEST(a_reason_that_is_no_utf8_is_told_all_the_same)
{
	int fd = asked("{\"verb\":\"events\",\"follow\":true}\n");
	char *text;

	turn();
	control_refuse(g->control, 1, "\xff\xc3 is \"bad\"\n");
	turn();
	text = all_of(fd);
	ck_assert_uint_eq(count(text, "\"error\":\"?? is \\\"bad\\\"?\"}"), 1);
	free(text);
	close(fd);
}
END_TEST

START_TEST(what_cannot_be_packed_is_an_error)
{
	int fd = asked("{\"verb\":\"events\",\"follow\":true}\n");
	char *text;

	turn();
	ck_assert(control_answer(g->control, 1, "ping", NULL));
	turn();
	text = all_of(fd);
	ck_assert_uint_eq(count(text, "\"ok\":false"), 1);
	ck_assert_uint_eq(count(text, "\"code\":\"failed\""), 1);
	free(text);
	close(fd);
}
END_TEST

START_TEST(a_later_answer_finds_its_client_or_nobody)
{
	int fd = asked("{\"verb\":\"events\",\"follow\":true}\n");
	unsigned uid, pid;
	char *text;

	ck_assert(control_is_there(g->control, 1));
	ck_assert(!control_is_there(g->control, 0));
	ck_assert(!control_is_there(g->control, 2));
	ck_assert(control_who(g->control, 1, &uid, &pid));
	ck_assert_uint_eq(uid, getuid());
	ck_assert_uint_eq(pid, (unsigned)getpid());
	ck_assert(control_answer(g->control, 1, "ping", json_object()));
	ck_assert(control_send(g->control, 1, CONTROL_BEHIND, "\0\1", 2));
	turn();
	text = all_of(fd);
	ck_assert_uint_eq(count(text, "\"verb\":\"ping\""), 1);
	free(text);
	close(fd);
	turn();
	ck_assert(!control_is_there(g->control, 1));
	ck_assert(!control_answer(g->control, 1, "ping", json_object()));
	ck_assert(!control_send(g->control, 1, CONTROL_BEHIND, "\0\1", 2));
	ck_assert(!control_who(g->control, 1, &uid, &pid));
}
END_TEST

Suite *test_control_suite(void)
{
	Suite *s = suite_create("control");
	TCase *tc = tcase_create("control");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, follower_is_told);
	tcase_add_test(tc, slow_follower_loses_and_is_told_how_many);
	tcase_add_test(tc, one_who_asks_without_reading_is_cut_off);
	tcase_add_test(tc, what_is_wrong_is_said_with_a_code);
	tcase_add_test(tc, a_reason_that_is_no_utf8_is_told_all_the_same);
	tcase_add_test(tc, what_cannot_be_packed_is_an_error);
	tcase_add_test(tc, a_later_answer_finds_its_client_or_nobody);
	suite_add_tcase(s, tc);
	return s;
}
