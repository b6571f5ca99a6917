/* SPDX-License-Identifier: MIT */
/* A worker's part of the data relay; theory in relaying.h. */
#include "relaying.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire.h"
#include "deliver.h"
#include "worker.h"

enum { LANE_RUNS = 64, LANE_CONTROL = 128 };

/* Datagrams that lie behind each other and go the same way; all but the last
 * of one size. */
struct run {
	int fd;
	unsigned family;
	struct sockaddr_storage *to;
	socklen_t to_len;
	const struct sockets_from *from;
	uint8_t *data;
	size_t len;
	size_t seg;
	unsigned num;
	uint8_t tos;
};

struct lane {
	struct run run[LANE_RUNS];
	unsigned num;
	/* What comes to the worker's ports. */
	struct mmsghdr mh[WORKER_UDP_BATCH];
	struct iovec iov[WORKER_UDP_BATCH];
	struct sockaddr_storage from[WORKER_UDP_BATCH];
	uint8_t control[WORKER_UDP_BATCH][LANE_CONTROL];
	uint8_t *buf; /* WORKER_UDP_BATCH * WORKER_UDP_BUF */
	struct eye *eye;
	size_t eyes;
};

/* A socket that is watched. */
struct eye {
	uv_poll_t poll;
	struct worker *w;
	struct relay_port *port;
	int fd;
};

int relaying_init(struct worker *w)
{
	const struct relaying *r = w->plane->relaying;
	struct lane *l;

	if (!r)
		return HG_OK;
	l = calloc(1, sizeof(*l));
	w->lane = l;
	if (!l)
		return HG_ENOMEM;
	l->buf = malloc((size_t)WORKER_UDP_BATCH * WORKER_UDP_BUF);
	l->eye = calloc(r->num * SOCKETS_FAMILIES, sizeof(*l->eye));
	return l->buf && l->eye ? HG_OK : HG_ENOMEM;
}

void relaying_fini(struct worker *w)
{
	if (!w->lane)
		return;
	free(w->lane->buf);
	free(w->lane->eye);
	free(w->lane);
	w->lane = NULL;
}

/* ---- out ------------------------------------------------------------------ */

union space {
	char buf[SOCKETS_OUTER_SPACE + SOCKETS_FROM_SPACE +
		 CMSG_SPACE(sizeof(uint16_t))];
	struct cmsghdr align;
};

static void head_of(const struct run *x, struct msghdr *mh, union space *space)
{
	const struct sockets_outer outer = { .tos = x->tos };

	memset(mh, 0, sizeof(*mh));
	memset(space, 0, sizeof(*space));
	mh->msg_name = x->to;
	mh->msg_namelen = x->to_len;
	mh->msg_control = space;
	sockets_put_outer(mh, x->family, &outer);
	if (x->from)
		sockets_put_from(mh, x->family, x->from);
}

/* Datagram by datagram, after a refusal. */
static void send_singly(struct worker *w, const struct run *x)
{
	union space space;
	struct msghdr mh;

	head_of(x, &mh, &space);
	for (size_t at = 0; at < x->len; at += x->seg) {
		struct iovec iov = {
			.iov_base = x->data + at,
			.iov_len = x->len - at < x->seg ? x->len - at : x->seg,
		};

		mh.msg_iov = &iov;
		mh.msg_iovlen = 1;
		worker_add(&w->udp_sends, 1);
		if (sendmsg(x->fd, &mh, 0) < 0)
			worker_drop(w, REASON_SEND_FAILED);
	}
}

/* Runs of one socket. */
static void send_runs(struct worker *w, struct run *x, unsigned num)
{
	union space space[LANE_RUNS];
	struct mmsghdr mm[LANE_RUNS];
	struct iovec iov[LANE_RUNS];
	unsigned done = 0;

	for (unsigned i = 0; i < num; i++) {
		uint16_t seg = (uint16_t)x[i].seg;

		iov[i] = (struct iovec){ x[i].data, x[i].len };
		head_of(&x[i], &mm[i].msg_hdr, &space[i]);
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		if (x[i].num > 1)
			sockets_put_control(&mm[i].msg_hdr, SOL_UDP,
					    UDP_SEGMENT, &seg, sizeof(seg));
	}
	while (done < num) {
		int n = sendmmsg(x[0].fd, mm + done, num - done, 0);

		worker_add(&w->udp_sends, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && x[done].num > 1) {
			send_singly(w, &x[done]);
			n = 1;
		} else if (n < 0) {
			worker_drop(w, REASON_SEND_FAILED);
			n = 1;
		}
		done += (unsigned)n;
	}
}

