/* SPDX-License-Identifier: MIT */
/* Paths through our data relay, at its client (RFC 9028 4.12). */
/* THEORY OF OPERATION
 * A control relay that relays data, too, gives us a relayed address: a port of
 * its own (registration.relayed_at). Peers are told of it as a candidate, the
 * last one (ice.c), and check it like any other; to them it is a place like
 * any other.
 *
 * To us it is one more address of ours, at the other end of our way to the
 * relay. What a peer sends there comes to us from the relay with RELAY_FROM,
 * RELAY_TO and the relay's proof; datapath_check turns it into what it stands
 * for, a packet from the one to the other. What we send from there is wrapped
 * by datapath_send, and HIP_LOCATOR and the like name the way to the relay
 * (datapath_fill). All between - paths, checks, nomination - sees a pair of
 * addresses, whose peer's end is a locator that only this pair has
 * (paths_peer.via).
 *
 * ESP passes the relay only with a permission for the two SPIs and the place
 * that the peer is at: asked for as soon as the peer has been heard there, when
 * a rekey has agreed on new SPIs, when we have moved, when nothing comes by the
 * path (the relay may have given it to another one, and does not say so), and
 * again before it ends, as long as the path is used. It rides on UPDATEs to the
 * relay, and is asked for until one of them was acknowledged. A rekey waits for
 * that (datapath_waits) before it lets either end use the new SPIs; the old ones
 * are asked for nowhere where it waits (is_reserved).
 *
 * A peer with several addresses may send by another one than we have chosen:
 * all that answer are permitted. What we send goes to the one that the relay
 * has ESP from, or that we name last: so the one in use is named last, whenever
 * another is named. One that is dead may be somebody else's by now, and is not
 * asked for until it answers; where the relay saw it before, it is asked.
 *
 * A relayed path is a last resort: while one is used, candidates that are none
 * and have never answered are asked once more after FIRST, then ever more
 * seldom, by both ends; the first that answers is better (paths.c). Owner: the
 * engine's thread.
 */
#include "hip/datapath.h"

#include <string.h>

#include "hip/fields.h"
#include "hip/locset.h"
#include "hip/pathwatch.h"
#include "hip/reach.h"
#include "hip/rekey.h"
#include "hip/spread.h"
#include "hip/update.h"

#define AT_ONCE_MAX 8 /* permissions of one UPDATE */
/* RFC 9028 4.12.1: they last 5 minutes; renewed a minute before that. */
#define RENEW (240 * ENGINE_S)
#define LATER ENGINE_S /* what had to wait is looked at again */
#define FIRST (10 * ENGINE_S)
#define SELDOM 5 /* FIRST << this, at the most */
#define IN_USE (120 * ENGINE_S)

/* ---- where we have one ------------------------------------------------------ */

static struct registration *with_port(const struct hip *h,
				      const struct endpoint *at)
{
	for (size_t i = 0; at->port && i < h->registrations.num; i++) {
		if (endpoint_eq(&h->registrations.v[i]->relayed_at, at))
			return h->registrations.v[i];
	}
	return NULL;
}

static struct registration *at_relay(const struct hip *h,
				     const struct hit *self,
				     const struct hit *relay)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		struct registration *r = h->registrations.v[i];

		if (hit_eq(&r->self, self) && hit_eq(&r->rvs, relay) &&
		    r->relayed_at.port)
			return r;
	}
	return NULL;
}

static struct assoc *relay_of(const struct hip *h, const struct registration *r)
{
	struct assoc *a = assoc_find(&h->assocs, &r->self, &r->rvs);

	return a && a->sa_up ? a : NULL;
}

const struct assoc *datapath_relay(const struct hip *h,
				   const struct endpoint *at)
{
	const struct registration *r = with_port(h, at);

	return r ? relay_of(h, r) : NULL;
}

bool datapath_is_port(const struct hip *h, const struct endpoint *at)
{
	return with_port(h, at);
}

