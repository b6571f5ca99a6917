/* SPDX-License-Identifier: MIT */
/* I1 and UPDATE through a rendezvous server, at the server and at its client
 * (8004, 8046 3.2.3). */
/* THEORY OF OPERATION
 * Profile A of docs/choices.md: everything goes over UDP port 10500.
 * The server rewrites addresses by sending a new datagram: the I1 as it
 * came, with FROM (the Initiator's address) and RVS_HMAC appended under the
 * integrity key of the registration's association. The client answers
 * straight to FROM's address at port 10500, which is why an I1 from any
 * other port is not relayed: its R1 would go nowhere. FROM has no port.
 *
 * An UPDATE that finds its receiver nowhere else is passed on in the same
 * way: the server cannot read it, but one that is no question (without SEQ)
 * has no need of it. FROM, behind the signature, tells the client where the
 * answer goes.
 *
 * What brings a FROM along is not passed on: we are nobody's client
 * here, and could not say whether it is true (RFC 8004 4.3.2).
 */
#include "hip/rendezvous.h"

#include "hip/admit.h"
#include "hip/auth.h"
#include "hip/fields.h"

static enum reason relayable(struct hip *h, const struct packet *p,
			     const struct assoc *client)
{
	if (!client || !client->keys ||
	    client->service != FIELDS_REG_RENDEZVOUS)
		return REASON_HIP_NOT_REGISTERED;
	if (!admit_relay(h, p))
		return REASON_HIP_DENIED;
	if (p->from->port != HIP_PORT)
		return REASON_HIP_SOURCE_PORT;
	if (param_find(&p->m, PARAM_FROM) || param_find(&p->m, PARAM_RVS_HMAC))
		return REASON_HIP_RVS_HMAC;
	if (addr_is_unusable(&p->from->addr))
		return REASON_HIP_SOURCE_PORT;
	if (p->m.type == HIP_UPDATE ? !param_find(&p->m, PARAM_HIP_MAC) ||
					      !param_find(&p->m, PARAM_SEQ)
				    : !param_find(&p->m, PARAM_DH_GROUP_LIST))
		return REASON_HIP_MISSING;
	if (!srcrate_allow(&h->budget.relay, &p->from->addr, p->now))
		return REASON_HIP_RATE;
	return REASON_NUM;
}

void rendezvous_relay(struct hip *h, const struct packet *p)
{
	const struct assoc *client = registrar_find(h, &p->m.receiver);
	enum reason r = relayable(h, p, client);
	struct msg_builder b;
	struct hip_effect *e;

	if (r != REASON_NUM) {
		engine_drop(h, p, r);
		return;
	}
	/* What types above FROM there were is left behind. */
	message_resume(&b, p->m.raw, p->m.len, PARAM_FROM);
	fields_put_from(&b, &p->from->addr); /* RFC 8004 4.2.2 */
	if (auth_put_rvs_hmac(&b, client->keys->rhash,
			      client->keys->hip.mac_out) ||
	    message_finish(&b)) {
		engine_drop(h, p, REASON_HIP_TLV); /* no room for it */
		return;
	}
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = client->self;
	e->peer = client->peer;
	e->self_at = client->self_at;
	e->peer_at = client->peer_at;
	e->type = p->m.type;
	e = effects_put(&h->fx, HIP_RELAYED);
	e->self = client->self;
	e->peer = client->peer;
	e->self_at = client->self_at;
	e->peer_at = client->peer_at;
	e->type = p->m.type;
	e->has_from = true;
	e->from = p->from->addr;
}

/* The server with whose key RVS_HMAC is right, or NULL. */
static const struct assoc *whose(const struct hip *h, const struct packet *p)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];
		const struct assoc *a;

		if (!hit_eq(&r->self, &p->m.receiver) ||
		    r->service != FIELDS_REG_RENDEZVOUS)
			continue;
		a = assoc_find(&h->assocs, &r->self, &r->rvs);
		if (!a || !a->sa_up)
			continue;
		if (auth_check_rvs_hmac(&p->m, a->keys->rhash,
					a->keys->hip.mac_in) == REASON_NUM)
			return a;
	}
	return NULL;
}

enum reason rendezvous_check(struct hip *h, struct packet *p)
{
	const struct hip_param *f = param_find(&p->m, PARAM_FROM);

	p->has_from = false;
	if (!f && !param_find(&p->m, PARAM_RVS_HMAC))
		return REASON_NUM;
	/* RFC 8004 4.3.2: what is there must be right. */
	if (!whose(h, p))
		return REASON_HIP_RVS_HMAC;
	if (!f)
		return REASON_NUM; /* passed on, its source left as it was */
	if (param_next(&p->m, f))
		return REASON_HIP_RVS_HMAC; /* more than one hop */
	if (!fields_get_from(f, &p->via_from))
		return REASON_HIP_TLV;
	if (addr_is_unusable(&p->via_from))
		return REASON_HIP_RVS_HMAC;
	p->has_from = true;
	return REASON_NUM;
}

bool rendezvous_update(struct hip *h, struct packet *p, struct endpoint *source)
{
	enum reason r = rendezvous_check(h, p);

	if (r != REASON_NUM) {
		engine_drop(h, p, r);
		return false;
	}
	if (!p->has_from)
		return true;
	*source = (struct endpoint){ p->via_from, HIP_PORT };
	p->via = p->from->addr;
	p->from = source;
	return true;
}

void rendezvous_met(struct assoc *a, const struct addr *via)
{
	a->has_via = false;
	for (unsigned i = 0; i < a->locator_num; i++) {
		if (!addr_eq(&a->locators[i].addr, via))
			continue;
		a->has_via = true;
		a->via = a->locators[i];
	}
}
