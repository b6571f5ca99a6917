/* SPDX-License-Identifier: MIT */
/* What the caller of the engine wishes to be registered at. */
#include "hip/register.h"

#include <stdlib.h>
#include <string.h>

#include "hip/engine.h"
#include "hip/fields.h"

/* The same wish again, or another one at the same server. */
static void renew(struct hip *h, struct registration *old,
		  const struct registration *r, uint64_t now)
{
	bool moved = old->at_num != 1 || !endpoint_eq(&old->at[0], &r->at[0]);
	bool news = moved || old->ending || old->lifetime_s != r->lifetime_s;

	old->ending = false;
	old->told = false;
	old->failures = 0;
	old->at[0] = r->at[0];
	old->at_num = 1;
	old->lifetime_s = r->lifetime_s;
	if (old->service != r->service)
		registration_change(h, old, r->service, now);
	else if (moved)
		registration_anew(h, old, now);
	else if (news)
		registration_timer(h, &old->due, now);
}

static int add(struct hip *h, const struct registration *r, uint64_t now)
{
	struct registrations *t = &h->registrations;
	struct registration *old = registration_find(h, &r->self, &r->rvs);
	struct registration *mine;
	int err;

	if (old && old->service != r->service && !old->ending)
		return HG_EEXIST; /* RFC 9028 7.8 */
	if (old) {
		renew(h, old, r, now);
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
	r->at_num = 1;
	return add(h, r, now);
}

int hip_register(struct hip *h, const struct hit *self, const struct hit *rvs,
		 const struct endpoint *at, uint32_t lifetime_s, uint64_t now)
{
	struct registration r = { .rvs = *rvs,
				  .at = { *at },
				  .service = FIELDS_REG_RENDEZVOUS,
				  .lifetime_s = lifetime_s };

	return wish(h, &r, self, now);
}

int hip_register_relay(struct hip *h, const struct hit *self,
		       const struct hit *relay, const struct endpoint *at,
		       uint32_t lifetime_s, uint64_t now)
{
	struct registration r = { .rvs = *relay,
				  .at = { *at },
				  .service = FIELDS_REG_RELAY_UDP_HIP,
				  .lifetime_s = lifetime_s };

	return wish(h, &r, self, now);
}

/* The wish of self, or of the default identity; NULL: none, or it is over. */
static struct registration *wished(const struct hip *h, const struct hit *self,
				   const struct hit *rvs)
{
	struct registration *r;

	self = self ? self : hip_default_hit(h);
	r = self ? registration_find(h, self, rvs) : NULL;
	return r && !r->ending ? r : NULL;
}

int hip_register_at(struct hip *h, const struct hit *self,
		    const struct hit *rvs, const struct endpoint *at,
		    size_t num, uint64_t now)
{
	struct registration *r = wished(h, self, rvs);

	if (!r)
		return HG_ENOENT;
	if (num == 0 || num > HIP_LOCATORS_MAX)
		return HG_EINVAL;
	memcpy(r->at, at, num * sizeof(*at));
	r->at_num = num;
	registration_begin(h, r, now);
	return HG_OK;
}

int hip_unregister(struct hip *h, const struct hit *self, const struct hit *rvs,
		   uint64_t now)
{
	struct registration *r = wished(h, self, rvs);

	if (!r)
		return HG_ENOENT;
	registration_end(h, r, now);
	return HG_OK;
}