bool datapath_lives(const struct hip *h, const struct endpoint *at)
{
	return here_lives(&h->here, at) || with_port(h, at);
}

bool datapath_is_relay(const struct hip *h, const struct hit *self,
		       const struct endpoint *at)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];
		const struct assoc *a;

		if (!r->relayed_at.port || !hit_eq(&r->self, self))
			continue;
		a = relay_of(h, r);
		if (a && endpoint_eq(&a->peer_at, at))
			return true;
	}
	return false;
}

void datapath_fill(const struct hip *h, struct hip_effect *e)
{
	const struct assoc *relay = datapath_relay(h, &e->self_at);

	if (!relay)
		return;
	e->relayed_at = e->self_at;
	e->self_at = relay->self_at;
	e->peer_at = relay->peer_at;
}

const struct endpoint *datapath_by(const struct hip *h, const struct assoc *a)
{
	int cur = paths_current(a);

	if (with_port(h, &a->self_at))
		return &a->self_at;
	if (cur >= 0 && paths_relayed(a->paths, &a->paths->v[cur]))
		return &a->peer_at;
	return NULL;
}

void datapath_view(const struct hip *h, const struct assoc *a,
		   struct hip_peer *p)
{
	const struct endpoint *by = datapath_by(h, a);
	const struct assoc *relay = datapath_relay(h, &a->self_at);

	if (by)
		p->relayed_at = *by;
	if (!relay)
		return;
	p->self_at = relay->self_at;
	p->peer_at = relay->peer_at;
}

/* ---- what the relay gives and takes -------------------------------------------- */

static bool up(const struct assoc *a)
{
	return a->state == HIP_ESTABLISHED || a->state == HIP_R2_SENT;
}

/* Calls fn for each association of r's identity that has paths. */
static void for_peers(struct hip *h, struct registration *r,
		      void (*fn)(struct hip *h, struct registration *r,
				 struct assoc *a, uint64_t now),
		      uint64_t now)
{
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (struct assoc *a = h->assocs.bucket[i]; a; a = a->next) {
			if (a->paths && up(a) && hit_eq(&a->self, &r->self))
				fn(h, r, a, now);
		}
	}
}

/* RFC 9028 4.9: candidates have changed. */
static void tell(struct hip *h, struct registration *r, struct assoc *a,
		 uint64_t now)
{
	(void)r;
	if (!a->ice)
		return;
	a->tell = true;
	update_send(h, a, now);
	assoc_arm(h, a);
}

void datapath_tell(struct hip *h, struct registration *r, uint64_t now)
{
	for_peers(h, r, tell, now);
}

/* Paths by r's address end; its place is taken by any other. */
static void leave(struct hip *h, struct registration *r, struct assoc *a,
		  uint64_t now)
{
	struct paths *p = a->paths;
	bool used = endpoint_eq(&a->self_at, &r->relayed_at);
	int n;

	for (uint8_t i = p->peer_num; i-- > 0;) {
		if (endpoint_eq(&p->peer[i].via, &r->relayed_at))
			paths_peer_drop(p, &p->peer[i]);
	}
	paths_rebuild(h, a);
	if (!used)
		return;
	/* Not the peer's doing: who was asked in vain may be asked anew. */
	memset(&p->quota, 0, sizeof(p->quota));
	paths_once_more(p, now);
	n = paths_best(h, a, NULL);
	if (n >= 0) {
		paths_take(h, a, n, HIP_PATH_MOVED, now);
	} else {
		a->stranded = true;
		pathwatch_locator(h, a, now);
	}
	p->wide = true;
	a->tell = a->tell || a->ice;
	a->suspect = true;
	update_probe(h, a, now);
	assoc_arm(h, a);
}

void datapath_lost(struct hip *h, struct registration *r, uint64_t now)
{
	if (!r->relayed_at.port)
		return;
	for_peers(h, r, leave, now);
	r->relayed_at = (struct endpoint){ .port = 0 };
	r->permit = false;
}

