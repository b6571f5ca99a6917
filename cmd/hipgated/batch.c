/* SPDX-License-Identifier: MIT */
/* The send batch: sealed packets of one SA that leave together.
 *
 * THEORY OF OPERATION
 * Runs on worker k's thread only. outbound.c asks for room, seals into it
 * and commits. The batch goes out when it is full, when the next packet is
 * of another path, size or outer header, and when outbound.c says so: with
 * one UDP_SEGMENT send, or where that is not to be had, with one sendmmsg of
 * its datagrams. A send of segments that the kernel refuses is repeated
 * datagram by datagram, so none is lost: EMSGSIZE is the way's doing (a
 * smaller link; datagram by datagram the kernel cuts them, unless the path
 * has DF), EINVAL and EIO may be the offload's (offload.h).
 *
 * Order: sequence numbers are taken before sealing, so another worker's
 * packets of the same SA can overtake a batch that waits for more. A peer
 * whose window is 64 (RFC 4303 3.4.3) must not drop it then: once others have
 * taken numbers among its own, a batch spans BATCH_SPAN of them at most. What
 * a two-way flow sends has one worker, since the TUN gives its packets to the
 * queue that the answers were written to.
 */
#include "worker.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "tapwork.h"

enum { BATCH_SPAN = 32 };

/* What all datagrams of a batch share. */
struct sending {
	unsigned family;
	int fd;
	struct msghdr mh;
	union {
		char buf[CMSG_SPACE(sizeof(uint16_t)) + SOCKETS_OUTER_SPACE +
			 SOCKETS_FROM_SPACE];
		struct cmsghdr align;
	} space;
};

/* 0 or errno. */
static int sending_begin(struct worker *w, struct sending *s)
{
	struct batch *b = &w->batch;

	memset(s, 0, sizeof(*s));
	s->family = sockets_family(&b->path->ends.peer.addr);
	s->fd = w->plane->sockets.fd[s->family][1 + w->k];
	if (s->fd < 0)
		return EAFNOSUPPORT;
	/* IPv4 has no control message for it. */
	if (w->df[s->family] != b->df) {
		if (sockets_set_df(s->fd, s->family, b->df))
			return errno;
		w->df[s->family] = b->df;
	}
	s->mh.msg_name = &b->path->to;
	s->mh.msg_namelen = b->path->to_len;
	s->mh.msg_control = &s->space;
	sockets_put_outer(&s->mh, s->family, &b->outer);
	sockets_put_from(&s->mh, s->family, &b->path->ends.from);
	return 0;
}

static void refused(struct batch *b, int err)
{
	b->refused = err;
	if (err == EMSGSIZE)
		atomic_store_explicit(&b->path->refused, true,
				      memory_order_relaxed);
}

