/* SPDX-License-Identifier: MIT */
/* The Initiator's last step: R2 (RFC 7401 6.10). */
#pragma once

#include "hip/statetab.h"

/* An R2 is here: to a job for its signature, or dropped. */
void r2taker_r2(struct hip *h, struct event *ev);
/* It is good: the exchange is complete. */
void r2taker_r2_ok(struct hip *h, struct event *ev);
