/* SPDX-License-Identifier: MIT */
/* Where simulated hosts are: links, moves, cuts and NATs. */
/* THEORY OF OPERATION
 * A host has up to two links. A link has an address the host knows (inner)
 * and one the world knows (outer); they differ by the port when a NAT is in
 * between. What is sent to an outer address arrives, unless the link is cut
 * or has moved meanwhile; what is sent from an address the host no longer has
 * is refused by its kernel. In runs without `roam` each host stays at one
 * address and its engine is told nothing.
 *
 * Servers stay where they are. A host that is met through a rendezvous
 * server has no NAT: FROM has no port. With control relays between, all
 * may have one, of any kind (enum sim_nat), on their first links; a symmetric
 * one only where all others' let everybody in, or the relay relays data, as no
 * path could be found else.
 *
 * Where control relays are, a host moves from one NAT to another of another
 * kind, into the open and back. Behind a NAT of such a world its own address is
 * a private one, which others may have, too: the same behind two NATs.
 */
#include "test/sim/simmove.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/sim/simrelay.h"

static struct endpoint new_place(struct sim *s, unsigned i)
{
	uint8_t four[4] = { 10, (uint8_t)i, (uint8_t)(s->places >> 8),
			    (uint8_t)s->places };
	uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8 };

	s->places++;
	if (simnet_random(s, 3))
		return (struct endpoint){ addr_from4(four), HIP_PORT };
	memcpy(six + 12, four, 4);
	return (struct endpoint){ addr_from6(six), HIP_PORT };
}

void simmove_start(struct sim *s, unsigned i)
{
	uint8_t four[4] = { 192, 0, 2, (uint8_t)(i + 1) };
	struct sim_link *l = &s->host[i].link[0];

	l->on = true;
	l->inner = (struct endpoint){ addr_from4(four), HIP_PORT };
	l->outer = l->inner;
	s->host[i].at = l->outer;
}

void simmove_nats(struct sim *s)
{
	unsigned clients = sim_clients(s);
	unsigned symmetric = clients;

	s->picky = clients;
	for (unsigned i = 0; i < clients; i++) {
		struct sim_link *l = &s->host[i].link[0];

		l->has_nat = simnet_random(s, 3);
		l->nat = (enum sim_nat)simnet_random(s, SIM_NAT_NUM);
		if (l->has_nat && l->nat == SIM_NAT_SYMMETRIC &&
		    symmetric == clients)
			symmetric = i;
	}
	for (unsigned i = 0; i < clients && symmetric < clients; i++) {
		if (i != symmetric && !s->data)
			s->host[i].link[0].nat = SIM_NAT_OPEN;
	}
	s->picky = symmetric;
}

/* What host i goes behind: any that leaves a path to the others. */
static void other_nat(struct sim *s, unsigned i, struct sim_link *l)
{
	l->has_nat = simnet_random(s, 3);
	if (s->data || i == s->picky)
		l->nat = (enum sim_nat)simnet_random(s, SIM_NAT_NUM);
	else if (s->picky < sim_clients(s))
		l->nat = SIM_NAT_OPEN;
	else
		l->nat = (enum sim_nat)simnet_random(s, SIM_NAT_SYMMETRIC);
}

/* Whoever is behind a NAT has one of these. */
static struct endpoint private_place(struct sim *s)
{
	uint8_t four[4] = { 192, 168, 0, (uint8_t)(2 + simnet_random(s, 2)) };

	return (struct endpoint){ addr_from4(four), HIP_PORT };
}

/* Half of them take what the peer prefers, others have a mind of their own. */
static void tell_policy(struct sim *s, unsigned i)
{
	static const struct prefix ipv4 = {
		.addr.b = { [10] = 0xff, [11] = 0xff }, .len = 96
	};
	static const struct prefix ipv6 = {
		.addr.b = { 0x20, 0x01, 0x0d, 0xb8 }, .len = 32
	};
	static const struct hip_path_policy policies[] = {
		{ .prefer = HIP_PREFER_ANNOUNCED },
		{ .prefer = HIP_PREFER_LINK },
		{ .prefer = HIP_PREFER_ANNOUNCED, .return_s = 1 },
		{ .prefer = HIP_PREFER_ORDER, .order = &ipv4, .order_num = 1 },
		{ .prefer = HIP_PREFER_ANNOUNCED, .silence_ms = 300 },
		{ .prefer = HIP_PREFER_ORDER, .order = &ipv6, .order_num = 1 },
	};
	const size_t num = sizeof(policies) / sizeof(policies[0]);

	if (hip_set_path_policy(s->host[i].h, &policies[(s->taste + i) % num],
				simnet_clock(s, i)))
		simnet_break(s, "hip_set_path_policy fails");
}

