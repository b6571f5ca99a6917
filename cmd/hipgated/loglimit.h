/* SPDX-License-Identifier: MIT */
/* How often one event may be a line of the log.
 *
 * THEORY OF OPERATION
 * Pure. A bucket for each event, by its name: LOGLIMIT_BURST lines at once,
 * then one each LOGLIMIT_EACH_NS; at level debug, which somebody has asked
 * for, LOGLIMIT_DEBUG a second. What is held back is counted, and the count
 * goes out with the next line of that event, or by itself (loglimit_due) when
 * none comes. Strangers choose what happens here, not how it is called, so
 * there are few names; should there be more than LOGLIMIT_EVENTS, the rest
 * share one bucket.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/log.h"

enum {
	LOGLIMIT_EVENTS = 96,
	LOGLIMIT_NAME = 40,
	LOGLIMIT_BURST = 10,
	LOGLIMIT_DEBUG = 1000
};
#define LOGLIMIT_EACH_NS UINT64_C(10000000000)

struct loglimit_bucket {
	char event[LOGLIMIT_NAME];
	enum log_sub sub;
	enum log_level level;
	uint64_t full_at; /* ns: when it will have all of its tokens again */
	uint64_t held;	  /* lines, since one passed */
	uint64_t held_at; /* ns: the last of them */
};

struct loglimit {
	struct loglimit_bucket bucket[LOGLIMIT_EVENTS];
	size_t num;
};

/* May it pass? *held: lines that were held back before it. */
bool loglimit_pass(struct loglimit *l, const char *event, enum log_sub sub,
		   enum log_level level, uint64_t now, uint64_t *held);
/* A bucket that has held lines back and has been quiet for LOGLIMIT_EACH_NS;
 * its count is taken: *held. NULL: none (any more). */
const struct loglimit_bucket *loglimit_due(struct loglimit *l, uint64_t now,
					   uint64_t *held);
