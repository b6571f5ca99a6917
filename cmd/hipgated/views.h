/* SPDX-License-Identifier: MIT */
/* What the verbs of the control socket show, as JSON. */
#pragma once

#include <jansson.h>

struct gate;

/* The data of a read verb (new reference), or NULL: no such verb. */
json_t *views_make(struct gate *g, const char *verb);
