/* SPDX-License-Identifier: MIT */
/* A worker's life: its loop, its thread, its inbox; theory in worker.h. */
#include "worker.h"

#include <stdlib.h>
#include <string.h>

void worker_punt(struct worker *w, struct msg *m)
{
	if (m)
		m->worker = w->k;
	if (inbox_put(w->plane->control, m))
		worker_drop(w, REASON_PUNT_FULL);
}

/* libuv runs I/O callbacks inside its poll phase, so a callback begins by
 * coming online; before the next wait the thread goes offline again. */
static void on_prepare(uv_prepare_t *p)
{
	(void)p;
	tables_offline();
}

void worker_wake(struct worker *w)
{
	tables_online();
	w->now = uv_hrtime();
}

static void broken(struct worker *w, int status)
{
	struct msg *m = inbox_msg(MSG_BROKEN, NULL, 0, w->now);

	if (m)
		m->status = status;
	worker_punt(w, m);
}

static void on_tun(uv_poll_t *p, int status, int events)
{
	(void)events;
	worker_wake(p->data);
	if (status < 0)
		broken(p->data, status);
	else
		outbound_readable(p->data);
}

static void on_udp(uv_poll_t *p, int status, int events)
{
	struct worker *w = p->data;
	unsigned fam = p == &w->udp_poll[0] ? 0 : 1;

	(void)events;
	worker_wake(w);
	if (status < 0)
		broken(w, status);
	else
		inbound_readable(w, w->plane->sockets.fd[fam][1 + w->k]);
}

static void close_walk(uv_handle_t *h, void *arg)
{
	(void)arg;
	if (!uv_is_closing(h))
		uv_close(h, NULL);
}

static void on_inbox(uv_async_t *a)
{
	struct worker *w = a->data;
	struct msg *m;

	worker_wake(w);
	while ((m = inbox_take(&w->inbox))) {
		if (m->kind == MSG_TUN)
			outbound_packet(w, m->data, m->len, &m->off, true);
		else if (m->kind == MSG_ESP)
			inbound_esp(w, m);
		else if (m->kind == MSG_PROBE)
			outbound_probe(w, m);
		free(m);
	}
	batch_flush(w);
	if (atomic_load(&w->stop))
		uv_walk(&w->loop, close_walk, NULL);
}

static void worker_main(void *arg)
{
	struct worker *w = arg;

	tables_thread_begin();
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	tables_online();
	tables_thread_end();
}

static int poll_start(struct worker *w, uv_poll_t *p, int fd, uv_poll_cb cb)
{
	if (uv_poll_init(&w->loop, p, fd))
		return HG_ESYS;
	p->data = w;
	return uv_poll_start(p, UV_READABLE, cb) ? HG_ESYS : HG_OK;
}

static int loop_init(struct worker *w)
{
	int err;

	if (uv_loop_init(&w->loop))
		return HG_ENOMEM;
	err = inbox_init(&w->inbox, &w->loop, on_inbox, w);
	if (err)
		return err;
	(void)uv_prepare_init(&w->loop, &w->prepare);
	(void)uv_prepare_start(&w->prepare, on_prepare);
	if (w->plane->has_tun)
		err = poll_start(w, &w->tun_poll, w->plane->tun_fd[w->k],
				 on_tun);
	for (unsigned fam = 0; !err && fam < SOCKETS_FAMILIES; fam++) {
		int fd = w->plane->sockets.fd[fam][1 + w->k];

		if (fd >= 0)
			err = poll_start(w, &w->udp_poll[fam], fd, on_udp);
	}
	return err ? err : relaying_poll(w);
}

int worker_init(struct worker *w, struct plane *plane, unsigned k)
{
	int err = HG_OK;

	memset(w, 0, sizeof(*w));
	w->plane = plane;
	w->k = k;
	w->now = uv_hrtime();
	w->tun_buf = malloc(WORKER_TUN_BUF);
	w->scratch = malloc(2048);
	w->batch.buf = malloc(WORKER_BATCH_MAX);
	if (!w->tun_buf || !w->scratch || !w->batch.buf)
		return HG_ENOMEM;
	for (unsigned fam = 0; fam < SOCKETS_FAMILIES; fam++)
		offload_init(&w->segment[fam], plane->sockets.segment);
	offload_init(&w->join[TUN_JOIN_TCP], plane->tun.tso);
	offload_init(&w->join[TUN_JOIN_UDP], plane->tun.uso);
	if (plane->has_tun)
		err = tun_joiner_new(plane->tun_fd[k], plane->tun.tso,
				     plane->tun.uso, &w->joiner);
	if (!err)
		err = nat_gather_new(&w->drops, &w->gather);
	if (!err)
		err = inbound_init(w);
	if (!err)
		err = relaying_init(w);
	return err ? err : loop_init(w);
}

int worker_start(struct worker *w)
{
	if (uv_thread_create(&w->thread, worker_main, w))
		return HG_ESYS;
	w->running = true;
	return HG_OK;
}

void worker_stop(struct worker *w)
{
	if (!w->running)
		return;
	atomic_store(&w->stop, true);
	(void)uv_async_send(&w->inbox.async);
	(void)uv_thread_join(&w->thread);
	w->running = false;
}

void worker_fini(struct worker *w)
{
	inbox_fini(&w->inbox);
	(void)uv_loop_close(&w->loop);
	inbound_fini(w);
	relaying_fini(w);
	nat_gather_free(w->gather);
	tun_joiner_free(w->joiner);
	free(w->batch.buf);
	free(w->scratch);
	free(w->tun_buf);
}
