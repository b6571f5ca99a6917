/* SPDX-License-Identifier: MIT */
/* What the machine gives to an obvious program: a TUN device at one end, a
 * UDP socket at the other, AES-128-GCM or nothing between them.
 *
 * pump TUN MINE THEIRS PORT [aes]: makes the device TUN and carries what
 * comes out of it from the address MINE to THEIRS, and back. No protocol, no
 * keys of worth, no flows: a yardstick, not a tunnel.
 *
 * THEORY OF OPERATION
 * One thread for each direction; all waiting is done by the kernel. A read
 * gives a packet of up to 64 KiB that TCP has not cut yet, with its virtio
 * header. The octets of both are cut into chunks of CHUNK, each is sealed
 * behind eight octets, and all leave by one sendmsg that the kernel cuts
 * (two, if they are more than one UDP_SEGMENT takes). A receive gives such a
 * row (UDP_GRO); its chunks are opened into a packet, which is written when
 * its last one is there.
 *
 * The eight octets are a counter of 48 bits, a mark of a packet's first
 * chunk, and how many of the packet follow. They are the nonce, so they are
 * authentic without being additional data. A gap in the counter loses the
 * rest of a packet.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/wire.h"

enum {
	CHUNK = 1380,
	HEAD = 8,
	TAG = 16,
	PACKET_MAX = 10 + 65535, /* with its virtio header */
	ROW_MAX = 65535 - 48,	 /* one send: less IPv6 and UDP headers */
	COUNT_AT = 16,		 /* bits of the eight octets: the counter, */
	FIRST = 1 << 15,
	LEFT = FIRST - 1,  /* and chunks to follow */
	USO = 0x20 | 0x40, /* TUN_F_USO4 and 6; newer than the headers */
};

static int tun;
static int udp;
static bool aes;
static const uint8_t key[16] = "not a secret, no";

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void tun_up(const char *name)
{
	const unsigned long tso =
		TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR };

	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	tun = open("/dev/net/tun", O_RDWR);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &ifr) < 0)
		die(name);
	if (ioctl(tun, TUNSETOFFLOAD, tso | USO) < 0 &&
	    ioctl(tun, TUNSETOFFLOAD, tso) < 0)
		die("TUNSETOFFLOAD");
}

static struct addrinfo *address(const char *text, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
				  .ai_flags = AI_NUMERICHOST };
	struct addrinfo *found;

	if (getaddrinfo(text, port, &hints, &found) != 0)
		die(text);
	return found;
}

static void udp_up(const char *mine, const char *theirs, const char *port)
{
	struct addrinfo *a = address(mine, port);
	struct addrinfo *b = address(theirs, port);
	int size = 8 << 20;
	int on = 1;

	udp = socket(a->ai_family, SOCK_DGRAM, 0);
	if (udp < 0 || bind(udp, a->ai_addr, a->ai_addrlen) < 0 ||
	    connect(udp, b->ai_addr, b->ai_addrlen) < 0 ||
	    setsockopt(udp, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) < 0 ||
	    setsockopt(udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) <
		    0 ||
	    setsockopt(udp, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) <
		    0)
		die("UDP socket");
	freeaddrinfo(a);
	freeaddrinfo(b);
}

static EVP_CIPHER_CTX *cipher(bool seal)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	if (!c ||
	    EVP_CipherInit_ex(c, EVP_aes_128_gcm(), NULL, key, NULL, seal) != 1)
		die("cipher");
	return c;
}

/* The nonces of the two directions may be the same: nothing here is secret. */
static void nonce(uint8_t iv[12], const uint8_t head[HEAD])
{
	memset(iv, 0, 4);
	memcpy(iv + 4, head, HEAD);
}

static size_t seal(EVP_CIPHER_CTX *c, uint8_t *to, const uint8_t *from,
		   size_t len)
{
	uint8_t iv[12];
	int n;

	if (!aes) {
		memcpy(to + HEAD, from, len);
		return HEAD + len;
	}
	nonce(iv, to);
	if (EVP_EncryptInit_ex(c, NULL, NULL, NULL, iv) != 1 ||
	    EVP_EncryptUpdate(c, to + HEAD, &n, from, (int)len) != 1 ||
	    EVP_EncryptFinal_ex(c, to + HEAD + n, &n) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG,
				to + HEAD + len) != 1)
		die("seal");
	return HEAD + len + TAG;
}

