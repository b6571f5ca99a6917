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
 * anywhere (3.1.2).
 *
 * Theirs: a listed address is UNVERIFIED until it has echoed a nonce. The old
 * one is used meanwhile if the peer still lists it, or has just sent from
 * it; else the new one, within its credit. One address is asked at a time
 * (`target`), because one UPDATE is outstanding at a time; while another is
 * outstanding, a copy of that with a nonce of its own asks just as well
 * (spread.c).
 *
 * Nonces are keyed hashes of association, Update ID and addresses: nothing
 * is kept for them. One under the signature proves its address as long as
 * the UPDATE went nowhere else; one behind it proves its own copy's.
 *
 * An answer that proves nothing shows that a path lives whose locator was
 * proved before. Owner: the engine's thread.
 */
#include "hip/readdress.h"

#include <sodium.h>
#include <string.h>

#include "core/wire.h"
#include "hip/admit.h"
#include "hip/fields.h"
#include "hip/initiator.h"
#include "hip/paths.h"
#include "hip/pathwatch.h"
#include "hip/rekey.h"
#include "hip/spread.h"
#include "hip/update.h"

#define AGAIN (5 * ENGINE_S)  /* a path that should be better; doubles, */
#define AGAIN_MAX 4	      /*  so often */
#define DOUBT (30 * ENGINE_S) /* the peer is seen elsewhere: ask again */
#define IN_USE (120 * ENGINE_S)
#define ASK_AGAIN ENGINE_S /* one that has never answered */

/* ---- nonces --------------------------------------------------------------- */

struct readdress_nonce readdress_nonce(const struct hip *h,
				       const struct assoc *a,
				       const struct endpoint *self,
				       const struct endpoint *peer)
{
	uint8_t in[8 + 4 + 1 + 18 + 18] = { 0 };
	struct wr w = wr_init(in, sizeof(in));
	struct readdress_nonce n;

	wr_be64(&w, a->serial);
	wr_be32(&w, a->up.next_id - 1);
	wr_u8(&w, self != NULL);
	wr_put(&w, peer->addr.b, sizeof(peer->addr.b));
	wr_be16(&w, peer->port);
	if (self) {
		wr_put(&w, self->addr.b, sizeof(self->addr.b));
		wr_be16(&w, self->port);
	}
	crypto_generichash(n.b, sizeof(n.b), in, sizeof(in), h->here.key,
			   sizeof(h->here.key));
	return n;
}

static bool echoes(const struct hip_param *p, const struct readdress_nonce *n)
{
	return p->len == sizeof(n->b) &&
	       sodium_memcmp(p->contents, n->b, sizeof(n->b)) == 0;
}

/* The path that this answer proves, or -1. */
static int proved(const struct hip *h, const struct assoc *a,
		  const struct packet *pk)
{
	const struct paths *p = a->paths;
	const struct hip_param *e =
		param_find(&pk->m, PARAM_ECHO_RESPONSE_SIGNED);
	struct readdress_nonce n;

	for (; e && p->echoed && !p->echo_spread; e = NULL) {
		n = readdress_nonce(h, a, NULL, &p->to);
		if (echoes(e, &n)) {
			int i = paths_find(p, pk->at, &p->to);

			return i >= 0 ? i : paths_best(h, a, &p->to);
		}
	}
	e = param_find(&pk->m, PARAM_ECHO_RESPONSE_UNSIGNED);
	for (; e; e = param_next(&pk->m, e)) {
		for (int i = 0; i < p->num; i++) {
			n = readdress_nonce(h, a, &p->v[i].self, &p->v[i].peer);
			if (echoes(e, &n))
				return i;
		}
	}
	return -1;
}

/* ---- our addresses ---------------------------------------------------------- */

bool readdress_due(const struct assoc *a)
{
	return a->tell || (a->paths && a->paths->check);
}

/* The address the peer should prefer. */
static const struct endpoint *preferred(const struct hip *h,
					const struct assoc *a)
{
	int best = a->paths ? paths_best(h, a, NULL) : -1;

	return best >= 0 ? &a->paths->v[best].self : &a->self_at;
}

