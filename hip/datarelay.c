/* SPDX-License-Identifier: MIT */
/* The data relay: its clients' ports and permissions (RFC 9028 4.1, 4.12). */
/* THEORY OF OPERATION
 * The daemon has opened a number of UDP ports (hip_set_relay_ports). A client
 * that registers for RELAY_UDP_ESP gets one of them, drawn at random (7.5), at
 * the address it has written to, as others know that: its relayed address. It
 * keeps it as long as the association and the registration live, and gets the
 * same one again when it begins anew meanwhile. Since the answer is made
 * before its request is verified, a port is promised for a few seconds;
 * promised ones are taken only when no other is left.
 *
 * HIP that comes to a relayed address is passed on by relay.c. ESP is the
 * daemon's: it is told (HIP_PERMIT) which pair of SPIs may pass between a
 * client and which peer, until when, and where the client is. What makes this
 * no open relay:
 * - only clients have permissions, and those end by themselves;
 * - a permission is for one address, port and pair of SPIs; a peer with several
 *   addresses has one for each, PLACES_MAX at most;
 * - nothing is sent to a peer that has not written to that relayed address:
 *   nobody can hide behind us, nor reach what our address may;
 * - a peer may not be ourselves (loops, and what listens only here), nor what
 *   is nobody's address, nor denied by the rendezvous role's rules;
 * - a client that has moved gets nothing until it has proved where it is.
 * "Has written" is what a source address says, before anybody has proved
 * anything: whoever can forge one, and knows a client's HIT and relayed
 * address, makes any address "heard" (by HIP; by ESP only who knows the SPI,
 * too). By itself that sends nothing there but what the client's engine
 * answers to HIP: R1s of at most five times their I1, and to what has the
 * right MAC. Data leave only for what the client has permitted, and an honest
 * one permits where it has had authentic HIP from, and goes on doing so while
 * it is answered from there. Among a peer's places whoever forges its ESP (one
 * of them, our port and the SPI) chooses, until the peer's next packet: so
 * data may go to where it was minutes ago. Left is a client that is in
 * league with a forger: for as long as it asks for the permission, the relay
 * sends to a third one what the client has sent. It gains our address in the
 * place of its own, and pays for it: octet for octet, within `relay-rate`, to
 * 32 addresses at most, under a HIT that `allow` has let in, that an event
 * names with each permission, and that `deny` ends. The forger could send the
 * same itself. Nobody but the two ends can tell more: only they have the keys.
 *
 * Two peers of one client with one SPI cannot be told apart (4.12.3): the
 * second gets no permission.
 *
 * The service is given to clients of the control relay only: who has a port
 * has a registrar_entry, and loses it with that. Owner: the engine's thread.
 */
#include "hip/datarelay.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/relay.h"

#define PROMISE (3 * ENGINE_S)
#define PERMIT (300 * ENGINE_S) /* RFC 9028 4.12.1 */

int hip_set_relay_ports(struct hip *h, const uint16_t *ports, size_t num,
			uint16_t own, uint64_t now)
{
	struct datarelay *d = &h->data;

	if (num > HIP_RELAY_PORTS_MAX || d->port)
		return HG_EINVAL;
	for (size_t i = 0; i < num; i++) {
		if (!ports[i] || ports[i] == own)
			return HG_EINVAL;
		for (size_t k = 0; k < i; k++)
			if (ports[k] == ports[i])
				return HG_EINVAL;
	}
	if (!num)
		return HG_OK;
	d->own = own;
	d->port = calloc(num, sizeof(*d->port));
	if (!d->port)
		return HG_ENOMEM;
	for (size_t i = 0; i < num; i++) {
		d->port[i].due.kind = ENGINE_DATARELAY;
		d->port[i].at.port = ports[i];
	}
	for (; d->num < num; d->num++) {
		if (dueheap_reserve(&h->due)) {
			datarelay_fini(h);
			return HG_ENOMEM;
		}
	}
	r1pool_renew(h, now); /* R1s say that it is on offer */
	return HG_OK;
}

void datarelay_fini(struct hip *h)
{
	struct datarelay *d = &h->data;

	for (size_t i = 0; i < d->num; i++) {
		dueheap_leave(&h->due, &d->port[i].due);
		free(d->port[i].permit);
	}
	free(d->port);
	*d = (struct datarelay){ .num = 0 };
}

