/* SPDX-License-Identifier: MIT */
/* Who the proxy serves, as the control socket shows it. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "views.h"

/* So many lists at a time: each holds its sums until it has been read. */
enum { VIEWCLIENTS_MAX = 4 };

/* A list (views.h): a row for each client that has a flow. */
bool viewclients_more(struct gate *g, struct views_walk *w, json_t *rows);
/* NULL: nothing. */
void viewclients_free(struct viewclients *v);
