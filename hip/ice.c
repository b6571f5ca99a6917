/* SPDX-License-Identifier: MIT */
/* ICE-HIP-UDP: candidates, connectivity checks, nomination (RFC 9028 4.2 to
 * 4.6, 4.9). */
/* THEORY OF OPERATION
 * NAT traversal mode 3 is taken when R1 came through the peer's control relay.
 * Then the whole exchange passes it, I2 and R2 carry the candidates of both
 * sides in ENCRYPTED, and only what connectivity checks have proved is sent
 * to: until then the SA is on standby, it opens and does not send, and what
 * is to be sent waits where it came from.
 *
 * A check is what paths have always been proved with: an UPDATE with SEQ and
 * ECHO_REQUEST_SIGNED (reach.c), in copies for all pairs, each with a nonce of
 * its own behind the signature (spread.c). Here it has CANDIDATE_PRIORITY,
 * its copies leave `pace` apart and are repeated after a second (4.6.2), and
 * the answer has MAPPED_ADDRESS and must come back along the very pair. So
 * there is one SEQ and one signature for a round of checks, not for each pair;
 * a peer that counts copies as repetitions answers them all the same. Holes
 * in two NATs are made by both sides checking at once: R2 is the signal. A
 * check from where nobody is known to be is a peer-reflexive candidate and
 * triggers a check there (pathwatch.c). Never-proved candidates get
 * PATHS_ASK_MAX copies, so the whole list makes 24, below the 100 of 4.6.2.
 *
 * Who began the exchange controls: whenever it takes a path, its next UPDATE
 * goes there and says NOMINATE. The other one marks that path, which from then
 * on is better than all that live (paths.c), asks there with its answer (4.6.3)
 * and so follows. If the nominated path dies, both look for another one as
 * ever, and the first one nominates again.
 *
 * A control relay is no path. What comes by it proves nothing about any; it is where
 * news goes that cannot get through else: new candidates (4.9), and UPDATEs
 * that found no answer in their first round; and to a peer without a relay of its
 * own, back the way it has asked by ours. If that goes on VAIN times while
 * no path answers, the peer counts as gone.
 * State: struct assoc, struct paths. Owner: the engine's thread.
 */
#include "hip/ice.h"

#include <stdlib.h>
#include <string.h>

#include "hip/admit.h"
#include "hip/datapath.h"
#include "hip/encrypted.h"
#include "hip/fields.h"
#include "hip/notify.h"
#include "hip/paths.h"
#include "hip/reach.h"
#include "hip/relayed.h"

#define HOSTS_MAX (HIP_LOCATORS_MAX - 4) /* of our candidates */
#define PACE_MAX_MS 5000
#define VAIN 6

/* RFC 8445 5.1.2.1, 9028 4.2: one component. */
#define PRIORITY(type, local)                                                  \
	(((uint32_t)(type) << 24) + ((uint32_t)(local) << 8) + 255)
#define LOCAL_MAX 65535u
#define PEER_REFLEXIVE 110

/* ---- candidates ------------------------------------------------------------ */

static void add(struct locset *out, const struct endpoint *at,
		enum locator_kind kind)
{
	static const uint8_t type[LOCATOR_KIND_NUM] = { 126, 100,
							PEER_REFLEXIVE, 0 };

	if (!at->port || addr_is_unusable(&at->addr) ||
	    out->num == HIP_LOCATORS_MAX)
		return;
	for (size_t i = 0; i < out->num; i++) {
		if (endpoint_eq(&out->v[i].at, at))
			return;
	}
	out->v[out->num] = (struct locator){
		.at = *at,
		.lifetime_s = LOCSET_FOREVER,
		.kind = (uint8_t)kind,
		.priority = PRIORITY(type[kind], LOCAL_MAX - out->num),
	};
	out->num++;
}

/* Behind a NAT that the administrator knows: who is there, too, takes the
 * inner one. */
static void add_outside(const struct hip *h, struct locset *out)
{
	size_t hosts = out->num;

	for (size_t i = 0; i < hosts; i++) {
		struct endpoint as = here_outside(&h->here, &out->v[i].at);

		add(out, &as, LOCATOR_SERVER_REFLEXIVE);
	}
}

