/* SPDX-License-Identifier: MIT */
/* Rendezvous server: who is registered with us (RFC 8003, 8004). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "hip/dueheap.h"
#include "hip/hip.h"

#define REGISTRAR_MAX 65536
#define REGISTRAR_TYPES_MAX 8 /* other types of one request we refuse */

/* What we answer to a REG_REQUEST: decided before it is authenticated,
 * carried out after. */
struct registrar_answer {
	bool granted;
	uint8_t code; /* lifetime; 0: cancelled */
	bool refused; /* RENDEZVOUS was asked for and is not to be had: */
	uint8_t why;  /*  failure type */
	uint8_t other[REGISTRAR_TYPES_MAX]; /* types we do not know */
	uint8_t other_num;
};

struct registrar_entry; /* one client */
struct assoc;
struct hip_msg;
struct msg_builder;
struct packet;

struct registrar {
	uint8_t key[16];
	struct registrar_entry **bucket; /* by client HIT; NULL: no service */
	uint32_t num;
};

extern const uint8_t registrar_min; /* lifetimes offered, coded */
extern const uint8_t registrar_max;

int registrar_init(struct hip *h) HG_CHECK;
void registrar_fini(struct hip *h);
/* What the REG_REQUESTs in p would get. false: malformed. */
bool registrar_decide(struct hip *h, const struct packet *p,
		      struct registrar_answer *out);
void registrar_put(struct msg_builder *b, const struct registrar_answer *ans);
/* Makes, renews or cancels the registration of the association's peer. */
void registrar_commit(struct hip *h, struct assoc *a,
		      const struct registrar_answer *ans, uint64_t now);
/* The association goes: so does its registration. */
void registrar_drop(struct hip *h, struct assoc *a);
/* The association a client HIT is registered by, or NULL. */
struct assoc *registrar_find(const struct hip *h, const struct hit *client);
/* Does the association carry a registration? */
bool registrar_holds(const struct hip *h, const struct assoc *a);
void registrar_timer(struct hip *h, struct due *d, uint64_t now);
