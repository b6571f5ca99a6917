/* SPDX-License-Identifier: MIT */
/* What the tests of the nat room share: packets made octet by octet, and a
 * checksum that is computed over everything each time. */
#pragma once

#include <check.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "nat/nat.h"

/* The ends of a translation, of one family. */
struct bed {
	bool v6;
	struct addr client;
	struct addr virt;
	struct hit self;
	struct hit peer;
};

static inline struct addr bed_addr(const char *text)
{
	struct addr a;

	ck_assert_msg(addr_parse(text, &a) == 0, "%s", text);
	return a;
}

static inline struct prefix bed_prefix(const char *text)
{
	struct prefix p;

	ck_assert_msg(prefix_parse(text, &p) == 0, "%s", text);
	return p;
}

static inline struct bed bed_of(bool v6)
{
	struct bed b = { .v6 = v6 };

	b.client = bed_addr(v6 ? "2001:db8:1::10" : "192.0.2.10");
	b.virt = bed_addr(v6 ? "fd00:9::77" : "198.18.0.77");
	ck_assert_int_eq(hit_parse("2001:21:aaaa::1", &b.self), 0);
	ck_assert_int_eq(hit_parse("2001:22:bbbb::2", &b.peer), 0);
	return b;
}

/* The stupid twin: the one's-complement sum of a pseudo-header (addresses
 * of n octets; n == 0: none) and an upper layer. */
static inline uint16_t bed_sum(const uint8_t *from, const uint8_t *to, size_t n,
			       unsigned proto, const uint8_t *l4, size_t len)
{
	uint64_t sum = n ? proto + len : 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint64_t)from[i] * 256 + from[i + 1] +
		       (uint64_t)to[i] * 256 + to[i + 1];
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? l4[i] : (uint64_t)l4[i] * 256;
	while (sum > 65535)
		sum = sum % 65536 + sum / 65536;
	return (uint16_t)sum;
}

/* Of a message between addresses; ICMP for IPv4 has no pseudo-header. */
static inline uint16_t bed_addr_sum(const struct addr *from,
				    const struct addr *to, unsigned proto,
				    const uint8_t *l4, size_t len)
{
	if (proto == IP_PROTO_ICMP)
		return bed_sum(NULL, NULL, 0, 0, l4, len);
	if (addr_is4(from))
		return bed_sum(from->b + 12, to->b + 12, 4, proto, l4, len);
	return bed_sum(from->b, to->b, 16, proto, l4, len);
}

static inline uint16_t bed_hit_sum(const struct hit *from, const struct hit *to,
				   unsigned proto, const uint8_t *l4,
				   size_t len)
{
	return bed_sum(from->b, to->b, 16, proto, l4, len);
}

static inline int bed_sum_at(unsigned proto)
{
	return proto == IP_PROTO_TCP ? 16 : proto == IP_PROTO_UDP ? 6 : 2;
}

/* The protocol as the client's family has it. */
static inline uint8_t bed_legacy_proto(bool v6, unsigned proto)
{
	return (uint8_t)(proto == IP_PROTO_ICMP6 && !v6 ? IP_PROTO_ICMP
							: proto);
}

/* A TCP ACK, UDP datagram or echo of len octets with random payload and
 * checksum field 0. a, b: ports; for echo a is the id and b the type. */
static inline void bed_l4(uint8_t *l4, size_t len, unsigned proto, uint16_t a,
			  uint16_t b)
{
	randombytes_buf(l4, len);
	put_be16(l4 + bed_sum_at(proto), 0);
	if (proto == IP_PROTO_TCP || proto == IP_PROTO_UDP) {
		put_be16(l4, a);
		put_be16(l4 + 2, b);
	} else {
		l4[0] = (uint8_t)b;
		l4[1] = 0;
		put_be16(l4 + 4, a);
	}
	if (proto == IP_PROTO_TCP) {
		l4[12] = 0x50;
		l4[13] = TCP_ACK;
	}
	if (proto == IP_PROTO_UDP)
		put_be16(l4 + 4, (uint16_t)len);
}

/* Fills the checksum field from the sum of the rest. */
static inline void bed_seal(uint8_t *l4, unsigned proto, uint16_t sum)
{
	uint16_t field = (uint16_t)~sum;

	if (proto == IP_PROTO_UDP && field == 0)
		field = 0xffff;
	put_be16(l4 + bed_sum_at(proto), field);
}

/* Puts an IP header before l4 and both into pkt. Returns the length. */
static inline size_t bed_pkt(uint8_t *pkt, const struct addr *from,
			     const struct addr *to, unsigned proto,
			     const uint8_t *l4, size_t len)
{
	size_t hdr = ip_put_header(pkt, from, to, (uint8_t)proto, (uint32_t)len,
				   64, 0);

	memcpy(pkt + hdr, l4, len);
	return hdr + len;
}

/* A client's packet to the substitute, sealed. Ports as in bed_l4. */
static inline size_t bed_client_pkt(const struct bed *b, uint8_t *pkt,
				    unsigned proto, uint16_t from, uint16_t to,
				    size_t len)
{
	uint8_t l4[2048];
	uint8_t p = bed_legacy_proto(b->v6, proto);

	if (proto == IP_PROTO_ICMP6)
		to = b->v6 ? 128 : 8;
	bed_l4(l4, len, proto, from, to);
	bed_seal(l4, proto, bed_addr_sum(&b->client, &b->virt, p, l4, len));
	return bed_pkt(pkt, &b->client, &b->virt, p, l4, len);
}

static inline struct nat_ranges bed_ranges(void)
{
	struct nat_ranges r = {
		.pool6 = bed_prefix("fd00:9::/64"),
		.pool4 = bed_prefix("198.18.0.0/15"),
	};

	return r;
}

/* A bound flow: client_port -> ext_port, virt_port. */
static inline struct nat_flow bed_flow(const struct bed *b, unsigned proto,
				       uint16_t client_port, uint16_t ext_port,
				       uint16_t virt_port)
{
	struct nat_flow f;

	if (proto == IP_PROTO_ICMP6)
		virt_port = 0;
	memset(&f, 0, sizeof(f));
	f.key.client = b->client;
	f.key.virt = b->virt;
	f.key.client_port = client_port;
	f.key.virt_port = virt_port;
	f.key.proto = proto;
	f.back.self = b->self;
	f.back.peer = b->peer;
	f.back.ext_port = ext_port;
	f.back.peer_port = virt_port;
	f.back.proto = proto;
	f.tcp = proto == IP_PROTO_TCP ? NAT_TCP_SYN : NAT_TCP_NONE;
	return f;
}

static const unsigned bed_protos[] = { IP_PROTO_TCP, IP_PROTO_UDP,
				       IP_PROTO_ICMP6 };
