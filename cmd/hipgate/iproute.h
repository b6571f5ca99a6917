/* SPDX-License-Identifier: MIT */
/* What ip(8) says, as JSON. */
#pragma once

#include <jansson.h>

#include "core/err.h"

/* Runs "ip -j" with these words, up to NULL; *out: a new reference. HG_ENOENT:
 * there is no ip; HG_EINVAL: it failed; *out is then what it complained of, a
 * JSON string. */
int iproute(const char *const words[], json_t **out) HG_CHECK;
