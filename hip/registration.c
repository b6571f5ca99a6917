/* SPDX-License-Identifier: MIT */
/* Our own registrations at rendezvous servers and relays (RFC 8003, 9028):
 * how each is had, kept, and ended. */
/* THEORY OF OPERATION
 * A registration is a standing wish. Its timer says when to act next: to
 * begin a base exchange (REG_REQUEST then goes with I2, 3.2), or, where an
 * association is up, to send an UPDATE with REG_REQUEST: at 3/4 of the
 * granted lifetime, or after a refusal. The engine tells it of states: an
 * association that closes or fails costs the registration, and it tries
 * again, waiting 1, 2, 4 ... 64 s. REG_REQUEST may only follow a REG_INFO
 * (4.3), which we see in R1 only: an association the server began is
 * closed and made again by us. Why it is not granted, or no more, is told
 * each time (HIP_UNREGISTERED). Bounded by REGISTRATION_MAX.
 *
 * A wish that is over (ending) waits for the server's answer to a request
 * with lifetime 0 (RFC 8003 5), sent as soon as there is an association that
 * can carry it; it is forgotten with that answer, with the association, or
 * when neither comes. An association is for one service only (RFC 9028 7.8):
 * who is to have the other one at the same server closes it first.
 *
 * A server that has moved is looked for where it was told to be, and where it
 * was last.
 *
 * A relay tells us where it sees us (REG_FROM, RFC 9028 4.1). If that is not
 * where we are, there is a NAT between; and our R1s say it (relayed.c), so
 * they are made anew when it changes. It says so in answers only: when it asks
 * whether we are where it has seen us, we ask back.
 */
#include "hip/registration.h"

#include <stdlib.h>
#include <string.h>

#include "hip/datapath.h"
#include "hip/engine.h"
#include "hip/fields.h"
#include "hip/statetab.h"
#include "hip/update.h"

#define BACKOFF_MAX 6 /* 2^6 s */
#define END_WAIT (64 * ENGINE_S)

void registration_fini(struct hip *h)
{
	struct registrations *t = &h->registrations;

	for (size_t i = 0; i < t->num; i++) {
		dueheap_leave(&h->due, &t->v[i]->due);
		free(t->v[i]);
	}
	t->num = 0;
}

struct registration *registration_find(const struct hip *h,
				       const struct hit *self,
				       const struct hit *rvs)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		struct registration *r = h->registrations.v[i];

		if (hit_eq(&r->self, self) && hit_eq(&r->rvs, rvs))
			return r;
	}
	return NULL;
}

bool registration_is_at(const struct registration *r, const struct endpoint *at)
{
	for (size_t i = 0; i < r->at_num; i++) {
		if (endpoint_eq(&r->at[i], at))
			return true;
	}
	return r->last.port && endpoint_eq(&r->last, at);
}

static bool offered(const struct assoc *a, const struct registration *r)
{
	return a->reg_offered >> r->service & 1;
}

static struct hip_effect *tell(struct hip *h, const struct registration *r,
			       const struct assoc *a, enum hip_effect_kind kind)
{
	struct hip_effect *e = effects_put(&h->fx, kind);

	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = a->peer_at;
	e->relay = r->service == FIELDS_REG_RELAY_UDP_HIP;
	return e;
}

/* It is not registered, or no more. why: as hip/register.h has it. */
static void refused(struct hip *h, struct registration *r,
		    const struct assoc *a, uint16_t why)
{
	if (why != HIP_REFUSED_LOST || r->granted)
		tell(h, r, a, HIP_UNREGISTERED)->refusal = why;
	r->granted = false;
}

/* When to act next, if not earlier anyway. */
static void schedule(struct hip *h, struct registration *r, uint64_t at)
{
	if (!r->due.slot || at < r->due.at)
		dueheap_set(&h->due, &r->due, at);
}

static void back_off(struct hip *h, struct registration *r, uint64_t now)
{
	unsigned n = r->failures < BACKOFF_MAX ? r->failures : BACKOFF_MAX;

	r->failures++;
	dueheap_set(&h->due, &r->due, now + engine_backoff(ENGINE_S, n));
}

