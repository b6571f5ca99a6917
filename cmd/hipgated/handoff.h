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
	HANDOFF_HERE,	/* asleep, being held to a CPU; to HELD, AWAKE */
	HANDOFF_HELD,	/* asleep, held to one; to AWAKE */
	HANDOFF_STATE_NUM
};

/* A power of 2, so that the count of sleeps may wrap. */
enum { HANDOFF_SLEEP = 8 };
_Static_assert((int)HANDOFF_STATE_NUM <= (int)HANDOFF_SLEEP, "they fit");

struct handoff {
	/* The state, and HANDOFF_SLEEP for each sleep so far. */
	_Atomic unsigned state;
	unsigned sleeps; /* tid's */
	pid_t tid;	 /* const: whose */
	cpu_set_t all;	 /* const: where it may run */
};

/* For the calling thread, before others know of h. */
void handoff_init(struct handoff *h);
/* That thread: it is about to wait; it has waited. */
void handoff_sleeps(struct handoff *h);
void handoff_wakes(struct handoff *h);
/* Any thread that is about to wake it, and to wait itself then. */
void handoff_here(struct handoff *h);
/* The same in two steps: what is begun, 0: nothing is to be done; its end. */
unsigned handoff_begin(struct handoff *h);
void handoff_end(struct handoff *h, unsigned begun);
