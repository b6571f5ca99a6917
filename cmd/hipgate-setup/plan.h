/* SPDX-License-Identifier: MIT */
/* What the kernel has to be told for a configuration, as a list of steps. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cmd/config/config.h"

enum { PLAN_TEXT = 192, PLAN_PATH = 96, PLAN_STEPS = 640 };
enum { PLAN_MTU = 1500, PLAN_QUEUE = 2000 };
/* Hipgate's alone. */
enum { PLAN_TABLE_POOL = 10500, PLAN_TABLE_DNS = 10553 };

enum plan_kind {
	PLAN_TUN,    /* a command; nothing to do if the TUN is there */
	PLAN_RUN,    /* a command */
	PLAN_SYSCTL, /* write `value` to `path`; undo restores what was */
	PLAN_NUM
};

/* Either text may be "": nothing to do that way. */
struct plan_step {
	enum plan_kind kind;
	char text[PLAN_TEXT];
	char undo[PLAN_TEXT];
	const char *done;     /* output of text that means: is so already */
	const char *undone;   /* the same for undo */
	bool undo_all;	      /* repeat undo until it is undone */
	char path[PLAN_PATH]; /* below /proc/sys */
	const char *value;
	bool keep_old; /* outlives the TUN: note the old value */
};

struct plan {
	size_t num;
	bool full; /* a bound was reached: a bug, never obeyed */
	struct plan_step step[PLAN_STEPS];
};

/* hits: those of our identities, for the host role. */
void plan_build(struct plan *p, const struct config *c, const struct hit *hits,
		size_t hits_num);
/* Where HITs are (RFC 7343 6): the host role's. */
struct prefix plan_hits(void);
