/* SPDX-License-Identifier: MIT */
/* An exchange stopped right before one of its packets arrives. */
#pragma once

#include "hip/param.h"
#include "test/unit/hip/snap.h"

struct capture {
	uint8_t type;
	bool swallow;
	struct lab_packet p;
};

/* Keeps the last packet of a type; with swallow, it does not arrive. */
static inline bool stopped_capture(struct lab *lab, struct lab_packet *p)
{
	struct capture *c = lab->hook_arg;

	if (p->msg[2] != c->type)
		return true;
	c->p = *p;
	return !c->swallow;
}

/* A pair stopped right before its packet of this type arrives. */
static inline struct lab *stopped(struct capture *c, uint8_t type)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, false);

	*c = (struct capture){ .type = type, .swallow = true };
	lab->hook = stopped_capture;
	lab->hook_arg = c;
	ck_assert_int_eq(lab_want(lab, 0, 1), HG_OK);
	lab_run(lab);
	ck_assert_uint_gt(c->p.len, 0);
	lab->hook = NULL;
	return lab;
}

static inline uint8_t *contents(struct lab_packet *p, enum param id,
				size_t *len)
{
	struct hip_msg m;
	const struct hip_param *q;

	ck_assert_int_eq(param_parse(p->msg, p->len, &m), REASON_NUM);
	q = param_find(&m, id);
	ck_assert_ptr_nonnull(q);
	*len = q->len;
	return p->msg + (q->contents - p->msg);
}

/* Four jobs for one #I are all there are: here, each mutation is a first. */
static inline void forget_tries(struct lab *lab, size_t i)
{
	memset(lab->host[i].h->budget.tried.mark, 0,
	       sizeof(struct spent_mark) * SPENT_SETS * SPENT_WAYS);
}
