/* SPDX-License-Identifier: MIT */
/* ICMP errors between a legacy host and a HIP host, both ways.
 * RFC 5508 3.2 (REQ-3 to 5), RFC 7915 4.2, 4.3, 5.2, 5.3, RFC 4884.
 *
 * THEORY OF OPERATION
 * An error quotes a packet as the complainer saw it; it must arrive quoting
 * that packet as its sender made it. So the quoted addresses, ports and
 * checksum are translated back, against the direction the error travels in:
 * an error of the client's side quotes virt -> client and becomes a quote of
 * peer -> self, and the other way round. On the HIP side a quote has an
 * IPv6 header with HITs, because that is what the HIP host's stack sent.
 *
 * Workers call these. Input is an attacker's: a quote may be cut anywhere
 * after its eighth upper-layer octet and its claimed length may lie; only
 * octets that are there are read, and the claimed length only goes into the
 * quoted header and the pseudo-headers. Errors never change a flow's state
 * (RFC 5508 REQ-3, RFC 5382 REQ-10) and are never answered.
 */
#include "nat/icmperr.h"

#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "nat/translate.h"

enum {
	UNREACH4 = 3,
	TIME4 = 11,
	PARAM4 = 12,
	UNREACH6 = 1,
	TOO_BIG6 = 2,
	TIME6 = 3,
	PARAM6 = 4,
	ECHO4_REPLY = 0,
	ECHO4_REQUEST = 8,
	ECHO6_REQUEST = 128,
	ECHO6_REPLY = 129,
	HDR_GROWS = IP6_HDR - IP4_HDR,
	MTU6_MIN = 1280,
	ERROR4_MAX = 576,
	ERROR6_MAX = 1280,
	ERROR_TTL = 64,
	NONE = 0xff, /* in the tables: has no counterpart, dropped */
};

/* The 8 octets before the quote, in our words. */
struct head {
	uint8_t type;
	uint8_t code;
	uint32_t param; /* MTU or pointer */
};

static bool read4(const uint8_t *p, uint32_t len, struct icmperr_quote *q)
{
	uint32_t hdr;
	uint32_t total;

	if (len < IP4_HDR)
		return false;
	hdr = (uint32_t)(p[0] & 0x0f) * 4;
	total = get_be16(p + 2);
	if (hdr < IP4_HDR || hdr > len || total < hdr ||
	    (get_be16(p + 6) & 0x1fff))
		return false;
	q->v4 = true;
	q->tos = p[1];
	q->ttl = p[8];
	q->proto = p[9];
	q->from = addr_from4(p + 12);
	q->to = addr_from4(p + 16);
	q->l4 = p + hdr;
	q->have = len - hdr;
	q->l4_len = total - hdr;
	return true;
}

/* The only extension header we send is that of a fragment (nat_cut), and
 * only the first has ports. What it claims as length is its own: the
 * packet's is not known. */
static bool read6(const uint8_t *p, uint32_t len, struct icmperr_quote *q)
{
	if (len < IP6_HDR)
		return false;
	q->v4 = false;
	q->tos = (uint8_t)(get_be16(p) >> 4);
	q->ttl = p[7];
	q->proto = p[6];
	q->from = addr_from6(p + 8);
	q->to = addr_from6(p + 24);
	q->l4 = p + IP6_HDR;
	q->have = len - IP6_HDR;
	q->l4_len = get_be16(p + 4);
	if (q->proto == IP_PROTO_FRAGMENT) {
		if (q->have < IP_FRAGMENT_HDR || q->l4_len < IP_FRAGMENT_HDR ||
		    (get_be16(q->l4 + 2) & 0xfff8))
			return false;
		q->cut = true;
		q->proto = q->l4[0];
		q->l4 += IP_FRAGMENT_HDR;
		q->have -= IP_FRAGMENT_HDR;
		q->l4_len -= IP_FRAGMENT_HDR;
	}
	return !addr_is4(&q->from) && !addr_is4(&q->to);
}

/* RFC 4884 5: where extensions follow, a length says where the quote ends;
 * they describe the complainer's side and are left behind. */
static uint32_t quote_len(uint8_t proto, const uint8_t *icmp, uint32_t len)
{
	bool v4 = proto == IP_PROTO_ICMP;
	uint32_t n = v4 ? icmp[5] * 4u : icmp[4] * 8u;
	bool has = v4 ? icmp[0] == UNREACH4 || icmp[0] == TIME4 ||
				   icmp[0] == PARAM4
		      : icmp[0] == UNREACH6 || icmp[0] == TIME6;

	len -= ICMP_HDR;
	return has && n != 0 && n < len ? n : len;
}

