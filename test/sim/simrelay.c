/* SPDX-License-Identifier: MIT */
/* The simulated data relay: its ports, and what it passes on. */
/* THEORY OF OPERATION
 * Host 2 has two ports beside HIP's. What its engine permits (HIP_PERMIT) is
 * kept as the daemon's workers keep it (cmd/hipgated/relaying.h): what comes
 * to a port is found by port, sender and SPI, what comes from a client by
 * sender and SPI, and leaves from HIP's port for the client, or from the
 * client's port for its peer, once that has written to it. A permission comes
 * by UPDATE, for which new keys wait. A peer with several addresses has a permit
 * for each, and is sent to where it was heard last, or the client said last. Two
 * peers of one client's address and SPI cannot be told apart: the second one's
 * permit is refused. A relay that crashes forgets.
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
				    .spi_out = x->permit.spi_out,
				    .last = x->permit.asked,
				    .until = x->permit.until,
				    .heard = x->permit.heard };
}

/* Do the peers' packets look the same? */
static bool same_in(const struct sim_permit *x, const struct sim_permit *y)
{
	return endpoint_eq(&x->port, &y->port) &&
	       endpoint_eq(&x->other, &y->other) && x->spi_in == y->spi_in;
}

/* Do the clients', though it is not the same pair of SPIs? */
static bool clash(const struct sim_permit *x, const struct sim_permit *y)
{
	return endpoint_eq(&x->client, &y->client) &&
	       x->spi_out == y->spi_out &&
	       (!endpoint_eq(&x->port, &y->port) || x->spi_in != y->spi_in);
}

void simrelay_permit(struct sim *s, const struct hip_effect *x)
{
	struct sim_permit is = permit_of(x);
	unsigned i = 0;

	while (i < s->permits && !same_in(&s->permit[i], &is))
		i++;
	for (unsigned k = 0; is.until && k < s->permits; k++) {
		if (k != i && clash(&s->permit[k], &is))
			return;
	}
	if (!is.until) {
		if (i < s->permits)
			s->permit[i] = s->permit[--s->permits];
		return;
	}
	if (i == SIM_PERMITS) {
		simnet_break(s, "more permits than there may be");
		return;
	}
	if (i < s->permits) {
		is.heard = is.heard || s->permit[i].heard;
		if (is.last < s->permit[i].last)
			is.last = s->permit[i].last;
	} else {
		s->permits++;
	}
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

/* What a packet with this SPI from there finds, or NULL. */
static struct sim_permit *find(struct sim *s, uint32_t spi,
			       const struct endpoint *to,
			       const struct endpoint *from)
{
	bool in = simrelay_is_port(s, to);
	uint64_t now = simnet_clock(s, 2);
	struct sim_permit *best = NULL;

	for (unsigned i = 0; s->host[2].h && i < s->permits; i++) {
		struct sim_permit *t = &s->permit[i];

		if (now >= t->until || spi != (in ? t->spi_in : t->spi_out) ||
		    !endpoint_eq(in ? &t->other : &t->client, from) ||
		    (in ? !endpoint_eq(&t->port, to) : !t->heard))
			continue;
		if (!best || t->last > best->last)
			best = t;
	}
	return best;
}

bool simrelay_passes(struct sim *s, uint32_t spi, const struct endpoint *to,
		     struct sim_host *other, struct endpoint *from,
		     struct endpoint *at)
{
	bool in = simrelay_is_port(s, to);
	struct sim_permit *t = find(s, spi, to, from);
	const struct endpoint *out;
	const struct sim_link *l;

	if (!t)
		return false;
	out = in ? &s->host[2].at : &t->port;
	l = simmove_at(other, in ? &t->client : &t->other, out);
	if (!l)
		return false;
	if (in) {
		t->heard = true;
		t->last = simnet_clock(s, 2);
	}
	*from = *out;
	*at = l->inner;
	return true;
}
