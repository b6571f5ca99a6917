/* SPDX-License-Identifier: MIT */
/* Workers whose peer is themselves.
 *
 * The daemon's own workers, tables, sockets and SAs, with a socket pair in
 * place of each TUN queue. One SA pair has the same SPI and key both ways,
 * and its path ends at our own socket; a flow's external port is the peer's
 * port. So what a client sends comes back to it as from the substitute
 * address, over every step of both directions. Nothing runs by itself: a test
 * calls outbound_readable and inbound_readable, or starts the workers.
 */
#pragma once

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/hipgated/worker.h"
#include "core/checksum.h"
#include "core/wire.h"

enum { LOOP_WORKERS = 2, LOOP_SPI = 1000, LOOP_PORT = 7000, LOOP_MSS = 1300 };

struct loop {
	struct plane plane;
	struct worker w[LOOP_WORKERS];
	struct inbox control;
	uv_loop_t loop;
	int tun[LOOP_WORKERS]; /* our ends */
	struct endpoint at;    /* worker 0's socket */
	struct sa *sa;
};

static const struct hit loop_self = { { 0x20, 0x01, 0x00, 0x22, [15] = 1 } };
static const struct hit loop_peer = { { 0x20, 0x01, 0x00, 0x22, [15] = 2 } };
static const struct addr loop_client = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct addr loop_virt = { { 0xfd, 0, 0, 9, [15] = 9 } };

static inline void loop_wake(uv_async_t *a)
{
	(void)a;
}

static inline int loop_udp(unsigned fam, struct endpoint *at)
{
	struct endpoint any = { .addr = addr_any6 };
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int fd =
		socket(fam ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int size = 4 << 20;

	ck_assert_int_ge(fd, 0);
	any.addr.b[15] = 1;
	if (!fam)
		any.addr = addr_from4((const uint8_t[4]){ 127, 0, 0, 1 });
	len = sockets_address(&any, &ss);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&ss, len), 0);
	len = sizeof(ss);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&ss, &len), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	*at = sockets_endpoint((struct sockaddr *)&ss);
	return fd;
}

static inline void loop_add_sa(struct loop *l, uint32_t spi)
{
	struct path_size size = { .l4_most = 1418, .mss = 1398, .outer = 1500 };
	struct sa_pair pair = { .self = loop_self,
				.peer = loop_peer,
				.suite = SA_AES128_GCM16,
				.spi_in = spi,
				.spi_out = spi };
	struct path_ends ends = { .peer = l->at, .verified = true };
	struct sa *sa;

	memset(&pair.in, (int)spi, sizeof(pair.in));
	pair.out = pair.in;
	ck_assert_int_eq(tables_add_sa(&l->plane.tables, &pair, &ends,
				       l->plane.workers_num, true, 0),
			 HG_OK);
	sa = tables_sa_in(&l->plane.tables, spi);
	ck_assert_int_eq(tables_move_sa(sa, &ends, &size), HG_OK);
	ck_assert_int_eq(tables_use_sa(&l->plane.tables, sa), HG_OK);
	l->sa = sa;
}

/* The flow that comes back by itself. */
static inline struct flow *loop_add_flow(struct loop *l, uint8_t proto,
					 uint16_t port)
{
	struct flow *f = tables_new_flow(&l->plane.tables);

	ck_assert_ptr_nonnull(f);
	f->nat.key =
		(struct nat_key){ loop_client, loop_virt, port, 80, proto };
	f->nat.back =
		(struct nat_back){ loop_self, loop_peer, port, port, proto };
	ck_assert_int_eq(tables_add_flow(&l->plane.tables, f), HG_OK);
	return f;
}

static inline void loop_begin(struct loop *l, unsigned fam)
{
	struct plane *p = &l->plane;

	memset(l, 0, sizeof(*l));
	ck_assert_int_eq(esp_setup(), HG_OK);
	tables_thread_begin();
	ck_assert_int_eq(tables_init(&p->tables), HG_OK);
	ck_assert_int_eq(uv_loop_init(&l->loop), 0);
	ck_assert_int_eq(inbox_init(&l->control, &l->loop, loop_wake, NULL),
			 HG_OK);
	p->workers = l->w;
	p->workers_num = LOOP_WORKERS;
	p->control = &l->control;
	p->proxy = true;
	p->has_tun = true;
	p->steer.pools.pool6 = (struct prefix){ { { 0xfd, 0, 0, 9 } }, 64 };
	p->tun.tso = p->tun.uso = true;
	p->sockets.segment = true;
	memset(p->sockets.fd, 0xff, sizeof(p->sockets.fd));
	for (unsigned k = 0; k < LOOP_WORKERS; k++) {
		struct endpoint at;
		int size = 4 << 20;
		int fd[2];

		ck_assert_int_eq(socketpair(AF_UNIX,
					    SOCK_SEQPACKET | SOCK_NONBLOCK, 0,
					    fd),
				 0);
		for (unsigned i = 0; i < 2; i++)
			(void)setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &size,
					 sizeof(size));
		p->tun_fd[k] = fd[0];
		l->tun[k] = fd[1];
		p->sockets.fd[fam][1 + k] = loop_udp(fam, &at);
		if (k == 0)
			l->at = at;
	}
	for (unsigned k = 0; k < LOOP_WORKERS; k++)
		ck_assert_int_eq(worker_init(&l->w[k], p, k), HG_OK);
	loop_add_sa(l, LOOP_SPI);
	(void)loop_add_flow(l, IP_PROTO_TCP, LOOP_PORT);
	(void)loop_add_flow(l, IP_PROTO_UDP, LOOP_PORT);
}

