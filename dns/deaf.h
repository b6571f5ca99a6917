/* SPDX-License-Identifier: MIT */
/* Servers that do not answer HIP questions, or none with EDNS. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"

/* THEORY OF OPERATION
 * Old servers, and boxes before them, drop what they do not know: questions
 * for HIP records, or with EDNS. Clients of plain names must not wait for
 * that. Nothing is concluded from clients' questions, for whoever owns a
 * name could then have all HIP hosts behind a resolver taken for plain ones
 * (servers of one zone that drop HIP questions look alike from here). They
 * give rise to a trial: the server is asked for HIP and A of the root, each
 * with EDNS and then without. A is answered and HIP is not: it is deaf, and
 * its answers to clients are not held back for a HIP record's; where HIP is
 * required, or the name is pinned, they are as before. Of several servers
 * those that hear are asked for HIP records.
 *
 * Our own servers are tried at the start, others when a HIP question came to
 * nothing and the client's own did not. One that is deaf, or takes no EDNS,
 * is tried again while it is used; meanwhile it is what it was. A zone whose
 * own servers drop HIP questions is the cache's business (cache.h). Bounds:
 * DEAF_SERVERS, of which the one that was not used for the longest time
 * goes. Owner: the control thread.
 */
#define DEAF_SERVERS 64
#define DEAF_AGAIN_NS 60000000000ULL /* from a bad result to the next trial */
#define DEAF_RETRY_NS 5000000000ULL  /* from another */

struct ask;
struct dns;
struct question;

struct deaf {
	size_t num;
	struct deaf_server {
		struct endpoint at;
		bool deaf;
		bool plain;	/* takes no EDNS */
		uint64_t used;	/* ns */
		uint64_t again; /* ns: no trial before */
	} servers[DEAF_SERVERS];
};

bool deaf_is(const struct dns *d, const struct endpoint *server);
/* Tries it, unless that was done not long ago. */
void deaf_suspect(struct dns *d, const struct endpoint *server, uint64_t now);
/* The server is about to be asked: with EDNS? */
bool deaf_takes_edns(struct dns *d, const struct endpoint *server,
		     uint64_t now);
/* The ask was answered. True: but because of its EDNS it was not understood
 * (RFC 6891 7), and is to be asked without. */
bool deaf_heard(struct dns *d, const struct ask *a, unsigned rcode,
		uint64_t now);
/* A trial is over; the question is still there. */
void deaf_judge(struct dns *d, const struct question *q, uint64_t now);
/* Nobody is going to answer the question for the HIP record. */
bool deaf_hopeless(const struct dns *d, const struct question *q, uint64_t now);
