/* SPDX-License-Identifier: MIT */
/* What a data relay costs: a packet passed on, a permission.
 *
 * speed_data PACKETS: prints "NAME VALUE UNIT" lines.
 *
 *   packet, packet-merged   CPU of one ESP packet of 1400 octets that came to
 *                           a client's port and left for the client: alone, or
 *                           as one of 44 that came and left as one
 *   rate, rate-merged       what one core passes on at that
 *   permission              octets of memory, the tables included
 *
 * THEORY OF OPERATION
 * A worker's own code between three UDP sockets on the loopback interface:
 * the peer sends a few datagrams to the port, relaying_readable passes them
 * on, the client throws them away. CPU time is that of relaying_readable
 * alone: the look-up, and the kernel's part of receiving and of sending up to
 * the client's socket, which on a network is the interface's.
 */
#include <malloc.h>
#include <netinet/udp.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/hipgated/relaying.h"
#include "cmd/hipgated/worker.h"
#include "core/wire.h"

enum { SPI = 0x1111, SIZE = 1400, MERGED = 44, ROUND = 32, PERMITS = 100000 };
enum end { MAIN, PORT, CLIENT, PEER, ENDS };

static struct plane plane;
static struct relaying relaying;
static struct relay_port port;
static struct worker w;
static int fd[ENDS];
static struct endpoint at[ENDS];

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void begin(void)
{
	const struct sockets how = { .gro = true };

	memset(plane.sockets.fd, 0xff, sizeof(plane.sockets.fd));
	tables_thread_begin();
	check(!tables_init(&plane.tables) && !linetable_init(&relaying.in) &&
		      !linetable_init(&relaying.out),
	      "memory");
	for (int i = 0; i < ENDS; i++) {
		uint16_t p = 0;

		fd[i] = sockets_open_one(&how, 0, &p);
		check(fd[i] >= 0, "a UDP socket");
		at[i].addr = addr_from4((const uint8_t[]){ 127, 0, 0, 1 });
		at[i].port = p;
	}
	port = (struct relay_port){ .port = at[PORT].port,
				    .fd = { fd[PORT], -1 } };
	relaying.port = &port;
	relaying.num = 1;
	plane.relaying = &relaying;
	plane.sockets.fd[0][1] = fd[MAIN];
	plane.workers = &w;
	plane.workers_num = 1;
	w.plane = &plane;
	w.now = 1;
	offload_init(&w.segment[0], true);
	check(!relaying_init(&w), "memory");
}

static void permit(uint32_t spi)
{
	struct permit *p = aligned_alloc(_Alignof(struct permit), sizeof(*p));

	check(p, "memory");
	memset(p, 0, sizeof(*p));
	p->in = (struct relay_key){ at[PEER], port.port, spi };
	p->out = (struct relay_key){ at[CLIENT], 0, spi };
	p->until = UINT64_MAX;
	p->port = &port;
	p->self.self = at[MAIN].addr;
	p->peer_len = sockets_address(&at[PEER], &p->peer);
	p->client_len = sockets_address(&at[CLIENT], &p->client);
	check(!permits_add(&plane.tables, &relaying, p), "a permission");
}

/* ---- packets -------------------------------------------------------------- */

/* From the peer: `num` of them, in one call. */
static void send_row(unsigned num)
{
	static uint8_t data[MERGED * SIZE];
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&at[PORT], &ss);

	for (unsigned i = 0; i < num; i++)
		put_be32(data + (size_t)i * SIZE, SPI);
	check(sendto(fd[PEER], data, (size_t)num * SIZE, 0,
		     (struct sockaddr *)&ss, len) >= 0,
	      "sending");
}

static uint64_t cpu(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

static void drain(int from)
{
	static uint8_t data[65536];

	while (recv(from, data, sizeof(data), MSG_DONTWAIT) >= 0)
		;
}

/* Nanoseconds a packet; `num` come as one. */
static double pass(uint64_t packets, unsigned num)
{
	int seg = num > 1 ? SIZE : 0;
	uint64_t before = port.packets;
	uint64_t spent = 0;

	check(!setsockopt(fd[PEER], SOL_UDP, UDP_SEGMENT, &seg, sizeof(seg)),
	      "UDP_SEGMENT");
	while (port.packets - before < packets) {
		uint64_t start;

		for (unsigned i = 0; i < ROUND; i += num)
			send_row(num);
		start = cpu();
		relaying_readable(&w, &port, fd[PORT]);
		spent += cpu() - start;
		drain(fd[CLIENT]);
	}
	return (double)spent / (double)(port.packets - before);
}

static void show(const char *of, double ns)
{
	printf("packet%s %.0f ns\n", of, ns);
	printf("rate%s %.0f Mbit/s\n", of, SIZE * 8 * 1000 / ns);
}

/* ---- memory --------------------------------------------------------------- */

static void memory(void)
{
	size_t before = mallinfo2().uordblks;

	for (uint32_t i = 1; i <= PERMITS; i++)
		permit(SPI + i);
	printf("permission %.0f octets\n",
	       (double)(mallinfo2().uordblks - before) / PERMITS);
}

int main(int argc, char **argv)
{
	uint64_t packets = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;

	if (!packets || sodium_init() < 0) {
		(void)fputs("usage: speed_data PACKETS\n", stderr);
		return 2;
	}
	begin();
	permit(SPI);
	(void)pass(packets / 10, 1); /* warm */
	show("", pass(packets, 1));
	show("-merged", pass(packets, MERGED));
	memory();
	relaying_fini(&w);
	permits_fini(&relaying);
	tables_fini(&plane.tables);
	tables_thread_end();
	return 0;
}
