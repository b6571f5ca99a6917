/* SPDX-License-Identifier: MIT */
/* Private key files: made so that nobody else ever sees one. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "hip/hip.h"

/* Writes id to a new file of mode 0600. replace: takes the place of one
 * that is there, whole or not at all. On error, errbuf holds one sentence
 * and nothing is left. */
int keyfile_write(const char *path, const struct hip_identity *id, bool replace,
		  char *errbuf, size_t errlen) HG_CHECK;
/* Reads one; refuses a file that others can read. */
int keyfile_read(const char *path, struct hip_identity **out, char *errbuf,
		 size_t errlen) HG_CHECK;
