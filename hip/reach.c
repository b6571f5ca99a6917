/* SPDX-License-Identifier: MIT */
/* Which paths live: addresses proved, questions, answers, choice (8046 5.4,
 * 5.5). */
/* THEORY OF OPERATION
 * One address is asked at a time (`target`), because one UPDATE is
 * outstanding at a time; while another is outstanding, a copy of that with a
 * nonce of its own asks just as well (spread.c).
 *
 * Which path an answer proves says proof.c. One that proves nothing shows that
 * a path lives whose locator was proved before. The first path to answer may
 * not be the one that was asked: its way may be longer, so its answer is waited
 * for (`await`) and taken late, though the UPDATE is acknowledged and the next
 * one may be under way.
 *
 * What was asked PATHS_ASK_MAX times in vain is dead, until an UPDATE comes
 * from there, or data pay for it (pathwatch.c): each time one question more.
 * Else a net that was cut while we asked, and is mended, would leave us with
 * a peer that we hear but may never ask again. A path that lived, died
 * and should be better is asked again, ever more seldom, and taken when it
 * has answered for a while (hip_path_policy.return_s). A peer that is seen
 * elsewhere (a NAT has changed its mind, or copied packets) is asked there;
 * if it answers, it is asked where we send, too: both may be right.
 * State: struct paths. Owner: the engine's thread.
 */
#include "hip/reach.h"

#include "hip/admit.h"
#include "hip/datapath.h"
#include "hip/fields.h"
#include "hip/ice.h"
#include "hip/locset.h"
#include "hip/paths.h"
#include "hip/pathwatch.h"
#include "hip/proof.h"
#include "hip/regain.h"
#include "hip/update.h"

#define AGAIN (5 * ENGINE_S)  /* a path that should be better; doubles */
#define DOUBT (30 * ENGINE_S) /* the peer is seen elsewhere: ask again */
#define IN_USE (120 * ENGINE_S)
#define ASK_AGAIN ENGINE_S /* one that has never answered */

/* ---- questions ---------------------------------------------------------------- */

void reach_ask(struct hip *h, struct assoc *a, int n, bool seen, uint64_t now)
{
	struct paths *p = a->paths;

	if (n < 0 || p->target == n)
		return;
	p->target = (int8_t)n;
	p->check = true;
	p->seen = seen;
	if (!a->ice) /* that was for another one */
		p->await = false;
	update_probe(h, a, now);
}

/* ---- answers ---------------------------------------------------------------- */

static void lives(struct assoc *a, int n, bool proof, uint64_t now)
{
	struct path *v = &a->paths->v[n];
	struct paths_peer *q = paths_peer_of(a->paths, v);

	if (v->sent && proof) {
		v->rtt_us = (uint32_t)((now - v->sent) / 1000);
		a->paths->rtt_us = v->rtt_us;
	}
	if (v->dead || (!v->verified && regain_is(a, &v->self)))
		v->since = now;
	v->dead = false;
	v->unsure = false;
	v->verified = now;
	if (proof)
		q->active = true;
	if (q->active) {
		q->asked = 0;
		q->given_up = false;
	}
}

/* Another path has answered what this one has had, too. */
static void dies(struct hip *h, struct assoc *a, int n, uint64_t now)
{
	struct path *v = &a->paths->v[n];
	struct paths_peer *q = paths_peer_of(a->paths, v);

	if (v->dead || (!q->active && !paths_spent(a->paths, q)))
		return;
	v->dead = true;
	v->since = 0;
	if (q->active) /* it did live */
		regain_died(h, a, &v->self, now);
	if (!q->given_up)
		paths_tell(h, a, HIP_PATH_FAILED, &v->self, &v->peer, now);
	q->given_up = !q->active;
}

/* The path that has answered is the path, if the one we had is suspect, or
 * was never proved, or the peer, known by its source only, has another. Where
 * an answer came from is no proof: its source may be anybody's. */
static bool takes_over(const struct assoc *a, int n, bool seen)
{
	const struct paths *p = a->paths;
	const struct paths_peer *q = paths_peer_of(p, &p->v[n]);
	int cur = paths_current(a);
	const struct paths_peer *is =
		cur < 0 ? NULL : paths_peer_of(p, &p->v[cur]);

	if (cur < 0)
		return true;
	if (a->suspect && q->active)
		return true;
	return q->active && seen && !is->announced;
}

