/* SPDX-License-Identifier: MIT */
/* What liburcu promises, for ThreadSanitizer (linked with --wrap).
 *
 * THEORY OF OPERATION
 * liburcu is not built with ThreadSanitizer and synchronizes with inline
 * assembly, so each of its promises is told here, and nothing else is. What
 * is suppressed is memory that is the library's own: what it frees itself, and
 * what rcu_barrier makes.
 *
 * 1. A callback of call_rcu runs after every reader that was online has
 *    been offline: readers release `grace` when they go, the callback
 *    acquires it. It also sees what was written before call_rcu.
 * 2. rcu_barrier returns after all callbacks queued before it. It makes and
 *    hands over memory of its own, of which we cannot tell.
 *
 * What a program does wrong against these rules is found: a change of a
 * published object, a reader that keeps a pointer while offline, an object
 * freed without call_rcu.
 */
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>

#include <urcu-qsbr.h>

static char grace;
static char called;

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
	return "race:^urcu_qsbr_barrier$\n"
	       "called_from_lib:liburcu-qsbr\n";
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
