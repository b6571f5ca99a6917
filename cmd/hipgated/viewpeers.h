/* SPDX-License-Identifier: MIT */
/* Associations and their paths, as the control socket shows them. */
#pragma once

#include <jansson.h>

#include "gate.h"
#include "views.h"

/* Lists (views.h): associations, each with its paths and what became of them;
 * the paths of all; what became of the paths of all. */
bool viewpeers_peers(struct gate *g, struct views_walk *w, json_t *rows);
bool viewpeers_paths(struct gate *g, struct views_walk *w, json_t *rows);
bool viewpeers_moves(struct gate *g, struct views_walk *w, json_t *rows);
/* One row of `peers`; a new reference or NULL. */
json_t *viewpeers_one(struct gate *g, const struct hip_peer *p);
