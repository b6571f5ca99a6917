/* SPDX-License-Identifier: MIT */
/* The address a PTR query is about (RFC 1035 3.5, RFC 3596 2.5). */
#pragma once

#include <stdbool.h>

#include "core/addr.h"
#include "dns/dname.h"

/* False: not the reverse name of one whole address. */
bool reverse_addr(const struct dname *name, struct addr *out);
