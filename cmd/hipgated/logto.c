/* SPDX-License-Identifier: MIT */
/* Where lines of the log go; see logto.h. */
#include "logto.h"

#include <ctype.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>
#define SD_JOURNAL_SUPPRESS_LOCATION /* the event says which line it is */
#include <systemd/sd-journal.h>

#include "logfields.h"
#include "loglimit.h"

enum { FIELDS = 24, TEXT = 1200 };

/* The log's sink is one (style.md 14). */
static struct {
	pthread_mutex_t lock;
	struct loglimit limit;
	bool journal; /* const after start: standard error is the journal's */
	bool fields;  /* the same: and it takes fields, too */
} to = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* Events that programs wait for; made by `journalctl --new-id128`. */
static const struct {
	const char *event;
	const char *id;
} ids[] = {
	{ "ready", "e8ee5bac9c9348238d84d54e2d90f96f" },
	{ "stopped", "17d16053723442d58e8b4232eb0ab557" },
	{ "not-ready", "fabd9d2c07b44226a323a6737cfcfa61" },
	{ "ready-again", "f2b41569d8854f54a7e71dd1f74a1ef2" },
	{ "hip-failed", "382e3c941ff3499ca714ca1cce0055d6" },
	{ "dns-loop", "11fc9256f052417fac1fb44a47c96cc0" },
	{ "reload", "5a73538029c342b1bf8392a7bd72006d" },
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail */
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* ---- the journal ------------------------------------------------------------- */

struct entry {
	char text[FIELDS][LOGFIELDS_KEY + LOGFIELDS_VALUE + 16];
	struct iovec iov[FIELDS];
	int num;
};

static void add(struct entry *e, const char *key, const char *value)
{
	char *text = e->text[e->num];
	int n;

	if (e->num == FIELDS)
		return;
	n = snprintf(text, sizeof(e->text[0]), "%s=%s", key, value);
	if (n < 0)
		return;
	e->iov[e->num].iov_base = text;
	e->iov[e->num].iov_len = strlen(text);
	e->num++;
}

/* HIPGATE_PEER for peer, HIPGATE_LIFETIME_S for lifetime_s. */
static void add_field(struct entry *e, const struct logfield *f)
{
	char key[LOGFIELDS_KEY + 16] = "HIPGATE_";
	size_t n = strlen(key);

	for (const char *c = f->key; *c; c++)
		key[n++] = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	key[n] = '\0';
	add(e, key, f->value);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strcmp(f->key, "event") == 0 &&
		    strcmp(f->value, ids[i].event) == 0)
			add(e, "MESSAGE_ID", ids[i].id);
}

/* False: it does not take it. */
static bool to_journal(enum log_sub sub, enum log_level level, const char *line)
{
	static const char *const priority[LOG_LEVEL_NUM] = { "3", "4", "6",
							     "7" };
	static struct entry e; /* under the lock */
	char message[TEXT];
	struct logfield f;

	e.num = 0;
	(void)snprintf(message, sizeof(message), "MESSAGE=%s", line);
	e.iov[e.num].iov_base = message;
	e.iov[e.num++].iov_len = strlen(message);
	add(&e, "PRIORITY", priority[level]);
	add(&e, "SYSLOG_IDENTIFIER", "hipgated");
	add(&e, "HIPGATE_SUBSYSTEM", log_sub_name(sub));
	while (e.num < FIELDS - 1 && logfields_next(&line, &f))
		add_field(&e, &f);
	return sd_journal_sendv(e.iov, e.num) == 0;
}

/* ---- standard error ----------------------------------------------------------- */

/* The journal's own, which did not take the fields: it has a clock, and takes
 * the level from the line's beginning (sd-daemon(3)). */
static void to_pipe(enum log_sub sub, enum log_level level, const char *line)
{
	static const char *const levels[LOG_LEVEL_NUM] = { SD_ERR, SD_WARNING,
							   SD_INFO, SD_DEBUG };

	(void)fprintf(stderr, "%ssub=%s %s\n", levels[level], log_sub_name(sub),
		      line);
}

static void to_stderr(enum log_sub sub, enum log_level level, const char *line)
{
	struct timespec ts;
	struct tm tm;
	char when[32];

	(void)clock_gettime(CLOCK_REALTIME, &ts); /* cannot fail */
	(void)gmtime_r(&ts.tv_sec, &tm);
	(void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)fprintf(stderr, "time=%s.%03ldZ level=%s sub=%s %s\n", when,
		      ts.tv_nsec / 1000000, log_level_name(level),
		      log_sub_name(sub), line);
}

static void put(enum log_sub sub, enum log_level level, const char *line)
{
	if (!to.journal)
		to_stderr(sub, level, line);
	else if (!to.fields || !to_journal(sub, level, line))
		to_pipe(sub, level, line);
}

/* ---- the sink ------------------------------------------------------------------ */

static void sink(void *arg, enum log_sub sub, enum log_level level,
		 const char *line)
{
	char event[LOGLIMIT_NAME];
	char more[TEXT];
	uint64_t held;

	(void)arg;
	logfields_event(line, event, sizeof(event));
	pthread_mutex_lock(&to.lock);
	if (loglimit_pass(&to.limit, event, sub, level, now_ns(), &held)) {
		if (held) {
			(void)snprintf(more, sizeof(more),
				       "%s held_back=%" PRIu64, line, held);
			line = more;
		}
		put(sub, level, line);
	}
	pthread_mutex_unlock(&to.lock);
}

void logto_flush(uint64_t now)
{
	const struct loglimit_bucket *b;
	char line[128];
	uint64_t held;

	pthread_mutex_lock(&to.lock);
	while ((b = loglimit_due(&to.limit, now, &held))) {
		(void)snprintf(line, sizeof(line),
			       "event=held-back of=%s held_back=%" PRIu64,
			       b->event, held);
		put(b->sub, b->level, line);
	}
	pthread_mutex_unlock(&to.lock);
}

/* Is standard error what JOURNAL_STREAM says? */
static bool is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	return s && sscanf(s, "%llu:%llu", &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev &&
	       st.st_ino == ino;
}

void logto_start(void)
{
	to.journal = is_journal();
	/* Where it is not, as in a chroot, libsystemd says nothing. */
	to.fields = access("/run/systemd/journal/socket", W_OK) == 0;
	log_set_sink(sink, NULL, LOG_LEVEL_INFO);
}

void logto_levels(const struct config *c)
{
	for (unsigned s = 0; s < LOG_SUB_NUM; s++)
		log_set_level((enum log_sub)s,
			      config_log_level(c, (enum log_sub)s));
}
