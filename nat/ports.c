/* SPDX-License-Identifier: MIT */
/* External ports: who uses which, who may have one more.
 * RFC 4787 4.1 (endpoint-independent mapping), RFC 5382, RFC 5508 3.1,
 * RFC 7857 3.
 *
 * THEORY OF OPERATION
 * Control thread only. A legacy client's (address, port) towards one
 * substitute address keeps one external port while any of its flows lives,
 * whatever port of the HIP host it talks to (endpoint-independent mapping),
 * and nobody else's flow between the same HITs uses that port. Only when
 * every port of a space (self, peer, proto) is taken, and no flow there has
 * ended (ended.c), a port is shared with flows to other ports of the peer:
 * the return key (struct nat_back) names the peer's port, so it stays unique,
 * which is the one thing that must hold; the daemon's table by return key is
 * asked for it (nat_config.taken). SHARE_TRIES draws look for such a port:
 * what they do not find counts as not there.
 *
 * Ports are chosen at random (RFC 6056): whoever cannot see the flow cannot
 * guess it, and a port just released is not the next one out. While there
 * are others, a port of an ended flow rests as long as that lives, 4
 * minutes: longer than TIME-WAIT lasts at the peer. Under pressure the one
 * that has rested longest comes first, and rested it has for two seconds at
 * least. A SYN from there may then meet the peer in TIME-WAIT: it is
 * accepted where its timestamp or sequence number is later (RFC 9293
 * 3.10.7.4, RFC 6191), as it is for the client that had the port before;
 * else the peer's ACK earns an RST, which ends its TIME-WAIT, and the next
 * SYN, a second later, is taken.
 *
 * What is where:
 *   spaces   (self, peer, proto) -> struct nat_space, with the set of ports
 *   clients  (address) -> flows that have not ended
 *   cell     a hash table of fixed size (untouched pages of it cost nothing)
 *            of the flows by mapping (space, client, client port, virt),
 *            chained by same_prev and same_next. Flows of one mapping and
 *            one port stand side by side, so a look at the neighbours says
 *            whether a flow is the last of them.
 * The sweep goes round through the cells.
 *
 * Invariants: a flow counts once in spaces until it is discarded; in
 * clients until it has ended; `used` of a space has the ports of its flows.
 * A bind that fails has changed nothing but what ended.c does.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "nat/ended.h"
#include "nat/nat.h"
#include "nat/space.h"

#define FLOWS_MAX_DEFAULT 1000000
#define FLOWS_PER_CLIENT_DEFAULT 4096

enum {
	RANDOM_TRIES = 8, /* before the set of ports is searched */
	SHARE_TRIES = 64,
	EVICT_MAX = 4, /* flows given up for one that is new */
	LOOKS = 64,    /* of ended_look, for one bind */
	SWEEP_PARTS = 16,
};

struct mapping_key {
	struct addr client;
	struct addr virt;
	uint64_t space;
	uint64_t client_port;
};

_Static_assert(sizeof(struct mapping_key) == 48, "no holes");

static size_t cells_for(uint32_t flows)
{
	size_t n = 64;

	while (n < flows)
		n *= 2;
	return n;
}

int nat_new(const struct nat_config *cfg, struct nat **out)
{
	struct nat *n = calloc(1, sizeof(*n));

	if (!n)
		return HG_ENOMEM;
	n->cfg = *cfg;
	if (!n->cfg.flows_max)
		n->cfg.flows_max = FLOWS_MAX_DEFAULT;
	if (!n->cfg.flows_per_client)
		n->cfg.flows_per_client = FLOWS_PER_CLIENT_DEFAULT;
	n->cells = cells_for(n->cfg.flows_max);
	n->cell = calloc(n->cells, sizeof(*n->cell));
	if (!n->cell) {
		free(n);
		return HG_ENOMEM;
	}
	n->next_id = 1;
	atomic_init(&n->told, NULL);
	randombytes_buf(n->secret, sizeof(n->secret));
	tally_init(&n->spaces, sizeof(struct space_key));
	tally_init(&n->clients, sizeof(struct addr));
	*out = n;
	return HG_OK;
}

