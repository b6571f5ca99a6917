/* SPDX-License-Identifier: MIT */
/* The engine's own struct: for the upper half of the hip room only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hip/access.h"
#include "hip/assoc.h"
#include "hip/budget.h"
#include "hip/datarelay.h"
#include "hip/dueheap.h"
#include "hip/effects.h"
#include "hip/here.h"
#include "hip/hip.h"
#include "hip/offer.h"
#include "hip/opportunistic.h"
#include "hip/param.h"
#include "hip/r1pool.h"
#include "hip/registrar.h"
#include "hip/registration.h"
#include "hip/selves.h"

#define ENGINE_IDENTITIES_MAX 8
#define ENGINE_MS UINT64_C(1000000)
#define ENGINE_S (1000 * ENGINE_MS)
#define ENGINE_NEVER UINT64_MAX
/* Times `retry` that the I1 timer waits for R1s in work: a puzzle takes no
 * longer, and forged R1s must not hold everything up. */
#define ENGINE_WAITS_MAX 120

/* Every time and count of the state machine, in one place. */
struct engine_times {
	uint64_t retry;	     /* first I1, I2, UPDATE, CLOSE again; doubles */
	uint64_t retry_cap;  /* CLOSE: not slower than this */
	uint8_t i1_max;	     /* I1_RETRIES_MAX */
	uint8_t i1_parallel; /* locators the first I1 goes to (7401 6.6.1) */
	uint64_t i1_stagger; /* head start of each over the next */
	uint8_t i2_max;	     /* I2_RETRIES_MAX */
	uint8_t i2_doubtful; /* the same, to a locator only R1 named */
	uint8_t update_max;  /* UPDATE_RETRY_MAX */
	uint8_t wide_max;    /* the same, when it goes to all paths */
	uint64_t wide_cap;   /*  not slower than this */
	uint64_t stagger;    /*  head start of each over the next */
	uint64_t ec;	     /* exchange complete */
	uint64_t ual;	     /* unused association lifetime */
	uint64_t msl;
	uint64_t solve;	  /* a puzzle search: not longer, whatever R1 says */
	uint64_t hold;	  /* E-FAILED */
	uint64_t reack;	  /* answers to one repeated packet: not faster */
	uint8_t busy_max; /* exchanges begun anew for a busy peer, in a row */
};
extern const struct engine_times engine_times;

/* What the timers of the heap are embedded in. */
enum engine_due {
	ENGINE_ASSOC,
	ENGINE_REGISTRATION,
	ENGINE_REGISTRAR,
	ENGINE_POOL,
	ENGINE_OPPORTUNISTIC,
	ENGINE_HERE,
	ENGINE_DATARELAY
};

struct hip {
	struct hip_config cfg;
	struct offer offer;
	struct access access;
	struct reasons reasons;
	struct effects fx;
	struct dueheap due;
	struct assocs assocs;
	struct r1pool pool;
	struct budgets budget;
	struct registrar registrar;
	struct datarelay data;
	struct registrations registrations;
	struct opportunistics opportunistics;
	struct here here;
	struct selves selves; /* made identities; the lasting ones: */
	struct hip_identity *id[ENGINE_IDENTITIES_MAX];
	size_t id_num;
	struct assoc *closes;	    /* CLOSEs that wait for a job, */
	struct assoc **closes_tail; /*  oldest first */
	struct hip_job *jobs;	    /* in flight */
	uint32_t job_num;
	bool leaving; /* hip_close of all: nothing starts by itself */
};

/* A packet under examination. */
struct packet {
	struct hip_msg m;
	const struct endpoint *from;
	const struct endpoint *at;
	uint64_t now;
	uint64_t print;	      /* I1: responder_i1_again's */
	bool has_from;	      /* relayed, and the proof was right: */
	struct addr via_from; /* I1: the Initiator's address */
	struct addr via;      /* UPDATE: the server's; from is FROM's */
	/* Through our relay, and the proof was right (relayed.c): who sent
	 * it there. Port 0: it came straight. */
	struct endpoint relayed;
	/* Through our data relay (datapath.c): `from` points here. */
	struct endpoint source;
};

/* The address of whoever sent it, not of who passed it on. */
static inline const struct addr *engine_sender(const struct packet *p)
{
	if (p->relayed.port)
		return &p->relayed.addr;
	return p->has_from ? &p->via_from : &p->from->addr;
}

/* Have we clients that are registered here? */
static inline bool engine_serves(const struct hip *h)
{
	return h->cfg.rendezvous || h->cfg.relay;
}

struct hip_identity *engine_identity(const struct hip *h,
				     const struct hit *self);
/* Counts and shows a drop. */
void engine_drop(struct hip *h, const struct packet *p, enum reason r);
/* Shows a packet that passed its checks; the effect, to add to. */
struct hip_effect *engine_seen(struct hip *h, const struct packet *p);
/* The packet a job was made for; false: it no longer parses (never). */
bool engine_job_packet(const struct hip_job *job, uint64_t now,
		       struct packet *p);
/* The n-th wait of a back-off that begins with `first`. */
uint64_t engine_backoff(uint64_t first, unsigned n);
