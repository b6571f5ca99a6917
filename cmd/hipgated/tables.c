/* SPDX-License-Identifier: MIT */
/* The published tables; theory in tables.h. */
#include "tables.h"

#include <assert.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "seek.h"

_Static_assert(crypto_shorthash_KEYBYTES == 16, "hash_key holds the key");

uint64_t tables_hash(const struct tables *t, const void *key, size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	uint64_t h;

	crypto_shorthash(out, key, len, t->hash_key);
	memcpy(&h, out, sizeof(h));
	return h;
}

static uint64_t hash_flow(const struct tables *t, const struct nat_key *key)
{
	return tables_hash(t, key, sizeof(*key));
}

static uint64_t hash_back(const struct tables *t, const struct nat_back *key)
{
	return tables_hash(t, key, sizeof(*key));
}

static uint64_t hash_spi(const struct tables *t, const uint32_t *spi)
{
	return tables_hash(t, spi, sizeof(*spi));
}

static uint64_t hash_pair(const struct tables *t, const struct tables_pair *key)
{
	return tables_hash(t, key, sizeof(*key));
}

int tables_init(struct tables *t)
{
	struct linetable *all[] = { &t->mapping, &t->flow_key, &t->flow_back,
				    &t->sa_spi, &t->sa_pair };

	memset(t, 0, sizeof(*t));
	crypto_shorthash_keygen(t->hash_key);
	linepool_init(&t->mapping_pool, sizeof(struct mapping),
		      offsetof(struct mapping, link), false);
	linepool_init(&t->flow_pool, sizeof(struct flow),
		      offsetof(struct flow, link), true);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (linetable_init(all[i]))
			return HG_ENOMEM;
	return HG_OK;
}

void tables_thread_begin(void)
{
	urcu_qsbr_register_thread();
}

void tables_thread_end(void)
{
	urcu_qsbr_unregister_thread();
}

void tables_offline(void)
{
	urcu_qsbr_thread_offline();
}

void tables_online(void)
{
	/* Online already, this alone would let go of what was read before
	 * without waiting for the reads (liburcu has no barrier there). */
	urcu_qsbr_thread_offline();
	urcu_qsbr_thread_online();
}

/* ---- mappings ---------------------------------------------------------- */

static bool mapping_match(const void *item, const void *key)
{
	const struct mapping *m = item;

	return addr_eq(&m->virt[0], key) || addr_eq(&m->virt[1], key);
}

static uint64_t hash_addr(const struct tables *t, const struct addr *a)
{
	return tables_hash(t, a, sizeof(*a));
}

static void unmap(struct tables *t, const struct mapping *m, size_t num)
{
	for (size_t i = 0; i < num; i++)
		linetable_del(&t->mapping, hash_addr(t, &m->virt[i]), m);
	t->mappings -= num;
}

int tables_add_mapping(struct tables *t, const struct addr *virt, size_t num,
		       const struct hit *peer)
{
	struct mapping *m;
	size_t done = 0;

	for (size_t i = 0; i < num; i++)
		if (tables_mapping(t, &virt[i]))
			return HG_EEXIST;
	m = linepool_take(&t->mapping_pool);
	if (!m)
		return HG_ENOMEM;
	m->virt[0] = virt[0];
	m->virt[1] = virt[num - 1];
	m->peer = *peer;
	while (done < num &&
	       !linetable_add(&t->mapping, hash_addr(t, &virt[done]), m))
		done++;
	t->mappings += done;
	if (done == num)
		return HG_OK;
	unmap(t, m, done);
	linepool_retire(&t->mapping_pool, m); /* one may have been seen */
	return HG_ENOMEM;
}

const struct mapping *tables_mapping(const struct tables *t,
				     const struct addr *virt)
{
	return linetable_find(&t->mapping, hash_addr(t, virt), mapping_match,
			      virt);
}

static void del_mapping(struct tables *t, struct mapping *m)
{
	unmap(t, m, addr_eq(&m->virt[0], &m->virt[1]) ? 1 : 2);
	linepool_retire(&t->mapping_pool, m);
}

void tables_del_mapping(struct tables *t, const struct addr *virt)
{
	const struct mapping *m = tables_mapping(t, virt);

	if (m)
		del_mapping(t, (struct mapping *)m);
}

/* ---- flows ------------------------------------------------------------- */

struct flow *tables_new_flow(struct tables *t)
{
	return linepool_take(&t->flow_pool);
}

int tables_add_flow(struct tables *t, struct flow *f)
{
	uint64_t back = hash_back(t, &f->nat.back);

	if (tables_flow(t, &f->nat.key) || tables_flow_back(t, &f->nat.back))
		return HG_EEXIST;
	if (linetable_add(&t->flow_back, back, f))
		return HG_ENOMEM;
	if (linetable_add(&t->flow_key, hash_flow(t, &f->nat.key), f)) {
		linetable_del(&t->flow_back, back, f);
		return HG_ENOMEM;
	}
	t->flows++;
	return HG_OK;
}

