/* SPDX-License-Identifier: MIT */
/* Messages between threads: a bounded queue with a wake-up.
 *
 * THEORY OF OPERATION
 * A packet belongs to its thread's buffers for life; what must cross a
 * thread is copied into a message. Each thread owns one inbox; any thread
 * may put, only the owner takes. A mutex guards a singly linked list: this
 * is off the packet path (first packets, DNS, HIP control, misplaced ESP).
 * A full inbox refuses, and the sender counts PUNT_FULL.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "core/addr.h"
#include "core/err.h"
#include "core/ip.h"
#include "nat/nat.h"
#include "sockets.h"

enum msg_kind {
	MSG_TUN,    /* worker -> control: a packet that needs a decision;
		    * control -> worker: the same packet, decided. Bound:
		    * half of the inbox, so that a flood of first packets
		    * leaves room for the others */
	MSG_DNS,    /* worker -> control: a packet to port 53 */
	MSG_HIP,    /* worker -> control: HIP message (marker stripped) */
	MSG_ESP,    /* any -> owner worker: one ESP packet; worker ->
		    * control: its SA rests. Bound: half of the inbox */
	MSG_BROKEN, /* worker -> control: a descriptor died with `status` */
	MSG_FIRST,  /* worker -> control: first packet back on a flow */
	MSG_PROBE,  /* control -> worker: a path probe to seal and send;
		    * worker -> control: the answer to one. Between
		    * back.self and back.peer. Bound: eight for each SA */
	MSG_STRAY,  /* worker -> control: authentic ESP between back.self and
		    * back.peer came from elsewhere. Bound: as above */
	MSG_SEALED, /* worker -> control: sealed packets of the SA between
		     * back.self and back.peer, each off.gso_size octets but
		     * the last, that the kernel refused to send from `at`;
		     * control -> worker: now it may. Bound: half of the
		     * inbox */
	MSG_NUM
};

struct msg {
	struct msg *next;
	enum msg_kind kind;
	unsigned worker;	    /* that sent it, or is to carry on */
	uint64_t now;		    /* ns when the packet was read */
	struct ip_offload off;	    /* TUN */
	struct endpoint from;	    /* HIP, ESP, STRAY */
	struct endpoint at;	    /* the same */
	struct sockets_outer outer; /* ESP */
	int status;		    /* BROKEN: libuv's error */
	struct nat_key key;	    /* FIRST */
	struct nat_back back;	    /* FIRST, PROBE, STRAY */
	size_t len;
	uint8_t data[];
};

struct inbox {
	uv_mutex_t lock;
	uv_async_t async;  /* or, if bell >= 0, that: an eventfd, */
	int bell;	   /*  written, never read: edge-triggered */
	_Atomic bool rung; /* for nothing that was taken yet */
	struct msg *head, *tail;
	size_t num, bytes; /* bounds: INBOX_MSGS, INBOX_BYTES */
};

enum { INBOX_MSGS = 4096, INBOX_BYTES = 16 << 20 };

int inbox_init(struct inbox *in, uv_loop_t *loop, uv_async_cb cb,
	       void *arg) HG_CHECK;
/* One with a bell for an owner who waits for that himself. */
int inbox_init_bell(struct inbox *in) HG_CHECK;
/* Rings it, though there is no new message. */
void inbox_ring(struct inbox *in);
/* It has rung: before the messages are taken. */
void inbox_heard(struct inbox *in);
/* After the loop's last run; frees what waits. */
void inbox_fini(struct inbox *in);
struct msg *inbox_msg(enum msg_kind kind, const void *data, size_t len,
		      uint64_t now);
/* Takes m; HG_EFULL: m was freed. */
int inbox_put(struct inbox *in, struct msg *m) HG_CHECK;
/* The oldest message, the caller's to free; NULL: none. */
struct msg *inbox_take(struct inbox *in);
