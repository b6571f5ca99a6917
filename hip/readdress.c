/* SPDX-License-Identifier: MIT */
/* Readdressing: LOCATOR_SET out and in, addresses proved (8046 5). */
/* THEORY OF OPERATION
 * Who moves sends UPDATE(ESP_INFO, LOCATOR_SET, SEQ); the peer answers with
 * UPDATE(ESP_INFO, SEQ, ACK, ECHO_REQUEST_SIGNED) to the new address, and
 * UPDATE(ACK, ECHO_RESPONSE_SIGNED) from there ends it (3.2.1). The first
 * and the second may be one packet, when both ends move, and both may carry
 * half of a rekey: update.c composes, here is what is said and what an
 * answer means.
 *
 * Ours: `tell` asks for a LOCATOR_SET in the next UPDATE. A move is sent by
 * the new path at once, and ESP follows it: the peer opens what comes from
 * anywhere (3.1.2). While no address of ours leads to the peer, the
 * association is stranded: who sends keeps what is to be sent for a while,
 * until the peer is heard by the next address. It may have moved, too, and
 * what is lost in the wrong place costs TCP more than a round trip.
 *
 * Theirs: a listed address is UNVERIFIED until it has echoed a nonce. The old
 * one is used meanwhile if the peer still lists it, or has just sent from
 * it; else the new one, within its credit. Which path lives and is taken is
 * reach.c's. Owner: the engine's thread.
 */
#include "hip/readdress.h"

#include <string.h>

#include "hip/admit.h"
#include "hip/datapath.h"
#include "hip/fields.h"
#include "hip/ice.h"
#include "hip/initiator.h"
#include "hip/paths.h"
#include "hip/pathwatch.h"
#include "hip/proof.h"
#include "hip/reach.h"
#include "hip/regain.h"
#include "hip/rekey.h"
#include "hip/update.h"

#define FORGIVE CHECKQUOTA_FORGIVE_NS
#define IN_USE (120 * ENGINE_S)
#define KEEP (2 * ENGINE_S)

/* ---- our addresses ---------------------------------------------------------- */

bool readdress_due(const struct assoc *a)
{
	return a->tell || a->nominate || (a->paths && a->paths->check);
}

/* The address the peer should prefer. */
static const struct endpoint *preferred(const struct hip *h,
					const struct assoc *a)
{
	int best = regain_claim(h, a);

	if (best < 0 && a->paths)
		best = paths_best(h, a, NULL);
	return best >= 0 ? &a->paths->v[best].self : &a->self_at;
}

/* Adds an address of ours, as others know it, once, while there is room. */
static void list(const struct hip *h, const struct endpoint *at, uint32_t spi,
		 bool preferred, struct locset *out)
{
	struct endpoint as = here_outside(&h->here, at);
	size_t i = 0;

	while (i < out->num && !endpoint_eq(&out->v[i].at, &as))
		i++;
	if (i == HIP_LOCATORS_MAX)
		return;
	if (i == out->num)
		out->v[out->num++] = (struct locator){ .at = as };
	out->v[i].spi = spi;
	out->v[i].lifetime_s = LOCSET_FOREVER;
	out->v[i].preferred = out->v[i].preferred || preferred;
}

void readdress_put_locators(struct msg_builder *b, const struct hip *h,
			    const struct assoc *a, uint32_t spi)
{
	const struct endpoint *best = preferred(h, a);
	const struct endpoint *first[] = { best, &a->self_at };
	struct locset set = { .num = 0 };

	/* There may be more than have room: not without these. */
	for (size_t i = 0; i < 2; i++) {
		if (here_find(&h->here, first[i]) < h->here.num &&
		    !regain_withholds(a, first[i]))
			list(h, first[i], spi, i == 0, &set);
	}
	for (size_t i = 0; i < h->here.num; i++) {
		const struct endpoint *at = &h->here.at[i].at;

		if (!regain_withholds(a, at))
			list(h, at, spi, endpoint_eq(at, best), &set);
	}
	locset_put(b, &set);
}

