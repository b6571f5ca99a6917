/* SPDX-License-Identifier: MIT */
/* Servers that take a question and do not answer it; others that do. */
#include "test/unit/gate/dnsgate_bed.h"

#include <fcntl.h>

static struct dnsgate b;
static struct endpoint at;
static int door;

static void setup(void)
{
	dnsgate_begin(&b);
	at = desk_at("127.0.0.1", 0);
	door = dnsgate_socket(&at);
	ck_assert_int_eq(listen(door, 16), 0);
	ck_assert_int_eq(fcntl(door, F_SETFL, O_NONBLOCK), 0);
	b.k.who.server = at;
	b.k.who.tcp = true;
}

static void teardown(void)
{
	(void)close(door);
	dnsgate_end(&b);
}

static void turn(void)
{
	for (unsigned i = 0; i < 4; i++) {
		(void)uv_run(&b.loop, UV_RUN_NOWAIT);
		dnsgate_read(&b);
	}
}

enum manner {
	SILENT,	    /* it accepts, and that is all */
	DEAF,	    /* it does not even accept */
	NOWHERE,    /* nobody listens there */
	FINISHED,   /* FIN */
	RESET,	    /* RST */
	ONE_OCTET,  /* half a length, FIN */
	TWO_OCTETS, /* a length, FIN */
	HALF,	    /* half an answer, FIN */
	HALF_OPEN,  /* half an answer, and then nothing more, ever */
	EMPTY,	    /* an answer of no octets, nothing more */
	PIECES,	    /* an answer, octet by octet */
	MANNER_NUM
};

static void say(int fd, const uint8_t *octets, size_t len)
{
	ck_assert_int_eq(send(fd, octets, len, MSG_NOSIGNAL), (ssize_t)len);
	turn();
}

static void hang_up(int fd, bool reset)
{
	struct linger now = { 1, 0 };

	if (reset)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now,
					    sizeof(now)),
				 0);
	(void)close(fd);
	turn();
}

/* Reads the question; an answer without records, behind its length. */
static size_t answer_of(int fd, uint8_t a[512])
{
	ssize_t n = recv(fd, a, 512, 0);

	ck_assert_int_gt(n, 2 + SCAN_HEADER);
	ck_assert_uint_eq(get_be16(a), n - 2);
	a[4] |= 0x80;
	return (size_t)n;
}

/* Does fd stay open? Where the manner is to keep silent. */
static bool serve(enum manner how, int fd)
{
	uint8_t a[512];
	size_t len = answer_of(fd, a);

	switch (how) {
	case ONE_OCTET:
		say(fd, a, 1);
		break;
	case TWO_OCTETS:
		say(fd, a, 2);
		break;
	case HALF:
	case HALF_OPEN:
		say(fd, a, len / 2);
		break;
	case EMPTY:
		say(fd, (const uint8_t *)"\0", 2);
		break;
	case PIECES:
		for (size_t i = 0; i < len; i++)
			say(fd, a + i, 1);
		break;
	default:
		break;
	}
	if (how == FINISHED || how == RESET || how == ONE_OCTET ||
	    how == TWO_OCTETS || how == HALF) {
		hang_up(fd, how == RESET);
		return false;
	}
	return true;
}

struct said {
	unsigned num, rcode;
	char order[8]; /* of events: a letter each */
};

static void find_reply(void *arg, const char *line)
{
	static const char *const names[] = { "\"dns-query\"", "\"dns-ask\"",
					     "\"dns-reply\"" };
	struct said *s = arg;
	const char *rcode = strstr(line, "\"rcode\":");
	size_t len = strlen(s->order);

	for (size_t i = 0; i < 3 && len + 1 < sizeof(s->order); i++)
		if (strstr(line, names[i]))
			s->order[len] = "qar"[i];
	if (!strstr(line, names[2]) || !rcode)
		return;
	s->num++;
	s->rcode = (unsigned)atoi(rcode + strlen("\"rcode\":"));
}

