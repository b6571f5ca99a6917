/* SPDX-License-Identifier: MIT */
/* TCP streams, UDP datagrams and round trips, and the other end of them.
 *
 * traffic serve PORT
 *   the other end, on every address, until it is killed
 * traffic tcp ADDRESS PORT up|down STREAMS MS
 *   prints "OCTETS NS": received in all, and how long that took
 * traffic udp ADDRESS PORT up|down OCTETS PER_SECOND MS
 *   0 a second: as many as go; prints "SENT DELIVERED NS"
 * traffic rtt ADDRESS PORT MS
 *   one datagram of 64 octets to and fro at a time; prints
 *   "NUM MEDIAN_NS P99_NS LOST"
 *
 * THEORY OF OPERATION
 * It is always the receiver that counts: octets, and the time from a
 * stream's first one to its end. For `up` the other end says what it had
 * when the stream has ended, for UDP when it is asked over TCP afterwards.
 * UDP `down` is asked for by a datagram, so that it comes the way of the
 * answer to one; afterwards the other end says how many it had sent.
 * A datagram says which run it belongs to, so that one that comes late does
 * not count for the next; a run is a number that grows, here the time.
 * Nothing is tuned: sockets are as every program has them, but for the
 * receiver's UDP buffer, which must not be where datagrams are lost.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/wire.h"
#include "traffic_row.h"

enum {
	BUFFER = 128 << 10,
	STREAMS_MAX = 64,
	PING = 64,
	ROUND_TRIPS = 1 << 20,
	REQUEST = 16,
	QUIET_MS = 500, /* then nothing more comes */
	TRIES = 4,
};

enum op {
	OP_UP = 'u',
	OP_DOWN = 'd',
	OP_COUNT = 'c', /* how many of a run have come, */
	OP_SENT = 's',	/* and how many were sent down */
	OP_PING = 'p',
};

static uint64_t number(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0') {
		errno = EINVAL;
		die(text);
	}
	return n;
}

static bool read_all(int fd, void *to, size_t len)
{
	return recv(fd, to, len, MSG_WAITALL) == (ssize_t)len;
}

static bool write_all(int fd, const void *from, size_t len)
{
	return send(fd, from, len, MSG_NOSIGNAL) == (ssize_t)len;
}

/* ---- a stream, either end -------------------------------------------------- */

struct flow {
	uint64_t octets;
	uint64_t ns;
};

static void stream_send(int fd, uint64_t ms)
{
	static const uint8_t data[BUFFER];
	uint64_t end = now_ns() + ms * MS;

	while (now_ns() < end && send(fd, data, sizeof(data), MSG_NOSIGNAL) > 0)
		;
	(void)shutdown(fd, SHUT_WR); /* fails when the peer has gone */
}

static struct flow stream_receive(int fd)
{
	struct flow f = { 0, 0 };
	uint8_t *data = malloc(BUFFER);
	uint64_t start = 0;
	ssize_t n;

	if (!data)
		die("memory");
	while ((n = recv(fd, data, BUFFER, 0)) > 0) {
		if (!start)
			start = now_ns();
		f.octets += (uint64_t)n;
	}
	if (start)
		f.ns = now_ns() - start;
	free(data);
	return f;
}

/* ---- the other end --------------------------------------------------------- */

/* One writer, the UDP thread; run first, then delivered. */
static _Atomic uint64_t run;
static _Atomic uint64_t delivered;
/* One writer, the last run's thread; sent first, then its run. */
static _Atomic uint64_t down_sent;
static _Atomic uint64_t down_run;

static void put_request(uint8_t r[REQUEST], enum op op, uint64_t value)
{
	memset(r, 0, REQUEST);
	r[0] = (uint8_t)op;
	put_be64(r + 8, value);
}

