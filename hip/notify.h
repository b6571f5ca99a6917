/* SPDX-License-Identifier: MIT */
/* NOTIFY: what peers tell us, and what we tell them (RFC 7401 6.13). */
#pragma once

#include "hip/statetab.h"

/* A NOTIFY is here: to a job for its signature, or dropped. */
void notify_input(struct hip *h, struct event *ev);
void notify_ok(struct hip *h, struct event *ev);
/* An I2 whose puzzle was solved is refused for r: says so, when that is
 * wanted and within its budget. code: the Notify Message Type that says
 * HIP_PROPOSAL more exactly. */
void notify_refuse(struct hip *h, const struct packet *p, enum reason r,
		   uint16_t code);
/* Tells a peer, at `to`, within the budget, whatever hip_config.notify
 * says. */
void notify_tell(struct hip *h, const struct assoc *a, uint16_t type,
		 const struct endpoint *to, uint64_t now);
/* Ours is back from its job. */
void notify_signed(struct hip *h, struct hip_job *job);
