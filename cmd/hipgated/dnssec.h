/* SPDX-License-Identifier: MIT */
/* Validation of HIP records by libunbound (RFC 4035; product.md section 3).
 *
 * THEORY OF OPERATION
 * Control thread only. libunbound resolves and validates in a thread of its
 * own; its descriptor is on the loop, and its callbacks run here, in
 * dnssec's poll callback. It asks the servers that `dns-server` names and
 * trusts what `trust-anchor` says, and what that has rolled to since
 * (anchor.h). What it found goes to the engine, which
 * alone decides what that means. Bounded by the engine's questions: one
 * HIP question each.
 *
 * A context of libunbound has its servers for its life, and ends when its
 * thread has. So when the servers change (dnssec_forward) the old one is off
 * the loop at once, with all that it was asked; it ends, and the next one is
 * made, in libuv's thread pool, and what is asked meanwhile waits for that. If
 * the servers change again until then, one more is made. If none can be made
 * the log says so, and questions are refused, never taken for unproved, until
 * one can: it is tried with the first question after 5 s.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct gate;
struct dnssec;

/* errbuf: a sentence for a person. */
int dnssec_start(struct gate *g, struct dnssec **out, char *errbuf,
		 size_t errlen) HG_CHECK;
/* g->cfg has other servers; what is being asked has no answer. NULL: nothing. */
void dnssec_forward(struct dnssec *s);
void dnssec_stop(struct dnssec *s);
/* After the loop has run out of what dnssec_stop closed. */
void dnssec_fini(struct dnssec *s);
/* The answer comes as dns_validated or dns_ask_failed. */
int dnssec_ask(struct dnssec *s, uint32_t ask, const char *name,
	       uint16_t qtype) HG_CHECK;
/* No answer is wanted any more; unknown asks are none of ours. */
void dnssec_end(struct dnssec *s, uint32_t ask);
