/* SPDX-License-Identifier: MIT */
/* What differs between two configurations, line by line. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "cmd/config/config.h"

/* Lines as in the file, with "+ ", "- " or "~ " before them (there now,
 * gone, changed). live: of what a reload applies; restart: of the rest. */
struct confdiff {
	json_t *live;
	json_t *restart;
};

/* Fills both arrays, which the caller gives. */
void confdiff(const struct config *was, const struct config *now,
	      struct confdiff *out);
