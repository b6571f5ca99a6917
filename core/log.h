/* SPDX-License-Identifier: MIT */
/* Log front: rooms say what happened, the program decides where it goes.
 *
 * A line is one event, as `event=NAME key=value ...`: no value has a blank in
 * it but in double quotes, and the last one may be text="a sentence".
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_NUM
};

/* What a line is about; each has a level of its own. */
enum log_sub {
	LOG_SUB_CONTROL, /* start, end, reload, who asks */
	LOG_SUB_DNS,
	LOG_SUB_HIP,
	LOG_SUB_ESP,
	LOG_SUB_NAT,
	LOG_SUB_TUN,
	LOG_SUB_PATH, /* addresses, paths, their sizes */
	LOG_SUB_JOURNAL,
	LOG_SUB_HTTP,
	LOG_SUB_NUM
};

/* A file that speaks for another defines this, behind its includes. */
enum { LOG_ABOUT = LOG_SUB_CONTROL };

typedef void log_sink(void *arg, enum log_sub sub, enum log_level level,
		      const char *line);

/* Where lines go; set once before any thread starts. NULL: nowhere. max: the
 * level of all. */
void log_set_sink(log_sink *sink, void *arg, enum log_level max);
/* Any time, any thread. */
void log_set_level(enum log_sub sub, enum log_level max);
enum log_level log_get_level(enum log_sub sub);
/* Would such a line be said? */
bool log_wants(enum log_sub sub, enum log_level level);
/* "warn", "dns"; stable, used in the configuration and in lines. */
const char *log_level_name(enum log_level level);
const char *log_sub_name(enum log_sub sub);
/* One line, no newline; control characters become '?'. Never on the packet
 * path. Never a secret. */
void log_line(enum log_sub sub, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#define log_error(...)                                                         \
	log_line((enum log_sub)LOG_ABOUT, LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)                                                          \
	log_line((enum log_sub)LOG_ABOUT, LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)                                                          \
	log_line((enum log_sub)LOG_ABOUT, LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                         \
	log_line((enum log_sub)LOG_ABOUT, LOG_LEVEL_DEBUG, __VA_ARGS__)
