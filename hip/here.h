/* SPDX-License-Identifier: MIT */
/* Our own addresses, and what makes one path better than another. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "hip/dueheap.h"
#include "hip/hip.h"

struct here {
	struct due due; /* the list has settled */
	bool set;	/* hip_set_here was called */
	struct hip_here at[HIP_HERE_MAX];
	size_t num;
	uint64_t generation; /* of the list; what peers were told of */
	struct prefix barred[HIP_BARRED_MAX];
	size_t barred_num;
	struct hip_path_policy policy; /* order: points to this one's */
	struct prefix order[HIP_ORDER_MAX];
};
