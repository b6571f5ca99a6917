/* SPDX-License-Identifier: MIT */
/* A packet that has come: is it for us, and whose is it? (RFC 7401 6)
 *
 * Before anything costs: what is not well formed, not for us or of nobody we
 * talk to ends here; what is for a client of our services is passed on; what
 * came through a server is taken for its sender's, if the proof is right. The
 * rest goes to its association and the state table.
 */
#include "hip/engine.h"

#include <string.h>

#include "hip/admit.h"
#include "hip/keepalive.h"
#include "hip/opportunistic.h"
#include "hip/relay.h"
#include "hip/relayed.h"
#include "hip/rendezvous.h"
#include "hip/responder.h"
#include "hip/statetab.h"

/* I1 needs no association; who may be answered or relayed, and how often,
 * is decided here, before anything else is looked at. */
static bool i1_passes(struct hip *h, struct packet *p)
{
	enum reason r;

	if (hit_is_null(&p->m.receiver) && !opportunistic_i1(h, p))
		return false;
	if (selves_index(h, &p->m.receiver) == h->id_num) {
		if (engine_serves(h))
			relay_pass(h, p);
		else
			engine_drop(h, p, REASON_HIP_NOT_OURS);
		return false;
	}
	if (!admit_peer(h, p)) {
		engine_drop(h, p, REASON_HIP_DENIED);
		return false;
	}
	r = relayed_check(h, p);
	if (r == REASON_NUM)
		r = rendezvous_check(h, p);
	if (r != REASON_NUM) {
		engine_drop(h, p, r);
		return false;
	}
	if (responder_i1_again(h, p)) {
		engine_drop(h, p, REASON_HIP_DUPLICATE);
		return false;
	}
	/* RFC 7401 6.7: where R1 goes counts, not who passed the I1 on. */
	if (!srcrate_allow(&h->budget.i1, engine_sender(p), p->now)) {
		engine_drop(h, p, REASON_HIP_RATE);
		return false;
	}
	return true;
}

/* All other packets: for us, or to be relayed? */
static bool others_pass(struct hip *h, struct packet *p)
{
	enum reason r;

	if (!engine_identity(h, &p->m.receiver) && engine_serves(h)) {
		relay_pass(h, p);
		return false;
	}
	if (!engine_identity(h, &p->m.receiver) ||
	    (p->m.type == HIP_I2 &&
	     selves_index(h, &p->m.receiver) == h->id_num))
		r = REASON_HIP_NOT_OURS;
	else
		r = relayed_check(h, p);
	if (r != REASON_NUM)
		engine_drop(h, p, r);
	return r == REASON_NUM;
}

static enum statetab_kind event_of(uint8_t type)
{
	static const enum statetab_kind of[] = {
		[HIP_I1] = STATETAB_I1,
		[HIP_R1] = STATETAB_R1,
		[HIP_I2] = STATETAB_I2,
		[HIP_R2] = STATETAB_R2,
		[HIP_UPDATE] = STATETAB_UPDATE,
		[HIP_NOTIFY] = STATETAB_NOTIFY,
		[HIP_CLOSE] = STATETAB_CLOSE,
		[HIP_CLOSE_ACK] = STATETAB_CLOSE_ACK,
	};

	return of[type];
}

void hip_input(struct hip *h, const uint8_t *msg, size_t len,
	       const struct endpoint *from, const struct endpoint *at,
	       uint64_t now)
{
	struct packet p = { .from = from, .at = at, .now = now };
	struct event ev = { .p = &p, .now = now };
	const struct datarelay_port *port = datarelay_at(h, at);
	struct endpoint source;
	enum reason r = param_parse(msg, len, &p.m);

	if (r != REASON_NUM) {
		p.m.type = len > 2 ? msg[2] & 0x7f : 0;
		memset(&p.m.sender, 0, sizeof(p.m.sender));
		memset(&p.m.receiver, 0, sizeof(p.m.receiver));
		engine_drop(h, &p, r);
		return;
	}
	if (port) {
		relay_pass_data(h, &p, port);
		return;
	}
	if (p.m.type == HIP_I1) {
		if (!i1_passes(h, &p))
			return;
	} else if (!others_pass(h, &p)) {
		return;
	}
	if (p.m.type == HIP_UPDATE && !rendezvous_update(h, &p, &source))
		return;
	ev.kind = event_of(p.m.type);
	ev.a = assoc_find(&h->assocs, &p.m.receiver, &p.m.sender);
	if (keepalive_input(h, &p, ev.a))
		return;
	if (ev.kind == STATETAB_R1 && opportunistic_r1(h, &p, ev.a))
		return;
	statetab_run(h, &ev);
}
