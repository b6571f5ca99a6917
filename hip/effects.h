/* SPDX-License-Identifier: MIT */
/* The queue of what the engine wants done: values, oldest first. */
#pragma once

#include "hip/hip.h"

/* Traces (SEEN, DROPPED) that may wait; beyond it the oldest trace goes.
 * All other effects stay: one call makes only a few of them and callers
 * drain after each call. */
#define EFFECTS_TRACES_MAX 1024

struct effects_node;

struct effects {
	struct effects_node *head; /* oldest */
	struct effects_node *tail;
	struct effects_node *thead; /* the traces among them, oldest */
	struct effects_node *ttail;
	struct effects_node *spare; /* for reuse: no malloc in steady state */
	struct effects_node *taken; /* lives until the next take */
	uint32_t traces;
	uint64_t lost;		   /* effects dropped for want of memory */
	struct hip_effect scratch; /* written to when memory is short */
};

void effects_fini(struct effects *fx);
/* A new last effect of this kind, zeroed, to be filled in at once. Never
 * NULL: without memory it is a scratch value nobody will read. */
struct hip_effect *effects_put(struct effects *fx, enum hip_effect_kind kind);
/* The same for HIP_SEND with a copy of the message. */
struct hip_effect *effects_send(struct effects *fx, const uint8_t *msg,
				size_t len);
/* HIP_JOB: HG_ENOMEM leaves the job with the caller. */
int effects_job(struct effects *fx, struct hip_job *job) HG_CHECK;
bool effects_take(struct effects *fx, struct hip_effect *out);
