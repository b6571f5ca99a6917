/* SPDX-License-Identifier: MIT */
/* External ports: who uses which, who may have one more.
 * RFC 4787 4.1 (endpoint-independent mapping), RFC 5382, RFC 5508 3.1.
 *
 * THEORY OF OPERATION
 * Control thread only. A legacy client's (address, port) towards one
 * substitute address keeps one external port while any of its flows lives,
 * whatever port of the HIP host it talks to (endpoint-independent mapping),
 * and nobody else's flow between the same HITs uses that port. Only when
 * every port of (self, peer, proto) is taken, a port is shared with a flow
 * to another port of the peer: the return key (struct nat_back) names the
 * peer's port, so it stays unique, which is the one thing that must hold.
 * Ports are chosen at random (RFC 6056): whoever cannot see the flow cannot
 * guess it, and a port just released is not the next one out.
 *
 * Four tallies hold all this, keyed by octets without holes:
 *   pairs    (self, peer) -> a number, so that the other keys are short
 *   uses     (pair, proto, kind, ports) -> how many; four kinds:
 *	      FLOW  ext and peer port: a live flow has this return key
 *	      PORT  ext port: flows that use it
 *	      PORTS nothing: different ext ports in use
 *	      DEST  peer port: different return keys to it
 *   mappings (pair, proto, client, virt) -> ext port of the mapping
 *   clients  (address) -> flows
 * Invariants: a flow counts once in pairs, mappings, clients, FLOW, PORT and
 * DEST; PORTS counts the PORT keys; FLOW counts are 1. Bounds: flows_max
 * flows, so at most that many keys in pairs, mappings and clients each, and
 * four times in uses. A bind fails before it has changed anything.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "nat/nat.h"
#include "nat/tally.h"

#define FLOWS_MAX_DEFAULT 1000000
#define FLOWS_PER_CLIENT_DEFAULT 4096
#define RANDOM_TRIES 8 /* before the ports are walked in order */

enum use_kind { USE_FLOW, USE_PORT, USE_PORTS, USE_DEST, USE_NUM };

struct pair_key {
	struct hit self;
	struct hit peer;
};

struct use_key {
	uint64_t pair;
	uint16_t ext_port;
	uint16_t peer_port;
	uint8_t proto;
	uint8_t kind;
	uint16_t zero;
};

struct mapping_key {
	struct addr client;
	struct addr virt;
	uint64_t pair;
	uint16_t client_port;
	uint16_t zero;
	uint32_t proto;
};

_Static_assert(sizeof(struct use_key) == 16, "no holes");
_Static_assert(sizeof(struct mapping_key) == 48, "no holes");

struct nat {
	struct tally pairs;
	struct tally uses;
	struct tally mappings;
	struct tally clients;
	uint64_t next_pair; /* number of the next pair; never used twice */
	uint32_t flows;
	uint32_t flows_max;
	uint32_t flows_per_client;
};

int nat_new(const struct nat_config *cfg, struct nat **out)
{
	struct nat *n = calloc(1, sizeof(*n));

	if (!n)
		return HG_ENOMEM;
	n->flows_max = cfg->flows_max ? cfg->flows_max : FLOWS_MAX_DEFAULT;
	n->flows_per_client = cfg->flows_per_client ? cfg->flows_per_client
						    : FLOWS_PER_CLIENT_DEFAULT;
	n->next_pair = 1;
	tally_init(&n->pairs, sizeof(struct pair_key));
	tally_init(&n->uses, sizeof(struct use_key));
	tally_init(&n->mappings, sizeof(struct mapping_key));
	tally_init(&n->clients, sizeof(struct addr));
	*out = n;
	return HG_OK;
}

void nat_free(struct nat *n)
{
	if (!n)
		return;
	tally_fini(&n->pairs);
	tally_fini(&n->uses);
	tally_fini(&n->mappings);
	tally_fini(&n->clients);
	free(n);
}

static struct use_key use_of(uint64_t pair, const struct nat_back *b,
			     enum use_kind kind)
{
	struct use_key k = {
		.pair = pair,
		.proto = (uint8_t)b->proto,
		.kind = (uint8_t)kind,
	};

	if (kind == USE_FLOW || kind == USE_PORT)
		k.ext_port = b->ext_port;
	if (kind == USE_FLOW || kind == USE_DEST)
		k.peer_port = b->peer_port;
	return k;
}

static uint32_t use_count(const struct nat *n, uint64_t pair,
			  const struct nat_back *b, enum use_kind kind)
{
	struct use_key k = use_of(pair, b, kind);
	const struct tally_cell *cell = tally_find(&n->uses, &k);

	return cell ? cell->count : 0;
}

static struct mapping_key mapping_of(uint64_t pair, const struct nat_key *key)
{
	return (struct mapping_key){
		.client = key->client,
		.virt = key->virt,
		.pair = pair,
		.client_port = key->client_port,
		.proto = key->proto,
	};
}

/* The lowest port we give out; echo identifiers have no such custom. */
static uint32_t port_first(uint32_t proto)
{
	return proto == IP_PROTO_ICMP6 ? 0 : 1024;
}

