/* SPDX-License-Identifier: MIT */
/* What systemd is told of us; see sdstate.h. */
/* THEORY OF OPERATION
 * Control thread only. The watchdog's sign of life comes from a timer of the
 * control loop, twice in the time it is given: a loop that hangs is found,
 * and we are started anew. libsystemd does nothing where $NOTIFY_SOCKET is
 * not set, so who calls us need not know.
 */
#include "sdstate.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-daemon.h>

static uv_timer_t watchdog;

static void on_watchdog(uv_timer_t *t)
{
	(void)t;
	(void)sd_notify(0, "WATCHDOG=1");
}

void sdstate_ready(uv_loop_t *loop)
{
	uint64_t usec;
	uint64_t ms;

	(void)sd_notify(0, "READY=1");
	if (sd_watchdog_enabled(0, &usec) <= 0)
		return;
	ms = usec / 2000 ? usec / 2000 : 1;
	(void)uv_timer_init(loop, &watchdog); /* cannot fail */
	(void)uv_timer_start(&watchdog, on_watchdog, 0, ms);
}

void sdstate_reloading(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%llu",
			 (unsigned long long)t.tv_sec * 1000000 +
				 (unsigned long long)t.tv_nsec / 1000);
}

void sdstate_reloaded(void)
{
	(void)sd_notify(0, "READY=1");
}

void sdstate_status(const char *text)
{
	(void)sd_notifyf(0, "STATUS=%s", text);
}

void sdstate_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}
