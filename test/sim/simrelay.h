/* SPDX-License-Identifier: MIT */
/* The simulated data relay: its ports, and what it passes on. */
#pragma once

#include "test/sim/simnet.h"

/* Host 2's engine is told of its ports. */
void simrelay_boot(struct sim *s);
/* HIP_PERMIT of host 2. */
void simrelay_permit(struct sim *s, const struct hip_effect *x);
/* Is that one of its ports? */
bool simrelay_is_port(const struct sim *s, const struct endpoint *at);
/* Where a packet to there arrives: at the relay's own port, for one of those. */
struct endpoint simrelay_door(const struct sim *s, const struct endpoint *at);
/* Is it the relay, by whatever port? */
bool simrelay_is(const struct sim *s, const struct endpoint *at);
/* Data with this SPI that go from there to the relay, for this host: where they
 * come from and to as it sees it. false: they do not get there. */
bool simrelay_passes(struct sim *s, uint32_t spi, const struct endpoint *to,
		     struct sim_host *other, struct endpoint *from,
		     struct endpoint *at);