static inline void loop_close(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static inline void loop_end(struct loop *l)
{
	for (unsigned k = 0; k < LOOP_WORKERS; k++) {
		uv_walk(&l->w[k].loop, loop_close, NULL);
		while (uv_run(&l->w[k].loop, UV_RUN_NOWAIT))
			;
		worker_fini(&l->w[k]);
		close(l->plane.tun_fd[k]);
		close(l->tun[k]);
		for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++)
			if (l->plane.sockets.fd[fam][1 + k] >= 0)
				close(l->plane.sockets.fd[fam][1 + k]);
	}
	uv_walk(&l->loop, loop_close, NULL);
	while (uv_run(&l->loop, UV_RUN_NOWAIT))
		;
	inbox_fini(&l->control);
	ck_assert_int_eq(uv_loop_close(&l->loop), 0);
	tables_fini(&l->plane.tables);
	tables_thread_end();
}

/* ---- the client ----------------------------------------------------------- */

/* Payload octet at stream position n. */
static inline uint8_t loop_octet(uint32_t n)
{
	return (uint8_t)(n * 7 + (n >> 8) * 13);
}

/* A packet, or a super-packet of LOOP_MSS, of len octets of payload; for TCP
 * they stand at `seq` of the stream. As the kernel hands it over. */
static inline size_t loop_packet(uint8_t *out, uint8_t proto, uint16_t port,
				 uint32_t seq, size_t len)
{
	size_t l4_hdr = proto == IP_PROTO_TCP ? TCP_HDR : UDP_HDR;
	uint8_t *ip = out + TUN_VNET_HDR;
	uint8_t *l4 = ip + IP6_HDR;
	uint16_t at = (uint16_t)ip_csum_offset(proto);

	memset(out, 0, TUN_VNET_HDR + IP6_HDR + l4_hdr);
	(void)ip_put_header(ip, &loop_client, &loop_virt, proto,
			    (uint32_t)(l4_hdr + len), 64, 0);
	put_be16(l4, port);
	put_be16(l4 + 2, 80);
	if (proto == IP_PROTO_TCP) {
		put_be32(l4 + 4, seq);
		l4[12] = 0x50;
		l4[13] = TCP_ACK;
	} else {
		put_be16(l4 + 4, (uint16_t)(l4_hdr + len));
	}
	for (size_t i = 0; i < len; i++)
		l4[l4_hdr + i] = loop_octet(seq + (uint32_t)i);
	put_be16(l4 + at, csum_fold(csum_pseudo(&loop_client, &loop_virt, proto,
						(uint32_t)(l4_hdr + len))));
	out[0] = 1; /* NEEDS_CSUM; the rest is in the machine's order */
	memcpy(out + 6, &(uint16_t){ IP6_HDR }, 2);
	memcpy(out + 8, &at, 2);
	if (len > LOOP_MSS) {
		out[1] = proto == IP_PROTO_TCP ? 4 : 5;
		memcpy(out + 4, &(uint16_t){ LOOP_MSS }, 2);
	}
	return TUN_VNET_HDR + IP6_HDR + l4_hdr + len;
}

static inline void loop_send(struct loop *l, unsigned k, uint8_t proto,
			     uint32_t seq, size_t len)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	size_t n = loop_packet(buf, proto, LOOP_PORT, seq, len);

	ck_assert_int_eq(write(l->tun[k], buf, n), (ssize_t)n);
}

/* What came back on queue k: TCP must be the stream from *seq on, which is
 * moved; every octet and, of what is whole, the checksum is looked at.
 * How many writes it were. */
static inline unsigned loop_receive(struct loop *l, unsigned k, uint32_t *seq)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	unsigned writes = 0;
	size_t wrong = 0; /* an assertion for each octet would take long */
	ssize_t n;

	while ((n = read(l->tun[k], buf, sizeof(buf))) > 0) {
		uint8_t *l4 = buf + TUN_VNET_HDR + IP6_HDR;
		size_t len = (size_t)n - TUN_VNET_HDR - IP6_HDR;
		uint8_t proto = buf[TUN_VNET_HDR + 6];
		size_t hdr = proto == IP_PROTO_TCP ? TCP_HDR : UDP_HDR;

		writes++;
		ck_assert_mem_eq(buf + TUN_VNET_HDR + 8, &loop_virt, 16);
		ck_assert_mem_eq(buf + TUN_VNET_HDR + 24, &loop_client, 16);
		ck_assert_uint_eq(get_be16(l4), 80);
		ck_assert_uint_eq(get_be16(l4 + 2), LOOP_PORT);
		if (proto == IP_PROTO_TCP)
			ck_assert_uint_eq(get_be32(l4 + 4), *seq);
		for (size_t i = hdr; i < len; i++, ++*seq)
			wrong += l4[i] != loop_octet(*seq);
		if (!buf[0])
			ck_assert_uint_eq(
				csum_finish(csum_add(
					csum_pseudo(&loop_virt, &loop_client,
						    proto, (uint32_t)len),
					l4, len)),
				0);
	}
	ck_assert_uint_eq(wrong, 0);
	return writes;
}

static inline void loop_out(struct loop *l, unsigned k)
{
	outbound_readable(&l->w[k]);
}

static inline void loop_in(struct loop *l, unsigned k)
{
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++)
		if (l->plane.sockets.fd[fam][1 + k] >= 0)
			inbound_readable(&l->w[k],
					 l->plane.sockets.fd[fam][1 + k]);
}

static inline uint64_t loop_drops(const struct loop *l)
{
	uint64_t n = 0;

	for (unsigned k = 0; k < LOOP_WORKERS; k++)
		for (unsigned r = 0; r < REASON_NUM; r++)
			n += reason_get(&l->w[k].drops, r);
	return n;
}
