/* SPDX-License-Identifier: MIT */
/* A set of ports: inside the nat room only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"

/* Zeroed: empty. */
struct portset {
	uint16_t *list; /* sorted, while there are few; else NULL */
	uint64_t *bits; /* all 65536, once there were many; else NULL */
	uint32_t num;
	uint32_t cap; /* of list */
};

void portset_fini(struct portset *s);
/* After it the next portset_add cannot fail. */
int portset_reserve(struct portset *s) HG_CHECK;
bool portset_has(const struct portset *s, uint16_t port);
/* A port that is not there; needs a reserve before. */
void portset_add(struct portset *s, uint16_t port);
/* A port that is there. */
void portset_del(struct portset *s, uint16_t port);
/* The first port that is not there, from `start` on to 65535 and then from
 * `first` on (start >= first). False: all from first on are. */
bool portset_absent(const struct portset *s, uint16_t first, uint16_t start,
		    uint16_t *out);
