/* SPDX-License-Identifier: MIT */
/* UDP -> ESP -> NAT -> TUN, on one worker (design.md section 4).
 *
 * THEORY OF OPERATION
 * Runs on worker k's thread only. A receive batch holds datagrams that the
 * kernel's GRO may have merged; each is taken apart again. First word 0 is
 * HIP and goes to control; an SPI owned by another worker is copied to it
 * (steering is placement, ownership is checked here); our own is opened in
 * place, translated and given to the joiner, which borrows the receive
 * buffers until it is flushed at the end of the batch.
 */
#include "worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"

enum { CONTROL_SPACE = 128 };

struct receive {
	struct mmsghdr mh[WORKER_UDP_BATCH];
	struct iovec iov[WORKER_UDP_BATCH];
	struct sockaddr_storage from[WORKER_UDP_BATCH];
	uint8_t control[WORKER_UDP_BATCH][CONTROL_SPACE];
	uint8_t *buf; /* WORKER_UDP_BATCH * WORKER_UDP_BUF */
};

int inbound_init(struct worker *w)
{
	struct receive *r = calloc(1, sizeof(*r));

	if (!r)
		return HG_ENOMEM;
	w->receive = r;
	r->buf = malloc((size_t)WORKER_UDP_BATCH * WORKER_UDP_BUF);
	return r->buf ? HG_OK : HG_ENOMEM;
}

void inbound_fini(struct worker *w)
{
	if (w->receive)
		free(w->receive->buf);
	free(w->receive);
	w->receive = NULL;
}

void inbound_flush(struct worker *w)
{
	struct tun_joined done;

	if (!w->joiner)
		return;
	tun_join_flush(w->joiner, &done);
	worker_add(&w->tun_writes, done.writes);
	while (done.failed--)
		worker_drop(w, REASON_TUN_FAILED);
	for (unsigned kind = 0; kind < TUN_JOIN_NUM; kind++) {
		if (done.taken[kind])
			offload_took(&w->join[kind]);
		while (done.refused[kind]--)
			offload_refused(&w->join[kind], w->now);
	}
	tun_join_use(w->joiner, offload_on(&w->join[TUN_JOIN_TCP], w->now),
		     offload_on(&w->join[TUN_JOIN_UDP], w->now));
}

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

static enum reason error_to_client(struct worker *w, const struct nat_back *key,
				   const struct esp_plain *plain)
{
	struct flow *f = recent_back(&w->recent, &w->plane->tables, key);
	enum reason why = REASON_ICMP_ERROR;
	size_t len = 0;

	if (f)
		why = nat_error_to_legacy(&f->nat, plain->data, plain->len,
					  w->scratch, 2048, &len);
	if (why == REASON_NUM &&
	    tun_write(w->plane->tun_fd[w->k], w->scratch, len))
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
		if (tun_write(w->plane->tun_fd[w->k], pkt,
			      NAT_WHOLE_ROOM + len))
			why = REASON_TUN_FAILED;
	}
	return why;
}

/* Proxy role: NO_FLOW when no legacy host asked for this. whole: the packet
 * came in fragments, plain borrows it; else NULL. */
static enum reason to_client(struct worker *w, const struct sa *sa,
			     const struct nat_arrival *in,
			     const struct esp_plain *plain,
			     const struct nat_whole *whole)
{
	uint8_t hdr[IP6_HDR];
	size_t hdr_len;
	struct nat_back key;
	struct flow *f;
	bool error = false;
	enum reason why =
		nat_back_key(plain->next_header, plain->data, plain->len,
			     &sa->self, &sa->peer, &key, &error);

	if (why != REASON_NUM)
		return why;
	if (error)
		return error_to_client(w, &key, plain);
	f = recent_back(&w->recent, &w->plane->tables, &key);
	if (!f)
		return REASON_NO_FLOW;
	why = nat_to_legacy(&f->nat, plain->data, plain->len, in, hdr,
			    &hdr_len);
	if (why != REASON_NUM)
		return why;
	first_return(w, f);
	if (whole && hdr_len == IP6_HDR)
		return write_fragments(w, hdr, whole);
	tun_join(w->joiner, hdr, hdr_len, hdr_len == IP4_HDR ? hdr[9] : hdr[6],
		 plain->data, plain->len);
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
	tun_join(w->joiner, hdr, hdr_len, plain->next_header, plain->data,
		 plain->len);
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
	if (!atomic_exchange_explicit(&sa->probed, false,
				      memory_order_relaxed)) {
		worker_drop(w, REASON_PROBE_STRAY);
		return true;
	}
	m = inbox_msg(MSG_PROBE, plain->data, ESP_PROBE_MIN, w->now);
	if (m) {
		m->back.self = sa->self;
		m->back.peer = sa->peer;
	}
	worker_punt(w, m);
	return true;
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
		why = to_client(w, sa, in, plain, &whole);
	if (w->plane->host &&
	    (why == REASON_NO_FLOW || why == REASON_ICMP_ERROR))
		why = to_host(w, sa, in, plain);
	inbound_flush(w); /* it borrows the gather's buffer */
	return why;
}

