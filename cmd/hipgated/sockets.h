/* SPDX-License-Identifier: MIT */
/* UDP sockets of port 10500: one control socket and one for each worker.
 *
 * THEORY OF OPERATION
 * For each address family all sockets form one SO_REUSEPORT group, bound in
 * the order control, worker 0, worker 1, ... A classic-BPF program on the
 * group sends first word 0 (HIP, RFC 9028 5.1) and runts to the control
 * socket and every SPI to worker SPI % N. Kernel GRO may merge datagrams of
 * different first words before the program runs, so a receiver must expect
 * any of them; test/platform/reuseport.c shows both.
 */
#pragma once

#include <stdbool.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/addr.h"
#include "core/err.h"

enum {
	SOCKETS_FAMILIES = 2, /* 0: IPv4, 1: IPv6 */
	WORKERS_MAX = 16,     /* the configuration allows no more */
};

/* fds[family][0] is the control socket, fds[family][1 + k] worker k's; -1
 * where the family is not available. */
struct sockets {
	int fd[SOCKETS_FAMILIES][1 + WORKERS_MAX];
	unsigned num; /* 1 + workers */
	/* Before sockets_open: wanted? After it: and known to the kernel. */
	bool segment; /* UDP_SEGMENT */
	bool gro;     /* UDP_GRO */
};

int sockets_open(struct sockets *s, uint16_t port, unsigned workers,
		 char *errbuf, size_t errlen) HG_CHECK;
void sockets_close(struct sockets *s);

/* The kernel's form of an endpoint; returns its length. */
socklen_t sockets_address(const struct endpoint *e,
			  struct sockaddr_storage *out);
struct endpoint sockets_endpoint(const struct sockaddr *sa);
/* Index of the family of an address: 0 or 1. */
static inline unsigned sockets_family(const struct addr *a)
{
	return addr_is4(a) ? 0 : 1;
}

/* What the kernel holds for the MTU of the way to an address, 0: it knows
 * none. An ICMP error, which anybody can forge, may have told it so. */
unsigned sockets_route_mtu(const struct addr *to);

/* df: what fd sends is not cut on its way, and no ICMP error makes it
 * smaller, but the interface's own size is EMSGSIZE. */
int sockets_set_df(int fd, unsigned family, bool df) HG_CHECK;

/* Where a packet leaves from: both may be left to the kernel. */
struct sockets_from {
	struct addr self; /* unspecified: any */
	unsigned link;	  /* interface; 0: any */
};

/* A socket of one family at this port alone, or (0) at one that the kernel
 * picks and *port becomes; -1: errno says why. */
int sockets_open_one(const struct sockets *s, unsigned family, uint16_t *port);
/* One datagram from fd, preceded by 4 zero octets. HG_ESYS: errno says why. */
int sockets_send_hip(int fd, const struct sockets_from *from,
		     const struct endpoint *to, const void *msg,
		     size_t len) HG_CHECK;

/* What an outer header shares with the inner one (RFC 7402 B.1.4). */
struct sockets_outer {
	uint8_t tos; /* traffic class, with ECN */
	uint8_t ttl; /* hop limit; 0: not known, the kernel's own */
};

/* What recvmsg's control messages said. */
struct sockets_meta {
	struct addr at; /* our address it came to; unspecified: unknown */
	struct sockets_outer outer;
	uint16_t gro_size; /* 0: one datagram */
};
void sockets_meta(struct msghdr *mh, struct sockets_meta *out);
/* Appends a control message; mh->msg_control has room and is zeroed. */
void sockets_put_control(struct msghdr *mh, int level, int type,
			 const void *data, size_t len);
/* Appends what sets these fields of the packets that are sent. */
void sockets_put_outer(struct msghdr *mh, unsigned family,
		       const struct sockets_outer *outer);
enum { SOCKETS_OUTER_SPACE = 2 * CMSG_SPACE(sizeof(int)) };
/* Appends where it leaves from; nothing, where `from` leaves that open or
 * is of another family. */
void sockets_put_from(struct msghdr *mh, unsigned family,
		      const struct sockets_from *from);
enum { SOCKETS_FROM_SPACE = CMSG_SPACE(sizeof(struct in6_pktinfo)) };