void simmove_tell(struct sim *s, unsigned i)
{
	struct sim_host *host = &s->host[i];
	struct hip_here here[SIM_LINKS] = { 0 };
	size_t n = 0;

	if (!s->roam || !host->h)
		return;
	tell_policy(s, i);
	for (unsigned k = 0; k < SIM_LINKS; k++) {
		if (host->link[k].on)
			here[n++].at = host->link[k].inner;
	}
	if (hip_set_here(host->h, here, n, simnet_clock(s, i)))
		simnet_break(s, "hip_set_here fails");
	simnet_effects(s, i);
}

static void put(struct sim *s, unsigned i, unsigned k, struct endpoint at)
{
	struct sim_link *l = &s->host[i].link[k];

	*l = (struct sim_link){ .on = true,
				.has_nat = l->has_nat,
				.nat = l->nat,
				.inner = at,
				.outer = at };
	if (k == 0 && s->relay) {
		other_nat(s, i, l);
		if (l->has_nat)
			l->inner = private_place(s);
	}
	if (k == 0)
		s->host[i].at = at;
	s->count.moves++;
	if (s->loud) {
		char text[ENDPOINT_TEXT_MAX];

		printf("%9.3f %u's link %u is %s\n", (double)s->now / 1e9, i, k,
		       endpoint_print(&at, text));
	}
}

/* Hosts of one family only would not meet: the first link is IPv4. */
static struct endpoint place_for(struct sim *s, unsigned i, unsigned k)
{
	struct endpoint at;

	do
		at = new_place(s, i);
	while (k == 0 && !addr_is4(&at.addr));
	return at;
}

void simmove_trouble(struct sim *s, unsigned i)
{
	struct sim_host *host = &s->host[i];
	unsigned k = (unsigned)simnet_random(s, SIM_LINKS);
	struct sim_link *l = &host->link[k];

	if (!s->roam || sim_is_server(s, i))
		return;
	switch (simnet_random(s, 5)) {
	case 0:
	case 1:
		put(s, i, k, place_for(s, i, k));
		break;
	case 2:
		if (k)
			l->on = false;
		break;
	case 3:
		l->cut = !l->cut;
		break;
	default:
		if ((!s->servers || l->has_nat) && l->on && k == 0) {
			memset(l->known, 0, sizeof(l->known));
			if (s->data) /* another box, of another kind */
				l->nat = (enum sim_nat)simnet_random(
					s, SIM_NAT_NUM);
			l->outer.port =
				(uint16_t)(20000 + simnet_random(s, 20000));
			host->at = l->outer;
			s->count.moves++;
		}
		return; /* which it does not notice */
	}
	simmove_tell(s, i);
}

void simmove_mend(struct sim *s)
{
	for (unsigned i = 0; i < s->hosts; i++) {
		for (unsigned k = 0; k < SIM_LINKS; k++)
			s->host[i].link[k].cut = false;
	}
}

/* ---- who is where ------------------------------------------------------------ */

/* Ports of a symmetric NAT begin here. */
#define EACH 1000

static unsigned known(const struct sim_link *l, const struct endpoint *to)
{
	unsigned i = 0;

	while (i < SIM_KNOWN && !endpoint_eq(&l->known[i], to))
		i++;
	return i;
}

/* Port 0: a NAT has no mapping for it. */
static struct endpoint shown(const struct sim_link *l,
			     const struct endpoint *to)
{
	struct endpoint out = l->outer;
	unsigned i = known(l, to);

	if (l->has_nat && l->nat == SIM_NAT_SYMMETRIC)
		out.port = (uint16_t)(i < SIM_KNOWN ? EACH + i : 0);
	return out;
}

struct endpoint simmove_leaves(struct sim_link *l, const struct endpoint *to)
{
	if (l->has_nat && known(l, to) == SIM_KNOWN)
		l->known[l->known_num++ % SIM_KNOWN] = *to;
	return shown(l, to);
}

/* Does what comes from there, to this port, get in? from NULL: from whoever
 * may. */