void relaying_flush(struct worker *w)
{
	struct lane *l = w->lane;
	unsigned i = 0;

	while (l && i < l->num) {
		unsigned n = 1;

		while (i + n < l->num && l->run[i + n].fd == l->run[i].fd)
			n++;
		send_runs(w, &l->run[i], n);
		i += n;
	}
	if (l)
		l->num = 0;
}

/* Is it the next one of this run? */
static bool goes_on(const struct run *x, const struct run *next)
{
	return x->fd == next->fd && x->to == next->to && x->tos == next->tos &&
	       x->data + x->len == next->data && x->len % x->seg == 0 &&
	       next->seg <= x->seg && x->num < WORKER_BATCH_SEGS &&
	       next->len <= WORKER_BATCH_MAX - x->len;
}

static void queue(struct worker *w, const struct run *next)
{
	struct lane *l = w->lane;
	struct run *last = l->num ? &l->run[l->num - 1] : NULL;

	if (last && goes_on(last, next) &&
	    offload_on(&w->segment[next->family], w->now)) {
		last->len += next->len;
		last->num++;
		return;
	}
	if (l->num == LANE_RUNS)
		relaying_flush(w);
	l->run[l->num++] = *next;
}

/* ---- what may pass ---------------------------------------------------------- */

/* Is there room left in this client's window? */
static bool within_quota(const struct relaying *r, struct relay_port *port,
			 size_t len, uint64_t now)
{
	uint64_t quota = atomic_load_explicit(&r->quota, memory_order_relaxed);
	uint64_t window = now / RELAY_WINDOW;
	uint64_t was =
		atomic_load_explicit(&port->window, memory_order_relaxed);

	if (!quota)
		return true;
	/* A worker that woke before others does not turn it back. */
	if (window > was &&
	    atomic_compare_exchange_strong(&port->window, &was, window))
		atomic_store_explicit(&port->used, 0, memory_order_relaxed);
	return atomic_fetch_add_explicit(&port->used, len,
					 memory_order_relaxed) < quota;
}

/* A permit was found; REASON_NUM: it passes. */
static enum reason may_pass(struct worker *w, struct permit *p, size_t len)
{
	if (w->now >= p->until)
		return REASON_RELAY_EXPIRED;
	if (!within_quota(w->plane->relaying, p->port, len, w->now))
		return REASON_RELAY_RATE;
	worker_add(&p->port->packets, 1);
	worker_add(&p->port->bytes, len);
	return REASON_NUM;
}

bool relaying_from_client(struct worker *w, const struct datagram *of,
			  uint8_t *data, size_t len)
{
	const struct relaying *r = w->plane->relaying;
	struct relay_key key = { .from = of->from, .spi = get_be32(data) };
	struct permit *p;
	enum reason why;

	if (!r)
		return false;
	p = permits_out(&w->plane->tables, r, &key, w->now);
	if (!p)
		return false;
	if (!atomic_load_explicit(&p->heard, memory_order_relaxed))
		why = REASON_RELAY_UNHEARD;
	else
		why = may_pass(w, p, len);
	if (why != REASON_NUM) {
		worker_drop(w, why);
		return true;
	}
	queue(w, &(struct run){
			 .fd = p->port->fd[sockets_family(&p->in.from.addr)],
			 .family = sockets_family(&p->in.from.addr),
			 .to = &p->peer,
			 .to_len = p->peer_len,
			 .data = data,
			 .len = len,
			 .seg = len,
			 .num = 1,
			 .tos = of->meta.outer.tos });
	return true;
}

/* Stores seldom: others read the same line of the cache. */
static void hear(struct permit *p, uint64_t now)
{
	uint64_t last = atomic_load_explicit(&p->last, memory_order_relaxed);

	if (!atomic_load_explicit(&p->heard, memory_order_relaxed))
		atomic_store(&p->heard, true);
	if (now > last && now - last >= RELAY_LAST)
		atomic_store_explicit(&p->last, now, memory_order_relaxed);
}

