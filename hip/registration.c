/* SPDX-License-Identifier: MIT */
/* Our own registrations at rendezvous servers and relays (RFC 8003, 9028). */
/* THEORY OF OPERATION
 * A registration is a standing wish. Its timer says when to act next: to
 * begin a base exchange (REG_REQUEST then goes with I2, 3.2), or, where an
 * association is up, to send an UPDATE with REG_REQUEST: at 3/4 of the
 * granted lifetime, or after a refusal. The engine tells it of states: an
 * association that closes or fails costs the registration, and it tries
 * again, waiting 1, 2, 4 ... 64 s. REG_REQUEST may only follow a REG_INFO
 * (4.3), which we see in R1 only: an association the server began is
 * closed and made again by us. Bounded by REGISTRATION_MAX.
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

void registration_fini(struct hip *h)
{
	struct registrations *t = &h->registrations;

	for (size_t i = 0; i < t->num; i++) {
		dueheap_leave(&h->due, &t->v[i]->due);
		free(t->v[i]);
	}
	t->num = 0;
}

static struct registration *find(const struct hip *h, const struct hit *self,
				 const struct hit *rvs)
{
	for (size_t i = 0; i < h->registrations.num; i++) {
		struct registration *r = h->registrations.v[i];

		if (hit_eq(&r->self, self) && hit_eq(&r->rvs, rvs))
			return r;
	}
	return NULL;
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

	r->granted = false;
	r->failures++;
	dueheap_set(&h->due, &r->due, now + engine_backoff(ENGINE_S, n));
}

int registration_add(struct hip *h, const struct registration *r, uint64_t now)
{
	struct registrations *t = &h->registrations;
	struct registration *old = find(h, &r->self, &r->rvs);
	struct registration *mine;
	int err;

	if (old && old->service != r->service)
		return HG_EEXIST; /* RFC 9028 7.8 */
	if (old) {
		old->at = r->at;
		old->lifetime_s = r->lifetime_s;
		return HG_OK;
	}
	if (t->num >= REGISTRATION_MAX)
		return HG_EFULL;
	mine = malloc(sizeof(*mine));
	if (!mine)
		return HG_ENOMEM;
	err = dueheap_reserve(&h->due);
	if (err) {
		free(mine);
		return err;
	}
	*mine = *r;
	mine->due = (struct due){ .kind = ENGINE_REGISTRATION };
	t->v[t->num++] = mine;
	if (mine->service == FIELDS_REG_RELAY_UDP_HIP)
		r1pool_renew(h, now); /* they say how NATs are passed */
	registration_timer(h, &mine->due, now);
	return HG_OK;
}

static int wish(struct hip *h, struct registration *r, const struct hit *self,
		uint64_t now)
{
	self = self ? self : hip_default_hit(h);
	if (!self || !engine_identity(h, self) || r->lifetime_s == 0)
		return HG_EINVAL;
	r->self = *self;
	return registration_add(h, r, now);
}

int hip_register(struct hip *h, const struct hit *self, const struct hit *rvs,
		 const struct endpoint *at, uint32_t lifetime_s, uint64_t now)
{
	struct registration r = { .rvs = *rvs,
				  .at = *at,
				  .service = FIELDS_REG_RENDEZVOUS,
				  .lifetime_s = lifetime_s };

	return wish(h, &r, self, now);
}

int hip_register_relay(struct hip *h, const struct hit *self,
		       const struct hit *relay, const struct endpoint *at,
		       uint32_t lifetime_s, uint64_t now)
{
	struct registration r = { .rvs = *relay,
				  .at = *at,
				  .service = FIELDS_REG_RELAY_UDP_HIP,
				  .lifetime_s = lifetime_s };

	return wish(h, &r, self, now);
}

uint8_t registration_code(const struct hip *h, const struct hit *self,
			  const struct hit *peer, uint8_t *service)
{
	const struct registration *r = find(h, self, peer);

	if (!r || h->leaving)
		return 0;
	*service = r->service;
	return fields_lifetime_code(r->lifetime_s);
}

static bool offered(const struct assoc *a, const struct registration *r)
{
	return a->reg_offered >> r->service & 1;
}

uint8_t registration_take(struct hip *h, const struct assoc *a,
			  uint8_t *service)
{
	struct registration *r = find(h, &a->self, &a->peer);
	uint8_t code;

	if (!r || !r->asking || !offered(a, r))
		return 0;
	r->asking = false;
	*service = r->service;
	code = fields_lifetime_code(r->lifetime_s);
	if (code > a->reg_max)
		code = a->reg_max;
	return code < a->reg_min ? a->reg_min : code;
}