/* ---- spaces -------------------------------------------------------------- */

static struct space_key space_key_of(const struct nat_back *b)
{
	return (struct space_key){
		.self = b->self,
		.peer = b->peer,
		.proto = b->proto,
	};
}

static void space_free(struct nat_space *s)
{
	portset_fini(&s->used);
	free(s->extra);
	free(s);
}

/* One more user of the space, made for the first; NULL: no memory. Needs a
 * reserve before. */
static struct nat_space *space_use(struct nat *n, const struct nat_back *b)
{
	struct space_key key = space_key_of(b);
	struct tally_cell *cell = tally_add(&n->spaces, &key);
	struct nat_space *s = (struct nat_space *)(uintptr_t)cell->value;

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s) {
		tally_drop(&n->spaces, &key);
		return NULL;
	}
	s->nat = n;
	s->id = n->next_id++;
	cell->value = (uintptr_t)s;
	return s;
}

static void space_drop(struct nat *n, const struct nat_back *b)
{
	struct space_key key = space_key_of(b);
	const struct tally_cell *cell = tally_find(&n->spaces, &key);
	struct nat_space *s = (struct nat_space *)(uintptr_t)cell->value;
	bool last = cell->count == 1;

	tally_drop(&n->spaces, &key);
	if (last)
		space_free(s);
}

void nat_free(struct nat *n)
{
	const struct tally_cell *cell;
	size_t i = 0;

	if (!n)
		return;
	ended_look(n, UINT32_MAX);
	while ((cell = tally_each(&n->spaces, &i)))
		space_free((struct nat_space *)(uintptr_t)cell->value);
	tally_fini(&n->spaces);
	tally_fini(&n->clients);
	free(n->cell);
	sodium_memzero(n, sizeof(*n));
	free(n);
}

/* ---- mappings ------------------------------------------------------------ */

static size_t cell_of(const struct nat *n, const struct nat_space *s,
		      const struct nat_key *key)
{
	struct mapping_key mk = {
		.client = key->client,
		.virt = key->virt,
		.space = s->id,
		.client_port = key->client_port,
	};
	uint8_t h[crypto_shorthash_BYTES];
	uint64_t v;

	_Static_assert(crypto_shorthash_KEYBYTES == sizeof(n->secret),
		       "SipHash key");
	crypto_shorthash(h, (const uint8_t *)&mk, sizeof(mk), n->secret);
	memcpy(&v, h, sizeof(v));
	return (size_t)v & (n->cells - 1);
}

static bool same_mapping(const struct nat_flow *f, const struct nat_space *s,
			 const struct nat_key *key)
{
	return f->space == s && f->key.client_port == key->client_port &&
	       addr_eq(&f->key.client, &key->client) &&
	       addr_eq(&f->key.virt, &key->virt);
}

static struct nat_flow *mapping_find(const struct nat *n, size_t cell,
				     const struct nat_space *s,
				     const struct nat_key *key)
{
	struct nat_flow *f = n->cell[cell];

	while (f && !same_mapping(f, s, key))
		f = f->same_next;
	return f;
}

static void chain_in(struct nat *n, size_t cell, struct nat_flow *before,
		     struct nat_flow *f)
{
	struct nat_flow **at = before ? &before->same_next : &n->cell[cell];

	f->same_prev = before;
	f->same_next = *at;
	if (*at)
		(*at)->same_prev = f;
	*at = f;
}

static void chain_out(struct nat *n, struct nat_flow *f)
{
	if (f->same_prev)
		f->same_prev->same_next = f->same_next;
	else
		n->cell[cell_of(n, f->space, &f->key)] = f->same_next;
	if (f->same_next)
		f->same_next->same_prev = f->same_prev;
}

/* Is `other` of the mapping and port of f? */
static bool joined(const struct nat_flow *f, const struct nat_flow *other)
{
	return other && other->back.ext_port == f->back.ext_port &&
	       same_mapping(other, f->space, &f->key);
}

