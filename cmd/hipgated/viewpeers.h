/* SPDX-License-Identifier: MIT */
/* Associations and their paths, as the control socket shows them; each is a
 * new reference or NULL. */
#pragma once

#include <jansson.h>

#include "gate.h"

/* All associations, each with its paths and what became of them. */
json_t *viewpeers_peers(struct gate *g);
json_t *viewpeers_one(struct gate *g, const struct hip_peer *p);
/* The paths of all of them; what became of the paths of all. */
json_t *viewpeers_paths(struct gate *g);
json_t *viewpeers_moves(struct gate *g);
