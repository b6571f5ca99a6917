/* SPDX-License-Identifier: MIT */
/* Routes and addresses of others that a prefix of ours would take. */
#pragma once

#include "cmd/config/config.h"

/* Looks at the kernel's routes, of all tables, before anything is changed.
 * HG_EEXIST: one overlaps, and err names both and the mend. HG_ESYS: ip
 * cannot be run, err says why. */
int conflict_find(const struct config *c, char *err, size_t cap) HG_CHECK;
