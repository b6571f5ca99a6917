/* SPDX-License-Identifier: MIT */
/* What `openssl speed` leaves out: the library's own loops, without hipgate.
 *
 * Of the public-key operations of a base exchange it times neither the
 * making of a DH key nor the groups of RFC 3526.
 */
#pragma once

#include <stdint.h>

#include "core/err.h"

enum speed_ref_op { SPEED_REF_KEYGEN, SPEED_REF_DERIVE };

/* CPU time in ns of one operation in a DH group of RFC 7401 5.2.7, the mean
 * of as many as `seconds` allow. HG_EUNSUPP: no such group here. */
int speed_ref(uint8_t group, enum speed_ref_op op, double seconds,
	      double *out) HG_CHECK;
