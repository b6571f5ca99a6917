/* SPDX-License-Identifier: MIT */
/* What came out of ESP: to a client, to the host's own stack, to nobody.
 *
 * THEORY OF OPERATION
 * Runs on worker k's thread only, for inbound.c, which has opened the packet
 * and looks flows up for many at once. A packet is looked at twice: what it
 * is to a proxy and by what key, then, with its flow, what becomes of it.
 * Path probes are taken out here. Fragments wait until their packet is whole
 * (nat_gather), which then has a look-up of its own. What is for a TUN is
 * given to the joiner, or written at once where that cannot be.
 */
#include "deliver.h"

#include <string.h>

#include "core/wire.h"
#include "tapwork.h"

/* The first packet back on a flow is the patent's J, its delivery K: tell
 * control for the trace, once. */
static void first_return(struct worker *w, struct flow *f)
{
	struct msg *m;

	if (atomic_load_explicit(&f->answered, memory_order_relaxed) ||
	    atomic_exchange(&f->answered, true))
		return;
	m = inbox_msg(MSG_FIRST, NULL, 0, w->now);
	if (m) {
		m->key = f->nat.key;
		m->back = f->nat.back;
	}
	worker_punt(w, m);
}

/* To the joiner; f, sa: whose it is, for a capture. */
static void to_tun(struct worker *w, const struct flow *f, const struct sa *sa,
		   const uint8_t *hdr, size_t hdr_len,
		   const struct esp_plain *plain)
{
	uint8_t proto = hdr_len == IP4_HDR ? hdr[9] : hdr[6];

	if (w->ring)
		tapwork_flow(tapwork_tun(w, TAP_TUN_OUT, hdr, hdr_len,
					 plain->data, plain->len),
			     f, sa, false);
	tun_join(w->joiner, hdr, hdr_len, proto, plain->data, plain->len);
}

static enum reason error_to_client(struct worker *w, struct flow *f,
				   const struct esp_plain *plain)
{
	enum reason why = REASON_ICMP_ERROR;
	size_t len = 0;

	if (f)
		why = nat_error_to_legacy(&f->nat, plain->data, plain->len,
					  w->scratch, 2048, &len);
	if (why == REASON_NUM && worker_tun_write(w, w->scratch, len))
		why = REASON_TUN_FAILED;
	return why;
}

/* To an IPv6 client in fragments no larger than it came in. Each header is
 * written over the end of the piece before, which is on its way. */
static enum reason write_fragments(struct worker *w, const uint8_t hdr[IP6_HDR],
				   const struct nat_whole *whole)
{
	enum reason why = REASON_NUM;
	struct nat_cut cut;
	uint8_t fragment[IP_FRAGMENT_HDR];
	uint32_t at;
	uint32_t len;

	nat_cut_begin(&cut, hdr[6], whole->l4_len,
		      whole->fragment + IP_FRAGMENT_HDR, whole->id);
	while (nat_cut_next(&cut, fragment, &at, &len)) {
		uint8_t *pkt = whole->l4 + at - NAT_WHOLE_ROOM;

		memcpy(pkt, hdr, IP6_HDR);
		put_be16(pkt + 4, (uint16_t)(IP_FRAGMENT_HDR + len));
		pkt[6] = IP_PROTO_FRAGMENT;
		memcpy(pkt + IP6_HDR, fragment, IP_FRAGMENT_HDR);
		if (worker_tun_write(w, pkt, NAT_WHOLE_ROOM + len))
			why = REASON_TUN_FAILED;
	}
	return why;
}

/* Proxy role: NO_FLOW when no legacy host asked for this. whole: the packet
 * came in fragments, plain borrows it; else NULL. */
static enum reason to_client(struct worker *w, struct flow *f,
			     const struct nat_arrival *in,
			     const struct esp_plain *plain,
			     const struct nat_whole *whole)
{
	uint8_t hdr[IP6_HDR];
	size_t hdr_len;
	enum reason why;

	if (!f)
		return REASON_NO_FLOW;
	why = nat_to_legacy(&f->nat, plain->data, plain->len, in, hdr,
			    &hdr_len);
	if (why != REASON_NUM)
		return why;
	first_return(w, f);
	if (whole && hdr_len == IP6_HDR)
		return write_fragments(w, hdr, whole);
	to_tun(w, f, NULL, hdr, hdr_len, plain);
	return REASON_NUM;
}

/* What the host's own stack takes; it puts fragments together itself. */
static bool host_takes(uint8_t next_header)
{
	return next_header == IP_PROTO_TCP || next_header == IP_PROTO_UDP ||
	       next_header == IP_PROTO_ICMP6 ||
	       next_header == IP_PROTO_FRAGMENT ||
	       next_header == IP_PROTO_DEST_OPTS;
}

/* Host role: the HITs are the addresses (RFC 7402 appendix B). */
static enum reason to_host(struct worker *w, const struct sa *sa,
			   const struct nat_arrival *in,
			   const struct esp_plain *plain)
{
	uint8_t hdr[IP6_HDR];
	struct addr from;
	struct addr to;
	size_t hdr_len;

	if (!host_takes(plain->next_header))
		return REASON_IP_PROTO;
	memcpy(from.b, sa->peer.b, sizeof(from.b));
	memcpy(to.b, sa->self.b, sizeof(to.b));
	hdr_len = ip_put_header(hdr, &from, &to, plain->next_header,
				(uint32_t)plain->len, in->ttl ? in->ttl : 64,
				in->tos);
	to_tun(w, NULL, sa, hdr, hdr_len, plain);
	return REASON_NUM;
}

