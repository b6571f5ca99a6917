/* SPDX-License-Identifier: MIT */
/* Joining: consecutive TCP segments go to the kernel as one packet.
 *
 * THEORY OF OPERATION
 * A worker opens a batch of ESP packets, gives each result to tun_join and
 * ends the batch with tun_join_flush. A run is a row of segments of one
 * flow that differ only in what a super-packet can say once: sequence
 * number, checksum, and PSH or FIN at the end. The rules are those of the
 * kernel's own GRO for TCP (net/ipv4/tcp_offload.c), so that what the kernel
 * cuts again further on is what came in. In particular each checksum is
 * verified first, because the kernel makes new ones and would hide damage;
 * a segment with a wrong one goes through alone and unchanged.
 *
 * At most RUNS runs are open; a further flow pushes out the oldest. All
 * packets of a flow that has an open run close that run before they are
 * written themselves, so order within a flow is kept. Anything but TCP is
 * written at once.
 *
 * The first segment's headers are copied, payload is borrowed until its run
 * is written. One thread owns a joiner. No allocation after tun_joiner_new.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "tun/tun.h"
#include "tun/vnet.h"

enum { RUNS = 8, RUN_PARTS = 128 };

enum {
	TCP_SEQ_AT = 4,
	TCP_ACK_AT = 8,
	TCP_OFFSET_AT = 12,
	TCP_FLAGS_AT = 13,
	TCP_WINDOW_AT = 14,
	TCP_CSUM_AT = 16,
	TCP_URGENT_AT = 18,
};

/* One packet as it came in. */
struct seg {
	const uint8_t *hdr;
	size_t hdr_len;
	const uint8_t *l4;
	size_t l4_len;
	uint32_t tcp_len; /* header; payload is the rest */
	bool v4;
};

struct run {
	uint64_t born; /* order of opening; 0: free */
	uint32_t next; /* sequence number that would fit */
	uint32_t payload;
	uint32_t parts;
	struct vnet_super super;
	uint8_t head[TUN_VNET_HDR + IP6_HDR + TCP_HDR_MAX];
	struct iovec iov[1 + RUN_PARTS];
};

struct tun_joiner {
	int fd;
	bool offload;
	uint64_t births;
	unsigned packets; /* these three: since the last flush */
	unsigned writes;
	unsigned failed;
	struct run runs[RUNS];
};

int tun_joiner_new(int fd, bool offload, struct tun_joiner **out)
{
	struct tun_joiner *j = calloc(1, sizeof(*j));

	*out = j;
	if (!j)
		return HG_ENOMEM;
	j->fd = fd;
	j->offload = offload;
	return 0;
}

void tun_joiner_free(struct tun_joiner *j)
{
	free(j);
}

static void write_out(struct tun_joiner *j, const struct iovec *iov, int num,
		      unsigned packets)
{
	ssize_t n;

	do
		n = writev(j->fd, iov, num);
	while (n < 0 && errno == EINTR);
	j->writes++;
	if (n < 0)
		j->failed += packets;
}

static void write_alone(struct tun_joiner *j, const struct seg *s)
{
	uint8_t vnet[TUN_VNET_HDR];
	struct iovec iov[] = {
		{ .iov_base = vnet, .iov_len = sizeof(vnet) },
		{ .iov_base = (void *)s->hdr, .iov_len = s->hdr_len },
		{ .iov_base = (void *)s->l4, .iov_len = s->l4_len },
	};

	vnet_put_plain(vnet);
	write_out(j, iov, 3, 1);
}

/* Sum of the pseudo-header, from the IP header itself. */
static uint64_t pseudo_sum(const uint8_t *hdr, bool v4, size_t l4_len)
{
	uint64_t sum = IP_PROTO_TCP + l4_len;

	if (v4)
		return csum_add(sum, hdr + 12, 8);
	return csum_add(sum, hdr + 8, 32);
}

static uint8_t *run_tcp(struct run *r)
{
	return r->head + TUN_VNET_HDR + r->super.ip_len;
}

