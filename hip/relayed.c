/* SPDX-License-Identifier: MIT */
/* Packets through a control relay, at its client and at who calls it (RFC
 * 9028 4.5, 4.7.2, 4.8, 4.11, 7.8). */
/* THEORY OF OPERATION
 * At the client: a packet with RELAY_FROM is worth something only with a
 * RELAY_HMAC under the key of a registration of ours, and from where that
 * relay is. Then packet.relayed says who sent it to the relay, and what
 * answers it leaves through the relay, with RELAY_TO: R1, and the answers to
 * UPDATE and CLOSE that came so. Jobs carry it along.
 *
 * NAT traversal mode 1 (UDP-ENCAPSULATION): R1 comes back through the relay,
 * I2 must not (4.7.2). So R1 says in a LOCATOR_SET where its sender can be
 * reached: what the relay told it (REG_FROM). The RFC wants that locator
 * inside ENCRYPTED, for which there are no keys yet; ours is in the clear,
 * under R1's signature. And as our NAT may let in only whom we have written
 * to, we write to the Initiator where the relay sees it: a NOTIFY without
 * signature, for nobody to read. With that, two NATs that keep their
 * mappings whatever the destination (RFC 4787 REQ-1) are passed; others are
 * for ICE-HIP-UDP.
 *
 * At the Initiator: I2 goes to that locator, but only if R1 came through a
 * relay: one that came straight shows a way that works. The relay is kept
 * as the association's last resort: when CLOSE or UPDATE stay unanswered,
 * they go through it, too (4.8, 4.11). In mode 1 no locators are exchanged
 * that could list it, as 4.5 wants.
 *
 * A relay that sends RVS_HMAC mixes up two services with one key: dropped,
 * and it is told (7.8). Owner: the engine's thread.
 */
#include "hip/relayed.h"

#include <string.h>

#include "core/wire.h"
#include "hip/auth.h"
#include "hip/datapath.h"
#include "hip/fields.h"
#include "hip/i1credit.h"
#include "hip/keepalive.h"
#include "hip/notify.h"

/* ---- at the client ------------------------------------------------------- */

/* Our association with the relay that sits at `from`, or NULL. */
static const struct assoc *relay_at(const struct hip *h, const struct hit *self,
				    const struct endpoint *from)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];
		const struct assoc *a;

		if (r->service != FIELDS_REG_RELAY_UDP_HIP ||
		    !hit_eq(&r->self, self))
			continue;
		a = assoc_find(&h->assocs, &r->self, &r->rvs);
		if (a && a->sa_up && endpoint_eq(&a->peer_at, from))
			return a;
	}
	return NULL;
}

/* RFC 9028 7.8. Who has not our key is no relay of ours and told nothing. */
static enum reason prohibited(struct hip *h, const struct packet *p,
			      const struct assoc *relay)
{
	if (auth_check_rvs_hmac(&p->m, relay->keys->rhash,
				relay->keys->hip.mac_in) == REASON_NUM)
		notify_tell(h, relay, FIELDS_RVS_HMAC_PROHIBITED,
			    &relay->peer_at, p->now);
	return REASON_HIP_RVS_HMAC;
}

enum reason relayed_check(struct hip *h, struct packet *p)
{
	const struct hip_param *f = param_find(&p->m, PARAM_RELAY_FROM);
	bool rvs = param_find(&p->m, PARAM_RVS_HMAC);
	bool any = f || param_find(&p->m, PARAM_RELAY_HMAC);
	struct locset_rules rules;
	const struct assoc *relay;

	p->relayed = (struct endpoint){ .port = 0 };
	if (!any && !rvs)
		return REASON_NUM;
	relay = relay_at(h, &p->m.receiver, p->from);
	if (rvs && relay)
		return prohibited(h, p, relay);
	if (!any)
		return REASON_NUM;
	/* RFC 9028 4.5 steps 3 and 7: what is there must be right. */
	if (!f || !relay ||
	    auth_check_relay_hmac(&p->m, relay->keys->rhash,
				  relay->keys->hip.mac_in) != REASON_NUM)
		return REASON_HIP_RELAY_HMAC;
	if (!fields_get_udp_at(f, &p->relayed))
		return REASON_HIP_TLV;
	rules = here_rules(&h->here);
	if (locset_place_ok(&p->relayed.addr, &rules)) {
		datapath_check(h, p, &relay->peer);
		return REASON_NUM;
	}
	p->relayed.port = 0;
	return REASON_HIP_RELAY_TO;
}

enum reason relayed_i2_mode(const struct hip *h, const struct packet *p)
{
	const struct hip_param *m = param_find(&p->m, PARAM_NAT_TRAVERSAL_MODE);
	struct field_ids ids;

	if (!m)
		return p->relayed.port ? REASON_HIP_NAT_MODE : REASON_NUM;
	if (!fields_get_nat_modes(m, &ids))
		return REASON_HIP_TLV;
	/* RFC 9028 4.3 step 4; a relay offers mode 1, whatever it does. */
	if (ids.num != 1 || (!fields_ids_has(&h->offer.nat, ids.id[0]) &&
			     ids.id[0] != FIELDS_NAT_UDP))
		return REASON_HIP_NAT_MODE;
	if (p->relayed.port && ids.id[0] == FIELDS_NAT_UDP)
		return REASON_HIP_NAT_MODE; /* RFC 9028 4.7.2 */
	return REASON_NUM;
}

