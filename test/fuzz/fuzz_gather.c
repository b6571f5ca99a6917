/* SPDX-License-Identifier: MIT */
/* Fuzzes fragments: gathering, and cutting what was whole. room: nat
 *
 * The input is a row of records: one octet of flags, two of length, then so
 * many octets of packet. Flag 1: out of ESP; 2: IPv4 header checksum mended;
 * 4: the packet before comes again instead; 8: a second passes; 16: offset,
 * id and addresses are those of the packet before, so that pieces meet.
 * What comes out whole is parsed, classified and cut again; the pieces must
 * gather to the same octets. The gather lives on between inputs.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "nat/nat.h"

enum { OUT_OF_ESP = 1, MEND = 2, AGAIN = 4, LATER = 8, SAME = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const struct nat_back sa = {
	.self = { { 0x20, 0x01, 0, 0x21, 1 } },
	.peer = { { 0x20, 0x01, 0, 0x21, 2 } },
};
static const struct nat_ranges ranges = {
	.pool6 = { { { 0xfd, 0, 0, 9 } }, 64 },
	.pool4 = { { { [10] = 0xff, [11] = 0xff, [12] = 198, [13] = 18 } },
		   111 },
};

static struct reasons lost;
static struct nat_gather *gather;
static struct nat_gather *second;
static uint64_t now = 1;

/* Cut as for ESP and put together by another gather. Options never come to
 * be cut: nat_unwrap and ip_parse have skipped them. */
static void round_trip(const struct nat_whole *w)
{
	static uint32_t id;
	struct nat_arrival in = { .now = now };
	uint8_t *want = malloc(w->l4_len);
	struct nat_whole got = { .l4 = NULL };
	struct nat_cut cut;
	uint8_t hdr[IP_FRAGMENT_HDR];
	uint32_t at;
	uint32_t n;

	memcpy(want, w->l4, w->l4_len);
	nat_cut_begin(&cut, w->proto, w->l4_len, 1388, ++id);
	while (w->l4_len > 1380 && nat_cut_next(&cut, hdr, &at, &n)) {
		uint8_t *piece = malloc(IP_FRAGMENT_HDR + n);
		enum reason r;

		assert(!got.l4 && n + IP_FRAGMENT_HDR <= 1388);
		memcpy(piece, hdr, IP_FRAGMENT_HDR);
		memcpy(piece + IP_FRAGMENT_HDR, want + at, n);
		r = nat_gather_esp(second, &sa, &in, piece, IP_FRAGMENT_HDR + n,
				   &got);
		assert(r == REASON_NUM);
		free(piece);
	}
	if (w->l4_len > 1380) {
		assert(got.l4 && got.l4_len == w->l4_len);
		assert(got.proto == w->proto);
		assert(memcmp(got.l4, want, w->l4_len) == 0);
	}
	free(want);
}

static void use(struct nat_whole *w)
{
	struct nat_packet p;
	struct ip_view v;

	assert(w->l4_len > 0 && w->l4_len <= 65535);
	assert(w->fragment > 0 && w->fragment < w->l4_len);
	if (w->proto != IP_PROTO_DEST_OPTS && w->proto != IP_PROTO_ROUTING)
		round_trip(w);
	memset(w->l4 - NAT_WHOLE_ROOM, 0, w->pkt == w->l4 ? NAT_WHOLE_ROOM : 0);
	if (w->pkt == w->l4) {
		uint8_t *l4 = w->l4;
		size_t len = w->l4_len;

		(void)!nat_unwrap(&w->proto, &l4, &len);
		assert(l4 >= w->l4 && l4 + len == w->l4 + w->l4_len);
		return;
	}
	/* Nothing is a fragment twice, whatever its first piece held. */
	assert(ip_parse(w->pkt, w->len, &v) != REASON_IP_FRAGMENT);
	assert(nat_classify(w->pkt, w->len, &ranges, &p) != NAT_FRAGMENT);
}

static void mend(uint8_t *pkt, size_t len)
{
	size_t hdr = len ? (size_t)(pkt[0] & 15) * 4 : 0;

	if (len < IP4_HDR || pkt[0] >> 4 != 4 || hdr < IP4_HDR || hdr > len)
		return;
	put_be16(pkt + 10, 0);
	put_be16(pkt + 10, csum_finish(csum_add(0, pkt, hdr)));
}

/* The octets of `like` that say which packet a fragment is of. */
static void same(uint8_t *pkt, const uint8_t *like, size_t len, bool esp)
{
	if (esp && len >= 8)
		memcpy(pkt + 4, like + 4, 4);
	else if (!esp && len >= 48 && like[0] >> 4 == 6) {
		memcpy(pkt, like, 8);
		memcpy(pkt + 8, like + 8, 32);
		memcpy(pkt + 44, like + 44, 4);
	} else if (!esp && len >= 20) {
		memcpy(pkt, like, 2);
		memcpy(pkt + 4, like + 4, 2);
		memcpy(pkt + 8, like + 8, 12);
	}
}

static void one(uint8_t flags, const uint8_t *data, size_t len,
		const uint8_t *before, size_t before_len)
{
	struct nat_arrival in = { .now = now, .tos = flags >> 6 };
	struct nat_whole w;
	uint8_t *pkt;
	enum reason r;

	if (flags & AGAIN) {
		data = before;
		len = before_len;
	}
	pkt = malloc(len ? len : 1);
	if (len)
		memcpy(pkt, data, len);
	if (flags & SAME)
		same(pkt, before, len < before_len ? len : before_len,
		     flags & OUT_OF_ESP);
	if (flags & MEND)
		mend(pkt, len);
	if (flags & OUT_OF_ESP)
		r = nat_gather_esp(gather, &sa, &in, pkt, len, &w);
	else
		r = nat_gather_ip(gather, pkt, len, now, &w);
	assert(r <= REASON_NUM);
	assert(r == REASON_NUM || !w.l4);
	free(pkt);
	if (w.l4)
		use(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint8_t *before = NULL;
	size_t before_len = 0;

	if (!gather &&
	    (nat_gather_new(&lost, &gather) || nat_gather_new(&lost, &second)))
		abort();
	while (len >= 3) {
		uint8_t flags = data[0];
		size_t n = get_be16(data + 1);

		data += 3;
		len -= 3;
		n = n < len ? n : len;
		if (flags & LATER)
			now += UINT64_C(1000000000);
		one(flags, data, n, before, before_len);
		before = data;
		before_len = n;
		data += n;
		len -= n;
	}
	/* Each input begins with an empty gather. */
	now += UINT64_C(60000000000);
	nat_gather_expire(gather, now);
	nat_gather_expire(second, now);
	return 0;
}
