/* SPDX-License-Identifier: MIT */
/* Ports that are ready: each for one question, and for that server. */
#include "cmd/hipgated/askport.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/hipgated/sockets.h"

#define NOW ASKPORT_AGE /* any time but 0 */

static struct askports p;
static struct endpoint at; /* of the server */
static int server;

static struct endpoint loopback(const char *text, uint16_t port)
{
	struct endpoint e = { .port = port };

	ck_assert_int_eq(addr_parse(text, &e.addr), 0);
	return e;
}

/* A socket at e, whose port it gets. */
static int bound(struct endpoint *e)
{
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(e, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	*e = sockets_endpoint((struct sockaddr *)&ss);
	return fd;
}

static void setup(void)
{
	memset(&p, 0, sizeof(p));
	p.waits = epoll_create1(0);
	ck_assert_int_ge(p.waits, 0);
	p.ready = ASKPORT_READY;
	at = loopback("127.0.0.1", 0);
	server = bound(&at);
}

static void teardown(void)
{
	askport_fini(&p);
	(void)close(p.waits);
	(void)close(server);
}

static struct askport *ask(const struct endpoint *to, uint64_t now)
{
	struct askport *port = askport_ask(&p, to, "question", 8, now);

	ck_assert_ptr_nonnull(port);
	ck_assert_int_eq(port->state, ASKPORT_ASKED);
	port->asker = &p;
	return port;
}

/* Asks once, and has some made ready. */
static void make_ready(uint64_t now)
{
	askport_end(&p, ask(&at, now));
	askport_tend(&p, true, now);
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY);
	ck_assert_uint_eq(p.spent_num, 0);
}

static struct endpoint name_of(const struct askport *port)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	ck_assert_int_eq(getsockname(port->fd, (struct sockaddr *)&ss, &len),
			 0);
	return sockets_endpoint((struct sockaddr *)&ss);
}

static void say(int fd, const struct askport *port)
{
	struct endpoint to = name_of(port);
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&to, &ss);

	ck_assert_int_eq(
		sendto(fd, "answer", 6, 0, (struct sockaddr *)&ss, len), 6);
}

/* Those that the epoll calls readable. */
static int readable(struct epoll_event ev[ASKPORT_READY])
{
	return epoll_wait(p.waits, ev, ASKPORT_READY, 0);
}

/* Does the server have a question? From where? */
static bool is_heard(struct endpoint *from)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char buf[16];

	if (recvfrom(server, buf, sizeof(buf), 0, (struct sockaddr *)&ss,
		     &len) != 8)
		return false;
	*from = sockets_endpoint((struct sockaddr *)&ss);
	return true;
}

/* Whether it was ready or not. The kernel draws, so one of those that are
 * closed may come again: by chance, which comes to 0.3 times here. */
START_TEST(each_question_leaves_from_another_port)
{
	enum { ASKS = 8 * ASKPORT_READY };
	struct endpoint from[ASKS];
	unsigned again = 0;

	for (unsigned i = 0; i < ASKS; i++) {
		struct askport *port = ask(&at, NOW);
		struct endpoint own = name_of(port);

		ck_assert(is_heard(&from[i]));
		ck_assert(endpoint_eq(&from[i], &own));
		for (unsigned k = 0; k < i; k++)
			again += from[k].port == from[i].port;
		askport_end(&p, port);
		askport_tend(&p, false, NOW);
		ck_assert_uint_lt(p.spent_num, ASKPORT_CLOSE);
	}
	ck_assert_uint_le(again, 8);
	ck_assert_uint_gt(p.server[0].num, 0);
}
END_TEST

START_TEST(one_that_is_ready_costs_no_new_socket)
{
	struct askport *next;

	make_ready(NOW);
	next = p.server[0].idle;
	ck_assert_ptr_eq(ask(&at, NOW), next);
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY - 1);
	askport_end(&p, next);
}
END_TEST