/* Whatever a server does, the client hears of it, and nothing is left. */
START_TEST(each_manner_ends_in_an_answer)
{
	int kept[16];
	unsigned kept_num = 0;
	struct said said = { .num = 0 };

	if (_i == NOWHERE)
		(void)close(door);
	desk_start(&b.k, 0x1234, SCAN_RD);
	desk_question(&b.k, "x.off.test", 16);
	dns_query(b.g->dns, &b.k.who, b.k.buf, wr_len(&b.k.w), uv_hrtime());
	gate_pump(b.g);
	for (unsigned i = 0; i < 16 && dns_pending(b.g->dns); i++) {
		int fd;

		turn();
		fd = _i == DEAF || _i == NOWHERE ? -1
						 : accept(door, NULL, NULL);
		if (fd >= 0) {
			turn();
			if (serve((enum manner)_i, fd))
				kept[kept_num++] = fd;
		}
		if (!dns_pending(b.g->dns))
			break;
		dns_tick(b.g->dns, dns_deadline(b.g->dns));
		gate_pump(b.g);
	}
	ck_assert_uint_eq(dns_pending(b.g->dns), 0);
	ck_assert_uint_eq(b.g->dnsside->asks.num, 0);
	events_each(&b.g->events, find_reply, &said);
	ck_assert_uint_eq(said.num, 1);
	ck_assert_uint_eq(said.rcode, _i == PIECES ? 0 : SCAN_SERVFAIL);
	for (unsigned i = 0; i < kept_num; i++)
		(void)close(kept[i]);
	turn();
	if (_i == NOWHERE)
		door = -1;
}
END_TEST

/* There are files left for other things when servers stall. */
START_TEST(no_more_are_under_way_than_may_be)
{
	struct dnsasks *a = &b.g->dnsside->asks;

	a->max = 8;
	for (uint32_t id = 1; id <= 8; id++)
		ck_assert_int_eq(dnsask_start(a, id, &at, id % 2,
					      (const uint8_t *)"question", 8),
				 HG_OK);
	ck_assert_int_eq(
		dnsask_start(a, 9, &at, true, (const uint8_t *)"question", 8),
		HG_EFULL);
	dnsask_end(a, 3);
	ck_assert_int_eq(
		dnsask_start(a, 9, &at, true, (const uint8_t *)"question", 8),
		HG_OK);
	dnsask_end(a, 77); /* no such */
	ck_assert_uint_eq(a->num, 8);
	dnsask_end_all(a);
	ck_assert_uint_eq(a->num, 0);
	turn();
}
END_TEST

/* ---- who answers for another ------------------------------------------------ */

enum { ASKS = 64 };

/* As many ports as asks, and they are drawn: not one after the other. */
START_TEST(each_ask_leaves_from_a_port_of_its_own)
{
	struct dnsasks *a = &b.g->dnsside->asks;
	struct endpoint from[ASKS];
	unsigned in_a_row = 0;

	for (uint32_t id = 0; id < ASKS; id++) {
		ck_assert_int_eq(dnsask_start(a, id, &at, false,
					      (const uint8_t *)"question", 8),
				 HG_OK);
		ck_assert(dnsask_from(a, id, &from[id]));
		for (uint32_t i = 0; i < id; i++)
			ck_assert_uint_ne(from[i].port, from[id].port);
		if (id)
			in_a_row += from[id].port == from[id - 1].port + 1 ||
				    from[id].port == from[id - 1].port + 2;
	}
	ck_assert_uint_lt(in_a_row, ASKS / 4);
	dnsask_end_all(a);
	turn();
}
END_TEST

/* A datagram socket at that loopback address. */
static int datagrams(const char *text, uint16_t port)
{
	struct endpoint e = desk_at(text, port);
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&e, &ss);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	return fd;
}

/* Right in everything, id and case included, but not from the server: from
 * its port at another address, and from its address at another port. */
