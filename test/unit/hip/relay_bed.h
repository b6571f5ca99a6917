/* SPDX-License-Identifier: MIT */
/* A host that is met through an agent. */
#pragma once

#include "test/unit/hip/lab.h"

/* 0 the proxy, 1 the host, 2 the agent where it is registered. */
static inline struct lab *three(void)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct hip_config cfg = lab_config();

	lab->now = 500 * LAB_S;
	lab_boot(lab, 1, &cfg, HIP_ALG_ECDSA_P384, 1);
	cfg.responder = false;
	lab_boot(lab, 0, &cfg, HIP_ALG_ECDSA_P256, 0);
	cfg.rendezvous = true;
	lab_boot(lab, 2, &cfg, HIP_ALG_ECDSA_P256, 2);
	lab->num = 3;
	ck_assert_int_eq(hip_register(lab->host[1].h, NULL, &lab->host[2].hit,
				      &lab->host[2].at, 600, lab->now),
			 HG_OK);
	lab_drain(lab);
	ck_assert_uint_eq(lab->host[1].count[HIP_REGISTERED], 1);
	return lab;
}
