/* SPDX-License-Identifier: MIT */
/* What happens next to a question. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "dns/question.h"

#define PROGRESS_BUSY "hipgate: too many questions in flight"

/* A new question's first asks. q may be gone afterwards, as after each of
 * these. */
void progress_start(struct dns *d, struct question *q, uint64_t now);
/* A slot has changed. */
void progress_step(struct dns *d, struct question *q, uint64_t now);
/* Its deadline has come. */
void progress_timer(struct dns *d, struct question *q, uint64_t now);
/* question_add said HG_EAGAIN: the oldest question of the network that has most
 * ends. False: none is a client's. */
bool progress_make_room(struct dns *d);
/* We could not ask, which says nothing of the name: the question fails, and
 * whatever the policy, it is never answered as if there were no HIP record. */
void progress_refused(struct dns *d, struct question *q);
/* An ask of this slot was lost. */
void progress_lost(struct dns *d, struct question *q, enum slot slot,
		   uint64_t now);