/* Makes one packet's headers into the super-packet's. */
static void fix_headers(struct run *r)
{
	uint8_t *ip = r->head + TUN_VNET_HDR;
	uint8_t *tcp = run_tcp(r);
	size_t l4_len = r->super.tcp_len + r->payload;

	if (r->super.v4) {
		put_be16(ip + 2, (uint16_t)(r->super.ip_len + l4_len));
		put_be16(ip + 10, 0);
		put_be16(ip + 10, csum_finish(csum_add(0, ip, IP4_HDR)));
	} else {
		put_be16(ip + 4, (uint16_t)l4_len);
	}
	/* NEEDS_CSUM: the field holds the sum so far, not its complement. */
	put_be16(tcp + TCP_CSUM_AT,
		 csum_fold(pseudo_sum(ip, r->super.v4, l4_len)));
	r->super.cwr = tcp[TCP_FLAGS_AT] & TCP_CWR;
	vnet_put_tcp(r->head, &r->super);
}

static void close_run(struct tun_joiner *j, struct run *r)
{
	if (r->parts > 1)
		fix_headers(r);
	else
		vnet_put_plain(r->head); /* as it came */
	write_out(j, r->iov, (int)r->parts + 1, r->parts);
	r->born = 0;
}

static struct run *oldest(struct tun_joiner *j)
{
	struct run *best = NULL;

	for (int i = 0; i < RUNS; i++) {
		struct run *r = &j->runs[i];

		if (r->born && (!best || r->born < best->born))
			best = r;
	}
	return best;
}

static struct run *free_run(struct tun_joiner *j)
{
	struct run *r;

	for (int i = 0; i < RUNS; i++)
		if (!j->runs[i].born)
			return &j->runs[i];
	r = oldest(j);
	close_run(j, r);
	return r;
}

/* The open run of the segment's addresses and ports. */
static struct run *find_run(struct tun_joiner *j, const struct seg *s)
{
	size_t at = s->v4 ? 12 : 8;
	size_t len = s->v4 ? 8 : 32;

	for (int i = 0; i < RUNS; i++) {
		struct run *r = &j->runs[i];

		if (r->born && r->super.v4 == s->v4 &&
		    memcmp(run_tcp(r), s->l4, 4) == 0 &&
		    memcmp(r->head + TUN_VNET_HDR + at, s->hdr + at, len) == 0)
			return r;
	}
	return NULL;
}

/* May the segment be part of any run? */
static bool joinable(const struct seg *s)
{
	uint8_t flags = s->l4[TCP_FLAGS_AT];

	if (s->tcp_len == 0 || s->tcp_len == s->l4_len ||
	    s->l4_len > TUN_PACKET_MAX - s->hdr_len)
		return false;
	if (!(flags & TCP_ACK) || flags & (TCP_SYN | TCP_RST | TCP_URG))
		return false;
	/* No options, DF set, no fragment: then the id says nothing
	 * (RFC 6864 4.1) and may be made anew. */
	if (s->v4 && (s->hdr_len != IP4_HDR || s->hdr[0] != 0x45 ||
		      get_be16(s->hdr + 6) != 0x4000))
		return false;
	if (!s->v4 && (s->hdr_len != IP6_HDR || s->hdr[6] != IP_PROTO_TCP))
		return false;
	return csum_finish(csum_add(pseudo_sum(s->hdr, s->v4, s->l4_len), s->l4,
				    s->l4_len)) == 0;
}

/* The IP headers agree but for length, id and checksum. */
static bool same_ip(const uint8_t *a, const uint8_t *b, bool v4)
{
	if (v4) /* type of service; fragment field; TTL */
		return a[1] == b[1] && memcmp(a + 6, b + 6, 3) == 0;
	/* traffic class, flow label; hop limit */
	return memcmp(a, b, 4) == 0 && a[7] == b[7];
}

/* The TCP headers agree but for sequence number, checksum, PSH and FIN;
 * CWR may only be on the first. */
static bool same_tcp(const uint8_t *first, const uint8_t *b, uint32_t len)
{
	uint8_t flags = b[TCP_FLAGS_AT];
	uint8_t differ = (uint8_t)(first[TCP_FLAGS_AT] ^ flags);

	if (flags & TCP_CWR || differ & ~(TCP_PSH | TCP_FIN | TCP_CWR))
		return false;
	return memcmp(first + TCP_ACK_AT, b + TCP_ACK_AT, 4) == 0 &&
	       first[TCP_OFFSET_AT] == b[TCP_OFFSET_AT] &&
	       memcmp(first + TCP_WINDOW_AT, b + TCP_WINDOW_AT, 2) == 0 &&
	       memcmp(first + TCP_URGENT_AT, b + TCP_URGENT_AT,
		      len - TCP_URGENT_AT) == 0;
}