/* ---- the choice ---------------------------------------------------------- */

/* The lowest port we give out; echo identifiers have no such custom. */
static uint16_t port_first(uint32_t proto)
{
	return proto == IP_PROTO_ICMP6 ? 0 : 1024;
}

/* A random port; drawn many at a time, since each draw is a system call. */
static uint16_t port_draw(struct nat *n, uint16_t first)
{
	uint16_t port;

	do {
		if (!n->draws) {
			randombytes_buf(n->draw, sizeof(n->draw));
			n->draws = sizeof(n->draw) / sizeof(n->draw[0]);
		}
		port = n->draw[--n->draws];
	} while (port < first);
	return port;
}

static bool is_taken(const struct nat *n, const struct nat_back *b)
{
	return n->cfg.taken && n->cfg.taken(n->cfg.arg, b);
}

/* A port that nobody in the space uses. */
static bool port_alone(struct nat *n, const struct nat_space *s,
		       struct nat_back *b)
{
	uint16_t first = port_first(b->proto);

	if (s->used.num == 65536u - first)
		return false;
	for (unsigned i = 0; i < RANDOM_TRIES; i++) {
		b->ext_port = port_draw(n, first);
		if (!portset_has(&s->used, b->ext_port))
			return true;
	}
	return portset_absent(&s->used, first, b->ext_port, &b->ext_port);
}

static bool port_shared(struct nat *n, struct nat_space *s, struct nat_back *b)
{
	if (!n->cfg.taken)
		return false;
	if (!s->extra)
		s->extra = calloc(65536, sizeof(*s->extra));
	for (unsigned i = 0; s->extra && i < SHARE_TRIES; i++) {
		b->ext_port = port_draw(n, port_first(b->proto));
		if (!is_taken(n, b))
			return true;
	}
	return false;
}

/* Chooses b->ext_port by the rules above; false: none is left. */
static bool port_choose(struct nat *n, struct nat_space *s,
			const struct nat_key *key, struct nat_back *b,
			uint64_t now)
{
	const struct nat_flow *f = mapping_find(n, cell_of(n, s, key), s, key);

	if (f) {
		b->ext_port = f->back.ext_port;
		if (!is_taken(n, b))
			return true;
	}
	if (port_alone(n, s, b))
		return true;
	for (unsigned i = 0; i < EVICT_MAX && ended_evict(n, s, now); i++)
		if (port_alone(n, s, b))
			return true;
	return port_shared(n, s, b);
}

/* ---- quotas, binding, releasing ------------------------------------------ */

bool ports_quota(const struct nat *n, const struct addr *client)
{
	const struct tally_cell *cell = tally_find(&n->clients, client);

	return !cell || cell->count < n->cfg.flows_per_client;
}

static bool room_for(struct nat *n, const struct addr *client, uint64_t now)
{
	if (!ports_quota(n, client))
		return false;
	return n->flows < n->cfg.flows_max || ended_evict_any(n, now);
}

/* Enters the chosen port everywhere; cannot fail after the reserves. */
static void enter(struct nat *n, struct nat_space *s, struct nat_flow *f)
{
	size_t cell = cell_of(n, s, &f->key);
	uint16_t port = f->back.ext_port;
	struct nat_flow *at = mapping_find(n, cell, s, &f->key);

	while (at && !joined(f, at))
		at = at->same_next;
	chain_in(n, cell, at, f);
	if (!at && portset_has(&s->used, port))
		s->extra[port]++;
	else if (!at)
		portset_add(&s->used, port);
	(void)tally_add(&n->clients, &f->key.client);
	n->flows++;
}

static int bind_port(struct nat *n, struct nat_space *s,
		     const struct nat_key *key, struct nat_back *b,
		     uint64_t now, struct nat_flow *f)
{
	if (portset_reserve(&s->used))
		return HG_ENOMEM;
	if (!port_choose(n, s, key, b, now))
		return HG_EFULL;
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->back = *b;
	f->space = s;
	atomic_init(&f->last, now);
	atomic_init(&f->tcp,
		    key->proto == IP_PROTO_TCP ? NAT_TCP_SYN : NAT_TCP_NONE);
	enter(n, s, f);
	return HG_OK;
}

