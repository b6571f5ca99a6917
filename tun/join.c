/* SPDX-License-Identifier: MIT */
/* Joining: consecutive packets of a flow go to the kernel as one.
 *
 * THEORY OF OPERATION
 * A worker opens a batch of ESP packets, gives each result to tun_join and
 * ends the batch with tun_join_flush. A run is a row of TCP segments or UDP
 * datagrams of one flow that differ only in what a super-packet can say
 * once: sequence number, checksum, and PSH or FIN at the end. The rules are
 * those of the kernel's own GRO (net/ipv4/tcp_offload.c, udp_offload.c), so
 * that what the kernel cuts again further on is what came in, each datagram
 * with its own length. In particular each checksum is verified first,
 * because the kernel makes new ones and would hide damage; a packet with a
 * wrong one goes through alone and unchanged. An IPv4 id counts up when it
 * matters (no DF), as the kernel makes it.
 *
 * At most RUNS runs are open; a further flow pushes out the oldest. All
 * packets of a flow that has an open run close that run before they are
 * written themselves, so order within a flow is kept. Any other protocol,
 * and UDP where the kernel takes no UDP super-packets (before Linux 6.2), is
 * written at once.
 *
 * The first segment's headers are copied, payload is borrowed until its run
 * is written. A super-packet that the kernel refuses as invalid is written
 * again packet by packet: their upper-layer headers still stand before their
 * payload, and the IP header is the same but for what same_ip says. One thread owns a joiner. No allocation after tun_joiner_new.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "tun/tun.h"
#include "tun/vnet.h"

enum { IP4_DF = 0x4000 };
enum { RUNS = 8, RUN_PARTS = 128, RUN_DATAGRAMS = 64 };

enum {
	TCP_SEQ_AT = 4,
	TCP_ACK_AT = 8,
	TCP_OFFSET_AT = 12,
	TCP_FLAGS_AT = 13,
	TCP_WINDOW_AT = 14,
	TCP_CSUM_AT = 16,
	TCP_URGENT_AT = 18,
	UDP_LEN_AT = 4,
	UDP_CSUM_AT = 6,
};

/* One packet as it came in. */
struct seg {
	const uint8_t *hdr;
	size_t hdr_len;
	const uint8_t *l4;
	size_t l4_len;
	uint32_t head_len; /* of TCP or UDP; payload is the rest */
	uint8_t proto;
	bool v4;
};

struct run {
	uint64_t born; /* order of opening; 0: free */
	uint32_t next; /* TCP sequence number that would fit */
	uint32_t payload;
	uint32_t parts;
	struct vnet_super super;
	uint8_t head[TUN_VNET_HDR + IP6_HDR + TCP_HDR_MAX];
	struct iovec iov[1 + RUN_PARTS];
};

struct tun_joiner {
	int fd;
	bool joins[TUN_JOIN_NUM]; /* is joined? */
	uint64_t births;
	struct tun_joined since; /* the last flush */
	struct run runs[RUNS];
};

int tun_joiner_new(int fd, bool tcp, bool udp, struct tun_joiner **out)
{
	struct tun_joiner *j = calloc(1, sizeof(*j));

	*out = j;
	if (!j)
		return HG_ENOMEM;
	j->fd = fd;
	tun_join_use(j, tcp, udp);
	return 0;
}

void tun_join_use(struct tun_joiner *j, bool tcp, bool udp)
{
	j->joins[TUN_JOIN_TCP] = tcp;
	j->joins[TUN_JOIN_UDP] = udp;
}

void tun_joiner_free(struct tun_joiner *j)
{
	free(j);
}

/* 0 or errno. */
static int write_out(struct tun_joiner *j, const struct iovec *iov, int num)
{
	ssize_t n;

	do
		n = writev(j->fd, iov, num);
	while (n < 0 && errno == EINTR);
	j->since.writes++;
	return n < 0 ? errno : 0;
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
	if (write_out(j, iov, 3))
		j->since.failed++;
}

/* Sum of the pseudo-header, from the IP header itself. */
static uint64_t pseudo_sum(const uint8_t *hdr, bool v4, uint8_t proto,
			   size_t l4_len)
{
	uint64_t sum = proto + l4_len;

	if (v4)
		return csum_add(sum, hdr + 12, 8);
	return csum_add(sum, hdr + 8, 32);
}

static uint8_t *run_l4(struct run *r)
{
	return r->head + TUN_VNET_HDR + r->super.ip_len;
}

