/* SPDX-License-Identifier: MIT */
/* Putting fragments together. RFC 791 3.2, RFC 8200 4.5, RFC 5722, RFC 6146
 * 3.4, RFC 4787 REQ-14; ECN by RFC 3168 5.3.
 *
 * THEORY OF OPERATION
 * Ports stand in the first fragment only and a checksum covers them all, so
 * the NAT works on whole packets: fragments are kept until the packet is
 * there, in any order. Each worker has a gather of its own and no lock: the
 * kernel spreads TUN packets over its queues by a hash that knows nothing of
 * a fragment but its addresses and protocol (test/platform/fragments.c), and
 * an SA is opened by one worker.
 *
 * Everything here is an attacker's. All memory is made at the start:
 * DATAGRAMS_MAX packets in the making, and CHUNKS chunks for the octets of
 * their fragments. A source (an IPv4 address, an IPv6 /64, a peer's HIT) has
 * at most SOURCE_DATAGRAMS and SOURCE_CHUNKS of them. Who wants more loses
 * his own oldest; when all is used the oldest of all goes. So whoever floods
 * harms himself first, and fragments that come close together pass whatever
 * else happens (REQ-14 a).
 *
 * A packet with fragments that overlap, contradict each other or are too
 * many, or without the whole upper-layer header in its first fragment, is
 * given up: its octets go, its entry stays `spoilt` until its time is over,
 * so that what is still on its way meets the same end (RFC 5722 4). An exact
 * copy of a fragment is dropped alone. No ICMP error tells of any of this:
 * we are not the destination, and the sender cannot act on it.
 *
 * Entries are few and searched in order of age; `tags` are looked at first.
 * Timers: IPv4 has 16-bit ids that come round soon (RFC 4963), so 2 s, the
 * least RFC 6146 allows; others 30 s. They are acted on when the next
 * fragment comes, or by nat_gather_expire.
 *
 * Invariants: order[0..used) are the entries in use by age, free_entry[] the
 * others; each chunk is in one piece or in free_chunk[]; pieces of an entry
 * do not overlap; an entry is complete when `have` reaches `total`.
 */
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "nat/nat.h"

enum {
	DATAGRAMS_MAX = 256,
	SOURCE_DATAGRAMS = 32,
	PIECES_MAX = 64, /* 65535 octets over an MTU of 1280 are 54 */
	CHUNK_BYTES = 1472,
	CHUNKS = 1424, /* 2 MiB */
	SOURCE_CHUNKS = CHUNKS / 4,
	NO_CHUNK = CHUNKS,
	ROOM = 64, /* before the upper layer of a whole packet */
};

#define SHORT_NS UINT64_C(2000000000)
#define LONG_NS UINT64_C(30000000000)

_Static_assert(ROOM >= NAT_WHOLE_ROOM, "room for what goes before");
_Static_assert(SOURCE_CHUNKS *CHUNK_BYTES >= 65536 + PIECES_MAX * CHUNK_BYTES,
	       "the largest packet fits into the share of one source");

enum side { SIDE_TUN, SIDE_ESP };

/* Compared as octets: no holes. */
struct gather_key {
	struct addr from;
	struct addr to;
	uint32_t id;
	uint16_t proto; /* IPv4 only: ids are per protocol */
	uint16_t side;
};

_Static_assert(sizeof(struct gather_key) == 40, "no holes");

struct piece {
	uint16_t at;
	uint16_t len; /* > 0; at + len <= 65535 */
	uint16_t chunk;
};

struct entry {
	struct gather_key key;
	uint64_t born;	    /* ns */
	enum reason spoilt; /* REASON_NUM: not */
	bool v4;
	uint8_t proto; /* these three: of the first fragment */
	uint8_t tos;   /* ECN apart */
	uint8_t ttl;
	uint8_t ecn;	 /* bit n: codepoint n was seen */
	uint32_t total;	 /* 0: the last fragment has not come */
	uint32_t have;	 /* octets in pieces */
	uint32_t chunks; /* in pieces */
	uint32_t pieces_num;
	uint16_t largest;
	struct piece pieces[PIECES_MAX];
};

