/* SPDX-License-Identifier: MIT */
/* What a server's answer says about a name. */
#pragma once

#include "dns/chain.h"
#include "dns/question.h"

/* Fills the slot's facts from an answer that was matched to it. False: the
 * records are broken; nothing was learned. */
bool answer_hip(struct dns *d, struct question *q, const struct chain_answer *a,
		unsigned rcode);
/* An answer out of the cache: the slot is then ANSWERED, or as it was. */
void answer_kept(struct dns *d, struct question *q, enum slot slot,
		 const struct chain_answer *a);
bool answer_addresses(struct dns *d, struct question *q, enum slot slot,
		      const struct chain_answer *a);
