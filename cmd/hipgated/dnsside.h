/* SPDX-License-Identifier: MIT */
/* What the parts of the DNS side share. */
#pragma once

#include <stdint.h>

#include "dnsask.h"
#include "gate.h"

struct dnslisten;
struct dnssec;
struct dnstcp;

enum { DNSSIDE_DONE = 16 };

struct dnsside {
	struct gate *g;
	struct dnsasks asks;
	struct dnstcp *tcp;
	struct dnslisten *listen;
	struct dnssec *dnssec; /* NULL: dnssec = off */
	size_t reals;	       /* real addresses that are mapped */
	/* What is being asked by a packet, and by whom; else NULL. */
	const struct recall_question *asked;
	const struct dns_asker *asker;
	/* A client's query that is still to be traced: first things first. */
	struct dns_effect seen;
	bool seen_waits;
	/* Asks whose sockets are still to be closed, in the same turn. */
	uint32_t done[DNSSIDE_DONE];
	unsigned done_num;
};

/* dns_config.own_ask; g is a struct gate. */
bool dnsside_own_ask(void *g, uint32_t ask, const struct endpoint *from);

/* DNS over TCP that is steered into the TUN: see dnstcp.c. */
int dnstcp_start(struct gate *g, struct dnstcp **out) HG_CHECK;
void dnstcp_stop(struct dnstcp *t);
/* Serves at that bound socket, too, which it takes when it succeeds. */
int dnstcp_listen(struct dnstcp *t, int fd) HG_CHECK;
void dnstcp_fini(struct dnstcp *t);
/* Closes what has been quiet for too long; runs by itself, too. now: ns. */
void dnstcp_expire(struct dnstcp *t, uint64_t now);
/* A client's TCP packet to port 53: to the listener; or the kernel's answer
 * to such a packet (`to` is the near address): back to the client. */
void dnstcp_packet(struct dnstcp *t, struct msg *m, const struct addr *to);
/* A reply for the connection `token`; false: it is gone. */
bool dnstcp_reply(struct dnstcp *t, uint64_t token, const uint8_t *msg,
		  size_t len);
