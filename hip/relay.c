/* SPDX-License-Identifier: MIT */
/* The control relay: HIP packets to and from its clients (RFC 9028 4). */
/* THEORY OF OPERATION
 * In: whoever looks for a client sends its I1, I2, UPDATE, CLOSE, CLOSE_ACK
 * or NOTIFY here. It goes on to the endpoint the client is registered from,
 * which is what its NAT lets in, with RELAY_FROM (whom we have it from) and
 * RELAY_HMAC (that it was us) behind it. Out: the client's answers come with
 * RELAY_TO and go there as they are. Nobody else is served, and nothing of a
 * packet is verified here: the ends do that.
 *
 * What this can be misused for, and what is done about it:
 * - As a proxy that hides its user, or to reach what our address may: a
 *   client's packet goes only to who has itself written to that client,
 *   through us, within ASKED. That is kept as a keyed hash of 64 bits in a
 *   table of fixed size (spent.c), so nobody can fill our memory; under a
 *   flood an answer may be lost, and comes again.
 * - As an amplifier: out, the octets that came leave, no more: factor 1. In,
 *   80 octets at most are added, and go to a client who has proved to be
 *   there, never to a third one.
 * - Loops: what carries RELAY_FROM is not relayed again, and RELAY_TO may
 *   not name ourselves; so a relay that is registered at a relay, and two
 *   that are registered at each other, pass a packet on twice at most.
 * - Floods: a budget for each source prefix, both ways.
 * Base exchanges of a client's own go through the relay of the other one,
 * so I1 and I2 do not leave by RELAY_TO (4.5).
 *
 * A client of the data relay (datarelay.c) has a relayed address, too. What
 * comes to that goes to it in the same way, and RELAY_TO, behind RELAY_FROM,
 * says where it came to. What the client answers has both, exchanged: from
 * that address of ours, to whom (4.12.2). The RFC leaves open how the two
 * tell apart what comes by the one service and by the other, which matters:
 * one is a path, and one is none. A client that names no address of ours has
 * its answer sent from wherever the question came to.
 *
 * A missing NAT traversal mode drops R1 and I2 (4.5). A NOTIFY about it is
 * not sent: its receiver could not verify it. Owner: the engine's thread.
 */
#include "hip/relay.h"

#include <assert.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/auth.h"
#include "hip/fields.h"
#include "hip/rendezvous.h"

#define ASKED (30 * ENGINE_S) /* all repetitions of an answer */

static const struct assoc *client_of(const struct hip *h, const struct hit *hit)
{
	const struct assoc *a = registrar_find(h, hit);

	return a && a->keys && a->service == FIELDS_REG_RELAY_UDP_HIP ? a
								      : NULL;
}

/* Stands for: this endpoint has written to this client, by that port. */
static uint64_t asked_print(const struct hip *h, const struct endpoint *who,
			    const struct hit *client, uint16_t port)
{
	uint8_t in[sizeof(*who) + sizeof(client->b) + sizeof(port)];

	static_assert(sizeof(*who) == 18, "nothing between");
	memcpy(in, who, sizeof(*who));
	memcpy(in + sizeof(*who), client->b, sizeof(client->b));
	memcpy(in + sizeof(*who) + sizeof(client->b), &port, sizeof(port));
	return spent_print(&h->budget.asked, in, sizeof(in));
}

bool relay_was_asked(const struct hip *h, const struct endpoint *who,
		     const struct hit *client, uint16_t port, uint64_t now)
{
	return spent_has(&h->budget.asked, asked_print(h, who, client, port),
			 now);
}

/* Has it passed a relay or rendezvous server before us? */
static bool has_hop(const struct packet *p)
{
	return param_find(&p->m, PARAM_RELAY_FROM) ||
	       param_find(&p->m, PARAM_RELAY_HMAC) ||
	       param_find(&p->m, PARAM_FROM) ||
	       param_find(&p->m, PARAM_RVS_HMAC);
}

static bool lacks_mode(const struct packet *p)
{
	return !param_find(&p->m, PARAM_NAT_TRAVERSAL_MODE);
}