/* A peer's path probe is answered, an answer to ours goes to control: one
 * for each probe, whatever a peer sends. */
static bool take_probe(struct worker *w, struct sa *sa,
		       const struct esp_plain *plain)
{
	uint64_t token;
	struct msg *m;

	switch (esp_probe_get(plain->next_header, plain->data, plain->len,
			      &token)) {
	case ESP_PROBE_NONE:
		return false;
	case ESP_PROBE_ASKS:
		outbound_answer(w, sa, token);
		return true;
	case ESP_PROBE_ANSWERS:
		break;
	}
	if (!atomic_load_explicit(&sa->probed, memory_order_relaxed)) {
		worker_drop(w, REASON_PROBE_STRAY);
		return true;
	}
	(void)atomic_fetch_sub(&sa->probed, 1);
	m = inbox_msg(MSG_PROBE, plain->data, ESP_PROBE_MIN, w->now);
	if (m) {
		m->back.self = sa->self;
		m->back.peer = sa->peer;
	}
	worker_punt(w, m);
	return true;
}

/* What a whole packet is for a client: whose flow's, or about whose. */
static enum reason whole_to_client(struct worker *w, const struct sa *sa,
				   const struct nat_arrival *in,
				   const struct esp_plain *plain,
				   const struct nat_whole *whole)
{
	struct nat_back key;
	bool error = false;
	enum reason why =
		nat_back_key(plain->next_header, plain->data, plain->len,
			     &sa->self, &sa->peer, &key, &error);
	struct flow *f;

	if (why != REASON_NUM)
		return why;
	f = tables_flow_back(&w->plane->tables, &key);
	return error ? error_to_client(w, f, plain)
		     : to_client(w, f, in, plain, whole);
}

/* Both roles, or the proxy alone: whose it is stands in the first fragment,
 * so the packet is made whole for either. */
static enum reason fragment(struct worker *w, struct sa *sa,
			    struct nat_arrival *in, struct esp_plain *plain)
{
	struct nat_back pair = { .self = sa->self, .peer = sa->peer };
	struct nat_whole whole;
	enum reason why = nat_gather_esp(w->gather, &pair, in, plain->data,
					 plain->len, &whole);

	if (why != REASON_NUM || !whole.l4)
		return why;
	inbound_flush(w); /* what is before it in its flow */
	in->fragment = whole.fragment;
	in->id = (uint16_t)whole.id; /* RFC 7915 5.1.1 */
	in->tos = whole.tos;
	in->ttl = whole.ttl;
	plain->next_header = whole.proto;
	plain->data = whole.l4;
	plain->len = whole.l4_len;
	why = nat_unwrap(&plain->next_header, &plain->data, &plain->len);
	whole.l4 = plain->data;
	whole.l4_len = (uint32_t)plain->len;
	if (why == REASON_NUM && take_probe(w, sa, plain))
		return REASON_NUM;
	if (why == REASON_NUM)
		why = whole_to_client(w, sa, in, plain, &whole);
	if (w->plane->host &&
	    (why == REASON_NO_FLOW || why == REASON_ICMP_ERROR))
		why = to_host(w, sa, in, plain);
	inbound_flush(w); /* it borrows the gather's buffer */
	return why;
}

void deliver_look(const struct worker *w, struct arriving *a)
{
	a->inner = a->plain;
	a->error = false;
	a->sought = false;
	a->seen = REASON_NO_FLOW;
	if (a->opened != REASON_NUM || !w->plane->proxy)
		return;
	a->seen = nat_unwrap(&a->inner.next_header, &a->inner.data,
			     &a->inner.len);
	if (a->seen != REASON_NUM || a->inner.next_header == IP_PROTO_FRAGMENT)
		return;
	a->seen =
		nat_back_key(a->inner.next_header, a->inner.data, a->inner.len,
			     &a->sa->self, &a->sa->peer, &a->back, &a->error);
	a->sought = a->seen == REASON_NUM;
}

void deliver_packet(struct worker *w, struct arriving *a)
{
	struct sa *sa = a->sa;
	struct nat_arrival in = {
		.now = w->now,
		.mss = atomic_load_explicit(&sa->path, memory_order_acquire)
			       ->size.mss,
		.id = (uint16_t)a->plain.seq,
		.tos = w->outer.tos,
		.ttl = w->outer.ttl,
	};
	enum reason why = a->seen;

	if (a->plain.next_header == IP_PROTO_NONE)
		return; /* RFC 4303 2.6: dummy packets vanish */
	if (take_probe(w, sa, &a->plain))
		return;
	if (why == REASON_NUM && a->inner.next_header == IP_PROTO_FRAGMENT)
		why = fragment(w, sa, &in, &a->inner);
	else if (why == REASON_NUM && a->error)
		why = error_to_client(w, a->flow, &a->inner);
	else if (why == REASON_NUM)
		why = to_client(w, a->flow, &in, &a->inner, NULL);
	if (w->plane->host && !in.fragment &&
	    (why == REASON_NO_FLOW || why == REASON_ICMP_ERROR))
		why = to_host(w, sa, &in, &a->plain);
	if (why != REASON_NUM)
		worker_drop(w, why);
}
