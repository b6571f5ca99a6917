/* SPDX-License-Identifier: MIT */
/* Shows what we rely on of the TUN device, through tun/tun.h itself.
 *
 * THEORY OF OPERATION
 * In a network namespace of its own, with a persistent multi-queue TUN as
 * hipgate-setup makes it: a TCP socket of this kernel talks to a peer that
 * is played here, one packet after the other. Shown, for IPv4 and IPv6:
 *
 * - the kernel hands over TCP packets larger than the MTU, with a checksum
 *   left to us, and tun_cut makes good segments of them;
 * - it accepts a super-packet of tun_join and delivers its octets;
 * - with info.uso it hands over UDP super-packets too;
 * - tun_open makes no device, and names what is wrong with another.
 *
 * Needs root and `ip`. Exit status 0 when all is as said.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "tun/tun.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { QUEUES = 2, PORT = 80, MSS = 1400, DATA = 28000, WAIT_MS = 2000 };

static unsigned failures;

__attribute__((format(printf, 2, 3))) static void say(bool good,
						      const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	printf("%s ", good ? "ok  " : "FAIL");
	vprintf(fmt, ap);
	printf("\n");
	va_end(ap);
	failures += !good;
}

static void die(const char *what)
{
	fprintf(stderr, "tun_offload: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void run(const char *cmd)
{
	if (system(cmd) != 0) {
		errno = EINVAL;
		die(cmd);
	}
}

/* The side that is played here. */
struct side {
	int fds[QUEUES];
	struct tun_info info;
	bool v4;
	struct addr client;
	struct addr us;
	uint16_t client_port;
	uint32_t client_seq; /* what we have of the client, next */
	uint32_t seq;	     /* ours, next */
	uint8_t buf[TUN_PACKET_MAX + TUN_VNET_HDR];
};

static struct side side;

/* The next packet of that protocol from the client. */
static bool next_packet(uint8_t proto, struct ip_view *v,
			struct ip_offload *off)
{
	for (;;) {
		struct pollfd p[QUEUES];
		uint8_t *pkt;
		size_t len;
		int q = 0;

		for (int i = 0; i < QUEUES; i++)
			p[i] = (struct pollfd){ side.fds[i], POLLIN, 0 };
		if (poll(p, QUEUES, WAIT_MS) <= 0)
			return false;
		while (q < QUEUES - 1 && !p[q].revents)
			q++;
		if (tun_read(side.fds[q], side.buf, sizeof(side.buf), &pkt,
			     &len, off) != 0)
			continue;
		if (ip_parse(pkt, len, v) == REASON_NUM && v->proto == proto &&
		    v->v4 == side.v4)
			return true;
	}
}

/* A whole TCP segment of ours; header and l4 apart, as the daemon has it. */
static size_t make_segment(uint8_t *hdr, uint8_t *tcp, uint8_t flags,
			   const uint8_t *data, size_t len)
{
	static const uint8_t mss[4] = { 2, 4, MSS >> 8, MSS & 0xff };
	size_t tcp_len = flags & TCP_SYN ? 24 : 20;
	size_t n = tcp_len + len;
	uint64_t sum =
		csum_pseudo(&side.us, &side.client, IP_PROTO_TCP, (uint32_t)n);

	memset(tcp, 0, tcp_len);
	put_be16(tcp, PORT);
	put_be16(tcp + 2, side.client_port);
	put_be32(tcp + 4, side.seq);
	put_be32(tcp + 8, side.client_seq);
	tcp[12] = (uint8_t)(tcp_len / 4 << 4);
	tcp[13] = flags;
	put_be16(tcp + 14, 65535);
	if (flags & TCP_SYN)
		memcpy(tcp + 20, mss, sizeof(mss));
	if (len)
		memcpy(tcp + tcp_len, data, len);
	put_be16(tcp + 16, csum_finish(csum_add(sum, tcp, n)));
	side.seq += (uint32_t)len + (flags & TCP_SYN ? 1 : 0);
	ip_put_header(hdr, &side.us, &side.client, IP_PROTO_TCP, (uint32_t)n,
		      64, 0);
	return n;
}

