/* SPDX-License-Identifier: MIT */
/* Waking control where its work comes from; theory in handoff.c. */
#pragma once

#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>

enum handoff_state {
	HANDOFF_OFF,	/* one CPU only, or not begun */
	HANDOFF_AWAKE,	/* to ASLEEP */
	HANDOFF_ASLEEP, /* to AWAKE, HERE */
	HANDOFF_HERE,	/* asleep, to wake where it was said; to AWAKE */
};

struct handoff {
	_Atomic int state;
	pid_t tid;     /* const: whose */
	cpu_set_t all; /* const: where it may run */
	bool narrow;   /* tid's: it may be held to one of them */
};

/* For the calling thread, before others know of h. */
void handoff_init(struct handoff *h);
/* That thread: it is about to wait; it has waited. */
void handoff_sleeps(struct handoff *h);
void handoff_wakes(struct handoff *h);
/* Any thread that is about to wake it, and to wait itself then. */
void handoff_here(struct handoff *h);
