/* SPDX-License-Identifier: MIT */
/* The access rules applied: who may begin, register, be relayed to. */
/* THEORY OF OPERATION
 * access.c answers for one list; here is which list is asked. A peer that
 * comes to us is judged by the host role's rules, where there is that role,
 * else by the rendezvous role's (a pure agent has associations with its
 * clients only), else, a proxy, by the rules on whom it talks to. Being
 * registered and relayed to is the rendezvous role's affair. A `deny` of
 * the host role also holds for what the host would begin itself, so that
 * it does not matter who was first.
 *
 * New rules (hip_set_access) are made whole, swapped, and only then applied
 * to what is there: associations and registrations that they deny are
 * closed, opportunistic wishes fail; all others are not touched. Owner: the
 * engine's thread.
 */
#include "hip/admit.h"

#include "hip/fields.h"
#include "hip/hipjob.h"
#include "hip/statetab.h"

/* Whose rules judge those who come to us. */
static enum hip_role role_of(const struct hip *h)
{
	if (h->cfg.responder)
		return HIP_ROLE_HOST;
	return engine_serves(h) ? HIP_ROLE_RENDEZVOUS : HIP_ROLE_INITIATOR;
}

bool admit_peer(struct hip *h, const struct packet *p)
{
	const struct hip_param *f =
		p->m.type == HIP_I1 ? param_find(&p->m, PARAM_FROM) : NULL;
	const struct hip_param *r = param_find(&p->m, PARAM_RELAY_FROM);
	struct addr claimed = p->from->addr;
	struct endpoint at;

	if (r && fields_get_udp_at(r, &at))
		claimed = at.addr;
	else if (f)
		(void)fields_get_from(f, &claimed); /* of fixed length */
	return access_ok(&h->access, role_of(h), &p->m.sender, &claimed);
}

bool admit_client(struct hip *h, const struct hit *client,
		  const struct addr *at)
{
	return access_ok(&h->access, HIP_ROLE_RENDEZVOUS, client, at);
}

bool admit_relay(struct hip *h, const struct packet *p)
{
	/* An `allow` names clients: it says nothing about who calls them. */
	return access_judge(&h->access, HIP_ROLE_RENDEZVOUS, &p->m.sender,
			    &p->from->addr) != ACCESS_DENY;
}

bool admit_relayed(struct hip *h, const struct addr *at)
{
	return access_judge(&h->access, HIP_ROLE_RENDEZVOUS, &hit_null, at) !=
	       ACCESS_DENY;
}

bool admit_reach(struct hip *h, const struct hit *self, const struct hit *peer,
		 const struct addr *at)
{
	uint8_t service;

	if (registration_code(h, self, peer, &service))
		return true;
	if (h->cfg.responder &&
	    access_judge(&h->access, HIP_ROLE_HOST, peer, at) == ACCESS_DENY)
		return false;
	return access_ok(&h->access, HIP_ROLE_INITIATOR, peer, at);
}

size_t admit_locators(struct hip *h, const struct hit *self,
		      const struct hit *peer, const struct endpoint *in,
		      size_t num, struct endpoint out[HIP_LOCATORS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < num && n < HIP_LOCATORS_MAX; i++) {
		if (admit_reach(h, self, peer, &in[i].addr))
			out[n++] = in[i];
	}
	return n;
}

bool admit_at(struct hip *h, const struct assoc *a, const struct addr *at)
{
	if (registrar_holds(h, a) && !admit_client(h, &a->peer, at))
		return false;
	if (a->initiator)
		return admit_reach(h, &a->self, &a->peer, at);
	return access_ok(&h->access, role_of(h), &a->peer, at);
}

bool admit_still(struct hip *h, const struct hip_job *job,
		 const struct packet *p)
{
	switch (job->kind) {
	case HIPJOB_I2:
		return admit_peer(h, p);
	case HIPJOB_R1:
		return admit_reach(h, &job->self, &job->peer, &p->from->addr);
	default:
		return true;
	}
}

/* ---- new rules --------------------------------------------------------- */

/* Locators that are denied now are not tried any more. */
static bool still_reached(struct hip *h, struct assoc *a)
{
	if (!a->asking)
		return admit_reach(h, &a->self, &a->peer, &a->peer_at.addr);
	a->locator_num =
		(uint8_t)admit_locators(h, &a->self, &a->peer, a->locators,
					a->locator_num, a->locators);
	if (a->locator_num)
		a->locator_next %= a->locator_num;
	return a->locator_num != 0;
}

static bool still_admitted(struct hip *h, struct assoc *a)
{
	if (a->initiator)
		return still_reached(h, a);
	return access_ok(&h->access, role_of(h), &a->peer, &a->peer_at.addr);
}

static void apply(struct hip *h, struct assoc *a, uint64_t now)
{
	struct event ev = { .kind = STATETAB_LEAVE, .a = a, .now = now };

	if (registrar_holds(h, a) &&
	    !admit_client(h, &a->peer, &a->peer_at.addr))
		registrar_drop(h, a);
	if (!still_admitted(h, a))
		statetab_run(h, &ev);
}

int hip_set_access(struct hip *h, const struct hip_access list[HIP_ROLE_NUM],
		   uint64_t now)
{
	struct access made;
	int err = access_init(&made, list);

	if (err)
		return err;
	access_fini(&h->access);
	h->access = made;
	opportunistic_admit(h);
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		struct assoc *a = h->assocs.bucket[i];

		while (a) {
			struct assoc *next = a->next;

			apply(h, a, now);
			a = next;
		}
	}
	return HG_OK;
}

void hip_each_access(const struct hip *h,
		     void (*fn)(const struct hip_access_count *c, void *arg),
		     void *arg)
{
	access_each(&h->access, fn, arg);
}
