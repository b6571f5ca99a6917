/* SPDX-License-Identifier: MIT */
/* What this thread has done that the packet path must not (style.md 32): of
 * the program and of all libraries it calls. Counted from the start on. */
#pragma once

enum quiet_what { QUIET_HEAP, QUIET_LOCK, QUIET_CLOCK, QUIET_LOG, QUIET_NUM };

extern _Thread_local unsigned quiet_seen[QUIET_NUM];

/* Once, before anything is counted. */
void quiet_begin(void);
