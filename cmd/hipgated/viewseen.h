/* SPDX-License-Identifier: MIT */
/* Metrics, health and log levels, as the control socket shows them. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "core/err.h"

struct gate;
struct snapshot;

/* {"type", "text"}: OpenMetrics. */
json_t *viewseen_metrics(struct gate *g, const struct snapshot *s);
/* {"ready", "why"} */
json_t *viewseen_health(struct gate *g);
/* [{"subsystem", "level", "configured"}] */
json_t *viewseen_log(struct gate *g);

/* The verb that sets a level ("subsystem", or "all"; "level") until the next
 * reload. errbuf: a sentence for the person who asked. */
int viewseen_set_log(struct gate *g, const json_t *req, json_t **data,
		     char *errbuf, size_t errlen);
