/* SPDX-License-Identifier: MIT */
/* The key that DNSSEC begins with, kept as it rolls (RFC 5011).
 *
 * THEORY OF OPERATION
 * `trust-anchor` is the administrator's, whom alone it is to be written by;
 * so the validator has a copy in the state folder, and rewrites that as keys
 * come and go. Beside the copy stands what it was made from, octet for octet:
 * when the administrator's file is another one, by his hand or a package's,
 * it counts anew, and what was learnt since is forgotten. A key of a roll that
 * this machine slept through altogether comes in that way only.
 */
#pragma once

#include <stddef.h>

#include "core/err.h"

enum { ANCHOR_PATH = 320, ANCHOR_MAX = 64 << 10 };

/* out: the file the validator is to use, in the folder `state`. errbuf: a
 * sentence for a person. */
int anchor_copy(const char *from, const char *state, char out[ANCHOR_PATH],
		char *errbuf, size_t errlen) HG_CHECK;