struct nat_gather {
	struct reasons *lost;
	unsigned used;
	unsigned chunks_free;
	uint64_t next_expiry; /* ns: nothing is due before */
	uint32_t tags[DATAGRAMS_MAX];
	uint8_t order[DATAGRAMS_MAX];
	uint8_t free_entry[DATAGRAMS_MAX];
	struct entry entries[DATAGRAMS_MAX];
	uint16_t free_chunk[CHUNKS];
	uint16_t chain[CHUNKS]; /* the next chunk of the same piece */
	uint8_t chunk[CHUNKS][CHUNK_BYTES];
	uint8_t whole[ROOM + 65536];
};

_Static_assert(DATAGRAMS_MAX - 1 <= UINT8_MAX, "order[] holds an index");

int nat_gather_new(struct reasons *lost, struct nat_gather **out)
{
	struct nat_gather *g = calloc(1, sizeof(*g));

	*out = g;
	if (!g)
		return HG_ENOMEM;
	g->lost = lost;
	for (unsigned i = 0; i < DATAGRAMS_MAX; i++)
		g->free_entry[i] = (uint8_t)i;
	for (unsigned i = 0; i < CHUNKS; i++)
		g->free_chunk[i] = (uint16_t)i;
	g->chunks_free = CHUNKS;
	g->next_expiry = UINT64_MAX;
	return HG_OK;
}

void nat_gather_free(struct nat_gather *g)
{
	free(g);
}

/* ---- chunks ------------------------------------------------------------ */

static uint32_t chunks_for(uint32_t len)
{
	return (len + CHUNK_BYTES - 1) / CHUNK_BYTES;
}

static void piece_put(struct nat_gather *g, struct piece *p,
		      const uint8_t *data)
{
	uint16_t *link = &p->chunk;

	for (uint32_t at = 0; at < p->len; at += CHUNK_BYTES) {
		uint32_t n = p->len - at;
		uint16_t c = g->free_chunk[--g->chunks_free];

		memcpy(g->chunk[c], data + at,
		       n < CHUNK_BYTES ? n : CHUNK_BYTES);
		*link = c;
		link = &g->chain[c];
	}
	*link = NO_CHUNK;
}

static void piece_get(const struct nat_gather *g, const struct piece *p,
		      uint8_t *out)
{
	uint16_t c = p->chunk;

	for (uint32_t at = 0; at < p->len; at += CHUNK_BYTES) {
		uint32_t n = p->len - at;

		memcpy(out + at, g->chunk[c],
		       n < CHUNK_BYTES ? n : CHUNK_BYTES);
		c = g->chain[c];
	}
}

static bool piece_is(const struct nat_gather *g, const struct piece *p,
		     const uint8_t *data)
{
	uint16_t c = p->chunk;

	for (uint32_t at = 0; at < p->len; at += CHUNK_BYTES) {
		uint32_t n = p->len - at;

		if (memcmp(data + at, g->chunk[c],
			   n < CHUNK_BYTES ? n : CHUNK_BYTES) != 0)
			return false;
		c = g->chain[c];
	}
	return true;
}

/* ---- entries ----------------------------------------------------------- */

/* Gives the octets back; counts what had been kept, unless it is whole. */
static void entry_empty(struct nat_gather *g, struct entry *e, enum reason why)
{
	for (uint32_t i = 0; i < e->pieces_num; i++) {
		uint16_t c = e->pieces[i].chunk;

		for (; c != NO_CHUNK; c = g->chain[c])
			g->free_chunk[g->chunks_free++] = c;
		if (why != REASON_NUM)
			reason_count(g->lost, why);
	}
	e->pieces_num = 0;
	e->chunks = 0;
	e->have = 0;
}

static void entry_end(struct nat_gather *g, unsigned i, enum reason why)
{
	uint8_t slot = g->order[i];

	entry_empty(g, &g->entries[slot], why);
	g->used--;
	memmove(g->order + i, g->order + i + 1, g->used - i);
	memmove(g->tags + i, g->tags + i + 1,
		(g->used - i) * sizeof(g->tags[0]));
	g->free_entry[g->used] = slot;
}

