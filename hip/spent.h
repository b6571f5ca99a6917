/* SPDX-License-Identifier: MIT */
/* Puzzle solutions that have been accepted once: no second time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPENT_SETS 8192
#define SPENT_WAYS 8

struct spent_mark {
	uint64_t print; /* keyed hash of (HITs, #I, #J); 0: empty */
	uint64_t until; /* ns; after it the R1 is too old anyway */
};

struct spent {
	uint8_t key[16];
	struct spent_mark *mark; /* SPENT_SETS * SPENT_WAYS */
	uint64_t floor; /* what lapses by then may have been forgotten */
};

int spent_init(struct spent *s) __attribute__((warn_unused_result));
void spent_fini(struct spent *s);
/* What stands for these octets in this table. */
uint64_t spent_print(const struct spent *s, const void *data, size_t len);
bool spent_has(const struct spent *s, uint64_t print, uint64_t now);
/* Might one that lapses at `until` have been added and forgotten? */
bool spent_too_old(const struct spent *s, uint64_t until);
/* Full set: the mark that would lapse first gives way. */
void spent_add(struct spent *s, uint64_t print, uint64_t until, uint64_t now);