/* Does a relay, or did one, see us elsewhere than we are? */
static void find_nat(struct registrations *t)
{
	t->behind = false;
	for (size_t i = 0; i < t->num; i++)
		t->behind = t->behind || t->v[i]->behind;
}

static void forget(struct hip *h, struct registration *r, uint64_t now)
{
	struct registrations *t = &h->registrations;
	bool relay = r->service == FIELDS_REG_RELAY_UDP_HIP;
	size_t i = 0;

	datapath_lost(h, r, now);
	while (t->v[i] != r)
		i++;
	t->v[i] = t->v[--t->num];
	find_nat(t);
	dueheap_leave(&h->due, &r->due);
	free(r);
	if (relay)
		r1pool_renew(h, now); /* they say how NATs are passed */
}

static bool is_up(const struct assoc *a)
{
	return a && (a->state == HIP_ESTABLISHED || a->state == HIP_R2_SENT);
}

static void leave(struct hip *h, struct assoc *a, uint64_t now)
{
	struct event ev = { .kind = STATETAB_LEAVE, .a = a, .now = now };

	if (a)
		statetab_run(h, &ev);
}

void registration_change(struct hip *h, struct registration *r, uint8_t service,
			 uint64_t now)
{
	datapath_lost(h, r, now);
	r->service = service;
	r->granted = false;
	r->asking = false;
	r->behind = false;
	r->seen_at = (struct endpoint){ .port = 0 };
	find_nat(&h->registrations);
	/* What it was until now ends with the association. */
	leave(h, assoc_find(&h->assocs, &r->self, &r->rvs), now);
	r1pool_renew(h, now); /* they say how NATs are passed */
	dueheap_set(&h->due, &r->due, now + 2 * ENGINE_S);
}

void registration_begin(struct hip *h, struct registration *r, uint64_t now)
{
	struct endpoint at[HIP_LOCATORS_MAX];
	size_t num = r->at_num;
	bool more = r->last.port;

	memcpy(at, r->at, num * sizeof(*at));
	for (size_t i = 0; i < num; i++)
		more = more && !endpoint_eq(&at[i], &r->last);
	if (more && num == HIP_LOCATORS_MAX)
		num--;
	if (more)
		at[num++] = r->last;
	if (hip_want(h, &r->self, &r->rvs, at, num, now))
		dueheap_set(&h->due, &r->due, now + 2 * ENGINE_S);
}

void registration_anew(struct hip *h, struct registration *r, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, &r->self, &r->rvs);
	bool up = is_up(a);

	if (!up)
		leave(h, a, now); /* it asks where the server was */
	registration_begin(h, r, now);
	if (up)
		registration_timer(h, &r->due, now);
}

/* Asks the server to end it. */
static void cancel(struct hip *h, struct registration *r, struct assoc *a,
		   uint64_t now)
{
	r->asking = true;
	update_send(h, a, now);
	assoc_arm(h, a);
}

void registration_end(struct hip *h, struct registration *r, uint64_t now)
{
	struct assoc *a = assoc_find(&h->assocs, &r->self, &r->rvs);

	r->ending = true;
	r->granted = false;
	dueheap_set(&h->due, &r->due, now + END_WAIT);
	if (is_up(a) && offered(a, r))
		cancel(h, r, a, now);
	else if (!a || (a->state != HIP_I1_SENT && a->state != HIP_I2_SENT))
		forget(h, r, now);
}

uint8_t registration_code(const struct hip *h, const struct hit *self,
			  const struct hit *peer, uint8_t *service)
{
	const struct registration *r = registration_find(h, self, peer);

	if (!r || r->ending || h->leaving)
		return 0;
	*service = r->service;
	return fields_lifetime_code(r->lifetime_s);
}

uint8_t registration_take(struct hip *h, const struct assoc *a, uint8_t *code)
{
	struct registration *r = registration_find(h, &a->self, &a->peer);

	if (!r || !r->asking || !offered(a, r))
		return 0;
	r->asking = false;
	r->told = r->ending;
	*code = fields_lifetime_code(r->lifetime_s);
	if (*code > a->reg_max)
		*code = a->reg_max;
	if (*code < a->reg_min)
		*code = a->reg_min;
	if (r->ending)
		*code = 0; /* RFC 8003 5 */
	return r->service;
}

