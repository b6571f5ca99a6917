/* SPDX-License-Identifier: MIT */
/* Control's turns; see turn.h. */
/* THEORY OF OPERATION
 * Control thread only. What is urgent for control, a packet that a worker
 * hands over or a server's answer, costs system calls more than anything
 * else, so control waits in an epoll of its own: for its inbox, whose bell is
 * edge-triggered and need not be read, for the ports that have asked
 * (askport.h), which are read at once, and for libuv's epoll. libuv has its
 * turn when that is readable, or when it has a timer that is due or anything
 * else that does not wait.
 *
 * The thread is online for the tables while it has something to do, and
 * offline while it waits.
 */
#include "turn.h"

#include <sys/epoll.h>
#include <unistd.h>

#include "dnsside.h"
#include "gate.h"

enum { EVENTS = 64 };

static int wait_for(struct gate *g, int fd, uint32_t events, void *what)
{
	struct epoll_event ev = { .events = events, .data.ptr = what };

	return epoll_ctl(g->waits, EPOLL_CTL_ADD, fd, &ev) ? HG_ESYS : HG_OK;
}

int turn_open(struct gate *g)
{
	int err;

	g->waits = epoll_create1(EPOLL_CLOEXEC);
	if (g->waits < 0)
		return HG_ESYS;
	err = inbox_init_bell(&g->inbox);
	if (!err)
		err = wait_for(g, g->inbox.bell, EPOLLIN | EPOLLET, &g->inbox);
	if (!err)
		err = wait_for(g, uv_backend_fd(g->loop), EPOLLIN, g->loop);
	return err;
}

void turn_close(struct gate *g)
{
	(void)close(g->waits);
}

void turn(struct gate *g)
{
	struct epoll_event ev[EVENTS];
	int wait = uv_backend_timeout(g->loop);
	bool loop = false;
	int num;

	tables_offline();
	handoff_sleeps(&g->plane.handoff);
	num = epoll_wait(g->waits, ev, EVENTS, wait);
	handoff_wakes(&g->plane.handoff);
	tables_online();
	uv_update_time(g->loop);
	for (int i = 0; i < num; i++) {
		if (ev[i].data.ptr == g->loop)
			loop = true;
		else if (ev[i].data.ptr == &g->inbox)
			gate_inbox(g);
		else
			dnsask_readable(&g->dnsside->asks, ev[i].data.ptr);
	}
	if (loop || uv_backend_timeout(g->loop) == 0)
		(void)uv_run(g->loop, UV_RUN_NOWAIT);
	if (g->dnsside)
		askport_tend(&g->dnsside->asks.ports, false, uv_hrtime());
}
