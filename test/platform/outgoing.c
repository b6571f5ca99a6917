/* SPDX-License-Identifier: MIT */
/* Shows what batch.c and pathside.c rely on of a UDP socket, and batch.c of
 * the TUN's queues.
 *
 * THEORY OF OPERATION
 * In a network namespace of its own, with a TUN device of MTU bytes and
 * QUEUES queues, whose packets are read as they would leave an interface.
 * Shown for IPv4 and IPv6:
 * - sockets_set_df changes the next send: with DF a datagram of the
 *   interface's size leaves whole, whatever smaller size a route has (so an
 *   ICMP error, which makes such routes, does not bind it), and a larger one
 *   is EMSGSIZE; without, it leaves in fragments; and back again;
 * - segments that are larger than the interface are refused whole, with
 *   EMSGSIZE or (older kernels) EINVAL, and nothing of them has left;
 * - a socket without checksums takes no segments (EINVAL), with no error
 *   before the send;
 * - a flow's packets come through the queue that answers were written to.
 *
 * Needs root and `ip`. Exit status 0 when all is as said.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/hipgated/sockets.h"
#include "core/ip.h"
#include "core/wire.h"
#include "tun/tun.h"

enum { QUEUES = 4, MTU = 1400, WAIT_MS = 200 };

static int fds[QUEUES];
static unsigned failures;

static void say(bool good, const char *family, const char *what)
{
	printf("%s %s: %s\n", good ? "ok  " : "FAIL", family, what);
	failures += !good;
}

static void die(const char *what)
{
	fprintf(stderr, "outgoing: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void run(const char *cmd)
{
	if (system(cmd) != 0) {
		errno = EINVAL;
		die(cmd);
	}
}

/* The next UDP packet or fragment of one, and its queue; 0: none comes. */
static size_t next_packet(uint8_t **pkt, unsigned *queue)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	struct pollfd p[QUEUES];
	struct ip_offload off;
	size_t len;

	for (unsigned q = 0; q < QUEUES; q++)
		p[q] = (struct pollfd){ fds[q], POLLIN, 0 };
	while (poll(p, QUEUES, WAIT_MS) > 0) {
		for (*queue = 0; !(p[*queue].revents & POLLIN);)
			++*queue;
		if (tun_read(fds[*queue], buf, sizeof(buf), pkt, &len, &off))
			continue;
		if ((*pkt)[0] >> 4 == 4
			    ? (*pkt)[9] == IP_PROTO_UDP
			    : (*pkt)[6] == IP_PROTO_UDP ||
				      (*pkt)[6] == IP_PROTO_FRAGMENT)
			return len;
	}
	return 0;
}

struct side {
	const char *name;
	unsigned family; /* of sockets.h */
	size_t hdrs;	 /* IP and UDP */
	struct sockaddr_storage to;
	socklen_t to_len;
	int fd;
};

