/* SPDX-License-Identifier: MIT */
/* What the tests of nat/gather.c share: a gather and fragments for it. */
#pragma once

#include "core/checksum.h"
#include "test/unit/nat/nat_bed.h"

enum { SECOND = 1000000000 };

static struct reasons lost;
static struct nat_gather *g;
static uint64_t now;
static struct nat_whole whole;

static inline void setup(void)
{
	memset(&lost, 0, sizeof(lost));
	now = SECOND;
	ck_assert_int_eq(nat_gather_new(&lost, &g), 0);
}

static inline void teardown(void)
{
	nat_gather_free(g);
}

/* One fragment: octets [at, at + len) of l4. */
struct slice {
	uint32_t at;
	uint32_t len;
	bool more;
};

/* Puts the slice of l4 into a fragment of `id`. Returns its length. */
static inline size_t make(const struct bed *b, uint8_t *pkt, const uint8_t *l4,
			  unsigned proto, uint32_t id, const struct slice *s)
{
	uint8_t p = bed_legacy_proto(b->v6, proto);
	size_t hdr = ip_put_header(pkt, &b->client, &b->virt,
				   b->v6 ? IP_PROTO_FRAGMENT : p,
				   s->len + (b->v6 ? 8 : 0), 64, 0);

	if (b->v6) {
		ip_put_fragment(pkt + hdr, p, s->at, s->more, id);
		hdr += 8;
	} else {
		put_be16(pkt + 4, (uint16_t)id);
		put_be16(pkt + 6,
			 (uint16_t)((s->more ? 0x2000 : 0) | s->at / 8));
		put_be16(pkt + 10, 0);
		put_be16(pkt + 10, csum_finish(csum_add(0, pkt, IP4_HDR)));
	}
	memcpy(pkt + hdr, l4 + s->at, s->len);
	return hdr + s->len;
}

static inline enum reason give_len(const uint8_t *pkt, size_t len)
{
	uint8_t *copy = malloc(len);
	enum reason r;

	memcpy(copy, pkt, len);
	r = nat_gather_ip(g, copy, len, now, &whole);
	free(copy);
	return r;
}

static inline enum reason give(const struct bed *b, const uint8_t *l4,
			       uint32_t id, struct slice s)
{
	static uint8_t pkt[66000];

	return give_len(pkt, make(b, pkt, l4, IP_PROTO_UDP, id, &s));
}

static inline uint64_t lost_for(enum reason r)
{
	return reason_get(&lost, r);
}

/* A UDP datagram of len octets, sealed for the legacy side. */
static inline void datagram(const struct bed *b, uint8_t *l4, size_t len)
{
	bed_l4(l4, len, IP_PROTO_UDP, 1234, 80);
	bed_seal(l4, IP_PROTO_UDP,
		 bed_addr_sum(&b->client, &b->virt, IP_PROTO_UDP, l4, len));
}

static inline void check_whole(const struct bed *b, const uint8_t *l4,
			       size_t len)
{
	struct ip_view v;

	ck_assert_ptr_nonnull(whole.l4);
	ck_assert_uint_eq(whole.l4_len, len);
	ck_assert_mem_eq(whole.l4, l4, len);
	ck_assert_int_eq(ip_parse(whole.pkt, whole.len, &v), REASON_NUM);
	ck_assert(addr_eq(&v.from, &b->client));
	ck_assert(addr_eq(&v.to, &b->virt));
	ck_assert(!v.df);
	ck_assert_uint_eq(v.l4_len, len);
	ck_assert_ptr_eq(v.l4, whole.l4);
}
