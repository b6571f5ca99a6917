/* SPDX-License-Identifier: MIT */
/* Metrics, readiness and the status page over HTTP: reading only.
 *
 * THEORY OF OPERATION
 * libmicrohttpd has a thread of its own, which speaks HTTP, renders, and
 * touches nothing of the daemon's. What it shows is a struct snapshot: it
 * asks the control thread for one (uv_async) and waits for it, at most
 * HTTP_WAIT_MS; the control thread makes it, in parts between which its loop
 * turns, and leaves it under the lock, so it never waits for a client, nor
 * for a text. One that is younger
 * than HTTP_FRESH_MS serves again, and so does what was rendered from it:
 * many who ask cost the control thread one look a second. /ready needs none:
 * the control thread says each second how it is, and if it has not said so
 * for a while, that is the answer.
 *
 *	control: http_pulse each second	-> lock, copy, unlock
 *	control: on_wake		-> snapshot_go_on, until it is whole; then
 *					   lock, leave, unlock
 *	HTTP thread: handle		-> lock, take, unlock; render; answer
 *
 * Off unless [http] is there. Who may read: whoever reaches the address, so
 * that is loopback or a socket unless the file says otherwise; a browser is
 * kept from reading for a foreign page by the check of Host (a name that
 * leads here by DNS rebinding is none of ours), and there are no CORS
 * headers. GET and HEAD only; connections, memory and time are bounded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct gate;
struct http;
struct config_http;

enum {
	HTTP_CONNECTIONS = 32,
	HTTP_MEMORY = 16384, /* octets of one connection's headers */
	HTTP_IDLE_S = 10,
	HTTP_WAIT_MS = 2000,  /* for the control thread */
	HTTP_FRESH_MS = 900,  /* of a snapshot */
	HTTP_SILENT_MS = 5000 /* of the control thread: not ready */
};

/* *out is NULL where there is no [http]. */
int http_start(struct gate *g, struct http **out, char *errbuf,
	       size_t errlen) HG_CHECK;
/* Each second: how we are. NULL is fine, in all of these. */
void http_pulse(struct http *h, struct gate *g, uint64_t now);
/* Ends the thread; closes the handles; run the loop, then http_fini. */
void http_stop(struct http *h);
void http_fini(struct http *h);
/* Is `host`, as the header has it, one of ours? */
bool http_host_ok(const struct config_http *c, const char *host);
