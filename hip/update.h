/* SPDX-License-Identifier: MIT */
/* UPDATE packets (RFC 7401 6.11, 6.12) and what they carry. */
#pragma once

#include "hip/statetab.h"

void update_input(struct hip *h, struct event *ev);
void update_ok(struct hip *h, struct event *ev);
/* Sends an UPDATE with what is to be told now: a REG_REQUEST when one is
 * due, else nothing but SEQ, as a probe. Waits for an outstanding one. */
void update_send(struct hip *h, struct assoc *a, uint64_t now);
/* A signed UPDATE is back from its job. */
void update_signed(struct hip *h, struct assoc *a, struct hip_job *job,
		   uint64_t now);
/* Sends again what is due; false: given up, the peer is gone. */
bool update_resend(struct hip *h, struct assoc *a, uint64_t now);
/* Forgets everything: new keys, new numbers. */
void update_reset(struct assoc *a);