static int start_client(int type)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons(PORT) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons(PORT) };
	int fd = socket(side.v4 ? AF_INET : AF_INET6, type | SOCK_NONBLOCK, 0);
	int err;

	if (fd < 0)
		die("socket");
	memcpy(&four.sin_addr, side.us.b + 12, 4);
	memcpy(&six.sin6_addr, side.us.b, 16);
	err = side.v4 ? connect(fd, (struct sockaddr *)&four, sizeof(four))
		      : connect(fd, (struct sockaddr *)&six, sizeof(six));
	if (err < 0 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static bool shake_hands(void)
{
	struct ip_view v;
	struct ip_offload off;
	uint8_t pkt[128];
	uint8_t tcp[64];
	size_t ip = side.v4 ? IP4_HDR : IP6_HDR;
	size_t n;

	if (!next_packet(IP_PROTO_TCP, &v, &off) || !(v.l4[13] & TCP_SYN))
		return false;
	side.client = v.from;
	side.client_port = get_be16(v.l4);
	side.client_seq = get_be32(v.l4 + 4) + 1;
	side.seq = 1000;
	n = make_segment(pkt, tcp, TCP_SYN | TCP_ACK, NULL, 0);
	memcpy(pkt + ip, tcp, n);
	if (tun_write(side.fds[0], pkt, ip + n) != 0)
		return false;
	return next_packet(IP_PROTO_TCP, &v, &off) &&
	       get_be32(v.l4 + 8) == side.seq;
}

static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 13 + (i >> 8));
}

/* TUN <- us: joined segments are taken and delivered. */
static void show_join(int client)
{
	static uint8_t data[DATA];
	static uint8_t got[DATA];
	static uint8_t tcp[DATA / MSS][64 + MSS];
	uint8_t hdr[IP6_HDR];
	size_t ip = side.v4 ? IP4_HDR : IP6_HDR;
	struct tun_joiner *j;
	struct tun_joined done;
	size_t have = 0;

	fill(data, sizeof(data));
	if (tun_joiner_new(side.fds[1], true, false, &j) != 0)
		die("tun_joiner_new");
	for (int i = 0; i < DATA / MSS; i++) {
		size_t n =
			make_segment(hdr, tcp[i], TCP_ACK, data + i * MSS, MSS);

		tun_join(j, hdr, ip, IP_PROTO_TCP, tcp[i], n);
	}
	tun_join_flush(j, &done);
	tun_joiner_free(j);
	while (have < DATA) {
		struct pollfd p = { client, POLLIN, 0 };
		ssize_t n;

		if (poll(&p, 1, WAIT_MS) <= 0)
			break;
		n = recv(client, got + have, DATA - have, 0);
		if (n <= 0)
			break;
		have += (size_t)n;
	}
	say(done.failed == 0 && done.writes == 1 && have == DATA &&
		    memcmp(got, data, DATA) == 0,
	    "IPv%d: %u segments went in by %u write (%u refused), %zu of %d "
	    "octets were delivered",
	    side.v4 ? 4 : 6, done.packets, done.writes, done.failed, have,
	    DATA);
}

/* Cuts and checks; the number of good pieces, or -1. */
static int good_pieces(const struct ip_view *v, const struct ip_offload *off)
{
	uint64_t pseudo = csum_pseudo(&v->from, &v->to, v->proto, 0);
	struct tun_cutter c;
	struct tun_piece p;
	int num = 0;

	if (tun_cut(&c, v->proto, v->l4, v->l4_len, off, pseudo) != REASON_NUM)
		return -1;
	while (tun_cut_next(&c, &p)) {
		size_t n = p.head_len + p.body_len;
		uint64_t sum = csum_add(pseudo + n, p.head, p.head_len);

		if (csum_finish(csum_add(sum, p.body, p.body_len)) != 0 ||
		    p.body_len > MSS)
			return -1;
		num++;
	}
	return num;
}

/* TUN -> us: super-packets arrive and can be cut. */
static void show_cut(int client)
{
	static uint8_t data[10000];
	struct ip_view v;
	struct ip_offload off;
	size_t have = 0;
	uint32_t largest = 0;
	int pieces = 0;

	fill(data, sizeof(data));
	if (send(client, data, sizeof(data), 0) != sizeof(data))
		die("send");
	while (have < sizeof(data) && next_packet(IP_PROTO_TCP, &v, &off)) {
		uint32_t hdr = ip_l4_hdr_len(v.proto, v.l4, v.l4_len);
		uint32_t at = get_be32(v.l4 + 4) - side.client_seq;
		int n;

		if (v.l4_len == hdr || at != have)
			continue; /* an ACK, or sent again */
		if (memcmp(v.l4 + hdr, data + have, v.l4_len - hdr) != 0)
			break;
		have += v.l4_len - hdr;
		n = good_pieces(&v, &off);
		if (n < 0)
			break;
		pieces += n;
		if (v.l4_len > largest && off.csum_partial && off.gso_size)
			largest = v.l4_len;
	}
	say(have == sizeof(data) && largest > 1500 && pieces >= 8,
	    "IPv%d: %zu octets came in packets up to %u, cut into %d good "
	    "pieces",
	    side.v4 ? 4 : 6, have, largest, pieces);
}

