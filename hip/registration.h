/* SPDX-License-Identifier: MIT */
/* Our own registrations at rendezvous servers and relays (RFC 8003, 9028). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "hip/dueheap.h"
#include "hip/hip.h"

#define REGISTRATION_MAX 16

struct registration {
	struct due due;
	struct hit self;
	struct hit rvs;
	struct endpoint at[HIP_LOCATORS_MAX]; /* where it may be */
	size_t at_num;
	struct endpoint last; /* where it proved to be last; port 0: nowhere */
	uint8_t service;      /* FIELDS_REG_RENDEZVOUS, _RELAY_UDP_HIP */
	uint32_t lifetime_s;  /* what we ask for */
	bool granted;
	uint64_t expires;
	unsigned failures;	 /* in a row */
	bool asking;		 /* the next UPDATE carries a REG_REQUEST */
	bool ending;		 /* the wish is over, */
	bool told;		 /*  and a request with lifetime 0 is made */
	bool behind;		 /* that is not where we are */
	struct endpoint seen_at; /* where the server sees us; port 0: unknown */
	/* Our port at its data relay (datapath.h); port 0: we have none. */
	struct endpoint relayed_at;
	bool permit;	  /* PEER_PERMISSION is to be sent there, */
	bool permit_sent; /*  was sent, and is not acknowledged */
};

struct registrations {
	struct registration *v[REGISTRATION_MAX];
	size_t num;
	bool behind; /* a relay sees us elsewhere than we are: a NAT */
};

struct assoc;
struct hip_msg;

void registration_fini(struct hip *h);
/* Is that a place where its server may be? */
bool registration_is_at(const struct registration *r,
			const struct endpoint *at);
struct registration *registration_find(const struct hip *h,
				       const struct hit *self,
				       const struct hit *rvs);
/* From now on for this service: a new association. */
void registration_change(struct hip *h, struct registration *r, uint8_t service,
			 uint64_t now);
/* Wherever the server may be: a base exchange; or, where one goes on or the
 * association is up, what is not answered goes there, too. */
void registration_begin(struct hip *h, struct registration *r, uint64_t now);
/* Its places are others now: it acts at once. */
void registration_anew(struct hip *h, struct registration *r, uint64_t now);
/* The wish is over; r may be gone then. */
void registration_end(struct hip *h, struct registration *r, uint64_t now);
/* Lifetime to ask this peer for, coded, and for which service; 0: no
 * registration is wanted. */
uint8_t registration_code(const struct hip *h, const struct hit *self,
			  const struct hit *peer, uint8_t *service);
/* The service that an UPDATE which is being made is to ask for, and for how
 * long, coded; 0: nothing is due. */
uint8_t registration_take(struct hip *h, const struct assoc *a, uint8_t *code);
/* Would there be something? */
bool registration_due(const struct hip *h, const struct assoc *a);
/* The peer asks whether we are where it has seen us: a relay says where that
 * is when it is asked (RFC 9028 4.1). */
void registration_seen(struct hip *h, const struct assoc *a);
/* Does the REG_REQUEST of its outstanding UPDATE ask for data to be relayed,
 * too (RFC 9028 4.1)? */
bool registration_data(const struct assoc *a);
/* The lifetime, in ms, in a REG_RESPONSE for this service; false: there is
 * none. */
bool registration_response(const struct hip_msg *m, uint8_t service,
			   uint64_t *ms) HG_CHECK;
/* An authenticated R2 or UPDATE is here: was it granted? final: it is the
 * answer, so silence is a refusal. */
void registration_answer(struct hip *h, struct assoc *a,
			 const struct hip_msg *m, bool final, uint64_t now);
/* The association entered this state. */
void registration_state(struct hip *h, const struct assoc *a, enum hip_state s,
			uint64_t now);
/* Are we registered, or about to be, at this control relay? */
bool registration_relay(const struct hip *h, const struct hit *self,
			const struct hit *peer);
/* What R1s of this identity are to say (RFC 9028 4.5, 4.7.2): false: nothing
 * of NATs, it has no relay. at: where it is seen; port 0: not known. */
bool registration_reflexive(const struct hip *h, const struct hit *self,
			    struct endpoint *at);
/* Is the association used by one of ours? */
bool registration_holds(const struct hip *h, const struct assoc *a);
void registration_timer(struct hip *h, struct due *d, uint64_t now);
/* What the peer offers from now on, if its UPDATE says so (RFC 8003 4.2). */
void registration_offer(struct assoc *a, const struct hip_msg *m);
