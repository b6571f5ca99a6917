/* SPDX-License-Identifier: MIT */
/* One DNS question at a time, and how long each waits.
 *
 * lone SERVER PORT FILE SECONDS GAP: asks SERVER (IPv6) for the AAAA of each
 * name in FILE (lines as dnsperf has them), one after the other and from the
 * first again, and waits GAP us after each answer. Prints, as members of a JSON
 * object, how many there were, the median and the 99th of a hundred (us), and
 * how many had no answer in a second. dnsperf's own clock stops for 100 ms now
 * and then when it has but one question.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/wire.h"

enum { NAMES_MAX = 4096, QUERY_MAX = 300, TIMES_MAX = 1 << 20 };

struct query {
	uint8_t b[QUERY_MAX];
	size_t len;
};

static struct query queries[NAMES_MAX];
static double times[TIMES_MAX];

static void die(const char *what)
{
	(void)fprintf(stderr, "lone: %s\n", what);
	exit(1);
}

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* RD, one question; the id comes later. */
static void query_of(struct query *q, char *name)
{
	struct wr w = wr_init(q->b, sizeof(q->b));

	wr_be16(&w, 0);
	wr_be16(&w, 0x0100);
	wr_be16(&w, 1);
	wr_be32(&w, 0);
	wr_be16(&w, 0);
	for (char *l = strtok(name, "."); l; l = strtok(NULL, ".")) {
		wr_u8(&w, (uint8_t)strlen(l));
		wr_put(&w, l, strlen(l));
	}
	wr_u8(&w, 0);
	wr_be16(&w, 28);
	wr_be16(&w, 1);
	q->len = wr_len(&w);
}

static size_t queries_read(const char *file)
{
	FILE *f = fopen(file, "re");
	char name[QUERY_MAX - 32];
	size_t num = 0;

	if (!f)
		die("FILE cannot be read");
	while (num < NAMES_MAX && fscanf(f, "%267s %*s", name) == 1)
		query_of(&queries[num++], name);
	(void)fclose(f);
	if (!num)
		die("FILE has no name");
	return num;
}

static int connected(const char *server, const char *port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin6_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (inet_pton(AF_INET6, server, &to.sin6_addr) != 1 || fd < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("SERVER and PORT lead nowhere");
	return fd;
}

/* Its time in us; negative: there was no answer. */
static double ask(int fd, struct query *q, uint16_t id)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t answer[4096];
	double since = now_us();

	put_be16(q->b, id);
	if (send(fd, q->b, q->len, 0) < 0)
		return -1;
	while (poll(&p, 1, 1000) > 0) {
		if (recv(fd, answer, sizeof(answer), 0) >= 12 &&
		    get_be16(answer) == id)
			return now_us() - since;
	}
	return -1;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	size_t names = argc == 6 ? queries_read(argv[3]) : 0;
	int fd = names ? connected(argv[1], argv[2]) : -1;
	useconds_t gap = names ? (useconds_t)strtoul(argv[5], NULL, 10) : 0;
	double end = now_us();
	size_t num = 0;
	size_t lost = 0;

	if (fd < 0)
		die("SERVER PORT FILE SECONDS GAP");
	end += strtod(argv[4], NULL) * 1e6;
	while (now_us() < end && num < TIMES_MAX) {
		size_t i = num + lost;
		double t = ask(fd, &queries[i % names], (uint16_t)i);

		if (t < 0)
			lost++;
		else
			times[num++] = t;
		if (gap)
			(void)usleep(gap);
	}
	if (!num)
		die("no answer");
	qsort(times, num, sizeof(times[0]), order);
	printf("\"num\":%zu,\"median\":%.1f,\"p99\":%.1f,\"lost\":%zu\n", num,
	       times[num / 2], times[num * 99 / 100], lost);
	return 0;
}