/* Whoever was asked. */
static void forget(struct paths *p)
{
	p->target = -1;
	p->check = false;
	p->seen = false;
	p->await = false;
	p->round = false;
}

/* The way there may be longer than the one that has answered. */
static void await(struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;

	/* Not by the clock of a round, or of what was awaited before. */
	if (!p->await || p->again_at > now + ASK_AGAIN)
		p->again_at = now + ASK_AGAIN;
	p->await = true;
	p->awaited = a->up.next_id - 1;
}

/* Both through the same relay of ours, which sees the peer elsewhere now. */
static bool relay_sees(const struct paths *p, int cur,
		       const struct paths_peer *q)
{
	return q->via.port && cur >= 0 &&
	       endpoint_eq(&paths_peer_of(p, &p->v[cur])->via, &q->via);
}

/* The peer is seen elsewhere: what its NAT, or ours, has made of the path that
 * it has nominated. Another way of ours to it is another path. */
static void inherit(struct paths *p, int was, int is)
{
	if (!p->v[was].nominated ||
	    !endpoint_eq(&p->v[was].self, &p->v[is].self))
		return;
	p->v[was].nominated = false;
	p->v[is].nominated = true;
}

static void answered(struct hip *h, struct assoc *a, int n, bool proof,
		     uint64_t now)
{
	struct paths *p = a->paths;
	const struct path *v = &p->v[n];
	struct paths_peer *q = paths_peer_of(p, v);
	bool news = proof && !q->active;
	bool risen = v->dead && q->active;
	int cur = paths_current(a);
	int target = p->target;
	bool seen = (p->seen && target == n) || (news && relay_sees(p, cur, q));

	lives(a, n, proof, now);
	if (q->active)
		datapath_heard(h, a, q, now);
	if (proof) {
		a->ice_vain = 0;
		p->round = false;
	}
	if (news || risen)
		paths_tell(h, a, HIP_PATH_VERIFIED, &v->self, &v->peer, now);
	if (target == n)
		forget(p);
	else if (target >= 0)
		await(a, now);
	if (cur == n && a->unproved && q->active) {
		a->unproved = false;
		pathwatch_locator(h, a, now);
	}
	if (cur != n && seen && !takes_over(a, n, seen))
		reach_ask(h, a, cur, false, now);
	if (cur == n || !takes_over(a, n, seen))
		return;
	if (cur >= 0 && a->suspect)
		dies(h, a, cur, now);
	if (cur >= 0 && seen)
		inherit(p, cur, n);
	paths_take(h, a, n, seen ? HIP_PATH_REBOUND : HIP_PATH_TAKEN, now);
	a->tell = a->tell || (h->here.set && cur >= 0 &&
			      !endpoint_eq(&p->v[cur].self, &v->self));
	/* Where it was our relay permits it until that dies. */
	if (seen && relay_sees(p, cur, q))
		reach_ask(h, a, cur, false, now);
}

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

/* RFC 9028 4.9: the peer is there, and no path is; both look for one. */
static void ask_again(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int n;

	if (!p)
		return;
	if (a->ice_vain < UINT8_MAX)
		a->ice_vain++;
	forget(p);
	n = worth_asking(h, a, paths_current(a));
	if (n < 0)
		n = paths_best(h, a, NULL);
	p->wide = true;
	a->nominate = a->nominate || a->up.nominates;
	reach_ask(h, a, n, false, now);
}

/* After a pause (RFC 9028 4.6.2), and never with the answer to what the relay has
 * just brought: that would go back by it, be answered by it, and so on, as fast as
 * both can sign. */
static void next_checks(struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	uint64_t at = now;

	if (!p)
		return;
	for (uint8_t i = 0; i < p->num; i++) {
		uint64_t next = p->v[i].sent + a->ice_pace * ENGINE_MS;

		at = next > at ? next : at;
	}
	p->round = true;
	if (p->again_at > at)
		p->again_at = at;
}

