/* SPDX-License-Identifier: MIT */
/* UDP sockets of port 10500; theory in sockets.h. */
#include "sockets.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

socklen_t sockets_address(const struct endpoint *e,
			  struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (addr_is4(&e->addr)) {
		struct sockaddr_in *in = (struct sockaddr_in *)out;

		in->sin_family = AF_INET;
		in->sin_port = htons(e->port);
		memcpy(&in->sin_addr, addr_four(&e->addr), 4);
		return sizeof(*in);
	}
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(e->port);
	memcpy(&in6->sin6_addr, e->addr.b, 16);
	return sizeof(*in6);
}

struct endpoint sockets_endpoint(const struct sockaddr *sa)
{
	struct endpoint e = { .port = 0 };

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		e.addr = addr_from4((const uint8_t *)&in.sin_addr);
		e.port = ntohs(in.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		e.addr = addr_from6((const uint8_t *)&in6.sin6_addr);
		e.port = ntohs(in6.sin6_port);
	}
	return e;
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* DF stays clear on purpose: HIP control must be able to fragment (7401
 * 5.1.3). Workers set it when they know the path (sockets_set_df). */
static int set_family_options(int fd, int family)
{
	if (family == AF_INET)
		return set_int(fd, IPPROTO_IP, IP_PKTINFO, 1) |
		       set_int(fd, IPPROTO_IP, IP_RECVTOS, 1) |
		       set_int(fd, IPPROTO_IP, IP_RECVTTL, 1) |
		       set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER,
			       IP_PMTUDISC_DONT);
	return set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) |
	       set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) |
	       set_int(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1) |
	       set_int(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) |
	       set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
}

/* Of all sockets, or of none: the kernel merges datagrams for the group when
 * any member of it takes them so. Known, UDP_SEGMENT is given by each send. */
static void find_offloads(struct sockets *s)
{
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++)
		for (unsigned i = 0; i < s->num; i++) {
			int fd = s->fd[fam][i];

			if (fd < 0)
				continue;
			s->segment = s->segment &&
				     !set_int(fd, SOL_UDP, UDP_SEGMENT, 0);
			s->gro = s->gro && !set_int(fd, SOL_UDP, UDP_GRO, 1);
		}
}

static int socket_open(int family, uint16_t port, bool group)
{
	struct endpoint any = { .addr = addr_any6, .port = port };
	struct sockaddr_storage ss;
	socklen_t len;
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int saved;

	if (fd < 0)
		return -1;
	if (family == AF_INET)
		any.addr = addr_from4((const uint8_t[4]){ 0 });
	len = sockets_address(&any, &ss);
	if (set_int(fd, SOL_SOCKET, SO_REUSEPORT, group) == 0 &&
	    set_family_options(fd, family) == 0 &&
	    bind(fd, (struct sockaddr *)&ss, len) == 0) {
		/* As much as the system allows; less is not an error. */
		(void)set_int(fd, SOL_SOCKET, SO_RCVBUF, 4 << 20);
		(void)set_int(fd, SOL_SOCKET, SO_SNDBUF, 4 << 20);
		return fd;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* First word 0 or no first word: socket 0; else 1 + word % workers. */
static int steer(int fd, unsigned workers)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 4, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers),
		BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1),
		BPF_STMT(BPF_RET | BPF_A, 0),
	};
	struct sock_fprog prog = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
			  sizeof(prog));
}

/* SO_REUSEPORT would let a second daemon of the same user join our group
 * and take a share of our packets: ask first whether anybody is there. */
static int port_is_free(int family, uint16_t port)
{
	int fd = socket_open(family, port, false);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

static int family_open(struct sockets *s, unsigned fam, uint16_t port,
		       unsigned workers)
{
	int family = fam == 0 ? AF_INET : AF_INET6;

	if (port_is_free(family, port))
		return -1;
	for (unsigned i = 0; i < 1 + workers; i++) {
		s->fd[fam][i] = socket_open(family, port, true);
		if (s->fd[fam][i] < 0)
			return -1;
	}
	return steer(s->fd[fam][0], workers);
}

int sockets_open(struct sockets *s, uint16_t port, unsigned workers,
		 char *errbuf, size_t errlen)
{
	unsigned families = 0;

	memset(s->fd, 0xff, sizeof(s->fd));
	s->num = 1 + workers;
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++) {
		if (family_open(s, fam, port, workers) == 0) {
			families++;
			continue;
		}
		if (errno == EAFNOSUPPORT)
			continue;
		(void)snprintf(errbuf, errlen, "UDP port %u (%s): %s%s",
			       (unsigned)port, fam == 0 ? "IPv4" : "IPv6",
			       strerror(errno),
			       errno == EADDRINUSE
				       ? "; another HIP daemon has it: stop it "
					 "or set `port` in [daemon]"
				       : "");
		sockets_close(s);
		return HG_ESYS;
	}
	find_offloads(s);
	if (families)
		return HG_OK;
	(void)snprintf(errbuf, errlen, "neither IPv4 nor IPv6 is available");
	return HG_ESYS;
}

int sockets_open_one(const struct sockets *s, unsigned family, uint16_t *port)
{
	int fd = socket_open(family ? AF_INET6 : AF_INET, *port, false);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	if (fd < 0)
		return -1;
	if (s->gro)
		(void)set_int(fd, SOL_UDP, UDP_GRO, 1);
	if (!*port && getsockname(fd, (struct sockaddr *)&ss, &len) == 0)
		*port = sockets_endpoint((struct sockaddr *)&ss).port;
	return fd;
}

