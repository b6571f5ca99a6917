/* SPDX-License-Identifier: MIT */
/* DNS over TCP that is steered into the TUN, to our listener and back.
 * RFC 3022 (twice NAT), RFC 5382 for its timers.
 *
 * THEORY OF OPERATION
 * The daemon has no TCP stack but the kernel's. A client's segment to some
 * name server, (client, server), is rewritten to (near, listener) and given
 * back to the TUN; the kernel's answer to (listener, near) comes through the
 * TUN because near is routed there, and is rewritten to (server, client).
 * `near` stands for the connection: its port is a base plus the slot of the
 * connection in the table, so the way back is an array access. The way in
 * is a chained hash of (client, server, ports), keyed because clients
 * choose it.
 *
 * Control thread only: segments come by punt, and so few pass here that the
 * workers' tables are not worth it. Bounds: NAT_REDIRECTS_MAX connections,
 * NAT_REDIRECTS_PER_CLIENT of one client. A new connection takes the next
 * slot, round and round, that is unused or outlived its timer; when there is
 * none, one that is over; never one that lives. Slots are not swept: an
 * old one is found out when it is met.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "core/wire.h"
#include "nat/flow.h"
#include "nat/nat.h"

#define DNS_PORT 53
#define PORT_BASE 49152 /* slot 0 has this near_port */
#define NO_SLOT NAT_REDIRECTS_MAX

_Static_assert(PORT_BASE + NAT_REDIRECTS_MAX <= 65536, "a port for each");

struct slot {
	struct nat_redirect r;
	struct endpoint listener;
	uint64_t last; /* ns */
	uint32_t tcp;  /* enum nat_tcp */
	uint16_t next; /* in its chain */
	bool used;
};

struct nat_redirects {
	struct slot slots[NAT_REDIRECTS_MAX];
	uint16_t heads[NAT_REDIRECTS_MAX]; /* chains; NO_SLOT ends one */
	uint16_t turn;			   /* where to look for a slot next */
	bool have4;
	bool have6;
	struct addr near4;
	struct addr near6;
	uint8_t secret[crypto_shorthash_KEYBYTES];
};

int nat_redirects_new(const struct addr *near4, const struct addr *near6,
		      struct nat_redirects **out)
{
	struct nat_redirects *r = calloc(1, sizeof(*r));

	if (!r)
		return HG_ENOMEM;
	for (unsigned i = 0; i < NAT_REDIRECTS_MAX; i++)
		r->heads[i] = NO_SLOT;
	r->have4 = near4 != NULL;
	r->have6 = near6 != NULL;
	if (near4)
		r->near4 = *near4;
	if (near6)
		r->near6 = *near6;
	randombytes_buf(r->secret, sizeof(r->secret));
	*out = r;
	return HG_OK;
}

void nat_redirects_free(struct nat_redirects *r)
{
	free(r);
}

static uint16_t *chain_of(struct nat_redirects *r, const struct nat_redirect *c)
{
	uint8_t key[36];
	uint8_t h[crypto_shorthash_BYTES];

	memcpy(key, c->client.b, 16);
	memcpy(key + 16, c->server.b, 16);
	put_be16(key + 32, c->client_port);
	put_be16(key + 34, c->server_port);
	crypto_shorthash(h, key, sizeof(key), r->secret);
	return &r->heads[get_be16(h) % NAT_REDIRECTS_MAX];
}

static bool same_connection(const struct nat_redirect *a,
			    const struct nat_redirect *b)
{
	return a->client_port == b->client_port &&
	       a->server_port == b->server_port &&
	       addr_eq(&a->client, &b->client) &&
	       addr_eq(&a->server, &b->server);
}

static bool is_over(const struct slot *s, uint64_t now)
{
	return now > s->last &&
	       now - s->last > flow_idle_max_ns(IP_PROTO_TCP, s->tcp);
}

static void slot_clear(struct nat_redirects *r, uint16_t i)
{
	uint16_t *link = chain_of(r, &r->slots[i].r);

	while (*link != i)
		link = &r->slots[*link].next;
	*link = r->slots[i].next;
	memset(&r->slots[i], 0, sizeof(r->slots[i]));
}

/* The live connection, or NULL. */
static struct slot *slot_find(struct nat_redirects *r,
			      const struct nat_redirect *c, uint64_t now)
{
	uint16_t i = *chain_of(r, c);

	while (i != NO_SLOT && !same_connection(&r->slots[i].r, c))
		i = r->slots[i].next;
	if (i == NO_SLOT)
		return NULL;
	if (!is_over(&r->slots[i], now))
		return &r->slots[i];
	slot_clear(r, i);
	return NULL;
}

/* A slot to use, NO_SLOT when all live. Clears old ones on its way; counts
 * what the client has. */
static uint16_t slot_seek(struct nat_redirects *r, const struct addr *client,
			  uint64_t now, unsigned *owned)
{
	uint16_t closed = NO_SLOT;
	uint16_t unused = NO_SLOT;

	*owned = 0;
	for (unsigned n = 0; n < NAT_REDIRECTS_MAX; n++) {
		uint16_t i = (uint16_t)((r->turn + n) % NAT_REDIRECTS_MAX);
		struct slot *s = &r->slots[i];

		if (s->used && is_over(s, now))
			slot_clear(r, i);
		if (!s->used && unused == NO_SLOT)
			unused = i;
		if (s->used && flow_is_over(s->tcp) && closed == NO_SLOT)
			closed = i;
		if (s->used && !flow_is_over(s->tcp) &&
		    addr_eq(&s->r.client, client))
			(*owned)++;
	}
	if (unused == NO_SLOT && closed != NO_SLOT) {
		slot_clear(r, closed);
		unused = closed;
	}
	return unused;
}

