/* SPDX-License-Identifier: MIT */
/* Who may talk to a socket of ours in the file system. */
#pragma once

#include "core/err.h"

/* Of the socket that was made there: its user, and the group, if it is not "".
 * HG_ENOENT: there is no such group; HG_ESYS: errno says why. */
int sockowner_set(const char *path, const char *group) HG_CHECK;
