/* SPDX-License-Identifier: MIT */
/* What passed lately: a ring of one sample a second for five minutes, and
 * one of a sample each ten seconds for an hour.
 *
 * THEORY OF OPERATION
 * Control thread only; who draws gets a copy. A sample holds counts since the
 * start, so a difference of two is what passed between them, whatever was
 * missed; its time is said, for a busy second may be longer than one.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/reason.h"

enum sample_kind {
	SAMPLE_OUT_BYTES, /* ESP's payloads, as tables.h has them */
	SAMPLE_IN_BYTES,
	SAMPLE_DNS, /* answers */
	SAMPLE_BEX, /* exchanges that succeeded, */
	SAMPLE_BEX_FAILED,
	SAMPLE_DROPS, /* + enum reason_stage */
	SAMPLE_NUM = SAMPLE_DROPS + REASON_STAGE_NUM
};

struct sample {
	uint64_t t; /* ns */
	uint64_t v[SAMPLE_NUM];
};

enum {
	SAMPLES_FINE = 301,   /* one a second: five minutes between them */
	SAMPLES_COARSE = 361, /* one in ten: an hour */
	SAMPLES_STEP = 10
};

struct samples {
	struct sample fine[SAMPLES_FINE];
	struct sample coarse[SAMPLES_COARSE];
	uint64_t num; /* taken in all */
};

/* Once a second. */
void samples_add(struct samples *s, const struct sample *x);
/* Of the finer ring, or the coarser: how many, and the i-th, 0 the oldest. */
size_t samples_num(const struct samples *s, int coarse);
const struct sample *samples_at(const struct samples *s, int coarse, size_t i);
