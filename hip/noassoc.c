/* SPDX-License-Identifier: MIT */
/* An association that one side has lost (RFC 7401 5.4.4). */
/* THEORY OF OPERATION
 * Who has started again has lost its associations, and the others learn of it
 * when their UPDATEs stay unanswered: a client of a rendezvous server at its
 * next refresh, and not to be found until then. 5.4.4 would have an ICMP
 * Parameter Problem say so, which an ordinary user cannot send. So a NOTIFY
 * does: NO_ASSOCIATION, a status type of private use, unsigned, whose data
 * are a hash of the signature in what it answers. That proves that its sender
 * has seen that packet, and no more.
 *
 * Told: whoever sends an UPDATE or a keepalive to one of our lasting
 * identities, if we answer strangers at all. It is shorter than what it
 * answers, limited by prefix but hardly in all (ten thousand clients may have
 * lost us at once), and nothing is kept for it.
 *
 * Heard: it ends nothing. About a keepalive, which is always the same and may
 * have been recorded, it is a reason to ask by an UPDATE, once in ASK_EVERY.
 * About the outstanding UPDATE, which nobody has seen before, it is a reason
 * to repeat that once only. If the peer has the association after all, its
 * answer comes; to keep that from us is more than to forge this.
 *
 * What is known is in struct assoc_keep, beside what else of the peer is not
 * verified. The association's own timer acts, not the packet. Owner: the
 * engine's thread.
 */
#include "hip/noassoc.h"

#include <sodium.h>

#include "hip/admit.h"
#include "hip/fields.h"
#include "hip/message.h"
#include "hip/update.h"

#define ASK_EVERY (10 * ENGINE_S)

struct print {
	uint8_t b[16];
};

/* Of the signature in m; false: it has none. */
static bool print_of(const struct hip_msg *m, struct print *out)
{
	const struct hip_param *p = param_find(m, PARAM_HIP_SIGNATURE);

	if (!p)
		return false;
	crypto_generichash(out->b, sizeof(out->b), p->contents, p->len, NULL,
			   0);
	return true;
}

static bool is(const struct packet *p, uint16_t type,
	       struct field_notification *n)
{
	const struct hip_param *f = param_find(&p->m, PARAM_NOTIFICATION);

	return p->m.type == HIP_NOTIFY && f && !param_next(&p->m, f) &&
	       fields_get_notification(f, n) && n->type == type;
}

/* ---- telling --------------------------------------------------------------- */

static bool worth(struct hip *h, const struct packet *p)
{
	struct field_notification n;

	if (p->m.type != HIP_UPDATE && !is(p, FIELDS_NAT_KEEPALIVE, &n))
		return false;
	if (h->leaving || p->relayed.port || p->has_from ||
	    !(h->cfg.responder || engine_serves(h)) ||
	    selves_index(h, &p->m.receiver) == h->id_num)
		return false;
	return admit_peer(h, p) &&
	       srcrate_allow(&h->budget.strays, &p->from->addr, p->now);
}

void noassoc_tell(struct hip *h, const struct packet *p)
{
	struct field_notification n = { .type = FIELDS_NO_ASSOCIATION };
	struct msg_builder b;
	struct hip_effect *e;
	struct print print;

	if (!print_of(&p->m, &print) || !worth(h, p))
		return;
	n.data = print.b;
	n.data_len = sizeof(print.b);
	message_begin(&b, HIP_NOTIFY, &p->m.receiver, &p->m.sender);
	fields_put_notification(&b, &n);
	if (message_finish(&b) || b.len > p->m.len)
		return;
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = p->m.receiver;
	e->peer = p->m.sender;
	e->self_at = *p->at;
	e->peer_at = *p->from;
	e->type = HIP_NOTIFY;
}

/* ---- hearing --------------------------------------------------------------- */

/* Is n about this message of ours? */
static bool about(const struct field_notification *n,
		  const struct assoc_msg *sent)
{
	struct print print;
	struct hip_msg m;

	return sent->p && n->data_len == sizeof(print.b) &&
	       param_parse(sent->p, sent->len, &m) == REASON_NUM &&
	       print_of(&m, &print) &&
	       sodium_memcmp(print.b, n->data, sizeof(print.b)) == 0;
}

bool noassoc_input(struct hip *h, const struct packet *p, struct assoc *a)
{
	struct field_notification n;

	if (!is(p, FIELDS_NO_ASSOCIATION, &n))
		return false;
	if (!a || a->state != HIP_ESTABLISHED) {
		engine_drop(h, p, a ? REASON_HIP_STATE : REASON_HIP_NO_ASSOC);
		return true;
	}
	if (a->up.outstanding && about(&n, &a->up.sent)) {
		a->keep.denied = true;
	} else if (about(&n, &a->keep.msg)) {
		if (!a->keep.ask_at)
			a->keep.ask_at = a->keep.asked + ASK_EVERY > p->now &&
							 a->keep.asked
						 ? a->keep.asked + ASK_EVERY
						 : p->now;
	} else {
		engine_drop(h, p, REASON_HIP_ECHO);
		return true;
	}
	(void)engine_seen(h, p);
	assoc_arm(h, a);
	return true;
}

uint64_t noassoc_deadline(const struct assoc *a)
{
	return a->keep.ask_at && a->state == HIP_ESTABLISHED ? a->keep.ask_at
							     : ENGINE_NEVER;
}

void noassoc_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	if (now < noassoc_deadline(a))
		return;
	a->keep.ask_at = 0;
	a->keep.asked = now;
	if (!a->up.outstanding)
		update_send(h, a, now);
}
