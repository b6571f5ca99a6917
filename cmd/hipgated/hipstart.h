/* SPDX-License-Identifier: MIT */
/* What the configuration says, given to the HIP engine. */
#pragma once

#include <stddef.h>

#include "gate.h"

/* Makes the engine with all that g->cfg says. On error errbuf holds one
 * sentence. */
int hipstart(struct gate *g, char *errbuf, size_t errlen) HG_CHECK;
/* Reads and judges the key; the identity is the caller's. */
int hipstart_read_key(const char *path, struct hip_identity **out, char *errbuf,
		      size_t errlen) HG_CHECK;
/* Takes id; the next of g->selves. */
int hipstart_add_identity(struct gate *g, const char *path, bool anonymous,
			  struct hip_identity *id) HG_CHECK;
/* The rules of c, in place of those before. */
int hipstart_access(struct gate *g, const struct config *c) HG_CHECK;
/* Where a host of a [peer] section is. */
void hipstart_peer(struct gate *g, const struct config_peer *c);
