/* SPDX-License-Identifier: MIT */
/* Answers that are made piece by piece: what they add up to, and that others
 * are served between two of them. */
#include "cmd/hipgated/pieces.h"

#include <sys/socket.h>

#include "cmd/hipgated/control.h"
#include "cmd/hipgated/viewclients.h"
#include "test/unit/gate/reload_bed.h"
#include "test/unit/gate/socket_bed.h"

enum { HOSTS = 1000 };

static struct reload_bed *b;
static struct gate *g;

static void add_host(unsigned n)
{
	struct endpoint at;
	struct peer *p = reload_bed_host(b, n, &at);

	p->sub6 = (struct addr){ { 0xfd, 0x68, [15] = 2 } };
	p->parked = n % 2;
	ck_assert_int_eq(hip_want(g->hip, NULL, &p->hit, &at, 1, 1), HG_OK);
}

static void setup(void)
{
	struct hip_effect e;
	char err[256];

	b = reload_bed_new("[daemon]\nidentity = %/a.pem\ncontrol = %/sock\n"
			   "[host]\n");
	g = &b->g;
	g->loop = uv_default_loop();
	for (unsigned n = 0; n < HOSTS; n++) {
		add_host(n);
		while (hip_effect(g->hip, &e)) {
			if (e.kind != HIP_JOB)
				continue;
			hip_job_run(e.job);
			hip_job_done(g->hip, e.job, 1);
		}
	}
	ck_assert_int_eq(control_start(g, &g->control, err, sizeof(err)),
			 HG_OK);
}

static void teardown(void)
{
	control_stop(g->control);
	while (uv_run(g->loop, UV_RUN_NOWAIT))
		;
	control_fini(g->control);
	(void)unlink(g->cfg->control);
	reload_bed_free(b);
}

/* All pieces of an answer, and how many those were. */
static json_t *made(const char *verb, unsigned *num)
{
	static char line[4 << 20];
	struct pieces p;
	json_t *o;
	size_t len = 0;

	ck_assert(pieces_begin(&p, verb));
	for (*num = 0; pieces_are_made(&p); ++*num) {
		char *text = pieces_next(&p, g);

		ck_assert_ptr_nonnull(text);
		ck_assert_uint_lt(len + strlen(text), sizeof(line));
		strcpy(line + len, text);
		len += strlen(text);
		free(text);
	}
	ck_assert_ptr_eq(strchr(line, '\n'), line + len - 1);
	o = json_loads(line, 0, NULL);
	ck_assert_ptr_nonnull(o);
	ck_assert_int_eq(json_integer_value(json_object_get(o, "version")),
			 CONTROL_PROTOCOL);
	ck_assert_str_eq(json_string_value(json_object_get(o, "verb")), verb);
	ck_assert(json_is_true(json_object_get(o, "ok")));
	return o;
}

START_TEST(each_host_is_once_in_the_list)
{
	static const char *const verbs[][2] = { { "mappings", "hit" },
						{ "peers", "peer" } };
	unsigned num;

	for (size_t v = 0; v < 2; v++) {
		json_t *o = made(verbs[v][0], &num);
		const json_t *rows = json_object_get(o, "data");
		json_t *seen = json_object();
		const json_t *row;
		size_t i;

		/* No piece has many rows. */
		ck_assert_uint_ge(num, HOSTS / (2 * VIEWS_ROWS));
		ck_assert_uint_eq(json_array_size(rows), HOSTS);
		json_array_foreach(rows, i, row) ck_assert_int_eq(
			json_object_set_new(seen,
					    json_string_value(json_object_get(
						    row, verbs[v][1])),
					    json_null()),
			0);
		ck_assert_uint_eq(json_object_size(seen), HOSTS);
		json_decref(seen);
		json_decref(o);
	}
}
END_TEST

START_TEST(an_empty_list_is_one_piece)
{
	static const char *const verbs[] = { "sas", "flows", "clients",
					     "registrations", "pins" };
	unsigned num;

	for (size_t v = 0; v < 5; v++) {
		json_t *o = made(verbs[v], &num);

		ck_assert_uint_eq(num, 1);
		ck_assert(json_is_array(json_object_get(o, "data")));
		ck_assert_uint_eq(json_array_size(json_object_get(o, "data")),
				  0);
		json_decref(o);
	}
}
END_TEST

