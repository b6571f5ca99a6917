/* SPDX-License-Identifier: MIT */
/* The SAs of simulated hosts, and data through them. */
#include "test/sim/simsa.h"

#include <string.h>

#include "test/sim/simlaw.h"
#include "test/sim/simmove.h"

/* Inbound SAs that one pair of HITs may have at a time: one, two that were
 * replaced, one that stands by. */
#define PER_PAIR 4
#define PACKET 1400 /* octets */

static struct sim_sa *sealing(struct sim *s, unsigned self, unsigned peer)
{
	struct sim_host *host = &s->host[self / SIM_IDS];

	for (unsigned k = 0; k < SIM_SAS; k++) {
		struct sim_sa *e = &host->sa[k];

		if (e->out && e->self == self && e->peer == peer)
			return e;
	}
	return NULL;
}

const struct sim_sa *simsa_of(const struct sim *s, unsigned self, unsigned peer)
{
	return sealing((struct sim *)s, self, peer);
}

static struct sim_sa *opening(struct sim_host *host, uint32_t spi)
{
	for (unsigned k = 0; k < SIM_SAS; k++) {
		if (host->sa[k].in && host->sa[k].sa.spi_in == spi)
			return &host->sa[k];
	}
	return NULL;
}

static unsigned pairs(const struct sim_host *host, unsigned self, unsigned peer)
{
	unsigned n = 0;

	for (unsigned k = 0; k < SIM_SAS; k++) {
		const struct sim_sa *e = &host->sa[k];

		n += e->in && e->self == self && e->peer == peer;
	}
	return n;
}

/* From here on self seals to peer with this one. */
static void seal_with(struct sim *s, struct sim_sa *e)
{
	struct sim_sa *old = sealing(s, e->self, e->peer);

	if (old)
		old->out = false;
	e->out = true;
	e->since = s->now;
}

void simsa_up(struct sim *s, unsigned i, const struct hip_effect *x)
{
	struct sim_host *host = &s->host[i];
	int self = simnet_name(s, &x->self);
	int peer = simnet_name(s, &x->peer);
	struct sim_sa *e = host->sa;

	if (peer < 0 || (unsigned)peer / SIM_IDS == i || self < 0 ||
	    (unsigned)self / SIM_IDS != i) {
		simnet_break(s, "SA with a HIT that is nobody's");
		return;
	}
	if (!hit_eq(&x->sa.self, &x->self) || !hit_eq(&x->sa.peer, &x->peer))
		simnet_break(s, "SA of other HITs than its association's");
	if (opening(host, x->sa.spi_in))
		simnet_break(s, "two SAs with one SPI");
	if (pairs(host, (unsigned)self, (unsigned)peer) >= PER_PAIR)
		simnet_break(s, "more SAs of a pair than there may be");
	while (e < host->sa + SIM_SAS && (e->in || e->out))
		e++;
	if (e == host->sa + SIM_SAS) {
		simnet_break(s, "more SAs than can be");
		return;
	}
	if (sealing(s, (unsigned)self, (unsigned)peer) && !x->standby)
		simnet_break(s, "SA up twice");
	simlaw_sa_up(s, i, &x->sa, x->initiator && !x->standby);
	*e = (struct sim_sa){ .in = true,
			      .self = (unsigned)self,
			      .peer = (unsigned)peer,
			      .sa = x->sa };
	if (!x->standby)
		seal_with(s, e);
}

void simsa_switch(struct sim *s, unsigned i, const struct hip_effect *x)
{
	struct sim_sa *e = opening(&s->host[i], x->sa.spi_in);

	bool first = e && !sealing(s, e->self, e->peer);

	/* Through a relay, the first one stands by until there is a path. */
	if (!e || e->out || !hit_eq(&e->sa.peer, &x->peer) ||
	    !hit_eq(&e->sa.self, &x->self) || (first && !s->relay)) {
		simnet_break(s, "a switch to an SA that does not stand by");
		return;
	}
	s->count.rekeys += !first;
	seal_with(s, e);
}

void simsa_down(struct sim *s, unsigned i, const struct hip_effect *x)
{
	struct sim_sa *e = opening(&s->host[i], x->sa.spi_in);

	if (!e || !hit_eq(&e->sa.peer, &x->peer) ||
	    !hit_eq(&e->sa.self, &x->self) ||
	    (x->sa.spi_out && e->sa.spi_out != x->sa.spi_out)) {
		simnet_break(s, "SA down that was not up");
		return;
	}
	memset(e, 0, sizeof(*e));
}

void simsa_forget(struct sim_host *host)
{
	memset(host->sa, 0, sizeof(host->sa));
}

