/* SPDX-License-Identifier: MIT */
/* Questions to upstream DNS servers; theory in dnsask.h. */
#include "dnsask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "core/wire.h"
#include "gate.h"
#include "sockets.h"

/* A question over TCP. */
struct dialogue {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
	} u;
	uv_connect_t connect;
	uv_write_t write;
	size_t out_len; /* of out, which is sent */
	size_t in_len;	/* of in, what was received */
	uint8_t *out;
	uint8_t *in; /* 2 + 65535 octets */
	struct dnsask *ask;
};

struct dnsask {
	struct dnsask *next;
	struct dnsasks *all;
	uint32_t id;
	struct endpoint server;
	/* Either: */
	struct askport *port;
	struct dialogue *tcp;
};

static struct dnsask **find(struct dnsasks *a, uint32_t id)
{
	struct dnsask **p = &a->bucket[id % 256];

	while (*p && (*p)->id != id)
		p = &(*p)->next;
	return p;
}

static void on_close(uv_handle_t *h)
{
	struct dialogue *t = h->data;

	free(t->out);
	free(t->in);
	free(t);
}

static void unlink_close(struct dnsasks *a, struct dnsask **p)
{
	struct dnsask *q = *p;

	*p = q->next;
	a->num--;
	if (q->tcp)
		uv_close(&q->tcp->u.handle, on_close);
	else
		askport_end(&a->ports, q->port);
	free(q);
}

bool dnsask_from(const struct dnsasks *a, uint32_t id, struct endpoint *out)
{
	const struct dnsask *q = *find((struct dnsasks *)a, id);
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	uv_os_fd_t fd;

	if (!q)
		return false;
	fd = q->tcp ? -1 : q->port->fd;
	if (q->tcp && uv_fileno(&q->tcp->u.handle, &fd))
		return false;
	if (getsockname(fd, (struct sockaddr *)&ss, &len))
		return false;
	*out = sockets_endpoint((struct sockaddr *)&ss);
	return true;
}

void dnsask_end(struct dnsasks *a, uint32_t id)
{
	struct dnsask **p = find(a, id);

	if (*p)
		unlink_close(a, p);
}

void dnsask_end_all(struct dnsasks *a)
{
	for (size_t i = 0; i < 256; i++)
		while (a->bucket[i])
			unlink_close(a, &a->bucket[i]);
	askport_fini(&a->ports);
}

/* ---- UDP ------------------------------------------------------------------ */

static int start_udp(struct dnsask *q, const uint8_t *msg, size_t len)
{
	struct askports *ports = &q->all->ports;

	q->port = askport_ask(ports, &q->server, msg, len, uv_hrtime());
	for (; ports->strays; ports->strays--)
		gate_drop(q->all->g, REASON_DNS_MISMATCH);
	if (!q->port)
		return HG_ESYS;
	q->port->asker = q;
	return HG_OK;
}

void dnsask_readable(struct dnsasks *a, struct askport *port)
{
	struct gate *g = a->g;
	bool stray;
	struct dnsask *q = askport_readable(&a->ports, port, &stray);
	ssize_t n;

	if (stray)
		gate_drop(g, REASON_DNS_MISMATCH);
	if (!q)
		return;
	n = recv(port->fd, g->buf, 65536, MSG_DONTWAIT);
	if (n >= 0)
		dns_answer(g->dns, q->id, &q->server, g->buf, (size_t)n,
			   uv_hrtime());
	else if (errno == EAGAIN || errno == EINTR)
		return;
	else
		dns_ask_failed(g->dns, q->id, uv_hrtime()); /* nobody there */
	gate_pump(g);
}

/* ---- TCP (RFC 7766) -------------------------------------------------------- */

static void failed(struct dnsask *q)
{
	struct gate *g = q->all->g;

	dns_ask_failed(g->dns, q->id, uv_hrtime());
	gate_pump(g);
}

static void on_tcp_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct dialogue *t = h->data;

	(void)hint;
	*buf = uv_buf_init((char *)t->in + t->in_len,
			   (unsigned)(2 + 65535 - t->in_len));
}

static void on_tcp_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct dialogue *t = s->data;
	struct dnsask *q = t->ask;
	struct gate *g = q->all->g;

	(void)buf;
	if (n < 0) {
		failed(q);
		return;
	}
	t->in_len += (size_t)n;
	if (t->in_len < 2 || t->in_len - 2 < get_be16(t->in))
		return;
	(void)uv_read_stop(s);
	dns_answer(g->dns, q->id, &q->server, t->in + 2, get_be16(t->in),
		   uv_hrtime());
	gate_pump(g);
}

/* Cancelled: it was closed, and its ask is gone. */
static void on_write(uv_write_t *req, int status)
{
	struct dialogue *t = req->data;

	if (status && status != UV_ECANCELED)
		failed(t->ask);
}

static void on_connect(uv_connect_t *req, int status)
{
	struct dialogue *t = req->data;
	uv_buf_t buf = uv_buf_init((char *)t->out, (unsigned)t->out_len);

	if (status == UV_ECANCELED)
		return;
	t->write.data = t;
	if (status || uv_read_start(&t->u.stream, on_tcp_alloc, on_tcp_read) ||
	    uv_write(&t->write, &t->u.stream, &buf, 1, on_write))
		failed(t->ask);
}

static int start_tcp(struct dnsask *q, const uint8_t *msg, size_t len)
{
	struct dialogue *t = calloc(1, sizeof(*t));
	struct sockaddr_storage to;

	(void)sockets_address(&q->server, &to);
	if (!t || uv_tcp_init(q->all->g->loop, &t->u.tcp)) {
		free(t);
		return HG_ESYS;
	}
	t->ask = q;
	t->u.tcp.data = t;
	t->connect.data = t;
	t->out = malloc(2 + len);
	t->in = malloc(2 + 65535);
	if (t->out && t->in) {
		put_be16(t->out, (uint16_t)len);
		memcpy(t->out + 2, msg, len);
		t->out_len = 2 + len;
		q->tcp = t;
		if (uv_tcp_connect(&t->connect, &t->u.tcp,
				   (struct sockaddr *)&to, on_connect) == 0)
			return HG_OK;
	}
	uv_close(&t->u.handle, on_close);
	return HG_ESYS;
}

static size_t limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return 256;
	return (size_t)lim.rlim_cur / 2;
}

void dnsask_init(struct dnsasks *a, struct gate *g, int waits)
{
	a->g = g;
	a->max = limit();
	a->ports.waits = waits;
	/* Where files are few, few are kept. */
	a->ports.ready = a->max / 64 < ASKPORT_READY ? (unsigned)a->max / 64
						     : ASKPORT_READY;
}

int dnsask_start(struct dnsasks *a, uint32_t id, const struct endpoint *server,
		 bool tcp, const uint8_t *msg, size_t len)
{
	struct dnsask *q = NULL;
	int err;

	if (a->num >= a->max)
		return HG_EFULL;
	q = calloc(1, sizeof(*q));
	if (!q || len > 65535) {
		free(q);
		return HG_ENOMEM;
	}
	q->all = a;
	q->id = id;
	q->server = *server;
	err = tcp ? start_tcp(q, msg, len) : start_udp(q, msg, len);
	if (err) {
		free(q);
		return err;
	}
	q->next = a->bucket[id % 256];
	a->bucket[id % 256] = q;
	a->num++;
	return HG_OK;
}
