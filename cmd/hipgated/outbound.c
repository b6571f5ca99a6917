/* SPDX-License-Identifier: MIT */
/* TUN -> NAT -> ESP -> UDP, on one worker (design.md section 4).
 *
 * THEORY OF OPERATION
 * Runs on worker k's thread only. Packets are read in rows, whose flows and
 * SAs are looked up together (seek.h). Then one leaves after the other, in
 * the order in which they came. One header rewrite serves a
 * whole super-packet, which is then cut into pieces, each sealed straight
 * into the send batch. Sequence numbers are taken for all pieces at once. The
 * batch (batch.h) goes out when the next packet does not fit it and at the
 * end of each wake-up. DNS answers that are recalled are joined, those of one
 * length to one socket to a super-packet, and leave when their row has been
 * looked through. An SA that rests (tables_rest_sa) is woken by control.
 * Fragments wait until their packet is whole; it leaves in fragments of
 * ours, each in an ESP packet, when it is larger than one carries.
 */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "seek.h"
#include "tapwork.h"

/* ICMPv6 types (RFC 4443). */
enum { ICMP_UNREACHABLE = 1, ICMP_TOO_BIG = 2 };

/* A packet of a row, and what is found for it. again: the same as for the
 * one before it. */
struct departing {
	uint8_t *pkt;
	size_t len;
	struct ip_offload off;
	enum nat_class class;
	struct nat_packet p;
	struct tables_pair pair; /* the HITs it goes between */
	struct seek seek;	 /* a flow, then an SA */
	bool sought, again;
	struct flow *flow;
	struct sa *sa;
};

/* ---- sealing ------------------------------------------------------------ */

static uint32_t pieces_of(const struct tun_cutter *c)
{
	uint32_t payload = c->l4_len - c->hdr_len;

	if (!c->step || payload <= c->step)
		return 1;
	return (payload + c->step - 1) / c->step;
}

static void seal_piece(struct worker *w, struct sa *sa, uint64_t seq,
		       uint8_t proto, const struct tun_piece *p)
{
	size_t wire = esp_wire_len(sa_suite_find(sa->suite),
				   p->head_len + p->body_len);
	uint8_t *out = batch_room(w, seq, wire);
	enum reason why = out ? REASON_PATH_CREDIT : REASON_TOO_BIG;

	if (out && path_spend(w->path, wire))
		why = esp_seal(w->seal, seq, proto, p->head, p->head_len,
			       p->body, p->body_len, out, wire, &wire);
	if (why != REASON_NUM) {
		worker_drop(w, why);
		return;
	}
	batch_commit(w, wire);
	worker_add(&sa->out_packets, 1);
	worker_add(&sa->out_bytes, p->head_len + p->body_len);
}

/* What no ESP packet can carry whole, in IPv6 fragments: inner ones, each
 * with an ICV of its own, which no middlebox sees (RFC 8900 3). The first
 * takes all of the piece's head. A fragment of the host's own stack is cut
 * on: its pieces stand where it stood. */
static void seal_fragments(struct worker *w, struct sa *sa, uint8_t proto,
			   const struct tun_piece *p)
{
	uint32_t head_len = (uint32_t)p->head_len;
	uint8_t head[IP_FRAGMENT_HDR + TCP_HDR_MAX];
	uint64_t seq = atomic_fetch_add_explicit(&sa->next_seq, 1,
						 memory_order_relaxed);
	struct ip_fragment of = { .id = (uint32_t)seq ^ sa->spi_out };
	const uint8_t *body = p->body;
	uint32_t body_len = (uint32_t)p->body_len;
	struct nat_cut cut;
	uint32_t at;
	uint32_t len;

	if (proto == IP_PROTO_FRAGMENT) {
		if (ip_get_fragment((uint8_t *)body, body_len, &of) !=
		    REASON_NUM)
			return; /* classified: it has its header */
		proto = of.ip.proto;
		body += IP_FRAGMENT_HDR;
		body_len -= IP_FRAGMENT_HDR;
	}
	worker_add(&w->cut, 1);
	nat_cut_begin(&cut, proto, head_len + body_len, w->path->size.l4_most,
		      of.id);
	while (nat_cut_next(&cut, head, &at, &len)) {
		struct tun_piece f = { .head = head,
				       .head_len = IP_FRAGMENT_HDR };

		if (at)
			seq = atomic_fetch_add_explicit(&sa->next_seq, 1,
							memory_order_relaxed);
		ip_put_fragment(head, proto, of.offset + at,
				of.more || at + len < cut.len, of.id);
		if (at == 0 && head_len) {
			memcpy(head + IP_FRAGMENT_HDR, p->head, head_len);
			f.head_len += head_len;
		}
		f.body = body + (at ? at - head_len : 0);
		f.body_len = at ? len : len - head_len;
		seal_piece(w, sa, seq, IP_PROTO_FRAGMENT, &f);
	}
}

