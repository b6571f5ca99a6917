/* SPDX-License-Identifier: MIT */
/* The daemon's control socket, from the asking side: one line of JSON out,
 * lines of JSON in. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

enum { ASK_TIMEOUT_S = 10, ASK_VERSION = 1 };

struct ask;

/* Connects and asks. path NULL: where hipgated usually listens. wait: the
 * answer may take for ever. On error, errbuf holds one sentence. */
int ask_new(const char *path, bool wait, struct ask **out, char *errbuf,
	    size_t errlen) HG_CHECK;
int ask_send(struct ask *a, json_t *request, char *errbuf,
	     size_t errlen) HG_CHECK;
/* The next line. HG_ENOENT: the daemon has hung up. */
int ask_line(struct ask *a, json_t **out, char *errbuf, size_t errlen) HG_CHECK;
void ask_free(struct ask *a);