/* ---- whose is it? ---------------------------------------------------------- */

const struct datarelay_port *datarelay_at(const struct hip *h,
					  const struct endpoint *at)
{
	if (at->port == h->data.own)
		return NULL;
	for (size_t i = 0; i < h->data.num; i++) {
		if (h->data.port[i].at.port == at->port)
			return &h->data.port[i];
	}
	return NULL;
}

static struct datarelay_port *port_of(const struct hip *h,
				      const struct assoc *a)
{
	return a && a->data_port ? &h->data.port[a->data_port - 1] : NULL;
}

const struct datarelay_port *datarelay_of(const struct hip *h,
					  const struct assoc *a)
{
	return port_of(h, a);
}

/* Is it one of those that we were told? */
static bool told(const struct hip *h, const struct addr *a)
{
	for (size_t i = 0; i < h->here.all; i++) {
		if (addr_eq(&h->here.at[i].at.addr, a))
			return true;
	}
	return here_is_outer(&h->here, a);
}

/* As far as we know. */
static bool has(const struct hip *h, const struct addr *a)
{
	return !h->here.set || told(h, a);
}

bool datarelay_is_self(const struct hip *h, const struct addr *a)
{
	if (told(h, a))
		return true;
	/* Before anybody has told us, what clients have written to. */
	for (size_t i = 0; i < h->data.num; i++) {
		if (h->data.port[i].a && addr_eq(&h->data.port[i].at.addr, a))
			return true;
	}
	return false;
}

/* ---- registration ------------------------------------------------------------ */

/* One that nobody has, at random; among those that are promised, if need be. */
static struct datarelay_port *draw(const struct hip *h, bool promised,
				   uint64_t now)
{
	struct datarelay_port *found = NULL;
	uint32_t seen = 0;

	for (size_t i = 0; i < h->data.num; i++) {
		struct datarelay_port *p = &h->data.port[i];

		if (p->a || (now < p->promised) != promised)
			continue;
		if (randombytes_uniform(++seen) == 0)
			found = p;
	}
	return found;
}

bool datarelay_promise(struct hip *h, const struct packet *p,
		       struct registrar_answer *ans)
{
	struct datarelay_port *port =
		port_of(h, registrar_find(h, &p->m.sender));
	struct endpoint at;

	if (!port)
		port = draw(h, false, p->now);
	if (!port)
		port = draw(h, true, p->now);
	if (!port)
		return false;
	if (!port->a)
		port->promised = p->now + PROMISE;
	at = (struct endpoint){ p->at->addr, port->at.port };
	ans->relayed_at = here_outside(&h->here, &at);
	if (port->a && has(h, &port->at.addr))
		ans->relayed_at = port->at; /* by whichever of ours it asks */
	return true;
}

static struct hip_effect *tell(struct hip *h, const struct assoc *a,
			       enum hip_effect_kind kind,
			       const struct datarelay_port *port)
{
	struct hip_effect *e = effects_put(&h->fx, kind);

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = a->peer_at;
	e->relayed_at = port->at;
	return e;
}

/* HIP_PERMIT; now: 0: no more. Nothing is passed on to where the client has
 * not been proved to be (datarelay_moved). */
static void publish(struct hip *h, const struct datarelay_port *port,
		    const struct datarelay_permit *t, uint64_t now)
{
	struct hip_effect *e = tell(h, port->a, HIP_PERMIT, port);

	e->permit = (struct hip_permit){
		.other = t->peer,
		.spi_in = t->spi_in,
		.spi_out = t->spi_out,
		.asked = t->until - PERMIT,
		.until = now && !port->a->unproved ? t->until : 0,
		.heard = t->heard,
	};
}

static void release(struct hip *h, struct datarelay_port *port)
{
	for (uint8_t i = 0; i < port->num; i++)
		publish(h, port, &port->permit[i], 0);
	free(port->permit);
	port->permit = NULL;
	port->num = 0;
	port->a->data_port = 0;
	port->a = NULL;
	port->at.addr = addr_any6;
	dueheap_clear(&h->due, &port->due);
}

/* It becomes this association's. NULL: it is another one's, since the answer
 * was made; no memory. */