void datapath_answer(struct hip *h, struct registration *r,
		     const struct hip_msg *m, bool final, uint64_t now)
{
	const struct hip_param *p = param_find(m, PARAM_RELAYED_ADDRESS);
	struct locset_rules rules = here_rules(&h->here);
	struct endpoint at;
	uint64_t ms;
	bool is = registration_response(m, FIELDS_REG_RELAY_UDP_ESP, &ms);

	if (!is && !final)
		return;
	is = is && ms && p && fields_get_udp_at(p, &at) &&
	     locset_place_ok(&at.addr, &rules) && !here_has(&h->here, &at) &&
	     !here_is_outer(&h->here, &at.addr) &&
	     r->service == FIELDS_REG_RELAY_UDP_HIP;
	if (is && endpoint_eq(&at, &r->relayed_at))
		return;
	datapath_lost(h, r, now);
	if (!is)
		return;
	r->relayed_at = at;
	datapath_tell(h, r, now);
}

/* ---- packets ------------------------------------------------------------------ */

void datapath_check(const struct hip *h, struct packet *p,
		    const struct hit *relay)
{
	const struct hip_param *t = param_find(&p->m, PARAM_RELAY_TO);
	const struct registration *r = at_relay(h, &p->m.receiver, relay);
	struct endpoint at;

	if (!t || !r || p->m.type < HIP_UPDATE || !fields_get_udp_at(t, &at) ||
	    !endpoint_eq(&at, &r->relayed_at))
		return;
	p->source = p->relayed;
	p->relayed.port = 0;
	p->from = &p->source;
	p->at = &r->relayed_at;
}

bool datapath_send(struct hip *h, const struct assoc *a,
		   const struct assoc_msg *m, const struct endpoint *self,
		   const struct endpoint *to)
{
	const struct assoc *relay = datapath_relay(h, self);
	struct msg_builder b;
	struct hip_effect *e;

	if (!relay)
		return false;
	message_resume(&b, m->p, m->len, PARAM_ECHO_REQUEST_UNSIGNED);
	fields_put_udp_at(&b, PARAM_RELAY_FROM, self);
	fields_put_udp_at(&b, PARAM_RELAY_TO, to);
	if (message_finish(&b))
		return true; /* no room: as if it were lost */
	e = effects_send(&h->fx, b.buf, b.len);
	e->self = a->self;
	e->peer = a->peer;
	e->self_at = relay->self_at;
	e->peer_at = relay->peer_at;
	e->type = m->p[2] & 0x7f;
	return true;
}

/* ---- permissions ---------------------------------------------------------------- */

/* The place of the peer in use, if it is by a relay of ours, or NULL. */
static struct paths_peer *used_of(const struct assoc *a)
{
	int cur = paths_current(a);
	struct paths_peer *q =
		cur < 0 ? NULL : paths_peer_of(a->paths, &a->paths->v[cur]);

	return q && q->via.port ? q : NULL;
}

/* Is the peer there, as far as we know? */
static bool is_there(const struct assoc *a, const struct paths_peer *q)
{
	int n = paths_find(a->paths, &q->via, &q->at);

	return q == used_of(a) || (n >= 0 && !a->paths->v[n].dead && !q->over &&
				   !paths_spent(a->paths, q));
}

/* A place has room for one pair of SPIs; while a rekey waits for the relay's
 * word on its own there, those in use, which it had before, wait for that. */
static bool is_reserved(const struct assoc *a, struct paths_peer *q,
			const struct sa_pair *sa, uint64_t now)
{
	if (!a->rekey || !(q->permit || q->permit_sent) ||
	    q->permit_in != rekey_spi(a) || q->permit_in == sa->spi_in)
		return false;
	q->permit_at = now + LATER;
	return true;
}