void tables_del_flow(struct tables *t, struct flow *f)
{
	linetable_del(&t->flow_key, hash_flow(t, &f->nat.key), f);
	linetable_del(&t->flow_back, hash_back(t, &f->nat.back), f);
	t->flows--;
}

void tables_free_flow(struct tables *t, struct flow *f)
{
	linepool_retire(&t->flow_pool, f);
}

void tables_give_flow(struct tables *t, struct flow *f)
{
	linepool_give(&t->flow_pool, f);
}

struct flow *tables_flow(const struct tables *t, const struct nat_key *key)
{
	return linetable_find(&t->flow_key, hash_flow(t, key), seek_match_flow,
			      key);
}

struct flow *tables_flow_back(const struct tables *t,
			      const struct nat_back *key)
{
	return linetable_find(&t->flow_back, hash_back(t, key), seek_match_back,
			      key);
}

/* ---- security associations --------------------------------------------- */

static void contexts_free(struct sa_contexts *c)
{
	if (!c)
		return;
	for (unsigned k = 0; k < c->workers; k++)
		if (!k || c->seal[k] != c->seal[0])
			esp_ctx_free(c->seal[k]);
	esp_ctx_free(c->open);
	free(c);
}

static void contexts_retire(struct rcu_head *head)
{
	contexts_free(caa_container_of(head, struct sa_contexts, rcu));
}

static void sa_destroy(struct sa *s)
{
	contexts_free(atomic_load(&s->contexts));
	free(atomic_load(&s->path));
	sodium_memzero(s, sizeof(*s));
	free(s);
}

static void sa_free(struct rcu_head *head)
{
	sa_destroy(caa_container_of(head, struct sa, rcu));
}

static struct path *path_new(const struct path_ends *ends,
			     const struct path_size *size)
{
	struct path *p = calloc(1, sizeof(*p));
	struct sockaddr_storage to;

	if (!p)
		return NULL;
	p->ends = *ends;
	p->size = *size;
	p->to_len = sockets_address(&ends->peer, &to);
	assert(p->to_len <= sizeof(p->to));
	memcpy(&p->to, &to, p->to_len);
	return p;
}

int tables_wake_sa(struct sa *sa)
{
	struct sa_contexts *c;
	int err;

	sa->idle = 0;
	if (atomic_load(&sa->contexts))
		return HG_OK;
	c = calloc(1, sizeof(*c) + sa->workers * sizeof(c->seal[0]));
	if (!c)
		return HG_ENOMEM;
	c->workers = sa->workers;
	err = esp_ctx_new(sa->suite, &sa->in, sa->spi_in, false, &c->open);
	for (unsigned k = 0; !err && k < c->workers; k++) {
		if (k && esp_ctx_shared(c->seal[0]))
			c->seal[k] = c->seal[0];
		else
			err = esp_ctx_new(sa->suite, &sa->out, sa->spi_out,
					  true, &c->seal[k]);
	}
	if (err)
		contexts_free(c);
	else
		atomic_store(&sa->contexts, c);
	return err;
}

void tables_rest_sa(struct sa *sa)
{
	struct sa_contexts *c = atomic_exchange(&sa->contexts, NULL);

	if (c)
		call_rcu(&c->rcu, contexts_retire);
}

int tables_use_sa(struct tables *t, struct sa *sa)
{
	struct tables_pair pair = { sa->self, sa->peer };
	struct sa *old = tables_sa_out(t, &sa->self, &sa->peer);

	/* The old one stays in sa_spi until tables_del_sa. */
	if (!old)
		return linetable_add(&t->sa_pair, hash_pair(t, &pair), sa);
	linetable_replace(&t->sa_pair, hash_pair(t, &pair), old, sa);
	return HG_OK;
}

static struct sa *sa_new(const struct sa_pair *pair, unsigned workers,
			 bool initiator, uint64_t now)
{
	struct sa *s = aligned_alloc(_Alignof(struct sa), sizeof(*s));

	if (!s)
		return NULL;
	memset(s, 0, sizeof(*s));
	s->self = pair->self;
	s->peer = pair->peer;
	s->spi_in = pair->spi_in;
	s->spi_out = pair->spi_out;
	s->suite = pair->suite;
	s->initiator = initiator;
	s->workers = workers;
	s->owner = pair->spi_in % workers;
	s->created_ns = now;
	s->pseudo_out = csum_pseudo_hit(&pair->self, &pair->peer, 0, 0);
	s->in = pair->in;
	s->out = pair->out;
	atomic_init(&s->next_seq, 1);
	esp_replay_init(&s->replay);
	return s;
}