static void *serve_stream(void *arg)
{
	int fd = (int)(intptr_t)arg;
	uint8_t r[REQUEST];
	uint8_t answer[16] = { 0 };
	struct flow f;

	while (read_all(fd, r, sizeof(r))) {
		uint64_t value = get_be64(r + 8);

		if (r[0] == OP_DOWN) {
			stream_send(fd, value);
			break;
		}
		if (r[0] == OP_UP) {
			f = stream_receive(fd);
			put_be64(answer, f.octets);
			put_be64(answer + 8, f.ns);
		} else if (r[0] == OP_SENT) {
			put_be64(answer, down_run == value ? down_sent : 0);
		} else {
			put_be64(answer, run == value ? delivered : 0);
		}
		if (!write_all(fd, answer, sizeof(answer)))
			break;
	}
	close(fd);
	return NULL;
}

static int socket_any(int type, uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons(port) };
	int fd = socket(AF_INET6, type, 0);
	int off = 0;
	int on = 1;

	if (fd < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		die("a socket to serve");
	return fd;
}

/* Answers come from the address that was asked: IPV6_PKTINFO goes back. */
struct slot {
	uint8_t data[DATAGRAM_MAX];
	struct sockaddr_in6 from;
	struct iovec iov;
	_Alignas(struct cmsghdr) uint8_t control[128];
};

struct order {
	int fd;
	struct slot slot;
	struct msghdr msg;
};

static void *send_down(void *arg)
{
	struct order *o = arg;
	uint64_t ns;

	o->msg.msg_name = &o->slot.from;
	o->msg.msg_iov = &o->slot.iov;
	o->msg.msg_control = o->slot.control;
	o->slot.iov.iov_base = o->slot.data;
	down_sent = send_row(o->fd, &o->msg, get_be64(o->slot.data + 16),
			     get_be64(o->slot.data + 24), &ns);
	down_run = get_be64(o->slot.data + RUN_AT);
	free(o);
	return NULL;
}

/* As large as what asks for it. It is asked again when nothing comes. */
static void order_down(int fd, const struct msghdr *m, size_t len)
{
	static uint64_t last;
	struct slot *s = m->msg_iov->iov_base;
	struct order *o;
	pthread_t t;

	if (get_be64(s->data + RUN_AT) == last)
		return;
	o = malloc(sizeof(*o));
	if (!o)
		die("memory");
	last = get_be64(s->data + RUN_AT);
	*o = (struct order){ .fd = fd, .slot = *s, .msg = *m };
	o->slot.iov.iov_len = len;
	if (pthread_create(&t, NULL, send_down, o) != 0)
		die("pthread_create");
	(void)pthread_detach(t); /* it is joinable: cannot fail */
}

static void serve_datagram(int fd, struct msghdr *m, size_t len)
{
	struct slot *s = (struct slot *)m->msg_iov->iov_base;
	uint64_t of;

	if (len < DATAGRAM_MIN)
		return;
	if (s->data[0] == OP_PING) {
		s->iov.iov_len = len;
		(void)sendmsg(fd, m, 0); /* a lost one is counted there */
		return;
	}
	if (s->data[0] == OP_DOWN) {
		order_down(fd, m, len);
		return;
	}
	of = get_be64(s->data + RUN_AT);
	if (of > run) {
		delivered = 0;
		run = of;
	}
	if (of == run)
		delivered = delivered + 1;
}

static void *serve_datagrams(void *arg)
{
	static struct slot slots[ROW_BATCH];
	static struct mmsghdr m[ROW_BATCH];
	int fd = (int)(intptr_t)arg;

	for (;;) {
		int n;

		for (int i = 0; i < ROW_BATCH; i++) {
			struct slot *s = &slots[i];

			s->iov = (struct iovec){ s->data, sizeof(s->data) };
			m[i].msg_hdr = (struct msghdr){
				.msg_name = &s->from,
				.msg_namelen = sizeof(s->from),
				.msg_iov = &s->iov,
				.msg_iovlen = 1,
				.msg_control = s->control,
				.msg_controllen = sizeof(s->control),
			};
		}
		n = recvmmsg(fd, m, ROW_BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++)
			serve_datagram(fd, &m[i].msg_hdr, m[i].msg_len);
	}
	return NULL;
}

