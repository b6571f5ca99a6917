/* SPDX-License-Identifier: MIT */
/* A flood of I1s over UDP, bounded in rate, time and number.
 *
 * speed_flood ADDRESS HIT SOURCES PER_SECOND SECONDS: I1s to that IPv6
 * address and HIT from so many sources (0: from a new one each time) out of
 * 3fff::/20, which the caller has made local (ip route add local) and has
 * routed back. Prints "SENT ANSWERED": datagrams sent, and those that came
 * back. For namespaces of one's own.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/addr.h"
#include "core/wire.h"

#define PORT 10500
#define BATCH 64
#define SENT_MAX UINT64_C(50000000)
#define I1_LEN                                                                 \
	148 /* 4 zero octets, header, DH_GROUP_LIST of two, PADDING: as
		      * long as one that is answered at once */
#define GROUPS_AT 44
#define SENDER_AT 12 /* in the datagram */
#define RECEIVER_AT 28
#define SECOND UINT64_C(1000000000)

struct datagram {
	uint8_t i1[I1_LEN];
	struct iovec iov;
	_Alignas(struct cmsghdr)
		uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct flood {
	int fd;
	struct sockaddr_in6 to;
	uint64_t sources; /* 0: each I1 has its own */
	uint64_t sent;
	uint64_t answered;
	struct datagram d[BATCH];
	struct mmsghdr out[BATCH];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void put_i1(uint8_t i1[I1_LEN], const struct hit *receiver)
{
	static const uint8_t head[] = {
		0,    0,    0,	  0,	/* RFC 9028 5.1 */
		59,   17,   1,	  0x21, /* 144 octets, I1 */
		0,    0,    0,	  0,	/* no checksum */
		0x20, 0x01, 0x00, 0x22
	};
	static const uint8_t rest[] = { 0x01, 0xff, 0,	  2,	8, 7,
					0,    0,    0xb5, 0x4e, 0, 92 };

	memset(i1, 0, I1_LEN);
	memcpy(i1, head, sizeof(head));
	memcpy(i1 + RECEIVER_AT, receiver->b, sizeof(receiver->b));
	memcpy(i1 + GROUPS_AT, rest, sizeof(rest));
}

static void flood_init(struct flood *f, const struct hit *receiver)
{
	for (int i = 0; i < BATCH; i++) {
		struct datagram *d = &f->d[i];
		struct msghdr *m = &f->out[i].msg_hdr;
		struct cmsghdr *c;

		put_i1(d->i1, receiver);
		d->iov = (struct iovec){ d->i1, I1_LEN };
		m->msg_name = &f->to;
		m->msg_namelen = sizeof(f->to);
		m->msg_iov = &d->iov;
		m->msg_iovlen = 1;
		m->msg_control = d->control;
		m->msg_controllen = sizeof(d->control);
		c = CMSG_FIRSTHDR(m);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));
	}
}

/* The n-th source: an address and a HIT. */
static void aim(struct flood *f, int i, uint64_t n)
{
	uint64_t source = f->sources ? n % f->sources : n;
	uint64_t mixed = (source + 1) * UINT64_C(0x9e3779b97f4a7c15);
	struct in6_pktinfo info = { .ipi6_ifindex = 0 };
	uint8_t *a = info.ipi6_addr.s6_addr;

	a[0] = 0x3f;
	a[1] = 0xff;
	put_be32(a + 3, (uint32_t)(mixed >> 32));
	a[15] = 1;
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&f->out[i].msg_hdr)), &info,
	       sizeof(info));
	put_be32(f->d[i].i1 + SENDER_AT + 8, (uint32_t)(source >> 32));
	put_be32(f->d[i].i1 + SENDER_AT + 12, (uint32_t)source);
}

static void take_answers(struct flood *f)
{
	uint8_t buf[2048];

	while (recv(f->fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		f->answered++;
}

static int run(struct flood *f, uint64_t per_second, uint64_t seconds)
{
	uint64_t begin = now_ns();
	uint64_t gone = 0;

	while (gone < seconds * SECOND && f->sent < SENT_MAX) {
		uint64_t due = gone / 1000 * per_second / (SECOND / 1000);
		int n = 0;

		while (n < BATCH && f->sent + (uint64_t)n < due) {
			aim(f, n, f->sent + (uint64_t)n);
			n++;
		}
		n = n ? sendmmsg(f->fd, f->out, (unsigned)n, 0) : 0;
		if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
			return HG_ESYS;
		f->sent += n > 0 ? (uint64_t)n : 0;
		take_answers(f);
		gone = now_ns() - begin;
	}
	return HG_OK;
}

static int open_socket(void)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6,
				    .sin6_port = htons(PORT) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = 4 << 20;

	if (fd < 0)
		return -1;
	/* As much as is allowed will do. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

int main(int argc, char **argv)
{
	static struct flood f;
	struct timespec tail = { 0, 200000000 };
	struct hit receiver;
	int err;

	f.to.sin6_family = AF_INET6;
	f.to.sin6_port = htons(PORT);
	if (argc != 6 || hit_parse(argv[2], &receiver) ||
	    inet_pton(AF_INET6, argv[1], &f.to.sin6_addr) != 1) {
		(void)fprintf(stderr, "usage: speed_flood ADDRESS HIT SOURCES "
				      "PER_SECOND SECONDS\n");
		return EXIT_FAILURE;
	}
	f.sources = strtoull(argv[3], NULL, 10);
	f.fd = open_socket();
	flood_init(&f, &receiver);
	err = f.fd < 0 ? HG_ESYS
		       : run(&f, strtoull(argv[4], NULL, 10),
			     strtoull(argv[5], NULL, 10));
	if (err) {
		perror("speed_flood");
		return EXIT_FAILURE;
	}
	(void)nanosleep(&tail, NULL); /* answers that are under way */
	take_answers(&f);
	(void)printf("%llu %llu\n", (unsigned long long)f.sent,
		     (unsigned long long)f.answered);
	return EXIT_SUCCESS;
}