/* What follows from a length. */
static void put_ip_len(uint8_t *ip, bool v4, size_t l4_len)
{
	if (!v4) {
		put_be16(ip + 4, (uint16_t)l4_len);
		return;
	}
	put_be16(ip + 2, (uint16_t)(IP4_HDR + l4_len));
	put_be16(ip + 10, 0);
	put_be16(ip + 10, csum_finish(csum_add(0, ip, IP4_HDR)));
}

/* Makes one packet's headers into the super-packet's. */
static void fix_headers(struct run *r)
{
	uint8_t *ip = r->head + TUN_VNET_HDR;
	uint8_t *l4 = run_l4(r);
	size_t l4_len = r->super.head_len + r->payload;
	bool tcp = r->super.proto == IP_PROTO_TCP;

	put_ip_len(ip, r->super.v4, l4_len);
	/* NEEDS_CSUM: the field holds the sum so far, not its complement. */
	put_be16(
		l4 + (tcp ? TCP_CSUM_AT : UDP_CSUM_AT),
		csum_fold(pseudo_sum(ip, r->super.v4, r->super.proto, l4_len)));
	if (tcp)
		r->super.cwr = l4[TCP_FLAGS_AT] & TCP_CWR;
	else
		put_be16(l4 + UDP_LEN_AT, (uint16_t)l4_len);
	vnet_put_super(r->head, &r->super);
}

/* The packets of a run as they came. */
static void write_parts(struct tun_joiner *j, const struct run *r)
{
	uint8_t hdr[IP6_HDR];
	struct seg s = { .hdr = hdr, .hdr_len = r->super.ip_len };
	uint16_t id = get_be16(r->head + TUN_VNET_HDR + 4);

	memcpy(hdr, r->head + TUN_VNET_HDR, r->super.ip_len);
	for (uint32_t i = 0; i < r->parts; i++) {
		const struct iovec *payload = &r->iov[1 + i];

		s.l4 = (uint8_t *)payload->iov_base - r->super.head_len;
		s.l4_len = r->super.head_len + payload->iov_len;
		if (r->super.v4 && !(get_be16(hdr + 6) & IP4_DF))
			put_be16(hdr + 4, (uint16_t)(id + i));
		put_ip_len(hdr, r->super.v4, s.l4_len);
		write_alone(j, &s);
	}
}

static void close_run(struct tun_joiner *j, struct run *r)
{
	enum tun_join_kind kind =
		r->super.proto == IP_PROTO_TCP ? TUN_JOIN_TCP : TUN_JOIN_UDP;
	bool super = r->parts > 1;
	int err;

	if (super)
		fix_headers(r);
	else
		vnet_put_plain(r->head); /* as it came */
	err = write_out(j, r->iov, (int)r->parts + 1);
	if (super && !err) {
		j->since.taken[kind]++;
	} else if (super && err == EINVAL) {
		j->since.refused[kind]++;
		write_parts(j, r);
	} else if (err) {
		j->since.failed += r->parts;
	}
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
		    r->super.proto == s->proto &&
		    memcmp(run_l4(r), s->l4, 4) == 0 &&
		    memcmp(r->head + TUN_VNET_HDR + at, s->hdr + at, len) == 0)
			return r;
	}
	return NULL;
}

static bool joinable_tcp(const struct seg *s)
{
	uint8_t flags = s->l4[TCP_FLAGS_AT];

	return flags & TCP_ACK && !(flags & (TCP_SYN | TCP_RST | TCP_URG));
}

/* Without a checksum a datagram stays without one: not in a super-packet. */
static bool joinable_udp(const struct seg *s)
{
	return get_be16(s->l4 + UDP_LEN_AT) == s->l4_len &&
	       get_be16(s->l4 + UDP_CSUM_AT) != 0;
}

/* No options, no fragment. */
static bool joinable_ip(const struct seg *s)
{
	if (s->v4)
		return s->hdr_len == IP4_HDR && s->hdr[0] == 0x45 &&
		       (get_be16(s->hdr + 6) & ~IP4_DF) == 0;
	return s->hdr_len == IP6_HDR && s->hdr[6] == s->proto;
}

/* May the packet be part of any run? */
static bool joinable(const struct seg *s)
{
	if (s->head_len == 0 || s->head_len == s->l4_len ||
	    s->l4_len > TUN_PACKET_MAX - s->hdr_len || !joinable_ip(s))
		return false;
	if (s->proto == IP_PROTO_TCP ? !joinable_tcp(s) : !joinable_udp(s))
		return false;
	return csum_finish(
		       csum_add(pseudo_sum(s->hdr, s->v4, s->proto, s->l4_len),
				s->l4, s->l4_len)) == 0;
}

