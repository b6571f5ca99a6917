/* SPDX-License-Identifier: MIT */
/* Counts and refuses the hip room's allocations (linked with --wrap). */
#pragma once

/* Calls of malloc, calloc and realloc by this executable, not by shared
 * libraries, since the test last looked. */
extern unsigned long alloc_calls;
/* So many more succeed, the next one fails; below 0: none fails. */
extern long alloc_left;
