/* SPDX-License-Identifier: MIT */
/* A host as it was: what a refused packet must leave untouched. */
#pragma once

#include "hip/engine.h"
#include "hip/hipjob.h"
#include "test/unit/hip/lab.h"

#define SNAP_MAX 16

struct snap {
	size_t num;
	struct hip_peer peer[SNAP_MAX];
	struct assoc assoc[SNAP_MAX];
	bool up;
	struct sa_pair sa;
	unsigned count[HIP_EFFECT_NUM];
	uint32_t spi_num;
	uint32_t job_num;
};

static inline void snap_peer(const struct hip_peer *p, void *arg)
{
	struct snap *s = arg;

	ck_assert_uint_lt(s->num, SNAP_MAX);
	s->peer[s->num++] = *p;
}

static inline void snap_take(const struct lab *lab, size_t i, struct snap *s)
{
	const struct lab_host *x = &lab->host[i];

	memset(s, 0, sizeof(*s));
	hip_each_peer(x->h, snap_peer, s);
	for (size_t n = 0; n < s->num; n++)
		memcpy(&s->assoc[n],
		       assoc_find(&x->h->assocs, &s->peer[n].self,
				  &s->peer[n].peer),
		       sizeof(s->assoc[n]));
	s->up = x->up;
	s->sa = x->sa;
	memcpy(s->count, x->count, sizeof(s->count));
	s->spi_num = x->h->assocs.spi_num;
	s->job_num = x->h->job_num;
}

static inline void snap_same_peer(const struct hip_peer *a,
				  const struct hip_peer *b)
{
	ck_assert(hit_eq(&a->self, &b->self) && hit_eq(&a->peer, &b->peer));
	ck_assert_str_eq(hip_state_name(a->state), hip_state_name(b->state));
	ck_assert_int_eq(a->initiator, b->initiator);
	ck_assert(endpoint_eq(&a->peer_at, &b->peer_at));
	ck_assert_uint_eq(a->spi_in, b->spi_in);
	ck_assert_uint_eq(a->spi_out, b->spi_out);
	ck_assert_uint_eq(a->esp_suite, b->esp_suite);
	ck_assert_uint_eq(a->since, b->since);
}

/* Associations, SAs, SPIs and jobs in flight are exactly as they were; what
 * a reader of effects has been told since are traces, jobs and, but for
 * `silent`, packets. */
static inline void snap_same(const struct lab *lab, size_t i,
			     const struct snap *was, bool silent)
{
	struct snap is;

	snap_take(lab, i, &is);
	ck_assert_uint_eq(is.num, was->num);
	for (size_t n = 0; n < is.num; n++) {
		snap_same_peer(&is.peer[n], &was->peer[n]);
		ck_assert(memcmp(&is.assoc[n], &was->assoc[n],
				 sizeof(is.assoc[n])) == 0);
	}
	ck_assert_int_eq(is.up, was->up);
	ck_assert(memcmp(&is.sa, &was->sa, sizeof(is.sa)) == 0);
	ck_assert_uint_eq(is.spi_num, was->spi_num);
	ck_assert_uint_eq(is.job_num, was->job_num);
	for (int k = 0; k < HIP_EFFECT_NUM; k++) {
		if (k == HIP_SEEN || k == HIP_DROPPED || k == HIP_JOB ||
		    (k == HIP_SEND && !silent))
			continue;
		ck_assert_msg(is.count[k] == was->count[k], "effect %d", k);
	}
}
