/* SPDX-License-Identifier: MIT */
/* Verbs that are answered when something has happened: ping, connect; and
 * drain, which is asked again until nothing happens any more. */
#pragma once

#include "gate.h"

int errand_ping(struct gate *g, uint64_t client, const json_t *req,
		char *errbuf, size_t errlen) HG_CHECK;
int errand_connect(struct gate *g, uint64_t client, const json_t *req,
		   char *errbuf, size_t errlen) HG_CHECK;
int errand_drain(struct gate *g, const json_t *req, json_t **data, char *errbuf,
		 size_t errlen) HG_CHECK;

/* An answer to an echo (MSG_PROBE); false: to none of ours. */
bool errand_pong(struct gate *g, const struct msg *m);
/* Of a peer that is `wanted`: there is an association; there will be none. */
void errand_connected(struct gate *g, struct peer *p);
void errand_refused(struct gate *g, struct peer *p);
/* DNS_RESOLVED, DNS_UNRESOLVED; false: not for an errand. */
bool errand_resolved(struct gate *g, const struct dns_effect *e);
/* Each second. */
void errand_expire(struct gate *g, uint64_t now);
void errand_fini(struct gate *g);
