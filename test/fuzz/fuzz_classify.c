/* SPDX-License-Identifier: MIT */
/* Fuzzes the packet classifier and what follows from its verdict. room: nat
 *
 * The first octet chooses: bit 0: the rest came out of ESP, not of the TUN;
 * bit 1: partial checksum; bit 2: mend the checksums that would end the
 * packet early (IPv4 header, ICMP). Whatever gets a key is translated with
 * a flow of that key; what is translated is judged again from the other
 * side. Every buffer is exactly as long as it says.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "nat/nat.h"

enum { FROM_ESP = 1, PARTIAL = 2, MEND = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct hit self = { { 0x20, 0x01, 0, 0x21, 1 } };
static const struct hit peer = { { 0x20, 0x01, 0, 0x21, 2 } };
static const struct addr client4 = {
	{ [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 }
};
static const struct addr virt4 = {
	{ [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18, [15] = 9 }
};
static const struct addr client6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct addr virt6 = { { 0xfd, 0, 0, 9, [15] = 9 } };
static const struct nat_ranges ranges = {
	.pool6 = { { { 0xfd, 0, 0, 9 } }, 64 },
	.pool4 = { { { [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18 } },
		   111 },
};

static struct nat_flow flow_of(const struct nat_key *key)
{
	struct nat_flow f;

	memset(&f, 0, sizeof(f));
	f.key = *key;
	f.back.self = self;
	f.back.peer = peer;
	f.back.ext_port = 40001;
	f.back.peer_port = key->virt_port;
	f.back.proto = key->proto;
	return f;
}

/* Makes the IPv4 header and an ICMP message sum up right. */
static void mend(uint8_t *pkt, size_t len)
{
	struct ip_view v;
	uint64_t sum = 0;
	size_t hdr;

	if (len >= IP4_HDR && pkt[0] >> 4 == 4) {
		hdr = (size_t)(pkt[0] & 15) * 4;
		if (hdr < IP4_HDR || hdr > len)
			return;
		put_be16(pkt + 10, 0);
		put_be16(pkt + 10, csum_finish(csum_add(0, pkt, hdr)));
	}
	if (ip_parse(pkt, len, &v) != REASON_NUM ||
	    (v.proto != IP_PROTO_ICMP && v.proto != IP_PROTO_ICMP6))
		return;
	if (v.proto == IP_PROTO_ICMP6)
		sum = csum_pseudo(&v.from, &v.to, v.proto, v.l4_len);
	put_be16(v.l4 + 2, 0);
	put_be16(v.l4 + 2, csum_finish(csum_add(sum, v.l4, v.l4_len)));
}

/* What we made must be what a stack accepts: parsed, to the client. */
static void check_legacy(uint8_t *pkt, size_t len, const struct nat_flow *f)
{
	struct ip_view v;

	assert(ip_parse(pkt, len, &v) == REASON_NUM);
	assert(addr_eq(&v.from, &f->key.virt));
	assert(addr_eq(&v.to, &f->key.client));
}

static void from_esp(uint8_t next, uint8_t *l4, size_t len, bool v4)
{
	struct nat_key k = {
		.client = v4 ? client4 : client6,
		.virt = v4 ? virt4 : virt6,
		.client_port = 5000,
	};
	struct nat_back back;
	struct nat_flow f;
	bool error;
	size_t n;

	if (nat_unwrap(&next, &l4, &len) != REASON_NUM)
		return;
	if (nat_back_key(next, l4, len, &self, &peer, &back, &error) !=
	    REASON_NUM)
		return;
	k.virt_port = back.peer_port;
	k.proto = back.proto;
	f = flow_of(&k);
	f.back = back;
	if (error) {
		uint8_t *out = malloc(1280);

		if (nat_error_to_legacy(&f, l4, len, out, 1280, &n) ==
		    REASON_NUM)
			check_legacy(out, n, &f);
		free(out);
	} else {
		uint8_t *pkt = malloc(IP6_HDR + len);
		uint8_t *copy = pkt + IP6_HDR;

		memcpy(copy, l4, len);
		if (nat_to_legacy(
			    &f, copy, len,
			    &(struct nat_arrival){ .mss = 1200, .now = 1 }, pkt,
			    &n) == REASON_NUM) {
			memmove(pkt + n, copy, len);
			check_legacy(pkt, n + len, &f);
		}
		free(pkt);
	}
}