static void tell(struct hip *h, const struct packet *p,
		 const struct assoc *client, const struct endpoint *other)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_RELAYED);

	e->self = client->self;
	e->peer = client->peer;
	e->self_at = *p->at;
	e->peer_at = client->peer_at;
	e->type = p->m.type;
	e->relay = true;
	e->has_from = true;
	e->from = other->addr;
}

/* ---- to a client --------------------------------------------------------- */

static enum reason in_fits(const struct packet *p)
{
	switch (p->m.type) {
	case HIP_I1:
		return param_find(&p->m, PARAM_DH_GROUP_LIST)
			       ? REASON_NUM
			       : REASON_HIP_MISSING;
	case HIP_I2:
		return lacks_mode(p) ? REASON_HIP_NAT_MODE : REASON_NUM;
	case HIP_R1:
	case HIP_R2: /* come to their Initiator straight, or by RELAY_TO */
		return REASON_HIP_RELAY_TO;
	default:
		return REASON_NUM;
	}
}

static enum reason in_ok(struct hip *h, const struct packet *p)
{
	struct locset_rules rules = here_rules(&h->here);
	enum reason r = in_fits(p);

	if (r != REASON_NUM)
		return r;
	if (!admit_relay(h, p))
		return REASON_HIP_DENIED;
	if (has_hop(p))
		return REASON_HIP_RELAY_HMAC;
	if (h->data.num && datarelay_is_self(h, &p->from->addr))
		return REASON_HIP_RELAY_LOOP;
	if (!p->from->port || !locset_place_ok(&p->from->addr, &rules))
		return REASON_HIP_RELAY_TO; /* no answer could go there */
	if (!srcrate_allow(&h->budget.relay, &p->from->addr, p->now))
		return REASON_HIP_RATE;
	return REASON_NUM;
}

/* port: it came to the client's port for data; NULL: to HIP's. */
static void pass_in(struct hip *h, const struct packet *p,
		    const struct assoc *client,
		    const struct datarelay_port *port)
{
	enum reason r = in_ok(h, p);
	struct msg_builder b;
	struct hip_effect *e;

	if (r != REASON_NUM) {
		engine_drop(h, p, r);
		return;
	}
	/* What types above RELAY_FROM there were is left behind. */
	message_resume(&b, p->m.raw, p->m.len, PARAM_ECHO_REQUEST_UNSIGNED);
	fields_put_udp_at(&b, PARAM_RELAY_FROM, p->from);
	if (port && p->m.type != HIP_I1)
		fields_put_udp_at(&b, PARAM_RELAY_TO, &port->at);
	if (auth_put_relay_hmac(&b, client->keys->rhash,
				client->keys->hip.mac_out) ||
	    message_finish(&b)) {
		engine_drop(h, p, REASON_HIP_TLV); /* no room for it */
		return;
	}
	/* RFC 9028 4.5 step 2: the reverse of the R2 that registered it. */
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = client->self;
	e->peer = client->peer;
	e->self_at = client->self_at;
	e->peer_at = client->peer_at;
	e->type = p->m.type;
	spent_add(&h->budget.asked,
		  asked_print(h, p->from, &client->peer, p->at->port),
		  p->now + ASKED, p->now);
	if (port)
		datarelay_heard(h, port, p->from, p->now);
	tell(h, p, client, p->from);
}

/* ---- from a client ------------------------------------------------------- */

/* What an answer says of where it goes. */
struct way_out {
	struct endpoint to;
	const struct datarelay_port *port; /* from there; NULL: HIP's */
};

/* RFC 9028 4.8, 4.12.2. */
static enum reason out_way(const struct hip *h, const struct packet *p,
			   const struct assoc *client, struct way_out *out)
{
	const struct datarelay_port *port = datarelay_of(h, client);
	const struct hip_param *f = param_find(&p->m, PARAM_RELAY_FROM);
	struct endpoint named;

	if (!fields_get_udp_at(param_find(&p->m, PARAM_RELAY_TO), &out->to))
		return REASON_HIP_TLV;
	out->port = NULL;
	if (!f) {
		if (port && !relay_was_asked(h, &out->to, &client->peer,
					     p->at->port, p->now))
			out->port = port;
		return has_hop(p) ? REASON_HIP_RELAY_HMAC : REASON_NUM;
	}
	if (!port || !fields_get_udp_at(f, &named) ||
	    !endpoint_eq(&named, &port->at))
		return REASON_HIP_RELAY_HMAC;
	out->port = port;
	return REASON_NUM;
}