static struct datarelay_port *take(struct hip *h, struct assoc *a,
				   const struct endpoint *at)
{
	const struct datarelay_port *found = datarelay_at(h, at);
	struct datarelay_port *port;

	if (!found || found->a)
		return NULL;
	port = &h->data.port[found - h->data.port];
	port->permit = calloc(DATARELAY_PERMITS_MAX, sizeof(*port->permit));
	if (!port->permit)
		return NULL;
	port->a = a;
	port->at = *at;
	port->promised = 0;
	a->data_port = (uint16_t)(found - h->data.port + 1);
	return port;
}

void datarelay_commit(struct hip *h, struct assoc *a,
		      const struct registrar_answer *ans, uint64_t now)
{
	struct datarelay_port *port = port_of(h, a);
	struct hip_effect *e;
	uint64_t ms = fields_lifetime_ms(ans->data_code);

	if (!ans->data)
		return;
	if (!ans->data_code) {
		datarelay_drop(h, a);
		return;
	}
	if (registrar_find(h, &a->peer) != a)
		return; /* denied since, or there was no room */
	if (port && !endpoint_eq(&port->at, &ans->relayed_at)) {
		release(h, port);
		port = NULL;
	}
	if (!port)
		port = take(h, a, &ans->relayed_at);
	if (!port)
		return; /* it finds out, and asks again */
	dueheap_set(&h->due, &port->due, now + ms * ENGINE_MS);
	e = tell(h, a, HIP_REGISTRAR, port);
	e->relay = true;
	e->lifetime_s = ms < 1000 ? 1 : (uint32_t)(ms / 1000);
}

void datarelay_drop(struct hip *h, struct assoc *a)
{
	struct datarelay_port *port = port_of(h, a);

	if (port)
		release(h, port);
}

void datarelay_timer(struct hip *h, struct due *d, uint64_t now)
{
	struct datarelay_port *port =
		(struct datarelay_port *)((char *)d -
					  offsetof(struct datarelay_port, due));

	if (now < d->at)
		dueheap_set(&h->due, d, d->at);
	else
		release(h, port);
}

/* ---- permissions -------------------------------------------------------------- */

static bool same_sa(const struct datarelay_permit *t, uint32_t spi_out,
		    uint32_t spi_in)
{
	return t->spi_out == spi_out && t->spi_in == spi_in;
}

static void forget(struct hip *h, struct datarelay_port *port, uint8_t i)
{
	publish(h, port, &port->permit[i], 0);
	port->num--;
	memmove(&port->permit[i], &port->permit[i + 1],
		(size_t)(port->num - i) * sizeof(port->permit[0]));
}

static enum reason may(struct hip *h, const struct datarelay_port *port,
		       const struct field_permission *f)
{
	struct locset_rules rules = here_rules(&h->here);

	if (!endpoint_eq(&f->relayed, &port->at) ||
	    addr_is4(&f->peer.addr) != addr_is4(&port->at.addr))
		return REASON_HIP_PERMISSION;
	if (datarelay_is_self(h, &f->peer.addr))
		return REASON_HIP_RELAY_LOOP;
	if (!locset_place_ok(&f->peer.addr, &rules))
		return REASON_HIP_PERMISSION;
	if (!admit_relayed(h, &f->peer.addr))
		return REASON_HIP_DENIED;
	for (uint8_t i = 0; i < port->num; i++) {
		const struct datarelay_permit *t = &port->permit[i];

		/* RFC 9028 4.12.3: what the client sends goes to one of
		 * them; but one peer may be at several places. */
		if (t->spi_out == f->spi_out && t->spi_in != f->spi_in)
			return REASON_HIP_PERMISSION;
	}
	return REASON_NUM;
}

/* To the end of the list: the first one is the oldest. */
static void renew(struct hip *h, struct datarelay_port *port, uint8_t i,
		  uint64_t now)
{
	struct datarelay_permit t = port->permit[i];

	t.until = now + PERMIT;
	memmove(&port->permit[i], &port->permit[i + 1],
		(size_t)(port->num - i - 1) * sizeof(t));
	port->permit[port->num - 1] = t;
	publish(h, port, &t, now);
}

