/* SPDX-License-Identifier: MIT */
/* The control socket: one JSON request a line, JSON lines back.
 *
 * THEORY OF OPERATION
 * Control thread only. A UNIX stream socket, 0660 by file mode. A request
 * is {"verb": ...}; the answer is one line {"version":1, "verb":..., "ok":
 * true, "data":...} or {"version":1, "ok":false, "daemon":its version,
 * "code":one word, "error":a sentence}. For `trace` and `events` it is one
 * line for each event and, unless "follow" is true, {"end":true}. Verbs that
 * change something are for the daemon's own user and root (SO_PEERCRED),
 * whoever else may read. Some are answered later, when what was asked for
 * has happened: whoever does it keeps the client's number, which outlives
 * the client.
 *
 * Neither does a long answer: lists, and what is counted, are made in pieces
 * (views.h), one in each turn of the loop; what the same client asks meanwhile
 * waits, and the events that it follows are as lost.
 *
 * A reader that is slow slows nobody: an event that finds CONTROL_BEHIND
 * octets waiting is not sent, and the reader is told how many were not. A
 * client that asks on and on without reading is cut off at CONTROL_BACKLOG.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "core/err.h"

struct gate;
struct control;

enum {
	CONTROL_PROTOCOL = 1,
	CONTROL_CLIENTS = 64,
	CONTROL_LINE = 4096,
	CONTROL_BACKLOG = 8 << 20,
	CONTROL_BEHIND = 1 << 20,
};

int control_start(struct gate *g, struct control **out, char *errbuf,
		  size_t errlen) HG_CHECK;
/* Closes the handles; run the loop, then control_fini. NULL is fine. */
void control_stop(struct control *c);
void control_fini(struct control *c);

/* Of a client by its number; false: it is gone. data: taken. */
bool control_answer(struct control *c, uint64_t client, const char *verb,
		    json_t *data);
void control_refuse(struct control *c, uint64_t client, const char *why);
/* False: it is gone, or more than `behind` octets behind, CONTROL_BEHIND or
 * CONTROL_BACKLOG for what must come: these octets are not sent. */
bool control_send(struct control *c, uint64_t client, size_t behind,
		  const void *octets, size_t len);
void control_hang_up(struct control *c, uint64_t client);
bool control_is_there(struct control *c, uint64_t client);
bool control_who(struct control *c, uint64_t client, unsigned *uid,
		 unsigned *pid);
