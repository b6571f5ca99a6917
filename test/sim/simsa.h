/* SPDX-License-Identifier: MIT */
/* The SAs of simulated hosts, and data through them. */
/* THEORY OF OPERATION
 * A host holds SAs as its daemon would: inbound ones by SPI, and for each
 * pair of HITs one that seals. A new one seals at once, or stands by until
 * it is switched to; the one before opens what is still under way until it
 * goes down. The engine is told what has passed, as the daemon would. A
 * packet names the key it was sealed with; it is opened by an
 * inbound SA of its SPI with that key, else it is lost, which is a fault
 * when nothing excuses it (sim.calm).
 */
#pragma once

#include "test/sim/simnet.h"

/* HIP_SA_UP, HIP_SA_SWITCH, HIP_SA_DOWN of host i. */
void simsa_up(struct sim *s, unsigned i, const struct hip_effect *x);
void simsa_switch(struct sim *s, unsigned i, const struct hip_effect *x);
void simsa_down(struct sim *s, unsigned i, const struct hip_effect *x);
/* The host has crashed. */
void simsa_forget(struct sim_host *host);
/* Seals one packet, from name to name, when there is an SA. */
void simsa_data(struct sim *s, unsigned self, unsigned peer);
/* It arrives. */
void simsa_deliver(struct sim *s, const struct sim_event *ev);
/* What self seals to peer with, or NULL. */
const struct sim_sa *simsa_of(const struct sim *s, unsigned self,
			      unsigned peer);
/* Do both seal with what the other opens? */
bool simsa_agreed(const struct sim *s, unsigned a, unsigned b);
/* And does what they send arrive? */
bool simsa_reached(struct sim *s, unsigned a, unsigned b);
/* Is there one that the other side has not? */
bool simsa_one_sided(const struct sim *s);
