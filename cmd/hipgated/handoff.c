/* SPDX-License-Identifier: MIT */
/* Waking control where its work comes from.
 *
 * THEORY OF OPERATION
 * A worker that has one packet, gives it to control and then waits, would
 * have control woken on the CPU it slept on, since that one is idle. To get
 * a CPU out of its sleep takes longer than all that is done for a DNS
 * question: 100 us on some virtual machines, as much in deep sleep on others.
 * This CPU is awake and has nothing else to do. The kernel has no way to say
 * so, but for this: the thread that sleeps is held to this CPU, woken, and
 * frees itself as soon as it runs: before all else, since the threads that it
 * makes, or libraries make for it, may run where it may. Two system calls,
 * and none while control is awake or the worker has more to do.
 *
 * handoff_here may come too late, when its thread has woken for another
 * reason meanwhile. It sees that, since the state is not what it made it,
 * nor that of a later sleep, and frees the thread itself. Where the system
 * forbids it nothing is lost but time.
 */
#include "handoff.h"

#include <stddef.h>
#include <unistd.h>

void handoff_init(struct handoff *h)
{
	h->tid = gettid();
	h->sleeps = 0;
	if (sched_getaffinity(0, sizeof(h->all), &h->all) == 0 &&
	    CPU_COUNT(&h->all) > 1)
		atomic_store(&h->state, HANDOFF_AWAKE);
}

static unsigned now(const struct handoff *h, enum handoff_state state)
{
	return h->sleeps * HANDOFF_SLEEP + state;
}

/* Nobody else changes AWAKE. */
void handoff_sleeps(struct handoff *h)
{
	if (atomic_load(&h->state) == HANDOFF_OFF)
		return;
	h->sleeps++;
	atomic_store(&h->state, now(h, HANDOFF_ASLEEP));
}

void handoff_wakes(struct handoff *h)
{
	unsigned was;

	if (atomic_load(&h->state) == HANDOFF_OFF)
		return;
	was = atomic_exchange(&h->state, now(h, HANDOFF_AWAKE));
	if (was != now(h, HANDOFF_ASLEEP))
		(void)sched_setaffinity(h->tid, sizeof(h->all), &h->all);
}

unsigned handoff_begin(struct handoff *h)
{
	unsigned state = atomic_load(&h->state);
	unsigned here = state - HANDOFF_ASLEEP + HANDOFF_HERE;

	return state % HANDOFF_SLEEP == HANDOFF_ASLEEP &&
			       atomic_compare_exchange_strong(&h->state, &state,
							      here)
		       ? here
		       : 0;
}

void handoff_end(struct handoff *h, unsigned begun)
{
	unsigned held = begun - HANDOFF_HERE + HANDOFF_HELD;
	int cpu = sched_getcpu();
	cpu_set_t one;

	CPU_ZERO(&one);
	if (cpu >= 0 && CPU_ISSET(cpu, &h->all))
		CPU_SET(cpu, &one); /* else none, which is refused */
	(void)sched_setaffinity(h->tid, sizeof(one), &one);
	if (!atomic_compare_exchange_strong(&h->state, &begun, held))
		(void)sched_setaffinity(h->tid, sizeof(h->all), &h->all);
}

void handoff_here(struct handoff *h)
{
	unsigned begun = handoff_begin(h);

	if (begun)
		handoff_end(h, begun);
}
