/* SPDX-License-Identifier: MIT */
/* The data relay: its clients' ports and permissions (RFC 9028 4.1, 4.12). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/reason.h"
#include "hip/dueheap.h"
#include "hip/hip.h"

#define DATARELAY_PERMITS_MAX 32 /* of one client */
#define DATARELAY_PLACES_MAX 4	 /* of one pair of SPIs */

struct assoc;
struct hip_msg;
struct packet;
struct registrar_answer;

/* A pair of SPIs with one place of a peer (RFC 9028 4.12.1). */
struct datarelay_permit {
	struct endpoint peer;
	uint32_t spi_out; /* as the client has them */
	uint32_t spi_in;
	uint64_t until;
	bool heard; /* the peer has written to the relayed address */
};

/* A UDP port, and whose it is. */
struct datarelay_port {
	struct due due;	    /* when the registration runs out */
	struct assoc *a;    /* the client's; NULL: it is free */
	struct endpoint at; /* the relayed address; free: its port only */
	uint64_t promised;  /* to an I2 that is being verified, until then */
	struct datarelay_permit *permit; /* DATARELAY_PERMITS_MAX; free: NULL */
	uint8_t num; /* in use; first who was not renewed for longest */
};

struct datarelay {
	struct datarelay_port *port; /* NULL: no service */
	size_t num;
	uint16_t own; /* HIP's port, which is none of them */
};

void datarelay_fini(struct hip *h);

/* A REG_REQUEST for it that nothing else is against: which address it gets,
 * in ans->relayed_at; false: none is free. */
bool datarelay_promise(struct hip *h, const struct packet *p,
		       struct registrar_answer *ans) HG_CHECK;
/* What was answered takes effect. */
void datarelay_commit(struct hip *h, struct assoc *a,
		      const struct registrar_answer *ans, uint64_t now);
/* The association goes, or what it is registered for: so does its port. */
void datarelay_drop(struct hip *h, struct assoc *a);
void datarelay_timer(struct hip *h, struct due *d, uint64_t now);

/* What a new UPDATE of the peer's permits. REASON_NUM: well, also when it says
 * nothing of that; HIP_NOT_REGISTERED: it is no client, and the UPDATE is to
 * be dropped. What may not be permitted is counted, and is not. */
enum reason datarelay_permit(struct hip *h, const struct assoc *a,
			     const struct packet *p) HG_CHECK;
/* HIP of this peer came to that port, which is somebody's. */
void datarelay_heard(struct hip *h, const struct datarelay_port *from,
		     const struct endpoint *peer, uint64_t now);
/* It has moved, or may no longer be where it was. */
void datarelay_moved(struct hip *h, const struct assoc *a, uint64_t now);

/* The port that this is, ours and somebody's or free; NULL: it is none. */
const struct datarelay_port *datarelay_at(const struct hip *h,
					  const struct endpoint *at);
/* The port of this association; NULL: it has none. */
const struct datarelay_port *datarelay_of(const struct hip *h,
					  const struct assoc *a);
/* May that client send to this peer, which has written to it? */
bool datarelay_permits(const struct datarelay_port *port,
		       const struct endpoint *peer, uint64_t now);
/* Is that one of our own addresses, with whatever port? */
bool datarelay_is_self(const struct hip *h, const struct addr *a);
