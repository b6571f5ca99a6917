/* SPDX-License-Identifier: MIT */
/* The Responder's last step: an I2 that is verified (RFC 7401 6.9). */
#pragma once

#include "hip/statetab.h"

/* Its R2 is made: the association begins. */
void i2taker_ok(struct hip *h, struct event *ev);
/* Both sent I2: the smaller HIT drops (RFC 7401 6.9 step 5, Table 4). */
void i2taker_ok_crossing(struct hip *h, struct event *ev);
/* Was the R1 of an I2 given out (at `issued`) before the last exchange? */
bool i2taker_stale(const struct assoc *a, uint64_t issued);
/* The association's R2, back the way its I2 came: through the relay, if it
 * came so (RFC 9028 4.5). */
void i2taker_send_r2(struct hip *h, const struct assoc *a,
		     const struct packet *p);
