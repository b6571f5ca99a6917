/* SPDX-License-Identifier: MIT */
/* The table of HIP_CIPHERs (7401 5.2.8), for suite.c only.
 *
 * Two files make it: ciphers.c, and in its place, when the build is asked
 * for HIPGATE_DEBUG_NULL, debug/ciphers_null.c, which has NULL-ENCRYPT as
 * well: then a configuration may list it, so that a trace shows what is
 * inside ENCRYPTED.
 */
#pragma once

#include <stddef.h>

#include "hip/suite.h"

#define CIPHERS_MAX 3

extern const struct suite_cipher ciphers[];
extern const size_t ciphers_num; /* at most CIPHERS_MAX */