bool registration_due(const struct hip *h, const struct assoc *a)
{
	const struct registration *r = find(h, &a->self, &a->peer);

	return r && r->asking && offered(a, r);
}

void registration_seen(struct hip *h, const struct assoc *a)
{
	struct registration *r = find(h, &a->self, &a->peer);

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
	struct hip_effect *e = effects_put(&h->fx, HIP_REGISTERED);

	r->granted = true;
	r->failures = 0;
	r->expires = now + ms * ENGINE_MS;
	/* Before 3/4 have gone by (checklist R06). */
	dueheap_set(&h->due, &r->due, now + ms * ENGINE_MS / 4 * 3);
	e->self = a->self;
	e->peer = a->peer;
	e->self_at = a->self_at;
	e->peer_at = a->peer_at;
	e->relay = r->service == FIELDS_REG_RELAY_UDP_HIP;
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
	struct registrations *t = &h->registrations;
	struct endpoint at;
	bool news;

	if (!p || r->service != FIELDS_REG_RELAY_UDP_HIP ||
	    !fields_get_udp_at(p, &at) || addr_is_unusable(&at.addr))
		return;
	r->behind = !endpoint_eq(&at, &a->self_at);
	t->behind = false;
	for (size_t i = 0; i < t->num; i++)
		t->behind = t->behind || t->v[i]->behind;
	if (endpoint_eq(&r->seen_at, &at))
		return;
	news = r->seen_at.port;
	r->seen_at = at;
	if (news) /* RFC 9028 4.1: a candidate has changed */
		datapath_tell(h, r, now);
	r1pool_renew(h, now); /* they say so */
}

void registration_answer(struct hip *h, struct assoc *a,
			 const struct hip_msg *m, bool final, uint64_t now)
{
	struct registration *r = find(h, &a->self, &a->peer);
	uint64_t ms;

	if (!r)
		return;
	take_seen_at(h, r, a, m, now);
	datapath_answer(h, r, m, final, now);
	if (registration_response(m, r->service, &ms)) {
		if (ms)
			granted(h, r, a, ms, now);
		else
			back_off(h, r, now); /* cancelled: RFC 8003 5 */
	} else if (final) {
		back_off(h, r, now);
	}
}

void registration_state(struct hip *h, const struct assoc *a, enum hip_state s,
			uint64_t now)
{
	struct registration *r = find(h, &a->self, &a->peer);

	if (!r || h->leaving)
		return;
	if (s != HIP_ESTABLISHED)
		datapath_lost(h, r, now);
	switch (s) {
	case HIP_R2_SENT: /* its exchange, not ours: nothing was asked */
		r->granted = false;
		r->asking = false;
		schedule(h, r, now + ENGINE_S);
		break;
	case HIP_E_FAILED:
		back_off(h, r, now + engine_times.hold);
		break;
	case HIP_CLOSING:
	case HIP_CLOSED:
		back_off(h, r, now);
		break;
	case HIP_UNASSOCIATED:
		/* Where it waits already, a hold or a back-off goes on. */
		if (r->granted || !r->due.slot)
			schedule(h, r, now + ENGINE_S);
		r->granted = false;
		break;
	default:
		break;
	}
}

bool registration_relay(const struct hip *h, const struct hit *self,
			const struct hit *peer)
{
	const struct registration *r = find(h, self, peer);

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
	return !h->leaving && find(h, &a->self, &a->peer);
}

void registration_timer(struct hip *h, struct due *d, uint64_t now)
{
	struct registration *r =
		(struct registration *)((char *)d -
					offsetof(struct registration, due));
	struct assoc *a = assoc_find(&h->assocs, &r->self, &r->rvs);
	struct event ev = { .kind = STATETAB_LEAVE, .a = a, .now = now };
	int err;

	if (h->leaving)
		return;
	if (a && (a->state == HIP_ESTABLISHED || a->state == HIP_R2_SENT)) {
		if (offered(a, r)) {
			r->asking = true;
			update_send(h, a, now);
			assoc_arm(h, a);
			return;
		}
		/* No REG_INFO was seen. The server may not offer it; or it
		 * began this association: then ours will show. */
		if (a->initiator) {
			back_off(h, r, now);
			dueheap_set(&h->due, &r->due, now + 64 * ENGINE_S);
			return;
		}
		statetab_run(h, &ev);
		dueheap_set(&h->due, &r->due, now + 2 * ENGINE_S);
		return;
	}
	if (r->granted)
		return; /* cannot be without an association */
	err = hip_want(h, &r->self, &r->rvs, &r->at, 1, now);
	if (err)
		dueheap_set(&h->due, &r->due, now + 2 * ENGINE_S);
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
