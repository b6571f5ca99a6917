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
 * give rise to a trial: the server is asked for HIP and A of one name, each
 * with EDNS and then without. The name is one of chance, new each time: no
 * cache on the way holds the one and not the other, and nobody can answer in
 * advance. A is answered and HIP is not: a bad trial, which loss or an outage
 * can bring about, too. After DEAF_BAD of them, and no answer for HIP in
 * between, the server is deaf, and its answers to clients are not held back
 * for a HIP record's; where HIP is required, or the name is pinned, they are
 * as before. Of several servers those that hear are asked for HIP records.
 *
 * Our own servers are tried at the start, others when a HIP question came to
 * nothing and the client's own did not. After a bad trial, and when a server
 * takes no EDNS, it is tried again while it is used; meanwhile it is what it
 * was. That it takes no EDNS is known from a trial, or from its own word
 * (FORMERR, NOTIMP) and an answer to the same question without. What is
 * dropped beyond the server alone is not found when it knows from A that
 * there is no such name; that, and a zone whose own servers drop HIP
 * questions, is the cache's business (cache.h). Bounds: DEAF_SERVERS, of
 * which the one that was not used for the longest time goes; DEAF_TRIALS at a
 * time, for they are charged to nobody. Owner: the control thread.
 */
#define DEAF_SERVERS 64
#define DEAF_TRIALS 8
#define DEAF_BAD 3
#define DEAF_RETRY_NS 5000000000ULL /* from one trial to the next */

struct ask;
struct dns;
struct question;

struct deaf {
	size_t num;
	unsigned trials; /* under way */
	struct deaf_server {
		struct endpoint at;
		unsigned bad;	/* trials in a row */
		bool plain;	/* takes no EDNS */
		uint64_t used;	/* ns */
		uint64_t again; /* ns: no trial before */
	} servers[DEAF_SERVERS];
};

bool deaf_is(const struct dns *d, const struct endpoint *server);
/* Tries it, unless that was done not long ago. */
void deaf_suspect(struct dns *d, const struct endpoint *server, uint64_t now);
/* Of those that are not in the list nothing is known any more. */
void deaf_forget(struct dns *d);
/* The server is about to be asked: with EDNS? */
bool deaf_takes_edns(struct dns *d, const struct endpoint *server,
		     uint64_t now);
/* The ask was answered. True: but because of its EDNS it was not understood
 * (RFC 6891 7), and is to be asked without. */
bool deaf_heard(struct dns *d, const struct ask *a, unsigned rcode,
		uint64_t now);
/* A trial is over; the question is still there. */
void deaf_judge(struct dns *d, const struct question *q);
/* Nobody is going to answer the question for the HIP record. */
bool deaf_hopeless(const struct dns *d, const struct question *q, uint64_t now);
