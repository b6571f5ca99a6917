/* SPDX-License-Identifier: MIT */
/* The control socket: one JSON request a line, JSON lines back.
 *
 * THEORY OF OPERATION
 * Control thread only. A UNIX stream socket, 0660 by file mode. A request
 * is {"verb": ...}; the answer is one line {"version":1, "verb":..., "ok":
 * true, "data":...}, or for `trace` one line for each event and, unless
 * "follow" is true, {"end":true}. All verbs only read, but those of the
 * table `changes`: they are for the daemon's own user and root (SO_PEERCRED), whoever else may read. A
 * client that does not read is cut off when CONTROL_BACKLOG octets wait for
 * it.
 */
#pragma once

#include <stddef.h>

#include "core/err.h"

struct gate;
struct control;

enum { CONTROL_CLIENTS = 64, CONTROL_LINE = 4096, CONTROL_BACKLOG = 8 << 20 };

int control_start(struct gate *g, struct control **out, char *errbuf,
		  size_t errlen) HG_CHECK;
/* Closes the handles; run the loop, then control_fini. NULL is fine. */
void control_stop(struct control *c);
void control_fini(struct control *c);
/* Who may talk to the socket that was made there: its user, and the group, if
 * it is not "". */
int control_set_owner(const char *path, const char *group) HG_CHECK;