bool registration_due(const struct hip *h, const struct assoc *a)
{
	const struct registration *r = registration_find(h, &a->self, &a->peer);

	return r && r->asking && offered(a, r);
}

void registration_seen(struct hip *h, const struct assoc *a)
{
	struct registration *r = registration_find(h, &a->self, &a->peer);

	if (r && r->granted && r->service == FIELDS_REG_RELAY_UDP_HIP)
		r->asking = true;
}

bool registration_data(const struct assoc *a)
{
	return a->up.reg_type == FIELDS_REG_RELAY_UDP_HIP &&
	       a->reg_offered >> FIELDS_REG_RELAY_UDP_ESP & 1;
}

static void granted(struct hip *h, struct registration *r,
		    const struct assoc *a, uint64_t ms, uint64_t now)
{
	struct hip_effect *e = tell(h, r, a, HIP_REGISTERED);

	r->granted = true;
	r->failures = 0;
	r->expires = now + ms * ENGINE_MS;
	/* Before 3/4 have gone by (checklist R06). */
	dueheap_set(&h->due, &r->due, now + ms * ENGINE_MS / 4 * 3);
	e->seen_at = r->seen_at;
	e->relayed_at = r->relayed_at;
	e->lifetime_s = ms < 1000 ? 1 : (uint32_t)(ms / 1000);
}

bool registration_response(const struct hip_msg *m, uint8_t service,
			   uint64_t *ms)
{
	const struct hip_param *p = param_find(m, PARAM_REG_RESPONSE);
	struct field_reg reg;

	for (; p; p = param_next(m, p)) {
		if (!fields_get_reg(p, &reg) || !reg.types_num ||
		    !memchr(reg.types, service, reg.types_num))
			continue;
		*ms = fields_lifetime_ms(reg.first);
		return true;
	}
	return false;
}

/* RFC 9028 4.1: in every answer of a relay. */
static void take_seen_at(struct hip *h, struct registration *r,
			 const struct assoc *a, const struct hip_msg *m,
			 uint64_t now)
{
	const struct hip_param *p = param_find(m, PARAM_REG_FROM);
	struct endpoint at;
	bool news;

	if (!p || r->service != FIELDS_REG_RELAY_UDP_HIP ||
	    !fields_get_udp_at(p, &at) || addr_is_unusable(&at.addr))
		return;
	r->behind = !endpoint_eq(&at, &a->self_at);
	find_nat(&h->registrations);
	if (endpoint_eq(&r->seen_at, &at))
		return;
	news = r->seen_at.port;
	r->seen_at = at;
	if (news) /* RFC 9028 4.1: a candidate has changed */
		datapath_tell(h, r, now);
	r1pool_renew(h, now); /* they say so */
}

/* The Failure Type that is given for this service, or that none is. */
static uint16_t failure(const struct hip_msg *m, uint8_t service)
{
	const struct hip_param *p = param_find(m, PARAM_REG_FAILED);
	struct field_reg reg;

	for (; p; p = param_next(m, p)) {
		if (fields_get_reg(p, &reg) && reg.types_num &&
		    memchr(reg.types, service, reg.types_num))
			return reg.first;
	}
	return HIP_REFUSED_SILENT;
}

/* An answer while it ends. is: it grants ms. */
static void ended(struct hip *h, struct registration *r, struct assoc *a,
		  bool is, uint64_t now)
{
	if (r->told || !is)
		forget(h, r, now);
	else /* what was under way when the wish ended */
		cancel(h, r, a, now);
}

void registration_answer(struct hip *h, struct assoc *a,
			 const struct hip_msg *m, bool final, uint64_t now)
{
	struct registration *r = registration_find(h, &a->self, &a->peer);
	uint64_t ms = 0;
	bool is;

	if (!r)
		return;
	is = registration_response(m, r->service, &ms);
	if (r->ending) {
		if (final)
			ended(h, r, a, is && ms, now);
		return;
	}
	take_seen_at(h, r, a, m, now);
	datapath_answer(h, r, m, final, now);
	if (is && ms) {
		granted(h, r, a, ms, now);
	} else if (is) { /* RFC 8003 5 */
		refused(h, r, a, HIP_REFUSED_CANCELLED);
		back_off(h, r, now);
	} else if (final) {
		refused(h, r, a,
			offered(a, r) ? failure(m, r->service)
				      : HIP_REFUSED_OFFER);
		back_off(h, r, now);
	}
}

