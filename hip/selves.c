/* SPDX-License-Identifier: MIT */
/* Who we are: the engine's identities, lasting ones and made ones. */
/* THEORY OF OPERATION
 * A host has several Host Identities at once, some of them anonymous (RFC
 * 7401 7). Lasting ones come from the caller (hip_add_identity): each has
 * its place in the R1 pool and answers those who begin with it. They stay
 * as long as the engine.
 *
 * Made ones are short-lived, for privacy: hip_make_identity has a job make
 * a fresh anonymous key, which never leaves the memory of this process. Such
 * an identity only begins exchanges, so it needs no R1; an I1 or I2 to it is
 * answered as one to a stranger's HIT is. hip_remove_identity closes its
 * associations, ends its opportunistic wishes, and when the last
 * association is gone, the key is wiped.
 *
 * Owner: the engine's thread.
 */
#include "hip/selves.h"

#include "hip/engine.h"
#include "hip/hipjob.h"
#include "hip/statetab.h"

void selves_fini(struct hip *h)
{
	for (size_t i = 0; i < h->id_num; i++)
		hip_identity_free(h->id[i]);
	for (size_t i = 0; i < h->selves.num; i++)
		hip_identity_free(h->selves.made[i].id);
	h->id_num = 0;
	h->selves.num = 0;
}

int hip_add_identity(struct hip *h, struct hip_identity *id, uint64_t now)
{
	if (h->id_num >= ENGINE_IDENTITIES_MAX)
		return HG_EFULL;
	if (engine_identity(h, hip_identity_hit(id)))
		return HG_EEXIST;
	h->id[h->id_num++] = id;
	r1pool_fill(h, h->id_num - 1, now);
	return HG_OK;
}

const struct hit *hip_default_hit(const struct hip *h)
{
	return h->id_num ? hip_identity_hit(h->id[0]) : NULL;
}

size_t selves_index(const struct hip *h, const struct hit *self)
{
	size_t i = 0;

	while (i < h->id_num && !hit_eq(hip_identity_hit(h->id[i]), self))
		i++;
	return i;
}

static struct selves_made *find_made(const struct hip *h,
				     const struct hit *self)
{
	for (size_t i = 0; i < h->selves.num; i++) {
		const struct selves_made *m = &h->selves.made[i];

		if (hit_eq(hip_identity_hit(m->id), self))
			return (struct selves_made *)m;
	}
	return NULL;
}

struct hip_identity *engine_identity(const struct hip *h,
				     const struct hit *self)
{
	const struct selves_made *m;
	size_t i = selves_index(h, self);

	if (i < h->id_num)
		return h->id[i];
	m = find_made(h, self);
	return m ? m->id : NULL;
}

bool selves_begins(const struct hip *h, const struct hit *self)
{
	const struct selves_made *m;

	if (selves_index(h, self) < h->id_num)
		return true;
	m = find_made(h, self);
	return m && !m->retiring;
}

const struct hit *selves_answer(const struct hip *h,
				const struct hit *initiator)
{
	const struct hit *any = NULL;

	for (size_t i = 0; i < h->id_num; i++) {
		const struct hit *hit = hip_identity_hit(h->id[i]);

		if (hip_identity_anonymous(h->id[i]))
			continue;
		if (hit_suite(hit) == hit_suite(initiator))
			return hit;
		any = any ? any : hit;
	}
	return any;
}

void selves_use(struct hip *h, const struct hit *self, int change)
{
	struct selves_made *m = find_made(h, self);

	if (m)
		m->assocs = (uint32_t)((int)m->assocs + change);
}

/* ---- made ones --------------------------------------------------------- */

int hip_make_identity(struct hip *h, uint64_t token)
{
	struct hip_job *job;

	if (h->selves.num + h->selves.making >= SELVES_MADE_MAX)
		return HG_EFULL;
	job = hipjob_new(h, HIPJOB_IDENTITY, NULL);
	if (!job)
		return HG_EFULL;
	job->u.identity.token = token;
	if (!hipjob_start(h, job))
		return HG_ENOMEM;
	h->selves.making++;
	return HG_OK;
}

void selves_job_done(struct hip *h, struct hip_job *job)
{
	struct hip_effect *e = effects_put(&h->fx, HIP_IDENTITY);
	struct hip_identity *id = job->u.identity.made;

	h->selves.making--;
	e->token = job->u.identity.token;
	e->reason = job->reason;
	if (job->reason != REASON_NUM)
		return;
	e->self = *hip_identity_hit(id);
	e->anonymous = true;
	h->selves.made[h->selves.num++] = (struct selves_made){ .id = id };
	job->u.identity.made = NULL; /* ours now */
}

/* Asks all its associations to end. */
static void leave(struct hip *h, const struct hit *self, uint64_t now)
{
	for (uint32_t i = 0; i < h->assocs.buckets; i++) {
		struct assoc *a = h->assocs.bucket[i];

		while (a) {
			struct assoc *next = a->next;
			struct event ev = { .kind = STATETAB_LEAVE,
					    .a = a,
					    .now = now };

			if (hit_eq(&a->self, self))
				statetab_run(h, &ev);
			a = next;
		}
	}
}

int hip_remove_identity(struct hip *h, const struct hit *self, uint64_t now)
{
	struct selves_made *m = find_made(h, self);

	if (!m)
		return engine_identity(h, self) ? HG_EINVAL : HG_ENOENT;
	if (!m->retiring)
		opportunistic_leave(h, self);
	if (!m->retiring && m->assocs)
		leave(h, self, now);
	m->retiring = true;
	if (m->assocs)
		return HG_EAGAIN;
	hip_identity_free(m->id);
	*m = h->selves.made[--h->selves.num];
	return HG_OK;
}

/* ---- looking in -------------------------------------------------------- */

void hip_each_identity(const struct hip *h,
		       void (*fn)(const struct hip_self *s, void *arg),
		       void *arg)
{
	for (size_t i = 0; i < h->id_num; i++) {
		struct hip_self s = {
			.hit = *hip_identity_hit(h->id[i]),
			.alg = hip_identity_alg(h->id[i]),
			.anonymous = hip_identity_anonymous(h->id[i]),
		};

		fn(&s, arg);
	}
	for (size_t i = 0; i < h->selves.num; i++) {
		const struct selves_made *m = &h->selves.made[i];
		struct hip_self s = { .hit = *hip_identity_hit(m->id),
				      .alg = hip_identity_alg(m->id),
				      .anonymous = true,
				      .made = true };

		fn(&s, arg);
	}
}
