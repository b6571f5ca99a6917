/* SPDX-License-Identifier: MIT */
/* The configuration file read again, and what of it is applied at once. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "core/err.h"

struct gate;

/* Reads g->path and applies what can be without a restart. *out: {"applied":
 * [line...], "restart": [line...]}, new reference. On error nothing has
 * changed, and errbuf holds one sentence that names file and line. */
int reload(struct gate *g, json_t **out, char *errbuf, size_t errlen) HG_CHECK;