/* Forgets a wish that is over when nothing can be asked any more. */
static void end_state(struct hip *h, struct registration *r, enum hip_state s,
		      uint64_t now)
{
	if (s != HIP_ESTABLISHED && s != HIP_I1_SENT && s != HIP_I2_SENT)
		forget(h, r, now);
}

void registration_state(struct hip *h, const struct assoc *a, enum hip_state s,
			uint64_t now)
{
	struct registration *r = registration_find(h, &a->self, &a->peer);

	if (!r || h->leaving)
		return;
	if (r->ending) {
		end_state(h, r, s, now);
		return;
	}
	if (s != HIP_ESTABLISHED)
		datapath_lost(h, r, now);
	if (r->granted && !a->unproved)
		r->last = a->peer_at;
	switch (s) {
	case HIP_R2_SENT: /* its exchange, not ours: nothing was asked */
		refused(h, r, a, HIP_REFUSED_LOST);
		r->asking = false;
		schedule(h, r, now + ENGINE_S);
		break;
	case HIP_E_FAILED:
		refused(h, r, a, HIP_REFUSED_UNREACHED);
		back_off(h, r, now + engine_times.hold);
		break;
	case HIP_CLOSING:
	case HIP_CLOSED:
		refused(h, r, a, HIP_REFUSED_LOST);
		back_off(h, r, now);
		break;
	case HIP_UNASSOCIATED:
		/* Where it waits already, a hold or a back-off goes on. */
		if (r->granted || !r->due.slot)
			schedule(h, r, now + ENGINE_S);
		refused(h, r, a, HIP_REFUSED_LOST);
		break;
	default:
		break;
	}
}

bool registration_relay(const struct hip *h, const struct hit *self,
			const struct hit *peer)
{
	const struct registration *r = registration_find(h, self, peer);

	return r && r->service == FIELDS_REG_RELAY_UDP_HIP;
}

bool registration_reflexive(const struct hip *h, const struct hit *self,
			    struct endpoint *at)
{
	bool any = false;

	*at = (struct endpoint){ .port = 0 };
	for (size_t i = 0; i < h->registrations.num; i++) {
		const struct registration *r = h->registrations.v[i];

		if (r->service != FIELDS_REG_RELAY_UDP_HIP ||
		    !hit_eq(&r->self, self))
			continue;
		any = true;
		if (!at->port)
			*at = r->seen_at;
	}
	return any;
}

bool registration_holds(const struct hip *h, const struct assoc *a)
{
	return !h->leaving && registration_find(h, &a->self, &a->peer);
}

void registration_timer(struct hip *h, struct due *d, uint64_t now)
{
	struct registration *r =
		(struct registration *)((char *)d -
					offsetof(struct registration, due));
	struct assoc *a = assoc_find(&h->assocs, &r->self, &r->rvs);

	if (h->leaving)
		return;
	if (r->ending) {
		forget(h, r, now);
	} else if (is_up(a) && offered(a, r)) {
		r->asking = true;
		update_send(h, a, now);
		assoc_arm(h, a);
	} else if (is_up(a) && a->initiator) {
		/* No REG_INFO was seen. */
		refused(h, r, a, HIP_REFUSED_OFFER);
		back_off(h, r, now);
		dueheap_set(&h->due, &r->due, now + 64 * ENGINE_S);
	} else if (is_up(a)) {
		/* The server began this association: ours will show. */
		leave(h, a, now);
		dueheap_set(&h->due, &r->due, now + 2 * ENGINE_S);
	} else if (!r->granted) { /* it cannot be, without an association */
		registration_begin(h, r, now);
	}
}

void registration_offer(struct assoc *a, const struct hip_msg *m)
{
	const struct hip_param *p = param_find(m, PARAM_REG_INFO);
	struct field_reg_info info;

	if (!p || !fields_get_reg_info(p, &info))
		return;
	a->reg_offered = fields_reg_services(&info);
	a->reg_min = info.min_lifetime;
	a->reg_max = info.max_lifetime;
}