/* An upper-layer packet, its header already the HIP side's. */
static void seal_packet(struct worker *w, struct sa *sa, uint8_t proto,
			uint8_t *l4, uint32_t len, const struct ip_offload *off)
{
	struct tun_cutter cut;
	struct tun_piece piece;
	enum reason why =
		tun_cut(&cut, proto, l4, len, off, sa->pseudo_out + proto);
	uint64_t seq;

	if (why != REASON_NUM) {
		worker_drop(w, why);
		return;
	}
	seq = atomic_fetch_add_explicit(&sa->next_seq, pieces_of(&cut),
					memory_order_relaxed);
	for (; tun_cut_next(&cut, &piece); seq++) {
		if (piece.head_len + piece.body_len > w->path->size.l4_most)
			seal_fragments(w, sa, proto, &piece);
		else
			seal_piece(w, sa, seq, proto, &piece);
	}
}

/* ---- what becomes of a packet ------------------------------------------- */

/* An ICMPv6 error, or what it is for IPv4, as from where it went. */
static void reply_error(struct worker *w, const struct nat_packet *p,
			const uint8_t *pkt, size_t len, uint8_t type,
			uint32_t mtu)
{
	uint8_t code = type == ICMP_UNREACHABLE ? 3 : 0; /* address */
	size_t n;

	if (w->now - w->icmp_epoch > 1000000000) {
		w->icmp_epoch = w->now;
		w->icmp_left = WORKER_ICMP_BURST;
	}
	if (!w->icmp_left)
		return;
	w->icmp_left--;
	n = ip_build_icmp_error(w->scratch, 2048, &p->ip.to, pkt, len, type,
				code, mtu);
	if (n && worker_tun_write(w, w->scratch, n))
		worker_drop(w, REASON_TUN_FAILED);
}

static void punt(struct worker *w, enum msg_kind kind, const uint8_t *pkt,
		 size_t len, const struct ip_offload *off)
{
	struct msg *m = inbox_msg(kind, pkt, len, w->now);

	if (m)
		m->off = *off;
	w->passed = true;
	if (w->lone)
		handoff_here(&w->plane->handoff);
	worker_punt(w, m);
}

/* No flow or no SA yet, or it rests: control decides, unless it just did. */
static void undecided(struct worker *w, const struct departing *d, bool decided)
{
	if (decided)
		worker_drop(w, REASON_NO_SA);
	else
		punt(w, MSG_TUN, d->pkt, d->len, &d->off);
}

/* Takes the way that packets of sa go now, and what they are sealed with.
 * False: it rests. */
static bool take_sa(struct worker *w, const struct sa *sa)
{
	const struct sa_contexts *c = atomic_load_explicit(
		&((struct sa *)sa)->contexts, memory_order_acquire);

	if (!c)
		return false;
	w->sa = sa;
	w->seal = c->seal[w->k];
	w->path = atomic_load_explicit(&((struct sa *)sa)->path,
				       memory_order_acquire);
	return true;
}

/* False: too large for its way, and its sender has been told. */
static bool fits(struct worker *w, const struct departing *d)
{
	uint32_t most = w->path->size.l4_most;

	/* The size of a fragment tells nothing of what its sender would cut. */
	if (d->p.ip.proto == IP_PROTO_FRAGMENT ||
	    nat_fit(&d->p.ip, &d->off, most) != NAT_TOO_BIG)
		return true;
	worker_drop(w, REASON_TOO_BIG);
	reply_error(w, &d->p, d->pkt, d->len, ICMP_TOO_BIG,
		    nat_fit_mtu(&d->p.ip, most));
	return false;
}

