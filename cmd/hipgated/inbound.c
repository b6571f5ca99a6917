/* SPDX-License-Identifier: MIT */
/* UDP -> ESP -> NAT -> TUN, on one worker (design.md section 4).
 *
 * THEORY OF OPERATION
 * Runs on worker k's thread only. A receive batch holds datagrams that the
 * kernel's GRO may have merged; each is taken apart again. First word 0 is
 * HIP and goes to control; an SPI owned by another worker is copied to it
 * (steering is placement, ownership is checked here); our own is opened in
 * place, translated and given to the joiner (deliver.c), which borrows the
 * receive buffers until it is flushed at the end of the batch. ESP packets take
 * these steps in rows: the SAs of a row are looked up together, each packet
 * is opened, flows are looked up together (seek.h), each is delivered, in the
 * order in which they came. What is for an SA that rests goes to control,
 * which wakes it and gives the packet back (MSG_ESP). An SPI that is none of
 * ours may be one that a client of the data relay sends to (relaying.c).
 */
#include "worker.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "deliver.h"
#include "tapwork.h"

enum { CONTROL_SPACE = 128 };

struct receive {
	struct mmsghdr mh[WORKER_UDP_BATCH];
	struct iovec iov[WORKER_UDP_BATCH];
	struct sockaddr_storage from[WORKER_UDP_BATCH];
	uint8_t control[WORKER_UDP_BATCH][CONTROL_SPACE];
	struct datagram datagram[WORKER_UDP_BATCH];
	struct arriving row[WORKER_ROW];
	unsigned row_num;
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

/* The look-up of its flow begins. before: in the row, or NULL. */
static void look_on(struct worker *w, struct arriving *a,
		    const struct arriving *before)
{
	deliver_look(w, a);
	a->again = a->sought && before && before->sought &&
		   memcmp(&a->back, &before->back, sizeof(a->back)) == 0;
	if (a->sought && !a->again)
		a->seek = seek_back(&w->plane->tables, &a->back);
}

static bool is_new(const struct arriving *a)
{
	return a->sought && !a->again;
}

static void look_last(struct arriving *a, const struct arriving *before)
{
	a->flow = NULL;
	if (a->again)
		a->flow = before->flow;
	else if (a->sought)
		a->flow = seek_get_back(&a->seek, &a->back);
}

/* A NAT on the way may have changed its mind, or the peer has: control
 * finds out. The packet is no worse for it. */
static void notice_stray(struct worker *w, struct sa *sa,
			 const struct datagram *of)
{
	const struct path *path =
		atomic_load_explicit(&sa->path, memory_order_acquire);
	struct msg *m;

	if (endpoint_eq(&of->from, &path->ends.peer) ||
	    atomic_load_explicit(&sa->strayed, memory_order_relaxed) ||
	    atomic_exchange(&sa->strayed, true))
		return;
	m = inbox_msg(MSG_STRAY, NULL, 0, w->now);
	if (m) {
		m->back.self = sa->self;
		m->back.peer = sa->peer;
		m->from = of->from;
		m->at.addr = of->meta.at;
	}
	worker_punt(w, m);
}

/* To the owner of its SA, or to control, which wakes that. */
static void pass_on(struct worker *w, struct inbox *to,
		    const struct arriving *a)
{
	struct msg *m = inbox_msg(MSG_ESP, a->data, a->len, w->now);

	if (m) {
		m->outer = a->of->meta.outer;
		m->from = a->of->from;
		m->at.addr = a->of->meta.at;
	}
	w->passed = true;
	if (inbox_put(to, m))
		worker_drop(w, REASON_PUNT_FULL);
}

static void open_one(struct worker *w, struct arriving *a)
{
	struct sa *sa = a->sa;
	const struct sa_contexts *c;

	a->opened = REASON_ESP_SPI;
	if (!sa && relaying_from_client(w, a->of, a->data, a->len)) {
		w->passed = true; /* what is relayed is in no capture */
		return;
	}
	if (!sa || !w->joiner) {
		worker_drop(w, REASON_ESP_SPI);
		return;
	}
	if (sa->owner != w->k) {
		pass_on(w, &w->plane->workers[sa->owner].inbox, a);
		return;
	}
	c = atomic_load_explicit(&sa->contexts, memory_order_acquire);
	if (!c) {
		pass_on(w, w->plane->control, a);
		return;
	}
	a->opened = esp_open(c->open, &sa->replay, a->data, a->len, &a->plain);
	if (a->opened != REASON_NUM) {
		worker_drop(w, a->opened);
		return;
	}
	worker_add(&sa->in_packets, 1);
	worker_add(&sa->in_bytes, a->plain.len);
	notice_stray(w, sa, a->of);
}

/* The look-up of its SA begins. */
static void look_at(struct worker *w, struct arriving *a,
		    const struct arriving *before)
{
	a->spi = esp_spi(a->data);
	a->sought = true;
	a->again = before && a->spi == before->spi;
	if (!a->again)
		a->seek = seek_in(&w->plane->tables, &a->spi);
}

static void find_sas(struct arriving *a, unsigned num)
{
	for (unsigned i = 0; i < num; i++)
		if (is_new(&a[i]))
			seek_line(&a[i].seek);
	for (unsigned i = 0; i < num; i++)
		if (is_new(&a[i]))
			seek_near_sa(&a[i].seek);
	for (unsigned i = 0; i < num; i++)
		a[i].sa = a[i].again ? a[i - 1].sa
				     : seek_get_in(&a[i].seek, &a[i].spi);
}

static void find_flows(struct arriving *a, unsigned num)
{
	for (unsigned i = 0; i < num; i++)
		if (is_new(&a[i]))
			seek_line(&a[i].seek);
	for (unsigned i = 0; i < num; i++)
		if (is_new(&a[i]))
			seek_near_flow(&a[i].seek);
	for (unsigned i = 0; i < num; i++)
		look_last(&a[i], i ? &a[i - 1] : NULL);
}

/* While a capture runs: what is opened is copied first. What another thread
 * gets, that one shows. */
static void open_shown(struct worker *w, struct arriving *a)
{
	tapwork_arriving(w, a);
	w->passed = false;
	open_one(w, a);
	if (a->tap && w->passed)
		a->tap->kind = TAP_VOID;
}

static void deliver_shown(struct worker *w, struct arriving *a)
{
	w->why = a->opened;
	w->passed = false;
	w->outer = a->of->meta.outer;
	if (a->opened == REASON_NUM)
		deliver_packet(w, a);
	tapwork_flow(a->tap, a->flow, a->sa, false);
	tapwork_fate(w, a->tap);
}

static void arrive_shown(struct worker *w, struct arriving *a, unsigned num)
{
	find_sas(a, num);
	for (unsigned i = 0; i < num; i++) {
		open_shown(w, &a[i]);
		look_on(w, &a[i], i ? &a[i - 1] : NULL);
	}
	find_flows(a, num);
	for (unsigned i = 0; i < num; i++)
		deliver_shown(w, &a[i]);
}

static void arrive_all(struct worker *w, struct arriving *a, unsigned num)
{
	if (w->ring) {
		arrive_shown(w, a, num);
		return;
	}
	find_sas(a, num);
	for (unsigned i = 0; i < num; i++) {
		open_one(w, &a[i]);
		look_on(w, &a[i], i ? &a[i - 1] : NULL);
	}
	find_flows(a, num);
	for (unsigned i = 0; i < num; i++) {
		w->outer = a[i].of->meta.outer;
		if (a[i].opened == REASON_NUM)
			deliver_packet(w, &a[i]);
	}
}

static void row_end(struct worker *w)
{
	struct receive *r = w->receive;

	arrive_all(w, r->row, r->row_num);
	r->row_num = 0;
}

void inbound_esp(struct worker *w, struct msg *m)
{
	const struct datagram of = {
		.from = m->from,
		.meta = { .at = m->at.addr, .outer = m->outer },
	};
	struct arriving a = { .data = m->data, .len = m->len, .of = &of };

	look_at(w, &a, NULL);
	arrive_all(w, &a, 1);
	inbound_flush(w); /* it borrows m, and so does what is relayed */
	relaying_flush(w);
}

static void to_control(struct worker *w, const struct datagram *of,
		       const uint8_t *data, size_t len)
{
	struct msg *m = inbox_msg(MSG_HIP, data + 4, len - 4, w->now);

	if (m) {
		m->from = of->from;
		m->at.addr = of->meta.at;
	}
	worker_punt(w, m);
}

static void packet(struct worker *w, const struct datagram *of, uint8_t *data,
		   size_t len)
{
	struct receive *r = w->receive;
	struct arriving *a;

	if (len < 4) {
		worker_drop(w, len == 1 && data[0] == 0xff
				       ? REASON_UDP_KEEPALIVE
				       : REASON_UDP_RUNT);
		return;
	}
	if (get_be32(data) == 0) {
		to_control(w, of, data, len);
		return;
	}
	a = &r->row[r->row_num];
	a->data = data;
	a->len = len;
	a->of = of;
	look_at(w, a, r->row_num ? a - 1 : NULL);
	if (++r->row_num == WORKER_ROW)
		row_end(w);
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
	struct datagram *d = &r->datagram[i];
	uint8_t *data = r->iov[i].iov_base;
	size_t left = r->mh[i].msg_len;
	size_t step;

	d->from = sockets_endpoint((struct sockaddr *)&r->from[i]);
	sockets_meta(&r->mh[i].msg_hdr, &d->meta);
	step = d->meta.gro_size ? d->meta.gro_size : left;
	do {
		size_t len = left < step ? left : step;

		packet(w, d, data, len);
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
		row_end(w);
		inbound_flush(w);
		relaying_flush(w);
		if (n < WORKER_UDP_BATCH)
			break;
	}
	nat_gather_expire(w->gather, w->now);
}
