/* SPDX-License-Identifier: MIT */
/* What the verbs of the control socket show, as JSON.
 *
 * THEORY OF OPERATION
 * Control thread only, which has packets to answer, too: what takes long with
 * many peers or flows is made in pieces, and between two of them the loop
 * turns (control.c). Lists are made VIEWS_ROWS rows at a time, where need be out
 * of sums that are added up before (viewclients.h); what counts all there is,
 * out of a snapshot that is taken in pieces (snapshot.h). explain looks for
 * what it tells in pieces, too (viewexplain.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct flow;
struct gate;
struct sa;
struct snapshot;
struct viewclients;

enum {
	VIEWS_ROWS = 64,
	VIEWS_SEEN = 512, /* of what is looked at and makes no row */
};

/* The data of a read verb (new reference), or NULL: no such verb here. */
json_t *views_make(struct gate *g, const char *verb);

/* How far a list has been made; all zero at first. */
struct views_walk {
	size_t at;
	struct viewclients *sums;
	const char *why; /* it cannot be made; or NULL */
};
void views_give_up(struct views_walk *w);

/* A read verb whose data is a list that may be long. */
struct views_list {
	const char *verb;
	/* Appends the next rows, if any. False: those were the last, or `why`.
	 * What comes and goes meanwhile may be there or not, and where a table
	 * has grown, some rows twice and others not at all. */
	bool (*more)(struct gate *g, struct views_walk *w, json_t *rows);
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
