/* SPDX-License-Identifier: MIT */
/* The daemon's lists, as columns for people. */
#pragma once

#include <jansson.h>
#include <stddef.h>

#include "core/err.h"

/* HG_ENOENT: there is no list by that verb's name. */
int columns_print(const char *verb, const json_t *data) HG_CHECK;
/* A time of so many seconds, as "1m01s". */
void columns_seconds(double v, char *out, size_t cap);