void reach_acked(struct hip *h, struct assoc *a, const struct packet *pk)
{
	struct paths *p = a->paths;
	int n;

	if (a->up.tells) {
		a->told = a->telling;
		a->announced = true;
	}
	if (a->ice && ice_by_relay(a, pk)) {
		next_checks(a, pk->now);
		return;
	}
	if (p) {
		n = proof_of(h, a, pk);
		if (n >= 0)
			answered(h, a, n, true, pk->now);
		else if ((n = paths_find(p, pk->at, pk->from)) >= 0)
			answered(h, a, n, false, pk->now);
		else if (p->target >= 0)
			await(a, pk->now);
		p->wide = false;
	}
	a->suspect = false;
	reach_choose(h, a, pk->now);
}

bool reach_awaits(const struct hip *h, const struct assoc *a,
		  const struct packet *pk)
{
	const struct paths *p = a->paths;
	const struct hip_param *ack = param_find(&pk->m, PARAM_ACK);

	return p && p->await && p->target >= 0 && ack &&
	       fields_has_ack(ack, p->awaited) &&
	       proof_late(h, a, pk, p->target, p->awaited);
}

void reach_late(struct hip *h, struct assoc *a, const struct packet *pk)
{
	answered(h, a, a->paths->target, true, pk->now);
	reach_choose(h, a, pk->now);
}

/* The peer sends from elsewhere, where it is, too: is it still where we send
 * to? What it lists need not be what its NAT makes of it. But it may send by
 * another path than we do for good: keepalives alone are no reason to ask, or
 * question and answer would keep what nobody uses for ever. */
static bool doubt(struct hip *h, struct assoc *a, uint64_t now)
{
	int cur = paths_current(a);

	if (cur < 0 || a->paths->target >= 0 || now - a->last_out > IN_USE)
		return false;
	if (now - a->paths->v[cur].verified < DOUBT && !a->paths->v[cur].unsure)
		return false;
	reach_ask(h, a, cur, false, now);
	return true;
}

static bool is_relayed(const struct assoc *a)
{
	int cur = paths_current(a);

	return cur >= 0 && paths_relayed(a->paths, &a->paths->v[cur]);
}

bool reach_candidate(struct hip *h, struct assoc *a,
		     const struct endpoint *from, const struct endpoint *at,
		     uint64_t now)
{
	struct locset_rules rules = here_rules(&h->here);
	const struct endpoint none = { .port = 0 };
	const struct endpoint *via = datapath_relay(h, at) ? at : &none;
	struct paths_peer *q;
	int n;

	if (!locset_place_ok(&from->addr, &rules) || !from->port ||
	    here_has(&h->here, from) || here_is_outer(&h->here, &from->addr) ||
	    !admit_at(h, a, &from->addr) || !paths_make(h, a))
		return false;
	q = paths_peer_find(a->paths, from, via);
	if (q && q->active)
		return doubt(h, a, now);
	if (q && paths_spent(a->paths, q))
		return false;
	if (is_relayed(a)) /* the direct way is looked for, and may take long */
		checkquota_named(&a->paths->quota, &from->addr, now);
	checkquota_seen(&a->paths->quota, &from->addr, now);
	if (!via->port && !checkquota_left(&a->paths->quota, &from->addr)) {
		reason_count(&h->reasons, REASON_HIP_CHECKS_QUOTA);
		return false;
	}
	q = paths_peer_add_via(a, a->paths, from, via);
	if (!q)
		return false;
	/* Our relay sees it there: it may be reached so, too. */
	if (via->port && a->paths->peer_num < HIP_LOCATORS_MAX)
		(void)paths_peer_add(a, a->paths, from);
	paths_rebuild(h, a);
	if (via->port)
		datapath_permit(h, a, &a->keys->sa, now);
	n = via->port ? paths_find(a->paths, at, from) : paths_best(h, a, from);
	reach_ask(h, a, n, !q->announced, now);
	return true;
}

bool reach_spent(const struct assoc *a, const struct endpoint *at)
{
	const struct paths_peer *q = a->paths ? paths_peer(a->paths, at) : NULL;

	return q && paths_spent(a->paths, q);
}

void reach_heard(struct hip *h, struct assoc *a, const struct endpoint *at,
		 uint64_t now)
{
	struct paths_peer *q;

	if (!reach_spent(a, at))
		return;
	q = paths_peer(a->paths, at);
	if (q->asked >= PATHS_ASK_MAX)
		q->asked = PATHS_ASK_MAX - 1;
	if (!checkquota_left(&a->paths->quota, &at->addr))
		checkquota_paid(&a->paths->quota, &at->addr);
	reach_choose(h, a, now);
}

