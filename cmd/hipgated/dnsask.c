/* SPDX-License-Identifier: MIT */
/* Questions to upstream DNS servers; theory in dnsask.h. */
#include "dnsask.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/wire.h"
#include "gate.h"
#include "sockets.h"

struct dnsask {
	struct dnsask *next;
	struct dnsasks *all;
	uint32_t id;
	bool tcp;
	struct endpoint server;
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_udp_t udp;
		uv_tcp_t tcp;
	} u;
	uv_connect_t connect;
	uv_write_t write;
	size_t out_len; /* of out: what TCP sends */
	size_t in_len;	/* of in: what TCP has received */
	uint8_t *out;
	uint8_t *in; /* TCP: 2 + 65535 octets */
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
	struct dnsask *q = h->data;

	free(q->out);
	free(q->in);
	free(q);
}

static void unlink_close(struct dnsasks *a, struct dnsask **p)
{
	struct dnsask *q = *p;

	*p = q->next;
	a->num--;
	uv_close(&q->u.handle, on_close);
}

bool dnsask_from(const struct dnsasks *a, uint32_t id, struct endpoint *out)
{
	const struct dnsask *q = *find((struct dnsasks *)a, id);
	struct sockaddr_storage ss;
	int len = sizeof(ss);

	if (!q || (q->tcp ? uv_tcp_getsockname(&q->u.tcp,
					       (struct sockaddr *)&ss, &len)
			  : uv_udp_getsockname(&q->u.udp,
					       (struct sockaddr *)&ss, &len)))
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
}

static void failed(struct dnsask *q)
{
	struct gate *g = q->all->g;

	dns_ask_failed(g->dns, q->id, uv_hrtime());
	gate_pump(g);
}

/* ---- UDP ------------------------------------------------------------------ */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct dnsask *q = h->data;

	(void)hint;
	*buf = uv_buf_init((char *)q->all->g->buf, 65536);
}

static void on_udp(uv_udp_t *u, ssize_t n, const uv_buf_t *buf,
		   const struct sockaddr *sa, unsigned flags)
{
	struct dnsask *q = u->data;
	struct gate *g = q->all->g;

	(void)flags;
	if (n < 0) {
		failed(q); /* port unreachable: the server is not there */
		return;
	}
	if (!sa)
		return;
	dns_answer(g->dns, q->id, &q->server, (const uint8_t *)buf->base,
		   (size_t)n, uv_hrtime());
	gate_pump(g);
}

static int start_udp(struct dnsask *q, const struct sockaddr *to,
		     const uint8_t *msg, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)msg, (unsigned)len);

	if (uv_udp_init(q->all->g->loop, &q->u.udp))
		return HG_ESYS;
	q->u.udp.data = q;
	if (uv_udp_connect(&q->u.udp, to) ||
	    uv_udp_recv_start(&q->u.udp, on_alloc, on_udp) ||
	    uv_udp_try_send(&q->u.udp, &buf, 1, NULL) < 0) {
		uv_close(&q->u.handle, on_close);
		return HG_EFULL; /* closed: do not free */
	}
	return HG_OK;
}

/* ---- TCP (RFC 7766) -------------------------------------------------------- */

static void on_tcp_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct dnsask *q = h->data;

	(void)hint;
	*buf = uv_buf_init((char *)q->in + q->in_len,
			   (unsigned)(2 + 65535 - q->in_len));
}

static void on_tcp_read(uv_stream_t *s, ssize_t n, const uv_buf_t *buf)
{
	struct dnsask *q = s->data;
	struct gate *g = q->all->g;

	(void)buf;
	if (n < 0) {
		failed(q);
		return;
	}
	q->in_len += (size_t)n;
	if (q->in_len < 2 || q->in_len - 2 < get_be16(q->in))
		return;
	(void)uv_read_stop(s);
	dns_answer(g->dns, q->id, &q->server, q->in + 2, get_be16(q->in),
		   uv_hrtime());
	gate_pump(g);
}

static void on_write(uv_write_t *req, int status)
{
	struct dnsask *q = req->data;

	if (status && status != UV_ECANCELED)
		failed(q);
}

static void on_connect(uv_connect_t *req, int status)
{
	struct dnsask *q = req->data;
	uv_buf_t buf = uv_buf_init((char *)q->out, (unsigned)q->out_len);

	if (status == UV_ECANCELED)
		return;
	q->write.data = q;
	if (status || uv_read_start(&q->u.stream, on_tcp_alloc, on_tcp_read) ||
	    uv_write(&q->write, &q->u.stream, &buf, 1, on_write))
		failed(q);
}

static int start_tcp(struct dnsask *q, const struct sockaddr *to,
		     const uint8_t *msg, size_t len)
{
	if (uv_tcp_init(q->all->g->loop, &q->u.tcp))
		return HG_ESYS;
	q->u.tcp.data = q;
	q->connect.data = q;
	q->out = malloc(2 + len);
	q->in = malloc(2 + 65535);
	if (q->out && q->in) {
		put_be16(q->out, (uint16_t)len);
		memcpy(q->out + 2, msg, len);
		q->out_len = 2 + len;
		if (uv_tcp_connect(&q->connect, &q->u.tcp, to, on_connect) == 0)
			return HG_OK;
	}
	uv_close(&q->u.handle, on_close);
	return HG_EFULL; /* closed: do not free */
}

size_t dnsask_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim))
		return 256;
	return (size_t)lim.rlim_cur / 2;
}

int dnsask_start(struct dnsasks *a, uint32_t id, const struct endpoint *server,
		 bool tcp, const uint8_t *msg, size_t len)
{
	struct dnsask *q = NULL;
	struct sockaddr_storage to;
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
	q->tcp = tcp;
	q->server = *server;
	(void)sockets_address(server, &to);
	err = tcp ? start_tcp(q, (struct sockaddr *)&to, msg, len)
		  : start_udp(q, (struct sockaddr *)&to, msg, len);
	if (err) {
		if (err == HG_ESYS)
			free(q);
		return HG_ESYS;
	}
	q->next = a->bucket[id % 256];
	a->bucket[id % 256] = q;
	a->num++;
	return HG_OK;
}
