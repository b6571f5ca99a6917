/* SPDX-License-Identifier: MIT */
/* A line of the log as its fields: event=NAME key=value key="a b". Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { LOGFIELDS_KEY = 32, LOGFIELDS_VALUE = 512 };

struct logfield {
	char key[LOGFIELDS_KEY];     /* a-z, 0-9, '-' and '_' */
	char value[LOGFIELDS_VALUE]; /* cut if it must be */
};

/* Takes the field at *line, which moves on behind it, over words that are
 * none. False: there is no more. */
bool logfields_next(const char **line, struct logfield *out);
/* The name of the line's event; one that begins otherwise: its first words,
 * up to a ':' or a digit. out: cap octets. */
void logfields_event(const char *line, char *out, size_t cap);
/* Appends " key=value", in quotes where that is needed, to the text in out. */
void logfields_add(char *out, size_t cap, const char *key, const char *value);
