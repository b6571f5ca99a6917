/* SPDX-License-Identifier: MIT */
/* News that the clock leapt; see wake.h. */
/* THEORY OF OPERATION
 * A timer on the wall clock that is due in a century and is cancelled when
 * that clock is set (TFD_TIMER_CANCEL_ON_SET): the kernel sets it when the
 * machine resumes, too. So nothing need be polled, and a laptop sleeps on.
 */
#include "wake.h"

#include <errno.h>
#include <stdint.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CENTURY (100 * INT64_C(31557600)) /* s */

static int arm(int fd)
{
	struct itimerspec its = { .it_value.tv_sec = time(NULL) + CENTURY };

	return timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			       &its, NULL);
}

static void on_leap(uv_poll_t *p, int status, int events)
{
	struct wake *w = p->data;
	uint64_t ticks;

	(void)events;
	if (status < 0) {
		(void)uv_poll_stop(p);
		return; /* worse news than none */
	}
	if (read(w->fd, &ticks, sizeof(ticks)) < 0 && errno == ECANCELED)
		w->fn(w->arg);
	(void)arm(w->fd);
}

int wake_open(uv_loop_t *loop, void (*fn)(void *arg), void *arg, struct wake *w)
{
	w->fn = fn;
	w->arg = arg;
	w->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (w->fd < 0)
		return HG_ESYS;
	if (arm(w->fd) || uv_poll_init(loop, &w->poll, w->fd)) {
		wake_close(w);
		return HG_ESYS;
	}
	w->poll.data = w;
	(void)uv_poll_start(&w->poll, UV_READABLE, on_leap);
	return HG_OK;
}

void wake_close(struct wake *w)
{
	if (w->fd >= 0)
		(void)close(w->fd);
	w->fd = -1;
}
