/* SPDX-License-Identifier: MIT */
/* What systemd is told of us (sd_notify(3)); nothing, where nobody asked. */
#pragma once

#include <uv.h>

/* We serve: READY=1, and the watchdog's sign of life from this loop from now
 * on, where one is wanted. */
void sdstate_ready(uv_loop_t *loop);
/* The configuration is being read again, until sdstate_reloaded. */
void sdstate_reloading(void);
void sdstate_reloaded(void);
/* One line for `systemctl status`. */
void sdstate_status(const char *text);
/* We end; before the loop's handles are closed. */
void sdstate_stopping(void);
