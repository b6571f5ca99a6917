/* SPDX-License-Identifier: MIT */
/* Replaced SAs: they still open what is under way (RFC 7402 6.8). */
#pragma once

#include "hip/engine.h"

/* Takes an SA down and gives its SPI back. */
void retired_down(struct hip *h, const struct assoc *a, uint32_t spi_in);
/* The SA that has sent so far; it goes down when its time is over, or
 * when too many newer ones have come. */
void retired_add(struct hip *h, struct assoc *a, uint32_t spi_in, uint64_t now);
/* Takes down all, or those whose time is over. */
void retired_drop(struct hip *h, struct assoc *a);
void retired_timer(struct hip *h, struct assoc *a, uint64_t now);
/* When retired_timer has something to do; ENGINE_NEVER. */
uint64_t retired_deadline(const struct assoc *a);
