/* SPDX-License-Identifier: MIT */
/* Staying awake for an answer that is near.
 *
 * THEORY OF OPERATION
 * Where a DNS server is in the next room, or in the next rack, it answers
 * sooner than a CPU is there again that has gone to sleep for want of work.
 * So control, when it has sent a question and has nothing else to do, asks
 * for what has come instead of waiting for it, for VIGIL_NS at most. Between
 * two looks it lets go of the CPU: whoever wants it has it, as if we slept.
 *
 * It is learnt whether that is worth it. A vigil in which nothing came, or
 * something else did, or others wanted the CPU, is lost; after n lost ones in
 * a row the next 2^n - 1 questions have none. So a server that is far costs
 * one vigil in a thousand questions, and so does a machine that is busy.
 */
#include "vigil.h"

#include <sched.h>
#include <uv.h>

static void lose(struct vigil *v)
{
	v->ended = false;
	if (v->lost < VIGIL_LOST_MOST)
		v->lost++;
	v->pass = (1U << v->lost) - 1;
}

void vigil_want(struct vigil *v)
{
	if (v->ended)
		lose(v);
	v->wanted = v->pass == 0;
	if (v->pass)
		v->pass--;
}

static bool came(struct pollfd *p)
{
	return poll(p, 1, 0) > 0;
}

bool vigil_keep(struct vigil *v, struct pollfd *p)
{
	uint64_t now = uv_hrtime();
	uint64_t end = now + VIGIL_NS;
	uint64_t looked = now;

	if (!v->wanted)
		return false;
	v->wanted = false;
	while (now < end && now - looked < VIGIL_BUSY_NS) {
		if (came(p)) {
			v->ended = true;
			return true;
		}
		looked = uv_hrtime();
		(void)sched_yield();
		now = uv_hrtime();
	}
	lose(v);
	return false;
}

void vigil_answered(struct vigil *v)
{
	if (v->ended)
		v->lost = 0;
	v->ended = false;
}
