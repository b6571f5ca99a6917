/* SPDX-License-Identifier: MIT */
/* Shows how the kernel steers datagrams to a group of UDP sockets.
 *
 * THEORY OF OPERATION
 * The daemon binds 1 + N sockets with SO_REUSEPORT to one port and gives
 * the group a classic-BPF program (docs/design.md, section 3): first 32-bit
 * word 0 (HIP, RFC 9028) to socket 0, else socket 1 + word % N. Shown here,
 * for IPv4 and IPv6, each with and without UDP_GRO on the receivers:
 *
 * - the index is the order of bind();
 * - a payload of less than 4 octets goes to socket 0, because a load past
 *   the end of the packet ends the program with 0;
 * - a super-packet (a UDP_SEGMENT sender on the same machine, or what GRO
 *   merged on its way in) is steered once, by its first datagram. GRO looks
 *   at ports and lengths only, so words of several workers do arrive in one
 *   socket: who receives must look at each datagram's word again.
 *
 * The last is shown on a veth pair whose GRO is told to wait. Needs root
 * and `ip`; makes namespaces of its own, which end with it. Exit status 0
 * when all is as said; a line for each finding.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum { PORT = 10500, WORKERS = 3, SOCKS = 1 + WORKERS, SIZE = 100 };

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
	fprintf(stderr, "reuseport: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int want_socket(uint32_t word)
{
	return word ? 1 + (int)(word % WORKERS) : 0;
}

static socklen_t make_addr(int family, const char *text,
			   struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (struct sockaddr_in *)out;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (family == AF_INET) {
		four->sin_family = AF_INET;
		four->sin_port = htons(PORT);
		inet_pton(AF_INET, text, &four->sin_addr);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons(PORT);
	inet_pton(AF_INET6, text, &six->sin6_addr);
	return sizeof(*six);
}

static void attach_program(int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 3, 0),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, WORKERS),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		       sizeof(prog)) < 0)
		die("SO_ATTACH_REUSEPORT_CBPF");
}

static void open_group(int family, bool gro, int fds[SOCKS])
{
	struct sockaddr_storage addr;
	socklen_t len =
		make_addr(family, family == AF_INET ? "0.0.0.0" : "::", &addr);
	int one = 1;

	for (int i = 0; i < SOCKS; i++) {
		fds[i] = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (fds[i] < 0)
			die("socket");
		if (family == AF_INET6)
			setsockopt(fds[i], IPPROTO_IPV6, IPV6_V6ONLY, &one,
				   sizeof(one));
		if (setsockopt(fds[i], SOL_SOCKET, SO_REUSEPORT, &one,
			       sizeof(one)) < 0)
			die("SO_REUSEPORT");
		if (gro && setsockopt(fds[i], IPPROTO_UDP, UDP_GRO, &one,
				      sizeof(one)) < 0)
			die("UDP_GRO");
		if (bind(fds[i], (struct sockaddr *)&addr, len) < 0)
			die("bind");
	}
	attach_program(fds[0]);
}

static void close_group(int fds[SOCKS])
{
	for (int i = 0; i < SOCKS; i++)
		close(fds[i]);
}

/* One received datagram or super-packet. */
struct got {
	int sock; /* -1: nothing came */
	ssize_t len;
	int gso; /* size of its datagrams; 0: it is one */
	uint8_t data[65536];
};

static struct got got;

static void receive(int fds[SOCKS], int wait_ms)
{
	struct pollfd p[SOCKS];
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { got.data, sizeof(got.data) };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	got.sock = -1;
	got.gso = 0;
	for (int i = 0; i < SOCKS; i++)
		p[i] = (struct pollfd){ fds[i], POLLIN, 0 };
	if (poll(p, SOCKS, wait_ms) <= 0)
		return;
	for (int i = 0; i < SOCKS && got.sock < 0; i++)
		if (p[i].revents)
			got.sock = i;
	got.len = recvmsg(fds[got.sock], &m, 0);
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO)
		memcpy(&got.gso, CMSG_DATA(c), sizeof(got.gso));
}

static int open_sender(int family, const char *to)
{
	struct sockaddr_storage addr;
	socklen_t len = make_addr(family, to, &addr);
	int fd = socket(family, SOCK_DGRAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, len) < 0)
		die("connect");
	return fd;
}

