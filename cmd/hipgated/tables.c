/* SPDX-License-Identifier: MIT */
/* The published tables; theory in tables.h. */
#include "tables.h"

#include <netinet/in.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/checksum.h"
#include "flowpool.h"

_Static_assert(crypto_shorthash_KEYBYTES == 16, "hash_key holds the key");

static unsigned long hash_of(const struct tables *t, const void *key,
			     size_t len)
{
	uint8_t out[crypto_shorthash_BYTES];
	unsigned long h;

	crypto_shorthash(out, key, len, t->hash_key);
	memcpy(&h, out, sizeof(h));
	return h;
}

static unsigned long hash_of_pair(const struct tables *t,
				  const struct hit *self,
				  const struct hit *peer)
{
	struct hit pair[2] = { *self, *peer };

	return hash_of(t, pair, sizeof(pair));
}

int tables_init(struct tables *t)
{
	struct lftable *all[] = { &t->mapping, &t->flow_key, &t->flow_back,
				  &t->sa_spi, &t->sa_pair };

	memset(t, 0, sizeof(*t));
	crypto_shorthash_keygen(t->hash_key);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (lftable_init(all[i]))
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

static int mapping_match(struct cds_lfht_node *node, const void *key)
{
	const struct mapping *m = caa_container_of(node, struct mapping, node);

	return addr_eq(&m->virt, key);
}

int tables_add_mapping(struct tables *t, const struct addr *virt,
		       const struct hit *peer)
{
	struct mapping *m = calloc(1, sizeof(*m));
	struct cds_lfht_node *there;

	if (!m)
		return HG_ENOMEM;
	m->virt = *virt;
	m->peer = *peer;
	cds_lfht_node_init(&m->node);
	there = cds_lfht_add_unique(t->mapping.ht,
				    hash_of(t, virt, sizeof(*virt)),
				    mapping_match, virt, &m->node);
	if (there != &m->node) {
		free(m);
		return HG_EEXIST;
	}
	lftable_added(&t->mapping);
	t->mappings++;
	return HG_OK;
}

const struct mapping *tables_mapping(struct tables *t, const struct addr *virt)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->mapping.ht, hash_of(t, virt, sizeof(*virt)),
			mapping_match, virt, &it);
	node = cds_lfht_iter_get_node(&it);
	return node ? caa_container_of(node, struct mapping, node) : NULL;
}

static void mapping_free(struct rcu_head *head)
{
	free(caa_container_of(head, struct mapping, rcu));
}

/* ---- flows ------------------------------------------------------------- */

static int key_match(struct cds_lfht_node *node, const void *key)
{
	const struct flow *f = caa_container_of(node, struct flow, by_key);

	return memcmp(&f->nat.key, key, sizeof(f->nat.key)) == 0;
}

static int back_match(struct cds_lfht_node *node, const void *key)
{
	const struct flow *f = caa_container_of(node, struct flow, by_back);

	return memcmp(&f->nat.back, key, sizeof(f->nat.back)) == 0;
}

struct flow *tables_new_flow(struct tables *t)
{
	return flowpool_take(&t->pool);
}

int tables_add_flow(struct tables *t, struct flow *f)
{
	struct cds_lfht_node *there;
	unsigned long back = hash_of(t, &f->nat.back, sizeof(f->nat.back));
	unsigned long key = hash_of(t, &f->nat.key, sizeof(f->nat.key));

	cds_lfht_node_init(&f->by_key);
	cds_lfht_node_init(&f->by_back);
	there = cds_lfht_add_unique(t->flow_back.ht, back, back_match,
				    &f->nat.back, &f->by_back);
	if (there != &f->by_back)
		return HG_EEXIST;
	there = cds_lfht_add_unique(t->flow_key.ht, key, key_match, &f->nat.key,
				    &f->by_key);
	if (there != &f->by_key) {
		(void)cds_lfht_del(t->flow_back.ht, &f->by_back);
		return HG_EEXIST;
	}
	lftable_added(&t->flow_back);
	lftable_added(&t->flow_key);
	t->flows++;
	return HG_OK;
}

void tables_del_flow(struct tables *t, struct flow *f)
{
	(void)cds_lfht_del(t->flow_key.ht, &f->by_key);
	(void)cds_lfht_del(t->flow_back.ht, &f->by_back);
	lftable_removed(&t->flow_key);
	lftable_removed(&t->flow_back);
	t->flows--;
}

void tables_free_flow(struct flow *f)
{
	flowpool_retire(f);
}

void tables_give_flow(struct tables *t, struct flow *f)
{
	flowpool_give(&t->pool, f);
}

struct flow *tables_flow(struct tables *t, const struct nat_key *key)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->flow_key.ht, hash_of(t, key, sizeof(*key)),
			key_match, key, &it);
	node = cds_lfht_iter_get_node(&it);
	return node ? caa_container_of(node, struct flow, by_key) : NULL;
}

struct flow *tables_flow_back(struct tables *t, const struct nat_back *key)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->flow_back.ht, hash_of(t, key, sizeof(*key)),
			back_match, key, &it);
	node = cds_lfht_iter_get_node(&it);
	return node ? caa_container_of(node, struct flow, by_back) : NULL;
}

/* ---- security associations --------------------------------------------- */

static int spi_match(struct cds_lfht_node *node, const void *key)
{
	const struct sa *s = caa_container_of(node, struct sa, by_spi);

	return s->spi_in == *(const uint32_t *)key;
}

static int pair_match(struct cds_lfht_node *node, const void *key)
{
	const struct sa *s = caa_container_of(node, struct sa, by_pair);
	const struct hit *pair = key;

	return hit_eq(&s->peer, &pair[1]) && hit_eq(&s->self, &pair[0]);
}

