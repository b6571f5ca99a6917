/* SPDX-License-Identifier: MIT */
/* How a slot gets its answer: out of the cache, with others, or by asking. */
#pragma once

#include <stdint.h>

#include "dns/question.h"

/* The answer is in the cache, and the slot ANSWERED. */
bool fetch_kept(struct dns *d, struct question *q, enum slot slot,
		uint64_t now);
/* Begins; the slot may be ANSWERED at once, out of the cache. */
void fetch_start(struct dns *d, struct question *q, enum slot slot,
		 uint64_t now);
/* Asks, whatever the cache holds and whoever else asks. */
void fetch_send(struct dns *d, struct question *q, enum slot slot,
		uint64_t now);
/* The slot waits for what another one will bring, and sends nothing. */
void fetch_wait(const struct dns *d, struct question *q, enum slot slot,
		uint64_t now);
/* The last answer was cut short, or may be forged: over TCP. */
void fetch_tcp(struct dns *d, struct question *q, enum slot slot, uint64_t now);
/* The server did not understand the ask: the same one, without EDNS. */
void fetch_plain(struct dns *d, struct ask *a, uint64_t now);
/* No answer for the HIP record that can be used. If that was silence alone
 * it is kept for a while; else what was kept of the kind is gone: there is a
 * record, or there must be one. */
void fetch_unsaid(struct dns *d, const struct question *q, uint64_t now);
/* It is not waited for any longer. */
void fetch_stop(struct dns *d, struct question *q, enum slot slot);
/* A time of the slot has come. */
void fetch_timer(struct dns *d, struct question *q, enum slot slot,
		 uint64_t now);
