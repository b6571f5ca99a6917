/* SPDX-License-Identifier: MIT */
/* Associations: the table of them by HIT pair, their life, their SPIs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/sa.h"
#include "hip/dh.h"
#include "hip/dueheap.h"
#include "hip/hip.h"
#include "hip/jobqueue.h"
#include "hip/keymat.h"
#include "hip/suite.h"

/* What a base exchange gives; heap, made by a job, then owned by its
 * association. A secret: assoc_keys_free wipes it. */
struct assoc_keys {
	const struct suite *rhash;
	const struct suite_cipher *cipher;
	struct keymat km;
	struct keymat_hip hip;
	uint16_t keymat_next; /* first unused octet of KEYMAT */
	/* What a new KEYMAT is made of beside a new Diffie-Hellman value:
	 * #I and #J stay, and so does the side that has no new value (RFC
	 * 7402 6.10 step 1). */
	uint8_t i[SUITE_HASH_MAX];
	uint8_t j[SUITE_HASH_MAX];
	struct dh_key *dh;    /* ours, a reference */
	uint8_t *peer_public; /* dh's group's public_len octets, heap */
	struct sa_pair sa;    /* keys are wiped once SA_UP carries them */
	uint8_t *host_id;     /* contents of the peer's HOST_ID */
	size_t host_id_len;
};

/* A message kept for sending again. */
struct assoc_msg {
	uint8_t *p;
	size_t len;
};

/* UPDATE, both directions (7401 6.11, 6.12); see update.c. */
struct assoc_update {
	uint32_t next_id;	/* Update ID of our next UPDATE */
	bool outstanding;	/* ours, next_id - 1, is not acknowledged */
	bool waiting;		/* another one is wanted after it */
	uint8_t reg_type;	/* REG_REQUEST in it: service; 0: none, */
	uint8_t reg;		/*  its lifetime, coded; 0: cancels */
	uint8_t tries;		/* sent so often, */
	uint8_t hurries;	/*  beside these: see spread.c */
	uint64_t resend_at;	/* UINT64_MAX: no */
	struct assoc_msg sent;	/* the outstanding one */
	uint32_t in_high;	/* highest id processed; */
	uint32_t in_seen;	/*  bit n: in_high - n was, too */
	bool in_far;		/* ids before in_high may have gone round */
	bool in_has_set;	/* a LOCATOR_SET was applied, */
	uint32_t in_set;	/*  the newest with this id */
	uint32_t acked;		/* what ack answers */
	struct assoc_msg ack;	/* our last answer, */
	struct endpoint ack_to; /*  first sent there */
	uint64_t reacked;	/* when it was sent again, */
	uint8_t reacks;		/*  and to others since then */
	bool held;		/* nothing leaves before an answer */
	bool tells;		/* our addresses are in the outstanding one, */
	bool nominates;		/*  it nominates a path */
	bool has_via;	 /* it acknowledges what came through a server: */
	struct addr via; /*  this one */
};

/* An SA that was replaced: still open for what is under way. */
struct assoc_old {
	uint32_t spi_in; /* 0: none */
	uint64_t until;
};

#define ASSOC_OLD_MAX 2

/* The age of the SA that sends, and its limits; see rekey.c. */
struct assoc_wear {
	uint64_t keyed; /* when it was agreed on */
	bool used;	/* something has passed since */
	uint64_t due;	/* rekey by time, if used */
	uint64_t packets;
	uint64_t bytes;
	uint64_t asked; /* when the peer last began a rekey */
};

/* Keepalives; see keepalive.c. */
struct assoc_keep {
	uint64_t sent;	      /* the last of ours */
	uint64_t heard;	      /* the last of the peer's */
	uint64_t data_in;     /* the last data of the peer's */
	bool flowing;	      /*  came soon after others */
	struct assoc_msg msg; /* ours, signed once */
	/* What the peer says of itself, unverified; see noassoc.c. */
	uint64_t ask_at; /* whether it is so; 0: never */
	uint64_t asked;	 /* when last */
	bool denied;	 /* it does not know our outstanding UPDATE */
};

