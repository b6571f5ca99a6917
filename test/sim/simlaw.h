/* SPDX-License-Identifier: MIT */
/* What must hold at every step of a simulated run. */
/* THEORY OF OPERATION
 * No packet is believed to be good or bad by who made it: the network
 * remembers (by a hash) every message that an engine has really sent, and
 * that memory says what is genuine. Then, at each step:
 *
 *  - a packet that comes in changes no association, whatever it says: it
 *    has yet to be verified. It may start a job, be answered by one packet
 *    at most, and be seen or dropped;
 *  - a job that comes back changes an association only when its packet is
 *    genuine, and, but for R1 and I1, only once in all lives of the host;
 *    a second copy of an UPDATE or CLOSE may be answered, no more, unless
 *    the first was turned away or is answered when keys have been made;
 *  - what is not genuine does not even count as a sign of life;
 *  - no key is installed twice in one direction, whatever the SPI, life or
 *    host; who seals with a key and who opens with it are two; numbers
 *    under one key only rise, so (key, nonce) never repeats;
 *  - the Initiator's keys are already the Responder's when they go up;
 *  - no ENCRYPTED has the IV of another;
 *  - SAs are up where the state carries data, and nowhere else;
 *  - associations, jobs, SPIs, timers, registrations and effects stay
 *    within their bounds and are what they are counted as.
 *
 * Genuine is a message as its sender made it, padding aside; of an R1 also
 * what HIP_SIGNATURE_2 leaves open does not count (RFC 7401 5.2.15). Left
 * out of an association's print are its timer, its counts of jobs, the
 * reason of the last refusal, and the end of R2-SENT, which a repeated I2
 * may put off (6.9 step 4).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sa.h"
#include "hip/hip.h"

struct sim;

/* A set of 64-bit hashes with something known about each. */
struct simlaw_row {
	uint64_t key; /* 0: empty */
	uint64_t value;
	uint8_t a;
	uint8_t b;
};

struct simlaw_set {
	struct simlaw_row *row;
	size_t slots; /* a power of 2 */
	size_t num;
};

struct simlaw {
	struct simlaw_set genuine; /* a: accepted by, bit for each host */
	struct simlaw_set keys;	   /* a: sealer + 1, b: opener + 1 */
	struct simlaw_set ivs;	   /* value: hash of the ENCRYPTED */
};

/* How an engine looked before a step. */
struct simlaw_look {
	uint64_t print;	  /* of its associations */
	uint64_t sign;	  /* and of when the peers were heard last */
	uint64_t place;	  /* of states, and of where they send */
	uint64_t genuine; /* hash of the job's packet; 0: none */
	uint8_t type;
	uint64_t drops; /* so many */
	bool waiting;	/* an UPDATE of its own */
	bool awaits;	/* the answer of another path */
};

void simlaw_fini(struct simlaw *law);
/* A message leaves an engine. */
void simlaw_sent(struct sim *s, const uint8_t *msg, size_t len);
/* job: what is about to come back, else NULL. */
struct simlaw_look simlaw_before(struct sim *s, unsigned i,
				 const struct hip_job *job);
void simlaw_after_input(struct sim *s, unsigned i,
			const struct simlaw_look *was);
void simlaw_after_job(struct sim *s, unsigned i, const struct simlaw_look *was);
/* Bounds and counts; so many effects have been taken, none is left. */
void simlaw_bounds(struct sim *s, unsigned i, unsigned effects);

/* A print of one direction's keys. */
uint64_t simlaw_key(uint16_t suite, const struct sa_keys *k);
/* Host i installs these. */
void simlaw_sa_up(struct sim *s, unsigned i, const struct sa_pair *sa,
		  bool initiator);
/* Host i seals packet seq with it. */
void simlaw_seal(struct sim *s, unsigned i, uint64_t key, uint64_t seq);