void readdress_put_question(struct msg_builder *b, const struct hip *h,
			    struct assoc *a)
{
	struct paths *p = a->paths;
	struct proof_nonce n;

	if (!p)
		return;
	p->echoed = p->check;
	p->echo_spread = false;
	if (!p->check)
		return;
	p->check = false;
	p->to = p->v[p->target].peer;
	n = proof_nonce(h, a, NULL, &p->to);
	message_put(b, PARAM_ECHO_REQUEST_SIGNED, n.b, sizeof(n.b));
}

void readdress_reset(struct assoc *a)
{
	paths_drop(a);
	a->unproved = false;
	a->stranded = false;
	a->tell = false;
	a->announced = false;
	a->told = 0;
	a->telling = 0;
	a->suspect = false;
	a->silences = 0;
	a->unheard = 0;
	a->seen_at = 0;
	a->credit = 0;
	a->nominate = false;
	a->ice_waits = false;
	a->ice_vain = 0;
}

void readdress_unsent(struct assoc *a)
{
	struct paths *p = a->paths;

	if (a->up.outstanding) {
		a->tell = a->tell || a->up.tells;
		a->nominate = a->nominate || a->up.nominates;
	}
	if (p && p->echoed && p->target >= 0)
		p->check = true;
}

/* What is to be sent waits, or need not any more. */
static void strand(struct hip *h, struct assoc *a, bool stranded, uint64_t now)
{
	if (a->stranded == stranded)
		return;
	a->stranded = stranded;
	pathwatch_locator(h, a, now);
}

void readdress_heard(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->stranded && h->here.num && datapath_lives(h, &a->self_at))
		strand(h, a, false, now);
}

/* Our address is back. Who has nothing to say need not ask. */
static void back(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->paths)
		paths_rebuild(h, a); /* there were none */
	if (now - a->last_out > IN_USE)
		strand(h, a, false, now);
	else
		update_probe(h, a, now);
}

/* Our address is gone: by another one from now on. */
static void leave(struct hip *h, struct assoc *a, uint64_t now)
{
	int n = paths_best(h, a, &a->peer_at);

	if (n < 0)
		n = paths_best(h, a, NULL);
	if (n >= 0)
		paths_take(h, a, n, HIP_PATH_MOVED, now);
	else
		strand(h, a, true, now);
	a->paths->wide = true;
}

/* What was asked from there says nothing of the move, and its answer, which the
 * news would wait for, may never come. */
static void drop_question(struct assoc *a)
{
	bool nominates = a->up.outstanding && a->up.nominates;

	update_abandon(a);
	if (a->up.outstanding)
		return;
	a->nominate = a->nominate || nominates;
	a->paths->target = -1;
	a->paths->check = false;
	a->paths->await = false;
	a->paths->round = false;
}

static void moved(struct hip *h, struct assoc *a, uint64_t now)
{
	bool lives = datapath_lives(h, &a->self_at);

	if (!paths_make(h, a))
		return;
	paths_rebuild(h, a);
	if (!h->here.num) { /* what is to be told waits for an address */
		strand(h, a, true, now);
		return;
	}
	if (!lives) {
		drop_question(a);
		leave(h, a, now);
	}
	a->tell = true;
	reach_choose(h, a, now);
	update_probe(h, a, now);
}

/* A path by a relay lives while all others are of a network that was left; and
 * our addresses may have been told for another reason, before they settled. */
static bool outdated(const struct hip *h, const struct assoc *a)
{
	return a->paths && a->paths->made_of != (uint32_t)h->here.generation;
}