int tables_add_sa(struct tables *t, const struct sa_pair *pair,
		  const struct path_ends *ends, unsigned workers,
		  bool initiator, uint64_t now)
{
	static const struct path_size any = { .l4_most = UINT32_MAX };
	struct sa *s;
	int err;

	if (tables_sa_in(t, pair->spi_in))
		return HG_EEXIST;
	s = sa_new(pair, workers, initiator, now);
	if (!s)
		return HG_ENOMEM;
	atomic_init(&s->path, path_new(ends, &any));
	err = atomic_load(&s->path) ? tables_wake_sa(s) : HG_ENOMEM;
	if (!err)
		err = linetable_add(&t->sa_spi, hash_spi(t, &s->spi_in), s);
	if (err) {
		sa_destroy(s);
		return err;
	}
	t->sas++;
	return HG_OK;
}

void tables_del_sa(struct tables *t, uint32_t spi_in)
{
	struct sa *s = tables_sa_in(t, spi_in);

	if (!s)
		return;
	if (tables_sa_out(t, &s->self, &s->peer) == s) {
		struct tables_pair pair = { s->self, s->peer };

		linetable_del(&t->sa_pair, hash_pair(t, &pair), s);
	}
	linetable_del(&t->sa_spi, hash_spi(t, &spi_in), s);
	t->sas--;
	call_rcu(&s->rcu, sa_free);
}

static void path_free(struct rcu_head *head)
{
	free(caa_container_of(head, struct path, rcu));
}

static bool size_eq(const struct path_size *a, const struct path_size *b)
{
	return a->l4_most == b->l4_most && a->mss == b->mss &&
	       a->outer == b->outer && a->by == b->by && a->df == b->df;
}

static bool ends_eq(const struct path_ends *a, const struct path_ends *b)
{
	return addr_eq(&a->from.self, &b->from.self) &&
	       a->from.link == b->from.link &&
	       endpoint_eq(&a->peer, &b->peer) && a->verified == b->verified &&
	       a->stranded == b->stranded;
}

int tables_move_sa(struct sa *sa, const struct path_ends *ends,
		   const struct path_size *size)
{
	struct path *now = atomic_load(&sa->path);
	struct path *next;

	if (ends_eq(&now->ends, ends) && size_eq(&now->size, size))
		return HG_OK;
	next = path_new(ends, size);
	if (!next)
		return HG_ENOMEM;
	/* Taken first, so that who still sees the old path cannot spend it
	 * twice. */
	if (!ends->verified && endpoint_eq(&now->ends.peer, &ends->peer))
		atomic_store(&next->credit, atomic_exchange(&now->credit, 0));
	atomic_store(&sa->path, next);
	call_rcu(&now->rcu, path_free);
	return HG_OK;
}

void tables_credit_sa(struct sa *sa, uint64_t octets)
{
	int64_t n = octets < INT32_MAX ? (int64_t)octets : INT32_MAX;

	atomic_fetch_add(&atomic_load(&sa->path)->credit, n);
}

void tables_inherit_credit(struct sa *sa, struct sa *old)
{
	struct path *from = atomic_load(&old->path);
	struct path *to = atomic_load(&sa->path);

	if (!to->ends.verified && endpoint_eq(&from->ends.peer, &to->ends.peer))
		atomic_fetch_add(&to->credit,
				 atomic_exchange(&from->credit, 0));
}

struct sa *tables_sa_in(const struct tables *t, uint32_t spi)
{
	return linetable_find(&t->sa_spi, hash_spi(t, &spi), seek_match_in,
			      &spi);
}

struct sa *tables_sa_out(const struct tables *t, const struct hit *self,
			 const struct hit *peer)
{
	struct tables_pair pair = { *self, *peer };

	return linetable_find(&t->sa_pair, hash_pair(t, &pair), seek_match_out,
			      &pair);
}

/* ---- walks and the end ------------------------------------------------- */

void tables_each_flow(struct tables *t, void (*fn)(struct flow *, void *),
		      void *arg)
{
	struct flow *f;
	size_t i = 0;

	while ((f = linetable_each(&t->flow_key, &i)))
		fn(f, arg);
}

void tables_each_sa(struct tables *t, void (*fn)(struct sa *, void *),
		    void *arg)
{
	struct sa *s;
	size_t i = 0;

	while ((s = linetable_each(&t->sa_spi, &i)))
		fn(s, arg);
}

static void drop_flow(struct flow *f, void *arg)
{
	tables_del_flow(arg, f);
	tables_free_flow(arg, f);
}

static void drop_sa(struct sa *s, void *arg)
{
	tables_del_sa(arg, s->spi_in);
}

static void drop_mappings(struct tables *t)
{
	struct mapping *m;
	size_t i = 0;

	while ((m = linetable_each(&t->mapping, &i)))
		del_mapping(t, m);
}

void tables_fini(struct tables *t)
{
	struct linetable *all[] = { &t->mapping, &t->flow_key, &t->flow_back,
				    &t->sa_spi, &t->sa_pair };

	tables_each_flow(t, drop_flow, t);
	tables_each_sa(t, drop_sa, t);
	drop_mappings(t);
	rcu_barrier();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		linetable_fini(all[i]);
	linepool_fini(&t->flow_pool);
	linepool_fini(&t->mapping_pool);
}
