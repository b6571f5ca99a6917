/* SPDX-License-Identifier: MIT */
#include "traffic_row.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/wire.h"

enum { STEP_NS = 200000 }; /* between the bursts of an even rate */

_Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(1);
}

uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

void sleep_until(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / SECOND), (long)(ns % SECOND) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

void big_buffer(int fd)
{
	int size = 32 << 20;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		die("SO_RCVBUFFORCE (it needs root)");
}

/* Sends num in batches; how many the kernel took. */
static uint64_t burst(int fd, struct mmsghdr *m, uint64_t num)
{
	uint64_t sent = 0;

	while (sent < num) {
		uint64_t part = num - sent < ROW_BATCH ? num - sent : ROW_BATCH;
		int n = sendmmsg(fd, m, (unsigned)part, 0);

		if (n <= 0)
			break;
		sent += (uint64_t)n;
	}
	return sent;
}

uint64_t send_row(int fd, const struct msghdr *one, uint64_t rate, uint64_t ms,
		  uint64_t *ns)
{
	struct mmsghdr m[ROW_BATCH];
	uint64_t start = now_ns();
	uint64_t at = start;
	uint64_t sent = 0;

	for (int i = 0; i < ROW_BATCH; i++)
		m[i].msg_hdr = *one;
	while (at < start + ms * MS) {
		uint64_t due = (at - start) / 1000 * rate / 1000000;

		if (!rate)
			sent += burst(fd, m, ROW_BATCH);
		else if (due > sent)
			sent += burst(fd, m, due - sent);
		if (rate)
			sleep_until(at + STEP_NS);
		at = now_ns();
	}
	*ns = at - start;
	return sent;
}

uint64_t receive_row(int fd, uint64_t id, uint64_t *ns)
{
	static uint8_t data[ROW_BATCH][DATAGRAM_MAX];
	static struct iovec iov[ROW_BATCH];
	static struct mmsghdr m[ROW_BATCH];
	uint64_t first = 0;
	uint64_t num = 0;
	int n;

	*ns = 1;
	for (int i = 0; i < ROW_BATCH; i++) {
		iov[i] = (struct iovec){ data[i], sizeof(data[i]) };
		m[i].msg_hdr =
			(struct msghdr){ .msg_iov = &iov[i], .msg_iovlen = 1 };
	}
	while ((n = recvmmsg(fd, m, ROW_BATCH, MSG_WAITFORONE, NULL)) > 0) {
		if (!first)
			first = now_ns();
		*ns = now_ns() - first + 1;
		for (int i = 0; i < n; i++)
			num += m[i].msg_len >= DATAGRAM_MIN &&
			       get_be64(data[i] + RUN_AT) == id;
	}
	return num;
}