START_TEST(answers_of_others_are_never_read)
{
	int server = datagrams("127.0.0.1", at.port);
	int spoofer[2] = { datagrams("127.0.0.2", at.port),
			   datagrams("127.0.0.1", 0) };
	struct sockaddr_storage to;
	socklen_t len = sizeof(to);
	struct said said = { .num = 0 };
	uint8_t q[512];
	ssize_t n;

	b.k.who.tcp = false;
	desk_start(&b.k, 0x1234, SCAN_RD);
	desk_question(&b.k, "x.off.test", 16);
	dns_query(b.g->dns, &b.k.who, b.k.buf, wr_len(&b.k.w), uv_hrtime());
	b.g->plane.has_tun = false; /* its answer is counted, and not sent */
	gate_pump(b.g);
	n = recvfrom(server, q, sizeof(q), 0, (struct sockaddr *)&to, &len);
	ck_assert_int_gt(n, SCAN_HEADER);
	q[2] |= 0x80;
	for (unsigned i = 0; i < 20000; i++) {
		(void)sendto(spoofer[i % 2], q, (size_t)n, MSG_DONTWAIT,
			     (struct sockaddr *)&to, len);
		if (i % 100 == 0)
			turn();
	}
	turn();
	ck_assert_uint_eq(dns_pending(b.g->dns), 1);
	ck_assert_uint_eq(desk_reason(&b.k, REASON_DNS_MISMATCH), 0);
	ck_assert_int_eq(
		sendto(server, q, (size_t)n, 0, (struct sockaddr *)&to, len),
		n);
	turn();
	ck_assert_uint_eq(dns_pending(b.g->dns), 0);
	events_each(&b.g->events, find_reply, &said);
	ck_assert_uint_eq(said.num, 1);
	ck_assert_uint_eq(said.rcode, 0);
	/* Traced as it was, though what is sent goes first. */
	ck_assert_str_eq(said.order, "qar");
	(void)close(server);
	(void)close(spoofer[0]);
	(void)close(spoofer[1]);
}
END_TEST

/* Where nobody listens, the kernel says so: the engine need not wait. And
 * what comes to a port that has not asked is counted. */
START_TEST(events_of_ports_come_to_the_engine)
{
	struct dnsasks *a = &b.g->dnsside->asks;
	struct endpoint from;
	struct sockaddr_storage ss;
	socklen_t len;
	int server;

	b.k.who.tcp = false;
	desk_start(&b.k, 0x1234, SCAN_RD);
	desk_question(&b.k, "x.off.test", 16);
	dns_query(b.g->dns, &b.k.who, b.k.buf, wr_len(&b.k.w), uv_hrtime());
	b.g->plane.has_tun = false;
	gate_pump(b.g);
	ck_assert_uint_eq(a->num, 1);
	turn();
	ck_assert_uint_eq(a->num, 0);

	server = datagrams("127.0.0.1", at.port);
	askport_tend(&a->ports, true, uv_hrtime());
	ck_assert_uint_gt(a->ports.server[0].num, 0);
	len = sizeof(ss);
	ck_assert_int_eq(getsockname(a->ports.server[0].idle->fd,
				     (struct sockaddr *)&ss, &len),
			 0);
	from = sockets_endpoint((struct sockaddr *)&ss);
	ck_assert_uint_ne(from.port, 0);
	ck_assert_uint_eq(reason_get(&b.g->drops, REASON_DNS_MISMATCH), 0);
	ck_assert_int_eq(
		sendto(server, "unasked", 7, 0, (struct sockaddr *)&ss, len),
		7);
	turn();
	ck_assert_uint_eq(reason_get(&b.g->drops, REASON_DNS_MISMATCH), 1);
	(void)close(server);
}
END_TEST

Suite *test_dnsask_suite(void);
Suite *test_dnsask_suite(void)
{
	Suite *s = suite_create("dnsask");
	TCase *tc = tcase_create("dnsask");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, each_manner_ends_in_an_answer, 0, MANNER_NUM);
	tcase_add_test(tc, no_more_are_under_way_than_may_be);
	tcase_add_test(tc, each_ask_leaves_from_a_port_of_its_own);
	tcase_add_test(tc, answers_of_others_are_never_read);
	tcase_add_test(tc, events_of_ports_come_to_the_engine);
	suite_add_tcase(s, tc);
	return s;
}
