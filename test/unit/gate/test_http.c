/* SPDX-License-Identifier: MIT */
/* HTTP answers when the control thread does not: this test is that thread. */
#include "cmd/hipgated/http.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/hipgated/gate.h"
#include "test/unit/gate/socket_bed.h"

static struct gate *g;
static char dir[] = "/tmp/test_http.XXXXXX";
static char answer[1 << 16];

static void setup(void)
{
	char err[256] = "";

	strcpy(dir + sizeof(dir) - 7, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	g = calloc(1, sizeof(*g));
	g->cfg = calloc(1, sizeof(*g->cfg));
	g->loop = uv_default_loop();
	(void)snprintf(g->cfg->http.path, sizeof(g->cfg->http.path), "%s/sock",
		       dir);
	ck_assert_msg(http_start(g, &g->http, err, sizeof(err)) == HG_OK, "%s",
		      err);
}

static void teardown(void)
{
	http_stop(g->http);
	while (uv_run(g->loop, UV_RUN_NOWAIT))
		;
	http_fini(g->http);
	(void)rmdir(dir);
	free(g->cfg);
	free(g);
}

/* Status of the answer, which is in `answer`. The loop stands still. */
static int get(const char *path, const char *host)
{
	char request[256];
	size_t len = 0;
	ssize_t n;
	int status;
	int fd;

	(void)snprintf(request, sizeof(request),
		       "GET %s HTTP/1.1\r\nHost: %s\r\n"
		       "Connection: close\r\n\r\n",
		       path, host);
	fd = socket_ask(g->cfg->http.path, request, 0);
	while ((n = read(fd, answer + len, sizeof(answer) - 1 - len)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(fd);
	ck_assert_int_eq(sscanf(answer, "HTTP/1.1 %d ", &status), 1);
	return status;
}

static void is(int status, const char *path, const char *text)
{
	ck_assert_int_eq(get(path, "localhost"), status);
	ck_assert_msg(strstr(answer, text), "lacks \"%s\": %s", text, answer);
}

START_TEST(ready_is_what_the_control_thread_said_last)
{
	is(503, "/ready", "it is starting");
	g->health.ready = true;
	http_pulse(g->http, g, uv_hrtime());
	is(200, "/ready", "\r\n\r\nready\n");
	g->health.ready = false;
	strcpy(g->health.why, "hip0 is down");
	is(200, "/ready", "\r\n\r\nready\n"); /* it has not said so yet */
	http_pulse(g->http, g, uv_hrtime());
	is(503, "/ready", "\r\n\r\nhip0 is down\n");
}
END_TEST

START_TEST(a_control_thread_that_hangs_is_not_ready)
{
	const uint64_t silent = HTTP_SILENT_MS * UINT64_C(1000000);

	g->health.ready = true;
	http_pulse(g->http, g, uv_hrtime() - silent - 1);
	is(503, "/ready", "control thread does not answer");
	http_pulse(g->http, g, uv_hrtime()); /* it goes on */
	is(200, "/ready", "ready");
}
END_TEST

START_TEST(what_only_the_control_thread_knows_is_given_up)
{
	is(503, "/metrics", "control thread does not answer");
	is(503, "/", "control thread does not answer");
	is(404, "/ctl", "");
}
END_TEST

/* Whatever the answer: a refusal, too, is shown by a browser. */
START_TEST(every_answer_has_the_headers_that_bind_a_browser)
{
	static const char *const headers[] = {
		"\r\nContent-Security-Policy: default-src 'none'; ",
		"\r\nX-Content-Type-Options: nosniff\r\n",
		"\r\nX-Frame-Options: DENY\r\n",
		"\r\nCache-Control: no-store\r\n",
	};
	static const struct {
		const char *path, *host;
		int status;
	} rows[] = {
		{ "/ready", "localhost", 503 },
		{ "/nothing", "localhost", 404 },
		{ "/ready", "evil.example", 403 },
		{ "/ready", "localhost.evil.example", 403 },
		{ "/ready", "evil.example#@localhost", 403 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(get(rows[i].path, rows[i].host),
				 rows[i].status);
		for (size_t k = 0; k < sizeof(headers) / sizeof(headers[0]);
		     k++)
			ck_assert_msg(strstr(answer, headers[k]), "%s lacks %s",
				      rows[i].host, headers[k]);
		ck_assert_ptr_null(strcasestr(answer, "access-control"));
		/* Nothing of what was asked comes back. */
		ck_assert_ptr_null(strstr(answer, "evil"));
	}
}
END_TEST

Suite *test_http_suite(void);
Suite *test_http_suite(void)
{
	Suite *s = suite_create("http");
	TCase *tc = tcase_create("http");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, ready_is_what_the_control_thread_said_last);
	tcase_add_test(tc, a_control_thread_that_hangs_is_not_ready);
	tcase_add_test(tc, what_only_the_control_thread_knows_is_given_up);
	tcase_add_test(tc, every_answer_has_the_headers_that_bind_a_browser);
	suite_add_tcase(s, tc);
	return s;
}
