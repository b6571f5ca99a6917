/* SPDX-License-Identifier: MIT */
/* Does the path live? Silence, other sources, credit. */
#pragma once

#include "hip/engine.h"

/* Data went out; data (or, with data false, an UPDATE) came in. */
void pathwatch_out(struct hip *h, struct assoc *a, uint64_t now);
void pathwatch_in(struct assoc *a, bool data);
/* HIP_LOCATOR for the path that is taken, with what credit there is if the
 * peer has not proved to be there. */
void pathwatch_locator(struct hip *h, struct assoc *a, uint64_t now);
/* Something authentic came from there. */
void pathwatch_seen(struct hip *h, struct assoc *a, const struct endpoint *from,
		    const struct endpoint *at, uint64_t now);
/* A new UPDATE has come: by the path that we send by? */
void pathwatch_crossed(struct hip *h, struct assoc *a, const struct packet *p);
/* Would it be of use to know that something from there is authentic? */
bool pathwatch_wants(const struct assoc *a, const struct endpoint *from,
		     uint64_t now);
void pathwatch_timer(struct hip *h, struct assoc *a, uint64_t now);
uint64_t pathwatch_deadline(const struct hip *h, const struct assoc *a);
