/* SPDX-License-Identifier: MIT */
/* The data relay: ESP between its clients and their peers (RFC 9028 4.12).
 *
 * THEORY OF OPERATION
 * Control opens the ports (relayside.c) and publishes what the engine permits
 * (HIP_PERMIT): struct permit, found by what a packet of either direction
 * shows, as the objects of tables.h are, and with the same rules. A permit is
 * constant but for what marks its place; a new one takes its place.
 *
 * A peer with several addresses has a permit for each. What comes from it finds
 * its own; what the client sends finds all of them, and goes to the one that was
 * named `last`, by ESP that came from there or by the client, of those that
 * have been heard and are not over. Permits know nothing of each other, so that
 * a worker may find one of them gone, or of before; a mark that is set on one
 * just replaced is lost, and set again by the next packet.
 *
 * What comes to a port is read by the worker that has it (its place modulo the
 * number of workers), looked up by port, sender and SPI, and leaves for the
 * client from HIP's own port, which is what the client's NAT lets in. What
 * comes from a client is found on HIP's port as an SPI that is not ours
 * (inbound.c), looked up by sender and SPI, and leaves from the client's port.
 * Nothing of a packet but its first word is looked at, and nothing is copied:
 * packets leave from the buffer they were received in, those that the kernel
 * had merged as one (UDP_SEGMENT), at the end of each batch at the latest.
 *
 * HIP (first word 0) goes to control, with the port it came to.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "hip/hip.h"
#include "linetable.h"
#include "sockets.h"
#include "tables.h"

/* What a packet shows: its sender, our port, unless it is HIP's (0), and its
 * SPI. */
struct relay_key {
	struct endpoint from;
	uint16_t port;
	uint32_t spi;
};

_Static_assert(sizeof(struct relay_key) == 24, "no padding: it is hashed");

struct relay_port {
	uint16_t port;		  /* const */
	int fd[SOCKETS_FAMILIES]; /* const; -1: not that family */
	_Atomic uint64_t window;  /* any worker: of RELAY_WINDOW ns, which, */
	_Atomic uint64_t used;	  /*  and octets in it */
	_Atomic uint64_t packets; /* any worker: passed on, both ways */
	_Atomic uint64_t bytes;
};

#define RELAY_WINDOW UINT64_C(100000000)
#define RELAY_LAST UINT64_C(10000000)

struct permit {
	_Alignas(64) struct rcu_head rcu;
	struct relay_key in;   /* of the peer's packets */
	struct relay_key out;  /* of the client's */
	uint64_t until;	       /* ns */
	_Atomic bool heard;    /* any worker: the peer has sent something */
	_Atomic uint64_t last; /* any worker: ns, when; or when the client has
				* asked for it. Behind by RELAY_LAST at most */
	struct relay_port *port;
	struct sockets_from self; /* where we are to the client */
	struct sockaddr_storage peer;
	struct sockaddr_storage client;
	socklen_t peer_len;
	socklen_t client_len;
};

struct relaying {
	struct relay_port *port; /* const, `num` of them */
	size_t num;
	_Atomic uint64_t quota; /* control: octets of a client in a window;
				   0: any */
	struct linetable in;	/* control adds and removes */
	struct linetable out;
};

struct worker;
struct datagram;
struct lane; /* a worker's part */

int relaying_init(struct worker *w) HG_CHECK;
/* Before its loop runs. */
int relaying_poll(struct worker *w) HG_CHECK;
void relaying_fini(struct worker *w);
/* ESP with an SPI that is not ours: false: from no client, either. data is the
 * caller's until relaying_flush. */
bool relaying_from_client(struct worker *w, const struct datagram *of,
			  uint8_t *data, size_t len) HG_CHECK;
/* Passes on what waits at a port. */
void relaying_readable(struct worker *w, const struct relay_port *port, int fd);
/* Sends what was taken since the last call. */
void relaying_flush(struct worker *w);

/* ---- permits.c ---------------------------------------------------------- */
/* Any registered thread: what comes from a peer. */
struct permit *permits_in(const struct tables *t, const struct relaying *r,
			  const struct relay_key *key);
/* What comes from a client: of the places of its peer the one to send to. */
struct permit *permits_out(const struct tables *t, const struct relaying *r,
			   const struct relay_key *key, uint64_t now);
/* May what is sent to it leave? */
bool permits_open(const struct permit *p, uint64_t now);
/* Control: p (taken) is in force from now on, in the place of the one with its
 * key of the peer's packets. HG_EEXIST: another client's packets, or this one's
 * to another peer, look like these. */
int permits_add(const struct tables *t, struct relaying *r,
		struct permit *p) HG_CHECK;
/* The one with this key of the peer's packets is over, if there is one. */
void permits_del(const struct tables *t, struct relaying *r,
		 const struct relay_key *in);
void permits_fini(struct relaying *r);
