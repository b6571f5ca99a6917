/* SPDX-License-Identifier: MIT */
/* One command, run to its end, with what it said. */
#pragma once

#include <stddef.h>

#include "core/err.h"

enum { SPAWN_ARGS = 32 };

/* Runs text, split at spaces (no quoting), and waits. *status is its exit
 * status (128 + n for signal n); out gets what it printed, cut to fit, on
 * one line. HG_ESYS: it could not be run, errno says why. */
int spawn_run(const char *text, int *status, char *out, size_t cap) HG_CHECK;
/* The same, its lines as they are. */
int spawn_lines(const char *text, int *status, char *out, size_t cap) HG_CHECK;
