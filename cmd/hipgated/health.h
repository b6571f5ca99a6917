/* SPDX-License-Identifier: MIT */
/* Can we serve, and if not, why: one answer for systemd, `hipgate status`
 * and /ready.
 *
 * THEORY OF OPERATION
 * Control thread only; looked at once a second, from what is known without
 * waiting for anybody. Each fault is a sentence for the person who can mend
 * it. The first one counts: they are in the order in which to mend them. A
 * fault is logged when it comes and when it goes, and not in between.
 *
 * An address that we answer with and that the kernel sends elsewhere would
 * have the client's clear text go there (product.md T19). So the kernel is
 * asked of one of each prefix, and while `astray` is set dnslease.c gives no
 * address to anybody.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

enum { HEALTH_WHY = 512 };

struct gate;

struct health {
	bool looked;
	bool ready;
	char why[HEALTH_WHY]; /* "": it is ready */
	struct addr astray;   /* of ours, and leads elsewhere; or unspecified */
	uint64_t loop_at;     /* ns: DNS was seen to go round; 0: never */
	bool journal_failed;  /* the last write */
	uint64_t told_at;     /* ns: systemd */
};

/* Once a second: looks, logs news, tells systemd. */
void health_look(struct gate *g, uint64_t now);