/* Is this pair of SPIs permitted with another place, too? */
static bool has_another(const struct datarelay_port *port, uint8_t i)
{
	const struct datarelay_permit *t = &port->permit[i];

	for (uint8_t k = 0; k < port->num; k++) {
		if (k != i && same_sa(&port->permit[k], t->spi_out, t->spi_in))
			return true;
	}
	return false;
}

/* Which one gives way to this new one; port->num: none has to. It is the one
 * that was not renewed for longest (the peer has moved, or rekeyed, or is gone):
 * of the peer's places, when there may be no more of them; of those whose peer
 * has another place, so that no peer is without one; of all. */
static uint8_t gives_way(const struct datarelay_port *port,
			 const struct field_permission *f)
{
	uint8_t place = port->num;
	uint8_t other = port->num;
	unsigned places = 0;

	for (uint8_t i = port->num; i-- > 0;) {
		if (same_sa(&port->permit[i], f->spi_out, f->spi_in)) {
			place = i;
			places++;
		}
		if (has_another(port, i))
			other = i;
	}
	if (places == DATARELAY_PLACES_MAX)
		return place;
	if (port->num < DATARELAY_PERMITS_MAX)
		return port->num;
	return other < port->num ? other : 0;
}

/* RFC 9028 4.12.1: made, or made to last. */
static void permit(struct hip *h, struct datarelay_port *port,
		   const struct field_permission *f, uint64_t now)
{
	uint8_t i = 0;

	while (i < port->num &&
	       !(same_sa(&port->permit[i], f->spi_out, f->spi_in) &&
		 endpoint_eq(&port->permit[i].peer, &f->peer)))
		i++;
	if (i < port->num) {
		renew(h, port, i, now);
		return;
	}
	i = gives_way(port, f);
	if (i < port->num)
		forget(h, port, i);
	port->permit[port->num] = (struct datarelay_permit){
		.peer = f->peer,
		.spi_out = f->spi_out,
		.spi_in = f->spi_in,
		.until = now + PERMIT,
		.heard = relay_was_asked(h, &f->peer, &port->a->peer,
					 port->at.port, now),
	};
	publish(h, port, &port->permit[port->num++], now);
}

static void expire(struct hip *h, struct datarelay_port *port, uint64_t now)
{
	for (uint8_t i = port->num; i-- > 0;) {
		if (now >= port->permit[i].until)
			forget(h, port, i);
	}
}

enum reason datarelay_permit(struct hip *h, const struct assoc *a,
			     const struct packet *p)
{
	const struct hip_param *t = param_find(&p->m, PARAM_PEER_PERMISSION);
	struct datarelay_port *port = t ? port_of(h, a) : NULL;
	struct field_permission f;
	uint64_t now = p->now;
	enum reason r;

	if (!t)
		return REASON_NUM;
	if (!port) /* RFC 9028 4.12.1 */
		return REASON_HIP_NOT_REGISTERED;
	expire(h, port, now);
	/* A ns each: their order tells where what the client sends goes. */
	for (; t; t = param_next(&p->m, t), now++) {
		r = fields_get_permission(t, &f) ? may(h, port, &f)
						 : REASON_HIP_TLV;
		if (r == REASON_NUM)
			permit(h, port, &f, now);
		else
			reason_count(&h->reasons, r);
	}
	return REASON_NUM;
}

void datarelay_heard(struct hip *h, const struct datarelay_port *from,
		     const struct endpoint *peer, uint64_t now)
{
	struct datarelay_port *port = &h->data.port[from - h->data.port];

	for (uint8_t i = 0; i < port->num; i++) {
		struct datarelay_permit *t = &port->permit[i];

		if (t->heard || !endpoint_eq(&t->peer, peer))
			continue;
		t->heard = true;
		publish(h, port, t, now);
	}
}

bool datarelay_permits(const struct datarelay_port *port,
		       const struct endpoint *peer, uint64_t now)
{
	for (uint8_t i = 0; i < port->num; i++) {
		const struct datarelay_permit *t = &port->permit[i];

		if (t->heard && now < t->until && endpoint_eq(&t->peer, peer))
			return true;
	}
	return false;
}

void datarelay_moved(struct hip *h, const struct assoc *a, uint64_t now)
{
	const struct datarelay_port *port = port_of(h, a);

	for (uint8_t i = 0; port && i < port->num; i++)
		publish(h, port, &port->permit[i], a->unproved ? 0 : now);
}
