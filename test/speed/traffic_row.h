/* SPDX-License-Identifier: MIT */
/* Rows of datagrams, for both ends of traffic.c. A datagram has its run's
 * number, 64 bits big-endian, at RUN_AT. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define SECOND UINT64_C(1000000000)
#define MS UINT64_C(1000000)

enum {
	RUN_AT = 8,
	DATAGRAM_MIN = 32, /* what asks for a row has four numbers */
	DATAGRAM_MAX = 1472,
	ROW_BATCH = 64,
};

/* Says what failed and errno's text, and ends the program. */
_Noreturn void die(const char *what);

/* Of CLOCK_MONOTONIC. */
uint64_t now_ns(void);
void sleep_until(uint64_t ns);

/* A receive buffer that is not where datagrams are lost. Needs root. */
void big_buffer(int fd);

/* Sends the same datagram for ms, rate times a second or (0) as often as it
 * goes. How often; how long it took goes to *ns. */
uint64_t send_row(int fd, const struct msghdr *one, uint64_t rate, uint64_t ms,
		  uint64_t *ns);

/* How many of a run come until a receive times out (SO_RCVTIMEO); from the
 * first to the last goes to *ns, at least 1. */
uint64_t receive_row(int fd, uint64_t id, uint64_t *ns);