void sockets_close(struct sockets *s)
{
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++)
		for (unsigned i = 0; i < s->num; i++)
			if (s->fd[fam][i] >= 0)
				close(s->fd[fam][i]);
	memset(s->fd, 0xff, sizeof(s->fd));
}

int sockets_set_df(int fd, unsigned family, bool df)
{
	int v4 = df ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT;
	int v6 = df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT;

	if (family == 0)
		return set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, v4);
	return set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, v6);
}

unsigned sockets_route_mtu(const struct addr *to)
{
	bool v4 = addr_is4(to);
	struct endpoint e = { .addr = *to, .port = 9 }; /* nothing is sent */
	struct sockaddr_storage ss;
	socklen_t len = sockets_address(&e, &ss);
	int fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int mtu = 0;

	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&ss, len) == 0) {
		len = sizeof(mtu);
		if (getsockopt(fd, v4 ? IPPROTO_IP : IPPROTO_IPV6,
			       v4 ? IP_MTU : IPV6_MTU, &mtu, &len))
			mtu = 0;
	}
	close(fd);
	return mtu > 0 ? (unsigned)mtu : 0;
}

void sockets_put_control(struct msghdr *mh, int level, int type,
			 const void *data, size_t len)
{
	struct cmsghdr *c =
		(void *)((uint8_t *)mh->msg_control + mh->msg_controllen);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	mh->msg_controllen += CMSG_SPACE(len);
}

void sockets_put_from(struct msghdr *mh, unsigned family,
		      const struct sockets_from *from)
{
	struct in_pktinfo in = { .ipi_ifindex = (int)from->link };
	struct in6_pktinfo in6 = { .ipi6_ifindex = from->link };

	if (addr_is_unspecified(&from->self) ||
	    sockets_family(&from->self) != family)
		return;
	if (family) {
		memcpy(&in6.ipi6_addr, from->self.b, 16);
		sockets_put_control(mh, IPPROTO_IPV6, IPV6_PKTINFO, &in6,
				    sizeof(in6));
		return;
	}
	memcpy(&in.ipi_spec_dst, addr_four(&from->self), 4);
	sockets_put_control(mh, IPPROTO_IP, IP_PKTINFO, &in, sizeof(in));
}

int sockets_send_hip(int fd, const struct sockets_from *from,
		     const struct endpoint *to, const void *msg, size_t len)
{
	static const uint8_t marker[4]; /* RFC 9028 5.1 */
	struct sockaddr_storage ss;
	struct iovec iov[2] = {
		{ .iov_base = (void *)marker, .iov_len = sizeof(marker) },
		{ .iov_base = (void *)msg, .iov_len = len },
	};
	union {
		char buf[SOCKETS_FROM_SPACE];
		struct cmsghdr align;
	} space = { 0 };
	struct msghdr mh = {
		.msg_name = &ss,
		.msg_namelen = sockets_address(to, &ss),
		.msg_iov = iov,
		.msg_iovlen = 2,
		.msg_control = &space,
	};

	if (fd < 0) {
		errno = EAFNOSUPPORT;
		return HG_ESYS;
	}
	sockets_put_from(&mh, sockets_family(&to->addr), from);
	return sendmsg(fd, &mh, 0) < 0 ? HG_ESYS : HG_OK;
}

void sockets_put_outer(struct msghdr *mh, unsigned family,
		       const struct sockets_outer *outer)
{
	int tos = outer->tos;
	int ttl = outer->ttl;

	if (tos)
		sockets_put_control(mh, family ? IPPROTO_IPV6 : IPPROTO_IP,
				    family ? IPV6_TCLASS : IP_TOS, &tos,
				    sizeof(tos));
	if (ttl)
		sockets_put_control(mh, family ? IPPROTO_IPV6 : IPPROTO_IP,
				    family ? IPV6_HOPLIMIT : IP_TTL, &ttl,
				    sizeof(ttl));
}

static int cmsg_int(const struct cmsghdr *c)
{
	int v;

	memcpy(&v, CMSG_DATA(c), sizeof(v));
	return v;
}

static void meta4(const struct cmsghdr *c, struct sockets_meta *out)
{
	struct in_pktinfo in;

	switch (c->cmsg_type) {
	case IP_PKTINFO:
		memcpy(&in, CMSG_DATA(c), sizeof(in));
		out->at = addr_from4((const uint8_t *)&in.ipi_addr);
		return;
	case IP_TOS:
		out->outer.tos = *CMSG_DATA(c);
		return;
	case IP_TTL:
		out->outer.ttl = (uint8_t)cmsg_int(c);
		return;
	}
}

static void meta6(const struct cmsghdr *c, struct sockets_meta *out)
{
	struct in6_pktinfo in6;

	switch (c->cmsg_type) {
	case IPV6_PKTINFO:
		memcpy(&in6, CMSG_DATA(c), sizeof(in6));
		out->at = addr_from6((const uint8_t *)&in6.ipi6_addr);
		return;
	case IPV6_TCLASS:
		out->outer.tos = (uint8_t)cmsg_int(c);
		return;
	case IPV6_HOPLIMIT:
		out->outer.ttl = (uint8_t)cmsg_int(c);
		return;
	}
}

void sockets_meta(struct msghdr *mh, struct sockets_meta *out)
{
	memset(out, 0, sizeof(*out));
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO)
			out->gro_size = (uint16_t)cmsg_int(c);
		else if (c->cmsg_level == IPPROTO_IP)
			meta4(c, out);
		else if (c->cmsg_level == IPPROTO_IPV6)
			meta6(c, out);
	}
}
