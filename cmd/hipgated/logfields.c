/* SPDX-License-Identifier: MIT */
/* A line of the log as its fields; see logfields.h. */
#include "logfields.h"

#include <stdio.h>
#include <string.h>

static size_t key_len(const char *s)
{
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-_");
}

/* Behind the closing quote, or at the end. */
static const char *take_quoted(const char *s, struct logfield *out)
{
	size_t n = 0;

	while (*s && *s != '"') {
		if (*s == '\\' && s[1])
			s++;
		if (n < sizeof(out->value) - 1)
			out->value[n++] = *s;
		s++;
	}
	out->value[n] = '\0';
	return *s ? s + 1 : s;
}

static const char *take_bare(const char *s, struct logfield *out)
{
	size_t len = strcspn(s, " ");
	size_t n = len < sizeof(out->value) ? len : sizeof(out->value) - 1;

	memcpy(out->value, s, n);
	out->value[n] = '\0';
	return s + len;
}

bool logfields_next(const char **line, struct logfield *out)
{
	const char *s = *line;

	for (;;) {
		size_t len;

		s += strspn(s, " ");
		if (!*s)
			return false;
		len = key_len(s);
		if (len && len < sizeof(out->key) && s[len] == '=') {
			memcpy(out->key, s, len);
			out->key[len] = '\0';
			s += len + 1;
			*line = *s == '"' ? take_quoted(s + 1, out)
					  : take_bare(s, out);
			return true;
		}
		s += strcspn(s, " ");
	}
}

void logfields_event(const char *line, char *out, size_t cap)
{
	size_t len;

	if (strncmp(line, "event=", 6) == 0) {
		line += 6;
		len = strcspn(line, " ");
	} else {
		len = strcspn(line, ":0123456789");
	}
	if (len >= cap)
		len = cap - 1;
	memcpy(out, line, len);
	out[len] = '\0';
}

void logfields_add(char *out, size_t cap, const char *key, const char *value)
{
	size_t used = strlen(out);
	bool quote = !value[0] || strpbrk(value, " \"=\\");
	int n = snprintf(out + used, cap - used, " %s=%s", key,
			 quote ? "\"" : "");

	used += n > 0 ? (size_t)n : 0;
	/* Whole or not at all; 3: an escaped octet, or a quote, and NUL. */
	for (; *value && used + 3 < cap; value++) {
		if (quote && (*value == '"' || *value == '\\'))
			out[used++] = '\\';
		out[used++] = *value;
	}
	if (used + 2 > cap)
		return; /* no room for the key */
	if (quote)
		out[used++] = '"';
	out[used] = '\0';
}
