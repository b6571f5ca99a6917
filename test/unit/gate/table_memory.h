/* SPDX-License-Identifier: MIT */
/* Refuses memory to tables (linked with --wrap=aligned_alloc). */
#pragma once

#include <stdbool.h>

/* Does aligned_alloc of the daemon's own code find none? */
extern bool table_memory_gone;
