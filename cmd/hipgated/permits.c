/* SPDX-License-Identifier: MIT */
/* The published table of what a data relay passes on; theory in relaying.h. */
#include "relaying.h"

#include <stdlib.h>
#include <string.h>

static bool match_in(const void *item, const void *key)
{
	const struct permit *p = item;

	return memcmp(&p->in, key, sizeof(p->in)) == 0;
}

static bool match_out(const void *item, const void *key)
{
	const struct permit *p = item;

	return memcmp(&p->out, key, sizeof(p->out)) == 0;
}

static uint64_t hash(const struct tables *t, const struct relay_key *key)
{
	return tables_hash(t, key, sizeof(*key));
}

/* Keys of the client's packets name no port of ours. */
struct permit *permits_find(const struct tables *t,
			    const struct linetable *table,
			    const struct relay_key *key)
{
	return linetable_find(table, hash(t, key),
			      key->port ? match_in : match_out, key);
}

static void permit_free(struct rcu_head *head)
{
	free(caa_container_of(head, struct permit, rcu));
}

static void drop(const struct tables *t, struct relaying *r, struct permit *p)
{
	linetable_del(&r->in, hash(t, &p->in), p);
	linetable_del(&r->out, hash(t, &p->out), p);
	call_rcu(&p->rcu, permit_free);
}

int permits_add(const struct tables *t, struct relaying *r, struct permit *p)
{
	struct permit *old = permits_find(t, &r->in, &p->in);
	struct permit *other = permits_find(t, &r->out, &p->out);

	if (other && other != old) {
		free(p);
		return HG_EEXIST;
	}
	if (old && atomic_load(&old->heard))
		atomic_store(&p->heard, true);
	if (old && old == other) { /* it lasts longer: no packet is lost */
		linetable_replace(&r->in, hash(t, &p->in), old, p);
		linetable_replace(&r->out, hash(t, &p->out), old, p);
		call_rcu(&old->rcu, permit_free);
		return HG_OK;
	}
	if (old)
		drop(t, r, old);
	if (linetable_add(&r->in, hash(t, &p->in), p)) {
		free(p);
		return HG_ENOMEM;
	}
	if (linetable_add(&r->out, hash(t, &p->out), p)) {
		linetable_del(&r->in, hash(t, &p->in), p);
		call_rcu(&p->rcu, permit_free); /* a reader may have seen it */
		return HG_ENOMEM;
	}
	return HG_OK;
}

void permits_del(const struct tables *t, struct relaying *r,
		 const struct relay_key *in)
{
	struct permit *p = permits_find(t, &r->in, in);

	if (p)
		drop(t, r, p);
}

void permits_fini(struct relaying *r)
{
	struct permit *p;
	size_t i = 0;

	while ((p = linetable_each(&r->in, &i)))
		free(p);
	linetable_fini(&r->in);
	linetable_fini(&r->out);
}