static void from_tun(uint8_t *pkt, size_t len, const struct ip_offload *off)
{
	struct addr us = client6;
	uint8_t *out = malloc(1280);
	struct nat_packet p;
	struct nat_flow f;
	struct nat_back back;
	bool error;
	size_t n;

	if (len > 0 && pkt[0] >> 4 == 4)
		us = client4;
	n = ip_build_icmp_error(out, 1280, &us, pkt, len, 1, 4, 0);
	if (n) {
		struct ip_view v;

		assert(ip_parse(out, n, &v) == REASON_NUM);
	}
	switch (nat_classify(pkt, len, &ranges, &p)) {
	case NAT_DATA:
		(void)ip_checksum_ok(&p.ip, off);
		(void)nat_fit(&p.ip, off, 100);
		f = flow_of(&p.key);
		if (nat_to_hip(&f, &p, off, 1200, 1) == REASON_NUM)
			(void)nat_back_key((uint8_t)p.key.proto, p.ip.l4,
					   p.ip.l4_len, &self, &peer, &back,
					   &error);
		break;
	case NAT_ERROR:
		f = flow_of(&p.key);
		if (nat_error_to_hip(&f, &p, out, 1280, &n) == REASON_NUM) {
			/* Seen from the other end it is about its flow. */
			assert(nat_back_key(58, out, n, &peer, &self, &back,
					    &error) == REASON_NUM ||
			       f.key.proto == IP_PROTO_ICMP6);
			assert(n <= 1240);
		}
		break;
	case NAT_DROP:
		assert(p.reason < REASON_NUM);
		break;
	case NAT_DNS:
	case NAT_HIT:
	case NAT_FRAGMENT: /* fuzz_gather */
	case NAT_CLASS_NUM:
		break;
	}
	free(out);
}

static void redirect(uint8_t *pkt, size_t len, const struct ip_offload *off)
{
	static struct nat_redirects *r;
	static uint64_t now;
	struct endpoint listener = { virt6, 5300 };

	if (!r && nat_redirects_new(&virt4, &virt6, &r))
		abort();
	if (len > 0 && pkt[0] >> 4 == 4)
		listener.addr = virt4;
	now += UINT64_C(1000000000);
	(void)nat_redirect_out(r, pkt, len, off, now);
	(void)nat_redirect_in(r, pkt, len, off, &listener, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct ip_offload off = { 0 };
	uint8_t *pkt;
	uint8_t mode;

	if (len < 2)
		return 0;
	mode = data[0];
	off.csum_partial = (mode & PARTIAL) != 0;
	len -= 2;
	pkt = malloc(len ? len : 1);
	if (len)
		memcpy(pkt, data + 2, len);
	if (mode & FROM_ESP) {
		if (data[1] == 58 && (mode & MEND) && len >= ICMP_HDR) {
			uint64_t sum = csum_pseudo_hit(&peer, &self, 58,
						       (uint32_t)len);

			put_be16(pkt + 2, 0);
			put_be16(pkt + 2, csum_finish(csum_add(sum, pkt, len)));
		}
		from_esp(data[1], pkt, len, mode & PARTIAL);
	} else {
		if (mode & MEND)
			mend(pkt, len);
		from_tun(pkt, len, &off);
		if (len)
			memcpy(pkt, data + 2, len);
		if (mode & MEND)
			mend(pkt, len);
		redirect(pkt, len, &off);
	}
	free(pkt);
	return 0;
}
