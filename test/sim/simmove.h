/* SPDX-License-Identifier: MIT */
/* Where simulated hosts are: links, moves, cuts and NATs. */
#pragma once

#include "test/sim/simnet.h"

/* Puts all but servers behind NATs that can be passed without a data relay (RFC
 * 9028 4.6), or none. Before simnet_start. */
void simmove_nats(struct sim *s);
/* The host's first addresses; what it knows of them, if it roams. */
void simmove_start(struct sim *s, unsigned i);
/* The engine is told (again). */
void simmove_tell(struct sim *s, unsigned i);
/* Something happens to where the host is: a move, a second link or none, a
 * cut, another port of its NAT. */
void simmove_trouble(struct sim *s, unsigned i);
/* All cuts are mended. */
void simmove_mend(struct sim *s);

/* The link of the host where what comes from there arrives, seen from
 * outside; or NULL. from NULL: where anything may. */
struct sim_link *simmove_at(struct sim_host *host, const struct endpoint *at,
			    const struct endpoint *from);
/* Where what leaves by this link comes from, as the world sees it; its NAT
 * remembers. */
struct endpoint simmove_leaves(struct sim_link *l, const struct endpoint *to);
/* The link it sends by from this address of its own; NULL: none. */
struct sim_link *simmove_from(struct sim_host *host, const struct endpoint *at);
/* Which host is reached there from there, or -1. */
int simmove_host(struct sim *s, const struct endpoint *at,
		 const struct endpoint *from);

/* HIP_LOCATOR. */
void simmove_locator(struct sim *s, unsigned i, const struct hip_effect *x);
/* The NAT of self sees data leave for peer. */
void simmove_opens(struct sim *s, unsigned self, unsigned peer);
/* Where what is sealed with sa comes from, as its receiver sees it; false: it
 * does not arrive. */
bool simmove_reaches(struct sim *s, const struct sim_sa *sa,
		     struct endpoint *from, struct endpoint *at);
/* Says who is where, and where associations send. */
void simmove_print(const struct sim *s);