static void put_word(uint8_t *p, uint32_t word)
{
	word = htonl(word);
	memset(p, 0xaa, SIZE);
	memcpy(p, &word, 4);
}

static void send_word(int fd, uint32_t word)
{
	uint8_t data[SIZE];

	put_word(data, word);
	if (send(fd, data, sizeof(data), 0) != sizeof(data))
		die("send");
}

/* ---- each by itself ---------------------------------------------------- */

static void show_single(int family, const char *to, const char *title,
			int fds[SOCKS])
{
	static const uint32_t words[] = {
		0, 1, 2, 3, 4, 5, 256, 0x01000000, 0x80000000, 0xffffffff
	};
	const int num = sizeof(words) / sizeof(words[0]);
	int good = 0;

	/* Twice, from two source ports: the port must not matter. */
	for (int i = 0; i < 2 * num; i++) {
		int fd = open_sender(family, to);

		send_word(fd, words[i % num]);
		receive(fds, 1000);
		good += got.sock == want_socket(words[i % num]);
		close(fd);
	}
	say(good == 2 * num, "%s: %d of %d words in their sockets", title, good,
	    2 * num);
	good = 0;
	for (size_t len = 0; len < 4; len++) {
		int fd = open_sender(family, to);

		if (send(fd, "\xff\xff\xff", len, 0) != (ssize_t)len)
			die("send");
		receive(fds, 1000);
		good += got.sock == 0 && got.len == (ssize_t)len;
		close(fd);
	}
	say(good == 4, "%s: %d of 4 payloads of 0..3 octets in socket 0", title,
	    good);
}

/* ---- super-packets ----------------------------------------------------- */

/* Receives all there is; how many datagrams were in the socket of their own
 * word, and how many not. */
static void count_places(int fds[SOCKS], int wait_ms, int *right, int *wrong,
			 int *reads)
{
	*right = *wrong = *reads = 0;
	for (receive(fds, wait_ms); got.sock >= 0; receive(fds, wait_ms)) {
		ssize_t step = got.gso ? got.gso : got.len;

		++*reads;
		for (ssize_t at = 0; at < got.len; at += step) {
			uint32_t word;

			memcpy(&word, got.data + at, 4);
			if (want_socket(ntohl(word)) == got.sock)
				++*right;
			else
				++*wrong;
		}
	}
}

static void show_segment(int family, const char *to, const char *title,
			 bool gro, int fds[SOCKS])
{
	static const uint32_t words[] = { 4, 4, 5, 0, 6, 4 };
	uint8_t data[6 * SIZE];
	int size = SIZE;
	int right, wrong, reads;
	int fd = open_sender(family, to);

	for (int i = 0; i < 6; i++)
		put_word(data + i * SIZE, words[i]);
	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)) < 0 ||
	    send(fd, data, sizeof(data), 0) != sizeof(data))
		die("UDP_SEGMENT");
	count_places(fds, 200, &right, &wrong, &reads);
	say(right == 3 && wrong == 3 && reads == (gro ? 1 : 6),
	    "%s: UDP_SEGMENT of words 4 4 5 0 6 4: %d reads, %d in their own "
	    "socket, %d in that of the first word",
	    title, reads, right, wrong);
	close(fd);
}

static void show_loopback(int family, bool gro)
{
	const char *to = family == AF_INET ? "127.0.0.1" : "::1";
	char title[64];
	int fds[SOCKS];

	snprintf(title, sizeof(title), "IPv%d%s", family == AF_INET ? 4 : 6,
		 gro ? " with UDP_GRO" : "");
	open_group(family, gro, fds);
	show_single(family, to, title, fds);
	show_segment(family, to, title, gro, fds);
	close_group(fds);
}

/* ---- GRO on a device ---------------------------------------------------- */

static void run(const char *fmt, ...)
{
	char cmd[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) != 0) {
		errno = EINVAL;
		die(cmd);
	}
}

static void set_feature(const char *dev, uint32_t cmd, uint32_t on)
{
	struct ethtool_value v = { .cmd = cmd, .data = on };
	struct ifreq ifr = { .ifr_data = (void *)&v };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &ifr) < 0)
		die("SIOCETHTOOL");
	close(fd);
}

/* GRO on, and held for 50 ms after the last packet: so that packets which
 * are sent one by one are merged for certain. */