static void from_peer(struct worker *w, const struct datagram *of,
		      const struct relay_port *port, uint8_t *data, size_t len)
{
	const struct relaying *r = w->plane->relaying;
	struct relay_key key = { .from = of->from,
				 .port = port->port,
				 .spi = get_be32(data) };
	struct permit *p = permits_in(&w->plane->tables, r, &key);
	enum reason why = p ? may_pass(w, p, len) : REASON_RELAY_STRANGER;
	unsigned fam;

	if (why != REASON_NUM) {
		worker_drop(w, why);
		return;
	}
	hear(p, w->now);
	fam = sockets_family(&p->out.from.addr);
	queue(w, &(struct run){ .fd = w->plane->sockets.fd[fam][1 + w->k],
				.family = fam,
				.to = &p->client,
				.to_len = p->client_len,
				.from = &p->self,
				.data = data,
				.len = len,
				.seg = len,
				.num = 1,
				.tos = of->meta.outer.tos });
}

/* ---- in -------------------------------------------------------------------- */

static void to_control(struct worker *w, const struct datagram *of,
		       const struct relay_port *port, const uint8_t *data,
		       size_t len)
{
	struct msg *m = inbox_msg(MSG_HIP, data + 4, len - 4, w->now);

	if (m) {
		m->from = of->from;
		m->at = (struct endpoint){ of->meta.at, port->port };
	}
	worker_punt(w, m);
}

static void take(struct worker *w, const struct datagram *of,
		 const struct relay_port *port, uint8_t *data, size_t len)
{
	if (len < 4)
		worker_drop(w, len == 1 && data[0] == 0xff
				       ? REASON_UDP_KEEPALIVE
				       : REASON_UDP_RUNT);
	else if (get_be32(data) == 0)
		to_control(w, of, port, data, len);
	else
		from_peer(w, of, port, data, len);
}

static void take_merged(struct worker *w, const struct relay_port *port,
			unsigned i)
{
	struct lane *l = w->lane;
	uint8_t *data = l->iov[i].iov_base;
	size_t left = l->mh[i].msg_len;
	struct datagram of;
	size_t step;

	of.from = sockets_endpoint((struct sockaddr *)&l->from[i]);
	sockets_meta(&l->mh[i].msg_hdr, &of.meta);
	step = of.meta.gro_size ? of.meta.gro_size : left;
	do {
		size_t len = left < step ? left : step;

		take(w, &of, port, data, len);
		data += len;
		left -= len;
	} while (left);
}

static void prepare(struct lane *l)
{
	for (unsigned i = 0; i < WORKER_UDP_BATCH; i++) {
		l->iov[i] = (struct iovec){ l->buf + (size_t)i * WORKER_UDP_BUF,
					    WORKER_UDP_BUF };
		l->mh[i].msg_hdr = (struct msghdr){
			.msg_name = &l->from[i],
			.msg_namelen = sizeof(l->from[i]),
			.msg_iov = &l->iov[i],
			.msg_iovlen = 1,
			.msg_control = l->control[i],
			.msg_controllen = LANE_CONTROL,
		};
	}
}

void relaying_readable(struct worker *w, const struct relay_port *port, int fd)
{
	for (unsigned round = 0; round < WORKER_UDP_BUDGET; round++) {
		int n;

		prepare(w->lane);
		n = recvmmsg(fd, w->lane->mh, WORKER_UDP_BATCH, MSG_DONTWAIT,
			     NULL);
		if (n <= 0)
			break;
		worker_add(&w->udp_receives, 1);
		for (unsigned i = 0; i < (unsigned)n; i++)
			take_merged(w, port, i);
		relaying_flush(w);
		if (n < WORKER_UDP_BATCH)
			break;
	}
}

static void on_port(uv_poll_t *poll, int status, int events)
{
	struct eye *e = poll->data;

	(void)events;
	worker_wake(e->w);
	if (status < 0) /* one client's: the others go on */
		(void)uv_poll_stop(poll);
	else
		relaying_readable(e->w, e->port, e->fd);
}

static int watch(struct worker *w, struct relay_port *port, int fd)
{
	struct eye *e = &w->lane->eye[w->lane->eyes];

	*e = (struct eye){ .w = w, .port = port, .fd = fd };
	if (uv_poll_init(&w->loop, &e->poll, fd))
		return HG_ESYS;
	w->lane->eyes++;
	e->poll.data = e;
	return uv_poll_start(&e->poll, UV_READABLE, on_port) ? HG_ESYS : HG_OK;
}

int relaying_poll(struct worker *w)
{
	struct relaying *r = w->plane->relaying;
	int err = HG_OK;

	for (size_t i = w->k; r && i < r->num; i += w->plane->workers_num) {
		for (unsigned fam = 0; !err && fam < SOCKETS_FAMILIES; fam++) {
			if (r->port[i].fd[fam] >= 0)
				err = watch(w, &r->port[i], r->port[i].fd[fam]);
		}
	}
	return err;
}