/* The length of what was opened, or -1. */
static int unseal(EVP_CIPHER_CTX *c, uint8_t *to, uint8_t *from, size_t len)
{
	size_t over = HEAD + (aes ? TAG : 0);
	uint8_t iv[12];
	int n;

	if (len < over)
		return -1;
	len -= over;
	if (!aes) {
		memcpy(to, from + HEAD, len);
		return (int)len;
	}
	nonce(iv, from);
	if (EVP_DecryptInit_ex(c, NULL, NULL, NULL, iv) != 1 ||
	    EVP_DecryptUpdate(c, to, &n, from + HEAD, (int)len) != 1 ||
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG,
				from + HEAD + len) != 1 ||
	    EVP_DecryptFinal_ex(c, to + n, &n) != 1)
		return -1;
	return (int)len;
}

/* A full queue or a peer that is not there: lost, as on any link. */
static void send_row(uint8_t *row, size_t len, uint16_t segment)
{
	struct iovec iov = { row, len };
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(segment))];
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (len > segment) {
		m.msg_control = control;
		m.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = IPPROTO_UDP;
		c->cmsg_type = UDP_SEGMENT;
		c->cmsg_len = CMSG_LEN(sizeof(segment));
		memcpy(CMSG_DATA(c), &segment, sizeof(segment));
	}
	(void)sendmsg(udp, &m, 0);
}

static void *outbound(void *unused)
{
	static uint8_t packet[PACKET_MAX];
	static uint8_t row[ROW_MAX];
	const uint16_t segment = CHUNK + HEAD + (aes ? TAG : 0);
	EVP_CIPHER_CTX *c = cipher(true);
	uint64_t count = 0;
	ssize_t n;

	while ((n = read(tun, packet, sizeof(packet))) > 0) {
		size_t len = (size_t)n;
		size_t used = 0;

		for (size_t at = 0; at < len; at += CHUNK) {
			size_t part = len - at < CHUNK ? len - at : CHUNK;
			size_t mark =
				(len - at - 1) / CHUNK | (at == 0 ? FIRST : 0);

			if (used + segment > sizeof(row)) {
				send_row(row, used, segment);
				used = 0;
			}
			put_be64(row + used, count++ << COUNT_AT | mark);
			used += seal(c, row + used, packet + at, part);
		}
		send_row(row, used, segment);
	}
	die("read from the TUN device");
	return unused;
}

/* A packet that is being put together. */
struct whole {
	uint8_t octets[PACKET_MAX + CHUNK + TAG];
	size_t len;
	uint64_t next; /* counter that is due */
	bool lost;     /* nothing until the next first chunk */
};

static void take(struct whole *w, EVP_CIPHER_CTX *c, uint8_t *seg, size_t len)
{
	uint64_t head = len >= HEAD ? get_be64(seg) : 0;
	uint64_t count = head >> COUNT_AT;
	int n = -1;

	if (head & FIRST) {
		w->len = 0;
		w->lost = false;
	} else if (count != w->next) {
		w->lost = true;
	}
	w->next = count + 1;
	if (!w->lost && w->len <= PACKET_MAX && len <= CHUNK + HEAD + TAG)
		n = unseal(c, w->octets + w->len, seg, len);
	if (n < 0) {
		w->lost = true;
		return;
	}
	w->len += (size_t)n;
	if (!(head & LEFT))
		(void)!write(tun, w->octets, w->len); /* full: lost */
}

/* How the kernel has joined what it gives: the length of one piece. */
static size_t piece(struct msghdr *m, size_t all)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int size;

	if (!c || c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
		return all;
	memcpy(&size, CMSG_DATA(c), sizeof(size));
	return size > 0 ? (size_t)size : all;
}

static void inbound(void)
{
	static uint8_t row[65536];
	static struct whole w;
	EVP_CIPHER_CTX *c = cipher(false);

	for (;;) {
		struct iovec iov = { row, sizeof(row) };
		_Alignas(struct cmsghdr) uint8_t control[64];
		struct msghdr m = { .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control,
				    .msg_controllen = sizeof(control) };
		ssize_t n = recvmsg(udp, &m, 0);
		size_t all = n > 0 ? (size_t)n : 0; /* an ICMP error: again */
		size_t size = all ? piece(&m, all) : 0;

		for (size_t at = 0; at < all; at += size)
			take(&w, c, row + at,
			     all - at < size ? all - at : size);
	}
}

int main(int argc, char **argv)
{
	pthread_t out;

	if (argc < 5) {
		(void)fprintf(stderr,
			      "usage: pump TUN MINE THEIRS PORT [aes]\n");
		return 2;
	}
	aes = argc > 5;
	tun_up(argv[1]);
	udp_up(argv[2], argv[3], argv[4]);
	if (pthread_create(&out, NULL, outbound, NULL) != 0)
		die("pthread_create");
	inbound();
	return 0;
}
