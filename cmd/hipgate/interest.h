/* SPDX-License-Identifier: MIT */
/* Which events are about one HIP host. */
#pragma once

#include <stdbool.h>

#include <jansson.h>

#include "core/err.h"

struct interest;

/* what: a name or a HIT; NULL: everything. */
int interest_new(const char *what, struct interest **out) HG_CHECK;
void interest_free(struct interest *i);
/* A HIT or an address of the same host. */
void interest_add(struct interest *i, const char *what);
bool interest_has(struct interest *i, const json_t *event);