/* More than are ready at once. */
START_TEST(with_none_ready_one_is_made)
{
	struct askport *port[2 * ASKPORT_READY];
	struct endpoint from;

	make_ready(NOW);
	ck_assert(is_heard(&from));
	for (unsigned i = 0; i < 2 * ASKPORT_READY; i++) {
		port[i] = ask(&at, NOW);
		ck_assert(is_heard(&from));
	}
	ck_assert_uint_eq(p.server[0].num, 0);
	for (unsigned i = 0; i < 2 * ASKPORT_READY; i++)
		askport_end(&p, port[i]);
}
END_TEST

START_TEST(what_is_ready_is_for_that_server)
{
	static const char *const text[] = { "127.0.0.1", "127.0.0.2", "::1" };

	make_ready(NOW);
	for (unsigned i = 0; i < 3; i++) {
		struct endpoint other = loopback(text[i], at.port ^ 1);
		struct askport *port = ask(&other, NOW);
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct endpoint peer;

		ck_assert_uint_eq(p.server[0].num, ASKPORT_READY);
		ck_assert_int_eq(
			getpeername(port->fd, (struct sockaddr *)&ss, &len), 0);
		peer = sockets_endpoint((struct sockaddr *)&ss);
		ck_assert(endpoint_eq(&peer, &other));
		askport_end(&p, port);
	}
}
END_TEST

/* A fifth server takes the place of the one asked longest ago, but not while
 * all are asked in turn. */
START_TEST(few_servers_have_ports_ready)
{
	struct endpoint fifth = loopback("127.0.0.3", 1000);

	make_ready(NOW);
	for (unsigned i = 1; i < ASKPORT_SERVERS; i++) {
		struct endpoint other =
			loopback("127.0.0.2", (uint16_t)(1000 + i));

		askport_end(&p, ask(&other, NOW + i));
	}
	askport_end(&p, ask(&fifth, NOW + ASKPORT_PLACE - 1));
	ck_assert(endpoint_eq(&p.server[0].at, &at));
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY);
	askport_end(&p, ask(&fifth, NOW + ASKPORT_PLACE));
	ck_assert(endpoint_eq(&p.server[0].at, &fifth));
	ck_assert_uint_eq(p.server[0].num, 0);
	askport_tend(&p, true, NOW + ASKPORT_PLACE + 9);
	for (unsigned i = 0; i < ASKPORT_SERVERS; i++)
		ck_assert_uint_eq(p.server[i].num, ASKPORT_READY);
}
END_TEST

/* ---- who is heard ------------------------------------------------------------ */

START_TEST(its_asker_is_told_of_an_answer)
{
	struct epoll_event ev[ASKPORT_READY];
	struct askport *port;
	bool stray = true;

	make_ready(NOW);
	port = ask(&at, NOW);
	ck_assert_int_eq(readable(ev), 0);
	say(server, port);
	ck_assert_int_eq(readable(ev), 1);
	ck_assert_ptr_eq(ev[0].data.ptr, port);
	ck_assert_ptr_eq(askport_readable(&p, port, &stray), &p);
	ck_assert(!stray);
	askport_end(&p, port);
}
END_TEST

/* A port that has asked nothing, guessed by somebody who can say he was the
 * server: it never asks. */
START_TEST(what_comes_unasked_spoils_its_port)
{
	struct epoll_event ev[ASKPORT_READY];
	struct askport *port[3];
	bool stray = false;

	make_ready(NOW);
	port[0] = p.server[0].idle;
	port[1] = port[0]->next;
	port[2] = port[1]->next;
	say(server, port[1]);
	ck_assert_int_eq(readable(ev), 1);
	ck_assert_ptr_null(askport_readable(&p, ev[0].data.ptr, &stray));
	ck_assert(stray);
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY - 1);
	ck_assert_int_eq(port[1]->state, ASKPORT_SPENT);
	ck_assert_int_eq(readable(ev), 0);
	ck_assert_ptr_eq(ask(&at, NOW), port[0]);
	ck_assert_ptr_eq(ask(&at, NOW), port[2]);
	askport_end(&p, port[0]);
	askport_end(&p, port[2]);
}
END_TEST

