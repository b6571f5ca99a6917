/* SPDX-License-Identifier: MIT */
/* The event stream: what happened, step by step of Figure 6.
 *
 * THEORY OF OPERATION
 * Control thread only. Each event is one JSON object, kept as text in a
 * ring of the last EVENTS_KEPT; followers are told of new ones. Clients
 * cause those of DNS at will, and to make one costs more than an answer: of
 * those there are EVENTS_DNS a second, the others are not even made. Every
 * event has t (unix seconds), role, step (A..K or ""), event (its name),
 * text (a line for people) and fields of its own. It is a line of the log,
 * too, at a level that the table in events.c gives it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

enum {
	EVENTS_KEPT = 4096,
	EVENTS_DNS = 500, /* a second */
};

struct events {
	char *line[EVENTS_KEPT]; /* NUL-terminated, with newline */
	uint64_t next;		 /* number of the next event, from 0 */
	const char *role;
	void (*follow)(void *arg, const char *line);
	void *follow_arg;
	uint64_t dns_since; /* ns: this second began */
	unsigned dns_num;   /* events of DNS in it */
};

void events_init(struct events *ev, const char *role);
void events_fini(struct events *ev);
/* Adds one. when_ns: monotonic time it happened; fields: taken, may be
 * NULL. text: printf-like, for people. A macro, so that the arguments are
 * made only for an event that there is room for. */
#define events_add(ev, when_ns, step, name, ...)                               \
	(events_has_room(ev, when_ns, name)                                    \
		 ? events_put(ev, when_ns, step, name, __VA_ARGS__)            \
		 : (void)0)
/* Counts it. */
bool events_has_room(struct events *ev, uint64_t when_ns, const char *name);
void events_put(struct events *ev, uint64_t when_ns, const char *step,
		const char *name, json_t *fields, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Calls fn with each kept line, oldest first. */
void events_each(const struct events *ev,
		 void (*fn)(void *arg, const char *line), void *arg);