static void hold_gro(const char *dev)
{
	set_feature(dev, ETHTOOL_SGRO, 1);
	if (unshare(CLONE_NEWNS) < 0 ||
	    mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) < 0)
		die("sysfs of the namespace");
	run("echo 50000000 >/sys/class/net/%s/gro_flush_timeout", dev);
	run("echo 100 >/sys/class/net/%s/napi_defer_hard_irqs", dev);
}

/* The other end: waits for our word, then lives until it is killed. */
static pid_t make_peer(int *ready)
{
	int p[2];
	pid_t pid;
	char c;

	if (pipe(p) < 0)
		die("pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0)
			die("unshare");
		if (write(p[1], "x", 1) != 1)
			die("write");
		pause();
		_exit(0);
	}
	if (read(p[0], &c, 1) != 1)
		die("peer");
	*ready = p[0];
	close(p[1]);
	return pid;
}

/* A socket of the peer's namespace, made here; veth leaves GRO out as long
 * as its other end does TSO. */
static int sender_in(pid_t pid, int family, const char *to)
{
	char path[64];
	int self = open("/proc/self/ns/net", O_RDONLY);
	int peer;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	peer = open(path, O_RDONLY);
	if (self < 0 || peer < 0 || setns(peer, CLONE_NEWNET) < 0)
		die("setns");
	set_feature("hgt1", ETHTOOL_STSO, 0);
	fd = open_sender(family, to);
	if (setns(self, CLONE_NEWNET) < 0)
		die("setns back");
	close(self);
	close(peer);
	return fd;
}

static void show_gro(pid_t pid, int family, bool gro)
{
	static const uint32_t words[] = { 4, 4, 5, 0, 6, 4 };
	const char *to = family == AF_INET ? "192.0.2.1" : "2001:db8::1";
	int fd = sender_in(pid, family, to);
	int fds[SOCKS];
	int right, wrong, reads;

	open_group(family, gro, fds);
	for (int i = 0; i < 6; i++)
		send_word(fd, words[i]);
	count_places(fds, 300, &right, &wrong, &reads);
	if (gro)
		say(right == 3 && wrong == 3 && reads == 1,
		    "IPv%d: GRO on veth merged words 4 4 5 0 6 4: %d reads, "
		    "%d in their own socket, %d in that of the first word",
		    family == AF_INET ? 4 : 6, reads, right, wrong);
	else
		say(right == 6 && wrong == 0 && reads == 6,
		    "IPv%d: without UDP_GRO veth merges none: %d reads, %d in "
		    "their own socket, %d in another",
		    family == AF_INET ? 4 : 6, reads, right, wrong);
	close_group(fds);
	close(fd);
}

static void show_device(void)
{
	int ready;
	pid_t pid = make_peer(&ready);

	run("ip link add hgt0 type veth peer name hgt1 netns %d", (int)pid);
	run("ip addr add 192.0.2.1/24 dev hgt0");
	run("ip addr add 2001:db8::1/64 dev hgt0 nodad");
	run("ip link set hgt0 up");
	run("nsenter -t %d -n ip addr add 192.0.2.2/24 dev hgt1", (int)pid);
	run("nsenter -t %d -n ip addr add 2001:db8::2/64 dev hgt1 nodad",
	    (int)pid);
	run("nsenter -t %d -n ip link set hgt1 up", (int)pid);
	/* Neighbours are known, so that nothing waits for an answer. */
	run("mac=$(ip -o link "
	    "show hgt0 | sed 's/.*ether \\([^ ]*\\).*/\\1/'); for a in "
	    "192.0.2.1 2001:db8::1; do nsenter -t %d -n ip neigh replace $a "
	    "lladdr $mac dev hgt1; done",
	    (int)pid);
	hold_gro("hgt0");
	for (int i = 0; i < 4; i++)
		show_gro(pid, i & 1 ? AF_INET6 : AF_INET, i & 2);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready);
}

int main(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		die("unshare (needs root)");
	run("ip link set lo up");
	for (int i = 0; i < 4; i++)
		show_loopback(i & 1 ? AF_INET6 : AF_INET, i & 2);
	show_device();
	printf("%s\n", failures ? "FAILED" : "all as expected");
	return failures ? 1 : 0;
}
