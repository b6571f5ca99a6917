/* SPDX-License-Identifier: MIT */
/* DNS at ordinary sockets: `listen`, and what systemd passes on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"
#include "dns/dns.h"

/* THEORY OF OPERATION
 * Control thread only. UDP sockets are read here, TCP ones belong to
 * dnstcp.c. A socket comes from `listen`, or from whoever started the daemon
 * (LISTEN_FDS, sd_listen_fds(3)): so port 53 needs no privilege of ours.
 * Each query is answered from the address it came to, so that a socket bound
 * to all of them can be used; the token of its dns_asker is the socket's
 * number. Who is not one of `clients` is refused; programs of this machine
 * always are: they come from a loopback address, or from the very one they
 * ask. Who forges that has the answer sent to us.
 */
struct gate;
struct dnslisten;

enum {
	DNSLISTEN_MAX = 16,    /* sockets of each kind */
	DNSLISTEN_BUDGET = 64, /* queries of one socket a wake-up */
};

/* errbuf: what a person can mend. */
int dnslisten_start(struct gate *g, struct dnslisten **out, char *errbuf,
		    size_t errlen) HG_CHECK;
void dnslisten_stop(struct dnslisten *l);
void dnslisten_fini(struct dnslisten *l);
/* For who->token, not 0. */
void dnslisten_reply(struct dnslisten *l, const struct dns_asker *who,
		     const uint8_t *msg, size_t len);
/* May it ask at a socket of ours, at that address? */
bool dnslisten_serves(const struct gate *g, const struct addr *client,
		      const struct addr *at);