/* NOTIFY, NAT_KEEPALIVE, no signature: for our NAT to see, nobody else. */
static void make_opener(struct msg_builder *b, const struct packet *p)
{
	struct field_notification n = { .type = FIELDS_NAT_KEEPALIVE };

	message_begin(b, HIP_NOTIFY, &p->m.receiver, &p->m.sender);
	fields_put_notification(b, &n);
}

size_t relayed_r1_extra(const struct hip *h, const struct packet *p)
{
	struct msg_builder b;
	size_t extra = param_tlv_len(20); /* RELAY_TO */

	if (!keepalive_behind(h))
		return extra;
	make_opener(&b, p);
	return extra + i1credit_wire(&p->relayed.addr, b.len);
}

void relayed_send_r1(struct hip *h, const struct packet *p, const uint8_t *r1,
		     size_t len)
{
	struct msg_builder b;
	struct hip_effect *e;

	message_resume(&b, r1, len, PARAM_HIP_SIGNATURE_2);
	fields_put_udp_at(&b, PARAM_RELAY_TO, &p->relayed);
	if (message_finish(&b))
		return;
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = p->m.receiver;
	e->peer = p->m.sender;
	e->self_at = *p->at;
	e->peer_at = *p->from;
	e->type = HIP_R1;
	if (!keepalive_behind(h))
		return;
	make_opener(&b, p);
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = p->m.receiver;
	e->peer = p->m.sender;
	e->self_at = *p->at;
	e->peer_at = p->relayed;
	e->type = HIP_NOTIFY;
}

void relayed_send(struct hip *h, const struct assoc *a,
		  const struct assoc_msg *m, const struct endpoint *to,
		  const struct endpoint *at, const struct endpoint *via)
{
	struct msg_builder b;
	struct hip_effect *e;

	if (!m->p)
		return;
	if (!via->port) {
		assoc_send_from(h, a, m, at, to);
		return;
	}
	/* RFC 9028 4.8: RELAY_TO, always. */
	message_resume(&b, m->p, m->len, PARAM_RELAY_FROM);
	fields_put_udp_at(&b, PARAM_RELAY_TO, via);
	if (message_finish(&b))
		return; /* no room: the peer repeats what it asked */
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = a->self;
	e->peer = a->peer;
	e->self_at = *at;
	e->peer_at = *to;
	e->type = m->p[2] & 0x7f;
}

/* ---- at the Initiator ---------------------------------------------------- */

bool relayed_resend(struct hip *h, const struct assoc *a,
		    const struct assoc_msg *m)
{
	if (!a->relay_at.port)
		return false;
	assoc_send(h, a, m, &a->relay_at);
	return true;
}

/* ---- where the client is ------------------------------------------------- */

#define BOTH 0	    /* Traffic Type: HIP and ESP */
#define TRANSPORT 2 /* Locator Type */
#define WORDS 7	    /* what follows the lifetime, in words */
#define PREFERRED 1
#define UDP 17
#define REFLEXIVE 1 /* Kind */
#define LIFETIME 3600
/* RFC 8445 5.1.2.1: type preference 100, the only address, component 1. */
#define PRIORITY ((100u << 24) + (65535u << 8) + 255u)

void relayed_put_locator(struct msg_builder *b, const struct endpoint *at)
{
	uint8_t *p = message_reserve(b, PARAM_LOCATOR_SET, 8 + 4 * WORDS);
	struct wr w = wr_init(p, p ? 8 + 4 * WORDS : 0);

	wr_u8(&w, BOTH);
	wr_u8(&w, TRANSPORT);
	wr_u8(&w, WORDS);
	wr_u8(&w, PREFERRED);
	wr_be32(&w, LIFETIME);
	wr_be16(&w, at->port);
	wr_u8(&w, UDP);
	wr_u8(&w, REFLEXIVE);
	wr_be32(&w, PRIORITY);
	wr_be32(&w, 0); /* no SPI is known yet */
	wr_put(&w, at->addr.b, sizeof(at->addr.b));
}

/* One locator; r->bad when it does not fit. */
static bool read_locator(struct rd *r, struct endpoint *out)
{
	uint8_t traffic = rd_u8(r);
	uint8_t type = rd_u8(r);
	uint8_t words = rd_u8(r);
	bool preferred = rd_u8(r) & PREFERRED;
	uint32_t lifetime = rd_be32(r);
	const uint8_t *p = rd_take(r, 4u * words);
	struct rd in = rd_init(p, r->bad ? 0 : 4u * words);
	uint8_t proto;

	if (traffic != BOTH || type != TRANSPORT || words != WORDS ||
	    !preferred || !lifetime)
		return false;
	out->port = rd_be16(&in);
	proto = rd_u8(&in);
	rd_skip(&in, 1 + 4 + 4);
	rd_copy(&in, out->addr.b, sizeof(out->addr.b));
	return !in.bad && proto == UDP && out->port &&
	       !addr_is_unusable(&out->addr);
}

bool relayed_get_locator(const struct hip_param *p, struct endpoint *out)
{
	struct rd r = rd_init(p->contents, p->len);
	struct endpoint at;

	while (rd_left(&r) > 0 && !r.bad) {
		if (!read_locator(&r, &at) || r.bad)
			continue;
		*out = at;
		return true;
	}
	return false;
}
