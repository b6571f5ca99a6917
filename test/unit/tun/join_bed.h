/* SPDX-License-Identifier: MIT */
/* A joiner that writes into a socket pair, and the check that what came out
 * is what went in; for test_join.c only. */
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include "tun/vnet.h"
#include "test/unit/tun/tun_bed.h"

enum { PACKETS = 400, WRITES = 400 };

/* A packet in memory of its own. */
struct copy {
	uint8_t *p;
	size_t len;
};

struct bed {
	struct tun_joiner *j;
	int fd[2];
	struct copy in[PACKETS];
	unsigned num_in;
	struct copy out[WRITES]; /* with virtio header */
	unsigned num_out;
	struct tun_joined done;
};

static uint8_t payload[65536];

/* Every so many super-packets is refused as invalid; 0: none. */
extern unsigned bed_refuses;

static struct bed *bed_new(bool offload)
{
	struct bed *b = calloc(1, sizeof(*b));
	int size = 8 << 20;

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + (i >> 8));
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, b->fd),
		0);
	/* more where we may; the batches below fit either way */
	(void)setsockopt(b->fd[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	ck_assert_int_eq(tun_joiner_new(b->fd[0], offload, offload, &b->j), 0);
	return b;
}

static void drain(struct bed *b)
{
	static uint8_t buf[TUN_VNET_HDR + BED_MAX + 1];
	ssize_t n;

	while ((n = read(b->fd[1], buf, sizeof(buf))) > 0) {
		struct copy *c = &b->out[b->num_out++];

		ck_assert_uint_lt(b->num_out, WRITES);
		c->p = malloc((size_t)n);
		c->len = (size_t)n;
		memcpy(c->p, buf, (size_t)n);
	}
}

static void bed_give(struct bed *b, const uint8_t *pkt, size_t len)
{
	struct copy *c = &b->in[b->num_in++];
	size_t ip = pkt[0] >> 4 == 4 ? (size_t)(pkt[0] & 15) * 4 : IP6_HDR;
	uint8_t proto = pkt[0] >> 4 == 4 ? pkt[9] : pkt[6];
	uint8_t hdr[IP_HDR_MAX];

	ck_assert_uint_lt(b->num_in, PACKETS);
	c->p = malloc(len);
	c->len = len;
	memcpy(c->p, pkt, len);
	memcpy(hdr, pkt, ip); /* the header is not borrowed */
	tun_join(b->j, hdr, ip, proto, c->p + ip, len - ip);
	memset(hdr, 0xee, sizeof(hdr));
	drain(b);
}

static inline void bed_tcp(struct bed *b, const struct bed_tcp *t)
{
	static uint8_t pkt[BED_MAX];

	bed_give(b, pkt, bed_build(t, pkt));
}

static void bed_flush(struct bed *b)
{
	struct tun_joined again;

	tun_join_flush(b->j, &b->done);
	drain(b);
	ck_assert_uint_eq(b->done.packets, b->num_in);
	ck_assert_uint_eq(b->done.writes,
			  b->num_out + b->done.refused[TUN_JOIN_TCP] +
				  b->done.refused[TUN_JOIN_UDP]);
	tun_join_flush(b->j, &again);
	ck_assert_uint_eq(again.packets + again.writes, 0); /* counted once */
}

static void forget(struct copy *c, unsigned *num)
{
	for (unsigned i = 0; i < *num; i++)
		free(c[i].p);
	*num = 0;
}

static void bed_reset(struct bed *b)
{
	forget(b->in, &b->num_in);
	forget(b->out, &b->num_out);
}

static void bed_free(struct bed *b)
{
	bed_reset(b);
	tun_joiner_free(b->j);
	close(b->fd[0]);
	close(b->fd[1]);
	free(b);
}

/* Ports, protocol and family: one key for each flow of these tests. */
static uint64_t flow_of(const uint8_t *pkt)
{
	bool v4 = pkt[0] >> 4 == 4;
	uint64_t ports = get_be32(pkt + (v4 ? IP4_HDR : IP6_HDR));

	return ports << 9 | (uint64_t)(v4 ? pkt[9] : pkt[6]) << 1 | v4;
}

/* Takes the first packet of the flow that is not taken yet (len 0). */
static struct copy *take_first(struct bed *b, uint64_t flow)
{
	for (unsigned i = 0; i < b->num_in; i++)
		if (b->in[i].len && flow_of(b->in[i].p) == flow)
			return &b->in[i];
	return NULL;
}

/* The next packet of its flow must be these octets. */
static void expect(struct bed *b, const uint8_t *pkt, size_t len)
{
	struct copy *c = take_first(b, flow_of(pkt));

	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(len, c->len);
	ck_assert_mem_eq(pkt, c->p, len);
	c->len = 0;
}

/* One IP packet around a piece, as the kernel's segmentation makes it. */
static void expect_piece(struct bed *b, const uint8_t *ip, size_t ip_len,
			 const struct tun_piece *p, unsigned n)
{
	size_t l4_len = p->head_len + p->body_len;
	uint8_t *pkt = malloc(ip_len + l4_len);

	memcpy(pkt, ip, ip_len);
	if (ip_len == IP4_HDR) {
		put_be16(pkt + 2, (uint16_t)(ip_len + l4_len));
		if (!(pkt[6] & 0x40)) /* else it says nothing */
			put_be16(pkt + 4, (uint16_t)(get_be16(pkt + 4) + n));
	} else {
		put_be16(pkt + 4, (uint16_t)l4_len);
	}
	bed_resum_ip(pkt);
	memcpy(pkt + ip_len, p->head, p->head_len);
	memcpy(pkt + ip_len + p->head_len, p->body, p->body_len);
	expect(b, pkt, ip_len + l4_len);
	free(pkt);
}

static void expect_super(struct bed *b, uint8_t *pkt, size_t len,
			 const struct ip_offload *off)
{
	struct ip_view v;
	struct tun_cutter c;
	struct tun_piece p;
	uint64_t pseudo;
	unsigned n = 0;

	ck_assert_int_eq(ip_parse(pkt, len, &v), REASON_NUM);
	ck_assert_uint_eq((size_t)(v.l4 - pkt) + v.l4_len, len);
	ck_assert_uint_le(len, TUN_PACKET_MAX);
	ck_assert(off->csum_partial);
	ck_assert_uint_eq(
		get_be16(v.l4 + ip_csum_offset(v.proto)),
		csum_fold(csum_pseudo(&v.from, &v.to, v.proto, v.l4_len)));
	pseudo = csum_pseudo(&v.from, &v.to, v.proto, 0);
	ck_assert_int_eq(tun_cut(&c, v.proto, v.l4, v.l4_len, off, pseudo),
			 REASON_NUM);
	while (tun_cut_next(&c, &p))
		expect_piece(b, pkt, (size_t)(v.l4 - pkt), &p, n++);
}

/* All that was written, cut again, is all that came in. */
static void check_round_trip(struct bed *b)
{
	for (unsigned i = 0; i < b->num_out; i++) {
		uint8_t *pkt = b->out[i].p + TUN_VNET_HDR;
		size_t len = b->out[i].len - TUN_VNET_HDR;
		struct ip_offload off;

		ck_assert_int_eq(vnet_get(b->out[i].p, pkt, len, &off), 0);
		if (off.gso_size) {
			expect_super(b, pkt, len, &off);
			continue;
		}
		ck_assert(sodium_is_zero(b->out[i].p, TUN_VNET_HDR));
		expect(b, pkt, len);
	}
	for (unsigned i = 0; i < b->num_in; i++)
		ck_assert_uint_eq(b->in[i].len, 0);
}