/* All paths from here are dead, while others are not. */
static bool cut_off(const struct assoc *a, const struct endpoint *self)
{
	const struct paths *p = a->paths;
	unsigned dead = 0;

	for (int i = 0; p && i < p->num; i++) {
		if (!endpoint_eq(&p->v[i].self, self))
			continue;
		if (!p->v[i].dead)
			return false;
		dead++;
	}
	return dead > 0;
}

void readdress_put_locators(struct msg_builder *b, const struct hip *h,
			    const struct assoc *a, uint32_t spi)
{
	const struct endpoint *best = preferred(h, a);
	struct locator_set set = { .num = 0 };

	for (size_t i = 0; i < h->here.num && set.num < HIP_LOCATORS_MAX; i++) {
		const struct endpoint *at = &h->here.at[i].at;

		if (!cut_off(a, at))
			set.v[set.num++] = (struct locator){
				.at = *at,
				.spi = spi,
				.lifetime_s = LOCATOR_FOREVER,
				.preferred = endpoint_eq(at, best),
			};
	}
	locator_put(b, &set);
}

void readdress_put_question(struct msg_builder *b, const struct hip *h,
			    struct assoc *a)
{
	struct paths *p = a->paths;
	struct readdress_nonce n;

	if (!p)
		return;
	p->echoed = p->check;
	p->echo_spread = false;
	if (!p->check)
		return;
	p->check = false;
	p->to = p->v[p->target].peer;
	n = readdress_nonce(h, a, NULL, &p->to);
	message_put(b, PARAM_ECHO_REQUEST_SIGNED, n.b, sizeof(n.b));
}

void readdress_reset(struct assoc *a)
{
	paths_drop(a);
	a->unproved = false;
	a->tell = false;
	a->announced = false;
	a->told = 0;
	a->telling = 0;
	a->suspect = false;
	a->silences = 0;
	a->unheard = 0;
	a->seen_at = 0;
	a->credit = 0;
}

void readdress_unsent(struct assoc *a)
{
	struct paths *p = a->paths;

	if (a->up.outstanding)
		a->tell = a->tell || a->up.tells;
	if (p && p->echoed && p->target >= 0)
		p->check = true;
}

/* Our address is gone: by another one from now on. */
static void leave(struct hip *h, struct assoc *a, uint64_t now)
{
	int n = paths_best(h, a, &a->peer_at);

	if (n < 0)
		n = paths_best(h, a, NULL);
	if (n >= 0)
		paths_take(h, a, n, HIP_PATH_MOVED, now);
	a->paths->wide = true;
}

static void moved(struct hip *h, struct assoc *a, uint64_t now)
{
	bool lives = here_lives(&h->here, &a->self_at);

	if (!paths_make(h, a))
		return;
	paths_rebuild(h, a);
	if (!h->here.num)
		return; /* what is to be told waits for an address */
	if (!lives)
		leave(h, a, now);
	a->tell = true;
	readdress_choose(h, a, now);
	update_probe(h, a, now);
}

void readdress_here(struct hip *h, struct assoc *a, bool settled, uint64_t now)
{
	const struct here *e = &h->here;
	bool lives = here_lives(e, &a->self_at);

	if (!e->set || a->told == e->generation || (lives && !settled))
		return;
	if (a->state == HIP_I1_SENT || a->state == HIP_I2_SENT) {
		if (!lives)
			initiator_moved(h, a, now);
		return;
	}
	if (a->state != HIP_ESTABLISHED && a->state != HIP_R2_SENT)
		return;
	/* It has seen the only one we have. */
	if (lives && e->num == 1 && !a->announced)
		a->told = e->generation;
	else if (a->telling != e->generation)
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
	const struct hip_param *l = param_find(m, PARAM_LOCATOR_SET);
	const struct hip_param *i = param_find(m, PARAM_ESP_INFO);
	struct locator_rules rules = here_rules(&h->here);
	struct field_esp_info info;

	out->has = l;
	out->spi = 0;
	if (!host_id_fits(a, m))
		return REASON_HIP_BAD_HIT;
	if (!l)
		return REASON_NUM;
	if (i && !fields_get_esp_info(i, &info))
		return REASON_HIP_TLV;
	if (i && !spi_fits(a, &info))
		return REASON_HIP_SPI;
	if (i)
		out->spi = info.new_spi;
	return locator_read(l->contents, l->len, &rules, &out->set);
}

