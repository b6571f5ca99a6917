/* SPDX-License-Identifier: MIT */
/* Fuzzes what happens to a packet from the TUN, and joining. room: tun
 *
 * The input is a virtio header and a packet. It is read, parsed and cut;
 * then the same octets, as they are, are joined with copies of themselves.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tun/tun.h"
#include "tun/vnet.h"

enum { MAX = 70000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void cut(const struct ip_view *v, const struct ip_offload *off)
{
	struct tun_cutter c;
	struct tun_piece p;
	uint32_t done = 0;

	if (tun_cut(&c, v->proto, v->l4, v->l4_len, off, 0x1234) != REASON_NUM)
		return;
	while (tun_cut_next(&c, &p)) {
		if (p.body < v->l4 || p.body_len > v->l4_len ||
		    p.body + p.body_len > v->l4 + v->l4_len ||
		    p.head_len > sizeof(c.head))
			abort();
		done += (uint32_t)p.body_len;
	}
	if (done != v->l4_len - c.hdr_len)
		abort();
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
		cut(&v, &off);
	}
	free(pkt);
	return 0;
}