void readdress_here(struct hip *h, struct assoc *a, bool settled, uint64_t now)
{
	const struct here *e = &h->here;
	bool lives = datapath_lives(h, &a->self_at);

	if (e->num && lives && a->stranded && !settled)
		back(h, a, now);
	if (!settled && outdated(h, a) && datapath_is_port(h, &a->self_at))
		paths_rebuild(h, a); /* the peer may come by them at once */
	if (!e->set || (lives && !settled))
		return;
	if (lives && a->told == e->generation && !outdated(h, a))
		return;
	if (a->state == HIP_I1_SENT || a->state == HIP_I2_SENT) {
		if (!lives)
			initiator_moved(h, a, now);
		return;
	}
	if (a->state != HIP_ESTABLISHED && a->state != HIP_R2_SENT)
		return;
	/* It has seen the only one we have to tell of. */
	if (lives && e->num == 1 && !a->announced &&
	    !here_is_quiet(e, &a->self_at))
		a->told = e->generation;
	else if (!lives || a->telling != e->generation || outdated(h, a))
		moved(h, a, now);
	assoc_arm(h, a);
}

/* ---- the peer's addresses ---------------------------------------------------- */

/* The peer's own HOST_ID, or none (RFC 8046 4.3). */
static bool host_id_fits(const struct assoc *a, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_HOST_ID);

	return !p || (p->len == a->keys->host_id_len &&
		      memcmp(p->contents, a->keys->host_id, p->len) == 0);
}

/* The cases of RFC 8046 5.3, as far as there are any with one pair of SAs:
 * an SA we know of, named or replaced. */
static bool spi_fits(const struct assoc *a, const struct field_esp_info *info)
{
	if (!rekey_knows_spi(a, info->old_spi))
		return false;
	return info->new_spi > 255;
}

enum reason readdress_judge(const struct hip *h, const struct assoc *a,
			    const struct hip_msg *m,
			    struct readdress_offer *out)
{
	const struct hip_param *i = param_find(m, PARAM_ESP_INFO);
	struct field_esp_info info;
	enum reason r;

	memset(out, 0, sizeof(*out));
	if (!host_id_fits(a, m))
		return REASON_HIP_BAD_HIT;
	/* RFC 9028 4.9: nothing but what is inside ENCRYPTED. */
	r = a->ice ? ice_read(h, a->keys, m, out) : readdress_read(h, m, out);
	if (r != REASON_NUM || !out->has)
		return r;
	if (i && !fields_get_esp_info(i, &info))
		return REASON_HIP_TLV;
	if (i && !spi_fits(a, &info))
		return REASON_HIP_SPI;
	if (i)
		out->spi = info.new_spi;
	return REASON_NUM;
}

/* Checklist, choice 19: types without a port are at the source's, if they are
 * the source. What came by another link is no word on a NAT's port: they are
 * where the peer has answered, if it has. */
static uint16_t port_of(const struct assoc *a, const struct addr *at,
			const struct packet *pk)
{
	const struct paths *p = a->paths;

	if (addr_eq(at, &pk->from->addr))
		return pk->from->port;
	for (uint8_t i = 0; p && i < p->peer_num; i++) {
		const struct paths_peer *q = &p->peer[i];

		if (q->active && !q->via.port && addr_eq(at, &q->at.addr))
			return q->at.port;
	}
	return HIP_PORT;
}

/* Where it is, or could be, if we may go there. */
static bool place_of(struct hip *h, const struct assoc *a,
		     const struct readdress_offer *o, const struct locator *l,
		     const struct packet *pk, struct endpoint *out)
{
	*out = l->at;
	if (!out->port)
		out->port = port_of(a, &out->addr, pk);
	if (l->spi && o->spi && l->spi != o->spi)
		return false; /* of an SA that we do not have */
	if (here_has(&h->here, out) || here_is_outer(&h->here, &out->addr))
		return false; /* the same private address, behind two NATs */
	if (admit_at(h, a, &out->addr))
		return true;
	reason_count(&h->reasons, REASON_HIP_DENIED);
	return false;
}

static uint64_t expiry(const struct locator *l, uint64_t now)
{
	return l->lifetime_s == LOCSET_FOREVER ? ENGINE_NEVER
					       : now + l->lifetime_s * ENGINE_S;
}