/* A name that nobody has: it is looked for among all. */
START_TEST(explain_is_one_line_in_the_end)
{
	json_t *req = json_pack("{s:s}", "name", "none.test");
	struct pieces p = { .list = NULL };
	char why[256];
	unsigned num;
	char *text;

	ck_assert_int_eq(pieces_explain(&p, g, req, why, sizeof(why)), HG_OK);
	json_decref(req);
	for (num = 1; *(text = pieces_next(&p, g)) == '\0'; num++) {
		ck_assert(pieces_are_made(&p) && !p.said);
		free(text);
	}
	ck_assert(!pieces_are_made(&p));
	ck_assert_uint_gt(num, HOSTS / VIEWS_SEEN);
	ck_assert_ptr_eq(strchr(text, '\n'), text + strlen(text) - 1);
	ck_assert_ptr_eq(strstr(text, "{\"version\":1,\"verb\":\"explain\","
				      "\"ok\":true,\"data\":{"),
			 text);
	free(text);
	ck_assert_int_eq(pieces_explain(&p, g, NULL, why, sizeof(why)),
			 HG_EINVAL);
	ck_assert(!pieces_are_made(&p));
}
END_TEST

START_TEST(what_cannot_be_made_is_said_with_its_reason)
{
	struct pieces p;

	g->client_lists = VIEWCLIENTS_MAX;
	ck_assert(pieces_begin(&p, "clients"));
	ck_assert_ptr_null(pieces_next(&p, g));
	ck_assert(!pieces_are_made(&p) && !p.said);
	ck_assert_ptr_nonnull(strstr(pieces_why(&p), "ask again"));
	g->client_lists = 0;
	ck_assert(pieces_begin(&p, "clients"));
	ck_assert_ptr_nonnull(strstr(pieces_why(&p), "memory"));
	pieces_give_up(&p);
}
END_TEST

START_TEST(counts_are_of_all)
{
	unsigned num;
	json_t *o = made("status", &num);
	json_t *metrics = made("metrics", &num);
	const json_t *n = json_object_get(json_object_get(o, "data"), "counts");
	const char *text = json_string_value(
		json_object_get(json_object_get(metrics, "data"), "text"));

	ck_assert_uint_gt(num, 3);
	ck_assert_int_eq(json_integer_value(json_object_get(n, "associations")),
			 HOSTS);
	ck_assert_int_eq(json_integer_value(json_object_get(n, "peers")),
			 HOSTS);
	ck_assert_int_eq(json_integer_value(json_object_get(n, "parked")),
			 HOSTS / 2);
	ck_assert_ptr_nonnull(
		strstr(text, "hipgate_associations{state=\"I1-SENT\",path="
			     "\"direct\",family=\"ipv4\"} 1000\n"));
	ck_assert_ptr_nonnull(strstr(text, "hipgate_hosts 1000\n"));
	ck_assert_ptr_nonnull(strstr(text, "hipgate_parked_packets 500\n"));
	json_decref(metrics);
	json_decref(o);
}
END_TEST

START_TEST(what_is_given_up_is_freed)
{
	struct pieces p;
	json_t *req;
	char why[256];

	ck_assert(!pieces_begin(&p, "version"));
	ck_assert(!pieces_are_made(&p));
	ck_assert(pieces_begin(&p, "status"));
	free(pieces_next(&p, g));
	ck_assert(pieces_are_made(&p));
	pieces_give_up(&p);
	ck_assert(!pieces_are_made(&p));
	ck_assert_ptr_null(p.walk.s);
	ck_assert(pieces_begin(&p, "peers"));
	free(pieces_next(&p, g));
	ck_assert(p.said && pieces_are_made(&p));
	pieces_give_up(&p);
	ck_assert(!p.said && !pieces_are_made(&p));
	req = json_pack("{s:s}", "name", "h0500.test");
	ck_assert_int_eq(pieces_explain(&p, g, req, why, sizeof(why)), HG_OK);
	json_decref(req);
	free(pieces_next(&p, g));
	ck_assert(pieces_are_made(&p));
	pieces_give_up(&p);
	ck_assert(!pieces_are_made(&p));
}
END_TEST