static bool read_l4(struct icmperr_quote *q)
{
	if (q->have < 8 || q->l4_len < 8)
		return false;
	if (q->have > q->l4_len)
		q->have = q->l4_len;
	q->from_port = get_be16(q->l4);
	q->to_port = get_be16(q->l4 + 2);
	if (q->proto == IP_PROTO_TCP || q->proto == IP_PROTO_UDP)
		return true;
	if (q->proto != (q->v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6))
		return false;
	q->proto = IP_PROTO_ICMP6;
	q->echo_type = q->l4[0];
	q->from_port = get_be16(q->l4 + 4);
	q->to_port = q->from_port;
	return true;
}

bool icmperr_read(uint8_t proto, const uint8_t *icmp, uint32_t len,
		  struct icmperr_quote *out)
{
	struct icmperr_quote q = { 0 };
	const uint8_t *p = icmp + ICMP_HDR;
	uint32_t n;
	bool ok;

	if (len <= ICMP_HDR || !ip_icmp_is_error(proto, icmp[0]))
		return false;
	n = quote_len(proto, icmp, len);
	if (proto == IP_PROTO_ICMP)
		ok = p[0] >> 4 == 4 && read4(p, n, &q);
	else
		ok = p[0] >> 4 == 6 && read6(p, n, &q);
	if (!ok || !read_l4(&q))
		return false;
	*out = q;
	return true;
}

bool icmperr_client_key(const struct icmperr_quote *q, struct nat_key *key)
{
	bool echo = q->proto == IP_PROTO_ICMP6;
	struct nat_key k = {
		.client = q->to,
		.virt = q->from,
		.client_port = q->to_port,
		.virt_port = echo ? 0 : q->from_port,
		.proto = q->proto,
	};

	if (echo && q->echo_type != (q->v4 ? ECHO4_REPLY : ECHO6_REPLY))
		return false;
	*key = k;
	return true;
}

bool icmperr_peer_key(const struct icmperr_quote *q, struct nat_back *key)
{
	bool echo = q->proto == IP_PROTO_ICMP6;
	struct nat_back k = {
		.ext_port = q->from_port,
		.peer_port = echo ? 0 : q->to_port,
		.proto = q->proto,
	};

	if (q->v4 || (echo && q->echo_type != ECHO6_REQUEST))
		return false;
	memcpy(k.self.b, q->from.b, sizeof(k.self.b));
	memcpy(k.peer.b, q->to.b, sizeof(k.peer.b));
	*key = k;
	return true;
}

static struct head head_get(bool v4, const uint8_t *icmp)
{
	struct head h = { .type = icmp[0], .code = icmp[1] };

	if (!v4)
		h.param = get_be32(icmp + 4);
	else if (h.type == UNREACH4)
		h.param = get_be16(icmp + 6);
	else
		h.param = icmp[4];
	return h;
}

/* RFC 1191 7: what a router that reports no MTU may have meant. */
static uint32_t plateau_below(uint32_t total)
{
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002,
					     1492,  1006,  508,	 296,  68 };
	size_t i = 0;

	while (i < sizeof(plateaus) / sizeof(plateaus[0]) - 1 &&
	       plateaus[i] >= total)
		i++;
	return plateaus[i];
}

/* RFC 7915 4.2, 12.2 of the MTU; quoted_len: total of the quoted packet. */
static bool unreach_to6(struct head *h, uint32_t quoted_len)
{
	static const uint8_t codes[] = { 0, 0, NONE, 4, NONE, 0, 0,    0,
					 0, 1, 1,    0, 0,    1, NONE, 1 };
	uint32_t mtu = h->param;

	if (h->code == 2) { /* protocol: points at the next header field */
		*h = (struct head){ .type = PARAM6, .code = 1, .param = 6 };
		return true;
	}
	if (h->code == 4) {
		if (mtu == 0)
			mtu = plateau_below(quoted_len);
		mtu += HDR_GROWS;
		*h = (struct head){ .type = TOO_BIG6 };
		h->param = mtu < MTU6_MIN ? MTU6_MIN : mtu;
		return true;
	}
	if (h->code >= sizeof(codes) || codes[h->code] == NONE)
		return false;
	*h = (struct head){ .type = UNREACH6, .code = codes[h->code] };
	return true;
}

static bool param_to6(struct head *h)
{
	static const uint8_t pointers[] = { 0,	  1, 4,	 4,    NONE, NONE, NONE,
					    NONE, 7, 6,	 NONE, NONE, 8,	   8,
					    8,	  8, 24, 24,   24,   24 };

	if ((h->code != 0 && h->code != 2) || h->param >= sizeof(pointers) ||
	    pointers[h->param] == NONE)
		return false;
	*h = (struct head){ .type = PARAM6, .param = pointers[h->param] };
	return true;
}

