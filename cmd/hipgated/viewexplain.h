/* SPDX-License-Identifier: MIT */
/* Why a name or an address is what it is to this daemon. */
#pragma once

#include <stddef.h>

#include <jansson.h>

#include "core/err.h"

struct gate;

/* The verb `explain`. req: "name": a name, a HIT or an address; "from": the
 * client whose packet is judged, may be missing. */
int viewexplain(struct gate *g, const json_t *req, json_t **data, char *errbuf,
		size_t errlen) HG_CHECK;
