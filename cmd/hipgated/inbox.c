/* SPDX-License-Identifier: MIT */
/* Messages between threads; theory in inbox.h. */
#include "inbox.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static int init(struct inbox *in)
{
	memset(in, 0, sizeof(*in));
	in->bell = -1;
	return uv_mutex_init(&in->lock) ? HG_ENOMEM : HG_OK;
}

int inbox_init(struct inbox *in, uv_loop_t *loop, uv_async_cb cb, void *arg)
{
	if (init(in))
		return HG_ENOMEM;
	if (uv_async_init(loop, &in->async, cb)) {
		uv_mutex_destroy(&in->lock);
		return HG_ESYS;
	}
	in->async.data = arg;
	return HG_OK;
}

int inbox_init_bell(struct inbox *in)
{
	if (init(in))
		return HG_ENOMEM;
	in->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (in->bell < 0) {
		uv_mutex_destroy(&in->lock);
		return HG_ESYS;
	}
	return HG_OK;
}

void inbox_ring(struct inbox *in)
{
	static const uint64_t one = 1;

	if (in->bell < 0)
		(void)uv_async_send(&in->async); /* fails only when closing */
	else if (!atomic_exchange(&in->rung, true))
		(void)!write(in->bell, &one, sizeof(one)); /* for 500 years */
}

/* What is put from here on rings again. */
void inbox_heard(struct inbox *in)
{
	(void)atomic_exchange(&in->rung, false);
}

void inbox_fini(struct inbox *in)
{
	struct msg *m;

	while ((m = inbox_take(in)))
		free(m);
	if (in->bell >= 0)
		(void)close(in->bell);
	uv_mutex_destroy(&in->lock);
}

struct msg *inbox_msg(enum msg_kind kind, const void *data, size_t len,
		      uint64_t now)
{
	struct msg *m = malloc(sizeof(*m) + len);

	if (!m)
		return NULL;
	memset(m, 0, sizeof(*m));
	m->kind = kind;
	m->now = now;
	m->len = len;
	if (len)
		memcpy(m->data, data, len);
	return m;
}

int inbox_put(struct inbox *in, struct msg *m)
{
	size_t limit;
	bool full;

	if (!m)
		return HG_ENOMEM;
	uv_mutex_lock(&in->lock);
	limit = m->kind == MSG_TUN || m->kind == MSG_ESP ||
				m->kind == MSG_SEALED
			? INBOX_MSGS / 2
			: INBOX_MSGS;
	full = in->num >= limit || m->len > INBOX_BYTES - in->bytes;
	if (!full) {
		if (in->tail)
			in->tail->next = m;
		else
			in->head = m;
		in->tail = m;
		in->num++;
		in->bytes += m->len;
	}
	uv_mutex_unlock(&in->lock);
	if (full) {
		free(m);
		return HG_EFULL;
	}
	inbox_ring(in);
	return HG_OK;
}

struct msg *inbox_take(struct inbox *in)
{
	struct msg *m;

	uv_mutex_lock(&in->lock);
	m = in->head;
	if (m) {
		in->head = m->next;
		if (!in->head)
			in->tail = NULL;
		in->num--;
		in->bytes -= m->len;
		m->next = NULL;
	}
	uv_mutex_unlock(&in->lock);
	return m;
}
