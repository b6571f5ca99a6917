/* SPDX-License-Identifier: MIT */
/* UPDATE packets (RFC 7401 6.11, 6.12) and what they carry. */
#pragma once

#include "hip/registrar.h"
#include "hip/statetab.h"

void update_input(struct hip *h, struct event *ev);
void update_ok(struct hip *h, struct event *ev);
/* Sends an UPDATE with what is to be told now: our half of a rekey, a
 * REG_REQUEST, else nothing but SEQ, as a probe. Waits for an outstanding
 * one, and for a rekey. */
void update_send(struct hip *h, struct assoc *a, uint64_t now);
/* The same, or, where one is outstanding, that one once more at once, from
 * the beginning of its retries and by whatever paths there are now. */
void update_probe(struct hip *h, struct assoc *a, uint64_t now);
/* Sends what has waited, if it may now. */
void update_flush(struct hip *h, struct assoc *a, uint64_t now);

/* A job is free: UPDATEs that wait for one are signed, oldest first. */
void update_more(struct hip *h, uint64_t now);

/* What acknowledges an UPDATE of the peer. */
struct update_answer {
	uint32_t seq;
	struct endpoint from; /* of theirs */
	struct endpoint at;
	struct endpoint relayed; /* as in struct packet */
	const uint8_t *raw;	 /* itself, borrowed: its echo requests */
	size_t len;
	bool by_rvs;	 /* it came through a rendezvous server, */
	struct addr via; /*  at this address */
	struct registrar_answer reg;
};
/* Acknowledges it, in one packet with our half of a rekey if that is ready
 * and no UPDATE of ours is outstanding. false: no job to be had; nothing is
 * done, the peer will repeat it. */
bool update_answer(struct hip *h, struct assoc *a,
		   const struct update_answer *ans, uint64_t now) HG_CHECK;
/* A SIGN job for an UPDATE is back. */
void update_signed(struct hip *h, struct assoc *a, struct hip_job *job,
		   uint64_t now);
/* Sends again what is due; false: given up, the peer is gone. */
bool update_resend(struct hip *h, struct assoc *a, uint64_t now);
/* Gives up the outstanding UPDATE if all it does is to ask, so that another
 * one may say more. */
void update_abandon(struct assoc *a);
/* Forgets everything: new keys, new numbers. */
void update_reset(struct assoc *a);
