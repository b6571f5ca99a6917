/* SPDX-License-Identifier: MIT */
/* Our own reading of HIP messages as text, to be held against others'.
 *
 * A line has four columns, with tabs between them: the frame's number from
 * 1, the parameter's from 1 (0: the headers), the field's name, its value.
 * Numbers are decimal; octets, addresses and HITs are hexadecimal digits,
 * an address is in its 16-octet form. Each parameter begins with the fields
 * "tlv" (its type) and "len"; a field that repeats has a line for each.
 * Parameters that were inside ENCRYPTED follow it, counted as "3.1".
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/addr.h"
#include "hip/param.h"

struct listing {
	FILE *file;
	uint32_t frame;	 /* number of the frame to come */
	const char *bad; /* the first parameter we could not read, or NULL */
};

/* Where the octets went: of the UDP datagram. */
void listing_ends(struct listing *l, const struct endpoint *from,
		  const struct endpoint *to);
/* Header and parameters. */
void listing_message(struct listing *l, const struct hip_msg *m);
/* What was inside parameter number `at` (from 1) of the same message. */
void listing_inner(struct listing *l, const struct hip_msg *inner, size_t at);