static enum reason spoil(struct nat_gather *g, struct entry *e, enum reason why)
{
	entry_empty(g, e, why);
	e->spoilt = why;
	return why;
}

static uint64_t deadline(const struct entry *e)
{
	return e->born + (e->v4 ? SHORT_NS : LONG_NS);
}

void nat_gather_expire(struct nat_gather *g, uint64_t now)
{
	uint64_t next = UINT64_MAX;
	unsigned i = 0;

	if (now < g->next_expiry)
		return;
	while (i < g->used) {
		const struct entry *e = &g->entries[g->order[i]];
		uint64_t due = deadline(e);

		if (now >= due) {
			entry_end(g, i, REASON_FRAG_TIMEOUT);
			continue;
		}
		next = due < next ? due : next;
		i++;
	}
	g->next_expiry = next;
}

static bool same_source(const struct gather_key *a, const struct gather_key *b)
{
	size_t n = addr_is4(&a->from) || a->side == SIDE_ESP ? 16 : 8;

	return a->side == b->side && memcmp(a->from.b, b->from.b, n) == 0;
}

/* Makes room for `chunks` chunks and, if fresh, an entry. `keep`: not that
 * one. What has been refused room before has none to give: it always ends,
 * because one packet never takes a source's whole share. */
static void make_room(struct nat_gather *g, const struct gather_key *key,
		      const struct entry *keep, uint32_t chunks)
{
	unsigned entries = keep ? 0 : 1;

	for (;;) {
		uint32_t source_chunks = chunks;
		unsigned source_entries = entries;
		unsigned own = DATAGRAMS_MAX;
		unsigned any = DATAGRAMS_MAX;

		for (unsigned i = g->used; i-- > 0;) {
			const struct entry *e = &g->entries[g->order[i]];
			bool mine = same_source(&e->key, key);

			source_chunks += mine ? e->chunks : 0;
			source_entries += mine ? 1 : 0;
			if (e == keep)
				continue;
			any = i;
			own = mine ? i : own;
		}
		if (own != DATAGRAMS_MAX && (source_chunks > SOURCE_CHUNKS ||
					     source_entries > SOURCE_DATAGRAMS))
			entry_end(g, own, REASON_FRAG_QUOTA);
		else if (any != DATAGRAMS_MAX &&
			 (g->chunks_free < chunks ||
			  g->used + entries > DATAGRAMS_MAX))
			entry_end(g, any, REASON_FRAG_FULL);
		else
			return;
	}
}

/* Spreads well enough; a key that was made to collide costs a comparison. */
static uint32_t tag_of(const struct gather_key *k)
{
	uint32_t tag = k->id * 2654435761u;

	for (size_t i = 0; i < 16; i += 4)
		tag ^= get_be32(k->from.b + i) + get_be32(k->to.b + i);
	return tag;
}

static struct entry *entry_find(struct nat_gather *g,
				const struct gather_key *key, unsigned *at)
{
	uint32_t tag = tag_of(key);

	for (unsigned i = g->used; i-- > 0;) {
		struct entry *e = &g->entries[g->order[i]];

		*at = i;
		if (g->tags[i] == tag &&
		    memcmp(&e->key, key, sizeof(*key)) == 0)
			return e;
	}
	return NULL;
}

static struct entry *entry_open(struct nat_gather *g,
				const struct gather_key *key, bool v4,
				uint64_t now, unsigned *at)
{
	struct entry *e;
	uint8_t slot;

	make_room(g, key, NULL, 0);
	slot = g->free_entry[g->used];
	*at = g->used;
	g->order[g->used] = slot;
	g->tags[g->used] = tag_of(key);
	g->used++;
	e = &g->entries[slot];
	memset(e, 0, offsetof(struct entry, pieces));
	e->key = *key;
	e->born = now;
	e->v4 = v4;
	e->spoilt = REASON_NUM;
	if (deadline(e) < g->next_expiry)
		g->next_expiry = deadline(e);
	return e;
}

/* ---- one fragment ------------------------------------------------------ */

/* What is wrong with it whatever else comes (RFC 8200 4.5; a whole packet
 * gets a plain header). */