/* From another address than the server's it does not even arrive. */
START_TEST(strangers_do_not_reach_it)
{
	struct epoll_event ev[ASKPORT_READY];
	struct endpoint who = loopback("127.0.0.2", at.port);
	int fd = bound(&who);

	make_ready(NOW);
	say(fd, p.server[0].idle);
	ck_assert_int_eq(readable(ev), 0);
	(void)close(fd);
}
END_TEST

START_TEST(a_second_answer_has_no_asker)
{
	struct epoll_event ev[ASKPORT_READY];
	struct askport *port = ask(&at, NOW);
	bool stray = true;

	askport_end(&p, port);
	say(server, port);
	ck_assert_int_eq(readable(ev), 1);
	ck_assert_ptr_null(askport_readable(&p, port, &stray));
	ck_assert(!stray);
	ck_assert_int_eq(port->fd, -1);
	ck_assert_int_eq(readable(ev), 0);
}
END_TEST

/* ---- when it is too late ------------------------------------------------------- */

START_TEST(an_old_one_does_not_ask)
{
	struct askport *was;
	struct askport *port;

	make_ready(NOW);
	p.server[0].since = 0; /* it has answered */
	was = p.server[0].idle;
	port = ask(&at, NOW + ASKPORT_AGE - 1);
	ck_assert_ptr_eq(port, was);
	askport_end(&p, port);
	p.server[0].since = 0;
	was = p.server[0].idle;
	port = ask(&at, NOW + ASKPORT_AGE);
	ck_assert_uint_eq(port->born, NOW + ASKPORT_AGE);
	ck_assert_uint_eq(p.server[0].num, 0);
	ck_assert_int_eq(was->state, ASKPORT_SPENT);
	askport_end(&p, port);
}
END_TEST

/* A route may have changed: what is sent again leaves by what there is now. */
START_TEST(a_server_that_is_mute_loses_what_is_ready)
{
	struct epoll_event ev[ASKPORT_READY];
	struct askport *port;
	bool stray;

	make_ready(NOW);
	p.server[0].since = 0;
	port = ask(&at, NOW);
	askport_end(&p, ask(&at, NOW + ASKPORT_MUTE - 1));
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY - 2);
	say(server, port);
	ck_assert_int_eq(readable(ev), 1);
	ck_assert_ptr_eq(askport_readable(&p, port, &stray), port->asker);
	askport_end(&p, ask(&at, NOW + ASKPORT_MUTE));
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY - 3);
	askport_end(&p, ask(&at, NOW + 2 * ASKPORT_MUTE));
	ck_assert_uint_eq(p.server[0].num, 0);
	askport_end(&p, port);
}
END_TEST

/* Who has found a port before it asks has spoilt it, though no event has told
 * of it yet. */
START_TEST(what_has_come_before_is_no_answer)
{
	struct askport *found;

	make_ready(NOW);
	p.server[0].since = 0;
	found = p.server[0].idle;
	say(server, found);
	askport_end(&p, ask(&at, NOW));
	ck_assert_int_eq(found->state, ASKPORT_SPENT);
	ck_assert_uint_eq(p.strays, 1);
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY - 2);
}
END_TEST

/* Looked after each second: old ones are replaced while the server is in
 * use, and then there are none. */
START_TEST(at_rest_nothing_is_kept)
{
	make_ready(NOW);
	askport_end(&p, ask(&at, NOW + 1));
	askport_tend(&p, true, NOW + ASKPORT_AGE);
	ck_assert_uint_eq(p.server[0].num, ASKPORT_READY);
	for (struct askport *i = p.server[0].idle; i; i = i->next)
		ck_assert_uint_eq(i->born, NOW + ASKPORT_AGE);
	askport_tend(&p, true, NOW + 2 * ASKPORT_AGE);
	ck_assert_uint_eq(p.server[0].num, 0);
	ck_assert_uint_eq(p.spent_num, 0);
}
END_TEST

/* Addresses have changed: none that was made before asks any more, but those
 * that wait for an answer still do. */