/* Where it is, or could be, if we may go there. Checklist, choice 19: types
 * without a port are at the source's, if they are the source. */
static bool place_of(struct hip *h, const struct assoc *a,
		     const struct readdress_offer *o, const struct locator *l,
		     const struct packet *pk, struct endpoint *out)
{
	*out = l->at;
	if (!out->port)
		out->port = addr_eq(&out->addr, &pk->from->addr)
				    ? pk->from->port
				    : HIP_PORT;
	if (l->spi && o->spi && l->spi != o->spi)
		return false; /* of an SA that we do not have */
	if (here_find(&h->here, out) < h->here.num)
		return false; /* the same private address, behind two NATs */
	if (admit_at(h, a, &out->addr))
		return true;
	reason_count(&h->reasons, REASON_HIP_DENIED);
	return false;
}

static uint64_t expiry(const struct locator *l, uint64_t now)
{
	return l->lifetime_s == LOCATOR_FOREVER
		       ? ENGINE_NEVER
		       : now + l->lifetime_s * ENGINE_S;
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
	if (!q->active)
		q->asked = 0;
	q->announced = true;
	q->preferred = l->preferred;
	q->rank = rank;
	q->expires = expiry(l, now);
}

/* The set is complete: what is not in it is withdrawn, but for where it came
 * from, which a NAT may have made. */
