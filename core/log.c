/* SPDX-License-Identifier: MIT */
/* Log front: formats a line and hands it to the sink. */
#include "core/log.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>

/* The one mutable global of the tree (style.md 14): set before threads, but
 * for the levels. */
static struct {
	log_sink *sink;
	void *arg;
	_Atomic int max[LOG_SUB_NUM];
} log_front;

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static const char *const sub_names[] = { "control", "dns",     "hip",
					 "esp",	    "nat",     "tun",
					 "path",    "journal", "http" };

static_assert(sizeof(level_names) / sizeof(level_names[0]) == LOG_LEVEL_NUM,
	      "a name for each");
static_assert(sizeof(sub_names) / sizeof(sub_names[0]) == LOG_SUB_NUM,
	      "a name for each");

void log_set_sink(log_sink *sink, void *arg, enum log_level max)
{
	log_front.sink = sink;
	log_front.arg = arg;
	for (unsigned s = 0; s < LOG_SUB_NUM; s++)
		log_set_level((enum log_sub)s, max);
}

void log_set_level(enum log_sub sub, enum log_level max)
{
	atomic_store_explicit(&log_front.max[sub], (int)max,
			      memory_order_relaxed);
}

enum log_level log_get_level(enum log_sub sub)
{
	return (enum log_level)atomic_load_explicit(&log_front.max[sub],
						    memory_order_relaxed);
}

bool log_wants(enum log_sub sub, enum log_level level)
{
	return log_front.sink && level <= log_get_level(sub);
}

const char *log_level_name(enum log_level level)
{
	return (unsigned)level < LOG_LEVEL_NUM ? level_names[level] : "?";
}

const char *log_sub_name(enum log_sub sub)
{
	return (unsigned)sub < LOG_SUB_NUM ? sub_names[sub] : "?";
}

void log_line(enum log_sub sub, enum log_level level, const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	if (!log_wants(sub, level))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (char *c = line; *c; c++) /* a newline would begin another line */
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	log_front.sink(log_front.arg, sub, level, line);
}