/* One association. Owner: the engine's thread. */
struct assoc {
	struct due due;
	struct assoc *next; /* in its bucket */
	struct hit self;
	struct hit peer;
	struct hip_identity *id; /* borrowed from the engine */
	uint64_t serial; /* changes with each exchange: stale jobs show */
	enum hip_state state;
	uint64_t since;
	bool initiator;
	bool asking; /* I1 is being sent: I1_SENT, or CLOSED and wanted */
	bool sa_up;
	bool peer_anonymous; /* the A bit of its R1 or I2 */
	bool found; /* opportunistic: HIP_FOUND when R2 has proved it */

	struct endpoint self_at;
	struct endpoint peer_at;
	struct endpoint locators[HIP_LOCATORS_MAX]; /* where I1 may go */
	uint8_t locator_num;
	uint8_t locator_next;

	uint8_t raced;	      /* locators the first I1 has gone to */
	uint8_t tries;	      /* of I1, I2 or CLOSE */
	bool fell_back;	      /* I2 unanswered, back to I1 once */
	bool busy;	      /* the peer said so, about this I2 */
	uint8_t busy_num;     /* back to I1 for that, in a row */
	uint64_t resend_at;   /* UINT64_MAX: nothing to send again */
	uint64_t expire_at;   /* when the state ends; UINT64_MAX: never */
	struct assoc_msg msg; /* I2, R2 or CLOSE */
	/* HIT suites of the peer, of which ours is none (bit 1 << id);
	 * 0: not known to be so. */
	uint16_t other_suites;
	enum reason why; /* last refusal, for HIP_FAILED */

	uint8_t waits;	    /* of the I1 timer, for an R1 that is in work */
	uint8_t r1_jobs;    /* in flight, of this serial, at most 2 */
	uint8_t check_jobs; /* likewise, R2, UPDATE and CLOSE */
	bool has_counter;
	uint64_t r1_counter; /* of the R1 that was answered */
	uint64_t i2_print;   /* of the I2 that made this (responder) */
	uint64_t fresh_from; /* an I2 on an R1 given out before this is stale */

	struct assoc_keys *keys;
	uint64_t last_in; /* data or control, from the peer */
	uint64_t last_out;
	uint8_t nonce[16];	 /* our CLOSE's ECHO_REQUEST_SIGNED */
	bool signing;		 /* our CLOSE is with a job */
	struct jobwait closing;	 /* for a job that signs it */
	struct jobwait updating; /* the same, for an UPDATE */
	uint64_t reanswered;	 /* R2 or CLOSE_ACK was asked for again */

	uint8_t service; /* what it is registered with us for, if it ever was */
	uint16_t data_port;  /* 1 + its place in datarelay.port; 0: none */
	uint8_t reg_offered; /* services it offers us, bit 1 << type: */
	uint8_t reg_min;     /*  lifetimes, coded */
	uint8_t reg_max;
	struct endpoint relay_at; /* we met it through its control relay,
				   * here; port 0: we did not */
	struct assoc_update up;
	struct assoc_keep keep;
	struct rekey *rekey; /* under way, or NULL */
	struct assoc_wear wear;
	struct assoc_old old[ASSOC_OLD_MAX];
	uint32_t rekeys;	 /* done since the base exchange */
	uint32_t spi_out_before; /* the last one replaced; 0: none */

	/* Hosts that move: see paths.h, readdress.h, pathwatch.h. */
	struct paths_past *past;
	struct paths *paths; /* NULL: one path, as above */
	bool unproved;	     /* the peer may not be at peer_at */
	bool stranded;	     /* no address of ours leads there */
	bool tell;	     /* the next UPDATE names our addresses */
	bool announced;	     /* the peer was ever told of them */
	bool has_via;	     /* it was met through a server: */
	struct endpoint via; /*  this one */
	uint64_t told;	     /* the list of ours (here.h) that it knows, */
	uint64_t telling;    /*  and that is in the outstanding UPDATE */
	bool suspect;	     /* it may not live: being probed */
	uint8_t silences;    /* probes answered in a row, without data */
	uint64_t unheard;    /* sent first since it was heard last; 0: none */
	uint64_t seen_at;    /* last time another source was taken up */
	uint64_t credit;     /* octets received, aged (RFC 8046 5.6), */
	uint64_t credit_at;  /*  when it was aged last */