static void show_udp(void)
{
	static uint8_t data[5 * 1000];
	int client = start_client(SOCK_DGRAM);
	int size = 1000;
	struct ip_view v;
	struct ip_offload off;
	int pieces = 0;
	int reads = 0;

	if (setsockopt(client, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) <
		    0 ||
	    send(client, data, sizeof(data), 0) != sizeof(data))
		die("UDP_SEGMENT");
	while (pieces >= 0 && pieces < 5 &&
	       next_packet(IP_PROTO_UDP, &v, &off)) {
		int n = good_pieces(&v, &off);

		pieces = n < 0 ? n : pieces + n;
		reads++;
	}
	say(pieces == 5 && reads == (side.info.uso ? 1 : 5),
	    "IPv%d: 5 UDP datagrams of one send came by %d read (uso %d)",
	    side.v4 ? 4 : 6, reads, side.info.uso);
	close(client);
}

static void show_family(bool v4)
{
	static const uint8_t four[4] = { 198, 18, 0, 5 };
	static const uint8_t six[16] = { 0xfd, 0, [15] = 5 };
	int client;

	side.v4 = v4;
	side.us = v4 ? addr_from4(four) : addr_from6(six);
	client = start_client(SOCK_STREAM);
	if (!shake_hands()) {
		say(false, "IPv%d: no TCP connection", v4 ? 4 : 6);
	} else {
		show_join(client);
		show_cut(client);
	}
	close(client);
	show_udp();
}

static void show_error(const char *name, int want)
{
	struct tun_info info = { .tso = false };
	int fds[QUEUES];
	char err[200] = "";
	int got = tun_open(name, QUEUES, fds, &info, err, sizeof(err));

	say(got == want, "tun_open %s: %d (%s), \"%s\"", name, got,
	    err_text(got), err);
	if (got == 0)
		tun_close(fds, QUEUES);
}

/* A child without any capability: what the daemon is. */
static void show_other_user(void)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		struct __user_cap_header_struct h = {
			.version = _LINUX_CAPABILITY_VERSION_3
		};
		struct __user_cap_data_struct none[2] = { { 0 } };

		if (syscall(SYS_capset, &h, none) < 0)
			die("capset");
		failures = 0;
		show_error("hgother0", HG_EPERM);
		show_error("hgmine0", 0);
		show_error("hgnone0", HG_ENOENT);
		fflush(stdout);
		_exit(failures != 0);
	}
	waitpid(pid, &status, 0);
	failures += status != 0;
}

static void show_errors(void)
{
	run("ip tuntap add hgsingle0 mode tun vnet_hdr");
	run("ip tuntap add hgother0 mode tun user 1 multi_queue vnet_hdr");
	run("ip tuntap add hgmine0 mode tun user 0 multi_queue vnet_hdr");
	run("ip tuntap add hgtap0 mode tap multi_queue vnet_hdr");
	show_error("hgnone0", HG_ENOENT);
	say(if_nametoindex("hgnone0") == 0, "no device was made by asking");
	show_error("hgsingle0", HG_EINVAL);
	show_error("hgtap0", HG_EINVAL);
	show_error("lo", HG_EINVAL);
	show_other_user();
}

int main(void)
{
	char err[200];

	if (unshare(CLONE_NEWNET) < 0)
		die("unshare (needs root)");
	run("ip link set lo up");
	run("ip tuntap add hip0 mode tun multi_queue vnet_hdr");
	run("ip link set hip0 up mtu 1440");
	run("ip addr add 198.18.0.1/24 dev hip0");
	run("ip addr add fd00::1/64 dev hip0 nodad");
	side.info.tso = true;
	side.info.uso = true;
	if (tun_open("hip0", QUEUES, side.fds, &side.info, err, sizeof(err)) !=
	    0) {
		fprintf(stderr, "tun_offload: %s\n", err);
		return 2;
	}
	say(side.info.tso && side.info.mtu == 1440 &&
		    side.info.index == if_nametoindex("hip0"),
	    "hip0: index %u mtu %u tso %d uso %d", side.info.index,
	    side.info.mtu, side.info.tso, side.info.uso);
	show_family(true);
	show_family(false);
	tun_close(side.fds, QUEUES);
	show_errors();
	printf("%s\n", failures ? "FAILED" : "all as expected");
	return failures ? 1 : 0;
}
