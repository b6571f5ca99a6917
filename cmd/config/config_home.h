/* SPDX-License-Identifier: MIT */
/* A user's own daemon: its files are in the folders of that user. */
#pragma once

#include <sys/types.h>

#include "cmd/config/config.h"

/* Where the configuration of this user is: root's, and that of whoever has
 * none of his own, is the system's. out: room for it. */
const char *config_home_file(uid_t who, char out[CONFIG_PATH]);
/* The defaults of a file in the user's folder: state and control are in his
 * other ones. */
void config_home_defaults(struct config *c, const char *file);
/* Makes the folders of such defaults where they are not there; what cannot be
 * made is told by whoever needs it. */
void config_home_make(const struct config *c);