/* May it go now? Else control keeps it, and it is as if it came later. */
static bool may_go(struct worker *w, const struct departing *d)
{
	if (path_open(w->path, path_wire_most(d->len, d->off.gso_size)))
		return true;
	punt(w, MSG_TUN, d->pkt, d->len, &d->off);
	return false;
}

static void data_packet(struct worker *w, struct departing *d, bool decided)
{
	struct flow *f = d->flow;
	enum reason why;

	if (!f && !tables_mapping(&w->plane->tables, &d->p.key.virt)) {
		worker_drop(w, REASON_NO_MAPPING);
		reply_error(w, &d->p, d->pkt, d->len, ICMP_UNREACHABLE, 0);
		return;
	}
	if (!d->sa || !take_sa(w, d->sa)) {
		undecided(w, d, decided);
		return;
	}
	if (!fits(w, d) || !may_go(w, d))
		return;
	why = nat_to_hip(&f->nat, &d->p, &d->off, w->path->size.mss, w->now);
	if (why != REASON_NUM) {
		worker_drop(w, why);
		return;
	}
	seal_packet(w, d->sa, (uint8_t)f->nat.back.proto, d->p.ip.l4,
		    d->p.ip.l4_len, &d->off);
}

/* About a packet of the peer's, so the SA does not rest. */
static void error_packet(struct worker *w, const struct departing *d)
{
	static const struct ip_offload none;
	enum reason why = REASON_ICMP_ERROR;
	size_t len = 0;

	if (d->sa && take_sa(w, d->sa))
		why = nat_error_to_hip(&d->flow->nat, &d->p, w->scratch, 2048,
				       &len);
	if (why != REASON_NUM) {
		worker_drop(w, why);
		return;
	}
	seal_packet(w, d->sa, IP_PROTO_ICMP6, w->scratch, (uint32_t)len, &none);
}

/* Between our own HIT and a peer's: the host role. */
static void hit_packet(struct worker *w, struct departing *d, bool decided)
{
	if (!w->plane->host)
		worker_drop(w, REASON_IP_BAD_ADDR);
	else if (!d->sa || !take_sa(w, d->sa))
		undecided(w, d, decided);
	else if (fits(w, d) && may_go(w, d))
		seal_packet(w, d->sa, d->p.ip.proto, d->p.ip.l4, d->p.ip.l4_len,
			    &d->off);
}

/* A question whose answer is known here. Else, or with a checksum that is
 * wrong, it is control's. */
static bool recalled(struct worker *w, const struct departing *d)
{
	const struct ip_view *ip = &d->p.ip;
	struct recall_question q = { .server.addr = ip->to };
	struct endpoint client = { .addr = ip->from };
	uint8_t answer[RECALL_ANSWER];
	uint8_t *out = w->answers + w->answers_num * WORKER_ANSWER;
	size_t hdr = addr_is4(&ip->from) ? IP4_HDR : IP6_HDR;
	size_t n;

	if (!w->plane->recall || ip->proto != IP_PROTO_UDP ||
	    ip->l4_len < UDP_HDR || d->off.gso_size ||
	    !ip_checksum_ok(ip, &d->off))
		return false;
	client.port = get_be16(ip->l4);
	q.server.port = get_be16(ip->l4 + 2);
	q.msg = ip->l4 + UDP_HDR;
	q.len = ip->l4_len - UDP_HDR;
	n = recall_get(w->plane->recall, &q, answer);
	if (n)
		n = ip_build_udp(out, WORKER_ANSWER, &q.server, &client, answer,
				 n);
	if (!n)
		return false;
	if (w->ring) { /* a capture shows each by itself */
		if (worker_tun_write(w, out, n))
			worker_drop(w, REASON_TUN_FAILED);
	} else {
		tun_join(w->joiner, out, hdr, IP_PROTO_UDP, out + hdr, n - hdr);
		w->answers_num++;
	}
	worker_add(&w->recalled, 1);
	return true;
}

