/* SPDX-License-Identifier: MIT */
/* Which of our identities is used toward whom. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/hip.h"

struct gate;
struct peer;

/* Made ones: after PERSONA_AGE a new association takes a fresh one, after
 * PERSONA_END the old one ends with all it carries. Unused, it goes after
 * PERSONA_IDLE. */
#define PERSONA_S UINT64_C(1000000000)
#define PERSONA_AGE (3600 * PERSONA_S)
#define PERSONA_END (24 * 3600 * PERSONA_S)
#define PERSONA_IDLE (60 * PERSONA_S)

enum { PERSONA_MAX = 64 };

/* One made identity. Control thread only. */
struct persona {
	struct hit self;
	struct peer *peer; /* for whom it was made; that is not idle */
	uint64_t born;
	bool retiring;
};

struct personas {
	struct persona v[PERSONA_MAX];
	size_t num;
};

/* Brings p->self up to what policy says. HG_EAGAIN: one is being made, and
 * peer_want is called when it is there; HG_EFULL: there is no room. */
int persona_choose(struct gate *g, struct peer *p, uint64_t now) HG_CHECK;
/* The peer does not do the HIT suite of `self`; the engine has begun again as
 * `instead`. */
void persona_instead(struct peer *p, const struct hit *self,
		     const struct hit *instead);
/* Is it one of ours that may still begin something? */
bool persona_ours(const struct gate *g, const struct hit *self);
/* HIP_IDENTITY: one is there, or could not be made. */
void persona_made(struct gate *g, const struct hip_effect *e);
/* Ends those whose time has come. */
void persona_expire(struct gate *g, uint64_t now);