static bool lets_in(const struct sim_link *l, const struct endpoint *at,
		    const struct endpoint *from)
{
	if (!l->has_nat || l->nat != SIM_NAT_SYMMETRIC) {
		if (!endpoint_eq(&l->outer, at))
			return false;
		if (!l->has_nat || l->nat == SIM_NAT_OPEN || !from)
			return true;
	}
	for (unsigned i = 0; i < SIM_KNOWN; i++) {
		if (l->nat == SIM_NAT_SYMMETRIC && at->port != EACH + i)
			continue;
		if (!from ? l->known[i].port : endpoint_eq(&l->known[i], from))
			return true;
	}
	return false;
}

struct sim_link *simmove_at(struct sim_host *host, const struct endpoint *at,
			    const struct endpoint *from)
{
	for (unsigned k = 0; k < SIM_LINKS; k++) {
		struct sim_link *l = &host->link[k];

		if (l->on && !l->cut && addr_eq(&l->outer.addr, &at->addr) &&
		    lets_in(l, at, from))
			return l;
	}
	return NULL;
}

struct sim_link *simmove_from(struct sim_host *host, const struct endpoint *at)
{
	for (unsigned k = 0; k < SIM_LINKS; k++) {
		struct sim_link *l = &host->link[k];

		if (l->on && (addr_is_unspecified(&at->addr) ||
			      addr_eq(&l->inner.addr, &at->addr)))
			return l->cut ? NULL : l;
	}
	return NULL;
}

int simmove_host(struct sim *s, const struct endpoint *at,
		 const struct endpoint *from)
{
	struct endpoint door = simrelay_door(s, at);

	for (unsigned i = 0; i < s->hosts; i++) {
		if (simmove_at(&s->host[i], &door, from))
			return (int)i;
	}
	return -1;
}

void simmove_locator(struct sim *s, unsigned i, const struct hip_effect *x)
{
	int self = simnet_name(s, &x->self);
	int peer = simnet_name(s, &x->peer);

	if (self < 0 || peer < 0 || (unsigned)self / SIM_IDS != i)
		return;
	s->place[self][peer].self = x->self_at;
	s->place[self][peer].peer = x->peer_at;
	s->place[self][peer].stranded = x->stranded;
}

void simmove_opens(struct sim *s, unsigned self, unsigned peer)
{
	const struct sim_place *p = &s->place[self][peer];
	struct sim_link *l = simmove_from(&s->host[self / SIM_IDS], &p->self);

	if (l)
		(void)simmove_leaves(l, &p->peer);
}

bool simmove_reaches(struct sim *s, const struct sim_sa *sa,
		     struct endpoint *from, struct endpoint *at)
{
	const struct sim_place *p = &s->place[sa->self][sa->peer];
	struct sim_host *host = &s->host[sa->self / SIM_IDS];
	struct sim_host *other = &s->host[sa->peer / SIM_IDS];
	const struct sim_link *yours;
	const struct sim_link *mine;
	struct endpoint any = { .port = HIP_PORT };

	mine = simmove_from(host,
			    addr_is4(&p->self.addr) == addr_is4(&p->peer.addr)
				    ? &p->self
				    : &any);
	if (!mine || p->stranded ||
	    addr_is4(&mine->inner.addr) != addr_is4(&p->peer.addr))
		return false;
	*from = shown(mine, &p->peer);
	if (simrelay_is(s, &p->peer) && other != &s->host[2])
		return simrelay_passes(s, sa->sa.spi_out, &p->peer, other, from,
				       at);
	yours = simmove_at(other, &p->peer, from);
	if (!yours)
		return false;
	*at = yours->inner;
	return true;
}

void simmove_print(const struct sim *s)
{
	char t[4][ENDPOINT_TEXT_MAX];

	for (unsigned i = 0; i < s->hosts; i++) {
		for (unsigned k = 0; k < SIM_LINKS; k++) {
			const struct sim_link *l = &s->host[i].link[k];

			if (l->on)
				printf("host %u link %u: %s, outside %s%s\n", i,
				       k, endpoint_print(&l->inner, t[0]),
				       endpoint_print(&l->outer, t[1]),
				       l->cut ? ", cut" : "");
		}
	}
	for (unsigned n = 0; n < SIM_NAMES * SIM_NAMES; n++) {
		const struct sim_place *p =
			&s->place[n / SIM_NAMES][n % SIM_NAMES];

		if (p->peer.port)
			printf("%u[%u] from %s to %s\n", n / SIM_NAMES,
			       n % SIM_NAMES, endpoint_print(&p->self, t[0]),
			       endpoint_print(&p->peer, t[1]));
	}
}
