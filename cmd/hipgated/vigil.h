/* SPDX-License-Identifier: MIT */
/* Staying awake for an answer that is near; theory in vigil.c. */
#pragma once

#include <poll.h>
#include <stdbool.h>

enum {
	VIGIL_NS = 300000,     /* as long as it lasts */
	VIGIL_BUSY_NS = 20000, /* who lets go so long has let others run */
	VIGIL_LOST_MOST = 10,  /* 2^10 questions are let pass at most */
};

/* All zero at first. */
struct vigil {
	bool wanted;
	bool ended;    /* by something that came, the answer or not */
	unsigned lost; /* in a row: no answer came in time */
	unsigned pass; /* so many questions more without one */
};

/* A question has left, and nothing else is waited for. */
void vigil_want(struct vigil *v);
/* Before the calling thread sleeps until p is readable: true if it is so now
 * and need not. */
bool vigil_keep(struct vigil *v, struct pollfd *p);
/* An answer has come. */
void vigil_answered(struct vigil *v);
