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
 * or all rest. A client's own query always goes where it was sent to.
 */
#define UPSTREAM_STRIKES 2
#define UPSTREAM_REST_NS 5000000000ULL /* doubles */
#define UPSTREAM_REST_DOUBLINGS 4

struct upstream {
	size_t num;
	struct upstream_server {
		struct endpoint at;
		unsigned silent;      /* times in a row */
		uint64_t rests_until; /* ns; 0: it is well */
	} servers[DNS_SERVERS_MAX];
};

/* Where the n-th try of a question goes; meant: its client's server. */
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
void upstream_silent(struct upstream *u, const struct endpoint *at,
		     uint64_t now);