	/* ICE-HIP-UDP: see ice.h. */
	bool ice;	   /* this mode was agreed on */
	bool ice_waits;	   /* nothing is proved: the SA is on standby */
	bool nominate;	   /* the next UPDATE nominates the path */
	uint8_t ice_vain;  /* UPDATEs that only a relay has answered */
	uint32_t ice_pace; /* ms between two checks */
};

struct assocs {
	uint8_t key[16]; /* of the bucket hash */
	struct assoc **bucket;
	uint32_t buckets; /* a power of 2 */
	uint32_t num;
	uint32_t max;
	uint64_t serial;
	uint32_t *spi; /* open addressing, 0: empty; SPIs in use or promised */
	uint32_t spi_slots;
	uint32_t spi_num;
};

int assoc_table_init(struct assocs *t, uint32_t max) HG_CHECK;
void assoc_table_fini(struct hip *h);
struct assoc *assoc_find(const struct assocs *t, const struct hit *self,
			 const struct hit *peer);
/* A new one in UNASSOCIATED; nobody is told. HG_EFULL, HG_ENOMEM. */
int assoc_add(struct hip *h, const struct hit *self, const struct hit *peer,
	      struct assoc **out) HG_CHECK;
/* To UNASSOCIATED: SA down, everybody told, freed. */
void assoc_del(struct hip *h, struct assoc *a, uint64_t now);
/* New state and a CHANGED effect. */
void assoc_enter(struct hip *h, struct assoc *a, enum hip_state s,
		 uint64_t now);
/* SA_UP with the keys of a->keys; its wear begins. */
void assoc_sa_up(struct hip *h, struct assoc *a, uint64_t now);
/* SA_UP for one that is to succeed it. */
void assoc_sa_standby(struct hip *h, struct assoc *a, const struct sa_pair *sa,
		      uint64_t now);
/* SA_DOWN for all that is up: replaced ones, one that is being made. */
void assoc_sa_down(struct hip *h, struct assoc *a);
/* The effect of an SA of this association, to be filled in. */
struct hip_effect *assoc_sa_effect(struct hip *h, const struct assoc *a,
				   enum hip_effect_kind kind);
/* HIP_LOCATOR with peer_at; the effect, to add to. */
struct hip_effect *assoc_locator(struct hip *h, const struct assoc *a,
				 bool committed);
/* Takes keys (may be NULL) in place of those there. */
void assoc_set_keys(struct hip *h, struct assoc *a, struct assoc_keys *keys);
/* Jobs of before are stale from here on; cancels their search. */
void assoc_new_serial(struct hip *h, struct assoc *a);
/* Sets the timer to the earliest of all it waits for. */
void assoc_arm(struct hip *h, struct assoc *a);
/* Keys that are about to leave for peer_at. */
void assoc_send(struct hip *h, const struct assoc *a, const struct assoc_msg *m,
		const struct endpoint *to);

/* The same from another address of ours. */
void assoc_send_from(struct hip *h, const struct assoc *a,
		     const struct assoc_msg *m, const struct endpoint *self,
		     const struct endpoint *to);

int assoc_msg_keep(struct assoc_msg *m, const uint8_t *p, size_t len) HG_CHECK;
void assoc_msg_drop(struct assoc_msg *m);
void assoc_keys_free(struct assoc_keys *k);

/* A random SPI above 255 that is nobody's; 0: none could be had. */
uint32_t assoc_spi_take(struct assocs *t);
/* The same, congruent to `like` modulo mod (0 and 1: any). */
uint32_t assoc_spi_take_like(struct assocs *t, uint32_t like, uint32_t mod);
void assoc_spi_give(struct assocs *t, uint32_t spi);
