/* SPDX-License-Identifier: MIT */
/* What a NAT that translates 1:1 makes of our addresses; of the door. */
#pragma once

#include <stddef.h>

#include "core/addr.h"
#include "core/err.h"

struct hip;

#define HIP_OUTER_MAX 4

/* An address of ours that a NAT shows everybody as `outer`, and back, ports as
 * they are (1:1, as clouds do). */
struct hip_outer {
	struct addr inner; /* unspecified: each private IPv4 one */
	struct addr outer;
};

/* What peers are told instead of, or with ICE beside, an inner address, and
 * where a data relay is. Copied; before the first hip_set_here. HG_EINVAL:
 * more than HIP_OUTER_MAX, one that is nobody's, of another family than its
 * inner one, or one named twice. */
int hip_set_outer(struct hip *h, const struct hip_outer *outer,
		  size_t num) HG_CHECK;
