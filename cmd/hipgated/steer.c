/* SPDX-License-Identifier: MIT */
/* What a packet from the TUN is; theory in steer.h. */
#include "steer.h"

#include <string.h>

enum { DNS_PORT = 53 };

void steer_init(struct steer *s, const struct config *c)
{
	const struct prefix *pool[SOCKETS_FAMILIES] = { &c->pool4, &c->pool6 };

	memset(s, 0, sizeof(*s));
	s->pools.pool6 = c->pool6;
	s->pools.pool4 = c->pool4;
	s->pools.clients = c->clients;
	s->pools.clients_num = c->clients_num;
	for (unsigned f = 0; f < SOCKETS_FAMILIES; f++) {
		if (!pool[f]->len)
			continue;
		s->own[f] = pool[f]->addr;
		s->own[f].b[15] |= 1; /* as hipgate-setup has it */
		if (!lease_dns(pool[f], &s->dns[f]))
			s->dns[f] = addr_any6;
	}
	for (; s->real_num < c->real_num; s->real_num++) {
		const struct prefix *p = &c->real[s->real_num];
		struct nat_ranges *r = &s->real[s->real_num];

		r->clients = c->clients;
		r->clients_num = c->clients_num;
		*(prefix_is4(p) ? &r->pool4 : &r->pool6) = *p;
	}
}

bool steer_is_dns(const struct steer *s, const struct addr *a)
{
	return addr_eq(a, &s->dns[sockets_family(a)]) &&
	       !addr_is_unspecified(a);
}

static bool in_pool(const struct steer *s, const struct addr *a)
{
	const struct prefix *p =
		addr_is4(a) ? &s->pools.pool4 : &s->pools.pool6;

	return p->len && prefix_has(p, a);
}

static bool is_own(const struct steer *s, const struct addr *a)
{
	return addr_eq(a, &s->own[sockets_family(a)]) &&
	       !addr_is_unspecified(a);
}

/* From a program of this machine: the pool is the one address it is for. */
static enum nat_class classify_own(const struct steer *s, uint8_t *pkt,
				   size_t len, struct nat_packet *out)
{
	struct nat_ranges r = { .clients_num = 0 };
	struct addr to = out->ip.to;

	if (in_pool(s, &to))
		*(addr_is4(&to) ? &r.pool4 : &r.pool6) =
			(struct prefix){ to, 128 };
	return nat_classify(pkt, len, &r, out);
}

static enum nat_class classify_again(const struct steer *s, uint8_t *pkt,
				     size_t len, struct nat_packet *out)
{
	if (is_own(s, &out->ip.from))
		return classify_own(s, pkt, len, out);
	if (in_pool(s, &out->ip.from))
		return NAT_DROP;
	for (size_t i = 0; i < s->real_num; i++) {
		const struct nat_ranges *r = &s->real[i];
		const struct prefix *p = r->pool4.len ? &r->pool4 : &r->pool6;

		if (prefix_has(p, &out->ip.to))
			return nat_classify(pkt, len, r, out);
	}
	return NAT_DROP;
}

enum nat_class steer_classify(const struct steer *s, uint8_t *pkt, size_t len,
			      struct nat_packet *out)
{
	enum nat_class class = nat_classify(pkt, len, &s->pools, out);

	/* To or from no address that the NAT knows. */
	if (class == NAT_DROP && (out->reason == REASON_IP_BAD_ADDR ||
				  out->reason == REASON_IP_FRAGMENT))
		class = classify_again(s, pkt, len, out);
	if (class == NAT_DATA && out->key.virt_port == DNS_PORT &&
	    steer_is_dns(s, &out->key.virt))
		class = NAT_DNS;
	return class;
}
