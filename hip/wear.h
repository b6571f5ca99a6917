/* SPDX-License-Identifier: MIT */
/* How far an SA is used up, and when it is replaced (RFC 7402 3.3.7). */
#pragma once

#include "hip/engine.h"

/* A fresh SA: its limits are drawn. */
void wear_begin(struct hip *h, struct assoc *a, uint64_t now);
/* hip_used. */
void wear_used(struct hip *h, struct assoc *a, uint64_t packets, uint64_t bytes,
	       uint64_t now);
/* A limit is reached: rekeys, if it can be. */
void wear_out(struct hip *h, struct assoc *a, uint64_t now);
/* A rekey failed: not at once again. */
void wear_rest(struct assoc *a, uint64_t now);
