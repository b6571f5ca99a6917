/* SPDX-License-Identifier: MIT */
/* All chance of a run: one generator with a seed, libsodium's too. */
#pragma once

#include <stdint.h>

struct simchance {
	uint64_t s[2]; /* xorshift128+ */
};

/* Sets the seed; from here on libsodium draws from c, which must live until
 * the next call. */
void simchance_use(struct simchance *c, uint64_t seed);
/* 0 .. n - 1; 0 for n = 0. */
uint64_t simchance_below(struct simchance *c, uint64_t n);
