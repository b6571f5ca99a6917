/* SPDX-License-Identifier: MIT */
/* The published table of what a data relay passes on; theory in relaying.h. */
#include "relaying.h"

#include <stdlib.h>
#include <string.h>

/* What is looked for among those that go by one key. */
struct choice {
	const struct relay_key *key;
	uint64_t now;
	const struct permit **best; /* found so far */
};

static uint64_t hash(const struct tables *t, const struct relay_key *key)
{
	return tables_hash(t, key, sizeof(*key));
}

static bool match_in(const void *item, const void *key)
{
	const struct permit *p = item;

	return memcmp(&p->in, key, sizeof(p->in)) == 0;
}

struct permit *permits_in(const struct tables *t, const struct relaying *r,
			  const struct relay_key *key)
{
	return linetable_find(&r->in, hash(t, key), match_in, key);
}

/* ---- where a peer is ------------------------------------------------------- */

bool permits_open(const struct permit *p, uint64_t now)
{
	return now < p->until &&
	       atomic_load_explicit(&((struct permit *)p)->heard,
				    memory_order_relaxed);
}

static uint64_t last(const struct permit *p)
{
	return atomic_load_explicit(&((struct permit *)p)->last,
				    memory_order_relaxed);
}

/* Goes on to the next one, always: there are a few (DATARELAY_PLACES_MAX). */
static bool weigh(const void *item, const void *key)
{
	const struct permit *p = item;
	const struct choice *s = key;
	const struct permit *best = *s->best;

	if (memcmp(&p->out, s->key, sizeof(p->out)) != 0)
		return false;
	if (!best || permits_open(p, s->now) > permits_open(best, s->now) ||
	    (permits_open(p, s->now) == permits_open(best, s->now) &&
	     last(p) > last(best)))
		*s->best = p;
	return false;
}

struct permit *permits_out(const struct tables *t, const struct relaying *r,
			   const struct relay_key *key, uint64_t now)
{
	const struct permit *best = NULL;
	const struct choice s = { .key = key, .now = now, .best = &best };

	(void)linetable_find(&r->out, hash(t, key), weigh, &s); /* NULL */
	return (struct permit *)best;
}

/* Do clients' packets look the same that go to different peers? */
static bool clashes(const void *item, const void *key)
{
	const struct permit *x = item;
	const struct permit *y = key;

	return memcmp(&x->out, &y->out, sizeof(x->out)) == 0 &&
	       (x->in.port != y->in.port || x->in.spi != y->in.spi);
}

/* ---- control --------------------------------------------------------------- */

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

/* What the workers have seen stays. */
static void inherit(struct permit *p, struct permit *old)
{
	uint64_t was = atomic_load(&old->last);

	if (atomic_load(&old->heard))
		atomic_store(&p->heard, true);
	if (atomic_load(&p->last) < was)
		atomic_store(&p->last, was);
}

int permits_add(const struct tables *t, struct relaying *r, struct permit *p)
{
	struct permit *old = permits_in(t, r, &p->in);

	if (linetable_find(&r->out, hash(t, &p->out), clashes, p)) {
		free(p);
		return HG_EEXIST;
	}
	if (old)
		inherit(p, old);
	if (old && memcmp(&old->out, &p->out, sizeof(p->out)) == 0) {
		/* It lasts longer: no packet is lost. */
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
	struct permit *p = permits_in(t, r, in);

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