int nat_bind(struct nat *n, const struct nat_key *key, const struct hit *self,
	     const struct hit *peer, bool tcp_syn, uint64_t now,
	     struct nat_flow *f, enum reason *why)
{
	struct nat_back b = {
		.self = *self,
		.peer = *peer,
		.peer_port = key->virt_port,
		.proto = key->proto,
	};
	struct nat_space *s;
	int err;

	*why = REASON_FLOW_STATE;
	if (key->proto == IP_PROTO_TCP && !tcp_syn)
		return HG_EINVAL;
	ended_look(n, LOOKS);
	*why = REASON_FLOW_QUOTA;
	if (!room_for(n, &key->client, now))
		return HG_EFULL;
	*why = REASON_NO_PORT;
	if (tally_reserve(&n->spaces, 1) || tally_reserve(&n->clients, 1))
		return HG_ENOMEM;
	s = space_use(n, &b);
	if (!s)
		return HG_ENOMEM;
	err = bind_port(n, s, key, &b, now, f);
	if (err)
		space_drop(n, &b);
	else
		*why = REASON_NUM;
	return err;
}

void ports_leave(struct nat *n, struct nat_flow *f, bool ended)
{
	struct nat_space *s = f->space;
	uint16_t port = f->back.ext_port;
	bool last = !joined(f, f->same_prev) && !joined(f, f->same_next);

	chain_out(n, f);
	if (last && s->extra && s->extra[port])
		s->extra[port]--;
	else if (last)
		portset_del(&s->used, port);
	if (!ended)
		tally_drop(&n->clients, &f->key.client);
	n->flows--;
}

void ports_discard(struct nat *n, struct nat_flow *f)
{
	space_drop(n, &f->back);
	n->cfg.discard(n->cfg.arg, f);
}

void nat_release(struct nat *n, struct nat_flow *f)
{
	bool told;

	if (!ended_gone(f, &told))
		return;
	ports_leave(n, f, ended_unlist(f));
	if (!told)
		ports_discard(n, f);
}

/* ---- looking in ----------------------------------------------------------- */

void nat_usage(const struct nat *n, struct nat_usage *out)
{
	const struct tally_cell *cell;
	size_t i = 0;

	*out = (struct nat_usage){ 0 };
	while ((cell = tally_each(&n->spaces, &i))) {
		const struct space_key *key = tally_key(cell);
		const struct nat_space *s =
			(const struct nat_space *)(uintptr_t)cell->value;

		if (key->proto == IP_PROTO_TCP)
			out->tcp += cell->count;
		else if (key->proto == IP_PROTO_UDP)
			out->udp += cell->count;
		else
			out->icmp += cell->count;
		if (s->used.num > out->ports_most)
			out->ports_most = s->used.num;
	}
}

/* ---- the sweep ------------------------------------------------------------ */

/* Releases what has expired of a cell; what that is of a slice. */
static unsigned sweep_cell(struct nat *n, size_t cell, uint64_t now)
{
	struct nat_flow *f = n->cell[cell];
	unsigned seen = 0;

	while (f) {
		struct nat_flow *next = f->same_next;

		seen++;
		if (nat_expired(f, now)) {
			seen += NAT_SLICE_END - 1;
			n->cfg.unpublish(n->cfg.arg, f);
			nat_release(n, f);
		}
		f = next;
	}
	return seen;
}

bool nat_sweep(struct nat *n, bool begin, uint64_t now)
{
	unsigned seen = 0;

	ended_look(n, NAT_SLICE);
	if (begin)
		n->left = n->flows ? n->cells / SWEEP_PARTS : 0;
	for (size_t i = 0; n->left && i < NAT_SLICE_CELLS; i++) {
		seen += sweep_cell(n, n->cursor, now);
		n->cursor = (n->cursor + 1) & (n->cells - 1);
		n->left--;
		if (seen >= NAT_SLICE)
			break;
	}
	return n->left;
}
