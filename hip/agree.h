/* SPDX-License-Identifier: MIT */
/* A new KEYMAT for an old association (RFC 7402 6.10). */
#pragma once

#include "hip/assoc.h"
#include "hip/fields.h"
#include "hip/keymat.h"

/* Keeps in k what a later KEYMAT is made of: #I and #J, our Diffie-Hellman
 * key (a reference is taken), the peer's public value (as long as dh's
 * group has them). Any thread. */
int agree_keep(struct assoc_keys *k, const struct keymat_seed *seed,
	       struct dh_key *dh, const uint8_t *peer_public) HG_CHECK;
/* May the peer's new Diffie-Hellman value be taken, with this KEYMAT Index of
 * its? REASON_NUM, or HIP_DH (RFC 7402 6.9 step 1). */
enum reason agree_fits(const struct assoc_keys *k, uint16_t index,
		       const struct field_dh *dh) HG_CHECK;
/* HIPJOB_DH: makes a key where there is none, agrees where the peer's value
 * is here; sets job->reason, HIP_DH when that value is no good. */
void agree_run(struct hip_job *job);
