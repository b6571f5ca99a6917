/* SPDX-License-Identifier: MIT */
/* Two hosts whose SAs are to be replaced. */
#pragma once

#include "hip/assoc.h"
#include "hip/engine.h"
#include "test/unit/hip/lab.h"

/* ESTABLISHED on both sides, and some time ago. */
static inline struct lab *up_with(const struct hip_config *cfg, bool greater)
{
	struct lab *lab =
		lab_pair(HIP_ALG_ECDSA_P256, HIP_ALG_ECDSA_P256, greater);

	for (size_t i = 0; cfg && i < 2; i++)
		lab_boot(lab, i, cfg, HIP_ALG_ECDSA_P256, lab->host[i].key);
	lab_want(lab, 0, 1);
	lab_run(lab);
	ck_assert(lab_agree(lab, 0, 1));
	lab_sleep(lab, 12 * LAB_S);
	ck_assert_int_eq(lab_state(lab, 1, 0), HIP_ESTABLISHED);
	memset(lab->sent, 0, sizeof(lab->sent));
	return lab;
}

static inline struct lab *up(void)
{
	return up_with(NULL, false);
}

static inline int rekey(struct lab *lab, size_t i, bool dh)
{
	int err = hip_rekey(lab->host[i].h, &lab->host[i].hit,
			    &lab->host[!i].hit, dh, lab->now);

	lab_effects(lab, i);
	return err;
}

static inline struct hip_peer view(struct lab *lab, size_t i)
{
	struct hip_peer v = { .peer = lab->host[!i].hit };

	hip_each_peer(lab->host[i].h, lab_one_peer, &v);
	return v;
}

static inline unsigned open_num(const struct lab *lab, size_t i)
{
	unsigned n = 0;

	for (size_t k = 0; k < 8; k++)
		n += lab->host[i].open[k] != 0;
	return n;
}

static inline struct assoc *assoc(struct lab *lab, size_t i)
{
	return assoc_find(&lab->host[i].h->assocs, &lab->host[i].hit,
			  &lab->host[!i].hit);
}
