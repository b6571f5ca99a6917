/* SPDX-License-Identifier: MIT */
/* A worker: one TUN queue, one UDP socket a family, run to completion.
 *
 * THEORY OF OPERATION
 * Worker k has its own libuv loop on its own thread. Readable TUN queue:
 * outbound.c drains a bounded batch, looks each packet's flow and SA up,
 * rewrites, cuts, seals and sends. Readable UDP socket: inbound.c drains a
 * bounded batch, opens, looks flows up, rewrites, joins and writes.
 * What needs a decision (no flow, no SA, DNS, HIP control) goes to the
 * control thread as a copy and may come back through the inbox.
 * The packet path takes no lock, allocates nothing, logs nothing and reads
 * the clock once a wake-up; it counts. Buffers are made once.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <uv.h>

#include "core/reason.h"
#include "inbox.h"
#include "offload.h"
#include "recall.h"
#include "relaying.h"
#include "sockets.h"
#include "steer.h"
#include "tables.h"
#include "tun/tun.h"

enum {
	WORKER_TUN_BUDGET = 64,	 /* packets a wake-up */
	WORKER_TUN_SHORT = 4096, /* octets; a longer one ends a row */
	WORKER_UDP_BUDGET = 16,	 /* receive batches a wake-up */
	WORKER_UDP_BATCH = 16,	 /* (GRO) datagrams a receive */
	WORKER_UDP_BUF = 65536,
	WORKER_BATCH_MAX = 65000, /* octets of one UDP_SEGMENT send */
	WORKER_BATCH_SEGS = 64,	  /* kernels before 6.10 take no more */
	WORKER_ROW = 32,	  /* packets that are looked up together */
	WORKER_ICMP_BURST = 64,	  /* ICMP errors a wake-up second */
};

/* The room of a short packet of a row, and of a row with a long one. */
#define WORKER_TUN_STEP(len) (((len) + TUN_VNET_HDR + 63) / 64 * 64)
#define WORKER_TUN_BUF                                                         \
	((WORKER_ROW - 1) * WORKER_TUN_STEP(WORKER_TUN_SHORT) + TUN_VNET_HDR + \
	 TUN_PACKET_MAX)

/* Sealed packets of one SA, all but the last of one size, with equal outer
 * headers; see batch.c. */
struct batch {
	struct path *path;
	uint64_t first; /* sequence number */
	struct sockets_outer outer;
	size_t seg;  /* size of all but the last */
	size_t used; /* octets in buf */
	unsigned num;
	bool closed; /* a shorter one was last */
	bool df;     /* a probe, or the path wants it */
	bool probe;  /* one packet, of which nobody hears if it fails */
	uint8_t *buf;
};

struct receive; /* receive buffers; inbound.c */

/* What all workers share with control: set before the threads start. */
struct plane {
	struct tables tables;
	struct steer steer;
	struct sockets sockets;
	struct tun_info tun;
	int tun_fd[WORKERS_MAX];
	unsigned workers_num;
	struct worker *workers; /* workers_num of them */
	struct inbox *control;
	struct recall *recall;	   /* NULL: no proxy */
	struct relaying *relaying; /* NULL: no data relay */
	bool proxy;
	bool host;
	bool has_tun;
};

struct worker {
	struct plane *plane;
	unsigned k;
	uv_thread_t thread;
	uv_loop_t loop;
	uv_prepare_t prepare; /* offline for the tables */
	uv_poll_t tun_poll;
	uv_poll_t udp_poll[SOCKETS_FAMILIES];
	struct inbox inbox;
	_Atomic bool stop;
	bool running;
	bool df[SOCKETS_FAMILIES];		  /* of our sockets, now */
	struct offload segment[SOCKETS_FAMILIES]; /* UDP_SEGMENT */
	struct offload join[TUN_JOIN_NUM];	  /* TSO and USO, written */
	uint64_t now;				  /* ns, read once a wake-up */
	struct reasons drops;
	struct sockets_outer outer; /* of what is sealed, or was opened, now */
	struct path *path;	    /* of what is sealed now, */
	struct esp_ctx *seal;	    /*  and its context */
	struct batch batch;
	uint8_t *tun_buf;
	uint8_t *scratch; /* ICMP errors */
	struct receive *receive;
	struct lane *lane; /* relaying.c; NULL: no data relay */
	struct tun_joiner *joiner;
	struct nat_gather *gather; /* fragments, both ways */
	uint64_t icmp_epoch;
	unsigned icmp_left;
	_Atomic uint64_t tun_reads, tun_writes, udp_sends, udp_receives;
	_Atomic uint64_t cut;	   /* packets that left in fragments of ours */
	_Atomic uint64_t recalled; /* DNS answers, by recall.h */
	char apart[64];		   /* the next one's fields have other lines */
};

int worker_init(struct worker *w, struct plane *plane, unsigned k) HG_CHECK;
int worker_start(struct worker *w) HG_CHECK;
/* Asks it to end and waits. */
void worker_stop(struct worker *w);
void worker_fini(struct worker *w);

static inline void worker_drop(struct worker *w, enum reason r)
{
	reason_count(&w->drops, r);
}

static inline void worker_add(_Atomic uint64_t *n, uint64_t v)
{
	atomic_fetch_add_explicit(n, v, memory_order_relaxed);
}

/* At the start of each callback: online for the tables, the time is read. */
void worker_wake(struct worker *w);
/* Copies a message to control; counts PUNT_FULL when it is refused. */
void worker_punt(struct worker *w, struct msg *m);

/* ---- batch.c ----------------------------------------------------------- */
/* Where the next packet, of `wire` octets with number seq, for w->path and
 * with w->outer, is to be sealed; NULL: it is larger than any. */
uint8_t *batch_room(struct worker *w, uint64_t seq, size_t wire);
/* It has been. */
void batch_commit(struct worker *w, size_t wire);
/* Sends what there is; what cannot be is counted. */
void batch_flush(struct worker *w);

/* ---- outbound.c ------------------------------------------------------- */
void outbound_readable(struct worker *w);
/* One packet from the TUN, read or given back by control (`decided`: no
 * second punt; what still has no flow is dropped). */
void outbound_packet(struct worker *w, uint8_t *pkt, size_t len,
		     const struct ip_offload *off, bool decided);
/* Sends control's path probe; answers a peer's, which came out of sa. */
void outbound_probe(struct worker *w, const struct msg *m);
void outbound_answer(struct worker *w, const struct sa *sa, uint64_t token);

/* ---- inbound.c -------------------------------------------------------- */
int inbound_init(struct worker *w) HG_CHECK;
void inbound_fini(struct worker *w);
void inbound_readable(struct worker *w, int fd);
/* One ESP packet that came another way (MSG_ESP; borrowed, written to). */
void inbound_esp(struct worker *w, struct msg *m);
void inbound_flush(struct worker *w);