/* As if it had never been asked. */
static void forgive(struct paths *p, struct paths_peer *q, uint64_t now)
{
	q->asked = 0;
	q->given_up = false;
	q->forgiven = now;
	for (uint8_t i = 0; i < p->num; i++) {
		if (endpoint_eq(&p->v[i].peer, &q->at))
			p->v[i].dead = false;
	}
}

static void list_one(struct hip *h, struct assoc *a, const struct locator *l,
		     const struct endpoint *at, uint8_t rank, uint64_t now)
{
	struct paths_peer *q = paths_peer_add(a, a->paths, at);

	if (!q)
		return;
	if (!q->announced)
		paths_tell(h, a, HIP_PATH_ANNOUNCED, &a->self_at, at, now);
	if (q->over) {
		q->over = false;
		q->active = false; /* RFC 8046 5.1 */
	}
	/* It may be there now. But not as often as it likes to say so: who is
	 * there may be somebody else. */
	checkquota_named(&a->paths->quota, &at->addr, now);
	if (!q->active && (!q->forgiven || now - q->forgiven >= FORGIVE))
		forgive(a->paths, q, now);
	if (!q->active && !checkquota_left(&a->paths->quota, &at->addr))
		reason_count(&h->reasons, REASON_HIP_CHECKS_QUOTA);
	q->announced = true;
	q->preferred = l->preferred;
	q->rank = rank;
	q->priority = l->priority;
	q->relayed = l->kind == LOCATOR_RELAYED;
	q->expires = expiry(l, now);
}

/* Where the peer itself was when it sent this; NULL: it came through a server. */
static const struct endpoint *sent_from(const struct assoc *a,
					const struct packet *pk)
{
	if (pk->has_from || pk->relayed.port || (a->ice && ice_by_relay(a, pk)))
		return NULL;
	return pk->from;
}

/* The set is complete: what is not in it is withdrawn, but for where it came
 * from, which a NAT may have made; we may just be asking there. */
static void withdraw(struct hip *h, struct assoc *a,
		     const struct endpoint *listed, size_t num,
		     const struct packet *pk)
{
	const struct endpoint *from = sent_from(a, pk);
	struct paths *p = a->paths;

	for (uint8_t i = p->peer_num; i-- > 0;) {
		struct paths_peer *q = &p->peer[i];
		struct endpoint at = q->at;
		bool seen = a->ice && !q->announced; /* peer-reflexive */
		bool is = (from && endpoint_eq(&at, from)) ||
			  (q->active && (seen || endpoint_eq(&at, pk->from)));

		if (q->via.port)
			continue; /* it is our relay's */
		q->announced = q->announced && !is;
		for (size_t k = 0; k < num; k++)
			if (endpoint_eq(&at, &listed[k]))
				is = q->announced = true;
		if (is)
			continue;
		if (q->announced)
			paths_tell(h, a, HIP_PATH_WITHDRAWN, &a->self_at, &at,
				   pk->now);
		q->announced = false;
		q->over = true;
		if (!endpoint_eq(&at, &a->peer_at))
			paths_peer_del(p, &at);
	}
}

/* Where the peer has gone, when it is no longer where it was. */
static void follow(struct hip *h, struct assoc *a, uint64_t now)
{
	int cur = paths_current(a);
	const struct paths_peer *q =
		cur < 0 ? paths_peer(a->paths, &a->peer_at)
			: paths_peer_of(a->paths, &a->paths->v[cur]);
	int best = paths_best(h, a, NULL);

	if (best < 0 || (q && !q->over))
		return;
	if (!endpoint_eq(&a->paths->v[best].peer, &a->peer_at)) {
		struct endpoint old = a->peer_at;

		if (!endpoint_eq(&a->paths->v[best].self, &a->self_at))
			regain_left(h, a, &a->self_at);
		paths_take(h, a, best, HIP_PATH_ANNOUNCED, now);
		paths_peer_del(a->paths, &old);
		paths_rebuild(h, a);
	}
}

