/* SPDX-License-Identifier: MIT */
/* The daemon's control socket, from the asking side: one line of JSON out,
 * lines of JSON in. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/err.h"

enum { ASK_TIMEOUT_S = 10, ASK_VERSION = 1 };

struct ask;

/* Connects. path NULL: where hipgated usually listens. On error, errbuf holds
 * one sentence. HG_EPERM: the socket is not for us; HG_ESYS: nobody is there.
 */
int ask_new(const char *path, struct ask **out, char *errbuf,
	    size_t errlen) HG_CHECK;
/* So long a line may take from now on; 0: for ever. At first it is
 * ASK_TIMEOUT_S. */
void ask_wait(struct ask *a, unsigned seconds);
/* Before what may take long: does it answer at all? */
int ask_alive(const char *path, char *errbuf, size_t errlen) HG_CHECK;
int ask_send(struct ask *a, json_t *request, char *errbuf,
	     size_t errlen) HG_CHECK;
/* The next line. HG_ENOENT: the daemon has hung up; HG_EAGAIN: it does not
 * answer; HG_EFORMAT: it is no hipgated. */
int ask_line(struct ask *a, json_t **out, char *errbuf, size_t errlen) HG_CHECK;
/* Is that an answer with "ok", of our protocol? Else HG_EPERM: it is not for
 * us; HG_EUNSUPP: the daemon is of another version; HG_EINVAL: it says no. */
int ask_judge(const json_t *answer, char *errbuf, size_t errlen) HG_CHECK;
/* Of an answer that is none we know: errbuf says so. Returns HG_EFORMAT. */
int ask_strange(char *errbuf, size_t errlen);
/* One question, one answer: its "data", a new reference. Takes request. */
int ask_data(struct ask *a, json_t *request, json_t **data, char *errbuf,
	     size_t errlen) HG_CHECK;
/* All of it: connects, asks, hangs up. */
int ask_once(const char *path, json_t *request, json_t **data, char *errbuf,
	     size_t errlen) HG_CHECK;
/* What follows the lines: octets, as read(2). A signal may end it early. */
ssize_t ask_octets(struct ask *a, void *buf, size_t len);
/* Where that socket is. */
const char *ask_path(const struct ask *a);
void ask_free(struct ask *a);
