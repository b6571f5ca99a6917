/* SPDX-License-Identifier: MIT */
/* What the two halves of the DNS side share (dnsside.c, dnstcp.c). */
#pragma once

#include <stdint.h>

#include "dnsask.h"
#include "gate.h"

struct dnssec;
struct dnstcp;

struct dnsside {
	struct gate *g;
	struct dnsasks asks;
	struct dnstcp *tcp;
	struct dnssec *dnssec; /* NULL: dnssec = off */
};

/* The records of c are known from the next question on. */
int dnsside_records(struct gate *g, const struct config *c) HG_CHECK;
/* A pin ends because a person says so. errbuf: a sentence for them. */
int dnsside_forget(struct gate *g, const char *name, char *errbuf,
		   size_t errlen) HG_CHECK;
/* A pin out of the journal; g is a struct gate. */
void dnsside_restore_pin(const char *name, const struct hit *hit, void *g);

/* dns_config.key_fits */
bool dnsside_key_fits(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
		      const struct hit *hit);

/* DNS over TCP that is steered into the TUN: see dnstcp.c. */
int dnstcp_start(struct gate *g, struct dnstcp **out) HG_CHECK;
void dnstcp_stop(struct dnstcp *t);
void dnstcp_fini(struct dnstcp *t);
/* A client's TCP packet to port 53: to the listener; or the kernel's answer
 * to such a packet (`to` is the near address): back to the client. */
void dnstcp_packet(struct dnstcp *t, struct msg *m, const struct addr *to);
/* A reply for the connection `token`; false: it is gone. */
bool dnstcp_reply(struct dnstcp *t, uint64_t token, const uint8_t *msg,
		  size_t len);