/* Both tell at once what they prefer, and each would take what the other one has
 * just left, for ever: who began keeps to his for a while, and the other one
 * follows. */
static void crossed(struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;

	if (!a->initiator || !a->up.outstanding || !a->up.tells)
		return;
	p->keep = now + KEEP;
}

void readdress_apply(struct hip *h, struct assoc *a,
		     const struct readdress_offer *o, const struct packet *pk)
{
	struct endpoint listed[HIP_LOCATORS_MAX];
	struct endpoint at;
	size_t num = 0;

	if (!o->has || !paths_make(h, a))
		return;
	for (size_t i = 0; i < o->set.num; i++) {
		if (!place_of(h, a, o, &o->set.v[i], pk, &at))
			continue;
		list_one(h, a, &o->set.v[i], &at, (uint8_t)i, pk->now);
		listed[num++] = at;
	}
	if (!o->again) /* it has moved: where it is seen now is news */
		a->seen_at = 0;
	for (uint8_t i = 0; !o->again && i < a->paths->num; i++)
		a->paths->v[i].unsure = true;
	if (!num && o->set.num)
		return; /* nothing of it is of use: as it was */
	withdraw(h, a, listed, num, pk);
	paths_rebuild(h, a);
	crossed(a, pk->now);
	follow(h, a, pk->now);
	reach_choose(h, a, pk->now);
}

/* ---- in the base exchange ------------------------------------------------------ */

uint64_t readdress_for_exchange(const struct hip *h, const struct endpoint *at,
				struct locset *out)
{
	const struct here *e = &h->here;

	out->num = 0;
	if (e->num < 2 || here_find(e, at) >= e->num)
		return 0;
	list(h, at, 0, true, out);
	for (size_t i = 0; i < e->num; i++)
		list(h, &e->at[i].at, 0, false, out);
	return e->generation;
}

enum reason readdress_read(const struct hip *h, const struct hip_msg *m,
			   struct readdress_offer *out)
{
	const struct hip_param *l = param_find(m, PARAM_LOCATOR_SET);
	struct locset_rules rules = here_rules(&h->here);

	*out = (struct readdress_offer){ .has = l };
	if (!l)
		return REASON_NUM;
	return locset_read(l->contents, l->len, &rules, &out->set);
}

/* RFC 8047 4.2.8: ACTIVE at once; who signed R1 says so. */
static void prefer(struct hip *h, struct assoc *a,
		   const struct readdress_offer *o, const struct packet *pk)
{
	struct paths_peer *q;
	struct endpoint at;

	if (!o->set.num || !o->set.v[0].preferred ||
	    !place_of(h, a, o, &o->set.v[0], pk, &at))
		return;
	q = paths_peer(a->paths, &at);
	if (!q)
		return;
	q->active = true;
	a->peer_at = at;
	if (addr_is4(&a->self_at.addr) != addr_is4(&at.addr))
		a->self_at = here_towards(&h->here, &at);
	paths_rebuild(h, a);
}

void readdress_met(struct hip *h, struct assoc *a, const struct packet *pk)
{
	struct readdress_offer o;

	if (readdress_read(h, &pk->m, &o) != REASON_NUM || !o.has)
		return;
	a->up.held = true;
	readdress_apply(h, a, &o, pk);
	a->up.held = false;
	if (pk->m.type == HIP_R1 && a->paths)
		prefer(h, a, &o, pk);
}

void readdress_begin(struct hip *h, struct assoc *a, uint64_t now)
{
	if (a->telling && !a->up.outstanding) { /* I2 or R2 has told it */
		a->told = a->telling;
		a->announced = true;
	}
	readdress_here(h, a, true, now);
	reach_choose(h, a, now);
	update_flush(h, a, now);
	assoc_arm(h, a);
}
