/* SPDX-License-Identifier: MIT */
/* What a data relay lets through, as the engine tells the daemon. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "core/addr.h"

/* ESP that a data relay passes on (9028 4.12.1): what comes from `other` to
 * port relayed_at with spi_in leaves for the client, from self_at to peer_at;
 * what comes from the client with spi_out leaves from relayed_at for `other`,
 * once that has sent something itself. A peer with several addresses has one
 * of these for each, and what is sent to it goes to the one that was named
 * last: by ESP that came from there, or by the client. */
struct hip_permit {
	struct endpoint other; /* the client's peer */
	uint32_t spi_in;       /* as the client has them */
	uint32_t spi_out;
	uint64_t asked; /* when the client asked for it last; no two the same */
	uint64_t until; /* 0: no more */
	bool heard;	/* it has sent HIP to relayed_at */
};