static void want(struct paths_peer *q, const struct sa_pair *sa, uint64_t now)
{
	q->permit_at = now + RENEW;
	q->permit_in = sa->spi_in;
	q->permit_out = sa->spi_out;
	q->permit = true;
}

/* The relay is to be told what is wanted. */
static void ask(struct hip *h, struct registration *r, uint64_t now)
{
	struct assoc *relay = relay_of(h, r);

	if (!relay)
		return;
	r->permit = true;
	update_send(h, relay, now);
	assoc_arm(h, relay);
}

/* These SPIs for all places of the peer that are reached through r; news:
 * unless they are asked for already. */
static void ask_all(struct hip *h, struct registration *r, struct assoc *a,
		    const struct sa_pair *sa, bool news, uint64_t now)
{
	struct paths *p = a->paths;
	bool any = false;

	for (uint8_t i = 0; i < p->peer_num; i++) {
		struct paths_peer *q = &p->peer[i];

		if (!endpoint_eq(&q->via, &r->relayed_at) ||
		    (news && q->permit_in == sa->spi_in) ||
		    is_reserved(a, q, sa, now))
			continue;
		q->permit_at = 0;
		if (!is_there(a, q))
			continue;
		want(q, sa, now);
		any = true;
	}
	if (any)
		ask(h, r, now);
}

void datapath_permit(struct hip *h, struct assoc *a, const struct sa_pair *sa,
		     uint64_t now)
{
	for (size_t i = 0; a->paths && i < h->registrations.num; i++) {
		struct registration *r = h->registrations.v[i];

		if (r->relayed_at.port)
			ask_all(h, r, a, sa, true, now);
	}
}

bool datapath_waits(const struct hip *h, const struct assoc *a, uint32_t spi_in)
{
	const struct paths_peer *q = a->paths ? used_of(a) : NULL;
	const struct registration *r = q ? with_port(h, &q->via) : NULL;

	return r && relay_of(h, r) && q->permit_in == spi_in &&
	       (q->permit || q->permit_sent);
}

void datapath_heard(struct hip *h, struct assoc *a, struct paths_peer *q,
		    uint64_t now)
{
	struct registration *r = with_port(h, &q->via);

	if (!r || now < q->permit_at || is_reserved(a, q, &a->keys->sa, now))
		return;
	want(q, &a->keys->sa, now);
	ask(h, r, now);
}

/* What there is no room for is left for the next one. */
static void put_place(struct msg_builder *b, struct registration *r,
		      struct paths_peer *q, unsigned *room)
{
	struct field_permission f = { .relayed = q->via,
				      .peer = q->at,
				      .spi_out = q->permit_out,
				      .spi_in = q->permit_in };

	if (!*room) {
		r->permit = true;
		q->permit = true;
		return;
	}
	--*room;
	q->permit = false;
	q->permit_sent = true;
	fields_put_permission(b, &f);
}

/* What one association wants of r; how many there is room for is left in
 * *room. The place in use comes last: what we send goes there. */
static void put_one(struct msg_builder *b, struct registration *r,
		    const struct assoc *a, unsigned *room)
{
	struct paths *p = a->paths;
	struct paths_peer *used = used_of(a);
	bool any = false;

	if (used && !endpoint_eq(&used->via, &r->relayed_at))
		used = NULL;
	for (uint8_t i = 0; i < p->peer_num; i++) {
		struct paths_peer *q = &p->peer[i];

		if (!(q->permit || q->permit_sent) ||
		    !endpoint_eq(&q->via, &r->relayed_at))
			continue;
		any = true;
		if (q != used)
			put_place(b, r, q, room);
	}
	if (any && used && used->permit_in)
		put_place(b, r, used, room);
}

void datapath_put(struct msg_builder *b, struct hip *h, const struct assoc *a)
{
	struct registration *r = at_relay(h, &a->self, &a->peer);
	unsigned room = AT_ONCE_MAX;

	if (!r || !(r->permit || r->permit_sent))
		return;
	r->permit = false;
	r->permit_sent = true;
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		for (struct assoc *x = h->assocs.bucket[i]; x; x = x->next) {
			if (x->paths && hit_eq(&x->self, &r->self))
				put_one(b, r, x, &room);
		}
	}
}

