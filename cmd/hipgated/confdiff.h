/* SPDX-License-Identifier: MIT */
/* What differs between two configurations, line by line. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "cmd/config/config.h"

/* Lines as in the file, with "+ ", "- " or "~ " before them (there now,
 * gone, changed). live: of what a reload applies; restart: of the rest. */
struct confdiff {
	json_t *live;
	json_t *restart;
};

/* Do both ask for the same? */
bool confdiff_same_register(const struct config_register *a,
			    const struct config_register *b);
/* Are the DNS servers of `now` for what runs? Else they wait for a restart,
 * all of them: with a role, a listener, a prefix or a proof that do. */
bool confdiff_servers_live(const struct config *was, const struct config *now);
/* Fills both arrays, which the caller gives. */
void confdiff(const struct config *was, const struct config *now,
	      struct confdiff *out);
