/* SPDX-License-Identifier: MIT */
/* Where simulated hosts are: links, moves, cuts and NATs. */
#pragma once

#include "test/sim/simnet.h"

/* The host's first addresses; what it knows of them, if it roams. */
void simmove_start(struct sim *s, unsigned i);
/* The engine is told (again). */
void simmove_tell(struct sim *s, unsigned i);
/* Something happens to where the host is: a move, a second link or none, a
 * cut, another port of its NAT. */
void simmove_trouble(struct sim *s, unsigned i);
/* All cuts are mended. */
void simmove_mend(struct sim *s);

/* The link of the host where this arrives, seen from outside; or NULL. */
struct sim_link *simmove_at(struct sim_host *host, const struct endpoint *at);
/* The link it sends by from this address of its own; NULL: none. */
struct sim_link *simmove_from(struct sim_host *host, const struct endpoint *at);
/* Which host is reached there, or -1. */
int simmove_host(struct sim *s, const struct endpoint *at);

/* HIP_LOCATOR. */
void simmove_locator(struct sim *s, unsigned i, const struct hip_effect *x);
/* Where what self sends to peer comes from, as its receiver sees it; false:
 * it does not arrive. */
bool simmove_reaches(struct sim *s, unsigned self, unsigned peer,
		     struct endpoint *from, struct endpoint *at);
