/* SPDX-License-Identifier: MIT */
/* The simulated data relay: its ports, and what it passes on. */
/* THEORY OF OPERATION
 * Host 2 has two ports beside HIP's. What its engine permits (HIP_PERMIT) is
 * kept as the daemon's workers keep it, by port and peer, and by client; data
 * pass, if a permit says so, from HIP's port to the client and from the
 * client's port to its peer. SPIs are left to the endpoints: a host has one
 * peer through the relay here. A relay that crashes forgets.
 */
#include "test/sim/simrelay.h"

#include <string.h>

#include "test/sim/simmove.h"

#define FIRST_PORT 30000
#define PORTS 2

void simrelay_boot(struct sim *s)
{
	static const uint16_t ports[PORTS] = { FIRST_PORT, FIRST_PORT + 1 };

	s->permits = 0;
	if (hip_set_relay_ports(s->host[2].h, ports, PORTS, HIP_PORT,
				simnet_clock(s, 2)))
		simnet_break(s, "hip_set_relay_ports fails");
	simnet_effects(s, 2);
}

static struct sim_permit permit_of(const struct hip_effect *x)
{
	return (struct sim_permit){ .port = x->relayed_at,
				    .client = x->peer_at,
				    .other = x->permit.other,
				    .spi_in = x->permit.spi_in,
				    .until = x->permit.until,
				    .heard = x->permit.heard };
}

void simrelay_permit(struct sim *s, const struct hip_effect *x)
{
	struct sim_permit is = permit_of(x);
	unsigned i = 0;

	while (i < s->permits &&
	       !(endpoint_eq(&s->permit[i].port, &is.port) &&
		 endpoint_eq(&s->permit[i].other, &is.other) &&
		 s->permit[i].spi_in == is.spi_in))
		i++;
	if (!is.until) {
		if (i < s->permits)
			s->permit[i] = s->permit[--s->permits];
		return;
	}
	if (i == SIM_PERMITS) {
		simnet_break(s, "more permits than there may be");
		return;
	}
	if (i < s->permits)
		is.heard = is.heard || s->permit[i].heard;
	else
		s->permits++;
	s->permit[i] = is;
}

bool simrelay_is(const struct sim *s, const struct endpoint *at)
{
	return s->data && addr_eq(&at->addr, &s->host[2].at.addr);
}

bool simrelay_is_port(const struct sim *s, const struct endpoint *at)
{
	return simrelay_is(s, at) && at->port >= FIRST_PORT &&
	       at->port < FIRST_PORT + PORTS;
}

struct endpoint simrelay_door(const struct sim *s, const struct endpoint *at)
{
	return simrelay_is_port(s, at) ? s->host[2].at : *at;
}

bool simrelay_passes(struct sim *s, const struct endpoint *to,
		     struct sim_host *other, struct endpoint *from,
		     struct endpoint *at)
{
	bool in = simrelay_is_port(s, to);
	uint64_t now = simnet_clock(s, 2);

	for (unsigned i = 0; s->host[2].h && i < s->permits; i++) {
		struct sim_permit *t = &s->permit[i];
		const struct endpoint *out = in ? &s->host[2].at : &t->port;
		const struct endpoint *end = in ? &t->client : &t->other;
		const struct sim_link *l;

		if (now >= t->until ||
		    !endpoint_eq(in ? &t->other : &t->client, from) ||
		    (in ? !endpoint_eq(&t->port, to) : !t->heard))
			continue;
		l = simmove_at(other, end, out);
		if (!l)
			continue;
		t->heard = true;
		*from = *out;
		*at = l->inner;
		return true;
	}
	return false;
}
