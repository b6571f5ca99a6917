/* SPDX-License-Identifier: MIT */
/* What a client's query needs. */
#pragma once

#include <stdint.h>

#include "dns/question.h"

/* A client's question ends and is asked as if it came in now, without being
 * traced twice; who waits for the answer is the same. */
void query_again(struct dns *d, struct question *q, uint64_t now);
