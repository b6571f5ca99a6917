/* SPDX-License-Identifier: MIT */
/* A snapshot as OpenMetrics text (the OpenMetrics specification 1.0). */
#pragma once

#include "procinfo.h"
#include "snapshot.h"
#include "textout.h"

#define METRICS_TYPE                                                           \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"

enum { METRICS_MAX = 65536 }; /* octets: product.md T30 */

void metrics_render(const struct snapshot *s, const struct procinfo *p,
		    struct textout *t);