static void sa_destroy(struct sa *s)
{
	for (unsigned k = 0; k < s->workers; k++)
		if (!k || s->seal[k] != s->seal[0])
			esp_ctx_free(s->seal[k]);
	esp_ctx_free(s->open);
	free(atomic_load(&s->path));
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

	if (!p)
		return NULL;
	p->ends = *ends;
	p->size = *size;
	p->to_len = sockets_address(&ends->peer, &p->to);
	return p;
}

static int sa_contexts(struct sa *s, const struct sa_pair *pair)
{
	int err = esp_ctx_new(pair->suite, &pair->in, pair->spi_in, false,
			      &s->open);

	for (unsigned k = 0; !err && k < s->workers; k++) {
		if (k && esp_ctx_shared(s->seal[0]))
			s->seal[k] = s->seal[0];
		else
			err = esp_ctx_new(pair->suite, &pair->out,
					  pair->spi_out, true, &s->seal[k]);
	}
	return err;
}

void tables_use_sa(struct tables *t, struct sa *sa)
{
	struct hit pair[2] = { sa->self, sa->peer };

	cds_lfht_node_init(&sa->by_pair);
	/* The old one stays in sa_spi until tables_del_sa. */
	if (!cds_lfht_add_replace(t->sa_pair.ht,
				  hash_of_pair(t, &sa->self, &sa->peer),
				  pair_match, pair, &sa->by_pair))
		lftable_added(&t->sa_pair);
}

int tables_add_sa(struct tables *t, const struct sa_pair *pair,
		  const struct path_ends *ends, unsigned workers,
		  bool initiator, uint64_t now)
{
	static const struct path_size any = { .l4_most = UINT32_MAX };
	struct sa *s = calloc(1, sizeof(*s) + workers * sizeof(s->seal[0]));
	struct cds_lfht_node *there;
	int err;

	if (!s)
		return HG_ENOMEM;
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
	atomic_init(&s->next_seq, 1);
	esp_replay_init(&s->replay);
	err = sa_contexts(s, pair);
	if (!err) {
		atomic_init(&s->path, path_new(ends, &any));
		err = atomic_load(&s->path) ? HG_OK : HG_ENOMEM;
	}
	if (!err) {
		cds_lfht_node_init(&s->by_spi);
		there = cds_lfht_add_unique(
			t->sa_spi.ht, hash_of(t, &s->spi_in, sizeof(s->spi_in)),
			spi_match, &s->spi_in, &s->by_spi);
		err = there == &s->by_spi ? HG_OK : HG_EEXIST;
	}
	if (err) {
		sa_destroy(s);
		return err;
	}
	lftable_added(&t->sa_spi);
	t->sas++;
	return HG_OK;
}

void tables_del_sa(struct tables *t, uint32_t spi_in)
{
	struct sa *s = tables_sa_in(t, spi_in);

	if (!s)
		return;
	if (tables_sa_out(t, &s->self, &s->peer) == s) {
		(void)cds_lfht_del(t->sa_pair.ht, &s->by_pair);
		lftable_removed(&t->sa_pair);
	}
	(void)cds_lfht_del(t->sa_spi.ht, &s->by_spi);
	lftable_removed(&t->sa_spi);
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
	       endpoint_eq(&a->peer, &b->peer) && a->verified == b->verified;
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

struct sa *tables_sa_in(struct tables *t, uint32_t spi)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->sa_spi.ht, hash_of(t, &spi, sizeof(spi)), spi_match,
			&spi, &it);
	node = cds_lfht_iter_get_node(&it);
	return node ? caa_container_of(node, struct sa, by_spi) : NULL;
}

struct sa *tables_sa_out(struct tables *t, const struct hit *self,
			 const struct hit *peer)
{
	struct hit pair[2] = { *self, *peer };
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_lookup(t->sa_pair.ht, hash_of_pair(t, self, peer), pair_match,
			pair, &it);
	node = cds_lfht_iter_get_node(&it);
	return node ? caa_container_of(node, struct sa, by_pair) : NULL;
}

/* ---- walks and the end ------------------------------------------------- */

void tables_each_flow(struct tables *t, void (*fn)(struct flow *, void *),
		      void *arg)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_for_each(t->flow_key.ht, &it, node)
		fn(caa_container_of(node, struct flow, by_key), arg);
}

void tables_each_sa(struct tables *t, void (*fn)(struct sa *, void *),
		    void *arg)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_for_each(t->sa_spi.ht, &it, node)
		fn(caa_container_of(node, struct sa, by_spi), arg);
}

void tables_each_mapping(struct tables *t,
			 void (*fn)(const struct mapping *, void *), void *arg)
{
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	cds_lfht_for_each(t->mapping.ht, &it, node)
		fn(caa_container_of(node, struct mapping, node), arg);
}

static void drop_flow(struct flow *f, void *arg)
{
	tables_del_flow(arg, f);
	tables_free_flow(f);
}

static void drop_sa(struct sa *s, void *arg)
{
	tables_del_sa(arg, s->spi_in);
}

void tables_fini(struct tables *t)
{
	struct lftable *all[] = { &t->mapping, &t->flow_key, &t->flow_back,
				  &t->sa_spi, &t->sa_pair };
	struct cds_lfht_iter it;
	struct cds_lfht_node *node;

	tables_each_flow(t, drop_flow, t);
	tables_each_sa(t, drop_sa, t);
	cds_lfht_for_each(t->mapping.ht, &it, node)
	{
		(void)cds_lfht_del(t->mapping.ht, node);
		call_rcu(&caa_container_of(node, struct mapping, node)->rcu,
			 mapping_free);
	}
	rcu_barrier();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		lftable_fini(all[i]);
	flowpool_fini(&t->pool);
}
