/* SPDX-License-Identifier: MIT */
/* The servers that our own questions go to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "dns/dns.h"

/* THEORY OF OPERATION
 * None configured: each question goes to the server that its client meant,
 * and what is learned there is used for that server's clients only. Else our
 * own questions go to the first of the list that is well, and each further
 * try to the next one. A server that was silent UPSTREAM_STRIKES times in a
 * row rests: longer each time, and it is tried again when its rest is over
 * or all rest. One that asks us what we ask it (loop.h) is not asked at all
 * for UPSTREAM_LOOP_NS. A client's own query goes where it was sent to; who
 * asked the gateway itself has it sent to one of the list. Another list keeps
 * what is known of those that stay (serverlist.h).
 */
#define UPSTREAM_STRIKES 2
#define UPSTREAM_REST_NS 5000000000ULL /* doubles */
#define UPSTREAM_REST_DOUBLINGS 4
#define UPSTREAM_LOOP_NS 60000000000ULL

struct upstream {
	size_t num;
	struct upstream_server {
		struct endpoint at;
		unsigned silent;      /* times in a row */
		uint64_t rests_until; /* ns; 0: it is well */
		uint64_t loops_until; /* ns; 0: it asks others than us */
	} servers[DNS_SERVERS_MAX];
};

/* The list, in that order. */
void upstream_set(struct upstream *u, const struct endpoint *servers,
		  size_t num);
bool upstream_has(const struct upstream *u, const struct endpoint *at);

/* Where the n-th try of a question goes; meant: its client's server. Port 0:
 * there is nobody who does not ask us. */
struct endpoint upstream_pick(const struct upstream *u,
			      const struct endpoint *meant, unsigned n,
			      uint64_t now);
/* Whose answers these are, for what is kept of them: all of the list are
 * one, the unspecified endpoint. */
struct endpoint upstream_realm(const struct upstream *u,
			       const struct endpoint *meant);
/* Are the answers of the client's own server as good as ours? */
bool upstream_trusts(const struct upstream *u, const struct endpoint *meant);
void upstream_answered(struct upstream *u, const struct endpoint *at);
/* True: it begins to rest. */
bool upstream_silent(struct upstream *u, const struct endpoint *at,
		     uint64_t now);
void upstream_looped(struct upstream *u, const struct endpoint *at,
		     uint64_t now);
/* Do all of the list ask us? */
bool upstream_loops(const struct upstream *u, uint64_t now);
