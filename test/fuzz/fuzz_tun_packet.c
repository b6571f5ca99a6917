/* SPDX-License-Identifier: MIT */
/* Fuzzes what happens to a packet from the TUN, and joining. room: tun
 *
 * The input is a virtio header and a packet. It is read and parsed; the same
 * octets, as they are, are joined with copies of themselves; then it is cut,
 * the pieces are joined, and what was written is cut once more: those are the
 * pieces again, octet by octet and in their order.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "tun/tun.h"
#include "tun/vnet.h"

enum { MAX = 70000, PIECES = 60 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A piece as the IP packet that it stands for. */
struct whole {
	uint8_t *pkt;
	size_t len;
};

/* The n-th piece of the packet whose IP header is ip. Ids count up where
 * they mean something. */
static struct whole make(const uint8_t *ip, size_t ip_len,
			 const struct tun_piece *p, unsigned n)
{
	struct whole w = { .len = ip_len + p->head_len + p->body_len };

	w.pkt = malloc(w.len);
	if (!w.pkt)
		abort();
	memcpy(w.pkt, ip, ip_len);
	memcpy(w.pkt + ip_len, p->head, p->head_len);
	memcpy(w.pkt + ip_len + p->head_len, p->body, p->body_len);
	if (ip[0] >> 4 == 6) {
		put_be16(w.pkt + 4, (uint16_t)(w.len - IP6_HDR));
		return w;
	}
	put_be16(w.pkt + 2, (uint16_t)w.len);
	if (!(ip[6] & 0x40))
		put_be16(w.pkt + 4, (uint16_t)(get_be16(ip + 4) + n));
	put_be16(w.pkt + 10, 0);
	put_be16(w.pkt + 10, csum_finish(csum_add(0, w.pkt, ip_len)));
	return w;
}

/* Calls fn for each piece of the packet; false: it cannot be cut. */
static bool cut(const uint8_t *pkt, const struct ip_view *v,
		const struct ip_offload *off, void (*fn)(struct whole w))
{
	uint64_t pseudo = csum_pseudo(&v->from, &v->to, v->proto, 0);
	size_t ip_len = (size_t)(v->l4 - pkt);
	struct tun_cutter c;
	struct tun_piece p;
	uint32_t done = 0;
	unsigned n = 0;

	if (tun_cut(&c, v->proto, v->l4, v->l4_len, off, pseudo) != REASON_NUM)
		return false;
	while (tun_cut_next(&c, &p)) {
		if (p.body < v->l4 || p.body_len > v->l4_len ||
		    p.body + p.body_len > v->l4 + v->l4_len ||
		    p.head_len > sizeof(c.head))
			abort();
		done += (uint32_t)p.body_len;
		fn(make(pkt, ip_len, &p, n++));
	}
	if (done != v->l4_len - c.hdr_len)
		abort();
	return true;
}

static struct whole pieces[PIECES];
static unsigned have; /* of them */
static unsigned seen; /* again */
static struct tun_joiner *joiner;
static int ends[2];

static void give(struct whole w)
{
	struct ip_view v;

	if (have == PIECES) {
		free(w.pkt);
		return;
	}
	pieces[have++] = w;
	if (ip_parse(w.pkt, w.len, &v) != REASON_NUM)
		abort();
	tun_join(joiner, w.pkt, (size_t)(v.l4 - w.pkt), v.proto, v.l4,
		 v.l4_len);
}

static void take(struct whole w)
{
	if (seen == have || pieces[seen].len != w.len ||
	    memcmp(pieces[seen].pkt, w.pkt, w.len) != 0)
		abort();
	seen++;
	free(w.pkt);
}

static void read_back(void)
{
	static uint8_t buf[TUN_VNET_HDR + TUN_PACKET_MAX];
	uint8_t *pkt = buf + TUN_VNET_HDR;
	struct ip_offload off;
	struct ip_view v;
	ssize_t n;

	while ((n = read(ends[1], buf, sizeof(buf))) > 0) {
		size_t len = (size_t)n - TUN_VNET_HDR;

		if (vnet_get(buf, pkt, len, &off) != 0 ||
		    ip_parse(pkt, len, &v) != REASON_NUM ||
		    !cut(pkt, &v, &off, take))
			abort();
	}
}

/* Cut, joined, and cut again. */
static void there_and_back(const uint8_t *pkt, const struct ip_view *v,
			   const struct ip_offload *off)
{
	struct tun_joined done;
	int size = 8 << 20;

	if (!joiner &&
	    (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) ||
	     setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) ||
	     tun_joiner_new(ends[0], true, true, &joiner)))
		abort();
	have = 0;
	seen = 0;
	if (!cut(pkt, v, off, give))
		return;
	tun_join_flush(joiner, &done);
	if (done.failed || done.packets != have)
		abort();
	read_back();
	if (seen != have)
		abort();
	while (have)
		free(pieces[--have].pkt);
}

static void join(const uint8_t *pkt, const struct ip_view *v)
{
	static struct tun_joiner *j;
	size_t hdr_len = (size_t)(v->l4 - pkt);
	struct tun_joined done;

	if (!j &&
	    tun_joiner_new(open("/dev/null", O_WRONLY), true, true, &j) != 0)
		abort();
	for (int i = 0; i < 3; i++)
		tun_join(j, pkt, hdr_len, v->proto, v->l4, v->l4_len);
	tun_join_flush(j, &done);
	if (done.packets != 3 || done.writes < 1 || done.writes > 3)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t hdr[TUN_VNET_HDR];
	struct ip_offload off;
	struct ip_view v;
	uint8_t *pkt;

	if (len <= sizeof(hdr) || len > MAX)
		return 0;
	memcpy(hdr, data, sizeof(hdr));
	len -= sizeof(hdr);
	pkt = malloc(len);
	if (!pkt)
		abort();
	memcpy(pkt, data + sizeof(hdr), len);
	if (vnet_get(hdr, pkt, len, &off) == 0 &&
	    ip_parse(pkt, len, &v) == REASON_NUM) {
		join(pkt, &v);
		there_and_back(pkt, &v, &off);
	}
	free(pkt);
	return 0;
}