static void fragment(struct worker *w, const struct departing *d)
{
	struct ip_offload off = { .gso_size = 0 };
	struct nat_whole whole;
	enum reason why =
		nat_gather_ip(w->gather, d->pkt, d->len, w->now, &whole);

	if (why != REASON_NUM)
		worker_drop(w, why);
	if (!whole.l4)
		return;
	off.fragment = whole.fragment;
	outbound_packet(w, whole.pkt, whole.len, &off, false);
}

static void depart(struct worker *w, struct departing *d, bool decided)
{
	/* RFC 7402 B.1.5: the outer header has the fields of the inner. */
	w->outer = (struct sockets_outer){ .tos = d->p.ip.tos,
					   .ttl = d->p.ip.ttl };
	switch (d->class) {
	case NAT_DATA:
		data_packet(w, d, decided);
		return;
	case NAT_ERROR:
		error_packet(w, d);
		return;
	case NAT_DNS:
		if (recalled(w, d))
			return;
		punt(w, MSG_DNS, d->pkt, d->len, &d->off);
		return;
	case NAT_HIT:
		hit_packet(w, d, decided);
		return;
	case NAT_FRAGMENT:
		fragment(w, d);
		return;
	case NAT_DROP:
	case NAT_CLASS_NUM:
		worker_drop(w, d->p.reason);
		return;
	}
}

/* The same while a capture runs. */
static void depart_shown(struct worker *w, struct departing *d)
{
	struct tap_record *rec =
		tapwork_tun(w, TAP_TUN_IN, d->pkt, d->len, NULL, 0);

	w->why = REASON_NUM;
	w->passed = false;
	w->tapping = true; /* what is made of it was not read */
	depart(w, d, false);
	w->tapping = false;
	tapwork_flow(rec, d->flow, d->sa, true);
	tapwork_fate(w, rec);
}

/* ---- looking up ---------------------------------------------------------- */

/* What it is, and the look-up of its flow begins. before: in the row, or
 * NULL. */
static void look_at(struct worker *w, struct departing *d,
		    const struct departing *before)
{
	d->class = steer_classify(&w->plane->steer, d->pkt, d->len, &d->p);
	d->sought = d->class == NAT_DATA || d->class == NAT_ERROR;
	d->again = d->sought && before && before->sought &&
		   memcmp(&d->p.key, &before->p.key, sizeof(d->p.key)) == 0;
	if (d->sought && !d->again)
		d->seek = seek_flow(&w->plane->tables, &d->p.key);
}

static bool is_new(const struct departing *d)
{
	return d->sought && !d->again;
}

/* The look-up of its flow ends, that of its SA begins. */
static void look_on(struct worker *w, struct departing *d,
		    const struct departing *before)
{
	d->flow = NULL;
	if (d->again)
		d->flow = before->flow;
	else if (d->sought)
		d->flow = seek_get_flow(&d->seek, &d->p.key);
	d->sought = d->flow || d->class == NAT_HIT;
	if (d->flow) {
		d->pair.self = d->flow->nat.back.self;
		d->pair.peer = d->flow->nat.back.peer;
	} else if (d->sought) {
		memcpy(d->pair.self.b, d->p.ip.from.b, sizeof(struct hit));
		memcpy(d->pair.peer.b, d->p.ip.to.b, sizeof(struct hit));
	}
	d->again = d->sought && before && before->sought &&
		   memcmp(&d->pair, &before->pair, sizeof(d->pair)) == 0;
	if (d->sought && !d->again)
		d->seek = seek_out(&w->plane->tables, &d->pair);
}

static void look_last(struct departing *d, const struct departing *before)
{
	d->sa = NULL;
	if (d->again)
		d->sa = before->sa;
	else if (d->sought)
		d->sa = seek_get_out(&d->seek, &d->pair);
}