/* The relays of one identity: where they see us, our ports there, and one to
 * be named. */
static void add_relays(const struct hip *h, const struct hit *self,
		       struct locset *out)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];
		const struct assoc *a;

		if (r->service != FIELDS_REG_RELAY_UDP_HIP || !r->granted ||
		    !hit_eq(&r->self, self))
			continue;
		add(out, &r->seen_at, LOCATOR_SERVER_REFLEXIVE);
		a = assoc_find(&h->assocs, &r->self, &r->rvs);
		if (a && a->sa_up && !out->server.port)
			out->server = a->peer_at;
	}
}

/* A last resort (RFC 9028 4.2). */
static void add_ports(const struct hip *h, const struct hit *self,
		      struct locset *out)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];

		if (hit_eq(&r->self, self))
			add(out, &r->relayed_at, LOCATOR_RELAYED);
	}
}

void ice_candidates(const struct hip *h, const struct hit *self,
		    const struct endpoint *at, const struct endpoint *mapped,
		    uint32_t spi, struct locset *out)
{
	memset(out, 0, sizeof(*out));
	if (!datapath_relay(h, at) &&
	    (!h->here.set || here_is_quiet(&h->here, at)))
		add(out, at, LOCATOR_HOST);
	for (size_t i = 0; i < h->here.num && out->num < HOSTS_MAX; i++)
		add(out, &h->here.at[i].at, LOCATOR_HOST);
	add_outside(h, out);
	add_relays(h, self, out);
	add(out, mapped, LOCATOR_SERVER_REFLEXIVE);
	add_ports(h, self, out);
	for (size_t i = 0; i < out->num; i++)
		out->v[i].spi = spi;
}

int ice_put_moved(struct msg_builder *b, const struct hip *h,
		  const struct assoc *a, uint32_t spi)
{
	const struct endpoint none = { .port = 0 };
	struct msg_builder inner;
	struct locset set;

	ice_candidates(h, &a->self, &a->self_at, &none, spi, &set);
	message_begin_inner(&inner);
	locset_put(&inner, &set);
	return encrypted_seal(b, &inner, a->keys->cipher, a->keys->hip.enc_out);
}

enum reason ice_read(const struct hip *h, const struct assoc_keys *k,
		     const struct hip_msg *m, struct readdress_offer *out)
{
	const struct hip_param *p = param_find(m, PARAM_ENCRYPTED);
	struct locset_rules rules = here_rules(&h->here);
	struct encrypted_inner *in;
	const struct hip_param *l;
	enum reason r;

	memset(out, 0, sizeof(*out));
	if (!p)
		return REASON_NUM;
	in = malloc(sizeof(*in));
	if (!in)
		return REASON_HIP_CRYPTO;
	r = encrypted_open(p, m->type, k->cipher, k->hip.enc_in, in);
	l = r == REASON_NUM ? param_find(&in->params, PARAM_LOCATOR_SET) : NULL;
	out->has = l;
	if (l)
		r = locset_read(l->contents, l->len, &rules, &out->set);
	encrypted_wipe(in);
	free(in);
	return r;
}

uint32_t ice_pace(const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_TRANSACTION_PACING);
	uint32_t ms;

	if (!p || !fields_get_number(p, &ms) || ms < ICE_PACE_MS)
		return ICE_PACE_MS;
	return ms < PACE_MAX_MS ? ms : PACE_MAX_MS;
}

uint32_t ice_priority(const struct paths_peer *q)
{
	return q->priority ? q->priority : PRIORITY(PEER_REFLEXIVE, LOCAL_MAX);
}

/* ---- beginning --------------------------------------------------------------- */

/* Could a host be there, and may it? */
static bool fits(struct hip *h, const struct assoc *a,
		 const struct endpoint *at)
{
	struct locset_rules rules = here_rules(&h->here);

	return at->port && locset_place_ok(&at->addr, &rules) &&
	       !here_has(&h->here, at) && !here_is_outer(&h->here, &at->addr) &&
	       admit_at(h, a, &at->addr);
}

