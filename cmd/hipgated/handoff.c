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
 * frees itself as soon as it runs. Two system calls, and none while control
 * is awake or the worker has more to do.
 *
 * handoff_here may come too late, when its thread has woken for another
 * reason meanwhile: so that frees itself again the next time it wakes, and
 * is at worst held to one CPU for one sleep. Where the system forbids it
 * nothing is lost but time.
 */
#include "handoff.h"

#include <stddef.h>
#include <unistd.h>

void handoff_init(struct handoff *h)
{
	h->tid = gettid();
	h->narrow = false;
	if (sched_getaffinity(0, sizeof(h->all), &h->all) == 0 &&
	    CPU_COUNT(&h->all) > 1)
		atomic_store(&h->state, HANDOFF_AWAKE);
}

void handoff_sleeps(struct handoff *h)
{
	int awake = HANDOFF_AWAKE;

	(void)atomic_compare_exchange_strong(&h->state, &awake, HANDOFF_ASLEEP);
}

void handoff_wakes(struct handoff *h)
{
	bool here;

	if (atomic_load(&h->state) == HANDOFF_OFF)
		return;
	here = atomic_exchange(&h->state, HANDOFF_AWAKE) == HANDOFF_HERE;
	if (here || h->narrow)
		(void)sched_setaffinity(0, sizeof(h->all), &h->all);
	h->narrow = here;
}

void handoff_here(struct handoff *h)
{
	int asleep = HANDOFF_ASLEEP;
	int cpu = sched_getcpu();
	cpu_set_t one;

	if (!atomic_compare_exchange_strong(&h->state, &asleep, HANDOFF_HERE) ||
	    cpu < 0 || !CPU_ISSET(cpu, &h->all))
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)sched_setaffinity(h->tid, sizeof(one), &one);
}
