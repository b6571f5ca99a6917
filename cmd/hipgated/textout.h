/* SPDX-License-Identifier: MIT */
/* A text that grows, up to a bound: what does not fit is left out, and said. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct textout {
	char *s; /* NUL-terminated; NULL: nothing yet */
	size_t len;
	size_t room;
	size_t max; /* octets */
	bool full;  /* something was left out: bound or memory */
};

void textout_init(struct textout *t, size_t max);
void textout_fini(struct textout *t);
void textout(struct textout *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* s, for HTML and SVG, between tags or in a quoted attribute. Control
 * characters, and what is not ASCII, become '?'. */
void textout_html(struct textout *t, const char *s);
/* s, for an OpenMetrics label's value in quotes. */
void textout_label(struct textout *t, const char *s);
