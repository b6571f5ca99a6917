/* SPDX-License-Identifier: MIT */
/* What a worker saw, on its way to a capture: one ring for each worker.
 *
 * THEORY OF OPERATION
 * The worker writes, the control thread reads. What is written becomes
 * readable at tapring_publish, which the worker calls before it waits: until
 * then it may still say what became of a packet. A ring that is full takes no
 * more, and counts: nothing ever waits for a reader. The ring is made when a
 * capture begins and freed by liburcu after its end.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <urcu-qsbr.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/reason.h"

enum { TAPRING_SIZE = 8 << 20 /* octets; a power of two */ };

enum tap_kind {
	TAP_VOID, /* taken back: another thread shows it */
	TAP_TUN_IN,
	TAP_TUN_OUT,
	TAP_OWN_OUT, /* the control thread's, to the TUN */
	TAP_WIRE_IN, /* from here on: the wire */
	TAP_WIRE_OUT,
	TAP_HIP_IN,
	TAP_HIP_OUT,
	TAP_KINDS
};

/* What became of it, besides being dropped. */
enum tap_fate {
	TAP_DONE,
	TAP_PASSED, /* to the control thread, which decides */
	TAP_FATES
};

struct tap_record {
	uint32_t size;	 /* of all of it, padded to 8; 0: go on at the start */
	uint8_t kind;	 /* enum tap_kind */
	uint8_t fate;	 /* enum tap_fate */
	uint16_t reason; /* enum reason; REASON_NUM: it was not dropped */
	uint64_t when;	 /* ns, monotonic */
	uint32_t len;	 /* octets that there were, */
	uint32_t caplen; /* and that are here */
	uint32_t spi;	 /* of its SA; 0: none */
	uint8_t proto;	 /* of its flow; 0: none. HIP: the packet's type */
	uint16_t ext_port, peer_port;
	struct hit peer;
	/* On the wire: the headers that the kernel makes or has taken. */
	struct endpoint from, to;
	uint8_t data[];
};

struct tapring {
	struct rcu_head rcu;
	uint32_t snaplen;		    /* const */
	_Alignas(64) _Atomic uint64_t head; /* worker */
	uint64_t at;			    /* worker: behind what is written */
	_Atomic uint64_t lost;		    /* worker: packets without room */
	_Alignas(64) _Atomic uint64_t tail; /* reader */
	_Alignas(64) uint8_t data[TAPRING_SIZE];
};

int tapring_new(uint32_t snaplen, struct tapring **out) HG_CHECK;
/* No thread sees it any more. */
void tapring_free(struct tapring *r);
/* When no worker can see it any more. */
void tapring_retire(struct tapring *r);

/* Worker: room for a packet of len octets, of which caplen are to be filled
 * in; all else is zero, and not dropped. NULL: there is none. */
struct tap_record *tapring_put(struct tapring *r, enum tap_kind kind,
			       uint64_t when, size_t len);
void tapring_publish(struct tapring *r);

/* Reader: the oldest record, or NULL; tapring_done lets go of it. */
const struct tap_record *tapring_peek(struct tapring *r);
void tapring_done(struct tapring *r, const struct tap_record *rec);