/* Is that the relay the exchange has passed, or one of ours? Whom else a peer
 * calls a relay is sent nothing. */
static bool vouched(const struct hip *h, const struct endpoint *server,
		    const struct packet *pk)
{
	if (endpoint_eq(server, pk->from))
		return true;
	for (size_t i = 0; i < h->registrations.num; i++) {
		if (registration_is_at(h->registrations.v[i], server))
			return true;
	}
	return false;
}

/* Where its relay, or ours, has just seen it: a candidate, listed or not. */
static void add_seen(struct hip *h, struct assoc *a, const struct endpoint *at)
{
	if (fits(h, a, at) && paths_peer_add(a, a->paths, at))
		paths_rebuild(h, a);
}

void ice_begin(struct hip *h, struct assoc *a, const struct readdress_offer *o,
	       const struct packet *pk)
{
	const struct endpoint relay = *pk->from;
	int best = -1;

	a->ice_waits = true;
	a->unproved = true;
	a->told = h->here.generation;
	a->announced = true;
	if (vouched(h, &o->set.server, pk))
		a->relay_at = o->set.server;
	else
		a->relay_at = (struct endpoint){ .port = 0 };
	a->up.waiting = true; /* without paths, too: it ends in ice_spent */
	if (!paths_make(h, a))
		return;
	a->up.held = true;
	readdress_apply(h, a, o, pk);
	add_seen(h, a, &pk->relayed);
	if (ice_by_relay(a, pk)) {
		paths_peer_del(a->paths, &relay); /* it is no candidate */
		paths_rebuild(h, a);
		best = paths_best(h, a, NULL);
	}
	if (best >= 0) {
		a->self_at = a->paths->v[best].self;
		a->peer_at = a->paths->v[best].peer;
	}
	a->up.held = false;
	a->paths->target = -1;
	a->paths->check = false;
	a->paths->wide = true;
}

void ice_switch(struct hip *h, const struct assoc *a)
{
	struct hip_effect *e = assoc_sa_effect(h, a, HIP_SA_SWITCH);

	e->sa.suite = a->keys->sa.suite;
	e->sa.spi_in = a->keys->sa.spi_in;
	e->sa.spi_out = a->keys->sa.spi_out;
}

void ice_proved(struct hip *h, struct assoc *a)
{
	if (!a->ice)
		return;
	a->ice_vain = 0;
	a->nominate = a->initiator;
	if (!a->ice_waits)
		return;
	a->ice_waits = false;
	ice_switch(h, a);
}

/* ---- checks -------------------------------------------------------------------- */

void ice_prepare(struct assoc *a)
{
	int cur = paths_current(a);

	if (!a->nominate || cur < 0)
		return;
	if (a->paths->target != cur) /* that was for another one */
		a->paths->await = false;
	a->paths->target = (int8_t)cur;
	a->paths->check = true;
}

/* Type order (RFC 7401 5.2.1). */
void ice_put(struct msg_builder *b, struct hip *h, struct assoc *a, bool asks,
	     const struct update_answer *ans, const struct hip_msg *theirs)
{
	struct endpoint at;

	if (ans)
		registrar_put_relayed(b, &ans->reg);
	if (asks)
		datapath_put(b, h, a); /* to a relay, which is no ICE peer */
	if (!a->ice)
		return;
	asks = asks && a->paths && a->paths->echoed;
	if (ans && param_find(theirs, PARAM_CANDIDATE_PRIORITY)) {
		at = ans->relayed.port ? ans->relayed : ans->from;
		fields_put_udp_at(b, PARAM_MAPPED_ADDRESS, &at);
	}
	if (asks) /* of who is seen so for the first time (9028 4.6.2) */
		fields_put_number(b, PARAM_CANDIDATE_PRIORITY,
				  PRIORITY(PEER_REFLEXIVE, LOCAL_MAX));
	if ((asks && a->nominate) ||
	    (ans && !a->initiator && param_find(theirs, PARAM_NOMINATE)))
		fields_put_number(b, PARAM_NOMINATE, 0);
}