static void serve(uint16_t port)
{
	int tcp = socket_any(SOCK_STREAM, port);
	int udp = socket_any(SOCK_DGRAM, port);
	int on = 1;
	pthread_t t;

	big_buffer(udp);
	if (setsockopt(udp, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) <
		    0 ||
	    listen(tcp, 128) < 0 ||
	    pthread_create(&t, NULL, serve_datagrams, (void *)(intptr_t)udp))
		die("the server");
	for (;;) {
		int fd = accept(tcp, NULL, NULL);

		if (fd < 0)
			continue;
		if (pthread_create(&t, NULL, serve_stream,
				   (void *)(intptr_t)fd) == 0)
			(void)pthread_detach(
				t); /* it is joinable: cannot fail */
		else
			close(fd);
	}
}

/* ---- our end --------------------------------------------------------------- */

static struct addrinfo *server;

static void find_server(const char *address, const char *port)
{
	struct addrinfo hints = { .ai_flags = AI_NUMERICHOST };

	if (getaddrinfo(address, port, &hints, &server) != 0)
		die(address);
}

static int connected(int type)
{
	int fd = socket(server->ai_family, type, 0);

	if (fd < 0 || connect(fd, server->ai_addr, server->ai_addrlen) < 0)
		die("connect");
	return fd;
}

struct stream {
	pthread_t thread;
	int fd;
	bool down;
	uint64_t ms;
	struct flow result;
};

static void *run_stream(void *arg)
{
	struct stream *s = arg;
	uint8_t r[REQUEST];
	uint8_t answer[16];

	put_request(r, s->down ? OP_DOWN : OP_UP, s->ms);
	if (!write_all(s->fd, r, sizeof(r)))
		die("request");
	if (s->down) {
		s->result = stream_receive(s->fd);
	} else {
		stream_send(s->fd, s->ms);
		if (!read_all(s->fd, answer, sizeof(answer)))
			die("answer");
		s->result.octets = get_be64(answer);
		s->result.ns = get_be64(answer + 8);
	}
	close(s->fd);
	return NULL;
}

static void tcp(bool down, size_t num, uint64_t ms)
{
	static struct stream s[STREAMS_MAX];
	struct flow all = { 0, 0 };

	for (size_t i = 0; i < num; i++) {
		s[i].fd = connected(SOCK_STREAM);
		s[i].down = down;
		s[i].ms = ms;
	}
	for (size_t i = 0; i < num; i++)
		if (pthread_create(&s[i].thread, NULL, run_stream, &s[i]))
			die("pthread_create");
	for (size_t i = 0; i < num; i++) {
		(void)pthread_join(s[i].thread, NULL); /* ours, joinable */
		all.octets += s[i].result.octets;
		if (s[i].result.ns > all.ns)
			all.ns = s[i].result.ns;
	}
	(void)printf("%llu %llu\n", (unsigned long long)all.octets,
		     (unsigned long long)all.ns);
}

static uint64_t ask(int fd, enum op op, uint64_t id)
{
	uint8_t r[REQUEST];
	uint8_t answer[16];

	put_request(r, op, id);
	if (!write_all(fd, r, sizeof(r)) ||
	    !read_all(fd, answer, sizeof(answer)))
		die("answer");
	return get_be64(answer);
}

/* Asks until nothing more comes. */
static uint64_t ask_delivered(uint64_t id)
{
	int fd = connected(SOCK_STREAM);
	uint64_t last = UINT64_MAX;
	uint64_t got = 0;

	for (int i = 0; i < 50 && got != last; i++) {
		last = got;
		sleep_until(now_ns() + 100 * MS);
		got = ask(fd, OP_COUNT, id);
	}
	close(fd);
	return got;
}

static uint64_t ask_sent(uint64_t id)
{
	int fd = connected(SOCK_STREAM);
	uint64_t sent = 0;

	for (int i = 0; i < 50 && !sent; i++) {
		sent = ask(fd, OP_SENT, id);
		if (!sent)
			sleep_until(now_ns() + 100 * MS);
	}
	close(fd);
	return sent;
}