/* Sets b->ext_port to a random port that has no use of this kind. */
static bool port_pick(const struct nat *n, uint64_t pair, struct nat_back *b,
		      enum use_kind kind)
{
	uint32_t first = port_first(b->proto);
	uint32_t range = 65536 - first;
	uint32_t start;

	for (unsigned i = 0; i < RANDOM_TRIES; i++) {
		b->ext_port = (uint16_t)(first + randombytes_uniform(range));
		if (use_count(n, pair, b, kind) == 0)
			return true;
	}
	start = randombytes_uniform(range);
	for (uint32_t i = 0; i < range; i++) {
		b->ext_port = (uint16_t)(first + (start + i) % range);
		if (use_count(n, pair, b, kind) == 0)
			return true;
	}
	return false;
}

/* Chooses b->ext_port by the rules above; false: none is left. The two
 * counts spare the walk through a range that is known to be full. */
static bool port_choose(const struct nat *n, uint64_t pair,
			const struct nat_key *key, struct nat_back *b)
{
	struct mapping_key mk = mapping_of(pair, key);
	const struct tally_cell *mapping = tally_find(&n->mappings, &mk);
	uint32_t range = 65536 - port_first(b->proto);

	if (mapping) {
		b->ext_port = (uint16_t)mapping->value;
		if (use_count(n, pair, b, USE_FLOW) == 0)
			return true;
	}
	if (use_count(n, pair, b, USE_PORTS) < range)
		return port_pick(n, pair, b, USE_PORT);
	if (use_count(n, pair, b, USE_DEST) < range)
		return port_pick(n, pair, b, USE_FLOW);
	return false;
}

static bool room_for(const struct nat *n, const struct addr *client)
{
	const struct tally_cell *cell = tally_find(&n->clients, client);

	return n->flows < n->flows_max &&
	       (!cell || cell->count < n->flows_per_client);
}

static int reserve(struct nat *n)
{
	if (tally_reserve(&n->pairs, 1) || tally_reserve(&n->uses, USE_NUM) ||
	    tally_reserve(&n->mappings, 1) || tally_reserve(&n->clients, 1))
		return HG_ENOMEM;
	return HG_OK;
}

/* Enters the chosen port everywhere; cannot fail after reserve. */
static void enter(struct nat *n, uint64_t pair, const struct nat_key *key,
		  const struct nat_back *b)
{
	struct pair_key pk = { .self = b->self, .peer = b->peer };
	struct mapping_key mk = mapping_of(pair, key);
	struct tally_cell *mapping = tally_add(&n->mappings, &mk);

	if (mapping->count == 1)
		mapping->value = b->ext_port;
	tally_add(&n->pairs, &pk)->value = pair;
	tally_add(&n->clients, &key->client);
	for (int kind = 0; kind < USE_NUM; kind++) {
		struct use_key k = use_of(pair, b, (enum use_kind)kind);

		if (kind != USE_PORTS || use_count(n, pair, b, USE_PORT) == 1)
			tally_add(&n->uses, &k);
	}
	n->flows++;
}

int nat_bind(struct nat *n, const struct nat_key *key, const struct hit *self,
	     const struct hit *peer, bool tcp_syn, uint64_t now,
	     struct nat_flow *f, enum reason *why)
{
	bool tcp = key->proto == IP_PROTO_TCP;
	struct pair_key pk = { .self = *self, .peer = *peer };
	struct nat_back b = {
		.self = *self,
		.peer = *peer,
		.peer_port = key->virt_port,
		.proto = key->proto,
	};
	const struct tally_cell *cell;
	uint64_t pair;

	*why = REASON_FLOW_STATE;
	if (tcp && !tcp_syn)
		return HG_EINVAL;
	*why = REASON_FLOW_QUOTA;
	if (!room_for(n, &key->client))
		return HG_EFULL;
	if (reserve(n))
		return HG_ENOMEM;
	cell = tally_find(&n->pairs, &pk);
	pair = cell ? cell->value : n->next_pair;
	*why = REASON_NO_PORT;
	if (!port_choose(n, pair, key, &b))
		return HG_EFULL;
	if (!cell)
		n->next_pair++;
	enter(n, pair, key, &b);
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->back = b;
	f->created = now;
	atomic_init(&f->last, now);
	atomic_init(&f->tcp, tcp ? NAT_TCP_SYN : NAT_TCP_NONE);
	*why = REASON_NUM;
	return HG_OK;
}

void nat_release(struct nat *n, const struct nat_flow *f)
{
	const struct nat_back *b = &f->back;
	struct pair_key pk = { .self = b->self, .peer = b->peer };
	const struct tally_cell *cell = tally_find(&n->pairs, &pk);
	uint64_t pair = cell ? cell->value : 0;
	struct mapping_key mk = mapping_of(pair, &f->key);

	/* A flow we never gave out, or got back before: nothing to do. */
	if (!cell || use_count(n, pair, b, USE_FLOW) == 0)
		return;
	for (int kind = 0; kind < USE_NUM; kind++) {
		struct use_key k = use_of(pair, b, (enum use_kind)kind);

		if (kind != USE_PORTS || use_count(n, pair, b, USE_PORT) == 0)
			tally_drop(&n->uses, &k);
	}
	tally_drop(&n->mappings, &mk);
	tally_drop(&n->clients, &f->key.client);
	tally_drop(&n->pairs, &pk);
	n->flows--;
}