/* The IP headers agree but for length, id and checksum; b is `parts` after
 * a. With DF set the id says nothing (RFC 6864 4.1) and is made anew. */
static bool same_ip(const uint8_t *a, const uint8_t *b, bool v4, uint32_t parts)
{
	if (v4 && !(get_be16(a + 6) & IP4_DF) &&
	    (uint16_t)(get_be16(a + 4) + parts) != get_be16(b + 4))
		return false;
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
	uint32_t payload = (uint32_t)s->l4_len - s->head_len;
	uint32_t whole = r->super.ip_len + r->super.head_len + r->payload;
	bool tcp = s->proto == IP_PROTO_TCP;

	if (s->head_len != r->super.head_len || payload > r->super.gso_size ||
	    payload > TUN_PACKET_MAX - whole ||
	    r->parts >= (tcp ? RUN_PARTS : RUN_DATAGRAMS) ||
	    !same_ip(r->head + TUN_VNET_HDR, s->hdr, s->v4, r->parts))
		return false;
	return !tcp || (get_be32(s->l4 + TCP_SEQ_AT) == r->next &&
			same_tcp(run_l4(r), s->l4, s->head_len));
}

static void append(struct run *r, const struct seg *s)
{
	uint32_t payload = (uint32_t)s->l4_len - s->head_len;

	r->iov[1 + r->parts].iov_base = (void *)(s->l4 + s->head_len);
	r->iov[1 + r->parts].iov_len = payload;
	r->parts++;
	r->payload += payload;
	r->next += payload;
	if (s->proto == IP_PROTO_TCP)
		run_l4(r)[TCP_FLAGS_AT] |= s->l4[TCP_FLAGS_AT];
}

static void open_run(struct tun_joiner *j, const struct seg *s)
{
	struct run *r = free_run(j);
	size_t head_len = TUN_VNET_HDR + s->hdr_len + s->head_len;

	r->born = ++j->births;
	r->next = get_be32(s->l4 + TCP_SEQ_AT);
	r->payload = 0;
	r->parts = 0;
	r->super.v4 = s->v4;
	r->super.proto = s->proto;
	r->super.gso_size = (uint16_t)(s->l4_len - s->head_len);
	r->super.ip_len = (uint16_t)s->hdr_len;
	r->super.head_len = (uint16_t)s->head_len;
	memcpy(r->head + TUN_VNET_HDR, s->hdr, s->hdr_len);
	memcpy(run_l4(r), s->l4, s->head_len);
	r->iov[0].iov_base = r->head;
	r->iov[0].iov_len = head_len;
	append(r, s);
}

/* Nothing may follow PSH, FIN or a short packet. */
static bool is_end(const struct seg *s, uint32_t gso_size)
{
	if (s->proto == IP_PROTO_TCP &&
	    s->l4[TCP_FLAGS_AT] & (TCP_PSH | TCP_FIN))
		return true;
	return s->l4_len - s->head_len < gso_size;
}

static void join_run(struct tun_joiner *j, const struct seg *s)
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

/* Is it of a kind that is joined, and has it the headers of that? */
static bool may_join(const struct tun_joiner *j, const struct seg *s)
{
	if (!s->v4 && s->hdr_len < IP6_HDR)
		return false;
	if (s->proto == IP_PROTO_TCP)
		return j->joins[TUN_JOIN_TCP] && s->l4_len >= TCP_HDR;
	return s->proto == IP_PROTO_UDP && j->joins[TUN_JOIN_UDP] &&
	       s->l4_len >= UDP_HDR;
}

void tun_join(struct tun_joiner *j, const uint8_t *hdr, size_t hdr_len,
	      uint8_t proto, const uint8_t *l4, size_t l4_len)
{
	struct seg s = { .hdr = hdr,
			 .hdr_len = hdr_len,
			 .l4 = l4,
			 .l4_len = l4_len,
			 .proto = proto };

	j->since.packets++;
	s.v4 = hdr_len >= IP4_HDR && hdr[0] >> 4 == 4;
	if (!may_join(j, &s)) {
		write_alone(j, &s);
		return;
	}
	s.head_len = ip_l4_hdr_len(proto, l4, (uint32_t)l4_len);
	join_run(j, &s);
}

void tun_join_flush(struct tun_joiner *j, struct tun_joined *out)
{
	struct run *r;

	while ((r = oldest(j)))
		close_run(j, r);
	*out = j->since;
	memset(&j->since, 0, sizeof(j->since));
}
