/* SPDX-License-Identifier: MIT */
/* Log front: rooms say what happened, the program decides where it goes. */
#pragma once

#include <stdarg.h>

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_NUM
};

typedef void log_sink(void *arg, enum log_level level, const char *line);

/* Where lines go; set once before any thread starts. NULL: nowhere. */
void log_set_sink(log_sink *sink, void *arg, enum log_level max);
/* Any time, any thread. */
void log_set_level(enum log_level max);
/* One line, no newline. Never on the packet path. Never a secret. */
void log_line(enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