static void udp(bool down, size_t len, uint64_t rate, uint64_t ms)
{
	static uint8_t data[DATAGRAM_MAX];
	const struct timeval quiet = { .tv_usec = QUIET_MS * 1000 };
	struct iovec iov = { data, len };
	struct msghdr one = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = connected(SOCK_DGRAM);
	uint64_t id = now_ns();
	uint64_t sent = 0;
	uint64_t got = 0;
	uint64_t ns = 0;

	data[0] = down ? OP_DOWN : OP_UP;
	put_be64(data + RUN_AT, id);
	put_be64(data + 16, rate);
	put_be64(data + 24, ms);
	if (down) {
		big_buffer(fd);
		if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet,
			       sizeof(quiet)) < 0)
			die("SO_RCVTIMEO");
		for (int i = 0; i < TRIES && !got; i++) {
			(void)send(fd, data, len, 0); /* again, if it fails */
			got = receive_row(fd, id, &ns);
		}
		sent = ask_sent(id);
	} else {
		sent = send_row(fd, &one, rate, ms, &ns);
		got = ask_delivered(id);
	}
	(void)printf("%llu %llu %llu\n", (unsigned long long)sent,
		     (unsigned long long)got, (unsigned long long)ns);
	close(fd);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void rtt(uint64_t ms)
{
	static uint32_t ns[ROUND_TRIPS];
	const struct timeval patience = { .tv_sec = 1 };
	uint8_t ping[PING] = { OP_PING };
	uint8_t pong[PING];
	int fd = connected(SOCK_DGRAM);
	uint64_t end = now_ns() + ms * MS;
	uint64_t now = 0;
	size_t num = 0;
	size_t lost = 0;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		die("SO_RCVTIMEO");
	while (now < end && num < ROUND_TRIPS) {
		uint64_t start = now_ns();
		ssize_t n;

		put_be64(ping + 8, start);
		if (send(fd, ping, sizeof(ping), 0) < 0)
			die("send");
		do
			n = recv(fd, pong, sizeof(pong), 0);
		while (n == PING && get_be64(pong + 8) != start);
		now = now_ns();
		if (n == PING)
			ns[num++] = (uint32_t)(now - start);
		else
			lost++;
	}
	close(fd);
	if (!num) {
		errno = ETIMEDOUT;
		die("no answer");
	}
	qsort(ns, num, sizeof(ns[0]), by_size);
	(void)printf("%zu %u %u %zu\n", num, ns[num / 2], ns[num * 99 / 100],
		     lost);
}

static int usage(void)
{
	(void)fprintf(
		stderr,
		"usage: traffic serve PORT\n"
		"       traffic tcp ADDRESS PORT up|down STREAMS MS\n"
		"       traffic udp ADDRESS PORT up|down OCTETS PER_SECOND MS\n"
		"       traffic rtt ADDRESS PORT MS\n");
	return 2;
}

static bool in_bounds(uint64_t n, uint64_t least, uint64_t most)
{
	return n >= least && n <= most;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";
	uint64_t ms = argc > 4 ? number(argv[argc - 1]) : 0;

	if (argc == 3 && strcmp(verb, "serve") == 0)
		serve((uint16_t)number(argv[2]));
	if (!in_bounds(ms, 1, 60000))
		return usage();
	find_server(argv[2], argv[3]);
	if (argc == 5 && strcmp(verb, "rtt") == 0)
		rtt(ms);
	else if (argc == 7 && strcmp(verb, "tcp") == 0 &&
		 in_bounds(number(argv[5]), 1, STREAMS_MAX))
		tcp(strcmp(argv[4], "down") == 0, (size_t)number(argv[5]), ms);
	else if (argc == 8 && strcmp(verb, "udp") == 0 &&
		 in_bounds(number(argv[5]), DATAGRAM_MIN, DATAGRAM_MAX))
		udp(strcmp(argv[4], "down") == 0, (size_t)number(argv[5]),
		    number(argv[6]), ms);
	else
		return usage();
	return 0;
}