static bool fits(struct run *r, const struct seg *s)
{
	uint32_t payload = (uint32_t)s->l4_len - s->tcp_len;
	uint32_t whole = r->super.ip_len + r->super.tcp_len + r->payload;

	return s->tcp_len == r->super.tcp_len &&
	       get_be32(s->l4 + TCP_SEQ_AT) == r->next &&
	       payload <= r->super.gso_size &&
	       payload <= TUN_PACKET_MAX - whole && r->parts < RUN_PARTS &&
	       same_ip(r->head + TUN_VNET_HDR, s->hdr, s->v4) &&
	       same_tcp(run_tcp(r), s->l4, s->tcp_len);
}

static void append(struct run *r, const struct seg *s)
{
	uint32_t payload = (uint32_t)s->l4_len - s->tcp_len;

	r->iov[1 + r->parts].iov_base = (void *)(s->l4 + s->tcp_len);
	r->iov[1 + r->parts].iov_len = payload;
	r->parts++;
	r->payload += payload;
	r->next += payload;
	run_tcp(r)[TCP_FLAGS_AT] |= s->l4[TCP_FLAGS_AT];
}

static void open_run(struct tun_joiner *j, const struct seg *s)
{
	struct run *r = free_run(j);
	size_t head_len = TUN_VNET_HDR + s->hdr_len + s->tcp_len;

	r->born = ++j->births;
	r->next = get_be32(s->l4 + TCP_SEQ_AT);
	r->payload = 0;
	r->parts = 0;
	r->super.v4 = s->v4;
	r->super.gso_size = (uint16_t)(s->l4_len - s->tcp_len);
	r->super.ip_len = (uint16_t)s->hdr_len;
	r->super.tcp_len = (uint16_t)s->tcp_len;
	memcpy(r->head + TUN_VNET_HDR, s->hdr, s->hdr_len);
	memcpy(run_tcp(r), s->l4, s->tcp_len);
	r->iov[0].iov_base = r->head;
	r->iov[0].iov_len = head_len;
	append(r, s);
}

/* Nothing may follow PSH, FIN or a short segment. */
static bool is_end(const struct seg *s, uint32_t gso_size)
{
	return s->l4[TCP_FLAGS_AT] & (TCP_PSH | TCP_FIN) ||
	       s->l4_len - s->tcp_len < gso_size;
}

static void join_tcp(struct tun_joiner *j, const struct seg *s)
{
	struct run *r = find_run(j, s);
	bool can = joinable(s);

	if (r && can && fits(r, s)) {
		append(r, s);
		if (is_end(s, r->super.gso_size))
			close_run(j, r);
		return;
	}
	if (r)
		close_run(j, r);
	if (can && !is_end(s, 0))
		open_run(j, s);
	else
		write_alone(j, s);
}

void tun_join(struct tun_joiner *j, const uint8_t *hdr, size_t hdr_len,
	      uint8_t proto, const uint8_t *l4, size_t l4_len)
{
	struct seg s = {
		.hdr = hdr, .hdr_len = hdr_len, .l4 = l4, .l4_len = l4_len
	};

	j->packets++;
	s.v4 = hdr_len >= IP4_HDR && hdr[0] >> 4 == 4;
	if (!j->offload || proto != IP_PROTO_TCP || l4_len < TCP_HDR ||
	    (!s.v4 && hdr_len < IP6_HDR)) {
		write_alone(j, &s);
		return;
	}
	s.tcp_len = ip_l4_hdr_len(proto, l4, (uint32_t)l4_len);
	join_tcp(j, &s);
}

void tun_join_flush(struct tun_joiner *j, unsigned *packets, unsigned *writes,
		    unsigned *failed)
{
	struct run *r;

	while ((r = oldest(j)))
		close_run(j, r);
	*packets = j->packets;
	*writes = j->writes;
	*failed = j->failed;
	j->packets = 0;
	j->writes = 0;
	j->failed = 0;
}
