/* SPDX-License-Identifier: MIT */
/* Questions to upstream DNS servers: one socket each.
 *
 * THEORY OF OPERATION
 * Control thread only. Every ask has its own connected socket with a port
 * the kernel draws, so an answer must come from that server to that port
 * (T10); the engine checks the rest. Those for UDP are askport.c's. The
 * engine ends each ask with DNS_ASK_DONE; a broken TCP connection, or a port
 * that is unreachable, is told to it as failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "askport.h"
#include "core/addr.h"
#include "core/err.h"

struct gate;
struct dnsask;

/* The asks under way, by id. */
struct dnsasks {
	struct gate *g;
	struct dnsask *bucket[256];
	size_t num; /* at most max */
	size_t max; /* half of the files that the process may open */
	struct askports ports;
};

/* waits: the epoll that tells of readable ports: dnsask_readable. */
void dnsask_init(struct dnsasks *a, struct gate *g, int waits);
/* Sends msg to server. HG_EFULL, HG_ENOMEM, HG_ESYS: we could not, tell the
 * engine that it was refused. */
int dnsask_start(struct dnsasks *a, uint32_t id, const struct endpoint *server,
		 bool tcp, const uint8_t *msg, size_t len) HG_CHECK;
void dnsask_readable(struct dnsasks *a, struct askport *port);
/* Where it leaves from; false: there is no such ask, or it does not know. */
bool dnsask_from(const struct dnsasks *a, uint32_t id, struct endpoint *out);
void dnsask_end(struct dnsasks *a, uint32_t id);
/* Of the ports that are ready, too. */
void dnsask_end_all(struct dnsasks *a);