/* A row that has been looked at goes its way. */
static void depart_all(struct worker *w, struct departing *d, unsigned num,
		       bool decided)
{
	for (unsigned i = 0; i < num; i++)
		if (is_new(&d[i]))
			seek_line(&d[i].seek);
	for (unsigned i = 0; i < num; i++)
		if (is_new(&d[i]))
			seek_near_flow(&d[i].seek);
	for (unsigned i = 0; i < num; i++)
		look_on(w, &d[i], i ? &d[i - 1] : NULL);
	for (unsigned i = 0; i < num; i++)
		if (is_new(&d[i]))
			seek_line(&d[i].seek);
	for (unsigned i = 0; i < num; i++)
		if (is_new(&d[i]))
			seek_near_sa(&d[i].seek);
	for (unsigned i = 0; i < num; i++)
		look_last(&d[i], i ? &d[i - 1] : NULL);
	if (w->ring && !w->tapping && !decided) {
		for (unsigned i = 0; i < num; i++)
			depart_shown(w, &d[i]);
	} else {
		for (unsigned i = 0; i < num; i++)
			depart(w, &d[i], decided);
	}
	if (w->answers_num)
		inbound_flush(w);
	w->answers_num = 0;
}

void outbound_packet(struct worker *w, uint8_t *pkt, size_t len,
		     const struct ip_offload *off, bool decided)
{
	struct departing d = { .pkt = pkt, .len = len, .off = *off };

	look_at(w, &d, NULL);
	depart_all(w, &d, 1, decided);
}

/* ---- path probes --------------------------------------------------------- */

/* One upper-layer packet, in a datagram of its own. An error tells no more
 * than a lost probe does. */
static void send_alone(struct worker *w, struct sa *sa, bool df,
		       const uint8_t *l4, size_t len)
{
	struct batch *b = &w->batch;
	struct tun_piece piece = { .head = l4, .body = l4, .head_len = len };
	uint64_t seq;

	batch_flush(w);
	if (!take_sa(w, sa)) {
		worker_drop(w, REASON_NO_SA);
		return;
	}
	seq = atomic_fetch_add_explicit(&sa->next_seq, 1, memory_order_relaxed);
	w->outer = (struct sockets_outer){ 0 };
	seal_piece(w, sa, seq, IP_PROTO_ICMP6, &piece);
	b->df = df || b->df;
	b->probe = true;
	batch_flush(w);
}

void outbound_probe(struct worker *w, const struct msg *m)
{
	struct sa *sa =
		tables_sa_out(&w->plane->tables, &m->back.self, &m->back.peer);

	if (sa)
		send_alone(w, sa, true, m->data, m->len);
}

/* The outer header is that of the packet that is being looked at. */
void outbound_answer(struct worker *w, const struct sa *sa, uint64_t token)
{
	struct sa *out = tables_sa_out(&w->plane->tables, &sa->self, &sa->peer);
	struct sockets_outer outer = w->outer;
	uint8_t l4[ESP_PROBE_MIN];

	if (!out) {
		worker_drop(w, REASON_NO_SA);
		return;
	}
	esp_probe_put(l4, sizeof(l4), &sa->self, &sa->peer, true, token);
	send_alone(w, out, false, l4, sizeof(l4));
	w->outer = outer;
}

/* ---- reading -------------------------------------------------------------- */

/* Reads a row: a long packet ends it, since it has so much to do that it
 * needs no company, and so does the budget. How many there are. */
static unsigned row_read(struct worker *w, struct departing *d,
			 unsigned *budget)
{
	unsigned num = 0;
	size_t at = 0;

	w->lone = false;
	while (num < WORKER_ROW && *budget) {
		struct departing *one = &d[num];
		int err = tun_read(w->plane->tun_fd[w->k], w->tun_buf + at,
				   TUN_VNET_HDR + TUN_PACKET_MAX, &one->pkt,
				   &one->len, &one->off);

		--*budget;
		if (err == HG_EFORMAT) {
			worker_drop(w, REASON_VNET_HDR);
			continue;
		}
		if (err) {
			w->lone = num == 1;
			*budget = 0;
			break;
		}
		worker_add(&w->tun_reads, 1);
		look_at(w, one, num ? one - 1 : NULL);
		num++;
		if (one->len > WORKER_TUN_SHORT)
			break;
		at += WORKER_TUN_STEP(one->len);
	}
	return num;
}

void outbound_readable(struct worker *w)
{
	struct departing row[WORKER_ROW];
	unsigned budget = WORKER_TUN_BUDGET;

	while (budget)
		depart_all(w, row, row_read(w, row, &budget), false);
	w->lone = false;
	nat_gather_expire(w->gather, w->now);
	batch_flush(w);
}
