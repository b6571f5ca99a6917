/* SPDX-License-Identifier: MIT */
/* The engine's effects, in order, until the daemon takes them. */
#pragma once

#include <stdbool.h>

#include "core/err.h"
#include "dns/dns.h"

/* THEORY OF OPERATION
 * Each effect owns copies of its message and host. The one taken last stays
 * in `taken` so that its pointers are valid until the next call on the
 * engine. Bounded: one call makes at most a few effects for each question
 * it touches, and the daemon drains the box after each call. */
struct outbox_item;

struct outbox {
	struct outbox_item *first;
	struct outbox_item **end;
	struct outbox_item *taken;
};

void outbox_init(struct outbox *o);
void outbox_fini(struct outbox *o);
/* Copies e, its message and its host. */
int outbox_put(struct outbox *o, const struct dns_effect *e) HG_CHECK;
bool outbox_take(struct outbox *o, struct dns_effect *out);
/* Lets go of what was taken last. */
void outbox_settle(struct outbox *o);