static enum reason length_check(const struct ip_fragment *f)
{
	uint32_t most = f->ip.v4 ? 65535 - IP4_HDR : 65535;

	if (f->ip.l4_len == 0 || (f->more && f->ip.l4_len % 8 != 0))
		return REASON_FRAG_LENGTH;
	if (f->ip.l4_len > most || f->offset > most - f->ip.l4_len)
		return REASON_FRAG_LENGTH;
	return REASON_NUM;
}

/* RFC 7112, RFC 1858, RFC 3128: whoever looks at the first fragment sees
 * all headers there are. */
static enum reason first_check(const struct ip_fragment *f)
{
	uint8_t proto = f->ip.proto;
	uint8_t *l4 = f->ip.l4;
	uint32_t len = f->ip.l4_len;
	enum reason r = REASON_NUM;

	if (!f->ip.v4 && proto == 0)
		return REASON_IP_EXT_HEADER; /* hop-by-hop is not cut */
	if (!f->ip.v4)
		r = ip_skip_ext(&proto, &l4, &len);
	if (r == REASON_IP_TRUNCATED)
		return REASON_FRAG_TINY;
	if (r != REASON_NUM)
		return r;
	if (proto == IP_PROTO_FRAGMENT)
		return REASON_IP_EXT_HEADER;
	return ip_l4_hdr_len(proto, l4, len) ? REASON_NUM : REASON_FRAG_TINY;
}

/* Against the pieces that are there. */
static enum reason overlap_check(const struct nat_gather *g,
				 const struct entry *e,
				 const struct ip_fragment *f)
{
	uint32_t end = f->offset + f->ip.l4_len;

	for (uint32_t i = 0; i < e->pieces_num; i++) {
		const struct piece *p = &e->pieces[i];

		if (end <= p->at || f->offset >= (uint32_t)p->at + p->len)
			continue;
		if (p->at == f->offset && p->len == f->ip.l4_len &&
		    f->more == (end != e->total) && piece_is(g, p, f->ip.l4))
			return REASON_FRAG_DUPLICATE;
		return REASON_FRAG_OVERLAP;
	}
	return REASON_NUM;
}

/* All fragments must agree on where the packet ends. */
static enum reason end_check(const struct entry *e, const struct ip_fragment *f)
{
	uint32_t end = f->offset + f->ip.l4_len;

	if (f->more)
		return e->total && end >= e->total ? REASON_FRAG_MISFIT
						   : REASON_NUM;
	if (e->total)
		return REASON_FRAG_MISFIT;
	for (uint32_t i = 0; i < e->pieces_num; i++)
		if ((uint32_t)e->pieces[i].at + e->pieces[i].len > end)
			return REASON_FRAG_MISFIT;
	return REASON_NUM;
}

/* RFC 3168 5.3: fragments that cannot do ECN and others do not mix. */
static bool ecn_mixed(uint8_t seen)
{
	return (seen & 1) && (seen & ~1);
}

static uint8_t ecn_of(uint8_t seen)
{
	if (seen & 1 << 3)
		return 3; /* congestion was experienced */
	return seen & 1 << 2 ? 2 : seen & 1 << 1 ? 1 : 0;
}

static enum reason fragment_check(const struct nat_gather *g,
				  const struct entry *e,
				  const struct ip_fragment *f)
{
	enum reason r = overlap_check(g, e, f);

	if (r == REASON_NUM)
		r = end_check(e, f);
	if (r == REASON_NUM && f->offset == 0)
		r = first_check(f);
	if (r == REASON_NUM && e->pieces_num == PIECES_MAX)
		r = REASON_FRAG_MANY;
	if (r == REASON_NUM &&
	    ecn_mixed((uint8_t)(e->ecn | 1u << (f->ip.tos & 3))))
		r = REASON_FRAG_MISFIT;
	return r;
}

