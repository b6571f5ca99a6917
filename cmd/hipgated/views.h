/* SPDX-License-Identifier: MIT */
/* What the verbs of the control socket show, as JSON. */
#pragma once

#include <jansson.h>

struct flow;
struct gate;
struct sa;

/* The data of a read verb (new reference), or NULL: no such verb. */
json_t *views_make(struct gate *g, const char *verb);
/* One row of `sas`, of `flows`. */
json_t *views_sa(struct gate *g, struct sa *s);
json_t *views_flow(const struct flow *f);