static void used(struct sim *s, const struct sim_sa *e)
{
	unsigned i = e->self / SIM_IDS;
	uint64_t n = e->seq > e->opened ? e->seq : e->opened;

	hip_used(s->host[i].h, &s->name[e->self].hit, &s->name[e->peer].hit,
		 e->sa.spi_in, n, n * PACKET, simnet_clock(s, i));
	simnet_effects(s, i);
}

void simsa_data(struct sim *s, unsigned self, unsigned peer)
{
	unsigned i = self / SIM_IDS;
	struct sim_sa *e = sealing(s, self, peer);
	struct sim_event ev = { .kind = SIM_DATA, .host = peer / SIM_IDS };
	struct sim_sa sent;

	if (!s->host[i].h || !e)
		return;
	ev.data = (struct sim_data){ .self = self,
				     .peer = peer,
				     .spi = e->sa.spi_out,
				     .key = simlaw_key(e->sa.suite, &e->sa.out),
				     .must_open = s->calm };
	simlaw_seal(s, i, ev.data.key, ++e->seq);
	sent = *e; /* it may go down meanwhile */
	s->count.sealed++;
	hip_traffic(s->host[i].h, &s->name[self].hit, &s->name[peer].hit, false,
		    simnet_clock(s, i));
	simnet_effects(s, i);
	simmove_opens(s, self, peer);
	if (simmove_reaches(s, &sent, &ev.src, &ev.dst))
		simnet_travel(s, &ev);
	else if (ev.data.must_open)
		simnet_break(s, "a packet of a quiet time goes nowhere");
	used(s, &sent);
}

/* As a daemon looks at its peers' datagrams. */
static void look_at_source(struct sim *s, const struct sim_event *ev)
{
	const struct sim_data *d = &ev->data;
	unsigned i = d->peer / SIM_IDS;
	const struct hit *self = &s->name[d->peer].hit;
	const struct hit *peer = &s->name[d->self].hit;

	hip_received(s->host[i].h, self, peer, PACKET, simnet_clock(s, i));
	simnet_effects(s, i);
	if (endpoint_eq(&ev->src, &s->place[d->peer][d->self].peer))
		return;
	hip_seen_from(s->host[i].h, self, peer, &ev->src, &ev->dst,
		      simnet_clock(s, i));
	simnet_effects(s, i);
}

void simsa_deliver(struct sim *s, const struct sim_event *ev)
{
	const struct sim_data *d = &ev->data;
	unsigned i = d->peer / SIM_IDS;
	struct sim_host *host = &s->host[i];
	struct sim_sa *e = host->h ? opening(host, d->spi) : NULL;
	struct sim_sa got;

	if (!e || e->self != d->peer || e->peer != d->self ||
	    simlaw_key(e->sa.suite, &e->sa.in) != d->key) {
		if (d->must_open)
			simnet_break(s, "a packet of a quiet time is lost");
		return;
	}
	s->count.opened++;
	e->opened++;
	got = *e;
	hip_traffic(host->h, &s->name[d->peer].hit, &s->name[d->self].hit, true,
		    simnet_clock(s, i));
	simnet_effects(s, i);
	if (s->roam)
		look_at_source(s, ev);
	used(s, &got);
}

/* Does the other side open what e seals? */
static bool matched(const struct sim *s, const struct sim_sa *e)
{
	const struct sim_host *host = &s->host[e->peer / SIM_IDS];
	const struct sim_sa *o =
		opening((struct sim_host *)host, e->sa.spi_out);

	return o && o->self == e->peer && o->peer == e->self &&
	       o->sa.suite == e->sa.suite && o->sa.spi_out == e->sa.spi_in &&
	       memcmp(&o->sa.in, &e->sa.out, sizeof(o->sa.in)) == 0 &&
	       memcmp(&o->sa.out, &e->sa.in, sizeof(o->sa.out)) == 0;
}

bool simsa_agreed(const struct sim *s, unsigned a, unsigned b)
{
	const struct sim_sa *x = simsa_of(s, a, b);
	const struct sim_sa *y = simsa_of(s, b, a);

	return x && y && matched(s, x) && matched(s, y);
}

bool simsa_reached(struct sim *s, unsigned a, unsigned b)
{
	struct endpoint from;
	struct endpoint at;

	return simsa_agreed(s, a, b) &&
	       simmove_reaches(s, simsa_of(s, a, b), &from, &at) &&
	       simmove_reaches(s, simsa_of(s, b, a), &from, &at);
}

bool simsa_one_sided(const struct sim *s)
{
	for (unsigned i = 0; i < s->hosts; i++) {
		for (unsigned k = 0; k < SIM_SAS; k++) {
			const struct sim_sa *e = &s->host[i].sa[k];

			if ((e->in || e->out) && !matched(s, e))
				return true;
		}
	}
	return false;
}