/* RFC 7915 4.2. */
static bool head_to6(struct head *h, uint32_t quoted_len)
{
	switch (h->type) {
	case UNREACH4:
		return unreach_to6(h, quoted_len);
	case TIME4:
		*h = (struct head){ .type = TIME6, .code = h->code };
		return true;
	case PARAM4:
		return param_to6(h);
	default:
		return false; /* source quench, redirect */
	}
}

static bool param_to4(struct head *h)
{
	static const uint8_t low[] = { 0, 1, NONE, NONE, 2, 2, 9, 8 };
	uint8_t pointer;

	if (h->code == 1) {
		*h = (struct head){ .type = UNREACH4, .code = 2 };
		return true;
	}
	if (h->code != 0 || h->param >= IP6_HDR)
		return false;
	if (h->param < sizeof(low))
		pointer = low[h->param];
	else
		pointer = h->param < 24 ? 12 : 16;
	if (pointer == NONE)
		return false;
	*h = (struct head){ .type = PARAM4, .param = pointer };
	return true;
}

/* RFC 7915 5.2. cut: the quoted packet had a fragment header. */
static bool head_to4(struct head *h, bool cut)
{
	static const uint8_t codes[] = { 1, 10, 1, 1, 3 };
	uint32_t mtu = h->param;

	switch (h->type) {
	case UNREACH6:
		if (h->code >= sizeof(codes))
			return false;
		*h = (struct head){ .type = UNREACH4, .code = codes[h->code] };
		return true;
	case TOO_BIG6:
		*h = (struct head){ .type = UNREACH4, .code = 4 };
		mtu = (mtu > MTU6_MIN ? mtu : MTU6_MIN) - HDR_GROWS;
		mtu -= cut ? IP_FRAGMENT_HDR : 0;
		h->param = mtu > 65535 ? 65535 : mtu;
		return true;
	case TIME6:
		*h = (struct head){ .type = TIME4, .code = h->code };
		return true;
	case PARAM6:
		return param_to4(h);
	default:
		return false;
	}
}

/* IPv6 to IPv6: known types pass with their parameter, for the quoted
 * header keeps its form. */
static bool head_keep6(struct head *h)
{
	if (h->type < UNREACH6 || h->type > PARAM6)
		return false;
	if (h->type == UNREACH6 || h->type == TIME6)
		h->param = 0;
	if (h->type == TOO_BIG6 && h->param < MTU6_MIN)
		h->param = MTU6_MIN; /* RFC 8201 4 */
	return true;
}

static void head_put(uint8_t icmp[ICMP_HDR], bool v4, const struct head *h)
{
	memset(icmp, 0, ICMP_HDR);
	icmp[0] = h->type;
	icmp[1] = h->code;
	if (!v4)
		put_be32(icmp + 4, h->param);
	else if (h->type == UNREACH4)
		put_be16(icmp + 6, (uint16_t)h->param);
	else
		icmp[4] = (uint8_t)h->param;
}

/* Copies the quoted upper layer, at most room octets, translated by c.
 * Returns how many. */
static uint32_t quote_put(uint8_t *out, size_t room,
			  const struct icmperr_quote *q,
			  const struct translate_change *c)
{
	uint32_t n = q->have < room ? q->have : (uint32_t)room;

	memcpy(out, q->l4, n);
	translate_header(out, n, c);
	return n;
}

/* Is the checksum of the message right (RFC 5508 REQ-3a)? */
static bool checksum_ok(uint64_t pseudo, const uint8_t *icmp, size_t len)
{
	return csum_finish(csum_add(pseudo, icmp, len)) == 0;
}

static uint64_t quoted_pseudo(const struct icmperr_quote *q)
{
	if (q->v4 && q->proto == IP_PROTO_ICMP6)
		return 0;
	return csum_pseudo(&q->from, &q->to, q->proto, q->l4_len);
}

