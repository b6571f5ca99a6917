/* SPDX-License-Identifier: MIT */
/* What an UPDATE says, put together (RFC 7401 5.3.5). */
#pragma once

#include "core/err.h"
#include "hip/engine.h"
#include "hip/hipjob.h"
#include "hip/update.h"

/* Writes into job->out all that comes before the MAC: job->keep, it has a SEQ
 * and says what there is to say; ans, it acknowledges that, and answers what
 * theirs asks. ans NULL: theirs is not read. */
int composer_update(struct hip *h, struct assoc *a, struct hip_job *job,
		    const struct update_answer *ans,
		    const struct hip_msg *theirs) HG_CHECK;
