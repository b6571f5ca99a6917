/* SPDX-License-Identifier: MIT */
/* What the verbs of the control socket show, as JSON.
 *
 * THEORY OF OPERATION
 * Control thread only, which has packets to answer, too: what takes long with
 * many peers or flows is made in pieces, and between two of them the loop
 * turns (control.c). Lists are made VIEWS_ROWS rows at a time; what counts all
 * there is, out of a snapshot that is taken in pieces (snapshot.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct flow;
struct gate;
struct sa;
struct snapshot;

enum { VIEWS_ROWS = 64 };

/* The data of a read verb (new reference), or NULL: no such verb here. */
json_t *views_make(struct gate *g, const char *verb);

/* A read verb whose data is a list that may be long. */
struct views_list {
	const char *verb;
	/* Appends the next rows, from *at on, which is 0 at first. False:
	 * those were the last. What comes and goes meanwhile may be there or
	 * not, and where a table has grown, some rows twice. */
	bool (*more)(struct gate *g, size_t *at, json_t *rows);
};
const struct views_list *views_list(const char *verb);

/* One whose data needs counts (snapshot_begin). */
struct views_counted {
	const char *verb;
	json_t *(*make)(struct gate *g, const struct snapshot *s);
};
const struct views_counted *views_counted(const char *verb);

/* One row of `sas`, of `flows`. */
json_t *views_sa(struct gate *g, struct sa *s);
json_t *views_flow(const struct flow *f);
