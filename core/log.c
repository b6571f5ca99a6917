/* SPDX-License-Identifier: MIT */
/* Log front: formats a line and hands it to the sink. */
#include "core/log.h"

#include <stdatomic.h>
#include <stdio.h>

/* The one mutable global of the tree (style.md 14): set before threads, but
 * for the level. */
static struct {
	log_sink *sink;
	void *arg;
	_Atomic int max;
} log_front;

void log_set_sink(log_sink *sink, void *arg, enum log_level max)
{
	log_front.sink = sink;
	log_front.arg = arg;
	log_set_level(max);
}

void log_set_level(enum log_level max)
{
	atomic_store_explicit(&log_front.max, (int)max, memory_order_relaxed);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!log_front.sink ||
	    (int)level >
		    atomic_load_explicit(&log_front.max, memory_order_relaxed))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_front.sink(log_front.arg, level, line);
}
