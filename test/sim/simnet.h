/* SPDX-License-Identifier: MIT */
/* Engines on a bad network in virtual time. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hip/hip.h"

#define SIM_HOSTS 3
#define SIM_MS UINT64_C(1000000)
#define SIM_S (1000 * SIM_MS)

enum sim_kind {
	SIM_PACKET, /* a HIP message arrives */
	SIM_DATA,   /* an ESP packet arrives */
	SIM_JOB,    /* a job is done */
	SIM_BOOT,   /* a host starts again */
	SIM_KIND_NUM
};

struct sim_event {
	uint64_t at;
	uint64_t order; /* ties: first put, first served */
	enum sim_kind kind;
	unsigned host; /* to whom */
	struct endpoint src;
	uint8_t *msg; /* PACKET: heap */
	size_t len;
	unsigned peer;	   /* DATA: from whom */
	struct sa_pair sa; /* DATA: sealed with */
	struct hip_job *job;
	unsigned life; /* JOB: of which life of the host */
};

struct sim_host {
	struct hip *h; /* NULL: crashed */
	struct hit hit;
	struct endpoint at;
	struct hip_config cfg;
	unsigned life;
	bool up[SIM_HOSTS];
	struct sa_pair sa[SIM_HOSTS];
	bool registered;
};

/* How bad it is just now; chances are out of 1000. */
struct sim_weather {
	unsigned loss;
	unsigned dup;
	uint64_t delay; /* at least */
	uint64_t jitter;
	uint64_t job; /* jobs take up to */
	unsigned job_fail;
};

#define SIM_TAPE 64 /* packets an attacker has heard */

struct sim {
	uint64_t seed;
	uint64_t rng[2];
	uint64_t now;
	uint64_t order;
	unsigned hosts;
	struct sim_host host[SIM_HOSTS];
	struct sim_weather weather;
	struct sim_event *heap;
	size_t num;
	size_t cap;
	struct sim_event tape[SIM_TAPE];
	unsigned taped;
	const char *broken; /* an invariant, in words; NULL: all hold */
	bool loud;
};

/* 0 .. n - 1 */
uint64_t simnet_random(struct sim *s, uint64_t n);
void simnet_init(struct sim *s, uint64_t seed, unsigned hosts);
void simnet_fini(struct sim *s);
void simnet_boot(struct sim *s, unsigned i);
void simnet_crash(struct sim *s, unsigned i, uint64_t back_after);
/* Lets time pass until then. */
void simnet_run(struct sim *s, uint64_t until);
/* Carries out what the host's engine wants. */
void simnet_effects(struct sim *s, unsigned i);
/* One ESP packet from i to j, when i has an SA. */
void simnet_data(struct sim *s, unsigned i, unsigned j);
/* An attacker's packet: an old one again, maybe changed. */
void simnet_attack(struct sim *s);