/* All of it with one UDP_SEGMENT send. 0 or errno. */
static int send_segments(struct worker *w, const struct sending *s)
{
	struct batch *b = &w->batch;
	struct iovec iov = { .iov_base = b->buf, .iov_len = b->used };
	struct msghdr mh = s->mh;
	uint16_t size = (uint16_t)b->seg;
	ssize_t n;

	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	sockets_put_control(&mh, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	worker_add(&w->udp_sends, 1);
	do {
		n = sendmsg(s->fd, &mh, 0);
	} while (n < 0 && errno == EINTR);
	if (n >= 0)
		return 0;
	refused(b, errno);
	return errno;
}

/* Datagram by datagram. How many the kernel refused. */
static unsigned send_singly(struct worker *w, const struct sending *s)
{
	struct mmsghdr mm[WORKER_BATCH_SEGS];
	struct iovec iov[WORKER_BATCH_SEGS];
	struct batch *b = &w->batch;
	unsigned failed = 0;
	unsigned done = 0;

	for (unsigned i = 0; i < b->num; i++) {
		size_t at = i * b->seg;

		iov[i].iov_base = b->buf + at;
		iov[i].iov_len = b->used - at < b->seg ? b->used - at : b->seg;
		mm[i].msg_hdr = s->mh;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	while (done < b->num) {
		int n = sendmmsg(s->fd, mm + done, b->num - done, 0);

		worker_add(&w->udp_sends, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) { /* the first of them */
			refused(b, errno);
			failed++;
			n = 1;
		}
		done += (unsigned)n;
	}
	return failed;
}

/* How many could not be sent. */
static unsigned batch_send(struct worker *w)
{
	struct batch *b = &w->batch;
	struct offload *segment;
	struct sending s;
	unsigned failed;
	int err;

	b->refused = 0;
	if (sending_begin(w, &s))
		return b->num;
	segment = &w->segment[s.family];
	if (b->num == 1 || !offload_on(segment, w->now))
		return send_singly(w, &s);
	err = send_segments(w, &s);
	if (!err)
		offload_took(segment);
	if (err != EINVAL && err != EIO && err != EMSGSIZE)
		return err ? b->num : 0;
	failed = send_singly(w, &s);
	/* Where none could leave, an address that is gone is to blame. */
	if (err != EMSGSIZE && failed < b->num)
		offload_refused(segment, w->now);
	return failed;
}

/* Does the kernel say so of a source that is not ours, or no longer? */
static bool address_gone(int err)
{
	switch (err) {
	case EADDRNOTAVAIL:
	case EHOSTUNREACH:
	case EINVAL: /* an IPv4 source */
	case ENETDOWN:
	case ENETUNREACH:
	case ENODEV:
		return true;
	}
	return false;
}

/* None of it could leave: control keeps it until there is a way. */
static bool kept(struct worker *w)
{
	const struct batch *b = &w->batch;
	struct msg *m;

	if (b->again || !address_gone(b->refused))
		return false;
	m = inbox_msg(MSG_SEALED, b->buf, b->used, w->now);
	if (m) {
		m->back.self = b->pair.self;
		m->back.peer = b->pair.peer;
		m->at.addr = b->path->ends.from.self;
		m->off.gso_size = (uint16_t)b->seg;
		m->outer = b->outer;
	}
	worker_punt(w, m);
	return true;
}

void batch_flush(struct worker *w)
{
	struct batch *b = &w->batch;
	unsigned failed;

	if (!b->num)
		return;
	failed = batch_send(w);
	if (w->ring)
		tapwork_batch(w, failed);
	/* A probe that could not be sent is a lost one. */
	if (b->probe || (failed == b->num && kept(w)))
		failed = 0;
	while (failed--)
		worker_drop(w, REASON_SEND_FAILED);
	b->num = 0;
	b->used = 0;
	b->closed = false;
}

/* Has another worker taken numbers since our first, and how many are they
 * by now? */
static bool overtaken(const struct batch *b, uint64_t seq)
{
	return seq - b->first != b->num && seq - b->first >= BATCH_SPAN;
}

uint8_t *batch_room(struct worker *w, uint64_t seq, size_t wire)
{
	struct batch *b = &w->batch;

	if (b->num &&
	    (b->path != w->path || b->closed || wire > b->seg ||
	     b->outer.tos != w->outer.tos || b->outer.ttl != w->outer.ttl ||
	     b->num >= WORKER_BATCH_SEGS || wire > WORKER_BATCH_MAX - b->used ||
	     overtaken(b, seq)))
		batch_flush(w);
	if (wire > WORKER_BATCH_MAX)
		return NULL;
	if (!b->num) {
		b->path = w->path;
		b->pair = (struct tables_pair){ w->sa->self, w->sa->peer };
		b->first = seq;
		b->df = w->path->size.df;
		b->probe = false;
		b->again = false;
		b->outer = w->outer;
		b->seg = wire;
	}
	return b->buf + b->used;
}

void batch_commit(struct worker *w, size_t wire)
{
	struct batch *b = &w->batch;

	b->used += wire;
	b->num++;
	b->closed = wire < b->seg;
}

void batch_again(struct worker *w, const struct msg *m)
{
	struct batch *b = &w->batch;
	size_t seg = m->off.gso_size;
	const struct sa *sa =
		tables_sa_out(&w->plane->tables, &m->back.self, &m->back.peer);

	batch_flush(w);
	if (!sa || !seg || m->len > WORKER_BATCH_MAX) {
		worker_drop(w, REASON_NO_SA);
		return;
	}
	b->path = atomic_load_explicit(&((struct sa *)sa)->path,
				       memory_order_acquire);
	if (!path_spend(b->path, m->len)) {
		worker_drop(w, REASON_PATH_CREDIT);
		return;
	}
	b->df = b->path->size.df;
	b->probe = false;
	b->again = true;
	b->outer = m->outer;
	b->seg = seg;
	b->used = m->len;
	b->num = (unsigned)((m->len + seg - 1) / seg);
	memcpy(b->buf, m->data, m->len);
	batch_flush(w);
}
