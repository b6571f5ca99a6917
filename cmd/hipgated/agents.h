/* SPDX-License-Identifier: MIT */
/* Our own registrations: what [register] says, and what became of it.
 *
 * THEORY OF OPERATION
 * Control thread only. Entry i belongs to g->cfg->reg[i]. A registration is
 * there from HIP_REGISTERED until its lifetime is over or HIP_UNREGISTERED
 * says why it is not; doctor, `hipgate status` and health.c ask here, so that
 * nobody takes an association for a registration. Each refusal is an event
 * with the mend, which in most cases is to be done at the agent.
 *
 * [register opportunistic] is asked for by address; who has answered there
 * (HIP_FOUND) is kept as `hit`, and is asked from then on, until a reload takes
 * the section or its address away. A [register] of that HIT in place of it
 * takes the registration over as it is.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "cmd/config/config.h"

struct gate;
struct hip_effect;

enum { AGENTS_NO_WORD = UINT16_MAX };

struct agent {
	struct hit self;    /* ours toward it; null: the default identity */
	struct hit hit;	    /* whose it is; null: nobody has answered yet */
	uint64_t until;	    /* ns: registered until then; 0: it is not */
	uint16_t refusal;   /* why not, last; AGENTS_NO_WORD: never told */
	uint64_t ask_again; /* ns: opportunistic and unanswered; 0: no */
};

struct agents {
	struct agent v[CONFIG_REGISTER];
};

/* Begins all that g->cfg says. On error errbuf holds one sentence. */
int agents_start(struct gate *g, char *errbuf, size_t errlen) HG_CHECK;
/* What is in `now` and not in g->cfg begins, what is not in it ends, what is
 * another begins anew; g->cfg then has it. */
void agents_reload(struct gate *g, const struct config *now);
/* HIP_REGISTERED, HIP_UNREGISTERED, HIP_FOUND, HIP_FAILED. */
void agents_effect(struct gate *g, const struct hip_effect *e, uint64_t now);
/* Once a second. */
void agents_again(struct gate *g, uint64_t now);
/* The first [register] that is not had, as a sentence with its mend; false:
 * all are. */
bool agents_fault(const struct gate *g, uint64_t now, char *out, size_t cap);
/* All of them, for `status`. */
json_t *agents_json(const struct gate *g, uint64_t now);