enum reason nat_error_to_hip(const struct nat_flow *f,
			     const struct nat_packet *p, uint8_t *out,
			     size_t cap, size_t *len)
{
	const struct nat_back *b = &f->back;
	bool v4 = p->ip.v4;
	struct icmperr_quote q;
	struct head h;
	uint64_t sum = 0;
	uint32_t n;
	struct addr self6 = addr_from6(b->self.b);
	struct addr peer6 = addr_from6(b->peer.b);
	struct translate_change c = {
		.proto = (uint8_t)b->proto,
		.echo_type = ECHO6_REPLY,
		.from_port = b->peer_port,
		.to_port = b->ext_port,
		.echo_id = b->ext_port,
	};

	if (!icmperr_read(p->ip.proto, p->ip.l4, p->ip.l4_len, &q) ||
	    q.proto != b->proto)
		return REASON_ICMP_ERROR;
	if (!v4)
		sum = csum_pseudo(&p->ip.from, &p->ip.to, p->ip.proto,
				  p->ip.l4_len);
	if (!checksum_ok(sum, p->ip.l4, p->ip.l4_len))
		return REASON_L4_CHECKSUM;
	h = head_get(v4, p->ip.l4);
	if (!(v4 ? head_to6(&h, q.l4_len + IP4_HDR) : head_keep6(&h)))
		return REASON_ICMP_ERROR;
	/* The message's own outer header, which ESP leaves out, counts. */
	if (cap > ERROR6_MAX - IP6_HDR)
		cap = ERROR6_MAX - IP6_HDR;
	if (cap < ICMP_HDR + IP6_HDR + 8)
		return REASON_TOO_BIG;
	head_put(out, false, &h);
	(void)ip_put_header(out + ICMP_HDR, &peer6, &self6, q.proto, q.l4_len,
			    q.ttl, q.tos);
	c.old_pseudo = quoted_pseudo(&q);
	c.new_pseudo = csum_pseudo_hit(&b->peer, &b->self, c.proto, q.l4_len);
	n = ICMP_HDR + IP6_HDR;
	n += quote_put(out + n, cap - n, &q, &c);
	sum = csum_pseudo_hit(&b->self, &b->peer, IP_PROTO_ICMP6, n);
	put_be16(out + 2, csum_finish(csum_add(sum, out, n)));
	*len = n;
	return REASON_NUM;
}

/* Writes the whole error for the client: header, message, quote. */
static size_t legacy_put(const struct nat_flow *f,
			 const struct icmperr_quote *q, const struct head *h,
			 uint8_t *out, size_t cap)
{
	const struct nat_key *k = &f->key;
	bool v4 = addr_is4(&k->client);
	bool echo = q->proto == IP_PROTO_ICMP6;
	uint8_t icmp_proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6;
	uint8_t quoted_proto = echo ? icmp_proto : q->proto;
	size_t hdr = v4 ? IP4_HDR : IP6_HDR;
	uint8_t *icmp = out + hdr;
	uint32_t n = ICMP_HDR + (uint32_t)hdr;
	uint64_t sum;
	struct translate_change c = {
		.proto = q->proto,
		.echo_type = v4 ? ECHO4_REQUEST : ECHO6_REQUEST,
		.from_port = k->client_port,
		.to_port = k->virt_port,
		.echo_id = k->client_port,
		.old_pseudo = quoted_pseudo(q),
	};

	if (!(v4 && echo))
		c.new_pseudo =
			csum_pseudo(&k->client, &k->virt, q->proto, q->l4_len);
	head_put(icmp, v4, h);
	if (!ip_put_header(icmp + ICMP_HDR, &k->client, &k->virt, quoted_proto,
			   q->l4_len, q->ttl, q->tos))
		return 0;
	n += quote_put(icmp + n, cap - hdr - n, q, &c);
	sum = v4 ? 0 : csum_pseudo(&k->virt, &k->client, icmp_proto, n);
	put_be16(icmp + 2, csum_finish(csum_add(sum, icmp, n)));
	(void)ip_put_header(out, &k->virt, &k->client, icmp_proto, n, ERROR_TTL,
			    0);
	return hdr + n;
}

enum reason nat_error_to_legacy(const struct nat_flow *f, const uint8_t *l4,
				size_t len, uint8_t *out, size_t cap,
				size_t *out_len)
{
	const struct nat_back *b = &f->back;
	bool v4 = addr_is4(&f->key.client);
	size_t hdr = v4 ? IP4_HDR : IP6_HDR;
	struct icmperr_quote q;
	struct head h;
	size_t n;

	if (len > 65535 ||
	    !icmperr_read(IP_PROTO_ICMP6, l4, (uint32_t)len, &q) ||
	    q.proto != b->proto)
		return REASON_ICMP_ERROR;
	if (!checksum_ok(csum_pseudo_hit(&b->peer, &b->self, IP_PROTO_ICMP6,
					 (uint32_t)len),
			 l4, len))
		return REASON_L4_CHECKSUM;
	h = head_get(false, l4);
	if (!(v4 ? head_to4(&h, q.cut) : head_keep6(&h)))
		return REASON_ICMP_ERROR;
	if (cap > (v4 ? ERROR4_MAX : ERROR6_MAX))
		cap = v4 ? ERROR4_MAX : ERROR6_MAX;
	if (cap < hdr + ICMP_HDR + hdr + 8)
		return REASON_TOO_BIG;
	n = legacy_put(f, &q, &h, out, cap);
	if (n == 0)
		return REASON_ICMP_ERROR;
	*out_len = n;
	return REASON_NUM;
}