static void acked(struct hip *h, struct registration *r, struct assoc *a,
		  uint64_t now)
{
	for (uint8_t i = 0; i < a->paths->peer_num; i++) {
		struct paths_peer *q = &a->paths->peer[i];

		if (endpoint_eq(&q->via, &r->relayed_at))
			q->permit_sent = false;
	}
	rekey_permitted(h, a, now);
	assoc_arm(h, a);
}

void datapath_acked(struct hip *h, struct assoc *a, uint64_t now)
{
	struct registration *r = at_relay(h, &a->self, &a->peer);

	if (!r)
		return;
	if (r->permit_sent)
		for_peers(h, r, acked, now);
	r->permit_sent = false;
	if (r->permit)
		update_send(h, a, now);
}

void datapath_suspect(struct hip *h, struct assoc *a, uint64_t now)
{
	struct registration *r = with_port(h, &a->self_at);
	struct assoc *relay = r ? relay_of(h, r) : NULL;

	if (!relay)
		return;
	ask_all(h, r, a, &a->keys->sa, false, now);
	relay->suspect = true;
	spread_widen(h, relay);
	update_probe(h, relay, now);
	assoc_arm(h, relay);
}

/* RFC 9028 4.9, 4.12.1: activated again. */
static void follow(struct hip *h, struct registration *r, struct assoc *a,
		   uint64_t now)
{
	if (endpoint_eq(&a->self_at, &r->relayed_at))
		assoc_locator(h, a, true)->stranded = a->stranded;
	ask_all(h, r, a, &a->keys->sa, false, now);
}

void datapath_follow(struct hip *h, struct assoc *a, uint64_t now)
{
	struct registration *r = at_relay(h, &a->self, &a->peer);

	if (r)
		for_peers(h, r, follow, now);
}

/* ---- time ------------------------------------------------------------------------ */

uint64_t datapath_deadline(const struct assoc *a)
{
	const struct paths *p = a->paths;
	int cur = paths_current(a);
	const struct paths_peer *q;

	if (cur < 0 || !paths_relayed(p, &p->v[cur]))
		return ENGINE_NEVER;
	q = paths_peer_of(p, &p->v[cur]);
	return q->via.port && q->permit_at < p->direct_at ? q->permit_at
							  : p->direct_at;
}

/* Is the peer known at more than one place by this relay of ours? */
static bool has_another(const struct paths *p, const struct paths_peer *q)
{
	for (uint8_t i = 0; i < p->peer_num; i++) {
		if (&p->peer[i] != q && endpoint_eq(&p->peer[i].via, &q->via))
			return true;
	}
	return false;
}

void datapath_taken(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths_peer *q = used_of(a);
	struct registration *r = q ? with_port(h, &q->via) : NULL;

	/* One clock for all, that of the one in use. */
	if (r && q->permit_in && has_another(a->paths, q))
		ask_all(h, r, a, &a->keys->sa, false, now);
	a->paths->direct = 0;
	a->paths->direct_at = now + FIRST;
}

void datapath_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int cur = paths_current(a);
	struct paths_peer *q;

	if (now < datapath_deadline(a))
		return;
	q = paths_peer_of(p, &p->v[cur]);
	if (q->via.port && now >= q->permit_at) {
		struct registration *r = with_port(h, &q->via);

		q->permit_at = now + RENEW;
		if (r)
			ask_all(h, r, a, &a->keys->sa, false, now);
	}
	if (now < p->direct_at)
		return;
	if (p->direct < SELDOM)
		p->direct++;
	p->direct_at = now + (FIRST << p->direct);
	if (now - a->last_out <= IN_USE)
		reach_look(h, a, now);
}
