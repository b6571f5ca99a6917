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
#include "logfields.h"

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

/* ---- their lines in the log --------------------------------------------- */

/* Those that an administrator wants to know of; all others are there for who
 * asks (debug). */
static const struct {
	const char *name;
	enum log_sub sub;
	enum log_level level;
} logged[] = {
	{ "hip-failed", LOG_SUB_HIP, LOG_LEVEL_WARN },
	{ "opportunistic", LOG_SUB_HIP, LOG_LEVEL_WARN },
	{ "registered", LOG_SUB_HIP, LOG_LEVEL_INFO },
	{ "register-refused", LOG_SUB_HIP, LOG_LEVEL_WARN },
	{ "register-unanswered", LOG_SUB_HIP, LOG_LEVEL_WARN },
	{ "register-lost", LOG_SUB_HIP, LOG_LEVEL_INFO },
	{ "dns-loop", LOG_SUB_DNS, LOG_LEVEL_ERROR },
	{ "dns-deaf", LOG_SUB_DNS, LOG_LEVEL_WARN },
	{ "dns-hears", LOG_SUB_DNS, LOG_LEVEL_INFO },
	{ "forget", LOG_SUB_DNS, LOG_LEVEL_INFO },
	{ "reload", LOG_SUB_CONTROL, LOG_LEVEL_INFO },
	{ "clock-leapt", LOG_SUB_PATH, LOG_LEVEL_INFO },
	{ "addresses", LOG_SUB_PATH, LOG_LEVEL_INFO },
};

/* What the others are about, by how their names begin. */
static const struct {
	const char *begins;
	enum log_sub sub;
} about[] = {
	{ "dns-", LOG_SUB_DNS },	 { "mapping", LOG_SUB_DNS },
	{ "hip-", LOG_SUB_HIP },	 { "identity", LOG_SUB_HIP },
	{ "registration", LOG_SUB_HIP }, { "sa-", LOG_SUB_ESP },
	{ "flow", LOG_SUB_NAT },	 { "first-", LOG_SUB_NAT },
	{ "to-legacy", LOG_SUB_NAT },	 { "path", LOG_SUB_PATH },
};

static void log_of(const char *name, enum log_sub *sub, enum log_level *level)
{
	*sub = LOG_SUB_CONTROL;
	*level = LOG_LEVEL_DEBUG;
	for (size_t i = 0; i < sizeof(about) / sizeof(about[0]); i++)
		if (strncmp(name, about[i].begins, strlen(about[i].begins)) ==
		    0)
			*sub = about[i].sub;
	for (size_t i = 0; i < sizeof(logged) / sizeof(logged[0]); i++) {
		if (strcmp(name, logged[i].name) != 0)
			continue;
		*sub = logged[i].sub;
		*level = logged[i].level;
	}
}

/* A list is not for a line; the text says what matters of it. */
static void log_field(char *line, size_t cap, const char *key, const json_t *v)
{
	char number[32];

	if (json_is_string(v) && json_string_length(v))
		logfields_add(line, cap, key, json_string_value(v));
	if (json_is_boolean(v))
		logfields_add(line, cap, key, json_is_true(v) ? "yes" : "no");
	if (!json_is_integer(v))
		return;
	(void)snprintf(number, sizeof(number), "%lld",
		       (long long)json_integer_value(v));
	logfields_add(line, cap, key, number);
}

static void log_event(const char *step, const char *name, json_t *fields,
		      const char *text)
{
	char line[1000];
	enum log_sub sub;
	enum log_level level;
	const char *key;
	json_t *v;

	log_of(name, &sub, &level);
	if (!log_wants(sub, level))
		return;
	(void)snprintf(line, sizeof(line), "event=%s", name);
	if (step[0])
		logfields_add(line, sizeof(line), "step", step);
	json_object_foreach(fields, key, v)
		log_field(line, sizeof(line), key, v);
	logfields_add(line, sizeof(line), "text", text);
	log_line(sub, level, "%s", line);
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
	log_event(step, name, fields, text);
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
