/* SPDX-License-Identifier: MIT */
/* Keys of the simulated hosts: fixed, so that a seed repeats a run. */
#pragma once

#include <stddef.h>

#include "hip/hip.h"

/* Loads all keys of algorithms this build has; false: an algorithm of
 * enum hip_alg has no key here. */
bool simkeys_load(void);
void simkeys_free(void);
/* How many can be had as hosts' keys. */
size_t simkeys_num(void);
/* A reference to one of them. */
struct hip_identity *simkeys_take(size_t i);
/* One that is no host's; borrowed. */
const struct hip_identity *simkeys_stranger(void);
