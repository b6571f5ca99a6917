/* SPDX-License-Identifier: MIT */
/* An answer of the control socket that is made piece by piece (views.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "snapshot.h"
#include "views.h"

struct gate;
struct viewexplain;

/* All zero: none is made. */
struct pieces {
	const struct views_list *list;
	struct views_walk at; /* its */
	const struct views_counted *counted;
	struct snapshot_walk walk; /* its */
	struct viewexplain *explain;
	bool said;	 /* the line has begun */
	bool rows;	 /*  and there are some in it */
	const char *why; /* pieces_why */
};

/* False: that verb's answer is none of these. */
bool pieces_begin(struct pieces *p, const char *verb);
/* The answer to `explain`, as viewexplain_begin has it. */
int pieces_explain(struct pieces *p, struct gate *g, const json_t *req,
		   char *errbuf, size_t errlen) HG_CHECK;
bool pieces_are_made(const struct pieces *p);
/* The next piece of the line, heap, perhaps "". NULL: it cannot be made, and
 * the answer is none, or, where it was `said` before, cut short. After the last
 * one none is made, and nothing is said. */
char *pieces_next(struct pieces *p, struct gate *g);
/* After that NULL: the reason, for people. */
const char *pieces_why(const struct pieces *p);
void pieces_give_up(struct pieces *p);
