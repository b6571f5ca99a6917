/* SPDX-License-Identifier: MIT */
/* Questions to upstream DNS servers: one socket each.
 *
 * THEORY OF OPERATION
 * Control thread only. Every ask has its own connected socket with a port
 * the kernel draws, so an answer must come from that server to that port
 * (T10); the engine checks the rest. The engine ends each ask with
 * DNS_ASK_DONE; a broken TCP connection is told to it as failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/addr.h"
#include "core/err.h"

struct gate;
struct dnsask;

/* The asks under way, by id. */
struct dnsasks {
	struct gate *g;
	struct dnsask *bucket[256];
	size_t num; /* at most max */
	size_t max; /* files left for asks; dnsask_limit */
};

/* Half of the files that the process may open. */
size_t dnsask_limit(void);

/* Sends msg to server. HG_EFULL, HG_ENOMEM, HG_ESYS: we could not, tell the
 * engine that it was refused. */
int dnsask_start(struct dnsasks *a, uint32_t id, const struct endpoint *server,
		 bool tcp, const uint8_t *msg, size_t len) HG_CHECK;
/* Where it leaves from; false: there is no such ask, or it does not know. */
bool dnsask_from(const struct dnsasks *a, uint32_t id, struct endpoint *out);
void dnsask_end(struct dnsasks *a, uint32_t id);
void dnsask_end_all(struct dnsasks *a);
