/* SPDX-License-Identifier: MIT */
/* Jobs: the expensive crypto of a handshake as plain values. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hip/assoc.h"
#include "hip/dh.h"
#include "hip/hip.h"
#include "hip/identity.h"
#include "hip/locset.h"
#include "hip/message.h"
#include "hip/offer.h"
#include "hip/registrar.h"

enum hipjob_kind {
	HIPJOB_POOL,	 /* make and sign an R1 ahead of time */
	HIPJOB_R1,	 /* verify an R1, solve it, make the I2 */
	HIPJOB_I2,	 /* verify an I2, make the R2 */
	HIPJOB_R2,	 /* verify the signature of an R2 */
	HIPJOB_CHECK,	 /* verify the signature of UPDATE, CLOSE, CLOSE_ACK */
	HIPJOB_SIGN,	 /* sign an UPDATE, CLOSE or CLOSE_ACK */
	HIPJOB_DH,	 /* make a DH key, agree on a new KEYMAT */
	HIPJOB_IDENTITY, /* make a short-lived identity */
	HIPJOB_NUM
};

/* HIPJOB_POOL */
struct hipjob_pool {
	size_t identity;	      /* owner: which slot it is for */
	size_t slot;		      /* owner */
	const struct dh_group *group; /* in */
	uint8_t k;
	bool rendezvous;	   /* offer the service */
	bool relay;		   /* and this one */
	bool data;		   /* and data, too */
	bool nat;		   /* say which NAT traversal modes we do, */
	bool client;		   /*  as a relay's client: all of them */
	uint32_t edition;	   /* owner */
	struct endpoint reflexive; /* where to send I2; port 0: not said */
	uint64_t counter;	   /* in */
	struct dh_key *dh;	   /* out */
};

/* HIPJOB_R1 */
struct hipjob_r1 {
	uint8_t k_max;	    /* in */
	uint32_t spi;	    /* in, promised */
	bool esp_null;	    /* in: ESP without encryption, if offered */
	uint16_t suites;    /* out: HIT suites of a verified R1, when ours is
			   * not among them: bit 1 << id */
	uint8_t reg_code;   /* in: lifetime to register for; 0: not */
	uint8_t reg_type;   /* in: for this service */
	bool has_counter;   /* out */
	uint64_t counter;   /* out */
	bool has_via;	    /* out */
	struct addr via;    /* out */
	uint8_t k;	    /* out */
	bool through_relay; /* out: it came so (RELAY_TO) */
	struct endpoint reflexive; /* out: where I2 goes; port 0: back */
	uint8_t reg_offered;	   /* out: services, then lifetimes, coded */
	uint8_t reg_min;	   /* out */
	uint8_t reg_max;	   /* out */
	uint16_t nat;		   /* out: NAT traversal mode; 0: none */
	uint32_t pace;		   /* out: between checks, ms */
	struct locset candidates;  /* in: for ICE-HIP-UDP */
	struct locset here;  /* in: our addresses, if there are several; */
	uint64_t generation; /* owner: of that list */
	uint64_t give_up;    /* owner: when the search is cancelled */
	bool opportunistic;  /* owner: asked for by address only */
};

/* HIPJOB_I2 */
struct hipjob_i2 {
	struct dh_key *dh;		/* in, a reference */
	uint32_t spi;			/* in, promised */
	uint64_t print;			/* in: of (HITs, #I, #J) */
	uint64_t issued;		/* in: when its R1 was made */
	uint64_t spent_until;		/* in */
	bool ice;			/* in: its NAT traversal mode */
	struct locset candidates;	/* in: for that */
	struct registrar_answer answer; /* in */
};

/* HIPJOB_DH */
struct hipjob_dh {
	uint64_t id;		      /* owner: of which rekey */
	const struct dh_group *group; /* in */
	struct dh_key *mine;	      /* in, a reference; NULL: out, made */
	bool agree;		      /* in: with this value: */
	uint8_t peer_public[DH_PUBLIC_MAX];
	const struct suite *rhash; /* in */
	uint8_t i[SUITE_HASH_MAX]; /* in */
	uint8_t j[SUITE_HASH_MAX]; /* in */
	struct keymat km;	   /* out, when agreed */
};

/* HIPJOB_IDENTITY */
struct hipjob_identity {
	uint64_t token;		   /* owner */
	struct hip_identity *made; /* out */
};

/* One job. Between hip_effect and hip_job_done it belongs to whoever runs
 * it, but for prev and next (the engine's list of jobs in flight) and
 * cancel, which the engine may set at any time. */
struct hip_job {
	enum hipjob_kind kind;
	struct hip_job *prev;
	struct hip_job *next;
	atomic_bool cancel;
	bool ran;
	enum reason reason;	 /* out: REASON_NUM when all is well */
	struct hip_identity *id; /* a reference: ours; IDENTITY: none */
	struct offer offer;	 /* in: what we offer and accept */
	struct hit self;
	struct hit peer;
	uint64_t serial;      /* of the association, 0: none is meant */
	struct endpoint from; /* of `in`; SIGN: where to send */
	struct endpoint at;   /* likewise, our side */
	bool by_port; /* `in` came to our relayed address (datapath.h) */
	struct endpoint relayed; /* of `in`, as in struct packet; SIGN:
				  * RELAY_TO, unless its port is 0 */
	bool by_rvs;	 /* `in` came through a rendezvous server, and */
	struct addr via; /*  an answer says so: this one's address */
	bool keep;	 /* SIGN: to be kept for sending again */
	bool ack;	 /* SIGN: it acknowledges the Update ID */
	uint32_t seq;	 /* SIGN:  in here */
	uint8_t in[HIP_MSG_MAX];
	size_t in_len;
	uint8_t host_id[HIP_MSG_MAX]; /* R2, CHECK: in, the peer's */
	size_t host_id_len;
	struct msg_builder out;
	struct assoc_keys *keys; /* R1, I2: out, given to the association */
	union {
		struct hipjob_pool pool;
		struct hipjob_r1 r1;
		struct hipjob_i2 i2;
		struct hipjob_dh dh;
		struct hipjob_identity identity;
	} u;
};

/* The only transport format (7402 5.1.2). */
#define HIPJOB_TRANSPORT_ESP 4095
#define HIPJOB_PUZZLE_LIFETIME 37 /* 2^(37 - 32) = 32 s */

/* The three heavy ones; each sets job->reason. */
void r1maker_run(struct hip_job *job);
void i2maker_run(struct hip_job *job);
void r2maker_run(struct hip_job *job);

/* NULL: jobs_max are in flight, or no memory. id NULL: IDENTITY only. */
struct hip_job *hipjob_new(struct hip *h, enum hipjob_kind kind,
			   struct hip_identity *id);
/* Copies message, addresses and HITs. */
struct packet;
void hipjob_input(struct hip_job *job, const struct packet *p);
/* Puts it out as an effect; false: no memory, job is freed. */
bool hipjob_start(struct hip *h, struct hip_job *job) HG_CHECK;
/* Out of the list of those in flight. */
void hipjob_unlink(struct hip *h, struct hip_job *job);
/* Wipes and frees; not in any list any more. */
void hipjob_free(struct hip_job *job);