static void deliver(struct worker *w, struct sa *sa,
		    const struct esp_plain *plain)
{
	struct nat_arrival in = {
		.now = w->now,
		.mss = atomic_load_explicit(&sa->path, memory_order_acquire)
			       ->size.mss,
		.id = (uint16_t)plain->seq,
		.tos = w->outer.tos,
		.ttl = w->outer.ttl,
	};
	struct esp_plain inner = *plain;
	enum reason why = REASON_NO_FLOW;

	if (plain->next_header == IP_PROTO_NONE)
		return; /* RFC 4303 2.6: dummy packets vanish */
	if (take_probe(w, sa, plain))
		return;
	if (w->plane->proxy)
		why = nat_unwrap(&inner.next_header, &inner.data, &inner.len);
	if (why == REASON_NUM && inner.next_header == IP_PROTO_FRAGMENT)
		why = fragment(w, sa, &in, &inner);
	else if (why == REASON_NUM)
		why = to_client(w, sa, &in, &inner, NULL);
	if (w->plane->host && !in.fragment &&
	    (why == REASON_NO_FLOW || why == REASON_ICMP_ERROR))
		why = to_host(w, sa, &in, plain);
	if (why != REASON_NUM)
		worker_drop(w, why);
}

/* A NAT on the way may have changed its mind, or the peer has: control
 * finds out. The packet is no worse for it. */
static void notice_stray(struct worker *w, struct sa *sa)
{
	const struct path *path =
		atomic_load_explicit(&sa->path, memory_order_acquire);
	struct msg *m;

	if (endpoint_eq(&w->from, &path->ends.peer) ||
	    atomic_load_explicit(&sa->strayed, memory_order_relaxed) ||
	    atomic_exchange(&sa->strayed, true))
		return;
	m = inbox_msg(MSG_STRAY, NULL, 0, w->now);
	if (m) {
		m->back.self = sa->self;
		m->back.peer = sa->peer;
		m->from = w->from;
		m->at.addr = w->at;
	}
	worker_punt(w, m);
}

static void to_owner(struct worker *w, const struct sa *sa, const uint8_t *pkt,
		     size_t len)
{
	struct msg *m = inbox_msg(MSG_ESP, pkt, len, w->now);

	if (m) {
		m->outer = w->outer;
		m->from = w->from;
		m->at.addr = w->at;
	}
	if (inbox_put(&w->plane->workers[sa->owner].inbox, m))
		worker_drop(w, REASON_PUNT_FULL);
}

void inbound_esp(struct worker *w, uint8_t *pkt, size_t len)
{
	struct sa *sa = recent_in(&w->recent, &w->plane->tables, esp_spi(pkt));
	struct esp_plain plain;
	enum reason why;

	if (!sa || !w->joiner) {
		worker_drop(w, REASON_ESP_SPI);
		return;
	}
	if (sa->owner != w->k) {
		to_owner(w, sa, pkt, len);
		return;
	}
	why = esp_open(sa->open, &sa->replay, pkt, len, &plain);
	if (why != REASON_NUM) {
		worker_drop(w, why);
		return;
	}
	worker_add(&sa->in_packets, 1);
	worker_add(&sa->in_bytes, plain.len);
	notice_stray(w, sa);
	deliver(w, sa, &plain);
}

static void to_control(struct worker *w, const struct endpoint *from,
		       const struct sockets_meta *meta, const uint8_t *data,
		       size_t len)
{
	struct msg *m = inbox_msg(MSG_HIP, data + 4, len - 4, w->now);

	if (m) {
		m->from = *from;
		m->at.addr = meta->at;
	}
	worker_punt(w, m);
}

static void datagram(struct worker *w, const struct endpoint *from,
		     const struct sockets_meta *meta, uint8_t *data, size_t len)
{
	if (len < 4)
		worker_drop(w, len == 1 && data[0] == 0xff
				       ? REASON_UDP_KEEPALIVE
				       : REASON_UDP_RUNT);
	else if (get_be32(data) == 0)
		to_control(w, from, meta, data, len);
	else
		inbound_esp(w, data, len);
}

static void receive_prepare(struct receive *r)
{
	for (unsigned i = 0; i < WORKER_UDP_BATCH; i++) {
		struct msghdr *mh = &r->mh[i].msg_hdr;

		r->iov[i].iov_base = r->buf + (size_t)i * WORKER_UDP_BUF;
		r->iov[i].iov_len = WORKER_UDP_BUF;
		mh->msg_name = &r->from[i];
		mh->msg_namelen = sizeof(r->from[i]);
		mh->msg_iov = &r->iov[i];
		mh->msg_iovlen = 1;
		mh->msg_control = r->control[i];
		mh->msg_controllen = CONTROL_SPACE;
		mh->msg_flags = 0;
	}
}

static void receive_one(struct worker *w, unsigned i)
{
	struct receive *r = w->receive;
	uint8_t *data = r->iov[i].iov_base;
	size_t left = r->mh[i].msg_len;
	struct sockets_meta meta;
	struct endpoint from = sockets_endpoint((struct sockaddr *)&r->from[i]);
	size_t step;

	sockets_meta(&r->mh[i].msg_hdr, &meta);
	w->outer = meta.outer;
	w->from = from;
	w->at = meta.at;
	step = meta.gro_size ? meta.gro_size : left;
	do {
		size_t len = left < step ? left : step;

		datagram(w, &from, &meta, data, len);
		data += len;
		left -= len;
	} while (left);
}

void inbound_readable(struct worker *w, int fd)
{
	for (unsigned round = 0; round < WORKER_UDP_BUDGET; round++) {
		int n;

		receive_prepare(w->receive);
		n = recvmmsg(fd, w->receive->mh, WORKER_UDP_BATCH, MSG_DONTWAIT,
			     NULL);
		if (n <= 0)
			break;
		worker_add(&w->udp_receives, 1);
		for (unsigned i = 0; i < (unsigned)n; i++)
			receive_one(w, i);
		inbound_flush(w);
		if (n < WORKER_UDP_BATCH)
			break;
	}
	nat_gather_expire(w->gather, w->now);
}
