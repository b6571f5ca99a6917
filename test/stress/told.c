/* SPDX-License-Identifier: MIT */
/* What liburcu promises, for ThreadSanitizer (linked with --wrap).
 *
 * THEORY OF OPERATION
 * liburcu is not built with ThreadSanitizer and synchronizes with inline
 * assembly, so each of its promises is told here, and nothing else is. The
 * one suppression is of memory that is the library's own.
 *
 * 1. What was written before a node is added is seen by who finds it
 *    (cds_lfht's adds are full barriers, finding it follows the pointer):
 *    released at the node, and acquired there before the node is compared.
 * 2. A callback of call_rcu runs after every reader that was online has
 *    been offline: readers release `grace` when they go, the callback
 *    acquires it. It also sees what was written before call_rcu.
 * 3. rcu_barrier returns after all callbacks queued before it. It makes and
 *    hands over memory of its own, of which we cannot tell.
 *
 * What a program does wrong against these rules is found: a change of a
 * published object, a reader that keeps a pointer while offline, an object
 * freed without call_rcu.
 */
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>

#include <urcu-qsbr.h>
#include <urcu/rculfhash.h>

static char grace;
static char called;

/* ---- 1 -------------------------------------------------------------------- */

static _Thread_local cds_lfht_match_fct match_now;

static int match(struct cds_lfht_node *node, const void *key)
{
	__tsan_acquire(node);
	return match_now(node, key);
}

void __real_cds_lfht_lookup(struct cds_lfht *ht, unsigned long hash,
			    cds_lfht_match_fct m, const void *key,
			    struct cds_lfht_iter *it);
void __wrap_cds_lfht_lookup(struct cds_lfht *ht, unsigned long hash,
			    cds_lfht_match_fct m, const void *key,
			    struct cds_lfht_iter *it)
{
	match_now = m;
	__real_cds_lfht_lookup(ht, hash, match, key, it);
}

void __real_cds_lfht_first(struct cds_lfht *ht, struct cds_lfht_iter *it);
void __wrap_cds_lfht_first(struct cds_lfht *ht, struct cds_lfht_iter *it)
{
	__real_cds_lfht_first(ht, it);
	if (it->node)
		__tsan_acquire(it->node);
}

void __real_cds_lfht_next(struct cds_lfht *ht, struct cds_lfht_iter *it);
void __wrap_cds_lfht_next(struct cds_lfht *ht, struct cds_lfht_iter *it)
{
	__real_cds_lfht_next(ht, it);
	if (it->node)
		__tsan_acquire(it->node);
}

void __real_cds_lfht_add(struct cds_lfht *ht, unsigned long hash,
			 struct cds_lfht_node *node);
void __wrap_cds_lfht_add(struct cds_lfht *ht, unsigned long hash,
			 struct cds_lfht_node *node)
{
	__tsan_release(node);
	__real_cds_lfht_add(ht, hash, node);
}

struct cds_lfht_node *__real_cds_lfht_add_unique(struct cds_lfht *ht,
						 unsigned long hash,
						 cds_lfht_match_fct m,
						 const void *key,
						 struct cds_lfht_node *node);
struct cds_lfht_node *__wrap_cds_lfht_add_unique(struct cds_lfht *ht,
						 unsigned long hash,
						 cds_lfht_match_fct m,
						 const void *key,
						 struct cds_lfht_node *node)
{
	__tsan_release(node);
	match_now = m;
	return __real_cds_lfht_add_unique(ht, hash, match, key, node);
}

struct cds_lfht_node *__real_cds_lfht_add_replace(struct cds_lfht *ht,
						  unsigned long hash,
						  cds_lfht_match_fct m,
						  const void *key,
						  struct cds_lfht_node *node);
struct cds_lfht_node *__wrap_cds_lfht_add_replace(struct cds_lfht *ht,
						  unsigned long hash,
						  cds_lfht_match_fct m,
						  const void *key,
						  struct cds_lfht_node *node)
{
	__tsan_release(node);
	match_now = m;
	return __real_cds_lfht_add_replace(ht, hash, match, key, node);
}

/* ---- 2 and 3 ---------------------------------------------------------------- */

struct call {
	struct rcu_head own;
	struct rcu_head *head;
	void (*func)(struct rcu_head *head);
};

static void run(struct rcu_head *own)
{
	struct call *c = caa_container_of(own, struct call, own);

	__tsan_acquire(c);
	__tsan_acquire(&grace);
	c->func(c->head);
	__tsan_release(&called);
	free(c);
}

void __real_urcu_qsbr_call_rcu(struct rcu_head *head,
			       void (*func)(struct rcu_head *head));
void __wrap_urcu_qsbr_call_rcu(struct rcu_head *head,
			       void (*func)(struct rcu_head *head));
void __wrap_urcu_qsbr_call_rcu(struct rcu_head *head,
			       void (*func)(struct rcu_head *head))
{
	struct call *c = malloc(sizeof(*c));

	if (!c)
		abort();
	c->head = head;
	c->func = func;
	__tsan_release(c);
	__real_urcu_qsbr_call_rcu(&c->own, run);
}

const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
	return "race:^urcu_qsbr_barrier$\n";
}

void __real_urcu_qsbr_barrier(void);
void __wrap_urcu_qsbr_barrier(void);
void __wrap_urcu_qsbr_barrier(void)
{
	__real_urcu_qsbr_barrier();
	__tsan_acquire(&called);
}

void __real_urcu_qsbr_thread_offline(void);
void __wrap_urcu_qsbr_thread_offline(void);
void __wrap_urcu_qsbr_thread_offline(void)
{
	__tsan_release(&grace);
	__real_urcu_qsbr_thread_offline();
}

void __real_urcu_qsbr_unregister_thread(void);
void __wrap_urcu_qsbr_unregister_thread(void);
void __wrap_urcu_qsbr_unregister_thread(void)
{
	__tsan_release(&grace);
	__real_urcu_qsbr_unregister_thread();
}