START_TEST(dropped_ones_do_not_ask)
{
	struct epoll_event ev[ASKPORT_READY];
	struct askport *waiting;
	struct askport *port;
	bool stray;

	make_ready(NOW);
	waiting = ask(&at, NOW);
	askport_drop(&p);
	ck_assert_uint_eq(p.server[0].num, 0);
	port = ask(&at, NOW + 1);
	ck_assert_uint_eq(port->born, NOW + 1);
	say(server, waiting);
	ck_assert_int_eq(readable(ev), 1);
	ck_assert_ptr_eq(askport_readable(&p, ev[0].data.ptr, &stray), &p);
	askport_end(&p, port);
	askport_end(&p, waiting);
}
END_TEST

/* As if its address was not ours any more. */
START_TEST(one_that_cannot_send_is_replaced)
{
	struct askport *lame;
	struct askport *port;
	struct endpoint from;

	make_ready(NOW);
	ck_assert(is_heard(&from));
	lame = p.server[0].idle;
	ck_assert_int_eq(shutdown(lame->fd, SHUT_WR), 0);
	port = ask(&at, NOW);
	ck_assert_ptr_ne(port, lame);
	ck_assert_int_eq(lame->state, ASKPORT_SPENT);
	ck_assert(is_heard(&from));
	ck_assert(!is_heard(&from));
	askport_end(&p, port);
}
END_TEST

/* ---- files ----------------------------------------------------------------- */

static unsigned files(void)
{
	unsigned num = 0;

	for (int fd = 0; fd < 1024; fd++)
		num += fcntl(fd, F_GETFD) >= 0;
	return num;
}

START_TEST(no_file_is_left_open)
{
	unsigned before = files();
	struct askport *port[3 * ASKPORT_OPEN];

	for (unsigned turns = 0; turns < 3; turns++) {
		for (unsigned i = 0; i < 3 * ASKPORT_OPEN; i++)
			port[i] = ask(&at, NOW);
		for (unsigned i = 0; i < 3 * ASKPORT_OPEN; i++)
			askport_end(&p, port[i]);
		ck_assert_uint_eq(files(),
				  before + ASKPORT_OPEN + p.server[0].num);
		askport_tend(&p, false, NOW);
		ck_assert_uint_eq(files(), before + ASKPORT_READY);
	}
	askport_fini(&p);
	ck_assert_uint_eq(files(), before);
}
END_TEST

/* The system has none left: no port, and nothing half made. */
START_TEST(without_files_there_is_no_port)
{
	struct rlimit was;
	struct rlimit none;
	unsigned before = files();

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(askport_ask(&p, &at, "question", 8, NOW));
	ck_assert_int_eq(errno, EMFILE);
	askport_tend(&p, true, NOW);
	ck_assert_uint_eq(p.server[0].num, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert_uint_eq(files(), before);
	askport_end(&p, ask(&at, NOW));
}
END_TEST

Suite *test_askport_suite(void);
Suite *test_askport_suite(void)
{
	Suite *s = suite_create("askport");
	TCase *tc = tcase_create("askport");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_question_leaves_from_another_port);
	tcase_add_test(tc, one_that_is_ready_costs_no_new_socket);
	tcase_add_test(tc, with_none_ready_one_is_made);
	tcase_add_test(tc, what_is_ready_is_for_that_server);
	tcase_add_test(tc, few_servers_have_ports_ready);
	tcase_add_test(tc, its_asker_is_told_of_an_answer);
	tcase_add_test(tc, what_comes_unasked_spoils_its_port);
	tcase_add_test(tc, strangers_do_not_reach_it);
	tcase_add_test(tc, a_second_answer_has_no_asker);
	tcase_add_test(tc, an_old_one_does_not_ask);
	tcase_add_test(tc, a_server_that_is_mute_loses_what_is_ready);
	tcase_add_test(tc, what_has_come_before_is_no_answer);
	tcase_add_test(tc, at_rest_nothing_is_kept);
	tcase_add_test(tc, dropped_ones_do_not_ask);
	tcase_add_test(tc, one_that_cannot_send_is_replaced);
	tcase_add_test(tc, no_file_is_left_open);
	tcase_add_test(tc, without_files_there_is_no_port);
	suite_add_tcase(s, tc);
	return s;
}
