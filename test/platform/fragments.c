/* SPDX-License-Identifier: MIT */
/* Shows what nat/gather.c relies on of a multi-queue TUN device.
 *
 * THEORY OF OPERATION
 * In a network namespace of its own, with a TUN of QUEUES queues: this
 * kernel sends UDP datagrams that it must cut, from many ports to many
 * addresses. Shown, for IPv4 and IPv6: all fragments of a datagram come
 * through one queue, the first one with ports too, and datagrams to
 * different addresses through different queues; also after the device was
 * told, by packets written to it, which queue serves which flow.
 *
 * Needs root and `ip`. Exit status 0 when all is as said.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/ip.h"
#include "tun/tun.h"

enum { QUEUES = 4, DATAGRAMS = 200, BYTES = 5000, IDS = 1024, WAIT_MS = 200 };

static int fds[QUEUES];
static unsigned failures;

/* The queues that fragments of an (address, id) came through, as bits. */
struct datagram {
	struct addr to;
	uint32_t id;
	unsigned queues;
	unsigned fragments;
};

static struct datagram seen[IDS];
static unsigned seen_num;

static void say(bool good, const char *what, unsigned n)
{
	printf("%s %s (%u)\n", good ? "ok  " : "FAIL", what, n);
	failures += !good;
}

static void die(const char *what)
{
	fprintf(stderr, "fragments: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void run(const char *cmd)
{
	if (system(cmd) != 0) {
		errno = EINVAL;
		die(cmd);
	}
}

static struct datagram *datagram_of(const struct ip_fragment *f)
{
	for (unsigned i = 0; i < seen_num; i++)
		if (seen[i].id == f->id && addr_eq(&seen[i].to, &f->ip.to))
			return &seen[i];
	if (seen_num == IDS)
		die("more datagrams than were sent");
	seen[seen_num].id = f->id;
	seen[seen_num].to = f->ip.to;
	return &seen[seen_num++];
}

static void read_queue(unsigned k)
{
	static uint8_t buf[TUN_PACKET_MAX + TUN_VNET_HDR];
	struct ip_offload off;
	struct ip_fragment f;
	struct datagram *d;
	uint8_t *pkt;
	size_t len;

	while (tun_read(fds[k], buf, sizeof(buf), &pkt, &len, &off) == 0) {
		if (ip_parse_fragment(pkt, len, &f) != REASON_NUM)
			continue;
		d = datagram_of(&f);
		d->queues |= 1u << k;
		d->fragments++;
	}
}

static void read_all(void)
{
	struct pollfd p[QUEUES];

	for (unsigned k = 0; k < QUEUES; k++)
		p[k] = (struct pollfd){ .fd = fds[k], .events = POLLIN };
	while (poll(p, QUEUES, WAIT_MS) > 0)
		for (unsigned k = 0; k < QUEUES; k++)
			read_queue(k);
}

static void send_one(bool v4, unsigned n)
{
	static const uint8_t data[BYTES];
	struct sockaddr_in to4 = { .sin_family = AF_INET,
				   .sin_port = htons(9) };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6,
				    .sin6_port = htons(9) };
	int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
	int dont = IP_PMTUDISC_DONT;
	ssize_t sent;

	to4.sin_addr.s_addr = htonl(0xc6120000u + 2 + n % 50);
	to6.sin6_addr.s6_addr[0] = 0xfd;
	to6.sin6_addr.s6_addr[15] = (uint8_t)(2 + n % 50);
	if (v4 && setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &dont,
			     sizeof(dont)) < 0)
		die("IP_MTU_DISCOVER");
	if (v4)
		sent = sendto(fd, data, BYTES, 0, (struct sockaddr *)&to4,
			      sizeof(to4));
	else
		sent = sendto(fd, data, BYTES, 0, (struct sockaddr *)&to6,
			      sizeof(to6));
	if (sent != BYTES)
		die("sendto");
	close(fd);
}

/* An answer through queue k: the device remembers the flow's queue. */
static void answer(bool v4, unsigned n, unsigned k)
{
	struct endpoint from = { .port = 9 };
	struct endpoint to = { .port = 5000 };
	uint8_t pkt[100];
	size_t len;

	from.addr =
		addr_from4((uint8_t[]){ 198, 18, 0, (uint8_t)(2 + n % 50) });
	to.addr = addr_from4((uint8_t[]){ 198, 18, 0, 1 });
	if (!v4) {
		from.addr =
			(struct addr){ { 0xfd, [15] = (uint8_t)(2 + n % 50) } };
		to.addr = (struct addr){ { 0xfd, [15] = 1 } };
	}
	len = ip_build_udp(pkt, sizeof(pkt), &from, &to, "x", 1);
	if (!len || tun_write(fds[k], pkt, len) != 0)
		die("tun_write");
}

static void show(bool v4, bool answered)
{
	unsigned split = 0;
	unsigned lost = 0;
	unsigned used = 0;

	memset(seen, 0, sizeof(seen));
	seen_num = 0;
	for (unsigned n = 0; n < DATAGRAMS; n++) {
		if (answered)
			answer(v4, n, n % QUEUES);
		send_one(v4, n);
		if (n % 20 == 19)
			read_all();
	}
	read_all();
	for (unsigned i = 0; i < seen_num; i++) {
		split += (seen[i].queues & (seen[i].queues - 1)) != 0;
		lost += seen[i].fragments < BYTES / 1440;
		used |= seen[i].queues;
	}
	printf("%s%s\n", v4 ? "IPv4" : "IPv6",
	       answered ? ", with answers" : "");
	say(seen_num == DATAGRAMS && lost == 0, "datagrams came in fragments",
	    seen_num);
	say(split == 0, "datagrams came through several queues", split);
	say(used == (1u << QUEUES) - 1, "queues were used, as bits", used);
}

int main(void)
{
	struct tun_info info = { .tso = false };
	char err[200];

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare (needs root)");
	run("ip link set lo up");
	run("ip tuntap add hip0 mode tun multi_queue vnet_hdr");
	run("ip link set hip0 up mtu 1440");
	run("ip addr add 198.18.0.1/24 dev hip0");
	run("ip addr add fd00::1/64 dev hip0 nodad");
	if (tun_open("hip0", QUEUES, fds, &info, err, sizeof(err)) != 0) {
		fprintf(stderr, "fragments: %s\n", err);
		return 2;
	}
	/* The device sends when the kernel has noticed that it is open. */
	for (unsigned i = 0; i < 50 && seen_num == 0; i++) {
		send_one(true, 0);
		read_all();
	}
	show(true, false);
	show(false, false);
	show(true, true);
	show(false, true);
	tun_close(fds, QUEUES);
	printf("%s\n", failures ? "FAILED" : "all as expected");
	return failures ? 1 : 0;
}