static enum reason out_ok(struct hip *h, const struct packet *p,
			  const struct assoc *client, struct way_out *out)
{
	enum reason r;

	if (!endpoint_eq(p->from, &client->peer_at))
		return REASON_HIP_NOT_REGISTERED;
	if (p->m.type == HIP_I1 || p->m.type == HIP_I2)
		return REASON_HIP_RELAY_TO;
	if (p->m.type == HIP_R1 && lacks_mode(p))
		return REASON_HIP_NAT_MODE; /* RFC 9028 4.5 */
	r = out_way(h, p, client, out);
	if (r != REASON_NUM)
		return r;
	if (h->data.num && datarelay_is_self(h, &out->to.addr))
		return REASON_HIP_RELAY_LOOP;
	/* Who has written has an address that can be written to. */
	if (endpoint_eq(&out->to, p->at) ||
	    !(relay_was_asked(h, &out->to, &client->peer,
			      out->port ? out->port->at.port : p->at->port,
			      p->now) ||
	      (out->port && datarelay_permits(out->port, &out->to, p->now))))
		return REASON_HIP_RELAY_TO;
	if (!srcrate_allow(&h->budget.relay_out, &p->from->addr, p->now))
		return REASON_HIP_RATE;
	return REASON_NUM;
}

static void pass_out(struct hip *h, const struct packet *p,
		     const struct assoc *client)
{
	struct way_out way;
	enum reason r = out_ok(h, p, client, &way);
	struct msg_builder b;
	struct hip_effect *e;

	if (r != REASON_NUM) {
		engine_drop(h, p, r);
		return;
	}
	if (param_find(&p->m, PARAM_RELAY_FROM)) {
		message_resume(&b, p->m.raw, p->m.len,
			       PARAM_ECHO_REQUEST_UNSIGNED);
		fields_put_udp_at(&b, PARAM_RELAY_TO, &way.to);
		e = effects_send(&h->fx, b.buf, b.len); /* it is shorter */
	} else {
		e = effects_send(&h->fx, p->m.raw, p->m.len);
	}
	e->self = client->self;
	e->peer = p->m.receiver;
	/* The two may be of different families. */
	if (way.port)
		e->self_at = here_inside(&h->here, &way.port->at);
	else if (addr_is4(&way.to.addr) == addr_is4(&p->at->addr))
		e->self_at = *p->at;
	else
		e->self_at = (struct endpoint){ .port = p->at->port };
	e->peer_at = way.to;
	e->type = p->m.type;
	tell(h, p, client, &way.to);
}

void relay_pass_data(struct hip *h, const struct packet *p,
		     const struct datarelay_port *port)
{
	if (port->a && hit_eq(&port->a->peer, &p->m.receiver))
		pass_in(h, p, port->a, port);
	else
		engine_drop(h, p, REASON_HIP_NOT_REGISTERED);
}

void relay_pass(struct hip *h, const struct packet *p)
{
	const struct assoc *from = client_of(h, &p->m.sender);
	const struct assoc *to = client_of(h, &p->m.receiver);

	if (from && param_find(&p->m, PARAM_RELAY_TO))
		pass_out(h, p, from);
	else if (to)
		pass_in(h, p, to, NULL);
	else if (p->m.type == HIP_I1 ||
		 (p->m.type == HIP_UPDATE && registrar_find(h, &p->m.receiver)))
		rendezvous_relay(h, p);
	else if (param_find(&p->m, PARAM_RELAY_TO))
		engine_drop(h, p, REASON_HIP_NOT_REGISTERED);
	else
		engine_drop(h, p, REASON_HIP_NOT_OURS);
}
