/* SPDX-License-Identifier: MIT */
/* The event stream; theory in events.h. */
#include "events.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include "core/log.h"

void events_init(struct events *ev, const char *role)
{
	memset(ev, 0, sizeof(*ev));
	ev->role = role;
}

void events_fini(struct events *ev)
{
	for (size_t i = 0; i < EVENTS_KEPT; i++)
		free(ev->line[i]);
}

static double unix_time(uint64_t when_ns)
{
	struct timespec ts;
	double ago = (double)(int64_t)(uv_hrtime() - when_ns) / 1e9;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9 - ago;
}

static void keep(struct events *ev, char *line)
{
	char **slot = &ev->line[ev->next % EVENTS_KEPT];

	free(*slot);
	*slot = line;
	ev->next++;
	if (ev->follow)
		ev->follow(ev->follow_arg, line);
}

bool events_has_room(struct events *ev, uint64_t when_ns, const char *name)
{
	if (strncmp(name, "dns-", 4) != 0 && strcmp(name, "mapping") != 0)
		return true;
	if (when_ns - ev->dns_since > 1000000000) {
		ev->dns_since = when_ns;
		ev->dns_num = 0;
	}
	return ev->dns_num++ < EVENTS_DNS;
}

void events_put(struct events *ev, uint64_t when_ns, const char *step,
		const char *name, json_t *fields, const char *fmt, ...)
{
	char text[384];
	char *dump;
	char *line;
	va_list ap;
	json_t *o = json_pack("{s:f,s:s,s:s,s:s}", "t", unix_time(when_ns),
			      "role", ev->role, "step", step, "event", name);

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_debug("event=%s step=%s %s", name, step, text);
	if (o && fields)
		(void)json_object_update(o, fields);
	json_decref(fields);
	if (o)
		(void)json_object_set_new(o, "text", json_string(text));
	dump = o ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
	json_decref(o);
	if (!dump)
		return;
	if (asprintf(&line, "%s\n", dump) > 0)
		keep(ev, line);
	free(dump);
}

void events_each(const struct events *ev,
		 void (*fn)(void *arg, const char *line), void *arg)
{
	uint64_t first = ev->next > EVENTS_KEPT ? ev->next - EVENTS_KEPT : 0;

	for (uint64_t i = first; i < ev->next; i++)
		if (ev->line[i % EVENTS_KEPT])
			fn(arg, ev->line[i % EVENTS_KEPT]);
}
