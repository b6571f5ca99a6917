/* SPDX-License-Identifier: MIT */
/* TCP tracking and idle timers: inside the nat room only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "nat/nat.h"

/* The state (enum nat_tcp) after a segment with these flags. */
uint32_t flow_tcp_next(uint32_t state, bool from_client, uint8_t flags);
/* Is nothing more to be expected of a connection in this state? A steered
 * DNS connection's place may be given away then; a flow's only in CLOSED,
 * since one RST may be forged (ended.c). */
bool flow_is_over(uint32_t state);
/* How long a flow of proto may stay idle in a TCP state; ns. */
uint64_t flow_idle_max_ns(uint32_t proto, uint32_t state);
/* Counts a packet with its header at l4 and steps the state. */
void flow_touch(struct nat_flow *f, bool from_client, const uint8_t *l4,
		uint64_t now);
