/* SPDX-License-Identifier: MIT */
/* A host as it was: what a refused packet must leave untouched. */
#pragma once

#include "hip/engine.h"
#include "hip/hipjob.h"
#include "test/unit/hip/lab.h"

#define SNAP_MAX 16

struct snap {
	size_t num;
	struct assoc assoc[SNAP_MAX];
	struct assoc_keys keys[SNAP_MAX]; /* of each; zeros: none */
	bool up;
	struct sa_pair sa;
	unsigned count[HIP_EFFECT_NUM];
	uint32_t spi_num;
	uint32_t job_num;
	uint32_t registered;
	uint64_t deadline;
};

static inline void snap_assoc(struct snap *s, const struct assoc *a)
{
	ck_assert_uint_lt(s->num, SNAP_MAX);
	memcpy(&s->assoc[s->num], a, sizeof(*a));
	if (a->keys)
		memcpy(&s->keys[s->num], a->keys, sizeof(*a->keys));
	s->num++;
}

static inline void snap_take(const struct lab *lab, size_t i, struct snap *s)
{
	const struct lab_host *x = &lab->host[i];
	const struct assocs *t = &x->h->assocs;

	memset(s, 0, sizeof(*s));
	for (uint32_t n = 0; n < t->buckets; n++) {
		for (const struct assoc *a = t->bucket[n]; a; a = a->next)
			snap_assoc(s, a);
	}
	s->up = x->up;
	s->sa = x->sa;
	memcpy(s->count, x->count, sizeof(s->count));
	s->spi_num = t->spi_num;
	s->job_num = x->h->job_num;
	s->registered = x->h->registrar.num;
	s->deadline = hip_deadline(x->h);
}

/* What is not as it was, or NULL. Associations, keys, SAs, SPIs and jobs in
 * flight must be; what a reader of effects may have been told since are
 * traces, jobs and, but for `silent`, packets. */
static inline const char *snap_differs(const struct snap *is,
				       const struct snap *was, bool silent)
{
	if (is->num != was->num)
		return "the number of associations";
	if (memcmp(is->assoc, was->assoc, sizeof(is->assoc)) != 0)
		return "an association";
	if (memcmp(is->keys, was->keys, sizeof(is->keys)) != 0)
		return "keys";
	if (is->up != was->up || memcmp(&is->sa, &was->sa, sizeof(is->sa)) != 0)
		return "the SA";
	if (is->spi_num != was->spi_num || is->job_num != was->job_num)
		return "SPIs or jobs";
	if (is->registered != was->registered)
		return "registrations";
	for (int k = 0; k < HIP_EFFECT_NUM; k++) {
		if (k == HIP_SEEN || k == HIP_DROPPED || k == HIP_JOB ||
		    (k == HIP_SEND && !silent))
			continue;
		if (is->count[k] != was->count[k])
			return "what was told";
	}
	return NULL;
}

static inline void snap_same(const struct lab *lab, size_t i,
			     const struct snap *was, bool silent)
{
	const char *what;
	struct snap is;

	snap_take(lab, i, &is);
	what = snap_differs(&is, was, silent);
	ck_assert_msg(!what, "not as it was: %s", what);
}
