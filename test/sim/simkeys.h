/* SPDX-License-Identifier: MIT */
/* Keys of the simulated hosts: fixed, so that a seed repeats a run. */
#pragma once

#define SIMKEYS_NUM 3
/* PEM. */
extern const char *const simkeys[SIMKEYS_NUM];
