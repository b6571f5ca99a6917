/* SPDX-License-Identifier: MIT */
/* Log front: formats a line and hands it to the sink. */
#include "core/log.h"

#include <stdio.h>

/* The one mutable global of the tree (style.md 14): set before threads. */
static struct {
	log_sink *sink;
	void *arg;
	enum log_level max;
} log_front;

void log_set_sink(log_sink *sink, void *arg, enum log_level max)
{
	log_front.sink = sink;
	log_front.arg = arg;
	log_front.max = max;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!log_front.sink || level > log_front.max)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_front.sink(log_front.arg, level, line);
}