static void withdraw(struct hip *h, struct assoc *a,
		     const struct endpoint *listed, size_t num,
		     const struct packet *pk)
{
	struct paths *p = a->paths;

	for (uint8_t i = p->peer_num; i-- > 0;) {
		struct paths_peer *q = &p->peer[i];
		struct endpoint at = q->at;
		bool is = endpoint_eq(&at, pk->from) && q->active;

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

static void ask(struct hip *h, struct assoc *a, int n, bool seen, uint64_t now)
{
	struct paths *p = a->paths;

	if (n < 0 || p->target == n)
		return;
	p->target = (int8_t)n;
	p->check = true;
	p->seen = seen;
	update_probe(h, a, now);
}

/* Where the peer has gone, when it is no longer where it was. */
static void follow(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths_peer *q = paths_peer(a->paths, &a->peer_at);
	int best = paths_best(h, a, NULL);

	if (best < 0 || (q && !q->over))
		return;
	if (!endpoint_eq(&a->paths->v[best].peer, &a->peer_at)) {
		struct endpoint old = a->peer_at;

		paths_take(h, a, best, HIP_PATH_ANNOUNCED, now);
		paths_peer_del(a->paths, &old);
		paths_rebuild(h, a);
	}
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
	if (!num && o->set.num)
		return; /* nothing of it is of use: as it was */
	withdraw(h, a, listed, num, pk);
	paths_rebuild(h, a);
	follow(h, a, pk->now);
	readdress_choose(h, a, pk->now);
}

/* ---- answers ---------------------------------------------------------------- */

static void lives(struct assoc *a, int n, bool proof, uint64_t now)
{
	struct path *v = &a->paths->v[n];
	struct paths_peer *q = paths_peer(a->paths, &v->peer);

	if (v->sent && proof)
		v->rtt_us = (uint32_t)((now - v->sent) / 1000);
	if (v->dead)
		v->since = now;
	v->dead = false;
	v->verified = now;
	if (proof)
		q->active = true;
	if (q->active)
		q->asked = 0;
}

/* Another path has answered what this one has had, too. */
static void dies(struct hip *h, struct assoc *a, int n, uint64_t now)
{
	struct path *v = &a->paths->v[n];
	const struct paths_peer *q = paths_peer(a->paths, &v->peer);

	if (v->dead || (!q->active && q->asked < PATHS_ASK_MAX))
		return;
	v->dead = true;
	v->since = 0;
	paths_tell(h, a, HIP_PATH_FAILED, &v->self, &v->peer, now);
}

/* The path that has answered is the path, if the one we had is suspect, or
 * was never proved, or the peer, known by its source only, has another. */
static bool takes_over(const struct assoc *a, int n, bool seen)
{
	const struct paths *p = a->paths;
	const struct paths_peer *is =
		paths_peer((struct paths *)p, &a->peer_at);
	const struct paths_peer *q =
		paths_peer((struct paths *)p, &p->v[n].peer);

	if (a->suspect || paths_current(a) < 0)
		return true;
	return q->active && seen && (!is || !is->announced);
}

/* Whoever was asked. */
static void forget(struct paths *p)
{
	p->target = -1;
	p->check = false;
	p->seen = false;
	p->await = false;
}

/* The way there may be longer than the one that has answered. */
static void await(struct paths *p, uint64_t now)
{
	p->await = true;
	if (p->again_at > now + ASK_AGAIN)
		p->again_at = now + ASK_AGAIN;
}

static void answered(struct hip *h, struct assoc *a, int n, bool proof,
		     uint64_t now)
{
	struct paths *p = a->paths;
	const struct path *v = &p->v[n];
	struct paths_peer *q = paths_peer(p, &v->peer);
	bool news = proof && !q->active;
	int cur = paths_current(a);
	int target = p->target;
	bool seen = p->seen && target == n;

	lives(a, n, proof, now);
	if (news)
		paths_tell(h, a, HIP_PATH_VERIFIED, &v->self, &v->peer, now);
	if (target == n)
		forget(p);
	else if (target >= 0)
		await(p, now);
	if (cur == n && a->unproved && q->active) {
		a->unproved = false;
		pathwatch_locator(h, a, now);
	}
	if (cur != n && seen && !takes_over(a, n, seen))
		ask(h, a, cur, false, now);
	if (cur == n || !takes_over(a, n, seen))
		return;
	if (cur >= 0 && a->suspect)
		dies(h, a, cur, now);
	paths_take(h, a, n, seen ? HIP_PATH_REBOUND : HIP_PATH_TAKEN, now);
	a->tell = a->tell || (h->here.set && cur >= 0 &&
			      !endpoint_eq(&p->v[cur].self, &v->self));
}

void readdress_acked(struct hip *h, struct assoc *a, const struct packet *pk)
{
	struct paths *p = a->paths;
	int n;

	if (a->up.tells) {
		a->told = a->telling;
		a->announced = true;
	}
	if (p) {
		n = proved(h, a, pk);
		if (n >= 0)
			answered(h, a, n, true, pk->now);
		else if ((n = paths_find(p, pk->at, pk->from)) >= 0)
			answered(h, a, n, false, pk->now);
		else if (p->target >= 0)
			await(p, pk->now);
		p->wide = false;
	}
	a->suspect = false;
	readdress_choose(h, a, pk->now);
}

bool readdress_awaits(const struct hip *h, const struct assoc *a,
		      const struct packet *pk)
{
	return a->paths && a->paths->await && a->paths->target >= 0 &&
	       proved(h, a, pk) == a->paths->target;
}

void readdress_late(struct hip *h, struct assoc *a, const struct packet *pk)
{
	answered(h, a, a->paths->target, true, pk->now);
	readdress_choose(h, a, pk->now);
}

/* The peer sends from elsewhere, where it is, too: is it still where we send
 * to? What it lists need not be what its NAT makes of it. */
static bool doubt(struct hip *h, struct assoc *a, uint64_t now)
{
	int cur = paths_current(a);

	if (cur < 0 || a->paths->target >= 0 ||
	    now - a->paths->v[cur].verified < DOUBT)
		return false;
	ask(h, a, cur, false, now);
	return true;
}

bool readdress_candidate(struct hip *h, struct assoc *a,
			 const struct endpoint *from, const struct endpoint *at,
			 uint64_t now)
{
	struct locator_rules rules = here_rules(&h->here);
	struct paths_peer *q = a->paths ? paths_peer(a->paths, from) : NULL;

	if (q && q->active)
		return doubt(h, a, now);
	if (q && q->asked >= PATHS_ASK_MAX)
		return false;
	if (!locator_place_ok(&from->addr, &rules) || !from->port ||
	    here_find(&h->here, from) < h->here.num ||
	    !admit_at(h, a, &from->addr) || !paths_make(h, a))
		return false;
	q = paths_peer_add(a, a->paths, from);
	if (!q)
		return false;
	paths_rebuild(h, a);
	ask(h, a, paths_best(h, a, from), !q->announced, now);
	(void)at;
	return true;
}

/* ---- choosing ---------------------------------------------------------------- */

/* A path that is worth a question now: an address of the peer's that must be
 * verified (RFC 8046 5.4), or a way that should be better. */
static int worth_asking(const struct hip *h, const struct assoc *a, int cur)
{
	const struct paths *p = a->paths;
	int best = -1;

	for (int i = 0; i < p->num; i++) {
		enum hip_path_state s = paths_state(p, &p->v[i]);
		bool way = s == HIP_PATH_ACTIVE && !p->v[i].verified &&
			   cur >= 0 && paths_preferred(h, a, i, cur);

		if (!way && s != HIP_PATH_UNVERIFIED)
			continue;
		if (best < 0 || paths_preferred(h, a, i, best))
			best = i;
	}
	return best;
}

/* A path that would be better, had it not failed. */
static int lost(const struct hip *h, const struct assoc *a, int cur)
{
	const struct paths *p = a->paths;
	int best = -1;

	for (int i = 0; cur >= 0 && i < p->num; i++) {
		const struct path *v = &p->v[i];

		if ((!v->dead && !v->since) ||
		    !paths_peer((struct paths *)p, &v->peer)->active ||
		    !paths_preferred(h, a, i, cur))
			continue;
		if (best < 0 || paths_preferred(h, a, i, best))
			best = i;
	}
	return best;
}

/* Has it lived long enough to go back to it? */
static bool steady(const struct hip *h, const struct path *v, uint64_t now)
{
	return !v->since ||
	       now - v->since >= h->here.policy.return_s * ENGINE_S;
}

static void plan(struct hip *h, struct assoc *a, int cur, uint64_t now)
{
	struct paths *p = a->paths;
	uint64_t wait = h->here.policy.return_s * ENGINE_S / 2;
	int n = lost(h, a, cur);

	/* An association that nobody uses is not kept alive by this. */
	if (n < 0 || now - a->last_out > IN_USE)
		return;
	if (p->v[n].dead)
		wait = AGAIN << p->again;
	if (p->again_at == ENGINE_NEVER || p->again_at > now + wait)
		p->again_at = now + wait;
}

void readdress_choose(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int cur, best, n;

	if (!p || (a->state != HIP_ESTABLISHED && a->state != HIP_R2_SENT))
		return;
	cur = paths_current(a);
	best = paths_best(h, a, NULL);
	if (best >= 0 && best != cur && p->v[best].verified &&
	    paths_state(p, &p->v[best]) == HIP_PATH_ACTIVE &&
	    (cur < 0 || paths_better(h, a, best, cur)) &&
	    steady(h, &p->v[best], now)) {
		bool back = p->v[best].since;
		bool ours = cur >= 0 &&
			    !endpoint_eq(&p->v[cur].self, &p->v[best].self);

		p->v[best].since = 0;
		paths_take(h, a, best,
			   back ? HIP_PATH_RETURNED : HIP_PATH_TAKEN, now);
		a->tell = a->tell || (ours && h->here.set);
		cur = best;
	}
	n = worth_asking(h, a, cur);
	if (n >= 0 && p->target < 0)
		ask(h, a, n, false, now);
	else if (a->tell)
		update_send(h, a, now);
	plan(h, a, cur, now);
}

/* RFC 8046 5.1: ACTIVE or UNVERIFIED to DEPRECATED. */
static void expire(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;

	for (uint8_t i = 0; i < p->peer_num; i++) {
		struct paths_peer *q = &p->peer[i];

		if (q->over || now < q->expires)
			continue;
		q->over = true;
		q->expires = ENGINE_NEVER;
		paths_tell(h, a, HIP_PATH_EXPIRED, &a->self_at, &q->at, now);
	}
}

void readdress_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int n;

	expire(h, a, now);
	if (now >= p->again_at && p->await) {
		p->again_at = ENGINE_NEVER;
		n = p->target;
		forget(p);
		if (n >= 0)
			dies(h, a, n, now);
	} else if (now >= p->again_at) {
		p->again_at = ENGINE_NEVER;
		n = lost(h, a, paths_current(a));
		if (n >= 0 && p->v[n].dead && p->again < AGAIN_MAX)
			p->again++;
		else
			p->again = 0;
		ask(h, a, n, false, now);
	}
	readdress_choose(h, a, now);
}
