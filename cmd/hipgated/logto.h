/* SPDX-License-Identifier: MIT */
/* Where lines of the log go: the journal with fields, or standard error.
 *
 * THEORY OF OPERATION
 * The one sink of the process, under a lock, since any thread may log.
 * Standard error that is the journal's (systemd.exec(5): JOURNAL_STREAM names
 * its device and inode) has lines go to the journal by its own protocol, with
 * each key=value as a field HIPGATE_KEY, so that `journalctl
 * HIPGATE_PEER=...` finds them; else they are written with a time and level.
 * Each event is held to loglimit.h.
 */
#pragma once

#include <stdint.h>

#include "cmd/config/config.h"

/* Before any thread starts. */
void logto_start(void);
/* The levels of the configuration, for all subsystems. */
void logto_levels(const struct config *c);
/* Says what was held back; once a second. now UINT64_MAX: all of it. */
void logto_flush(uint64_t now);