static void side_init(struct side *s, unsigned family)
{
	struct endpoint e;

	s->family = family;
	s->name = family ? "IPv6" : "IPv4";
	s->hdrs = (family ? IP6_HDR : IP4_HDR) + UDP_HDR;
	if (endpoint_parse(family ? "[fd00:1::9]:7" : "198.18.1.9:7", 7, &e))
		die("endpoint_parse");
	s->to_len = sockets_address(&e, &s->to);
	s->fd = socket(family ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (s->fd < 0)
		die("socket");
}

/* One datagram, of an IP packet of so many octets. 0 or errno. */
static int send_one(struct side *s, size_t ip_len)
{
	static uint8_t data[4096];
	ssize_t n = sendto(s->fd, data, ip_len - s->hdrs, 0,
			   (struct sockaddr *)&s->to, s->to_len);

	return n < 0 ? errno : 0;
}

/* Comes it whole, and in IPv4 with DF? */
static bool whole(size_t ip_len, bool df)
{
	unsigned queue;
	uint8_t *pkt;
	size_t len = next_packet(&pkt, &queue);

	if (len != ip_len)
		return false;
	if (pkt[0] >> 4 == 6)
		return pkt[6] == IP_PROTO_UDP;
	return (get_be16(pkt + 6) & 0x7fff) == (df ? 0x4000 : 0);
}

static bool in_fragments(void)
{
	unsigned queue;
	unsigned num = 0;
	uint8_t *pkt;
	size_t len;

	while ((len = next_packet(&pkt, &queue)) && len <= MTU)
		num += pkt[0] >> 4 == 4 ? (get_be16(pkt + 6) & 0x3fff) != 0
					: pkt[6] == IP_PROTO_FRAGMENT;
	return num >= 2;
}

static bool nothing(void)
{
	unsigned queue;
	uint8_t *pkt;

	return next_packet(&pkt, &queue) == 0;
}

/* An interface that has just come up drops what it is given until the kernel
 * has put its queues to work, which it does later and on its own: datagrams
 * are sent until one comes out, and those behind it are read.
 */
static void wait_until_up(struct side *s)
{
	enum { TRIES = 50 };

	for (int i = 0; i < TRIES; i++) {
		if (send_one(s, 1000))
			die("sendto");
		if (nothing())
			continue;
		while (!nothing())
			;
		return;
	}
	errno = ENETDOWN;
	die("no packet leaves the interface");
}

static void show_df(struct side *s)
{
	for (int round = 0; round < 2; round++) {
		if (sockets_set_df(s->fd, s->family, true))
			die("sockets_set_df");
		say(!send_one(s, MTU) && whole(MTU, true), s->name,
		    "with DF, of the interface's size: whole, past a route's");
		say(send_one(s, MTU + 8) == EMSGSIZE && nothing(), s->name,
		    "with DF, larger: EMSGSIZE");
		if (sockets_set_df(s->fd, s->family, false))
			die("sockets_set_df");
		say(!send_one(s, MTU + 8) && in_fragments(), s->name,
		    "without DF, larger: in fragments");
		say(!send_one(s, 1000) && whole(1000, false), s->name,
		    "without DF, small: whole");
	}
}

/* seg * 3 octets as segments. 0 or errno. */
static int send_segments(struct side *s, int seg)
{
	static uint8_t data[3 * 4096];
	ssize_t n;
	int err;

	if (setsockopt(s->fd, SOL_UDP, UDP_SEGMENT, &seg, sizeof(seg)))
		die("UDP_SEGMENT");
	n = sendto(s->fd, data, 3 * (size_t)seg, 0, (struct sockaddr *)&s->to,
		   s->to_len);
	err = n < 0 ? errno : 0;
	seg = 0;
	if (setsockopt(s->fd, SOL_UDP, UDP_SEGMENT, &seg, sizeof(seg)))
		die("UDP_SEGMENT");
	return err;
}

static void show_segments(struct side *s)
{
	int no_check6_tx = 101;
	int yes = 1;
	int err;

	if (sockets_set_df(s->fd, s->family, true))
		die("sockets_set_df");
	say(!send_segments(s, 1000) && whole(1000 + s->hdrs, true) &&
		    whole(1000 + s->hdrs, true) && whole(1000 + s->hdrs, true),
	    s->name, "three segments");
	err = send_segments(s, MTU);
	say((err == EMSGSIZE || err == EINVAL) && nothing(), s->name,
	    "segments larger than the interface: refused, and none left");
	if (s->family ? setsockopt(s->fd, IPPROTO_UDP, no_check6_tx, &yes,
				   sizeof(yes))
		      : setsockopt(s->fd, SOL_SOCKET, SO_NO_CHECK, &yes,
				   sizeof(yes)))
		die("no checksums");
	say(send_segments(s, 1000) == EINVAL && nothing(), s->name,
	    "segments without checksums: EINVAL, and none left");
	say(!send_one(s, 1000) && whole(1000, true), s->name,
	    "a datagram without checksum leaves");
}

/* Answers pkt through a queue. */
static void answer(uint8_t *pkt, size_t len, unsigned queue)
{
	bool v4 = pkt[0] >> 4 == 4;
	size_t addr = v4 ? 4 : 16;
	uint8_t *ip = pkt + (v4 ? 12 : 8);
	uint8_t *udp = pkt + (v4 ? IP4_HDR : IP6_HDR);
	uint8_t tmp[16];

	memcpy(tmp, ip, addr);
	memcpy(ip, ip + addr, addr);
	memcpy(ip + addr, tmp, addr);
	memcpy(tmp, udp, 2);
	memcpy(udp, udp + 2, 2);
	memcpy(udp + 2, tmp, 2);
	if (tun_write(fds[queue], pkt, len))
		die("tun_write");
}

static void show_queues(struct side *s)
{
	bool good = true;
	unsigned queue;
	uint8_t *pkt;
	size_t len;

	for (unsigned i = 0; i < 3 * QUEUES; i++) {
		if (send_one(s, 1000))
			die("sendto");
		len = next_packet(&pkt, &queue);
		if (!len)
			die("no packet");
		good = good && (!i || queue == (i - 1) * 3 % QUEUES);
		answer(pkt, len, i * 3 % QUEUES);
	}
	say(good, s->name, "a flow comes by the queue that was answered in");
}

int main(void)
{
	struct tun_info info = { .tso = false };
	struct side s;
	char err[200];

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare (needs root)");
	run("ip link set lo up");
	run("ip tuntap add hip0 mode tun multi_queue vnet_hdr");
	run("ip link set hip0 up mtu 1400");
	run("ip addr add 198.18.0.1/24 dev hip0");
	run("ip addr add fd00::1/64 dev hip0 nodad");
	run("ip route add 198.18.1.0/24 dev hip0 mtu 1300");
	run("ip route add fd00:1::/64 dev hip0 mtu 1300");
	if (tun_open("hip0", QUEUES, fds, &info, err, sizeof(err)) != 0) {
		fprintf(stderr, "outgoing: %s\n", err);
		return 2;
	}
	for (unsigned family = 0; family < SOCKETS_FAMILIES; family++) {
		side_init(&s, family);
		wait_until_up(&s);
		show_df(&s);
		show_queues(&s);
		show_segments(&s);
		close(s.fd);
	}
	tun_close(fds, QUEUES);
	printf("%s\n", failures ? "FAILED" : "all as expected");
	return failures ? 1 : 0;
}
