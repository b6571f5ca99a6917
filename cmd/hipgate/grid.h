/* SPDX-License-Identifier: MIT */
/* A table for people: columns as wide as what is in them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "core/err.h"

enum { GRID_COLUMNS = 16, GRID_CELL = 272 };

struct grid;

/* The titles are borrowed; a column with right[i] is set flush right. */
int grid_new(const char *const *titles, const bool *right, size_t columns,
	     struct grid **out) HG_CHECK;
void grid_free(struct grid *g);
/* Adds a row: one text for each column, cut to fit GRID_CELL. What is not
 * printable ASCII becomes '?', and "" becomes "-". */
int grid_add(struct grid *g, const char *const *cells) HG_CHECK;
/* limit: columns of the terminal; 0: as wide as need be. */
void grid_print(const struct grid *g, size_t limit, FILE *f);