/* ---- choosing ---------------------------------------------------------------- */

/* A path that would be better, had it not failed. */
static int lost(const struct hip *h, const struct assoc *a, int cur)
{
	const struct paths *p = a->paths;
	int best = -1;

	for (int i = 0; cur >= 0 && i < p->num; i++) {
		const struct path *v = &p->v[i];

		if ((!v->dead && !v->since) || !paths_peer_of(p, v)->active ||
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

/* What we use lives, and is ours for a while. */
static bool keeps(const struct paths *p, int cur, uint64_t now)
{
	return now < p->keep && cur >= 0 &&
	       paths_state(p, &p->v[cur]) == HIP_PATH_ACTIVE;
}

static void plan(struct hip *h, struct assoc *a, int cur, uint64_t now)
{
	struct paths *p = a->paths;
	uint64_t wait = h->here.policy.return_s * ENGINE_S / 2;
	int n = lost(h, a, cur);
	bool alive = n >= 0 && !p->v[n].dead;

	/* An association that nobody uses is not kept alive by this. */
	if ((n < 0 && !regain_waits(h, a, &alive)) ||
	    now - a->last_out > IN_USE)
		return;
	if (!alive)
		wait = AGAIN << p->again;
	if (p->again_at == ENGINE_NEVER || p->again_at > now + wait)
		p->again_at = now + wait;
}

void reach_choose(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int cur, best, n;

	if (!p || (a->state != HIP_ESTABLISHED && a->state != HIP_R2_SENT))
		return;
	paths_give_up(h, a, now);
	cur = paths_current(a);
	best = paths_best(h, a, NULL);
	if (best >= 0 && best != cur && p->v[best].verified &&
	    paths_state(p, &p->v[best]) == HIP_PATH_ACTIVE &&
	    (cur < 0 || paths_better(h, a, best, cur)) && !keeps(p, cur, now) &&
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
	regain_steady(h, a, now);
	n = worth_asking(h, a, cur);
	if (n >= 0 && p->target < 0)
		reach_ask(h, a, n, false, now);
	else if (a->tell || a->nominate)
		update_send(h, a, now);
	plan(h, a, cur, now);
}

/* A way without a relay that has answered, and that the peer, which names the
 * path, does not know of: it has had too many new ports of ours to ask them all
 * (checkquota). Asked by there, it sees that one again. Or -1. */
static int unnamed(const struct paths *p)
{
	for (uint8_t i = 0; i < p->num; i++) {
		const struct path *v = &p->v[i];

		if (!paths_relayed(p, v) && v->verified && !v->dead &&
		    paths_peer_of(p, v)->active)
			return i;
	}
	return -1;
}

void reach_look(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;

	paths_once_more(p, now);
	if (p->target < 0)
		reach_ask(h, a, unnamed(p), false, now);
	for (uint8_t i = 0; i < p->num; i++) {
		struct path *v = &p->v[i];

		if (paths_relayed(p, v) || !v->dead)
			continue;
		v->dead = false;
		v->verified = 0; /* asked, and not taken before it answers */
	}
	p->wide = true;
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

/* The path that should be better is asked again, or we are to be asked. */
static void ask_better(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int n = lost(h, a, paths_current(a));
	bool alive = n >= 0 && !p->v[n].dead;
	bool waits = n < 0 && regain_waits(h, a, &alive);

	p->again_at = ENGINE_NEVER;
	if (now - a->last_out > IN_USE)
		return; /* until it is used again */
	if (waits)
		n = regain_due(h, a);
	if ((n >= 0 || waits) && !alive)
		regain_vain(p, n < 0);
	reach_ask(h, a, n, false, now);
}

void reach_timer(struct hip *h, struct assoc *a, uint64_t now)
{
	struct paths *p = a->paths;
	int n;

	expire(h, a, now);
	datapath_timer(h, a, now);
	if (now >= p->keep)
		p->keep = 0;
	if (now >= p->again_at && p->round) {
		p->again_at = ENGINE_NEVER;
		ask_again(h, a, now);
	} else if (now >= p->again_at && p->await) {
		p->again_at = ENGINE_NEVER;
		n = p->target;
		forget(p);
		if (n >= 0)
			dies(h, a, n, now);
	} else if (now >= p->again_at) {
		ask_better(h, a, now);
	}
	reach_choose(h, a, now);
}
