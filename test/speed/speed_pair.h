/* SPDX-License-Identifier: MIT */
/* room: hip */
/* Two engines that do base exchanges, and what each side's cost in CPU.
 *
 * THEORY OF OPERATION
 * Initiator and Responder live in one thread and hand each other their
 * messages. A clock of the thread's CPU time is read whenever the side
 * changes; jobs run on the spot and are the account of whoever asked for
 * them. Time as the engines see it is made up: a tenth of a second passes
 * between two exchanges, so that neither the limit on I1s nor the check for
 * I2s that are overtaken comes into play. The same two do it again and
 * again: the Initiator closes its end (that CLOSE is neither signed nor
 * sent) and asks anew, the Responder sees a peer that has restarted. What
 * that takes beside an exchange is on no account.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hip/hip.h"

struct speed_side {
	struct hip *h;
	struct endpoint at;
	uint64_t cpu_ns; /* this side's account */
	uint64_t msgs;	 /* sent, on the account */
	uint64_t jobs;	 /* run, on the account */
	bool up;
	uint8_t msg[HIP_MSG_MAX]; /* the last one sent */
	size_t msg_len;
};

struct speed_pair {
	struct speed_side initiator;
	struct speed_side responder;
	uint64_t now;  /* ns, made up */
	uint8_t group; /* the one DH group that both offer */
};

/* Both identities are of this kind; k: the puzzle's difficulty. */
int speed_pair_init(struct speed_pair *p, enum hip_alg alg, uint8_t group,
		    uint8_t k) HG_CHECK;
void speed_pair_fini(struct speed_pair *p);
/* One base exchange, I1 to R2. HG_EAGAIN: it came to no end on both sides, or
 * not in this DH group. */
int speed_pair_exchange(struct speed_pair *p) HG_CHECK;
