/* SPDX-License-Identifier: MIT */
/* Who is registered with us: at a rendezvous server or control relay (RFC
 * 8003, 8004, 9028 4.1). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "hip/dueheap.h"
#include "hip/hip.h"

#define REGISTRAR_MAX 131072  /* clients */
#define REGISTRAR_TYPES_MAX 8 /* types of one request that are refused */

/* What we answer to a REG_REQUEST: decided before it is authenticated,
 * carried out after. */
struct registrar_answer {
	uint8_t granted; /* the service: FIELDS_REG_RENDEZVOUS or
			  * FIELDS_REG_RELAY_UDP_HIP; 0: none */
	uint8_t code;	 /* its lifetime; 0: cancelled */
	uint8_t failed[REGISTRAR_TYPES_MAX]; /* types refused, each */
	uint8_t why[REGISTRAR_TYPES_MAX];    /*  for this failure type */
	uint8_t failed_num;
	struct endpoint seen_at; /* REG_FROM; port 0: it is not told */
	bool data;		 /* RELAY_UDP_ESP was asked for, too, and is */
	uint8_t data_code;	 /*  granted, or (0) cancelled; */
	struct endpoint relayed_at; /* there; port 0: not granted */
};

struct registrar_entry; /* one client */
struct assoc;
struct hip_msg;
struct msg_builder;
struct packet;

struct registrar {
	uint8_t key[16];
	struct registrar_entry **bucket; /* by client HIT; NULL: no service */
	uint32_t buckets;		 /* a power of 2 */
	uint32_t num;
};

extern const uint8_t registrar_min; /* lifetimes offered, coded */
extern const uint8_t registrar_max;

int registrar_init(struct hip *h) HG_CHECK;
void registrar_fini(struct hip *h);
/* What the REG_REQUESTs in p would get. false: malformed, nothing. */
bool registrar_decide(struct hip *h, const struct packet *p,
		      struct registrar_answer *out);
void registrar_put(struct msg_builder *b, const struct registrar_answer *ans);
/* RELAYED_ADDRESS, which comes later in type order. */
void registrar_put_relayed(struct msg_builder *b,
			   const struct registrar_answer *ans);
/* Makes, renews or cancels the registration of the association's peer. */
void registrar_commit(struct hip *h, struct assoc *a,
		      const struct registrar_answer *ans, uint64_t now);
/* The association goes: so does its registration. */
void registrar_drop(struct hip *h, struct assoc *a);
/* The association a client HIT is registered by, or NULL; its `service` says
 * for what. */
struct assoc *registrar_find(const struct hip *h, const struct hit *client);
/* Does the association carry a registration? */
bool registrar_holds(const struct hip *h, const struct assoc *a);
void registrar_timer(struct hip *h, struct due *d, uint64_t now);