static enum reason slot_open(struct nat_redirects *r,
			     const struct nat_redirect *c,
			     const struct endpoint *listener, uint64_t now,
			     struct slot **out)
{
	unsigned owned;
	uint16_t i = slot_seek(r, &c->client, now, &owned);
	uint16_t *head = chain_of(r, c);
	struct slot *s;

	if (owned >= NAT_REDIRECTS_PER_CLIENT)
		return REASON_FLOW_QUOTA;
	if (i == NO_SLOT)
		return REASON_NO_PORT;
	s = &r->slots[i];
	s->r = *c;
	s->r.near_port = (uint16_t)(PORT_BASE + i);
	s->listener = *listener;
	s->tcp = NAT_TCP_NONE;
	s->used = true;
	s->next = *head;
	*head = i;
	r->turn = (uint16_t)((i + 1) % NAT_REDIRECTS_MAX);
	*out = s;
	return REASON_NUM;
}

/* Gives the packet new ends, both of its family, and mends checksums. */
static void rewrite(uint8_t *pkt, const struct ip_view *ip,
		    const struct endpoint *from, const struct endpoint *to,
		    bool partial)
{
	uint8_t *sum = ip->l4 + ip_csum_offset(IP_PROTO_TCP);
	uint64_t before =
		csum_pseudo(&ip->from, &ip->to, IP_PROTO_TCP, ip->l4_len);
	uint64_t after =
		csum_pseudo(&from->addr, &to->addr, IP_PROTO_TCP, ip->l4_len);
	uint16_t hdr_sum;

	if (partial)
		put_be16(sum, csum_fold(after));
	else
		put_be16(sum,
			 csum_update(get_be16(sum), csum_add(before, ip->l4, 4),
				     after + from->port + to->port));
	put_be16(ip->l4, from->port);
	put_be16(ip->l4 + 2, to->port);
	if (!ip->v4) {
		memcpy(pkt + 8, from->addr.b, 16);
		memcpy(pkt + 24, to->addr.b, 16);
		return;
	}
	before = csum_add(0, pkt + 12, 8);
	memcpy(pkt + 12, addr_four(&from->addr), 4);
	memcpy(pkt + 16, addr_four(&to->addr), 4);
	hdr_sum = csum_update(get_be16(pkt + 10), before,
			      csum_add(0, pkt + 12, 8));
	put_be16(pkt + 10, hdr_sum);
}

enum reason nat_redirect_in(struct nat_redirects *r, uint8_t *pkt, size_t len,
			    const struct ip_offload *off,
			    const struct endpoint *listener, uint64_t now)
{
	struct ip_view ip;
	enum reason why = ip_parse(pkt, len, &ip);
	struct nat_redirect c = { .near_port = 0 };
	struct endpoint near;
	struct slot *s;
	uint8_t flags;

	if (why != REASON_NUM)
		return why;
	if (ip.proto != IP_PROTO_TCP || get_be16(ip.l4 + 2) != DNS_PORT)
		return REASON_IP_PROTO;
	if (!(ip.v4 ? r->have4 : r->have6) ||
	    addr_is4(&listener->addr) != ip.v4)
		return REASON_IP_BAD_ADDR;
	c.client = ip.from;
	c.server = ip.to;
	c.client_port = get_be16(ip.l4);
	c.server_port = get_be16(ip.l4 + 2);
	c.near = ip.v4 ? r->near4 : r->near6;
	flags = ip.l4[13];
	s = slot_find(r, &c, now);
	if (!s && (flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return REASON_FLOW_STATE;
	if (!s) {
		why = slot_open(r, &c, listener, now, &s);
		if (why != REASON_NUM)
			return why;
	}
	s->last = now;
	s->tcp = flow_tcp_next(s->tcp, true, flags);
	near = (struct endpoint){ .addr = c.near, .port = s->r.near_port };
	rewrite(pkt, &ip, &near, &s->listener, off->csum_partial);
	return REASON_NUM;
}

const struct nat_redirect *nat_redirect_find(const struct nat_redirects *r,
					     const struct endpoint *near)
{
	unsigned i = near->port - (unsigned)PORT_BASE;

	if (i >= NAT_REDIRECTS_MAX || !r->slots[i].used ||
	    !addr_eq(&r->slots[i].r.near, &near->addr))
		return NULL;
	return &r->slots[i].r;
}

enum reason nat_redirect_out(struct nat_redirects *r, uint8_t *pkt, size_t len,
			     const struct ip_offload *off, uint64_t now)
{
	struct ip_view ip;
	enum reason why = ip_parse(pkt, len, &ip);
	const struct nat_redirect *c;
	struct endpoint near;
	struct endpoint client;
	struct endpoint server;
	struct slot *s;

	if (why != REASON_NUM)
		return why;
	if (ip.proto != IP_PROTO_TCP)
		return REASON_NO_FLOW;
	near = (struct endpoint){ ip.to, get_be16(ip.l4 + 2) };
	c = nat_redirect_find(r, &near);
	if (!c)
		return REASON_NO_FLOW;
	s = &r->slots[c->near_port - PORT_BASE];
	/* Only its own listener speaks for a connection. */
	if (!addr_eq(&s->listener.addr, &ip.from) ||
	    s->listener.port != get_be16(ip.l4) || is_over(s, now))
		return REASON_NO_FLOW;
	s->last = now;
	s->tcp = flow_tcp_next(s->tcp, false, ip.l4[13]);
	server = (struct endpoint){ c->server, c->server_port };
	client = (struct endpoint){ c->client, c->client_port };
	rewrite(pkt, &ip, &server, &client, off->csum_partial);
	return REASON_NUM;
}
