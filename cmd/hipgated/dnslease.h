/* SPDX-License-Identifier: MIT */
/* What becomes of a HIP host's name (dnslease.c). */
#pragma once

#include "gate.h"

/* Publishes the mappings of a lease and names the peer's substitutes. */
int dnslease_publish(struct gate *g, const struct lease_entry *e) HG_CHECK;
/* The records of c are known from the next question on. */
int dnslease_records(struct gate *g, const struct config *c) HG_CHECK;
/* A pin ends because a person says so. errbuf: a sentence for them. */
int dnslease_forget(struct gate *g, const char *name, char *errbuf,
		    size_t errlen) HG_CHECK;
/* A pin out of the journal; g is a struct gate. */
void dnslease_restore_pin(const char *name, const struct hit *hit, void *g);
/* lease_config.let_go; g is a struct gate. */
bool dnslease_let_go(void *g, const struct hit *hit);
/* Until when no IPv4 substitute may be made, because the journal was begun
 * anew at `begun`: lease_config.hold4. begun, wall: s of the wall clock; keep,
 * now: ns. */
uint64_t dnslease_hold(int64_t begun, int64_t wall, uint64_t keep,
		       uint64_t now);
/* The journal may lack what it had: each is written again when it is asked
 * for. g is a struct gate. */
void dnslease_renewed(void *g);
/* dns_config.key_fits */
bool dnslease_key_fits(uint8_t pk_alg, const uint8_t *pk, size_t pk_len,
		       const struct hit *hit);

/* The peer that h is, with where it is; NULL: there is no room. */
struct peer *dnslease_learn(struct gate *g, const struct dns_host *h);
/* The engine's effects. */
void dnslease_need_address(struct gate *g, const struct dns_effect *e);
void dnslease_need_real(struct gate *g, const struct dns_effect *e);
void dnslease_resolved(struct gate *g, const struct dns_effect *e);
void dnslease_unpinned(struct gate *g, const char *name);
