/* SPDX-License-Identifier: MIT */
/* Clients that come over TCP and do nothing, or stop in the middle. */
#include "test/unit/gate/dnsgate_bed.h"

#include <errno.h>

enum { ALL = 256, SHARE = 64 }; /* dnstcp.c's bounds */

static struct dnsgate b;
static struct endpoint at;

static void setup(void)
{
	int fd;

	dnsgate_begin(&b);
	at = desk_at("127.0.0.1", 0);
	fd = dnsgate_socket(&at);
	ck_assert_int_eq(dnstcp_listen(b.g->dnsside->tcp, fd), 0);
}

static void teardown(void)
{
	dnsgate_end(&b);
}

static void turn(void)
{
	for (unsigned i = 0; i < 4; i++)
		(void)uv_run(&b.loop, UV_RUN_NOWAIT);
}

/* A client of its own: 127.0.x.y. */
static int client(unsigned n)
{
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&at, &ss);
	struct endpoint from;
	char text[32];
	int fd;

	snprintf(text, sizeof(text), "127.0.%u.%u", n / 250 + 1, n % 250 + 1);
	from = desk_at(text, 0);
	fd = dnsgate_socket(&from);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&ss, len), 0);
	turn();
	return fd;
}

/* "plain.test" TXT, as a message behind its length. */
static size_t question(uint8_t out[64])
{
	desk_start(&b.k, 0x1234, SCAN_RD);
	desk_question(&b.k, "plain.test", 16);
	put_be16(out, (uint16_t)wr_len(&b.k.w));
	memcpy(out + 2, b.k.buf, wr_len(&b.k.w));
	return 2 + wr_len(&b.k.w);
}

static void say(int fd, const uint8_t *octets, size_t len)
{
	ck_assert_int_eq(send(fd, octets, len, MSG_NOSIGNAL), (ssize_t)len);
	turn();
}

