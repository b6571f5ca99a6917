/* SPDX-License-Identifier: MIT */
/* How often one event may be a line of the log; see loglimit.h. */
#include "loglimit.h"

#include <string.h>

static struct loglimit_bucket *bucket_of(struct loglimit *l, const char *event,
					 enum log_level level)
{
	size_t len = strnlen(event, LOGLIMIT_NAME - 1);
	struct loglimit_bucket *b;

	for (size_t i = 0; i < l->num; i++) {
		b = &l->bucket[i];
		if (strlen(b->event) == len &&
		    memcmp(b->event, event, len) == 0 &&
		    (b->level == LOG_LEVEL_DEBUG) == (level == LOG_LEVEL_DEBUG))
			return b;
	}
	if (l->num == LOGLIMIT_EVENTS)
		return &l->bucket[LOGLIMIT_EVENTS - 1];
	b = &l->bucket[l->num++];
	memcpy(b->event, event, len);
	b->event[len] = '\0';
	return b;
}

/* Full when now has reached full_at; each line takes a token, which is
 * `each` ns. */
bool loglimit_pass(struct loglimit *l, const char *event, enum log_sub sub,
		   enum log_level level, uint64_t now, uint64_t *held)
{
	bool debug = level == LOG_LEVEL_DEBUG;
	uint64_t each = debug ? UINT64_C(1000000000) / LOGLIMIT_DEBUG
			      : LOGLIMIT_EACH_NS;
	uint64_t burst = debug ? LOGLIMIT_DEBUG : LOGLIMIT_BURST;
	struct loglimit_bucket *b = bucket_of(l, event, level);
	uint64_t from = b->full_at > now ? b->full_at : now;

	b->sub = sub;
	b->level = level;
	*held = b->held;
	if (from + each - now > burst * each) {
		b->held++;
		b->held_at = now;
		return false;
	}
	b->full_at = from + each;
	b->held = 0;
	return true;
}

const struct loglimit_bucket *loglimit_due(struct loglimit *l, uint64_t now,
					   uint64_t *held)
{
	for (size_t i = 0; i < l->num; i++) {
		struct loglimit_bucket *b = &l->bucket[i];

		if (!b->held || now - b->held_at < LOGLIMIT_EACH_NS)
			continue;
		*held = b->held;
		b->held = 0;
		return b;
	}
	return NULL;
}
