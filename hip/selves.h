/* SPDX-License-Identifier: MIT */
/* Who we are: the engine's identities, lasting ones and made ones. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "hip/hip.h"

#define SELVES_MADE_MAX 64 /* made identities at a time, those to come too */

/* One that hip_make_identity made: it begins exchanges, nobody begins one
 * with it. */
struct selves_made {
	struct hip_identity *id;
	uint32_t assocs; /* that are of it */
	bool retiring;	 /* hip_remove_identity was asked for it */
};

struct selves {
	struct selves_made made[SELVES_MADE_MAX];
	size_t num;
	size_t making; /* jobs under way */
};

void selves_fini(struct hip *h);
/* The number of a lasting identity, as the R1 pool counts them; id_num:
 * none of them. */
size_t selves_index(const struct hip *h, const struct hit *self);
/* May it begin an exchange? */
bool selves_begins(const struct hip *h, const struct hit *self);
/* The one that answers an I1 to no HIT: of the Initiator's HIT suite, which
 * it can verify (RFC 7401 4.1.8), else the default; never an anonymous one.
 * NULL: there is none. */
const struct hit *selves_answer(const struct hip *h,
				const struct hit *initiator);
/* An association of it came or went. */
void selves_use(struct hip *h, const struct hit *self, int change);
/* A HIPJOB_IDENTITY is back; takes what it made. */
void selves_job_done(struct hip *h, struct hip_job *job);