static void fragment_keep(struct nat_gather *g, struct entry *e,
			  const struct ip_fragment *f)
{
	struct piece *p = &e->pieces[e->pieces_num++];

	p->at = (uint16_t)f->offset;
	p->len = (uint16_t)f->ip.l4_len;
	piece_put(g, p, f->ip.l4);
	e->chunks += chunks_for(p->len);
	e->have += p->len;
	e->ecn |= (uint8_t)(1u << (f->ip.tos & 3));
	if (p->len > e->largest)
		e->largest = p->len;
	if (!f->more)
		e->total = f->offset + f->ip.l4_len;
	if (f->offset)
		return;
	e->proto = f->ip.proto;
	e->tos = f->ip.tos & 0xfc;
	e->ttl = f->ip.ttl;
}

static void whole_make(struct nat_gather *g, const struct entry *e,
		       struct nat_whole *out)
{
	uint8_t hdr[IP6_HDR];

	*out = (struct nat_whole){
		.proto = e->proto,
		.tos = e->tos | ecn_of(e->ecn),
		.ttl = e->ttl,
		.l4 = g->whole + ROOM,
		.l4_len = e->total,
		.id = e->key.id,
		.fragment = e->largest,
	};
	for (uint32_t i = 0; i < e->pieces_num; i++)
		piece_get(g, &e->pieces[i], out->l4 + e->pieces[i].at);
	if (e->key.side == SIDE_TUN)
		out->len = ip_put_header(hdr, &e->key.from, &e->key.to,
					 e->proto, e->total, e->ttl, out->tos);
	if (e->v4)
		ip_allow_cutting(hdr, (uint16_t)e->key.id);
	out->pkt = out->l4 - out->len;
	memcpy(out->pkt, hdr, out->len);
	out->len += e->total;
}

static enum reason gather(struct nat_gather *g, const struct gather_key *key,
			  const struct ip_fragment *f, uint64_t now,
			  struct nat_whole *out)
{
	struct entry *e;
	enum reason r = length_check(f);
	unsigned at;

	out->l4 = NULL;
	nat_gather_expire(g, now);
	if (r != REASON_NUM)
		return r;
	e = entry_find(g, key, &at);
	if (!e)
		e = entry_open(g, key, f->ip.v4, now, &at);
	if (e->spoilt != REASON_NUM)
		return e->spoilt;
	r = fragment_check(g, e, f);
	if (r == REASON_FRAG_DUPLICATE)
		return r;
	if (r != REASON_NUM)
		return spoil(g, e, r);
	make_room(g, key, e, chunks_for(f->ip.l4_len));
	fragment_keep(g, e, f);
	if (e->have != e->total)
		return REASON_NUM;
	whole_make(g, e, out);
	(void)entry_find(g, key, &at); /* others may have gone before it */
	entry_end(g, at, REASON_NUM);
	return REASON_NUM;
}

enum reason nat_gather_ip(struct nat_gather *g, uint8_t *pkt, size_t len,
			  uint64_t now, struct nat_whole *out)
{
	struct gather_key key = { .side = SIDE_TUN };
	struct ip_fragment f;
	enum reason r = ip_parse_fragment(pkt, len, &f);

	out->l4 = NULL;
	if (r != REASON_NUM)
		return r;
	key.from = f.ip.from;
	key.to = f.ip.to;
	key.id = f.id;
	key.proto = f.ip.v4 ? f.ip.proto : 0;
	return gather(g, &key, &f, now, out);
}

enum reason nat_gather_esp(struct nat_gather *g, const struct nat_back *sa,
			   const struct nat_arrival *in, uint8_t *hdr,
			   size_t len, struct nat_whole *out)
{
	struct gather_key key = {
		.from = addr_from6(sa->peer.b),
		.to = addr_from6(sa->self.b),
		.side = SIDE_ESP,
	};
	struct ip_fragment f = { .id = 0 };
	enum reason r = ip_get_fragment(hdr, len, &f);

	out->l4 = NULL;
	if (r == REASON_NUM && !ip_is_piece(&f))
		r = REASON_IP_FRAGMENT; /* RFC 6946: nat_unwrap skips it */
	if (r != REASON_NUM)
		return r;
	f.ip.tos = in->tos;
	f.ip.ttl = in->ttl;
	key.id = f.id;
	return gather(g, &key, &f, in->now, out);
}
