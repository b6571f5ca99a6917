/* SPDX-License-Identifier: MIT */
/* News that the clock leapt: the machine was asleep, or was told the time. */
#pragma once

#include <uv.h>

#include "core/err.h"

struct wake {
	int fd; /* -1: none */
	uv_poll_t poll;
	void (*fn)(void *arg);
	void *arg;
};

/* Calls fn, from loop's thread, after each leap. HG_ESYS: errno says why. */
int wake_open(uv_loop_t *loop, void (*fn)(void *arg), void *arg,
	      struct wake *w) HG_CHECK;
/* After the loop's last run. */
void wake_close(struct wake *w);