static bool is_closed(int fd)
{
	uint8_t x;
	ssize_t n = recv(fd, &x, 1, MSG_DONTWAIT | MSG_PEEK);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* Nobody is there to be asked: the gateway says so by itself. */
static void has_answer(int fd)
{
	uint8_t a[512];
	ssize_t n = recv(fd, a, sizeof(a), MSG_DONTWAIT);

	ck_assert_int_gt(n, 2 + SCAN_HEADER);
	ck_assert_uint_eq(get_be16(a), n - 2);
	ck_assert_uint_eq(get_be16(a + 2), 0x1234);
	ck_assert_uint_eq(a[5] & 15, SCAN_SERVFAIL);
}

static void is_answered(int fd)
{
	uint8_t q[64];

	say(fd, q, question(q));
	has_answer(fd);
}

static uint64_t refused(void)
{
	return reason_get(&b.g->drops, REASON_DNS_BUSY);
}

START_TEST(a_thousand_that_are_idle_shut_nobody_out)
{
	static int fd[1000];
	unsigned open = 0;
	int late;

	for (unsigned i = 0; i < 1000; i++)
		fd[i] = client(i);
	for (unsigned i = 0; i < 1000; i++)
		open += !is_closed(fd[i]);
	ck_assert_uint_eq(open, ALL);
	ck_assert_uint_eq(refused(), 1000 - ALL);
	late = client(1000);
	is_answered(late);
	(void)close(late);
	for (unsigned i = 0; i < 1000; i++)
		(void)close(fd[i]);
	turn();
}
END_TEST

/* And it is the one that did nothing that goes. */
START_TEST(one_client_has_its_share_and_keeps_what_it_uses)
{
	int fd[SHARE + 2];
	int other = client(1);

	for (unsigned i = 0; i <= SHARE; i++) {
		fd[i] = client(0);
		is_answered(fd[0]);
	}
	ck_assert(!is_closed(fd[0]));
	ck_assert(is_closed(fd[1]));
	ck_assert(!is_closed(fd[2]));
	ck_assert(!is_closed(other));
	ck_assert_uint_eq(refused(), 1);
	fd[SHARE + 1] = client(0);
	ck_assert(is_closed(fd[2]));
	ck_assert(!is_closed(other));
	for (unsigned i = 0; i < SHARE + 2; i++)
		(void)close(fd[i]);
	(void)close(other);
	turn();
}
END_TEST

/* Wherever it stops; others are served meanwhile, and it ends. */
START_TEST(a_client_that_stops_in_the_middle_is_closed_in_the_end)
{
	uint8_t q[64];
	size_t len = question(q);

	for (size_t cut = 0; cut < len; cut++) {
		int fd = client(0);
		int other = client(1);

		say(fd, q, cut);
		is_answered(other);
		ck_assert(!is_closed(fd));
		dnstcp_expire(b.g->dnsside->tcp, uv_hrtime() + 25 * SEC);
		turn();
		ck_assert(!is_closed(fd));
		dnstcp_expire(b.g->dnsside->tcp, uv_hrtime() + 31 * SEC);
		turn();
		ck_assert(is_closed(fd));
		(void)close(fd);
		(void)close(other);
		turn();
	}
	ck_assert_uint_eq(dns_pending(b.k.d), 0);
}
END_TEST

START_TEST(a_question_in_pieces_of_one_octet_is_answered)
{
	uint8_t q[64];
	size_t len = question(q);
	int fd = client(0);

	for (size_t i = 0; i < len; i++)
		say(fd, q + i, 1);
	has_answer(fd);
	is_answered(fd);
	(void)close(fd);
	turn();
}
END_TEST

/* ---- clients that have said all, and listen ------------------------------- */

/* Asked by the gateway, over TCP, too; answers when the test says so. */
static int server;

static void setup_server(void)
{
	struct dns_config cfg = desk_config();
	struct endpoint where = desk_at("127.0.0.1", 0);

	setup();
	server = dnsgate_socket(&where);
	ck_assert_int_eq(listen(server, 16), 0);
	cfg.servers = &where;
	cfg.servers_num = 1;
	desk_close(&b.k);
	desk_open_with(&b.k, &cfg);
	b.g->dns = b.k.d;
}

static void teardown_server(void)
{
	(void)close(server);
	teardown();
}

/* The next one that waits: "no such name". */
static void server_answers(void)
{
	uint8_t m[512];
	int fd = accept(server, NULL, NULL);
	ssize_t n = recv(fd, m, sizeof(m), MSG_DONTWAIT);

	ck_assert_int_gt(n, 2 + SCAN_HEADER);
	m[4] |= SCAN_QR >> 8;
	m[5] = SCAN_NXDOMAIN;
	ck_assert_int_eq(send(fd, m, (size_t)n, MSG_NOSIGNAL), n);
	turn();
	(void)close(fd);
}

static void says_no_more(int fd)
{
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	turn();
}

/* One answer to each of these ids, in that order, and that is all. */
static void heard(int fd, unsigned num, const uint16_t *ids)
{
	uint8_t a[512];
	size_t read = 0;
	ssize_t n = recv(fd, a, sizeof(a), MSG_DONTWAIT);

	for (unsigned i = 0; i < num; i++) {
		ck_assert_int_ge(n, (ssize_t)read + 2 + SCAN_HEADER);
		ck_assert_uint_eq(get_be16(a + read + 2), ids[i]);
		ck_assert_uint_eq(a[read + 5] & 15, SCAN_NXDOMAIN);
		read += 2 + (size_t)get_be16(a + read);
	}
	ck_assert_int_eq(n, (ssize_t)read);
}

static void ask_as(int fd, uint16_t id)
{
	uint8_t q[64];
	size_t len = question(q);

	put_be16(q + 2, id);
	say(fd, q, len);
}

static uint64_t cut_short(void)
{
	return reason_get(&b.g->drops, REASON_DNS_CUT);
}

START_TEST(who_says_no_more_hears_the_answer_and_is_closed_behind_it)
{
	static const uint16_t ids[] = { 7 };
	int fd = client(0);

	ask_as(fd, 7);
	says_no_more(fd);
	ck_assert(!is_closed(fd));
	server_answers();
	heard(fd, 1, ids);
	ck_assert(is_closed(fd));
	ck_assert_uint_eq(cut_short(), 0);
	(void)close(fd);
}
END_TEST

/* Questions that wait for different things, and one whose answer is there
 * before the client ends. */
START_TEST(it_hears_all_that_it_asked)
{
	static const uint16_t ids[] = { 5, 6, 7 };
	int fd = client(0);

	for (unsigned i = 0; i < 3; i++)
		ask_as(fd, ids[i]);
	server_answers();
	says_no_more(fd);
	server_answers();
	ck_assert_uint_eq(dns_pending(b.k.d), 1);
	server_answers();
	heard(fd, 3, ids);
	ck_assert(is_closed(fd));
	(void)close(fd);
}
END_TEST

START_TEST(who_asked_for_nothing_is_closed_at_once)
{
	int fd = client(0);

	says_no_more(fd);
	ck_assert(is_closed(fd));
	ck_assert_uint_eq(cut_short(), 0);
	(void)close(fd);
	fd = client(0);
	ask_as(fd, 7);
	server_answers();
	says_no_more(fd);
	(void)recv(fd, &(uint8_t[512]){ 0 }, 512, MSG_DONTWAIT);
	ck_assert(is_closed(fd));
	(void)close(fd);
}
END_TEST

/* Wherever it ends, and whatever it has asked before; others of the same
 * client go on. */
START_TEST(an_end_in_the_middle_of_a_message_is_counted_and_closed)
{
	static const uint16_t ids[] = { 8 };
	uint8_t q[64];
	size_t len = question(q);
	int other = client(0);

	ask_as(other, 8);
	for (size_t cut = 1; cut < len; cut++) {
		int fd = client(0);

		if (cut & 1)
			ask_as(fd, 7);
		say(fd, q, cut);
		says_no_more(fd);
		ck_assert(is_closed(fd));
		ck_assert_uint_eq(cut_short(), cut);
		(void)close(fd);
	}
	ck_assert(!is_closed(other));
	server_answers();
	heard(other, 1, ids);
	(void)close(other);
}
END_TEST

/* It says no more, and its answer never comes, or it never reads it. */
START_TEST(a_half_closed_client_is_bounded_as_an_idle_one)
{
	int fd = client(0);

	ask_as(fd, 7);
	says_no_more(fd);
	dnstcp_expire(b.g->dnsside->tcp, uv_hrtime() + 25 * SEC);
	turn();
	ck_assert(!is_closed(fd));
	dnstcp_expire(b.g->dnsside->tcp, uv_hrtime() + 31 * SEC);
	turn();
	ck_assert(is_closed(fd));
	(void)close(fd);
	server_answers(); /* to nobody */
	ck_assert_uint_eq(dns_pending(b.k.d), 0);
}
END_TEST

Suite *test_dnstcp_suite(void);
Suite *test_dnstcp_suite(void)
{
	Suite *s = suite_create("dnstcp");
	TCase *tc = tcase_create("dnstcp");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_thousand_that_are_idle_shut_nobody_out);
	tcase_add_test(tc, one_client_has_its_share_and_keeps_what_it_uses);
	tcase_add_test(tc,
		       a_client_that_stops_in_the_middle_is_closed_in_the_end);
	tcase_add_test(tc, a_question_in_pieces_of_one_octet_is_answered);
	suite_add_tcase(s, tc);
	tc = tcase_create("ended");
	tcase_add_checked_fixture(tc, setup_server, teardown_server);
	tcase_add_test(
		tc, who_says_no_more_hears_the_answer_and_is_closed_behind_it);
	tcase_add_test(tc, it_hears_all_that_it_asked);
	tcase_add_test(tc, who_asked_for_nothing_is_closed_at_once);
	tcase_add_test(tc,
		       an_end_in_the_middle_of_a_message_is_counted_and_closed);
	tcase_add_test(tc, a_half_closed_client_is_bounded_as_an_idle_one);
	suite_add_tcase(s, tc);
	return s;
}
