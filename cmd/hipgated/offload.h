/* SPDX-License-Identifier: MIT */
/* Offloads: packets that pass between us and the kernel many at a time.
 *
 * THEORY OF OPERATION
 * The setting says which are wanted (offload_wanted):
 *
 *	 	TSO	USO	UDP_SEGMENT	UDP_GRO
 *	auto	yes	yes	yes		yes
 *	safe	yes	no	no		no
 *	off	no	no	no		no
 *
 * TSO is TCP super-packets from and to the TUN, each checksum verified
 * before they are joined; virtual machines have used just that for longer
 * than hipgate is there. The others are younger, UDP_SEGMENT is done by the
 * driver below where that says it can, and damage that is done there no
 * program can see: hence `safe`.
 *
 * Whether the kernel knows one is asked at start, of the descriptor itself.
 * TSO and USO (when they are written) and UDP_SEGMENT can still be refused
 * at a packet: by a kernel that checks more than it promised, or where
 * something on the way out, such as IPsec, takes no such packets. What was
 * refused is sent one by one, at once; after OFFLOAD_ROW refusals with no
 * success between them nothing is tried for OFFLOAD_REST_NS. A refusal may
 * be the doing of the way to one peer, or of a route that changes, so it is
 * never for good. Of reading and receiving nothing can be refused.
 *
 * Each struct offload belongs to the worker that uses it; control reads
 * the atomics, for `hipgate status`.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "cmd/config/config.h"

enum offload_kind {
	OFFLOAD_TSO,
	OFFLOAD_USO,
	OFFLOAD_UDP_SEGMENT,
	OFFLOAD_UDP_GRO,
	OFFLOAD_NUM
};

enum { OFFLOAD_ROW = 3 };
#define OFFLOAD_REST_NS UINT64_C(60000000000)

/* One that may be refused at a packet. */
struct offload {
	bool has;		  /* const: wanted, and the kernel knows it */
	unsigned row;		  /* owner: refusals since it was taken */
	_Atomic uint64_t until;	  /* ns: it rests; 0: it does not */
	_Atomic uint64_t refused; /* how often */
};

bool offload_wanted(enum config_offload setting, enum offload_kind kind);
/* "udp-segment"; stable, used in JSON and in the docs. */
const char *offload_name(enum offload_kind kind);

void offload_init(struct offload *o, bool has);
/* Is it to be used now? */
bool offload_on(struct offload *o, uint64_t now);
/* The kernel took one. */
void offload_took(struct offload *o);
void offload_refused(struct offload *o, uint64_t now);