/* ---- over the socket ---------------------------------------------------------- */

static int asked(const char *request)
{
	return socket_ask(g->cfg->control, request, SOCK_NONBLOCK);
}

static ssize_t some_of(int fd, char *text, size_t cap)
{
	ssize_t n = read(fd, text, cap - 1);

	text[n > 0 ? n : 0] = '\0';
	return n;
}

START_TEST(another_is_answered_while_a_list_is_made)
{
	static char text[4 << 20];
	int list = asked("{\"verb\":\"peers\"}\n{\"verb\":\"version\"}\n");
	int other = asked("{\"verb\":\"version\"}\n");
	size_t len = 0;
	unsigned turns = 0;
	char *end;

	while (some_of(other, text, 4096) < 0) {
		ck_assert_uint_lt(turns++, 20);
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
	}
	ck_assert_ptr_nonnull(strstr(text, "\"protocol\""));
	/* The list is not whole by then. */
	len = (size_t)some_of(list, text, sizeof(text));
	ck_assert_uint_gt(len, 0);
	ck_assert_ptr_null(strchr(text, '\n'));
	/* And what its client asked next comes behind it. */
	while (!strstr(text + (len > 200 ? len - 200 : 0), "\"protocol\"")) {
		ssize_t n;

		ck_assert_uint_lt(turns++, 10000);
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
		n = some_of(list, text + len, sizeof(text) - len);
		len += n > 0 ? (size_t)n : 0;
	}
	end = strchr(text, '\n');
	ck_assert_ptr_nonnull(end);
	ck_assert_mem_eq(end - 2, "]}\n{\"version\"", 13);
	close(list);
	close(other);
}
END_TEST

START_TEST(who_does_not_read_is_not_waited_for)
{
	static char text[4 << 20];
	int list = asked("{\"verb\":\"peers\"}\n");
	int other;
	size_t len = 0;

	/* So many turns would be all of it, and it fits into the bounds. */
	for (unsigned i = 0; i < 200; i++)
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
	ck_assert_int_eq(uv_backend_timeout(g->loop), -1); /* it rests */
	close(list);
	for (unsigned i = 0; i < 8; i++)
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
	other = asked("{\"verb\":\"version\"}\n");
	for (unsigned i = 0; i < 8; i++)
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
	len = (size_t)some_of(other, text, sizeof(text));
	ck_assert_uint_gt(len, 0);
	close(other);
}
END_TEST

START_TEST(an_event_does_not_stand_in_the_middle_of_a_line)
{
	static char text[4 << 20];
	int fd = asked("{\"verb\":\"events\",\"follow\":true}\n"
		       "{\"verb\":\"peers\"}\n");
	size_t len = 0;
	char *line;
	json_t *o;

	for (unsigned i = 0; i < 2000; i++) {
		ssize_t n;

		events_add(&g->events, i, "", "test", json_object(), "event");
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
		n = some_of(fd, text + len, sizeof(text) - len);
		len += n > 0 ? (size_t)n : 0;
	}
	ck_assert_ptr_nonnull(strstr(text, "\"verb\":\"peers\""));
	ck_assert_ptr_nonnull(strstr(text, "\"lost\":"));
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		o = json_loads(line, 0, NULL);
		ck_assert_msg(o != NULL, "no JSON: %.200s", line);
		json_decref(o);
	}
	close(fd);
}
END_TEST

Suite *test_pieces_suite(void);
Suite *test_pieces_suite(void)
{
	Suite *s = suite_create("pieces");
	TCase *tc = tcase_create("pieces");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, each_host_is_once_in_the_list);
	tcase_add_test(tc, an_empty_list_is_one_piece);
	tcase_add_test(tc, explain_is_one_line_in_the_end);
	tcase_add_test(tc, what_cannot_be_made_is_said_with_its_reason);
	tcase_add_test(tc, counts_are_of_all);
	tcase_add_test(tc, what_is_given_up_is_freed);
	tcase_add_test(tc, another_is_answered_while_a_list_is_made);
	tcase_add_test(tc, who_does_not_read_is_not_waited_for);
	tcase_add_test(tc, an_event_does_not_stand_in_the_middle_of_a_line);
	suite_add_tcase(s, tc);
	return s;
}
