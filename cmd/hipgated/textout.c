/* SPDX-License-Identifier: MIT */
/* A text that grows; see textout.h. */
#include "textout.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void textout_init(struct textout *t, size_t max)
{
	*t = (struct textout){ .max = max };
}

void textout_fini(struct textout *t)
{
	free(t->s);
	t->s = NULL;
}

/* Room for more octets and a NUL. */
static bool reserve(struct textout *t, size_t more)
{
	size_t room = t->room ? t->room : 4096;
	char *s;

	if (t->full || more > t->max - t->len) {
		t->full = true;
		return false;
	}
	if (t->len + more < t->room)
		return true;
	while (room <= t->len + more)
		room *= 2;
	s = realloc(t->s, room);
	if (!s) {
		t->full = true;
		return false;
	}
	t->s = s;
	t->room = room;
	return true;
}

static void put(struct textout *t, const char *s, size_t len)
{
	if (!reserve(t, len))
		return;
	memcpy(t->s + t->len, s, len);
	t->len += len;
	t->s[t->len] = '\0';
}

void textout(struct textout *t, const char *fmt, ...)
{
	char buf[512];
	char *big = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(buf)) {
		put(t, buf, (size_t)n);
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&big, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->full = true;
		return;
	}
	put(t, big, (size_t)n);
	free(big);
}

void textout_html(struct textout *t, const char *s)
{
	static const char *const escape[128] = {
		['<'] = "&lt;",	  ['>'] = "&gt;",   ['&'] = "&amp;",
		['"'] = "&quot;", ['\''] = "&#39;",
	};

	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < ' ' || c > '~')
			put(t, "?", 1);
		else if (escape[c])
			put(t, escape[c], strlen(escape[c]));
		else
			put(t, s, 1);
	}
}

void textout_label(struct textout *t, const char *s)
{
	for (; *s; s++) {
		if (*s == '\n')
			put(t, "\\n", 2);
		else if (*s == '\\' || *s == '"')
			textout(t, "\\%c", *s);
		else
			put(t, s, 1);
	}
}
