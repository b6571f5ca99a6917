/* SPDX-License-Identifier: MIT */
/* What the tests of the tun room share: building packets, and a checksum
 * that is written as plainly as RFC 1071 says it. */
#pragma once

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "tun/tun.h"

/* One TCP segment to be; zero means a plain default. */
struct bed_tcp {
	bool v4;
	uint8_t flow; /* client port 1000 + flow */
	uint32_t seq;
	uint32_t ack;
	uint8_t flags;
	uint16_t window;
	uint8_t ttl;
	uint8_t tos;
	uint8_t opts[40];
	size_t opt_len; /* a multiple of 4 */
	const uint8_t *payload;
	size_t len;
};

enum { BED_MAX = IP6_HDR + 65535 };

static inline void bed_addrs(bool v4, struct addr *from, struct addr *to)
{
	static const uint8_t six[16] = { 0xfd, 1, 2, 3 };

	*from = v4 ? addr_from4((const uint8_t[]){ 198, 18, 0, 9 })
		   : addr_from6(six);
	*to = v4 ? addr_from4((const uint8_t[]){ 192, 0, 2, 7 })
		 : addr_from6(six);
	from->b[15] = 9;
	to->b[15] = 7;
}

/* The twin of core/checksum.c: one word after the other. */
static inline uint16_t bed_sum(const struct addr *from, const struct addr *to,
			       uint8_t proto, const uint8_t *p, size_t len)
{
	size_t skip = addr_is4(from) ? 12 : 0;
	uint32_t sum = proto + (uint32_t)len;

	for (size_t i = skip; i < 16; i += 2) {
		sum += (uint32_t)(from->b[i] << 8 | from->b[i + 1]);
		sum += (uint32_t)(to->b[i] << 8 | to->b[i + 1]);
	}
	for (size_t i = 0; i < len; i += 2) {
		sum += (uint32_t)(p[i] << 8 | (i + 1 < len ? p[i + 1] : 0));
		sum = (sum & 0xffff) + (sum >> 16);
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum; /* 0xffff when all is right */
}

/* The L4 checksum of a whole IP packet, made anew. */
static inline void bed_resum(uint8_t *pkt, size_t len)
{
	bool v4 = pkt[0] >> 4 == 4;
	size_t ip = v4 ? (size_t)(pkt[0] & 15) * 4 : IP6_HDR;
	size_t at = ip + (size_t)ip_csum_offset(v4 ? pkt[9] : pkt[6]);
	struct addr from = v4 ? addr_from4(pkt + 12) : addr_from6(pkt + 8);
	struct addr to = v4 ? addr_from4(pkt + 16) : addr_from6(pkt + 24);

	put_be16(pkt + at, 0);
	put_be16(pkt + at, (uint16_t)~bed_sum(&from, &to, v4 ? pkt[9] : pkt[6],
					      pkt + ip, len - ip));
}

/* The IPv4 header checksum, made anew. */
static inline void bed_resum_ip(uint8_t *pkt)
{
	if (pkt[0] >> 4 != 4)
		return;
	put_be16(pkt + 10, 0);
	put_be16(pkt + 10,
		 csum_finish(csum_add(0, pkt, (size_t)(pkt[0] & 15) * 4)));
}

/* Writes the whole IP packet; returns its length. */
static inline size_t bed_build(const struct bed_tcp *t, uint8_t *out)
{
	struct addr from;
	struct addr to;
	size_t tcp_len = TCP_HDR + t->opt_len;
	size_t ip;
	uint8_t *tcp;

	bed_addrs(t->v4, &from, &to);
	ip = ip_put_header(out, &from, &to, IP_PROTO_TCP,
			   (uint32_t)(tcp_len + t->len), t->ttl ? t->ttl : 60,
			   t->tos);
	tcp = out + ip;
	memset(tcp, 0, TCP_HDR);
	put_be16(tcp, 443);
	put_be16(tcp + 2, (uint16_t)(1000 + t->flow));
	put_be32(tcp + 4, t->seq);
	put_be32(tcp + 8, t->ack);
	tcp[12] = (uint8_t)(tcp_len / 4 << 4);
	tcp[13] = t->flags ? t->flags : TCP_ACK;
	put_be16(tcp + 14, t->window ? t->window : 500);
	memcpy(tcp + TCP_HDR, t->opts, t->opt_len);
	if (t->len)
		memcpy(tcp + tcp_len, t->payload, t->len);
	bed_resum(out, ip + tcp_len + t->len);
	return ip + tcp_len + t->len;
}
