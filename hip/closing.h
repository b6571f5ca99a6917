/* SPDX-License-Identifier: MIT */
/* Using up, closing and leaving an association (RFC 7401 6.14, 6.15). */
#pragma once

#include "hip/statetab.h"

void closing_close(struct hip *h, struct event *ev);
void closing_close_ok(struct hip *h, struct event *ev);
void closing_ack(struct hip *h, struct event *ev);
void closing_ack_ok(struct hip *h, struct event *ev);
/* hip_close: CLOSE, or give up what has no keys yet. */
void closing_leave(struct hip *h, struct event *ev);
void closing_abort(struct hip *h, struct event *ev);
/* ESTABLISHED: idle, silent peer, UPDATEs. */
void closing_idle_timer(struct hip *h, struct event *ev);
void closing_timer(struct hip *h, struct event *ev);
void closing_closed_timer(struct hip *h, struct event *ev);
/* A job is free: CLOSEs that wait for one are signed, oldest first. */
void closing_more(struct hip *h);
/* A CLOSE or CLOSE_ACK is back from its job, signed or not. */
void closing_signed(struct hip *h, struct assoc *a, struct hip_job *job,
		    uint64_t now);
/* Starts a CHECK job for a packet with signature whose MAC is right. */
bool closing_check(struct hip *h, struct event *ev);
