/* SPDX-License-Identifier: MIT */
/* Messages between threads; theory in inbox.h. */
#include "inbox.h"

#include <stdlib.h>
#include <string.h>

int inbox_init(struct inbox *in, uv_loop_t *loop, uv_async_cb cb, void *arg)
{
	memset(in, 0, sizeof(*in));
	if (uv_mutex_init(&in->lock))
		return HG_ENOMEM;
	if (uv_async_init(loop, &in->async, cb)) {
		uv_mutex_destroy(&in->lock);
		return HG_ESYS;
	}
	in->async.data = arg;
	return HG_OK;
}

void inbox_fini(struct inbox *in)
{
	struct msg *m;

	while ((m = inbox_take(in)))
		free(m);
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
	(void)uv_async_send(&in->async); /* fails only when closing */
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
