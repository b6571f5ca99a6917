/* SPDX-License-Identifier: MIT */
/* Files that the tool writes, for their owner alone. */
#pragma once

#include <stdio.h>

/* A file that was not there before: ours of that name goes, another's, or a
 * link, is refused. NULL: verb_fail has said why. */
FILE *outfile_new(const char *path);
/* Our file, made or emptied, or a device or pipe. NULL: as above. */
FILE *outfile_open(const char *path);