/* RFC 9028 4.6.3: the controlled host. */
static void nominated(struct hip *h, struct assoc *a, const struct packet *pk)
{
	const struct endpoint any = { .port = HIP_PORT };
	struct paths *p = paths_make(h, a);
	int n;

	if (!p)
		return;
	if (paths_find(p, pk->at, pk->from) < 0)
		(void)reach_candidate(h, a, pk->from, pk->at, pk->now);
	n = paths_find(p, pk->at, pk->from);
	if (n < 0 && !datapath_is_port(h, pk->at))
		n = paths_find(p, &any, pk->from); /* the kernel picks */
	if (n < 0 && paths_peer(p, pk->from))
		n = paths_best(h, a, pk->from);
	/* What came straight names no path by our relay. */
	if (n < 0 || (datapath_is_port(h, &p->v[n].self) &&
		      !datapath_is_port(h, pk->at)))
		return;
	if (!p->v[n].nominated)
		paths_tell(h, a, HIP_PATH_NOMINATED, pk->at, pk->from, pk->now);
	for (uint8_t i = 0; i < p->num; i++)
		p->v[i].nominated = false;
	p->v[n].nominated = true;
	update_abandon(a); /* RFC 9028 4.6.3: the answer asks */
	reach_choose(h, a, pk->now);
	p->target = -1;
	p->await = false;
	p->round = false;
	reach_ask(h, a, n, false, pk->now);
}

void ice_heard(struct hip *h, struct assoc *a, const struct packet *pk)
{
	if (a->ice && !a->initiator && !ice_by_relay(a, pk) &&
	    param_find(&pk->m, PARAM_NOMINATE))
		nominated(h, a, pk);
}

void ice_tell_back(struct hip *h, struct assoc *a, const struct packet *pk)
{
	if (!a->ice || !a->up.outstanding || !a->up.tells || !a->up.sent.p)
		return;
	/* The relay says where that is, and a peer may lie to it. */
	if (!srcrate_allow(&h->budget.checks, &pk->relayed.addr, pk->now)) {
		reason_count(&h->reasons, REASON_HIP_CHECKS_RATE);
		return;
	}
	relayed_send(h, a, &a->up.sent, pk->from, pk->at, &pk->relayed);
	if (a->paths) /* its answer proves no path */
		a->paths->echo_spread = true;
}

const struct endpoint *ice_from(const struct packet *pk)
{
	return pk->relayed.port ? &pk->relayed : pk->from;
}

bool ice_by_relay(const struct assoc *a, const struct packet *pk)
{
	const struct paths_peer *q =
		a->paths ? paths_peer(a->paths, pk->from) : NULL;

	if (pk->relayed.port || endpoint_eq(pk->from, &a->relay_at))
		return true;
	/* From a relayed candidate, or to our own, it has come along a path
	 * (RFC 9028 4.12.2). */
	return param_find(&pk->m, PARAM_RELAY_TO) && !(q && q->relayed) &&
	       !pk->source.port;
}

/* ---- the end ------------------------------------------------------------------- */

bool ice_spent(const struct assoc *a)
{
	const struct paths *p = a->paths;

	if (a->ice_vain >= VAIN)
		return true;
	for (uint8_t i = 0; a->ice_waits && p && i < p->peer_num; i++) {
		if (!paths_spent(p, &p->peer[i]))
			return false;
	}
	return a->ice_waits;
}

void ice_failed(struct hip *h, struct assoc *a, uint64_t now)
{
	const struct endpoint *to =
		a->relay_at.port ? &a->relay_at : &a->peer_at;
	struct hip_effect *e;

	if (!a->ice_waits)
		return;
	notify_tell(h, a, FIELDS_CHECKS_FAILED, to, now);
	e = effects_put(&h->fx, HIP_FAILED);
	e->self = a->self;
	e->peer = a->peer;
	e->peer_at = a->peer_at;
	e->reason = REASON_HIP_CHECKS;
}
