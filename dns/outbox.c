/* SPDX-License-Identifier: MIT */
/* The engine's effects, in order, until the daemon takes them. */
#include "dns/outbox.h"

#include <stdlib.h>
#include <string.h>

struct outbox_item {
	struct outbox_item *next;
	struct dns_effect e;
	struct dns_host *host;
	uint8_t msg[];
};

void outbox_init(struct outbox *o)
{
	o->first = NULL;
	o->end = &o->first;
	o->taken = NULL;
}

static void item_free(struct outbox_item *item)
{
	if (item)
		free(item->host);
	free(item);
}

void outbox_fini(struct outbox *o)
{
	struct outbox_item *next;

	outbox_settle(o);
	for (; o->first; o->first = next) {
		next = o->first->next;
		item_free(o->first);
	}
}

int outbox_put(struct outbox *o, const struct dns_effect *e)
{
	struct outbox_item *item;

	item = calloc(1, sizeof(*item) + e->msg_len);
	if (!item)
		return HG_ENOMEM;
	item->e = *e;
	if (e->msg_len) {
		memcpy(item->msg, e->msg, e->msg_len);
		item->e.msg = item->msg;
	}
	if (e->host) {
		item->host = malloc(sizeof(*item->host));
		if (!item->host) {
			item_free(item);
			return HG_ENOMEM;
		}
		*item->host = *e->host;
		item->e.host = item->host;
	}
	*o->end = item;
	o->end = &item->next;
	return HG_OK;
}

void outbox_settle(struct outbox *o)
{
	item_free(o->taken);
	o->taken = NULL;
}

bool outbox_take(struct outbox *o, struct dns_effect *out)
{
	struct outbox_item *item = o->first;

	outbox_settle(o);
	if (!item)
		return false;
	o->first = item->next;
	if (!o->first)
		o->end = &o->first;
	o->taken = item;
	*out = item->e;
	return true;
}
