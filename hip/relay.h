/* SPDX-License-Identifier: MIT */
/* The control relay: HIP packets to and from its clients (RFC 9028 4). */
#pragma once

#include "hip/engine.h"

/* A packet to a HIT that is not ours, at a rendezvous server or control
 * relay: passed on or dropped. */
void relay_pass(struct hip *h, const struct packet *p);
